//! One socket's state, which is also its hibernation attachment: waking is decoding.

use serde::{Deserialize, Serialize};

use crate::ids::{Millis, Seq, UserId};
use crate::store::marks::Mark;

/// What an attachment must not exceed: the runtime refuses more than 16,384 bytes of V8-serialised data.
pub const ATTACHMENT_MAX_BYTES: usize = 16_000;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "dialect", rename_all = "snake_case")]
pub enum Session {
    Classic(Classic),
}

/// A socket of a client that knows the classic contract only. It outlives its token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Classic {
    pub user: UserId,
    pub joined_at: Millis,
    /// The token's `iat`, in seconds: revocation compares with it.
    #[serde(default)]
    pub issued_at: Option<i64>,
    /// The user's read mark as it stood last: newer than what storage holds, until marks are flushed.
    #[serde(default)]
    pub mark: Mark,
    /// What its user had seen when it joined, if that was not everything: another window of theirs that comes back
    /// soon after is sent what lies after it, too.
    #[serde(default)]
    pub seen: Option<Seq>,
    /// Unread messages are still to be sent again to this socket.
    #[serde(default)]
    pub replay: Option<Replay>,
}

/// A replay that is due: see [`crate::features::replay`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Replay {
    /// At this time, or before the socket's first message.
    pub due: Millis,
    /// What other windows of this user had seen, where that is less than the mark may say.
    pub after: Option<Seq>,
    /// The newest message when the socket joined: what came later is sent live.
    pub up_to: Seq,
}

impl Session {
    pub fn user(&self) -> &UserId {
        match self {
            Session::Classic(session) => &session.user,
        }
    }

    pub fn joined_at(&self) -> Millis {
        match self {
            Session::Classic(session) => session.joined_at,
        }
    }

    pub fn issued_at(&self) -> Option<i64> {
        match self {
            Session::Classic(session) => session.issued_at,
        }
    }

    pub fn mark(&self) -> &Mark {
        match self {
            Session::Classic(session) => &session.mark,
        }
    }

    pub fn set_mark(&mut self, mark: Mark) {
        match self {
            Session::Classic(session) => session.mark = mark,
        }
    }
}
