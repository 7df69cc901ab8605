//! What a turn asks of its driver, in the order to carry it out once the turn is committed.

use std::rc::Rc;

use crate::ids::{ConnId, Millis, ProjectId, Ticket, UserId};
use crate::protocol::codes::{CloseCode, Refusal};
use crate::protocol::internal::RoomRequest;

#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// The socket that waits under `ticket` is in: it may be sent to from here on.
    Accept {
        ticket: Ticket,
        conn: ConnId,
        recheck_ms: Option<i64>,
    },
    Answer {
        ticket: Ticket,
        answer: Answer,
    },
    /// One frame to each of these sockets.
    Send {
        to: Rc<[ConnId]>,
        frame: String,
    },
    /// What the socket must still know after a hibernation: a [`crate::session::Session`] as JSON, at most 16 KiB.
    Attach {
        conn: ConnId,
        attachment: String,
    },
    Close {
        conn: ConnId,
        code: CloseCode,
    },
    /// The driver is to check this token and to give the outcome as [`crate::input::Input::Verified`].
    Verify {
        conn: ConnId,
        token: String,
    },
    /// From a user's object: this room is to be asked, and the outcome given as [`crate::user::Input::Asked`].
    AskRoom {
        project: ProjectId,
        request: Box<RoomRequest>,
    },
    /// The alarm is due at this time, whatever it was before.
    SetAlarm(Millis),
    /// A turn with [`crate::input::Input::Tick`] is wanted at this time, if the room is awake then.
    WakeAt(Millis),
    /// The user's object is to hear that their entry for this project is out of date (or gone). `asked`: they asked
    /// for it since they were last told.
    Tell {
        user: UserId,
        gone: bool,
        asked: bool,
    },
}

pub type Effects = Vec<Effect>;

/// An answer to a call: HTTP status and JSON body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: String,
    /// [`crate::protocol::internal::RECHECK_HEADER`]
    pub recheck_ms: Option<i64>,
    /// [`crate::protocol::internal::PAGE_HEADER`]
    pub page: Option<String>,
    pub retry_after_ms: Option<i64>,
}

impl Answer {
    pub fn json(status: u16, body: &impl serde::Serialize) -> Self {
        match serde_json::to_string(body) {
            Ok(body) => Answer { status, body, recheck_ms: None, page: None, retry_after_ms: None },
            // Not reachable with the types of this crate: none has a map with keys that are not text.
            Err(error) => Refusal::new(crate::protocol::codes::ErrorCode::Internal, error.to_string()).into(),
        }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Answer {
            status: refusal.code.status(),
            body: refusal.envelope().to_string(),
            recheck_ms: None,
            page: None,
            retry_after_ms: refusal.retry_after_ms,
        }
    }
}
