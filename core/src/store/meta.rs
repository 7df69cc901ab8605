//! The room's own facts, and the numbered migrations of its tables (`PRAGMA user_version` is denied in the object).

use crate::db::{Db, DbError, Param};
use crate::ids::{Millis, Seq};
use crate::store::messages;

/// Forward only. Each is run once, in order; the number of those done is kept under `schema`.
const MIGRATIONS: &[&[&str]] = &[
    &[
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
    ],
    &[
        // `folded`: the text in small letters, where SQLite's own lower() would not do. `extra`: JSON, what few have.
        "ALTER TABLE messages ADD COLUMN folded TEXT",
        "ALTER TABLE messages ADD COLUMN reply_to INTEGER",
        "ALTER TABLE messages ADD COLUMN thread INTEGER",
        "ALTER TABLE messages ADD COLUMN deleted_at INTEGER",
        "ALTER TABLE messages ADD COLUMN extra TEXT",
        // Only replies pay for it.
        "CREATE INDEX messages_by_thread ON messages (thread) WHERE thread IS NOT NULL",
        // The rest of the log: what happened to messages after their sending.
        "CREATE TABLE changes (
        seq INTEGER PRIMARY KEY,
        message INTEGER NOT NULL,
        user TEXT NOT NULL,
        at INTEGER NOT NULL,
        kind TEXT NOT NULL,
        data TEXT,
        previous INTEGER
    )",
        // `seq`: where in the log it was pinned; the clock stands still during a turn and would not order them.
        "CREATE TABLE pins (message INTEGER PRIMARY KEY, user TEXT NOT NULL, seq INTEGER NOT NULL)",
        "CREATE TABLE mentions (
        user TEXT NOT NULL,
        message INTEGER NOT NULL,
        PRIMARY KEY (user, message)
    ) WITHOUT ROWID",
        "CREATE TABLE reports (
        message INTEGER NOT NULL,
        reporter TEXT NOT NULL,
        reason TEXT NOT NULL,
        at INTEGER NOT NULL,
        resolved_by TEXT,
        PRIMARY KEY (message, reporter)
    ) WITHOUT ROWID",
        "CREATE TABLE audit (
        id INTEGER PRIMARY KEY,
        actor TEXT,
        action TEXT NOT NULL,
        user TEXT,
        message INTEGER,
        detail TEXT,
        at INTEGER NOT NULL
    )",
        "ALTER TABLE members ADD COLUMN muted_until INTEGER",
        "ALTER TABLE members ADD COLUMN banned_until INTEGER",
        "ALTER TABLE members ADD COLUMN blocked TEXT",
    ],
];

/// What a room knows of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Meta {
    /// Made with the database: a position in the log means something only together with it.
    pub epoch: String,
    pub created_at: Millis,
    /// The project's name and time of creation, as the backend last gave them.
    pub project_name: Option<String>,
    pub project_created_at: Option<String>,
    /// Only moderators write.
    pub frozen: bool,
    /// Seconds between two messages of a member; 0: off.
    pub slow_mode_s: i64,
    /// Everything up to here has been forgotten.
    pub pruned: Seq,
    /// There are threads: pages have to be told how long theirs are.
    pub threads: bool,
}

impl Meta {
    fn new(epoch: &str, created_at: Millis) -> Self {
        Meta {
            epoch: epoch.to_owned(),
            created_at,
            project_name: None,
            project_created_at: None,
            frozen: false,
            slow_mode_s: 0,
            pruned: Seq::ZERO,
            threads: false,
        }
    }
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
    let mut meta = Meta::new("", Millis(0));
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
            "frozen" => meta.frozen = value == "1",
            "slow_mode_s" => meta.slow_mode_s = number()?,
            "pruned" => meta.pruned = Seq(number()?),
            // The highest position given, kept when the rows that had it are deleted: never given twice.
            "seq_floor" => floor = Seq(number()?),
            _ => {}
        }
    }
    migrate(db, usize::try_from(done).unwrap_or(0))?;
    let mut newest = |sql: &'static str| match db.run(sql, &[])?.first() {
        Some(row) => Ok(Seq(row.opt_int(0)?.unwrap_or(0))),
        None => Ok(Seq::ZERO),
    };
    let head = newest("SELECT max(id) FROM messages")?.max(newest("SELECT max(seq) FROM changes")?).max(floor);
    meta.threads = messages::any_thread(db)?;
    Ok(Some((meta, head)))
}

/// Makes the database. `epoch` is random text.
///
/// # Errors
/// Storage errors.
pub fn create(db: &mut dyn Db, now: Millis, epoch: &str) -> Result<Meta, DbError> {
    migrate(db, 0)?;
    set(db, "epoch", epoch)?;
    set(db, "created_at", &now.0.to_string())?;
    Ok(Meta::new(epoch, now))
}

/// # Errors
/// Storage errors.
pub fn set(db: &mut dyn Db, key: &str, value: &str) -> Result<(), DbError> {
    let sql = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    db.write(sql, &[Param::Text(key), Param::Text(value)]).map(drop)
}

fn migrate(db: &mut dyn Db, done: usize) -> Result<(), DbError> {
    crate::db::migrate(db, MIGRATIONS, done, |db, done| set(db, "schema", &done.to_string()))
}
