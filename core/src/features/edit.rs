//! Changing what one has said. What it said before is kept, for moderators and its author.

use serde::Serialize;

use crate::features::frames::{Handled, Reply, Speaker};
use crate::features::{mention, people, send};
use crate::ids::{Seq, UserId};
use crate::protocol::classic;
use crate::protocol::codes::ErrorCode;
use crate::protocol::internal::Role;
use crate::protocol::v1::{Logged, encode};
use crate::room::Turn;
use crate::store::changes::{self, Change, Kind};
use crate::store::{mentions, messages};

/// Earlier versions that are shown of a message.
const VERSIONS_MAX: usize = 50;

/// 2 rows: the message's and the log's; one more for each mention that comes or goes.
///
/// # Errors
/// Storage errors.
pub fn frame(
    turn: &mut Turn<'_>,
    speaker: &Speaker,
    id: Seq,
    content: String,
    mentioned: Option<Vec<UserId>>,
) -> Handled {
    let user = &speaker.member.user;
    if let Err(refusal) = send::check_content(turn, &content) {
        return Ok(Err(refusal));
    }
    let Some(mut message) = messages::get(turn.db, id)? else { return Ok(Err(ErrorCode::NoSuchMessage.into())) };
    if message.sender != *user {
        return Ok(Err(ErrorCode::NotYours.into()));
    }
    if message.is_deleted() {
        return Ok(Err(ErrorCode::MessageDeleted.into()));
    }
    let mentioned = match mentioned {
        Some(mentioned) => mention::checked(turn, user, mentioned)?,
        None => message.extra.mentions.clone(),
    };
    if message.content == content && message.extra.mentions == mentioned {
        return Ok(Ok(Reply::Done)); // nothing to change: a frame that came twice
    }
    let gone: Vec<_> = message.extra.mentions.iter().filter(|user| !mentioned.contains(user)).cloned().collect();
    let new: Vec<_> = mentioned.iter().filter(|user| !message.extra.mentions.contains(user)).cloned().collect();
    mentions::remove(turn.db, &gone, id)?;
    mentions::add(turn.db, &new, id)?;
    let seq = turn.state.head.next();
    let was = std::mem::replace(&mut message.content, content);
    let kind = Kind::Edit { was: Some(was), previous: message.extra.last_edit };
    let change = Change { seq, message: id, user: user.clone(), at: turn.now, kind };
    changes::insert(turn.db, &change)?;
    message.extra.mentions = mentioned;
    message.extra.edited_at = Some(turn.now);
    message.extra.last_edit = Some(seq);
    message.extra.first_edit.get_or_insert(seq);
    messages::update(turn.db, &message)?;
    turn.state.head = seq;
    turn.publish(
        Logged::Updated {
            seq,
            id,
            content: &message.content,
            mentions: &message.extra.mentions,
            edited_at: turn.now.iso(),
        }
        .encode(),
        true,
    );
    if turn.state.sockets.any_classic() {
        turn.load_marks()?;
        let encode = |message: classic::Message<'_>| classic::Event::Updated { message }.encode();
        let frame = people::classic_message(turn, &message, encode)?;
        let classic = turn.state.sockets.classic();
        turn.send(classic, frame);
    }
    // It may be the one that the contacts show.
    turn.state.to_tell.everyone();
    Ok(Ok(Reply::Done))
}

#[derive(Serialize)]
struct Versions {
    r#type: &'static str,
    id: Seq,
    versions: Vec<Version>,
}

/// What the message said until `replaced_at`; the newest of them first.
#[derive(Serialize)]
struct Version {
    content: String,
    replaced_at: String,
}

/// The earlier versions of a message, newest first: for its author and for moderators.
///
/// # Errors
/// Storage errors.
pub fn versions(turn: &mut Turn<'_>, speaker: &Speaker, id: Seq) -> Handled {
    let Some(message) = messages::get(turn.db, id)? else { return Ok(Err(ErrorCode::NoSuchMessage.into())) };
    if message.sender != speaker.member.user && speaker.member.role < Role::Moderator {
        return Ok(Err(ErrorCode::ModeratorsOnly.into()));
    }
    let edits = changes::edits(turn.db, message.extra.last_edit, VERSIONS_MAX)?;
    let version = |edit: Change| match edit.kind {
        Kind::Edit { was: Some(content), .. } => Some(Version { content, replaced_at: edit.at.iso() }),
        _ => None,
    };
    let versions = edits.into_iter().filter_map(version).collect();
    Ok(Ok(Reply::Event(encode(&Versions { r#type: "edits", id, versions }))))
}
