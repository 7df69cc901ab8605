//! Sending a message, over a socket or by a call: stored, acknowledged and seen by all in one turn.

use crate::db::DbError;
use crate::effect::Answer;
use crate::features::access::Entry;
use crate::features::rates::Kind;
use crate::features::{people, read, replay, typing};
use crate::ids::{ConnId, UserId};
use crate::protocol::codes::{ErrorCode, Refusal};
use crate::protocol::internal::Role;
use crate::room::{Outcome, Turn};
use crate::store::messages::{self, Message};

enum Sent {
    New(Message),
    /// The same `client_message_id` and content from the same sender: the message as it was stored then.
    Repeat(Message),
}

/// From a socket. A repeat is answered, to the resender alone, with the stored message.
///
/// # Errors
/// Storage errors.
pub fn frame(
    turn: &mut Turn<'_>,
    conn: ConnId,
    user: &UserId,
    content: String,
    client_message_id: Option<String>,
) -> Result<(), DbError> {
    let echo = client_message_id.clone();
    match send(turn, user, content, client_message_id)? {
        Ok(Sent::New(_)) => {}
        Ok(Sent::Repeat(message)) => {
            let frame = people::new_message(turn, &message)?;
            turn.send(std::rc::Rc::from([conn]), frame);
        }
        Err(refusal) => turn.send_error(conn, &refusal, echo.as_deref()),
    }
    Ok(())
}

/// By a call: 201 and the message, or 200 and the stored one.
///
/// # Errors
/// Storage errors.
pub fn call(turn: &mut Turn<'_>, entry: &Entry, content: String, client_message_id: Option<String>) -> Outcome {
    let user = match entry.caller() {
        Ok(caller) => caller.member.user.clone(),
        Err(refusal) => return Ok(Err(refusal)),
    };
    let (status, message) = match send(turn, &user, content, client_message_id)? {
        Ok(Sent::New(message)) => (201, message),
        Ok(Sent::Repeat(message)) => (200, message),
        Err(refusal) => return Ok(Err(refusal)),
    };
    let body = people::rest_message(turn, &message)?;
    Ok(Ok(Answer::json(status, &body)))
}

fn send(
    turn: &mut Turn<'_>,
    user: &UserId,
    content: String,
    client_message_id: Option<String>,
) -> Result<Result<Sent, Refusal>, DbError> {
    let client_message_id = client_message_id.filter(|id| !id.is_empty());
    if let Err(refusal) = check(turn, &content, client_message_id.as_deref()) {
        return Ok(Err(refusal));
    }
    let role = turn.state.members.get(turn.db, user)?.map_or(Role::Viewer, |member| member.role);
    if role < Role::Member {
        return Ok(Err(ErrorCode::ReadOnly.into()));
    }
    if let Err(wait) = turn.state.rates.take(user, Kind::Message, turn.now, &turn.state.settings.limits) {
        return Ok(Err(Refusal::from(ErrorCode::RateLimited).after(wait)));
    }
    turn.load_marks()?;
    let mut message =
        Message { id: turn.state.head.next(), sender: user.clone(), client_message_id, content, created_at: turn.now };
    if !messages::insert(turn.db, &message)? {
        let id = message.client_message_id.take().unwrap_or_default();
        match messages::by_client_id(turn.db, user, &id)? {
            Some(stored) if stored.content == message.content => {
                return Ok(Ok(Sent::Repeat(stored)));
            }
            // The same id with other content is another message: stored, but there is nothing to dedupe it by.
            _ => drop(messages::insert(turn.db, &message)?),
        }
    }
    turn.state.head = message.id;
    // Before the sender's own mark moves: what they missed while they were away lies behind it.
    replay::before_message(turn)?;
    typing::sent(turn, user);
    turn.state.marks.advance(user, message.id, turn.now);
    if turn.state.sockets.of(user).is_empty() {
        turn.state.unattached.get_or_insert(message.id);
    }
    read::remember(turn, user);
    let frame = people::new_message(turn, &message)?;
    let everyone = turn.state.sockets.everyone();
    turn.send(everyone, frame);
    turn.state.to_tell.everyone();
    Ok(Ok(Sent::New(message)))
}

fn check(turn: &Turn<'_>, content: &str, client_message_id: Option<&str>) -> Result<(), Refusal> {
    let limits = &turn.state.settings.limits;
    if content.trim().is_empty() {
        return Err(ErrorCode::ContentEmpty.into());
    }
    let length = content.chars().count() as i64;
    if length > limits.message_max_chars {
        let what = format!("{length} characters of at most {}", limits.message_max_chars);
        return Err(ErrorCode::ContentTooLong.because(&what));
    }
    if content.contains('\0') {
        return Err(ErrorCode::InvalidField.because("content holds a NUL character"));
    }
    match client_message_id {
        Some(id) if id.chars().count() as i64 > limits.client_message_id_max_chars => {
            let max = limits.client_message_id_max_chars;
            Err(ErrorCode::InvalidField.because(&format!("client_message_id has at most {max} characters")))
        }
        Some(id) if id.contains('\0') => {
            Err(ErrorCode::InvalidField.because("client_message_id holds a NUL character"))
        }
        _ => Ok(()),
    }
}
