//! One user's object: the list of their projects with the contacts entry of each as its room last gave it, their
//! revocation, and the inbox: sockets that hear of every change in any of the projects.
//!
//! It is driven as a room is: inputs in, one transaction, effects out when that has been committed.

pub mod entry;
mod inbox;
mod projects;

use crate::db::{Db, DbError};
use crate::effect::{Effect, Effects};
use crate::ids::{ConnId, Millis, ProjectId, Ticket, UserId};
use crate::limits::Limits;
use crate::protocol::codes::Refusal;
use crate::protocol::internal::{Identity, InboxRequest, UserCall};
pub use inbox::Session;

/// What the driver knows when it opens the object.
#[derive(Clone, Debug)]
pub struct Settings {
    pub user: UserId,
    pub limits: Limits,
}

/// What happens to a user's object.
#[derive(Clone, Debug)]
pub enum Input {
    Call {
        ticket: Ticket,
        call: UserCall,
    },
    /// A socket for the inbox; answered with an accept or an answer on its ticket.
    Connect {
        ticket: Ticket,
        conn: ConnId,
        request: Box<InboxRequest>,
    },
    Frame {
        conn: ConnId,
        text: String,
    },
    Closed {
        conn: ConnId,
    },
    /// What came of [`Effect::Verify`].
    Verified {
        conn: ConnId,
        outcome: Result<Identity, Refusal>,
    },
    /// What came of [`Effect::AskRoom`]: HTTP status (0: no answer) and body.
    Asked {
        project: ProjectId,
        status: u16,
        body: String,
    },
    /// The moment asked for by [`Effect::WakeAt`] has come.
    Tick,
}

pub struct User {
    inbox: inbox::Inbox,
}

impl User {
    /// `sockets`: those of the inbox that are open, with what their attachments hold.
    pub fn open(settings: Settings, sockets: impl IntoIterator<Item = (ConnId, Session)>) -> Self {
        User { inbox: inbox::Inbox::open(settings, sockets) }
    }

    /// Takes a turn. The driver runs it in one transaction, as it runs a room's.
    ///
    /// # Errors
    /// Storage errors: roll back, and open the object anew.
    pub fn turn(&mut self, now: Millis, inputs: Vec<Input>, db: &mut dyn Db) -> Result<Effects, DbError> {
        let mut effects = Effects::new();
        self.inbox.expire(now, &mut effects);
        for input in inputs {
            match input {
                Input::Call { ticket, call } => {
                    let before = call.clone();
                    let answer = projects::answer(now, call, db)?;
                    self.inbox.called(now, &before, &mut effects);
                    effects.push(Effect::Answer { ticket, answer });
                }
                Input::Connect { ticket, conn, request } => {
                    self.inbox.join(now, ticket, conn, *request, db, &mut effects)?;
                }
                Input::Frame { conn, text } => self.inbox.frame(now, conn, &text, &mut effects),
                Input::Closed { conn } => self.inbox.leave(conn),
                Input::Verified { conn, outcome } => self.inbox.verified(conn, outcome, db, &mut effects)?,
                Input::Asked { project, status, body } => {
                    self.inbox.asked(now, &project, status, &body, db, &mut effects)?;
                }
                Input::Tick => self.inbox.tick(now, &mut effects),
            }
        }
        Ok(effects)
    }
}
