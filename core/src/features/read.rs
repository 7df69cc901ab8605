//! Read marks: how far each member has read, who is told, and when it is stored.
//!
//! Marks live in memory and in their user's attachments. They are stored at most once per `MARKS_FLUSH_MS` while they
//! move; what stopped moving, by an alarm within `MARKS_ALARM_MS`. A crash takes back what lies between.

use std::collections::HashSet;
use std::rc::Rc;

use crate::db::DbError;
use crate::effect::Answer;
use crate::features::access::Entry;
use crate::features::rates::Kind;
use crate::ids::{ConnId, Seq, UserId};
use crate::protocol::classic::Event;
use crate::protocol::rest::Status;
use crate::room::{Outcome, SENDERS_AMONG, Turn};
use crate::store::messages;

/// Messages looked at, newest first, for the authors who are told in a large room.
const AUTHORS_AMONG: i64 = 200;

/// From a socket. Repeats are normal and cost nothing.
///
/// # Errors
/// Storage errors.
pub fn frame(turn: &mut Turn<'_>, user: &UserId, up_to: Seq) -> Result<(), DbError> {
    if turn.state.rates.take(user, Kind::Signal, turn.now, &turn.state.settings.limits).is_err() {
        return Ok(());
    }
    advance(turn, user, up_to)
}

/// By a call; durable before it is answered. `None`: everything.
///
/// # Errors
/// Storage errors.
pub fn call(turn: &mut Turn<'_>, entry: &Entry, up_to: Option<Seq>) -> Outcome {
    let user = match entry.caller() {
        Ok(caller) => caller.member.user.clone(),
        Err(refusal) => return Ok(Err(refusal)),
    };
    let all = up_to.is_none();
    let up_to = up_to.unwrap_or(turn.state.head);
    advance(turn, &user, up_to)?;
    turn.flush_marks()?;
    Ok(Ok(Answer::json(200, &Status { status: "ok", unread_count: all.then_some(0) })))
}

/// A client may name a message that has no id yet (a timestamp of its own): the mark goes no further than the newest.
fn advance(turn: &mut Turn<'_>, user: &UserId, up_to: Seq) -> Result<(), DbError> {
    let up_to = up_to.min(turn.state.head);
    turn.load_marks()?;
    if turn.state.marks.advance(user, up_to, turn.now) {
        turn.state.to_tell.user(user);
        remember(turn, user);
    }
    // Also where the mark was already: their own message may have carried it there, of which nobody was told.
    let heard = turn.state.receipts.entry(user.clone()).or_default();
    *heard = up_to.max(*heard);
    Ok(())
}

/// Puts the user's mark into the attachments of their sockets, so that it outlives a hibernation.
pub fn remember(turn: &mut Turn<'_>, user: &UserId) {
    let Some(mark) = turn.state.marks.get(user).cloned() else {
        return;
    };
    for conn in turn.state.sockets.of(user).to_vec() {
        if let Some(session) = turn.state.sockets.get_mut(conn) {
            session.set_mark(mark.clone());
        }
        turn.attach(conn);
    }
}

/// The end of a turn: one receipt for each reader whose mark moved, and marks that have waited long enough stored.
///
/// # Errors
/// Storage errors.
pub fn finish(turn: &mut Turn<'_>) -> Result<(), DbError> {
    for (user, up_to) in std::mem::take(&mut turn.state.receipts) {
        announce(turn, &user, up_to)?;
    }
    let Some(since) = turn.state.marks.unsaved_since() else {
        return Ok(());
    };
    let falls_behind =
        turn.state.unattached.is_some_and(|mark| turn.state.head.0.saturating_sub(mark.0) >= SENDERS_AMONG - 1);
    if falls_behind || turn.now.since(since) >= turn.state.settings.limits.marks_flush_ms {
        return turn.flush_marks();
    }
    turn.alarm_by(since.plus(turn.state.settings.limits.marks_alarm_ms));
    Ok(())
}

fn announce(turn: &mut Turn<'_>, user: &UserId, up_to: Seq) -> Result<(), DbError> {
    let Some(before) = turn.state.marks.announce(user, up_to) else { return Ok(()) };
    remember(turn, user);
    let read_at = turn.state.marks.get(user).and_then(|mark| mark.reached_at(up_to)).unwrap_or(turn.now);
    let to = audience(turn, user, before, up_to)?;
    let receipt =
        Event::ReadReceipt { user_id: user, last_read_message_id: up_to, message_id: up_to, read_at: read_at.iso() };
    turn.send(to, receipt.encode());
    Ok(())
}

/// Everyone; in a large room only the reader and the authors of what was read.
fn audience(turn: &mut Turn<'_>, user: &UserId, before: Seq, up_to: Seq) -> Result<Rc<[ConnId]>, DbError> {
    if turn.state.sockets.users_present() as i64 <= turn.state.settings.limits.receipts_to_all_max_present {
        return Ok(turn.state.sockets.everyone());
    }
    let mut users: HashSet<UserId> = messages::authors(turn.db, before, up_to, AUTHORS_AMONG)?.into_iter().collect();
    users.insert(user.clone());
    Ok(users.iter().flat_map(|user| turn.state.sockets.of(user).iter().copied()).collect())
}

/// The user's last socket has gone, and with it the attachment that carried their mark.
///
/// # Errors
/// Storage errors.
pub fn left(turn: &mut Turn<'_>, user: &UserId) -> Result<(), DbError> {
    let unsaved = turn.state.marks.get(user).is_some_and(|mark| mark.unsaved_since.is_some());
    if unsaved { turn.flush_marks() } else { Ok(()) }
}

/// The alarm: whatever has not been stored yet is stored now.
///
/// # Errors
/// Storage errors.
pub fn alarm(turn: &mut Turn<'_>) -> Result<(), DbError> {
    turn.state.alarm_at = None;
    turn.load_marks()?;
    turn.flush_marks()
}
