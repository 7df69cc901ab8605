//! How users are shown to each other.

use crate::db::DbError;
use crate::ids::UserId;
use crate::protocol::classic;
use crate::protocol::rest::{self, Person};
use crate::room::Turn;
use crate::store::messages::Message;

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

/// The `new.message` frame of a message.
///
/// # Errors
/// Storage errors.
pub fn new_message(turn: &mut Turn<'_>, message: &Message) -> Result<String, DbError> {
    let sender = person(turn, &message.sender)?;
    let event = classic::Event::NewMessage {
        message: classic::Message {
            id: message.id,
            client_message_id: message.client_message_id.as_deref(),
            project: &turn.state.settings.project,
            sender: &sender,
            content: &message.content,
            attachment: None,
            created_at: message.created_at.iso(),
            read_at: read_at(turn, message),
        },
    };
    Ok(event.encode())
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
    };
    serde_json::to_value(shape).map_err(|error| DbError(error.to_string()))
}

/// Not null exactly when another member's mark has reached the message. The marks must have been loaded.
fn read_at(turn: &Turn<'_>, message: &Message) -> Option<String> {
    turn.state.marks.read_at(&message.sender, message.id).map(|at| at.iso())
}
