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
    V1(V1),
}

/// What every session has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Base {
    pub user: UserId,
    pub joined_at: Millis,
    /// The token's `iat`, in seconds: revocation compares with it.
    #[serde(default)]
    pub issued_at: Option<i64>,
    /// The user's read mark as it stood last: newer than what storage holds, until marks are flushed.
    #[serde(default)]
    pub mark: Mark,
}

/// A socket of a client that knows the classic contract only. It outlives its token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Classic {
    #[serde(flatten)]
    pub base: Base,
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

/// A socket of a v1 client. It ends with its token, unless that is renewed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct V1 {
    #[serde(flatten)]
    pub base: Base,
    /// Seconds since the epoch.
    pub expires_at: i64,
    /// The client still pulls the log and has been given it up to here; `None`: it has all of it, and is live.
    #[serde(default)]
    pub behind: Option<Seq>,
    /// Its user said that they are not looking.
    #[serde(default)]
    pub away: bool,
}

impl Session {
    fn base(&self) -> &Base {
        match self {
            Session::Classic(session) => &session.base,
            Session::V1(session) => &session.base,
        }
    }

    fn base_mut(&mut self) -> &mut Base {
        match self {
            Session::Classic(session) => &mut session.base,
            Session::V1(session) => &mut session.base,
        }
    }

    pub fn user(&self) -> &UserId {
        &self.base().user
    }

    pub fn joined_at(&self) -> Millis {
        self.base().joined_at
    }

    pub fn issued_at(&self) -> Option<i64> {
        self.base().issued_at
    }

    pub fn mark(&self) -> &Mark {
        &self.base().mark
    }

    pub fn set_mark(&mut self, mark: Mark) {
        self.base_mut().mark = mark;
    }

    /// When the socket ends with its token, in seconds since the epoch; a classic one does not.
    pub fn expires_at(&self) -> Option<i64> {
        match self {
            Session::Classic(_) => None,
            Session::V1(session) => Some(session.expires_at),
        }
    }

    /// A v1 token has been renewed.
    pub fn renew(&mut self, issued_at: Option<i64>, until: i64) {
        self.base_mut().issued_at = issued_at;
        if let Session::V1(session) = self {
            session.expires_at = until;
        }
    }

    pub fn is_away(&self) -> bool {
        matches!(self, Session::V1(session) if session.away)
    }
}
