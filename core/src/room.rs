//! One project's chat: takes a turn's inputs to the features, in order. It knows no rule of the chat.

use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use crate::db::{Db, DbError};
use crate::effect::{Answer, Effect, Effects};
use crate::features::{access, connect, contacts, frames, history, membership, rates, read, replay, send, typing};
use crate::ids::{ConnId, Millis, ProjectId, Seq, Ticket, UserId};
use crate::input::Input;
use crate::limits::Limits;
use crate::protocol::classic::Event;
use crate::protocol::codes::{CloseCode, Refusal};
use crate::protocol::internal::{RoomCall, RoomRequest};
use crate::session::Session;
use crate::sockets::Sockets;
use crate::store::marks::Marks;
use crate::store::members::Members;
use crate::store::messages;
use crate::store::meta::{self, Meta};

/// Sending moves one's own mark, which no attachment carries for someone without a socket: so when marks are loaded,
/// the newest messages are asked for their senders. [`read::finish`] stores a mark before it falls behind those.
pub const SENDERS_AMONG: i64 = 100;

/// What the driver knows when it opens a room.
#[derive(Clone, Debug)]
pub struct Settings {
    pub project: ProjectId,
    pub limits: Limits,
    /// `CLASSIC_REPLAY`
    pub classic_replay: bool,
    /// Random text: the epoch of a database that has still to be made.
    pub entropy: String,
}

/// All that a room remembers.
pub struct State {
    pub settings: Settings,
    /// `None`: the database has not been made; nobody was ever admitted.
    pub meta: Option<Meta>,
    /// The highest position given in the log.
    pub head: Seq,
    pub sockets: Sockets,
    pub members: Members,
    pub marks: Marks,
    /// Readers whose receipt goes out at the end of the turn, and how far it reaches.
    pub receipts: BTreeMap<UserId, Seq>,
    /// Who asked for their contacts entry since their object was last told: it may be on its way there still.
    pub asked: HashSet<UserId>,
    /// The oldest read mark ahead of storage that no attachment carries, its user having no socket.
    pub unattached: Option<Seq>,
    /// Something happened in this turn that changes these contacts entries.
    pub to_tell: contacts::Changed,
    pub rates: rates::Rates,
    pub recheck: access::Slots,
    pub typing: typing::Typists,
    pub replays: replay::Replays,
    /// When the alarm is set for, as far as this instance knows.
    pub alarm_at: Option<Millis>,
}

/// One turn in progress: what features work with.
pub struct Turn<'a> {
    pub now: Millis,
    pub db: &'a mut dyn Db,
    pub state: &'a mut State,
    pub effects: Effects,
}

pub struct Room {
    state: State,
    loaded: bool,
}

/// A call's outcome: the answer, or why not.
pub type Outcome = Result<Result<Answer, Refusal>, DbError>;

impl Room {
    /// `sockets`: those that are open, with what their attachments hold.
    pub fn open(settings: Settings, sockets: impl IntoIterator<Item = (ConnId, Session)>) -> Self {
        let state = State {
            settings,
            meta: None,
            head: Seq::ZERO,
            sockets: Sockets::new(sockets),
            members: Members::default(),
            marks: Marks::default(),
            receipts: BTreeMap::new(),
            asked: HashSet::new(),
            unattached: None,
            to_tell: contacts::Changed::default(),
            rates: rates::Rates::default(),
            recheck: access::Slots::default(),
            typing: typing::Typists::default(),
            replays: replay::Replays::default(),
            alarm_at: None,
        };
        Room { state, loaded: false }
    }

    /// Takes a turn. The driver runs it in one transaction; see the crate's drive contract.
    ///
    /// # Errors
    /// Storage errors. Nothing of the turn has happened then: roll back and open the room anew.
    pub fn turn(&mut self, now: Millis, inputs: Vec<Input>, db: &mut dyn Db) -> Result<Effects, DbError> {
        let mut turn = Turn { now, db, state: &mut self.state, effects: Effects::new() };
        if !self.loaded {
            turn.load()?;
            self.loaded = true;
            replay::resume(&mut turn);
            contacts::resume(&mut turn)?;
        }
        for input in inputs {
            turn.take(input)?;
        }
        // In this order: that somebody was told is stored with the marks.
        contacts::finish(&mut turn)?;
        read::finish(&mut turn)?;
        Ok(turn.effects)
    }
}

impl Turn<'_> {
    fn take(&mut self, input: Input) -> Result<(), DbError> {
        match input {
            Input::Frame { conn, text } => frames::take(self, conn, &text),
            Input::BadFrame { conn, why } => {
                frames::refuse(self, conn, why);
                Ok(())
            }
            Input::Connect { ticket, conn, request } => connect::join(self, ticket, conn, &request),
            Input::Closed { conn } => connect::leave(self, conn),
            Input::Call { ticket, request } => self.call(ticket, *request),
            Input::Alarm => read::alarm(self),
            Input::Tick => replay::tick(self),
            Input::TellFailed { user } => contacts::not_told(self, &user),
        }
    }

    fn call(&mut self, ticket: Ticket, request: RoomRequest) -> Result<(), DbError> {
        let answer = match access::enter(self, &request)? {
            Err(answer) => answer,
            Ok(entry) => {
                let outcome = match request.call {
                    RoomCall::Connect { .. } => connect::not_a_socket(),
                    RoomCall::Messages { limit, before, after } => history::page(self, limit, before, after),
                    RoomCall::Send { content, client_message_id } => {
                        send::call(self, &entry, content, client_message_id)
                    }
                    RoomCall::MarkRead { up_to } => read::call(self, &entry, up_to),
                    RoomCall::Summary => contacts::summary(self, &entry),
                    RoomCall::Verdict { user, grant } => access::verdict(self, &user, grant),
                    RoomCall::ListMembers => membership::list(self),
                    RoomCall::PutMember { user, role, profile } => membership::put(self, user, role, profile),
                    RoomCall::RemoveMember { user } => membership::remove(self, &user),
                    RoomCall::Revoke { user, before } => membership::revoke(self, &user, before),
                };
                let answer: Answer = outcome?.unwrap_or_else(Answer::from);
                Answer { recheck_ms: entry.recheck_ms, ..answer }
            }
        };
        self.effects.push(Effect::Answer { ticket, answer });
        Ok(())
    }

    fn load(&mut self) -> Result<(), DbError> {
        if let Some((meta, head)) = meta::load(self.db)? {
            self.state.meta = Some(meta);
            self.state.head = head;
        }
        Ok(())
    }

    /// Makes the database if there is none: only for someone who was admitted.
    ///
    /// # Errors
    /// Storage errors.
    pub fn ensure_created(&mut self) -> Result<&mut Meta, DbError> {
        let meta = match self.state.meta.take() {
            Some(meta) => meta,
            None => meta::create(self.db, self.now, &self.state.settings.entropy)?,
        };
        Ok(self.state.meta.insert(meta))
    }

    /// Read marks are read from storage when they are first needed.
    ///
    /// # Errors
    /// Storage errors.
    pub fn load_marks(&mut self) -> Result<(), DbError> {
        if self.state.meta.is_none() {
            return Ok(());
        }
        let attached = self.state.sockets.iter().map(|(_, session)| (session.user(), session.mark()));
        if self.state.marks.load(self.db, attached)? {
            for (id, sender, at) in messages::newest_senders(self.db, SENDERS_AMONG)? {
                self.state.marks.advance(&sender, id, at);
            }
            // Whoever moved a mark saw to it that the alarm goes off in time.
            let alarm =
                self.state.marks.unsaved_since().map(|since| since.plus(self.state.settings.limits.marks_alarm_ms));
            self.state.alarm_at = self.state.alarm_at.or(alarm.filter(|at| *at > self.now));
        }
        Ok(())
    }

    /// Stores the read marks that have moved.
    ///
    /// # Errors
    /// Storage errors.
    pub fn flush_marks(&mut self) -> Result<(), DbError> {
        self.state.unattached = None;
        self.state.marks.flush(self.db)
    }

    pub fn send(&mut self, to: Rc<[ConnId]>, frame: String) {
        if !to.is_empty() {
            self.effects.push(Effect::Send { to, frame });
        }
    }

    pub fn send_error(&mut self, conn: ConnId, refusal: &Refusal, client_message_id: Option<&str>) {
        self.send(Rc::from([conn]), Event::error(refusal, client_message_id));
    }

    /// Takes the socket out of the room and closes it.
    ///
    /// # Errors
    /// Storage errors.
    pub fn close(&mut self, conn: ConnId, code: CloseCode) -> Result<(), DbError> {
        if self.state.sockets.get(conn).is_some() {
            connect::leave(self, conn)?;
            self.effects.push(Effect::Close { conn, code });
        }
        Ok(())
    }

    /// Sets the alarm for `at`, unless it goes off before that already.
    pub fn alarm_by(&mut self, at: Millis) {
        if self.state.alarm_at.is_none_or(|set| set > at || set < self.now) {
            self.state.alarm_at = Some(at);
            self.effects.push(Effect::SetAlarm(at));
        }
    }

    /// Writes the socket's session into its attachment.
    pub fn attach(&mut self, conn: ConnId) {
        let Some(session) = self.state.sockets.get(conn) else {
            return;
        };
        if let Ok(attachment) = serde_json::to_string(session) {
            self.effects.push(Effect::Attach { conn, attachment });
        }
    }
}
