//! The messages. Order is `id`; `created_at` only labels.

use serde::{Deserialize, Serialize};

use crate::db::{Db, DbError, Param, Row};
use crate::ids::{MAX_SAFE_INTEGER, Millis, Seq, UserId};

#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub id: Seq,
    pub sender: UserId,
    pub client_message_id: Option<String>,
    /// Empty once it is deleted.
    pub content: String,
    pub created_at: Millis,
    pub reply_to: Option<Seq>,
    /// The first message of the thread that it belongs to.
    pub thread: Option<Seq>,
    pub deleted_at: Option<Millis>,
    pub extra: Extra,
}

/// What few messages have: one column of JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Extra {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Millis>,
    /// The newest of its edits in the log: the others hang on it like a chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_edit: Option<Seq>,
    /// The first of them: what the message said when it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_edit: Option<Seq>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_by: Option<UserId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<UserId>,
    /// Each emoji with those who reacted so, in the order in which they came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<(String, Vec<UserId>)>,
    /// The application's own object, as JSON text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

impl Message {
    pub fn new(id: Seq, sender: UserId, content: String, created_at: Millis) -> Self {
        Message {
            id,
            sender,
            client_message_id: None,
            content,
            created_at,
            reply_to: None,
            thread: None,
            deleted_at: None,
            extra: Extra::default(),
        }
    }

    pub fn is_deleted(&self) -> bool {
        self.deleted_at.is_some()
    }

    /// About the bytes of what it says, as JSON: a control character is six of them.
    pub fn bytes(&self) -> usize {
        let encoded = |byte: u8| match byte {
            0x22 | 0x5C => 2, // quote and backslash
            0..0x20 => 6,
            _ => 1,
        };
        let content: usize = self.content.bytes().map(encoded).sum();
        content + self.extra.data.as_ref().map_or(0, String::len)
    }

    fn extra_text(&self) -> Result<Option<String>, DbError> {
        if self.extra == Extra::default() {
            return Ok(None);
        }
        serde_json::to_string(&self.extra).map(Some).map_err(|error| DbError(format!("a message's extra: {error}")))
    }
}

/// The columns that [`message`] reads, in its order.
macro_rules! columns {
    () => {
        "id, sender, client_message_id, content, created_at, reply_to, thread, deleted_at, extra"
    };
}

fn message(row: &Row) -> Result<Message, DbError> {
    let extra = row.opt_text(8)?.map(serde_json::from_str).transpose();
    Ok(Message {
        id: Seq(row.int(0)?),
        sender: user(row, 1)?,
        client_message_id: row.opt_text(2)?.map(str::to_owned),
        content: row.text(3)?.to_owned(),
        created_at: Millis(row.int(4)?),
        reply_to: row.opt_int(5)?.map(Seq),
        thread: row.opt_int(6)?.map(Seq),
        deleted_at: row.opt_int(7)?.map(Millis),
        extra: extra.map_err(|error| DbError(format!("a message's extra: {error}")))?.unwrap_or_default(),
    })
}

fn user(row: &Row, index: usize) -> Result<UserId, DbError> {
    UserId::parse(row.text(index)?).ok_or_else(|| DbError("a message has no sender".into()))
}

/// Text as a search compares it: in small letters, and with one small sigma (at the end of a word Greek has another,
/// which the middle of a longer word has not).
pub fn fold(text: &str) -> String {
    text.to_lowercase().replace('ς', "σ")
}

/// What is kept beside a message for the search: its folded text, where SQLite's own `lower()`, which knows ASCII
/// only, would not do.
pub fn folded(content: &str) -> Option<String> {
    if content.is_ascii() {
        return None;
    }
    let folded = fold(content);
    (folded != content.to_ascii_lowercase()).then_some(folded)
}

/// Stores a message; `false` when its sender has used its `client_message_id` before. 2 rows with an id, 1 without;
/// one more in a thread.
///
/// # Errors
/// Storage errors.
pub fn insert(db: &mut dyn Db, message: &Message) -> Result<bool, DbError> {
    let (folded, extra) = (folded(&message.content), message.extra_text()?);
    let usual = [
        Param::Int(message.id.0),
        Param::Text(message.sender.as_str()),
        message.client_message_id.as_deref().into(),
        Param::Text(&message.content),
        Param::Int(message.created_at.0),
    ];
    // The statement that runs for nearly every message binds no more than it has to: each value costs.
    if folded.is_none() && extra.is_none() && message.reply_to.is_none() {
        let sql = "INSERT INTO messages (id, sender, client_message_id, content, created_at) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (sender, client_message_id) WHERE client_message_id IS NOT NULL DO NOTHING";
        return db.write(sql, &usual);
    }
    let sql =
        "INSERT INTO messages (id, sender, client_message_id, content, created_at, folded, reply_to, thread, extra)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (sender, client_message_id) WHERE client_message_id IS NOT NULL DO NOTHING";
    let more = [
        folded.as_deref().into(),
        message.reply_to.map(|id| id.0).into(),
        message.thread.map(|id| id.0).into(),
        extra.as_deref().into(),
    ];
    db.write(sql, &[&usual[..], &more[..]].concat())
}

/// Writes what can change in a message. 1 row.
///
/// # Errors
/// Storage errors.
pub fn update(db: &mut dyn Db, message: &Message) -> Result<(), DbError> {
    let sql = "UPDATE messages SET content = ?, folded = ?, deleted_at = ?, extra = ? WHERE id = ?";
    let (folded, extra) = (folded(&message.content), message.extra_text()?);
    let params = [
        Param::Text(&message.content),
        folded.as_deref().into(),
        message.deleted_at.map(|at| at.0).into(),
        extra.as_deref().into(),
        Param::Int(message.id.0),
    ];
    db.write(sql, &params).map(drop)
}

/// # Errors
/// Storage errors.
pub fn get(db: &mut dyn Db, id: Seq) -> Result<Option<Message>, DbError> {
    let sql = concat!("SELECT ", columns!(), " FROM messages WHERE id = ?");
    db.run(sql, &[Param::Int(id.0)])?.first().map(message).transpose()
}

/// Those of these messages that there are, oldest first.
///
/// # Errors
/// Storage errors.
pub fn several(db: &mut dyn Db, ids: &[Seq]) -> Result<Vec<Message>, DbError> {
    let sql = concat!("SELECT ", columns!(), " FROM messages WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id");
    let list = serde_json::to_string(ids).map_err(|error| DbError(error.to_string()))?;
    db.run(sql, &[Param::Text(&list)])?.iter().map(message).collect()
}

/// # Errors
/// Storage errors.
pub fn by_client_id(db: &mut dyn Db, sender: &UserId, id: &str) -> Result<Option<Message>, DbError> {
    let sql = concat!("SELECT ", columns!(), " FROM messages WHERE sender = ? AND client_message_id = ?");
    db.run(sql, &[Param::Text(sender.as_str()), Param::Text(id)])?.first().map(message).transpose()
}

/// At most `limit` messages older than `before` (`None`: the newest), newest first.
///
/// # Errors
/// Storage errors.
pub fn before(db: &mut dyn Db, before: Option<Seq>, limit: i64) -> Result<Vec<Message>, DbError> {
    let sql = concat!("SELECT ", columns!(), " FROM messages WHERE id < ? ORDER BY id DESC LIMIT ?");
    let top = before.map_or(MAX_SAFE_INTEGER, |seq| seq.0);
    db.run(sql, &[Param::Int(top), Param::Int(limit)])?.iter().map(message).collect()
}

/// At most `limit` messages after `after` and up to `last`, oldest first.
///
/// # Errors
/// Storage errors.
pub fn after(db: &mut dyn Db, after: Seq, last: Seq, limit: i64) -> Result<Vec<Message>, DbError> {
    let sql = concat!("SELECT ", columns!(), " FROM messages WHERE id > ? AND id <= ? ORDER BY id LIMIT ?");
    db.run(sql, &[Param::Int(after.0), Param::Int(last.0), Param::Int(limit)])?.iter().map(message).collect()
}

/// The newest messages after `after` and up to `last`, at most `limit`, oldest first.
///
/// # Errors
/// Storage errors.
pub fn newest_between(db: &mut dyn Db, after: Seq, last: Seq, limit: i64) -> Result<Vec<Message>, DbError> {
    let sql = concat!("SELECT ", columns!(), " FROM messages WHERE id > ? AND id <= ? ORDER BY id DESC LIMIT ?");
    let rows = db.run(sql, &[Param::Int(after.0), Param::Int(last.0), Param::Int(limit)])?;
    rows.iter().rev().map(message).collect()
}

/// At most `limit` replies of a thread older than `before`, newest first.
///
/// # Errors
/// Storage errors.
pub fn thread_before(db: &mut dyn Db, thread: Seq, before: Seq, limit: i64) -> Result<Vec<Message>, DbError> {
    let sql = concat!("SELECT ", columns!(), " FROM messages WHERE thread = ? AND id < ? ORDER BY id DESC LIMIT ?");
    db.run(sql, &[Param::Int(thread.0), Param::Int(before.0), Param::Int(limit)])?.iter().map(message).collect()
}

/// At most `limit` replies of a thread after `after`, oldest first.
///
/// # Errors
/// Storage errors.
pub fn thread_after(db: &mut dyn Db, thread: Seq, after: Seq, limit: i64) -> Result<Vec<Message>, DbError> {
    let sql = concat!("SELECT ", columns!(), " FROM messages WHERE thread = ? AND id > ? ORDER BY id LIMIT ?");
    db.run(sql, &[Param::Int(thread.0), Param::Int(after.0), Param::Int(limit)])?.iter().map(message).collect()
}

/// How many replies each of these threads has, and the newest of each. Deleted ones keep their place, and count.
///
/// # Errors
/// Storage errors.
pub fn replies(db: &mut dyn Db, threads: &[Seq]) -> Result<Vec<(Seq, i64, Seq)>, DbError> {
    let sql = "SELECT thread, count(*), max(id) FROM messages
        WHERE thread IN (SELECT value FROM json_each(?)) GROUP BY thread";
    let list = serde_json::to_string(threads).map_err(|error| DbError(error.to_string()))?;
    let rows = db.run(sql, &[Param::Text(&list)])?;
    rows.iter().map(|row| Ok((Seq(row.int(0)?), row.int(1)?, Seq(row.int(2)?)))).collect()
}

/// Whether the message begins a thread.
///
/// # Errors
/// Storage errors.
pub fn any_thread(db: &mut dyn Db) -> Result<bool, DbError> {
    Ok(!db.run("SELECT 1 FROM messages WHERE thread IS NOT NULL LIMIT 1", &[])?.is_empty())
}

/// Id, sender and time of the newest `limit` messages, oldest first.
///
/// # Errors
/// Storage errors.
pub fn newest_senders(db: &mut dyn Db, limit: i64) -> Result<Vec<(Seq, UserId, Millis)>, DbError> {
    let sql = "SELECT id, sender, created_at FROM messages ORDER BY id DESC LIMIT ?";
    let rows = db.run(sql, &[Param::Int(limit)])?;
    rows.iter().rev().map(|row| Ok((Seq(row.int(0)?), user(row, 1)?, Millis(row.int(2)?)))).collect()
}

/// Messages that are looked at for what is unread: whoever has blocked those who talk would have all of them counted
/// in vain.
const UNREAD_AMONG: i64 = 50_000;

/// How many messages of others lie after `mark`, exact up to `max`, and the first of them. `blocked`: whose messages
/// do not count. Reads the rows it passes.
///
/// # Errors
/// Storage errors.
pub fn unread(
    db: &mut dyn Db,
    user: &UserId,
    blocked: &[UserId],
    mark: Seq,
    max: i64,
) -> Result<(i64, Option<Seq>), DbError> {
    // Asking the list is a row read each time: most have blocked nobody.
    let sql = "SELECT count(*), min(id) FROM (SELECT id FROM (SELECT id, sender, deleted_at FROM messages
        WHERE id > ?1 ORDER BY id LIMIT ?5) WHERE sender <> ?2 AND deleted_at IS NULL AND (?3 = '[]' OR sender NOT IN (SELECT value FROM json_each(?3))) ORDER BY id LIMIT ?4)";
    let texts: Vec<_> = blocked.iter().map(UserId::as_str).collect();
    let blocked = serde_json::to_string(&texts).map_err(|error| DbError(error.to_string()))?;
    let (user, blocked) = (Param::Text(user.as_str()), Param::Text(&blocked));
    let params = [Param::Int(mark.0), user, blocked, Param::Int(max), Param::Int(UNREAD_AMONG)];
    let rows = db.run(sql, &params)?;
    rows.first().map_or(Ok((0, None)), |row| Ok((row.int(0)?, row.opt_int(1)?.map(Seq))))
}

/// Who wrote the messages after `after` and up to `last`, looking at the newest `limit` of them.
///
/// # Errors
/// Storage errors.
pub fn authors(db: &mut dyn Db, after: Seq, last: Seq, limit: i64) -> Result<Vec<UserId>, DbError> {
    let sql = "SELECT DISTINCT sender FROM (SELECT sender FROM messages WHERE id > ? AND id <= ?
        ORDER BY id DESC LIMIT ?)";
    let rows = db.run(sql, &[Param::Int(after.0), Param::Int(last.0), Param::Int(limit)])?;
    rows.iter().map(|row| Ok(UserId::parse(row.text(0)?))).filter_map(Result::transpose).collect()
}

/// The last of the others who spoke among the newest `depth` messages.
///
/// # Errors
/// Storage errors.
pub fn last_other_speaker(db: &mut dyn Db, user: &UserId, head: Seq, depth: i64) -> Result<Option<UserId>, DbError> {
    let sql = "SELECT sender FROM (SELECT id, sender FROM messages WHERE id <= ? ORDER BY id DESC LIMIT ?)
        WHERE sender <> ? ORDER BY id DESC LIMIT 1";
    let rows = db.run(sql, &[Param::Int(head.0), Param::Int(depth), Param::Text(user.as_str())])?;
    rows.first().map(|row| Ok(UserId::parse(row.text(0)?))).transpose().map(Option::flatten)
}

/// The newest message that has not been deleted, among the newest `depth`.
///
/// # Errors
/// Storage errors.
pub fn newest_standing(db: &mut dyn Db, head: Seq, depth: i64) -> Result<Option<Message>, DbError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM (SELECT * FROM messages WHERE id <= ? ORDER BY id DESC LIMIT ?)
        WHERE deleted_at IS NULL ORDER BY id DESC LIMIT 1"
    );
    db.run(sql, &[Param::Int(head.0), Param::Int(depth)])?.first().map(message).transpose()
}

/// The most words that a search looks for.
pub const SEARCH_WORDS: usize = 6;

/// Messages that hold all of `words` (in small letters), from `before` down to `from`, newest first. A scan: it reads
/// every row between the two.
///
/// # Errors
/// Storage errors.
pub fn search(
    db: &mut dyn Db,
    words: &[String],
    sender: Option<&UserId>,
    (from, before): (Seq, Seq),
    limit: i64,
) -> Result<Vec<Message>, DbError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM (SELECT *, coalesce(folded, lower(content)) AS text FROM messages WHERE id >= ? AND id < ?)
        WHERE (?3 IS NULL OR sender = ?3) AND instr(text, ?4) AND instr(text, ?5) AND instr(text, ?6)
        AND instr(text, ?7) AND instr(text, ?8) AND instr(text, ?9) AND deleted_at IS NULL ORDER BY id DESC LIMIT ?10"
    );
    let word = |index: usize| Param::Text(words.get(index).map_or("", String::as_str));
    let mut params = vec![Param::Int(from.0), Param::Int(before.0), sender.map(UserId::as_str).into()];
    params.extend((0..SEARCH_WORDS).map(word));
    params.push(Param::Int(limit));
    db.run(sql, &params)?.iter().map(message).collect()
}

/// Forgets everything up to this position. As many rows as there were, and their entries in the indexes.
///
/// # Errors
/// Storage errors.
pub fn prune(db: &mut dyn Db, up_to: Seq) -> Result<(), DbError> {
    db.write("DELETE FROM messages WHERE id <= ?", &[Param::Int(up_to.0)]).map(drop)
}
