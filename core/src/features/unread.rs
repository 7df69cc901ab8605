//! What a member has not read: counted for them alone, and told to their own sockets.

use crate::db::DbError;
use crate::features::frames::{Handled, Reply, Speaker};
use crate::features::read;
use crate::ids::{Seq, UserId};
use crate::protocol::codes::ErrorCode;
use crate::protocol::v1::{Passing, Unread};
use crate::room::Turn;
use crate::store::{mentions, messages};

/// The marks must have been loaded.
///
/// # Errors
/// Storage errors.
pub fn of(turn: &mut Turn<'_>, user: &UserId) -> Result<Unread, DbError> {
    let mark = turn.state.marks.get(user).map_or(Seq::ZERO, |mark| mark.read_up_to());
    let max = turn.state.settings.limits.unread_max;
    let blocked = turn.state.members.get(turn.db, user)?.map(|member| member.blocked).unwrap_or_default();
    let (count, first_id) = messages::unread(turn.db, user, &blocked, mark, max)?;
    let mentions = if count > 0 { mentions::unread(turn.db, user, &blocked, mark, max)? } else { 0 };
    Ok(Unread { count, first_id, mentions })
}

/// Everything from a message on is to be unread again, for the reader alone: the mark that others see stays.
///
/// # Errors
/// Storage errors.
pub fn unread_from(turn: &mut Turn<'_>, speaker: &Speaker, id: Seq) -> Handled {
    let user = &speaker.member.user;
    if id == Seq::ZERO || id > turn.state.head {
        return Ok(Err(ErrorCode::NoSuchMessage.into()));
    }
    turn.load_marks()?;
    if turn.state.marks.set_unread_from(user, Some(id), turn.now) {
        turn.state.to_tell.user(user);
        read::remember(turn, user);
        tell(turn, user)?;
    }
    Ok(Ok(Reply::Done))
}

/// Tells the user's own v1 sockets what is unread now.
///
/// # Errors
/// Storage errors.
pub fn tell(turn: &mut Turn<'_>, user: &UserId) -> Result<(), DbError> {
    let conns = turn.v1_sockets_of(user);
    if conns.is_empty() {
        return Ok(());
    }
    let event = Passing::Unread { unread: of(turn, user)? }.encode();
    conns.into_iter().for_each(|conn| turn.tell(conn, event.clone()));
    Ok(())
}
