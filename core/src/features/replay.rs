//! What a classic client missed while it was away: it fetches no history when it reconnects, so about a second after
//! its socket opens (the page's own history request must win) the unread messages are sent to it again.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::db::DbError;
use crate::effect::Effect;
use crate::features::people;
use crate::ids::{ConnId, Millis, Seq, UserId};
use crate::room::Turn;
use crate::session::{Replay, Session};
use crate::store::messages;

/// How long it is remembered what a user's other windows had been sent. A client tries for 15 s; a laptop sleeps longer.
const LATELY_MS: i64 = 300_000;
/// Users so remembered.
const DEPARTED_MAX: usize = 2000;

/// Sockets that wait for theirs, and where users were when one of their sockets went.
#[derive(Default)]
pub struct Replays {
    waiting: BTreeMap<ConnId, Millis>,
    /// The newest message when a window left.
    departed: HashMap<UserId, (Millis, Seq)>,
}

/// A classic socket has joined.
pub fn joined(turn: &mut Turn<'_>, conn: ConnId) {
    let limits = &turn.state.settings.limits;
    if !turn.state.settings.classic_replay || limits.classic_replay_max == 0 {
        return;
    }
    let (due, head) = (turn.now.plus(limits.classic_replay_delay_ms), turn.state.head);
    let others = others_saw(turn, conn);
    if let Some(Session::Classic(session)) = turn.state.sockets.get_mut(conn) {
        let seen = others.map_or(session.base.mark.up_to(), |seen| seen.min(session.base.mark.up_to()));
        if seen < head {
            session.seen = Some(seen);
            session.replay = Some(Replay { due, after: others, up_to: head });
            turn.state.replays.waiting.insert(conn, due);
            turn.effects.push(Effect::WakeAt(due));
        }
    }
}

/// What the user's other windows had seen that came back, or left, within the last minutes.
///
/// With two windows cut at once, the first to come back may read everything, and so move the mark past what the second
/// one has still to see. So beside the mark it counts what those windows began with, or had been sent when they left.
fn others_saw(turn: &Turn<'_>, conn: ConnId) -> Option<Seq> {
    let lately = |at: Millis| turn.now.since(at) <= LATELY_MS;
    let user = turn.state.sockets.get(conn)?.user();
    let others = turn.state.sockets.of(user).iter().filter(|other| **other != conn);
    let back = others.filter_map(|other| match turn.state.sockets.get(*other)? {
        Session::Classic(session) => session.seen.filter(|_| lately(session.base.joined_at)),
        // It resumes by itself, and what it shows is its own affair.
        Session::V1(_) => None,
    });
    let departed = turn.state.replays.departed.get(user).filter(|(at, _)| lately(*at)).map(|(_, head)| *head);
    back.chain(departed).min()
}

/// A socket has gone.
pub fn left(turn: &mut Turn<'_>, conn: ConnId, user: &UserId) {
    let (now, head) = (turn.now, turn.state.head);
    let replays = &mut turn.state.replays;
    replays.waiting.remove(&conn);
    if replays.departed.len() >= DEPARTED_MAX {
        replays.departed.clear();
    }
    let entry = replays.departed.entry(user.clone()).or_insert((now, head));
    if now.since(entry.0) > LATELY_MS {
        *entry = (now, head);
    }
}

/// The room was opened with sockets that still wait for theirs.
pub fn resume(turn: &mut Turn<'_>) {
    let due = |session: &Session| match session {
        Session::Classic(session) => session.replay.as_ref().map(|replay| replay.due),
        Session::V1(_) => None,
    };
    let waiting = turn.state.sockets.iter().filter_map(|(conn, session)| Some((conn, due(session)?))).collect();
    turn.state.replays.waiting = waiting;
    if let Some(due) = turn.state.replays.waiting.values().min() {
        turn.effects.push(Effect::WakeAt((*due).max(turn.now)));
    }
}

/// The moment has come for some.
///
/// # Errors
/// Storage errors.
pub fn tick(turn: &mut Turn<'_>) -> Result<(), DbError> {
    for (conn, due) in turn.state.replays.waiting.clone() {
        if due <= turn.now {
            replay(turn, conn)?;
        } else {
            turn.effects.push(Effect::WakeAt(due));
        }
    }
    Ok(())
}

/// A message is about to go out: sockets that wait are sent what comes before it first, so that order holds.
///
/// # Errors
/// Storage errors.
pub fn before_message(turn: &mut Turn<'_>) -> Result<(), DbError> {
    while let Some(conn) = turn.state.replays.waiting.keys().next().copied() {
        replay(turn, conn)?;
    }
    Ok(())
}

/// The newest of what the socket's user has not seen, up to where the socket joined, oldest first.
fn replay(turn: &mut Turn<'_>, conn: ConnId) -> Result<(), DbError> {
    turn.state.replays.waiting.remove(&conn);
    turn.load_marks()?;
    let Some(Session::Classic(session)) = turn.state.sockets.get_mut(conn) else {
        return Ok(());
    };
    let Some(replay) = session.replay.take() else {
        return Ok(());
    };
    let read = turn.state.marks.up_to(&session.base.user);
    let most = turn.state.settings.limits.classic_replay_max;
    let seen = replay.after.map_or(read, |head| head.min(read));
    for message in messages::newest_between(turn.db, seen, replay.up_to, most)? {
        // Who has a deleted message is told so; who has not need not be shown an empty one.
        let frame = match people::gone(&message) {
            Some(frame) => frame,
            None => people::new_message(turn, &message)?,
        };
        turn.send(Rc::from([conn]), frame);
    }
    turn.attach(conn);
    Ok(())
}
