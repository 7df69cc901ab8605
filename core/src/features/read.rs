//! Read marks: how far each member has read, who is told, and when it is stored.
//!
//! Marks live in memory and in their user's attachments. They are stored at most once per `MARKS_FLUSH_MS` while they
//! move; what stopped moving, by an alarm within `MARKS_ALARM_MS`. A crash takes back what lies between.

use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use crate::db::DbError;
use crate::effect::Answer;
use crate::features::access::Entry;
use crate::features::frames::{Handled, Reply, Speaker};
use crate::features::unread;
use crate::ids::{ConnId, Millis, Seq, UserId};
use crate::protocol::classic::Event;
use crate::protocol::rest::Status;
use crate::protocol::v1::{Passing, Receipt};
use crate::room::{Outcome, SENDERS_AMONG, Turn};
use crate::session::Session;
use crate::store::messages;

/// Messages looked at, newest first, for the authors who are told in a large room.
const AUTHORS_AMONG: i64 = 200;

/// Repeats are normal and cost nothing. `private`: others are not told.
///
/// # Errors
/// Storage errors.
pub fn frame(turn: &mut Turn<'_>, speaker: &Speaker, up_to: Seq, private: bool) -> Handled {
    let user = &speaker.member.user;
    if private {
        advance_private(turn, user, up_to)?
    } else {
        advance(turn, user, up_to)?
    }
    Ok(Ok(Reply::Done))
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
    let reread = look_again(turn, user, up_to);
    if turn.state.marks.advance(user, up_to, turn.now) || reread {
        turn.state.to_tell.user(user);
        remember(turn, user);
        unread::tell(turn, user)?;
    }
    // Also where the mark was already: their own message may have carried it there, of which nobody was told.
    let heard = turn.state.receipts.entry(user.clone()).or_default();
    *heard = up_to.max(*heard);
    Ok(())
}

fn advance_private(turn: &mut Turn<'_>, user: &UserId, up_to: Seq) -> Result<(), DbError> {
    let up_to = up_to.min(turn.state.head);
    turn.load_marks()?;
    let reread = look_again(turn, user, up_to);
    if turn.state.marks.advance_private(user, up_to, turn.now) || reread {
        turn.state.to_tell.user(user);
        remember(turn, user);
        unread::tell(turn, user)?;
    }
    Ok(())
}

/// Whoever reads as far as what they wanted to find unread has found it.
fn look_again(turn: &mut Turn<'_>, user: &UserId, up_to: Seq) -> bool {
    let found = turn.state.marks.unread_from(user).is_some_and(|from| from <= up_to);
    found && turn.state.marks.set_unread_from(user, None, turn.now)
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

/// The end of a turn: receipts for the readers whose marks moved, and marks that have waited long enough stored.
///
/// # Errors
/// Storage errors.
pub fn finish(turn: &mut Turn<'_>) -> Result<(), DbError> {
    announce(turn)?;
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

/// A reader's mark of which others are to hear.
struct Moved {
    user: UserId,
    before: Seq,
    up_to: Seq,
    read_at: Millis,
}

fn announce(turn: &mut Turn<'_>) -> Result<(), DbError> {
    let mut moved = Vec::new();
    for (user, up_to) in std::mem::take(&mut turn.state.receipts) {
        let Some(before) = turn.state.marks.announce(&user, up_to) else { continue };
        remember(turn, &user);
        let read_at = turn.state.marks.get(&user).and_then(|mark| mark.reached_at(up_to)).unwrap_or(turn.now);
        moved.push(Moved { user, before, up_to, read_at });
    }
    if moved.is_empty() {
        return Ok(());
    }
    if turn.state.sockets.users_present() as i64 > turn.state.settings.limits.receipts_to_all_max_present {
        return announce_to_those_concerned(turn, &moved);
    }
    if turn.state.sockets.any_classic() {
        let classic = turn.state.sockets.classic();
        moved.iter().for_each(|moved| turn.send(classic.clone(), classic_receipt(moved)));
    }
    if turn.state.sockets.any_v1() {
        turn.publish(receipts(moved.iter()), false);
    }
    Ok(())
}

/// In a large room only the reader and the authors of what was read hear of it.
fn announce_to_those_concerned(turn: &mut Turn<'_>, moved: &[Moved]) -> Result<(), DbError> {
    let mut v1: BTreeMap<ConnId, Vec<&Moved>> = BTreeMap::new();
    for moved in moved {
        let authors = messages::authors(turn.db, moved.before, moved.up_to, AUTHORS_AMONG)?;
        let mut users: HashSet<&UserId> = authors.iter().collect();
        users.insert(&moved.user);
        let sockets = &turn.state.sockets;
        let conns: Vec<ConnId> = users.into_iter().flat_map(|user| sockets.of(user)).copied().collect();
        let (classic, others): (Vec<_>, Vec<_>) =
            conns.into_iter().partition(|conn| matches!(sockets.get(*conn), Some(Session::Classic(_))));
        others.into_iter().for_each(|conn| v1.entry(conn).or_default().push(moved));
        turn.send(Rc::from(classic), classic_receipt(moved));
    }
    for (conn, moved) in v1 {
        turn.tell(conn, receipts(moved.into_iter()));
    }
    Ok(())
}

fn classic_receipt(Moved { user, up_to, read_at, .. }: &Moved) -> String {
    let (user_id, read_at) = (user, read_at.iso());
    Event::ReadReceipt { user_id, last_read_message_id: *up_to, message_id: *up_to, read_at }.encode()
}

fn receipts<'a>(moved: impl Iterator<Item = &'a Moved>) -> String {
    let receipt = |moved: &'a Moved| Receipt {
        user_id: &moved.user,
        last_read_message_id: moved.up_to,
        read_at: moved.read_at.iso(),
    };
    Passing::Receipts { receipts: moved.map(receipt).collect() }.encode()
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
