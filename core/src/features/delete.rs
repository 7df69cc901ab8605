//! Taking a message back. It keeps its place and loses its words, here and in search; so do its earlier versions.

use crate::features::frames::{Handled, Reply, Speaker};
use crate::features::pin;
use crate::ids::Seq;
use crate::protocol::classic;
use crate::protocol::codes::ErrorCode;
use crate::protocol::internal::Role;
use crate::protocol::v1::Logged;
use crate::room::Turn;
use crate::store::changes::{self, Change, Kind};
use crate::store::mentions;
use crate::store::messages::{self, Extra};
use crate::store::moderation::{self, Deed};

/// One's own; a moderator anybody's. 2 rows, and one for each edit and mention that goes with it.
///
/// # Errors
/// Storage errors.
pub fn frame(turn: &mut Turn<'_>, speaker: &Speaker, id: Seq) -> Handled {
    let user = &speaker.member.user;
    let Some(mut message) = messages::get(turn.db, id)? else { return Ok(Err(ErrorCode::NoSuchMessage.into())) };
    if message.sender != *user && speaker.member.role < Role::Moderator {
        return Ok(Err(ErrorCode::NotYours.into()));
    }
    if message.is_deleted() {
        return Ok(Ok(Reply::Done));
    }
    pin::deleted(turn, user, id)?;
    mentions::remove(turn.db, &message.extra.mentions, id)?;
    for edit in changes::edits(turn.db, message.extra.last_edit, usize::MAX)? {
        changes::forget_words(turn.db, edit.seq)?;
    }
    let seq = turn.state.head.next();
    changes::insert(turn.db, &Change { seq, message: id, user: user.clone(), at: turn.now, kind: Kind::Delete })?;
    message.content = String::new();
    message.deleted_at = Some(turn.now);
    let Extra { edited_at, last_edit, first_edit, .. } = message.extra;
    message.extra = Extra { edited_at, last_edit, first_edit, deleted_by: Some(user.clone()), ..Extra::default() };
    messages::update(turn.db, &message)?;
    if message.sender != *user {
        let deed = Deed {
            actor: Some(user),
            action: "delete_message",
            user: Some(&message.sender),
            message: Some(id),
            ..Deed::default()
        };
        moderation::note(turn.db, turn.now, deed)?;
    }
    turn.state.head = seq;
    let deleted_at = turn.now.iso();
    turn.publish(Logged::Deleted { seq, id, deleted_by: user, deleted_at: deleted_at.clone() }.encode(), true);
    if turn.state.sockets.any_classic() {
        let frame = classic::Event::Deleted { id, message_id: id, deleted_by: user, deleted_at }.encode();
        let classic = turn.state.sockets.classic();
        turn.send(classic, frame);
    }
    turn.state.to_tell.everyone();
    Ok(Ok(Reply::Done))
}
