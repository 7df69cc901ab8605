//! Reactions to messages.

use crate::features::frames::{Handled, Reply, Speaker};
use crate::ids::Seq;
use crate::protocol::codes::ErrorCode;
use crate::protocol::v1::Logged;
use crate::room::Turn;
use crate::store::changes::{self, Change, Kind};
use crate::store::messages;

/// The longest emoji, in bytes: families and flags are sequences of many; `:names:` of an application's own fit, too.
pub const EMOJI_MAX_BYTES: usize = 64;

/// The most reactions to one message, by all users with all emojis: they are kept in its row.
const USERS_MAX: usize = 5_000;

/// 2 rows: the log's, and the message's, which holds all reactions to it. A repeat costs none.
///
/// # Errors
/// Storage errors.
pub fn frame(turn: &mut Turn<'_>, speaker: &Speaker, id: Seq, emoji: String, on: bool) -> Handled {
    let user = &speaker.member.user;
    let fits = !emoji.is_empty() && emoji.len() <= EMOJI_MAX_BYTES;
    if !fits || emoji.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Ok(Err(ErrorCode::InvalidField.because("emoji is one emoji, or a :name:")));
    }
    let Some(mut message) = messages::get(turn.db, id)? else { return Ok(Err(ErrorCode::NoSuchMessage.into())) };
    if message.is_deleted() {
        return Ok(Err(ErrorCode::MessageDeleted.into()));
    }
    let reactions = &mut message.extra.reactions;
    let all: usize = reactions.iter().map(|(_, users)| users.len()).sum();
    let known = reactions.iter().position(|(known, _)| *known == emoji);
    let index = match known {
        Some(index) => index,
        None if !on => return Ok(Ok(Reply::Done)),
        None if reactions.len() as i64 >= turn.state.settings.limits.reactions_max => {
            return Ok(Err(ErrorCode::TooManyReactions.into()));
        }
        None => {
            reactions.push((emoji.clone(), Vec::new()));
            reactions.len() - 1
        }
    };
    let Some((_, users)) = reactions.get_mut(index) else { return Ok(Ok(Reply::Done)) };
    if users.contains(user) == on {
        return Ok(Ok(Reply::Done));
    }
    if on && all >= USERS_MAX {
        return Ok(Err(ErrorCode::TooManyReactions.into()));
    }
    if on {
        users.push(user.clone());
    } else {
        users.retain(|other| other != user);
    }
    let count = users.len();
    reactions.retain(|(_, users)| !users.is_empty());
    let seq = turn.state.head.next();
    let kind = Kind::Reaction { emoji: emoji.clone(), on };
    changes::insert(turn.db, &Change { seq, message: id, user: user.clone(), at: turn.now, kind })?;
    messages::update(turn.db, &message)?;
    turn.state.head = seq;
    turn.publish(Logged::Reaction { seq, message_id: id, user_id: user, emoji: &emoji, on, count }.encode(), true);
    Ok(Ok(Reply::Done))
}
