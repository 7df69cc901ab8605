//! Sending a message, over a socket or by a call: stored, acknowledged and seen by all in one turn.

use std::rc::Rc;

use crate::db::DbError;
use crate::effect::Answer;
use crate::features::access::Entry;
use crate::features::frames::{Handled, Reply, Speaker};
use crate::features::people::{self, Around};
use crate::features::{mention, project, read, replay, storage, typing};
use crate::ids::UserId;
use crate::permissions::{self, Action};
use crate::protocol::codes::{ErrorCode, Refusal};
use crate::protocol::frames::{NewMessage, Rate};
use crate::protocol::internal::Dialect;
use crate::protocol::v1::{self, Logged, Passing};
use crate::room::{Outcome, Turn};
use crate::store::changes::{self, Kind};
use crate::store::members::Member;
use crate::store::mentions;
use crate::store::messages::{self, Message};

enum Sent {
    New(Message),
    /// The same `client_message_id` and content from the same sender: the message as it is stored.
    Repeat(Message),
}

/// From a socket. A repeat is answered, to the resender alone: a classic one with the stored message, v1 with `ack`.
///
/// # Errors
/// Storage errors.
pub fn frame(turn: &mut Turn<'_>, speaker: &Speaker, new: NewMessage) -> Handled {
    match send(turn, &speaker.member, new, speaker.dialect)? {
        Ok(sent) => answer(turn, speaker, &sent),
        Err(refusal) => Ok(Err(refusal)),
    }
}

/// From somebody who may not write: what they sent while they might is acknowledged all the same.
///
/// # Errors
/// Storage errors.
pub fn refused(turn: &mut Turn<'_>, speaker: &Speaker, new: &NewMessage, refusal: Refusal) -> Handled {
    match repeat(turn, &speaker.member, new)? {
        Some(sent) => answer(turn, speaker, &sent),
        None => Ok(Err(refusal)),
    }
}

fn answer(turn: &mut Turn<'_>, speaker: &Speaker, sent: &Sent) -> Handled {
    let (message, repeat) = match sent {
        Sent::New(message) => (message, false),
        Sent::Repeat(message) => (message, true),
    };
    if let (Dialect::Classic, Some(conn)) = (speaker.dialect, speaker.conn) {
        if repeat {
            let frame = people::new_message(turn, message)?;
            turn.send(Rc::from([conn]), frame);
            if let Some(frame) = people::gone(message) {
                turn.send(Rc::from([conn]), frame);
            }
        }
        return Ok(Ok(Reply::Answered));
    }
    // Whoever is live has the message itself for an acknowledgement.
    let sees_it = speaker.conn.is_some_and(|conn| turn.state.sockets.v1(conn).is_some_and(|v1| v1.behind.is_none()));
    Ok(Ok(if repeat || !sees_it { Reply::Event(ack(message)) } else { Reply::Done }))
}

fn ack(message: &Message) -> String {
    let client_message_id = message.client_message_id.as_deref().unwrap_or_default();
    Passing::Ack { client_message_id, id: message.id, seq: message.id }.encode()
}

/// By a call: 201 and the message, or 200 and the stored one.
///
/// # Errors
/// Storage errors.
pub fn call(turn: &mut Turn<'_>, entry: &Entry, content: String, client_message_id: Option<String>) -> Outcome {
    let member = match entry.caller() {
        Ok(caller) => caller.member.clone(),
        Err(refusal) => return Ok(Err(refusal)),
    };
    let new = NewMessage { content, client_message_id, ..NewMessage::default() };
    let frozen = turn.state.meta.as_ref().is_some_and(|meta| meta.frozen);
    let allowed = permissions::check(Action::Write, &member, frozen, turn.now);
    let sent = match allowed.and_then(|()| storage::check(turn, Action::Write)) {
        Ok(()) => send(turn, &member, new, Dialect::Classic)?,
        Err(refusal) => repeat(turn, &member, &new)?.ok_or(refusal),
    };
    let (status, message) = match sent {
        Ok(Sent::New(message)) => (201, message),
        Ok(Sent::Repeat(message)) => (200, message),
        Err(refusal) => return Ok(Err(refusal)),
    };
    let body = people::rest_message(turn, &message)?;
    Ok(Ok(Answer::json(status, &body)))
}

fn send(
    turn: &mut Turn<'_>,
    sender: &Member,
    new: NewMessage,
    dialect: Dialect,
) -> Result<Result<Sent, Refusal>, DbError> {
    if let Err(refusal) = check(turn, &new) {
        return Ok(Err(refusal));
    }
    let user = &sender.user;
    if let Err(wait) = turn.state.rates.take(user, Rate::Message, turn.now, &turn.state.settings.limits) {
        return Ok(Err(Refusal::from(ErrorCode::RateLimited).after(wait)));
    }
    turn.load_marks()?;
    let mut message = Message::new(turn.state.head.next(), user.clone(), new.content, turn.now);
    message.client_message_id = new.client_message_id.filter(|id| !id.is_empty());
    let answered = match new.reply_to {
        Some(id) => messages::get(turn.db, id)?,
        None => None,
    };
    let answers_nothing = new.reply_to.is_some() && answered.is_none();
    // A repeat has to get through slow mode, and must not be taken for a reply to what is gone. A question that only those
    // cases have to ask in which the index does not answer it in time.
    if (answers_nothing || project::is_slowed(turn, sender))
        && let Some(sent) = stored(turn, user, message.client_message_id.as_deref(), &message.content)?
    {
        return Ok(Ok(sent));
    }
    if let Err(refusal) = project::slow_mode(turn, sender) {
        return Ok(Err(refusal));
    }
    if let Some(id) = new.reply_to {
        match answered {
            Some(answered) => message.thread = Some(answered.thread.unwrap_or(answered.id)),
            None => return Ok(Err(ErrorCode::NoSuchMessage.into())),
        }
        message.reply_to = Some(id);
    }
    message.extra.mentions = mention::checked(turn, user, new.mentions)?;
    message.extra.data = new.data;
    if !messages::insert(turn.db, &message)? {
        let id = message.client_message_id.take().unwrap_or_default();
        match messages::by_client_id(turn.db, user, &id)? {
            Some(stored) if says_the_same(turn, &stored, &message.content)? => return Ok(Ok(Sent::Repeat(stored))),
            _ if dialect == Dialect::V1 => return Ok(Err(ErrorCode::ClientMessageIdReused.into())),
            // The same id with other content is another message: stored, but there is nothing to dedupe it by.
            _ => drop(messages::insert(turn.db, &message)?),
        }
    }
    mentions::add(turn.db, &message.extra.mentions, message.id)?;
    if message.thread.is_some()
        && let Some(meta) = turn.state.meta.as_mut()
    {
        meta.threads = true;
    }
    turn.state.head = message.id;
    // Before the sender's own mark moves: what they missed while they were away lies behind it.
    replay::before_message(turn)?;
    typing::sent(turn, user);
    project::sent(turn, user);
    turn.state.marks.advance(user, message.id, turn.now);
    if turn.state.sockets.of(user).is_empty() {
        turn.state.unattached.get_or_insert(message.id);
    }
    read::remember(turn, user);
    if turn.state.sockets.any_classic() {
        let frame = people::new_message(turn, &message)?;
        let classic = turn.state.sockets.classic();
        turn.send(classic, frame);
    }
    if turn.state.sockets.any_v1() {
        let encode = |shape: v1::Message<'_>| Logged::NewMessage { seq: message.id, message: shape }.encode();
        let event = people::v1_message(turn, &message, &Around::default(), None, encode)?;
        turn.publish(event, true);
    }
    turn.state.to_tell.everyone();
    Ok(Ok(Sent::New(message)))
}

/// The message as it is stored, if this repeats it; asked before anything is checked.
fn repeat(turn: &mut Turn<'_>, sender: &Member, new: &NewMessage) -> Result<Option<Sent>, DbError> {
    turn.load_marks()?;
    stored(turn, &sender.user, new.client_message_id.as_deref(), &new.content)
}

fn stored(turn: &mut Turn<'_>, sender: &UserId, id: Option<&str>, content: &str) -> Result<Option<Sent>, DbError> {
    let Some(id) = id.filter(|id| !id.is_empty()) else { return Ok(None) };
    let Some(stored) = messages::by_client_id(turn.db, sender, id)? else { return Ok(None) };
    Ok(if says_the_same(turn, &stored, content)? { Some(Sent::Repeat(stored)) } else { None })
}

/// Whether the stored message is what this repeats. It may have been edited since, or deleted: then its words are gone,
/// and what carries its id is taken for it.
fn says_the_same(turn: &mut Turn<'_>, stored: &Message, content: &str) -> Result<bool, DbError> {
    if stored.content == content || stored.is_deleted() {
        return Ok(true);
    }
    let first = changes::edits(turn.db, stored.extra.first_edit, 1)?.pop();
    Ok(first.is_some_and(|edit| matches!(edit.kind, Kind::Edit { was: Some(was), .. } if was == content)))
}

fn check(turn: &Turn<'_>, new: &NewMessage) -> Result<(), Refusal> {
    check_content(turn, &new.content)?;
    let max = turn.state.settings.limits.client_message_id_max_chars;
    match new.client_message_id.as_deref() {
        Some(id) if id.chars().count() as i64 > max => {
            Err(ErrorCode::InvalidField.because(&format!("client_message_id has at most {max} characters")))
        }
        Some(id) if id.contains('\0') => {
            Err(ErrorCode::InvalidField.because("client_message_id holds a NUL character"))
        }
        _ => Ok(()),
    }
}

/// What a message says must be there, not too long, and text.
///
/// # Errors
/// `content_empty`, `content_too_long`, `invalid_field`.
pub fn check_content(turn: &Turn<'_>, content: &str) -> Result<(), Refusal> {
    let max = turn.state.settings.limits.message_max_chars;
    if content.trim().is_empty() {
        return Err(ErrorCode::ContentEmpty.into());
    }
    let length = content.chars().count() as i64;
    if length > max {
        return Err(ErrorCode::ContentTooLong.because(&format!("{length} characters of at most {max}")));
    }
    if content.contains('\0') {
        return Err(ErrorCode::InvalidField.because("content holds a NUL character"));
    }
    Ok(())
}
