//! The messages. Order is `id`; `created_at` only labels.

use crate::db::{Db, DbError, Param, Row};
use crate::ids::{Millis, Seq, UserId};

#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub id: Seq,
    pub sender: UserId,
    pub client_message_id: Option<String>,
    pub content: String,
    pub created_at: Millis,
}

fn message(row: &Row) -> Result<Message, DbError> {
    Ok(Message {
        id: Seq(row.int(0)?),
        sender: UserId::parse(row.text(1)?).ok_or_else(|| DbError("a message has no sender".into()))?,
        client_message_id: row.opt_text(2)?.map(str::to_owned),
        content: row.text(3)?.to_owned(),
        created_at: Millis(row.int(4)?),
    })
}

/// Stores a message; `false` when its sender has used its `client_message_id` before. 2 rows with an id, 1 without.
///
/// # Errors
/// Storage errors.
pub fn insert(db: &mut dyn Db, message: &Message) -> Result<bool, DbError> {
    let sql = "INSERT INTO messages (id, sender, client_message_id, content, created_at) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (sender, client_message_id) WHERE client_message_id IS NOT NULL DO NOTHING RETURNING id";
    let params = [
        Param::Int(message.id.0),
        Param::Text(message.sender.as_str()),
        message.client_message_id.as_deref().into(),
        Param::Text(&message.content),
        Param::Int(message.created_at.0),
    ];
    Ok(!db.run(sql, &params)?.is_empty())
}

/// # Errors
/// Storage errors.
pub fn by_client_id(db: &mut dyn Db, sender: &UserId, id: &str) -> Result<Option<Message>, DbError> {
    let sql = "SELECT id, sender, client_message_id, content, created_at FROM messages
        WHERE sender = ? AND client_message_id = ?";
    db.run(sql, &[Param::Text(sender.as_str()), Param::Text(id)])?.first().map(message).transpose()
}

/// At most `limit` messages older than `before` (`None`: the newest), newest first.
///
/// # Errors
/// Storage errors.
pub fn before(db: &mut dyn Db, before: Option<Seq>, limit: i64) -> Result<Vec<Message>, DbError> {
    let sql = "SELECT id, sender, client_message_id, content, created_at FROM messages
        WHERE id < ? ORDER BY id DESC LIMIT ?";
    let top = before.map_or(crate::ids::MAX_SAFE_INTEGER, |seq| seq.0);
    db.run(sql, &[Param::Int(top), Param::Int(limit)])?.iter().map(message).collect()
}

/// At most `limit` messages after `after` and up to `last`, oldest first.
///
/// # Errors
/// Storage errors.
pub fn after(db: &mut dyn Db, after: Seq, last: Seq, limit: i64) -> Result<Vec<Message>, DbError> {
    let sql = "SELECT id, sender, client_message_id, content, created_at FROM messages
        WHERE id > ? AND id <= ? ORDER BY id LIMIT ?";
    db.run(sql, &[Param::Int(after.0), Param::Int(last.0), Param::Int(limit)])?.iter().map(message).collect()
}

/// Id, sender and time of the newest `limit` messages, oldest first.
///
/// # Errors
/// Storage errors.
pub fn newest_senders(db: &mut dyn Db, limit: i64) -> Result<Vec<(Seq, UserId, Millis)>, DbError> {
    let sql = "SELECT id, sender, created_at FROM messages ORDER BY id DESC LIMIT ?";
    let rows = db.run(sql, &[Param::Int(limit)])?;
    let found = rows.iter().rev().map(|row| {
        let sender = UserId::parse(row.text(1)?).ok_or_else(|| DbError("a message has no sender".into()))?;
        Ok((Seq(row.int(0)?), sender, Millis(row.int(2)?)))
    });
    found.collect()
}

/// How many messages of others lie after `mark`, exact up to `max`. Reads the rows it passes.
///
/// # Errors
/// Storage errors.
pub fn unread(db: &mut dyn Db, user: &UserId, mark: Seq, max: i64) -> Result<i64, DbError> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM messages WHERE id > ? AND sender <> ? LIMIT ?)";
    let params = [Param::Int(mark.0), Param::Text(user.as_str()), Param::Int(max)];
    db.run(sql, &params)?.first().map_or(Ok(0), |row| row.int(0))
}

/// Who wrote the messages after `after` and up to `last`, looking at the newest `limit` of them.
///
/// # Errors
/// Storage errors.
pub fn authors(db: &mut dyn Db, after: Seq, last: Seq, limit: i64) -> Result<Vec<UserId>, DbError> {
    let sql = "SELECT DISTINCT sender FROM messages WHERE id > ? AND id <= ?";
    let from = after.0.max(last.0.saturating_sub(limit));
    let rows = db.run(sql, &[Param::Int(from), Param::Int(last.0)])?;
    rows.iter().map(|row| Ok(UserId::parse(row.text(0)?))).filter_map(Result::transpose).collect()
}

/// The last of the others who spoke among the newest `depth` messages.
///
/// # Errors
/// Storage errors.
pub fn last_other_speaker(db: &mut dyn Db, user: &UserId, head: Seq, depth: i64) -> Result<Option<UserId>, DbError> {
    let sql = "SELECT sender FROM messages WHERE id > ? AND sender <> ? ORDER BY id DESC LIMIT 1";
    let from = head.0.saturating_sub(depth);
    let rows = db.run(sql, &[Param::Int(from), Param::Text(user.as_str())])?;
    rows.first().map(|row| Ok(UserId::parse(row.text(0)?))).transpose().map(Option::flatten)
}
