//! The room's own facts, and the numbered migrations of its tables (`PRAGMA user_version` is denied in the object).

use crate::db::{Db, DbError, Param};
use crate::ids::{Millis, Seq};

/// Forward only. Each is run once, in order; the number of those done is kept under `schema`.
const MIGRATIONS: &[&[&str]] = &[&[
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    // A message's id is the position of its sending in the project's log. No AUTOINCREMENT: it costs a row each time.
    "CREATE TABLE messages (
        id INTEGER PRIMARY KEY,
        sender TEXT NOT NULL,
        client_message_id TEXT,
        content TEXT NOT NULL,
        created_at INTEGER NOT NULL
    )",
    // The one index that a message pays for: the same client_message_id from the same sender is one message, for ever.
    "CREATE UNIQUE INDEX messages_by_client_id ON messages (sender, client_message_id)
        WHERE client_message_id IS NOT NULL",
    "CREATE TABLE members (
        user TEXT PRIMARY KEY,
        role TEXT NOT NULL,
        username TEXT NOT NULL,
        first_name TEXT NOT NULL,
        last_name TEXT NOT NULL,
        profile_pic TEXT,
        named_by INTEGER NOT NULL,
        admitted_at INTEGER,
        current INTEGER NOT NULL,
        listed INTEGER NOT NULL,
        removed INTEGER NOT NULL,
        revoked_before INTEGER
    ) WITHOUT ROWID",
    "CREATE TABLE marks (shard INTEGER PRIMARY KEY, data TEXT NOT NULL)",
]];

/// What a room knows of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Meta {
    /// Made with the database: a position in the log means something only together with it.
    pub epoch: String,
    pub created_at: Millis,
    /// The project's name and time of creation, as the backend last gave them.
    pub project_name: Option<String>,
    pub project_created_at: Option<String>,
}

/// The room's facts and the highest position ever given, or `None` when the database has not been made yet.
///
/// # Errors
/// Storage errors; a database of a newer version of this code.
pub fn load(db: &mut dyn Db) -> Result<Option<(Meta, Seq)>, DbError> {
    let made = db.run("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'meta'", &[])?;
    if made.is_empty() {
        return Ok(None);
    }
    let mut meta = Meta { epoch: String::new(), created_at: Millis(0), project_name: None, project_created_at: None };
    let (mut done, mut floor) = (0, Seq::ZERO);
    for row in db.run("SELECT key, value FROM meta", &[])? {
        let value = row.text(1)?.to_owned();
        let number = || value.parse::<i64>().map_err(|_| DbError("meta holds no number".into()));
        match row.text(0)? {
            "schema" => done = number()?,
            "epoch" => meta.epoch = value,
            "created_at" => meta.created_at = Millis(number()?),
            "project_name" => meta.project_name = Some(value),
            "project_created_at" => meta.project_created_at = Some(value),
            // The highest position given, kept when the rows that had it are deleted: never given twice.
            "seq_floor" => floor = Seq(number()?),
            _ => {}
        }
    }
    migrate(db, usize::try_from(done).unwrap_or(0))?;
    let newest = match db.run("SELECT max(id) FROM messages", &[])?.first() {
        Some(row) => Seq(row.opt_int(0)?.unwrap_or(0)),
        None => Seq::ZERO,
    };
    Ok(Some((meta, newest.max(floor))))
}

/// Makes the database. `epoch` is random text.
///
/// # Errors
/// Storage errors.
pub fn create(db: &mut dyn Db, now: Millis, epoch: &str) -> Result<Meta, DbError> {
    migrate(db, 0)?;
    set(db, "epoch", epoch)?;
    set(db, "created_at", &now.0.to_string())?;
    Ok(Meta { epoch: epoch.to_owned(), created_at: now, project_name: None, project_created_at: None })
}

/// # Errors
/// Storage errors.
pub fn set(db: &mut dyn Db, key: &str, value: &str) -> Result<(), DbError> {
    let sql = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    db.run(sql, &[Param::Text(key), Param::Text(value)]).map(drop)
}

fn migrate(db: &mut dyn Db, done: usize) -> Result<(), DbError> {
    crate::db::migrate(db, MIGRATIONS, done, |db, done| set(db, "schema", &done.to_string()))
}
