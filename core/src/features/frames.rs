//! A client's frame, taken to the feature it is for. An error about one frame does not close the socket.

use crate::db::DbError;
use crate::features::rates::Kind;
use crate::features::{read, send, typing};
use crate::ids::ConnId;
use crate::input::BadFrame;
use crate::protocol::classic::{self, Frame};
use crate::protocol::codes::ErrorCode;
use crate::room::Turn;

/// # Errors
/// Storage errors.
pub fn take(turn: &mut Turn<'_>, conn: ConnId, text: &str) -> Result<(), DbError> {
    let Some(user) = turn.state.sockets.get(conn).map(|session| session.user().clone()) else {
        return Ok(()); // closed earlier in this turn
    };
    if turn.state.rates.take(&user, Kind::Frame, turn.now, &turn.state.settings.limits).is_err() {
        return Ok(());
    }
    if text.len() as i64 > turn.state.settings.limits.frame_max_bytes {
        refuse(turn, conn, BadFrame::TooLarge);
        return Ok(());
    }
    match classic::decode(text) {
        Ok(Frame::SendMessage { content, client_message_id }) => {
            send::frame(turn, conn, &user, content, client_message_id)
        }
        Ok(Frame::Typing { is_typing }) => typing::frame(turn, &user, is_typing),
        Ok(Frame::Read { last_read_message_id }) => read::frame(turn, &user, last_read_message_id),
        Err(bad) => {
            turn.send_error(conn, &bad.refusal, bad.client_message_id.as_deref());
            Ok(())
        }
    }
}

/// Answers a frame that the driver did not take in.
pub fn refuse(turn: &mut Turn<'_>, conn: ConnId, why: BadFrame) {
    let refusal = match why {
        BadFrame::Binary => ErrorCode::BinaryFrame.into(),
        BadFrame::TooLarge => {
            let max = turn.state.settings.limits.frame_max_bytes;
            ErrorCode::TooLarge.because(&format!("a frame may have {max} bytes"))
        }
    };
    let Some(user) = turn.state.sockets.get(conn).map(|session| session.user().clone()) else { return };
    if turn.state.rates.take(&user, Kind::Frame, turn.now, &turn.state.settings.limits).is_ok() {
        turn.send_error(conn, &refusal, None);
    }
}
