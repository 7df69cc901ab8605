//! A client's frame, taken to the feature it is for. An error about one frame does not close the socket.

use crate::db::DbError;
use crate::effect::Answer;
use crate::features::access::Entry;
use crate::features::{
    auth, block, delete, edit, history, mention, moderation, pin, presence, project, react, read, report, resume,
    roster, search, send, storage, thread, typing, unread,
};
use crate::ids::ConnId;
use crate::input::BadFrame;
use crate::permissions;
use crate::protocol::codes::{CloseCode, ErrorCode, Refusal};
use crate::protocol::frames::{self, Decoded, Frame, Rate, Tags};
use crate::protocol::internal::Dialect;
use crate::protocol::v1;
use crate::room::{Outcome, Turn};
use crate::session::Session;
use crate::store::members::Member;

/// Who sent a frame.
pub struct Speaker {
    pub member: Member,
    /// The socket that it came by; `None`: by HTTP.
    pub conn: Option<ConnId>,
    pub dialect: Dialect,
}

/// What a frame is answered with, beside what everybody sees of it.
#[derive(Debug, PartialEq)]
pub enum Reply {
    /// A frame that carried a `ref` is answered with `ok`.
    Done,
    /// JSON text of an event.
    Event(String),
    /// The frame's feature has answered it.
    Answered,
}

/// What came of a frame: its answer, or why not.
pub type Handled = Result<Result<Reply, Refusal>, DbError>;

/// # Errors
/// Storage errors.
pub fn take(turn: &mut Turn<'_>, conn: ConnId, text: &str) -> Result<(), DbError> {
    let Some(session) = turn.state.sockets.get(conn) else {
        return Ok(()); // closed earlier in this turn
    };
    let dialect = match session {
        Session::Classic(_) => Dialect::Classic,
        Session::V1(_) => Dialect::V1,
    };
    let user = session.user().clone();
    turn.state.presence.heard(conn, turn.now);
    if turn.state.rates.take(&user, Rate::Frame, turn.now, &turn.state.settings.limits).is_err() {
        // A classic client would be back at once, with all that it has to say.
        return if dialect == Dialect::V1 { turn.close(conn, CloseCode::TooMany) } else { Ok(()) };
    }
    if text.len() as i64 > turn.state.settings.limits.frame_max_bytes {
        turn.send_error(conn, &too_large(turn), &Tags::default());
        return Ok(());
    }
    let decoded = match frames::decode(text, dialect) {
        Ok(decoded) => decoded,
        Err(bad) => {
            turn.send_error(conn, &bad.refusal, &bad.tags);
            return Ok(());
        }
    };
    let Some(member) = turn.state.members.get(turn.db, &user)? else { return Ok(()) };
    let speaker = Speaker { member, conn: Some(conn), dialect };
    let tags = decoded.tags.clone();
    match handle(turn, &speaker, decoded)? {
        Ok(Reply::Event(event)) => turn.tell(conn, v1::answer(event, tags.reference.as_deref())),
        Ok(Reply::Done) if tags.reference.is_some() && dialect == Dialect::V1 => {
            turn.tell(conn, v1::answer(OK.to_owned(), tags.reference.as_deref()));
        }
        Ok(_) => {}
        Err(refusal) => turn.send_error(conn, &refusal, &tags),
    }
    Ok(())
}

const OK: &str = r#"{"type":"ok"}"#;

/// A v1 frame by HTTP: 200 and an array with the event that answers it.
///
/// # Errors
/// Storage errors.
pub fn call(turn: &mut Turn<'_>, entry: &Entry, text: &str) -> Outcome {
    let member = match entry.caller() {
        Ok(caller) => caller.member.clone(),
        Err(refusal) => return Ok(Err(refusal)),
    };
    if let Err(wait) = turn.state.rates.take(&member.user, Rate::Frame, turn.now, &turn.state.settings.limits) {
        return Ok(Err(Refusal::from(ErrorCode::RateLimited).after(wait)));
    }
    if text.len() as i64 > turn.state.settings.limits.frame_max_bytes {
        return Ok(Err(too_large(turn)));
    }
    let decoded = match frames::decode(text, Dialect::V1) {
        Ok(decoded) => decoded,
        Err(bad) => return Ok(Err(bad.refusal)),
    };
    let reference = decoded.tags.reference.clone();
    turn.load_marks()?;
    let speaker = Speaker { member, conn: None, dialect: Dialect::V1 };
    let event = match handle(turn, &speaker, decoded)? {
        Ok(Reply::Event(event)) => event,
        Ok(Reply::Done | Reply::Answered) => OK.to_owned(),
        Err(refusal) => return Ok(Err(refusal)),
    };
    // An answer to HTTP is durable, read marks too.
    if turn.state.marks.unsaved_since().is_some() && reads(text) {
        turn.flush_marks()?;
    }
    let body = format!("[{}]", v1::answer(event, reference.as_deref()));
    Ok(Ok(Answer { body, ..Answer::json(200, &()) }))
}

fn reads(text: &str) -> bool {
    matches!(
        frames::decode(text, Dialect::V1).map(|decoded| decoded.frame),
        Ok(Frame::Read { .. } | Frame::MarkUnread { .. })
    )
}

fn handle(turn: &mut Turn<'_>, speaker: &Speaker, decoded: Decoded) -> Handled {
    let spec = decoded.spec;
    let frozen = turn.state.meta.as_ref().is_some_and(|meta| meta.frozen);
    let allowed = permissions::check(spec.action, &speaker.member, frozen, turn.now);
    if let Err(refusal) = allowed.and_then(|()| storage::check(turn, spec.action)) {
        if let Frame::SendMessage(message) = &decoded.frame {
            return send::refused(turn, speaker, message, refusal);
        }
        // What is dropped in silence when there is too much of it is dropped here, too.
        return Ok(if spec.rate == Rate::Signal { Ok(Reply::Done) } else { Err(refusal) });
    }
    // A message that is refused for what it is takes nothing out of its bucket: `send` sees to that itself.
    if !matches!(spec.rate, Rate::Frame | Rate::Message) {
        let user = &speaker.member.user;
        if let Err(wait) = turn.state.rates.take(user, spec.rate, turn.now, &turn.state.settings.limits) {
            let refusal = Refusal::from(ErrorCode::RateLimited).after(wait);
            return Ok(if spec.rate == Rate::Signal { Ok(Reply::Done) } else { Err(refusal) });
        }
    }
    match decoded.frame {
        Frame::SendMessage(message) => send::frame(turn, speaker, message),
        Frame::Typing { is_typing } => typing::frame(turn, speaker, is_typing),
        Frame::Read { last_read_message_id, private } => read::frame(turn, speaker, last_read_message_id, private),
        Frame::EditMessage { id, content, mentions } => edit::frame(turn, speaker, id, content, mentions),
        Frame::DeleteMessage { id } => delete::frame(turn, speaker, id),
        Frame::React { message_id, emoji, on } => react::frame(turn, speaker, message_id, emoji, on),
        Frame::Pin { message_id, on } => pin::frame(turn, speaker, message_id, on),
        Frame::MarkUnread { message_id } => unread::unread_from(turn, speaker, message_id),
        Frame::Presence { away } => presence::frame(turn, speaker, away),
        Frame::History { place, limit } => history::frame(turn, speaker, place, limit),
        Frame::Thread { id, place, limit } => thread::frame(turn, speaker, id, place, limit),
        Frame::Mentions { before, limit } => mention::frame(turn, speaker, before, limit),
        Frame::Pins => pin::list(turn, speaker),
        Frame::Edits { id } => edit::versions(turn, speaker, id),
        Frame::Search { query, before, sender, limit } => search::frame(turn, speaker, &query, before, sender, limit),
        Frame::Members { after } => roster::frame(turn, after),
        Frame::Resume { after } => resume::frame(turn, speaker, after),
        Frame::Seen { seq } => resume::seen(turn, speaker, seq),
        Frame::Auth { token } => auth::frame(turn, speaker, token, decoded.tags.reference),
        Frame::Block { user, on } => block::frame(turn, speaker, user, on),
        Frame::Report { message_id, reason } => report::frame(turn, speaker, message_id, reason),
        Frame::Mute { user, seconds } => moderation::mute(turn, speaker, &user, seconds),
        Frame::Ban { user, seconds } => moderation::ban(turn, speaker, &user, seconds),
        Frame::Remove { user } => moderation::remove(turn, speaker, &user),
        Frame::Configure { slow_mode_s, frozen } => project::frame(turn, speaker, slow_mode_s, frozen),
        Frame::Reports { before } => report::list(turn, before),
        Frame::Resolve { message_id } => report::resolve(turn, speaker, message_id),
        Frame::Audit { before } => moderation::audit(turn, before),
    }
}

/// Answers a frame that the driver did not take in.
///
/// # Errors
/// Storage errors.
pub fn refuse(turn: &mut Turn<'_>, conn: ConnId, why: BadFrame) -> Result<(), DbError> {
    let refusal = match why {
        BadFrame::Binary => ErrorCode::BinaryFrame.into(),
        BadFrame::TooLarge => too_large(turn),
    };
    let Some(user) = turn.state.sockets.get(conn).map(|session| session.user().clone()) else { return Ok(()) };
    if turn.state.rates.take(&user, Rate::Frame, turn.now, &turn.state.settings.limits).is_ok() {
        turn.send_error(conn, &refusal, &Tags::default());
    } else if turn.state.sockets.v1(conn).is_some() {
        turn.close(conn, CloseCode::TooMany)?;
    }
    Ok(())
}

fn too_large(turn: &Turn<'_>) -> Refusal {
    let max = turn.state.settings.limits.frame_max_bytes;
    ErrorCode::TooLarge.because(&format!("a frame may have {max} bytes"))
}
