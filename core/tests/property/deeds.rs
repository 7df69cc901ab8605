//! What somebody meant by an input, and what came of it.

use std::collections::HashMap;

use chat_core::ids::{ConnId, Ticket};
use chat_core::protocol::internal::Role;
use serde_json::Value;

use crate::ledger::Action;
use crate::v1_client::text;

#[derive(Clone, Debug)]
pub struct Deed {
    pub user: String,
    pub via: Via,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum Via {
    /// With the `ref` by which it is answered.
    V1(ConnId, String),
    Classic(ConnId),
    Http(Ticket),
    Nothing,
}

#[derive(Clone, Debug)]
pub enum What {
    Connect {
        conn: ConnId,
        issued_at: i64,
        role: Option<Role>,
        on_kept_yes: bool,
    },
    Send {
        content: String,
        client_message_id: Option<String>,
    },
    Change(Action),
    Read {
        up_to: i64,
        private: bool,
    },
    ReadAll,
    MarkUnread {
        id: i64,
    },
    Block {
        other: String,
        on: bool,
    },
    Mute {
        other: String,
        seconds: i64,
    },
    Ban {
        other: String,
        seconds: i64,
    },
    TakeOut {
        other: String,
    },
    Freeze {
        on: bool,
    },
    Put {
        other: String,
        role: Option<Role>,
    },
    /// The backend says no.
    Refuse {
        other: String,
    },
    Revoke {
        other: String,
        before: i64,
    },
    Prune {
        up_to: i64,
    },
    Poll {
        client: usize,
    },
    /// A question, or nothing that leaves a trace.
    Other,
}

impl Deed {
    pub fn nothing() -> Self {
        Deed { user: String::new(), via: Via::Nothing, what: What::Other }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Refused(String),
    /// Nothing came of it: its socket was gone, or nobody can tell.
    Silent,
}

impl Outcome {
    /// Refused for what its sender may not do.
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Outcome::Refused(code) if matches!(code.as_str(), "read_only" | "muted" | "frozen" | "moderators_only"))
    }
}

/// What the sockets were answered in one turn.
#[derive(Default)]
pub struct Replies {
    by_ref: HashMap<String, Outcome>,
    /// Errors to classic sockets, with the `client_message_id` that they carry.
    classic: Vec<(ConnId, Option<String>, String)>,
}

impl Replies {
    pub fn note_v1(&mut self, event: &Value) {
        let Some(reference) = event.get("ref") else { return };
        let outcome = match event["type"].as_str() {
            Some("error") => Outcome::Refused(text(&event["code"])),
            _ => Outcome::Done,
        };
        let before = self.by_ref.insert(text(reference), outcome);
        assert!(before.is_none(), "a frame was answered twice: {event}");
    }

    pub fn note_classic(&mut self, conn: ConnId, event: &Value) {
        if event["type"] == "error" {
            let id = event["client_message_id"].as_str().map(str::to_owned);
            self.classic.push((conn, id, text(&event["code"])));
        }
    }

    pub fn to_v1(&self, reference: &str) -> Outcome {
        self.by_ref.get(reference).cloned().unwrap_or(Outcome::Silent)
    }

    pub fn to_classic(&self, conn: ConnId, id: Option<&str>) -> Outcome {
        let found = self.classic.iter().find(|(to, of, _)| *to == conn && of.as_deref() == id);
        found.map_or(Outcome::Silent, |(_, _, code)| Outcome::Refused(code.clone()))
    }
}
