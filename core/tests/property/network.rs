//! The room with its sockets, its inbox and its storage, and a network that keeps what is under way: it may come late,
//! together with what others say, or not at all.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::rc::Rc;

use chat_core::effect::{Answer, Effect, Effects};
use chat_core::ids::{ConnId, Millis, ProjectId, Ticket};
use chat_core::input::Input;
use chat_core::limits::Limits;
use chat_core::protocol::internal::Identity;
use chat_core::room::{Room, Settings};
use chat_core::session::Session;
use serde_json::Value;

use crate::db::Sqlite;
use crate::deeds::Deed;
use crate::random::Random;

/// 2026-11-22T12:00:00Z
pub const NOON: Millis = Millis(1_795_348_800_000);

pub const EPOCH: &str = "first";

pub enum Incoming {
    Frame(Rc<Value>),
    Closed,
}

/// A socket, with both its ends.
pub struct Socket {
    pub client: usize,
    pub user: String,
    pub v1: bool,
    pub accepted: bool,
    /// As far as the room knows.
    pub open: bool,
    /// The client's end is gone: what is sent goes nowhere.
    pub cut: bool,
    pub expires_at: Millis,
    pub attachment: Option<String>,
    pub incoming: VecDeque<Incoming>,
    /// Messages of others that a classic socket was sent, the newest, and what it must have been sent by now.
    pub shown: BTreeSet<i64>,
    pub newest_shown: i64,
    pub joined: Option<(i64, i64)>,
}

/// Inputs of one source stay in order; those of different sources meet in a turn in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    Socket(ConnId),
    Other(u32),
}

#[derive(Clone)]
pub struct Pending {
    pub source: Source,
    pub input: Input,
    pub deed: Deed,
}

pub struct Network {
    pub room: Room,
    pub settings: Settings,
    pub db: Sqlite,
    pub now: Millis,
    last_id: u32,
    pub sockets: BTreeMap<ConnId, Socket>,
    pub pending: BTreeMap<Source, VecDeque<Pending>>,
    pub answers: HashMap<Ticket, Answer>,
    pub alarm: Option<Millis>,
    pub wake: Option<Millis>,
    /// The n-th statement of the next turn fails, and of its repetition, too.
    pub fails: Option<(u32, bool)>,
    pub identities: HashMap<String, Identity>,
}

impl Network {
    pub fn new(limits: Limits, db: Sqlite) -> Self {
        let project = ProjectId::parse("5").unwrap();
        let settings =
            Settings { project, limits, classic_replay: true, epoch_salt: String::new(), entropy: EPOCH.into() };
        Network {
            room: Room::open(settings.clone(), []),
            settings,
            db,
            now: NOON,
            last_id: 0,
            sockets: BTreeMap::new(),
            pending: BTreeMap::new(),
            answers: HashMap::new(),
            alarm: None,
            wake: None,
            fails: None,
            identities: HashMap::new(),
        }
    }

    pub fn next_id(&mut self) -> u32 {
        self.last_id += 1;
        self.last_id
    }

    pub fn put(&mut self, source: Source, input: Input, deed: Deed) {
        self.pending.entry(source).or_default().push_back(Pending { source, input, deed });
    }

    /// From a source of its own.
    pub fn put_alone(&mut self, input: Input, deed: Deed) {
        let source = Source::Other(self.next_id());
        self.put(source, input, deed);
    }

    /// Some of what is under way has arrived: of each source what came first, the sources mixed at random.
    pub fn arrives(&mut self, random: &mut Random, all: bool) -> Vec<Pending> {
        let waiting: usize = self.pending.values().map(VecDeque::len).sum();
        let count = if all || random.percent(60) { waiting } else { 1 + random.below(waiting) };
        let mut inputs: Vec<Pending> = Vec::new();
        while inputs.len() < count {
            let sources: Vec<Source> = self.pending.keys().copied().collect();
            let Some(source) = random.pick(&sources) else { break };
            let queue = self.pending.get_mut(&source).unwrap();
            let ends = matches!(queue.front().unwrap().input, Input::Closed { .. });
            let awaited = |pending: &Pending| pending.source == source && pending.deed.must_be_answered();
            if ends && inputs.iter().any(awaited) {
                break; // the end of the socket comes with the next turn
            }
            inputs.extend(queue.pop_front());
            if queue.is_empty() {
                self.pending.remove(&source);
            }
        }
        inputs
    }

    /// One turn as the driver runs it: in one transaction. `None`: it failed, and the room was opened anew.
    pub fn turn(&mut self, inputs: &[Pending]) -> Option<Effects> {
        self.db.fails_in = self.fails.map(|(statements, _)| statements);
        let planned = self.db.fails_in.is_some();
        self.db.begin();
        let outcome =
            self.room.turn(self.now, inputs.iter().map(|pending| pending.input.clone()).collect(), &mut self.db);
        let failed_as_planned = planned && self.db.fails_in.is_none();
        self.db.fails_in = None;
        match outcome {
            Ok(effects) => {
                assert!(!failed_as_planned, "the room took no notice of a statement that failed");
                self.fails = None;
                self.db.commit();
                Some(effects)
            }
            Err(error) => {
                assert!(failed_as_planned, "the turn failed: {error}");
                self.db.roll_back();
                self.reopen();
                // Again in the next attempt, or this time only.
                self.fails = self.fails.take().filter(|(_, again)| *again).map(|(statements, _)| (statements, false));
                None
            }
        }
    }

    /// Memory is gone, sockets and their attachments stay.
    pub fn reopen(&mut self) {
        let open = self.sockets.iter().filter(|(_, socket)| socket.open);
        let session = |(conn, socket): (&ConnId, &Socket)| {
            let session: Session = serde_json::from_str(socket.attachment.as_ref().unwrap()).unwrap();
            (*conn, session)
        };
        let sessions: Vec<_> = open.map(session).collect();
        self.room = Room::open(self.settings.clone(), sessions);
        self.wake = None;
    }

    /// Memory and sockets are gone; of what is under way to clients some arrives, of what is under way to the room none.
    pub fn crash(&mut self, random: &mut Random) {
        self.pending.clear();
        for socket in self.sockets.values_mut().filter(|socket| socket.open) {
            socket.open = false;
            let arrives = random.below(socket.incoming.len() + 1);
            socket.incoming.truncate(arrives);
            socket.incoming.push_back(Incoming::Closed);
        }
        self.reopen();
    }

    /// The line of a socket dies: of what is under way either way some arrives. The room hears of the end later.
    pub fn cut(&mut self, conn: ConnId, random: &mut Random, goodbye: Deed) {
        let Some(socket) = self.sockets.get_mut(&conn).filter(|socket| !socket.cut) else { return };
        socket.cut = true;
        socket.incoming.clear();
        let source = Source::Socket(conn);
        if let Some(queue) = self.pending.get_mut(&source) {
            // A join that is under way arrives: whoever asked for it is let in, and gone.
            let least = usize::from(matches!(queue.front().map(|p| &p.input), Some(Input::Connect { .. })));
            let arrives = random.below(queue.len() + 1).max(least);
            queue.truncate(arrives);
        }
        self.put(source, Input::Closed { conn }, goodbye);
    }

    pub fn alarm_due(&self) -> Option<Millis> {
        [self.wake, self.alarm].into_iter().flatten().min()
    }

    /// What was sent, for the one who looks at it: each frame with the sockets that it goes to.
    pub fn frames(effects: &Effects) -> Vec<(Rc<[ConnId]>, Rc<Value>)> {
        let frame = |effect: &Effect| match effect {
            Effect::Send { to, frame } => {
                Some((to.clone(), Rc::new(serde_json::from_str(frame).expect("a frame is JSON"))))
            }
            _ => None,
        };
        effects.iter().filter_map(frame).collect()
    }
}
