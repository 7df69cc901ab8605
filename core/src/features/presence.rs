//! Who is here: per user, not per socket. Told as it happens; nothing is stored for it and no timer is held.

use std::collections::{BTreeSet, HashMap};

use crate::db::DbError;
use crate::features::frames::{Handled, Reply, Speaker};
use crate::ids::{ConnId, Millis, UserId};
use crate::protocol::codes::CloseCode;
use crate::protocol::v1::{Passing, Present, Status};
use crate::room::Turn;

/// In a large room, the number of those present is told at most this often.
pub const COUNT_EVERY_MS: i64 = 5_000;

#[derive(Default)]
pub struct Presence {
    /// Who is to be announced at the end of the turn.
    changed: BTreeSet<UserId>,
    /// When the number was last told, and what it was, while the room is too large to name people.
    counted: Option<(Millis, usize)>,
    /// When each v1 socket was last heard; in memory only.
    heard: HashMap<ConnId, Millis>,
}

impl Presence {
    /// A frame has come by this socket.
    pub fn heard(&mut self, conn: ConnId, now: Millis) {
        self.heard.insert(conn, now);
    }
}

pub fn status(turn: &Turn<'_>, user: &UserId) -> Status {
    let sockets = &turn.state.sockets;
    let mut sessions = sockets.of(user).iter().filter_map(|conn| sockets.get(*conn)).peekable();
    if sessions.peek().is_none() {
        Status::Offline
    } else if sessions.all(|session| session.is_away()) {
        Status::Away
    } else {
        Status::Online
    }
}

/// When they were last here; `None` while they are. The marks must have been loaded.
pub fn last_seen(turn: &Turn<'_>, user: &UserId) -> Option<Millis> {
    let gone = turn.state.sockets.of(user).is_empty();
    turn.state.marks.get(user).filter(|_| gone).and_then(|mark| mark.last_active())
}

/// A client says whether its user looks at it.
///
/// # Errors
/// None.
pub fn frame(turn: &mut Turn<'_>, speaker: &Speaker, away: bool) -> Handled {
    let user = &speaker.member.user;
    let before = status(turn, user);
    let Some(conn) = speaker.conn else { return Ok(Ok(Reply::Done)) };
    match turn.state.sockets.get_mut(conn) {
        Some(crate::session::Session::V1(session)) if session.away != away => session.away = away,
        _ => return Ok(Ok(Reply::Done)),
    }
    turn.attach(conn);
    changed(turn, user, before);
    Ok(Ok(Reply::Done))
}

/// A socket of the user's came, went or changed; `before` is what they were until then.
pub fn changed(turn: &mut Turn<'_>, user: &UserId, before: Status) {
    if status(turn, user) != before {
        turn.state.presence.changed.insert(user.clone());
    }
}

/// A socket has gone.
pub fn forget(turn: &mut Turn<'_>, conn: ConnId) {
    turn.state.presence.heard.remove(&conn);
}

/// The end of a turn: everybody whose presence changed in it, in one event; in a large room their number, now and then.
///
/// # Errors
/// Storage errors.
pub fn finish(turn: &mut Turn<'_>) -> Result<(), DbError> {
    if !turn.state.sockets.any_v1() {
        turn.state.presence.changed.clear();
        return Ok(());
    }
    let present = turn.state.sockets.users_present();
    if present as i64 > turn.state.settings.limits.presence_max_present {
        turn.state.presence.changed.clear();
        let told =
            turn.state.presence.counted.filter(|(at, count)| *count == present || turn.now.since(*at) < COUNT_EVERY_MS);
        if told.is_none() {
            turn.state.presence.counted = Some((turn.now, present));
            turn.publish(Passing::Presence { present, users: Vec::new(), all: false }.encode(), false);
        }
        return Ok(());
    }
    let all = turn.state.presence.counted.take().is_some();
    if turn.state.presence.changed.is_empty() && !all {
        return Ok(());
    }
    turn.load_marks()?;
    let mut changed = std::mem::take(&mut turn.state.presence.changed);
    if all {
        // Small enough again to name people: nobody has been told of them for a while.
        changed = turn.state.sockets.present().cloned().collect();
    }
    let present_user = |user: &UserId| Present {
        id: user.clone(),
        status: status(turn, user),
        last_seen: last_seen(turn, user).map(|at| at.iso()),
    };
    let users = changed.iter().map(present_user).collect();
    turn.publish(Passing::Presence { present, users, all }.encode(), false);
    Ok(())
}

/// The driver knows when the runtime last answered each socket's heartbeat. v1 sockets that have sent heartbeats and
/// send none any more are dead, though their connection may not have noticed.
///
/// # Errors
/// Storage errors.
pub fn sweep(turn: &mut Turn<'_>, heartbeats: &[(ConnId, Millis)]) -> Result<(), DbError> {
    let max = turn.state.settings.limits.silence_max_ms;
    for (conn, at) in heartbeats {
        let last = turn.state.presence.heard.get(conn).map_or(*at, |heard| (*heard).max(*at));
        if turn.state.sockets.v1(*conn).is_some() && turn.now.since(last) > max {
            turn.close(*conn, CloseCode::TooSlow)?;
        }
    }
    Ok(())
}
