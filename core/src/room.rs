//! One project's chat: takes a turn's inputs to the features, in order. It knows no rule of the chat.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::rc::Rc;

use crate::db::{Db, DbError};
use crate::effect::{Answer, Effect, Effects};
use crate::fanout::Fanout;
use crate::features::{
    access, auth, connect, contacts, frames, history, membership, presence, project, prune, rates, read, replay,
    resume, roster, send, storage, typing,
};
use crate::ids::{ConnId, Millis, ProjectId, Seq, Ticket, UserId};
use crate::input::Input;
use crate::limits::Limits;
use crate::protocol::classic::Event;
use crate::protocol::codes::{CloseCode, Refusal};
use crate::protocol::frames::Tags;
use crate::protocol::internal::{RoomCall, RoomRequest};
use crate::protocol::v1::{self, Passing};
use crate::session::Session;
use crate::sockets::Sockets;
use crate::store::marks::Marks;
use crate::store::members::Members;
use crate::store::messages;
use crate::store::meta::{self, Meta};
use crate::store::pins::Pins;

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
    /// `EPOCH_SALT`: changed after a restore from a backup, so that every client starts anew.
    pub epoch_salt: String,
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
    pub fill: storage::Fill,
    pub rates: rates::Rates,
    pub recheck: access::Slots,
    /// Members who may have to be told of the next change; `None`: any of them.
    pub untold: Option<BTreeSet<UserId>>,
    pub roster_changes: roster::Changes,
    pub recent: roster::Recent,
    pub pins: Pins,
    pub last_sent: project::LastSent,
    pub typing: typing::Typists,
    pub presence: presence::Presence,
    pub replays: replay::Replays,
    pub confirmed: resume::Confirmed,
    pub expiry: auth::Expiry,
    pub renewals: auth::Pending,
    /// When the alarm is set for, as far as this instance knows.
    pub alarm_at: Option<Millis>,
}

/// One turn in progress: what features work with.
pub struct Turn<'a> {
    pub now: Millis,
    pub db: &'a mut dyn Db,
    pub state: &'a mut State,
    pub effects: Effects,
    /// What v1 sockets get of this turn.
    pub fanout: Fanout,
    /// Sockets whose session has changed.
    attach: BTreeSet<ConnId>,
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
            fill: storage::Fill::default(),
            rates: rates::Rates::default(),
            recheck: access::Slots::default(),
            untold: None,
            roster_changes: roster::Changes::default(),
            recent: roster::Recent::default(),
            pins: Pins::default(),
            last_sent: project::LastSent::default(),
            typing: typing::Typists::default(),
            presence: presence::Presence::default(),
            replays: replay::Replays::default(),
            confirmed: resume::Confirmed::default(),
            expiry: auth::Expiry::default(),
            renewals: auth::Pending::default(),
            alarm_at: None,
        };
        Room { state, loaded: false }
    }

    /// Takes a turn. The driver runs it in one transaction; see the crate's drive contract.
    ///
    /// # Errors
    /// Storage errors. Nothing of the turn has happened then: roll back and open the room anew.
    pub fn turn(&mut self, now: Millis, inputs: Vec<Input>, db: &mut dyn Db) -> Result<Effects, DbError> {
        let (effects, fanout, attach) = (Effects::new(), Fanout::default(), BTreeSet::new());
        let mut turn = Turn { now, db, state: &mut self.state, effects, fanout, attach };
        if !self.loaded {
            turn.load()?;
            self.loaded = true;
            replay::resume(&mut turn);
            contacts::resume(&mut turn)?;
            auth::resume(&mut turn);
        }
        auth::expire(&mut turn)?;
        for input in inputs {
            turn.take(input)?;
        }
        // In this order: that somebody was told is stored with the marks.
        contacts::finish(&mut turn)?;
        read::finish(&mut turn)?;
        typing::finish(&mut turn)?;
        roster::finish(&mut turn)?;
        resume::finish(&mut turn)?;
        presence::finish(&mut turn)?;
        Ok(turn.finish())
    }
}

impl Turn<'_> {
    fn take(&mut self, input: Input) -> Result<(), DbError> {
        match input {
            Input::Frame { conn, text } => frames::take(self, conn, &text),
            Input::BadFrame { conn, why } => frames::refuse(self, conn, why),
            Input::Connect { ticket, conn, request } => connect::join(self, ticket, conn, &request),
            Input::Closed { conn } => connect::leave(self, conn),
            Input::Call { ticket, request } => self.call(ticket, *request),
            Input::Alarm => read::alarm(self),
            Input::Tick => replay::tick(self),
            Input::Verified { conn, outcome } => auth::verified(self, conn, outcome),
            Input::Heartbeats(heartbeats) => presence::sweep(self, &heartbeats),
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
                    RoomCall::Events { since } => resume::call(self, &entry, since),
                    RoomCall::Frame { text } => frames::call(self, &entry, &text),
                    RoomCall::Prune { up_to } => prune::call(self, up_to),
                    RoomCall::MarkRead { up_to } => read::call(self, &entry, up_to),
                    RoomCall::Summary => contacts::summary(self, &entry, false),
                    RoomCall::Watch => contacts::summary(self, &entry, true),
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
                self.state.last_sent.note(&sender, at);
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

    /// A frame to classic sockets.
    pub fn send(&mut self, to: Rc<[ConnId]>, frame: String) {
        if !to.is_empty() {
            self.effects.push(Effect::Send { to, frame });
        }
    }

    /// An event to every v1 socket. `logged`: an event of the log, for those only who have what comes before it.
    pub fn publish(&mut self, event: String, logged: bool) {
        if self.state.sockets.any_v1() {
            self.fanout.publish(event, logged);
        }
    }

    /// An event to one v1 socket.
    pub fn tell(&mut self, conn: ConnId, event: String) {
        self.fanout.tell(&self.state.sockets, conn, event);
    }

    pub fn v1_sockets_of(&self, user: &UserId) -> Vec<ConnId> {
        let sockets = &self.state.sockets;
        sockets.of(user).iter().copied().filter(|conn| sockets.v1(*conn).is_some()).collect()
    }

    /// Tells the user's own v1 sockets what they are here.
    ///
    /// # Errors
    /// Storage errors.
    pub fn tell_you(&mut self, user: &UserId) -> Result<(), DbError> {
        let conns = self.v1_sockets_of(user);
        if !conns.is_empty() {
            let event = Passing::You { you: &roster::you(self, user)? }.encode();
            conns.into_iter().for_each(|conn| self.tell(conn, event.clone()));
        }
        Ok(())
    }

    /// The socket has been given the log up to the head (`None`), or is behind from here on.
    pub fn set_behind(&mut self, conn: ConnId, behind: Option<Seq>) {
        self.fanout.caught_up(&self.state.sockets, conn, behind.is_none());
        if let Some(session) = self.state.sockets.v1_mut(conn)
            && session.behind != behind
        {
            session.behind = behind;
            self.attach(conn);
        }
    }

    pub fn send_error(&mut self, conn: ConnId, refusal: &Refusal, tags: &Tags) {
        if self.state.sockets.v1(conn).is_some() {
            self.tell(conn, v1::error(refusal, tags));
        } else {
            self.send(Rc::from([conn]), Event::error(refusal, tags.client_message_id.as_deref()));
        }
    }

    /// The epoch as clients know it.
    pub fn epoch(&self) -> String {
        let stored = self.state.meta.as_ref().map_or("", |meta| meta.epoch.as_str());
        match self.state.settings.epoch_salt.as_str() {
            "" => stored.to_owned(),
            salt => format!("{stored}.{salt}"),
        }
    }

    /// Takes the socket out of the room and closes it.
    ///
    /// # Errors
    /// Storage errors.
    pub fn close(&mut self, conn: ConnId, code: CloseCode) -> Result<(), DbError> {
        if self.state.sockets.get(conn).is_some() {
            self.fanout.leave(&self.state.sockets, conn, &mut self.effects);
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

    /// The socket's session has changed: it goes into the attachment at the end of the turn.
    pub fn attach(&mut self, conn: ConnId) {
        self.attach.insert(conn);
    }

    fn finish(mut self) -> Effects {
        for conn in std::mem::take(&mut self.attach) {
            let session = self.state.sockets.get(conn).map(serde_json::to_string);
            if let Some(Ok(attachment)) = session {
                self.effects.push(Effect::Attach { conn, attachment });
            }
        }
        self.fanout.finish(&mut self.state.sockets, &mut self.effects);
        self.effects
    }
}
