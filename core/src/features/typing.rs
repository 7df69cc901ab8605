//! Who is typing. Passed on and forgotten: nothing is stored, no timer is held.

use std::collections::HashSet;

use crate::db::DbError;
use crate::features::people;
use crate::features::rates::Kind;
use crate::ids::UserId;
use crate::protocol::classic::Event;
use crate::protocol::internal::Role;
use crate::room::Turn;

/// Those who said that they are typing and have neither stopped, sent nor left. Lost on hibernation: clients let a
/// typist go by themselves after some seconds.
pub type Typists = HashSet<UserId>;

/// # Errors
/// Storage errors.
pub fn frame(turn: &mut Turn<'_>, user: &UserId, is_typing: bool) -> Result<(), DbError> {
    if turn.state.rates.take(user, Kind::Signal, turn.now, &turn.state.settings.limits).is_err() {
        return Ok(());
    }
    let role = turn.state.members.get(turn.db, user)?.map_or(Role::Viewer, |member| member.role);
    if role < Role::Member {
        return Ok(());
    }
    if is_typing {
        turn.state.typing.insert(user.clone());
    } else {
        turn.state.typing.remove(user);
    }
    pass_on(turn, user, is_typing)
}

/// A message is the end of typing; receivers take it as that, without a frame of its own.
pub fn sent(turn: &mut Turn<'_>, user: &UserId) {
    turn.state.typing.remove(user);
}

/// A user's last socket has gone.
///
/// # Errors
/// Storage errors.
pub fn left(turn: &mut Turn<'_>, user: &UserId) -> Result<(), DbError> {
    if turn.state.typing.remove(user) { pass_on(turn, user, false) } else { Ok(()) }
}

fn pass_on(turn: &mut Turn<'_>, user: &UserId, is_typing: bool) -> Result<(), DbError> {
    if turn.state.sockets.users_present() as i64 > turn.state.settings.limits.typing_max_present {
        return Ok(());
    }
    let others = turn.state.sockets.others(user);
    if others.is_empty() {
        return Ok(());
    }
    let person = people::person(turn, user)?;
    turn.send(others, Event::Typing { user_id: user, username: &person.username, is_typing }.encode());
    Ok(())
}
