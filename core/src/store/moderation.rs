//! Reports of messages, and the audit: what moderators did.

use serde::Serialize;

use crate::db::{Db, DbError, Param};
use crate::ids::{MAX_SAFE_INTEGER, Millis, Seq, UserId};

#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    pub message: Seq,
    pub reporter: UserId,
    pub reason: String,
    pub at: Millis,
    pub resolved_by: Option<UserId>,
}

/// `false` when this user has reported the message before. 1 row.
///
/// # Errors
/// Storage errors.
pub fn report(db: &mut dyn Db, report: &Report) -> Result<bool, DbError> {
    let sql = "INSERT INTO reports (message, reporter, reason, at) VALUES (?, ?, ?, ?)
        ON CONFLICT DO NOTHING";
    let params = [
        Param::Int(report.message.0),
        Param::Text(report.reporter.as_str()),
        Param::Text(&report.reason),
        Param::Int(report.at.0),
    ];
    db.write(sql, &params)
}

/// At most `limit` reports of messages older than `before`, the newest message first.
///
/// # Errors
/// Storage errors.
pub fn reports(db: &mut dyn Db, before: Option<Seq>, limit: i64) -> Result<Vec<Report>, DbError> {
    let sql = "SELECT message, reporter, reason, at, resolved_by FROM reports WHERE message < ?
        ORDER BY message DESC, reporter LIMIT ?";
    let top = before.map_or(MAX_SAFE_INTEGER, |seq| seq.0);
    let rows = db.run(sql, &[Param::Int(top), Param::Int(limit)])?;
    let found = rows.iter().map(|row| {
        Ok(Report {
            message: Seq(row.int(0)?),
            reporter: UserId::parse(row.text(1)?).ok_or_else(|| DbError("a report by nobody".into()))?,
            reason: row.text(2)?.to_owned(),
            at: Millis(row.int(3)?),
            resolved_by: row.opt_text(4)?.and_then(UserId::parse),
        })
    });
    found.collect()
}

/// All reports of a message are dealt with; `false` when there is none that was not.
///
/// # Errors
/// Storage errors.
pub fn resolve(db: &mut dyn Db, message: Seq, by: &UserId) -> Result<bool, DbError> {
    let sql = "UPDATE reports SET resolved_by = ? WHERE message = ? AND resolved_by IS NULL";
    db.write(sql, &[Param::Text(by.as_str()), Param::Int(message.0)])
}

/// One thing that a moderator (or a server key) did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    pub id: Seq,
    /// `None`: a server key.
    pub actor: Option<UserId>,
    /// The frame's name: `mute`, `ban`, `delete_message` …
    pub action: String,
    pub user_id: Option<UserId>,
    pub message_id: Option<Seq>,
    /// For how many seconds; to what.
    pub detail: Option<String>,
    pub created_at: String,
}

/// What is to be noted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Deed<'a> {
    pub actor: Option<&'a UserId>,
    pub action: &'static str,
    pub user: Option<&'a UserId>,
    pub message: Option<Seq>,
    pub detail: Option<&'a str>,
}

/// 1 row.
///
/// # Errors
/// Storage errors.
pub fn note(db: &mut dyn Db, now: Millis, deed: Deed<'_>) -> Result<(), DbError> {
    let sql = "INSERT INTO audit (actor, action, user, message, detail, at) VALUES (?, ?, ?, ?, ?, ?)";
    let params = [
        deed.actor.map(UserId::as_str).into(),
        Param::Text(deed.action),
        deed.user.map(UserId::as_str).into(),
        deed.message.map(|id| id.0).into(),
        deed.detail.into(),
        Param::Int(now.0),
    ];
    db.write(sql, &params).map(drop)
}

/// At most `limit` entries older than `before`, newest first.
///
/// # Errors
/// Storage errors.
pub fn audit(db: &mut dyn Db, before: Option<Seq>, limit: i64) -> Result<Vec<Entry>, DbError> {
    let sql = "SELECT id, actor, action, user, message, detail, at FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?";
    let top = before.map_or(MAX_SAFE_INTEGER, |seq| seq.0);
    let rows = db.run(sql, &[Param::Int(top), Param::Int(limit)])?;
    let found = rows.iter().map(|row| {
        Ok(Entry {
            id: Seq(row.int(0)?),
            actor: row.opt_text(1)?.and_then(UserId::parse),
            action: row.text(2)?.to_owned(),
            user_id: row.opt_text(3)?.and_then(UserId::parse),
            message_id: row.opt_int(4)?.map(Seq),
            detail: row.opt_text(5)?.map(str::to_owned),
            created_at: Millis(row.int(6)?).iso(),
        })
    });
    found.collect()
}
