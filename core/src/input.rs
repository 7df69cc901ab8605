//! What happens to a room.

use crate::ids::{ConnId, Millis, Ticket, UserId};
use crate::protocol::codes::Refusal;
use crate::protocol::internal::{Identity, RoomRequest};

#[derive(Clone, Debug)]
pub enum Input {
    /// A text frame from a socket.
    Frame { conn: ConnId, text: String },
    /// A frame that the driver did not take in: binary, or larger than `FRAME_MAX_BYTES`.
    BadFrame { conn: ConnId, why: BadFrame },
    /// A socket that wants to join; answered with an accept or an answer on its ticket.
    Connect { ticket: Ticket, conn: ConnId, request: Box<RoomRequest> },
    /// A socket is gone, for whatever reason.
    Closed { conn: ConnId },
    /// A call of the Worker's.
    Call { ticket: Ticket, request: Box<RoomRequest> },
    /// The object's alarm went off.
    Alarm,
    /// The moment asked for by [`crate::effect::Effect::WakeAt`] has come.
    Tick,
    /// What came of [`crate::effect::Effect::Verify`]: whose token it is, or why it is none.
    Verified { conn: ConnId, outcome: Result<Identity, Refusal> },
    /// When the runtime last answered the heartbeats of these sockets, which all have sent some. Given now and then.
    Heartbeats(Vec<(ConnId, Millis)>),
    /// A user's object could not be told that their contacts entry is out of date.
    TellFailed { user: UserId },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadFrame {
    Binary,
    TooLarge,
}
