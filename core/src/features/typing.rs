//! Who is typing. Passed on and forgotten: nothing is stored, no timer is held.

use std::collections::BTreeMap;

use crate::db::DbError;
use crate::features::frames::{Handled, Reply, Speaker};
use crate::features::people;
use crate::ids::{Millis, UserId};
use crate::protocol::classic::Event;
use crate::protocol::v1::{Passing, Typist};
use crate::room::Turn;

/// Typing ends by itself after this time; receivers take it so, too.
pub const TYPING_MS: i64 = 7_000;

/// Those who said that they are typing and have neither stopped, sent nor left. Lost on hibernation: clients let a
/// typist go by themselves after some seconds.
#[derive(Default)]
pub struct Typists {
    until: BTreeMap<UserId, Millis>,
    /// v1 sockets are to be told at the end of the turn.
    changed: bool,
}

/// # Errors
/// Storage errors.
pub fn frame(turn: &mut Turn<'_>, speaker: &Speaker, is_typing: bool) -> Handled {
    let user = &speaker.member.user;
    let typists = &mut turn.state.typing;
    if is_typing {
        typists.until.insert(user.clone(), turn.now.plus(TYPING_MS));
        // Also when it was so already: receivers have to hear it again before they let the typist go.
        typists.changed = true;
    } else {
        typists.changed |= typists.until.remove(user).is_some();
    }
    pass_on(turn, user, is_typing)?;
    Ok(Ok(Reply::Done))
}

/// A message is the end of typing; classic receivers take it as that, without a frame of its own.
pub fn sent(turn: &mut Turn<'_>, user: &UserId) {
    turn.state.typing.changed |= turn.state.typing.until.remove(user).is_some();
}

/// A user's last socket has gone, or they may not write any more.
///
/// # Errors
/// Storage errors.
pub fn left(turn: &mut Turn<'_>, user: &UserId) -> Result<(), DbError> {
    if turn.state.typing.until.remove(user).is_none() {
        return Ok(());
    }
    turn.state.typing.changed = true;
    pass_on(turn, user, false)
}

fn is_off(turn: &Turn<'_>) -> bool {
    turn.state.sockets.users_present() as i64 > turn.state.settings.limits.typing_max_present
}

fn pass_on(turn: &mut Turn<'_>, user: &UserId, is_typing: bool) -> Result<(), DbError> {
    if is_off(turn) || !turn.state.sockets.any_classic() {
        return Ok(());
    }
    let others = turn.state.sockets.classic_others(user);
    if others.is_empty() {
        return Ok(());
    }
    let person = people::person(turn, user)?;
    turn.send(others, Event::Typing { user_id: user, username: &person.username, is_typing }.encode());
    Ok(())
}

/// Who types now, with their names.
///
/// # Errors
/// Storage errors.
pub fn now(turn: &mut Turn<'_>) -> Result<Vec<(UserId, String)>, DbError> {
    let at = turn.now;
    turn.state.typing.until.retain(|_, until| *until > at);
    let users: Vec<_> = turn.state.typing.until.keys().cloned().collect();
    users.into_iter().map(|user| Ok((user.clone(), people::person(turn, &user)?.username))).collect()
}

/// The end of a turn: v1 sockets are told who types now.
///
/// # Errors
/// Storage errors.
pub fn finish(turn: &mut Turn<'_>) -> Result<(), DbError> {
    if !std::mem::take(&mut turn.state.typing.changed) || !turn.state.sockets.any_v1() || is_off(turn) {
        return Ok(());
    }
    let typists = now(turn)?;
    let users = typists.iter().map(|(id, username)| Typist { id, username: username.clone() }).collect();
    turn.publish(Passing::Typing { users }.encode(), false);
    Ok(())
}
