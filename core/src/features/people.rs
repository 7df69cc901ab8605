//! How users and messages are shown: to classic sockets, to v1 sockets, to HTTP.

use std::collections::HashMap;

use serde_json::value::RawValue;

use crate::db::DbError;
use crate::ids::{Seq, UserId};
use crate::protocol::rest::{self, Person};
use crate::protocol::{classic, v1};
use crate::room::Turn;
use crate::store::messages::{self, Message};

/// # Errors
/// Storage errors.
pub fn person(turn: &mut Turn<'_>, user: &UserId) -> Result<Person, DbError> {
    let profile = turn.state.members.get(turn.db, user)?.map(|member| member.profile).unwrap_or_default();
    let username = if profile.username.is_empty() { format!("User {user}") } else { profile.username };
    Ok(Person {
        id: user.clone(),
        username,
        first_name: profile.first_name,
        last_name: profile.last_name,
        profile_pic: profile.profile_pic,
    })
}

/// A message as classic sockets receive it.
///
/// # Errors
/// Storage errors.
pub fn classic_message<T>(
    turn: &mut Turn<'_>,
    message: &Message,
    then: impl FnOnce(classic::Message<'_>) -> T,
) -> Result<T, DbError> {
    let sender = person(turn, &message.sender)?;
    Ok(then(classic::Message {
        id: message.id,
        client_message_id: message.client_message_id.as_deref(),
        project: &turn.state.settings.project,
        sender: &sender,
        content: &message.content,
        attachment: None,
        created_at: message.created_at.iso(),
        read_at: read_at(turn, message),
        edited_at: message.extra.edited_at.map(|at| at.iso()),
    }))
}

/// The classic `new.message` frame of a message.
///
/// # Errors
/// Storage errors.
pub fn new_message(turn: &mut Turn<'_>, message: &Message) -> Result<String, DbError> {
    classic_message(turn, message, |message| classic::Event::NewMessage { message }.encode())
}

/// The classic frame that says of a deleted message that it is deleted.
pub fn gone(message: &Message) -> Option<String> {
    let (deleted_at, deleted_by) = (message.deleted_at?.iso(), message.extra.deleted_by.as_ref()?);
    Some(classic::Event::Deleted { id: message.id, message_id: message.id, deleted_by, deleted_at }.encode())
}

/// The REST shape of a message.
///
/// # Errors
/// Storage errors.
pub fn rest_message(turn: &mut Turn<'_>, message: &Message) -> Result<serde_json::Value, DbError> {
    let sender_info = person(turn, &message.sender)?;
    let shape = rest::Message {
        id: message.id,
        client_message_id: message.client_message_id.as_deref(),
        project: &turn.state.settings.project,
        sender: &message.sender,
        sender_name: sender_info.full_name(),
        sender_info: &sender_info,
        content: &message.content,
        attachment: None,
        created_at: message.created_at.iso(),
        read_at: read_at(turn, message),
        edited_at: message.extra.edited_at.map(|at| at.iso()),
        deleted_at: message.deleted_at.map(|at| at.iso()),
    };
    serde_json::to_value(shape).map_err(|error| DbError(error.to_string()))
}

/// Not null exactly when another member's mark has reached the message. The marks must have been loaded.
fn read_at(turn: &Turn<'_>, message: &Message) -> Option<String> {
    turn.state.marks.read_at(&message.sender, message.id).map(|at| at.iso())
}

/// What a v1 message shows beside itself: how long the threads are that begin with these, and which are pinned.
#[derive(Default)]
pub struct Around {
    replies: HashMap<Seq, v1::Replies>,
    pins: Vec<Seq>,
}

impl Around {
    /// # Errors
    /// Storage errors.
    pub fn of(turn: &mut Turn<'_>, page: &[Message]) -> Result<Self, DbError> {
        let pins = turn.state.pins.all(turn.db)?.to_vec();
        let mut replies = HashMap::new();
        if turn.state.meta.as_ref().is_some_and(|meta| meta.threads) {
            // A reply belongs to a thread; it cannot begin one.
            let roots: Vec<_> = page.iter().filter(|m| m.thread.is_none()).map(|m| m.id).collect();
            for (id, count, last_id) in messages::replies(turn.db, &roots)? {
                replies.insert(id, v1::Replies { count, last_id });
            }
        }
        Ok(Around { replies, pins })
    }
}

/// A message as v1 clients receive it; `reader`: whose own reactions are marked.
///
/// # Errors
/// Storage errors.
pub fn v1_message<T>(
    turn: &mut Turn<'_>,
    message: &Message,
    around: &Around,
    reader: Option<&UserId>,
    then: impl FnOnce(v1::Message<'_>) -> T,
) -> Result<T, DbError> {
    let sender = person(turn, &message.sender)?;
    let extra = &message.extra;
    let reaction = |(emoji, users): &(String, Vec<UserId>)| {
        (emoji.clone(), users.len(), reader.is_some_and(|r| users.contains(r)))
    };
    let counted: Vec<_> = extra.reactions.iter().map(reaction).collect();
    let data: Option<Box<RawValue>> = extra.data.clone().map(v1::raw);
    Ok(then(v1::Message {
        id: message.id,
        client_message_id: message.client_message_id.as_deref(),
        project: &turn.state.settings.project,
        sender: &sender,
        content: &message.content,
        attachment: None,
        created_at: message.created_at.iso(),
        read_at: read_at(turn, message),
        edited_at: extra.edited_at.map(|at| at.iso()),
        deleted_at: message.deleted_at.map(|at| at.iso()),
        deleted_by: extra.deleted_by.as_ref(),
        reply_to: message.reply_to,
        thread: message.thread,
        replies: around.replies.get(&message.id).copied(),
        mentions: &extra.mentions,
        reactions: counted
            .iter()
            .map(|(emoji, count, mine)| v1::Reaction { emoji, count: *count, mine: *mine })
            .collect(),
        pinned: around.pins.contains(&message.id),
        data: data.as_deref(),
    }))
}

/// A page of messages as JSON texts for v1, each as it is now.
///
/// # Errors
/// Storage errors.
pub fn v1_page(turn: &mut Turn<'_>, page: &[Message], reader: &UserId) -> Result<Vec<Box<RawValue>>, DbError> {
    let around = Around::of(turn, page)?;
    let text = |turn: &mut Turn<'_>, message| {
        v1_message(turn, message, &around, Some(reader), |shape| v1::raw(v1::encode(&shape)))
    };
    page.iter().map(|message| text(turn, message)).collect()
}
