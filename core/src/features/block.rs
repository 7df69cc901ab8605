//! One member who does not want to hear another: no mentions, nothing unread, and clients fold what they say.

use crate::features::frames::{Handled, Reply, Speaker};
use crate::features::unread;
use crate::ids::UserId;
use crate::protocol::codes::ErrorCode;
use crate::room::Turn;

pub const BLOCKED_MAX: usize = 200;

/// 1 row. The other one is not told.
///
/// # Errors
/// Storage errors.
pub fn frame(turn: &mut Turn<'_>, speaker: &Speaker, other: UserId, on: bool) -> Handled {
    let mut member = speaker.member.clone();
    if other == member.user {
        return Ok(Err(ErrorCode::InvalidField.because("user_id is somebody else's")));
    }
    if member.blocked.contains(&other) == on {
        return Ok(Ok(Reply::Done));
    }
    if on && turn.state.members.get(turn.db, &other)?.is_none() {
        return Ok(Err(ErrorCode::NoSuchMember.into()));
    }
    if on && member.blocked.len() >= BLOCKED_MAX {
        return Ok(Err(ErrorCode::TooManyBlocked.into()));
    }
    if on {
        member.blocked.push(other);
    } else {
        member.blocked.retain(|blocked| *blocked != other);
    }
    let user = member.user.clone();
    turn.state.members.put(turn.db, member)?;
    turn.load_marks()?;
    turn.tell_you(&user)?;
    unread::tell(turn, &user)?;
    turn.state.to_tell.user(&user);
    Ok(Ok(Reply::Done))
}
