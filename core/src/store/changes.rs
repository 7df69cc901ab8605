//! What happened to messages after their sending: the rest of the project's log. Together with the messages, every
//! position from 1 to the head is there once (above what was pruned).

use crate::db::{Db, DbError, Param, Row};
use crate::ids::{Millis, Seq, UserId};

#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub seq: Seq,
    /// The message that it happened to.
    pub message: Seq,
    /// Who did it.
    pub user: UserId,
    pub at: Millis,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// What the message said before (`None` once it is deleted), and the edit before this one.
    Edit {
        was: Option<String>,
        previous: Option<Seq>,
    },
    Delete,
    Reaction {
        emoji: String,
        on: bool,
    },
    Pin {
        on: bool,
    },
}

impl Kind {
    fn word(&self) -> &'static str {
        match self {
            Kind::Edit { .. } => "edit",
            Kind::Delete => "delete",
            Kind::Reaction { on: true, .. } => "react",
            Kind::Reaction { on: false, .. } => "unreact",
            Kind::Pin { on: true } => "pin",
            Kind::Pin { on: false } => "unpin",
        }
    }
}

/// 1 row.
///
/// # Errors
/// Storage errors.
pub fn insert(db: &mut dyn Db, change: &Change) -> Result<(), DbError> {
    let sql = "INSERT INTO changes (seq, message, user, at, kind, data, previous) VALUES (?, ?, ?, ?, ?, ?, ?)";
    let (data, previous) = match &change.kind {
        Kind::Edit { was, previous } => (was.as_deref(), *previous),
        Kind::Reaction { emoji, .. } => (Some(emoji.as_str()), None),
        Kind::Delete | Kind::Pin { .. } => (None, None),
    };
    let params = [
        Param::Int(change.seq.0),
        Param::Int(change.message.0),
        Param::Text(change.user.as_str()),
        Param::Int(change.at.0),
        Param::Text(change.kind.word()),
        data.into(),
        previous.map(|seq| seq.0).into(),
    ];
    db.write(sql, &params).map(drop)
}

fn change(row: &Row) -> Result<Change, DbError> {
    let data = row.opt_text(5)?.map(str::to_owned);
    let emoji = || data.clone().unwrap_or_default();
    let kind = match row.text(4)? {
        "edit" => Kind::Edit { was: data, previous: row.opt_int(6)?.map(Seq) },
        "delete" => Kind::Delete,
        "react" => Kind::Reaction { emoji: emoji(), on: true },
        "unreact" => Kind::Reaction { emoji: emoji(), on: false },
        "pin" => Kind::Pin { on: true },
        "unpin" => Kind::Pin { on: false },
        other => return Err(DbError(format!("a change of the kind {other:?}"))),
    };
    Ok(Change {
        seq: Seq(row.int(0)?),
        message: Seq(row.int(1)?),
        user: UserId::parse(row.text(2)?).ok_or_else(|| DbError("a change by nobody".into()))?,
        at: Millis(row.int(3)?),
        kind,
    })
}

/// At most `limit` changes after `after` and up to `last`, in order.
///
/// # Errors
/// Storage errors.
pub fn after(db: &mut dyn Db, after: Seq, last: Seq, limit: i64) -> Result<Vec<Change>, DbError> {
    let sql = "SELECT seq, message, user, at, kind, data, previous FROM changes WHERE seq > ? AND seq <= ?
        ORDER BY seq LIMIT ?";
    db.run(sql, &[Param::Int(after.0), Param::Int(last.0), Param::Int(limit)])?.iter().map(change).collect()
}

/// The edits of a message, newest first, beginning with `last`; at most `limit`.
///
/// # Errors
/// Storage errors.
pub fn edits(db: &mut dyn Db, last: Option<Seq>, limit: usize) -> Result<Vec<Change>, DbError> {
    let sql = "SELECT seq, message, user, at, kind, data, previous FROM changes WHERE seq = ?";
    let (mut found, mut next) = (Vec::new(), last);
    while let Some(seq) = next.filter(|_| found.len() < limit) {
        // An older one may have been pruned.
        let Some(edit) = db.run(sql, &[Param::Int(seq.0)])?.first().map(change).transpose()? else { break };
        next = match &edit.kind {
            Kind::Edit { previous, .. } => previous.filter(|previous| *previous < seq),
            _ => None,
        };
        found.push(edit);
    }
    Ok(found)
}

/// A deleted message's earlier words go, too. 1 row.
///
/// # Errors
/// Storage errors.
pub fn forget_words(db: &mut dyn Db, seq: Seq) -> Result<(), DbError> {
    db.write("UPDATE changes SET data = NULL WHERE seq = ?", &[Param::Int(seq.0)]).map(drop)
}

/// # Errors
/// Storage errors.
pub fn prune(db: &mut dyn Db, up_to: Seq) -> Result<(), DbError> {
    db.write("DELETE FROM changes WHERE seq <= ?", &[Param::Int(up_to.0)]).map(drop)
}
