//! Replies to a message, with pages of their own.

use crate::features::frames::{Handled, Reply, Speaker};
use crate::features::{history, people};
use crate::ids::{MAX_SAFE_INTEGER, Seq};
use crate::protocol::codes::ErrorCode;
use crate::protocol::frames::Place;
use crate::room::Turn;
use crate::store::messages;

/// `id`: the message that the thread begins with, or any reply in it. Its replies are paged as history is.
///
/// # Errors
/// Storage errors.
pub fn frame(turn: &mut Turn<'_>, speaker: &Speaker, id: Seq, place: Place, asked: Option<i64>) -> Handled {
    turn.load_marks()?;
    let reader = &speaker.member.user;
    let Some(named) = messages::get(turn.db, id)? else { return Ok(Err(ErrorCode::NoSuchMessage.into())) };
    let thread = named.thread.unwrap_or(named.id);
    let limit = history::limit(turn, asked);
    let (found, more_before, more_after) = history::around(
        place,
        limit,
        turn,
        |db, before, limit| messages::thread_before(db, thread, before.unwrap_or(Seq(MAX_SAFE_INTEGER)), limit),
        |turn, after, limit| messages::thread_after(turn.db, thread, after, limit),
    )?;
    // Nothing is left of the first message when it was pruned; its replies stay.
    let first = messages::get(turn.db, thread)?;
    let root = people::v1_page(turn, first.as_slice(), reader)?.pop();
    let messages = people::v1_page(turn, &found, reader)?;
    let page = history::Page { kind: "thread", messages, more_before, more_after, root, ..history::Page::default() };
    Ok(Ok(Reply::Event(page.encode())))
}
