//! People with their windows, and what they do. Who does what, and to what, comes out of each step's own seed.

use std::collections::{BTreeMap, VecDeque};

use chat_core::ids::{ConnId, Millis, Ticket, UserId};
use chat_core::input::Input;
use chat_core::limits::Limits;
use chat_core::protocol::internal::{Admission, Dialect, Grant, Identity, Role, RoomCall, RoomRequest, Since};
use serde_json::{Value, json};

use crate::db::Sqlite;
use crate::deeds::{Deed, Via, What};
use crate::history::{History, Step};
use crate::judge::seq;
use crate::ledger::Ledger;
use crate::network::{Incoming, Network, Pending, Socket, Source};
use crate::random::Random;
use crate::v1_client::{Say, V1Client, text};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    V1,
    Classic,
    /// Without a socket: it asks for the log by HTTP.
    Poller,
}

/// A window, with what it shows.
pub struct Client {
    pub user: String,
    pub kind: Kind,
    pub conn: Option<ConnId>,
    pub v1: V1Client,
    /// What it kept on disk, some time ago.
    pub saved: Option<V1Client>,
    /// Of a classic one: the words of the messages that came over the socket that it has; `None`: deleted.
    pub classic: BTreeMap<i64, Option<String>>,
}

pub struct World {
    pub net: Network,
    pub ledger: Ledger,
    pub users: Vec<String>,
    pub clients: Vec<Client>,
    last_word: u32,
    /// A statement has failed.
    pub storage_failed: bool,
    pub traced: bool,
}

impl World {
    pub fn new(history: &History, db: Sqlite) -> Self {
        let mut random = Random::new(history.seed ^ 0x5eed);
        let limits = limits(&mut random);
        let mut world = World {
            net: Network::new(limits, db),
            ledger: Ledger::default(),
            users: (1..=history.members).map(|id| id.to_string()).collect(),
            clients: Vec::new(),
            last_word: 0,
            storage_failed: false,
            traced: false,
        };
        for user in world.users.clone() {
            let role = match user.as_str() {
                "1" => Role::Moderator,
                _ if random.percent(8) => Role::Viewer,
                _ => Role::Member,
            };
            let kinds = [Kind::V1, Kind::V1, Kind::V1, Kind::Classic, Kind::Poller];
            let client = world.window(&user, random.pick(&kinds).unwrap());
            world.ledger.person(&user);
            world.connects(client, None, Some(role), &mut random);
        }
        world.takes_turn(&mut random, true);
        world
    }

    pub fn window(&mut self, user: &str, kind: Kind) -> usize {
        let (v1, user) = (V1Client::new(user), user.to_owned());
        self.clients.push(Client { user, kind, conn: None, v1, saved: None, classic: BTreeMap::new() });
        self.clients.len() - 1
    }

    // ---- turns ----

    /// Some of what is under way arrives, and the room takes it.
    pub fn takes_turn(&mut self, random: &mut Random, all: bool) {
        let inputs = self.net.arrives(random, all);
        if !inputs.is_empty() {
            self.runs(&inputs, true);
        }
    }

    /// As the driver does: when a turn fails, its inputs are tried one by one, and what fails again is refused.
    pub fn runs(&mut self, inputs: &[Pending], arrives: bool) {
        if let Some(effects) = self.net.turn(inputs) {
            return self.committed(inputs, effects, arrives);
        }
        self.storage_failed = true;
        for input in inputs {
            let single = std::slice::from_ref(input);
            match if inputs.len() == 1 { None } else { self.net.turn(single) } {
                Some(effects) => self.committed(single, effects, arrives),
                None => self.refuses(input),
            }
        }
    }

    fn refuses(&mut self, pending: &Pending) {
        match &pending.input {
            Input::Frame { conn, .. } => {
                let error = json!({ "type": "error", "code": "internal", "detail": "Please send it again." });
                let Some(socket) = self.net.sockets.get_mut(conn).filter(|socket| socket.open && !socket.cut) else {
                    return;
                };
                let frame = if socket.v1 { json!([error]) } else { error };
                socket.incoming.push_back(Incoming::Frame(frame.into()));
            }
            Input::Connect { conn, .. } => {
                let client = self.net.sockets[conn].client;
                self.closed(client, *conn);
            }
            Input::Alarm => self.net.alarm = Some(self.net.now.plus(2000)),
            // The driver forgets a socket that is gone only when the room has heard of it: it tells it again.
            Input::Closed { conn } => {
                let conn = *conn;
                self.net.put(Source::Socket(conn), Input::Closed { conn }, Deed::nothing());
            }
            _ => {}
        }
    }

    /// Lets time pass; timers and the alarm go off on the way.
    pub fn passes(&mut self, ms: i64) {
        let end = self.net.now.plus(ms);
        while let Some(next) = self.net.alarm_due().filter(|at| *at <= end) {
            self.net.now = self.net.now.max(next);
            let input = if self.net.wake == Some(next) {
                self.net.wake = None;
                Input::Tick
            } else {
                self.net.alarm = None;
                Input::Alarm
            };
            let source = Source::Other(self.net.next_id());
            self.runs(&[Pending { source, input, deed: Deed::nothing() }], true);
        }
        self.net.now = end;
    }

    // ---- what goes in ----

    pub fn identity(&self, user: &str, lasts_s: i64) -> Identity {
        let revoked = self.ledger.people.get(user).map_or(0, |person| person.revoked_before);
        let seconds = self.net.now.seconds();
        Identity {
            user: UserId::parse(user).unwrap(),
            username: Some(format!("user {user}")),
            issued_at: Some(seconds.max(revoked)),
            expires_at: seconds + lasts_s,
            expired: false,
        }
    }

    fn request(&self, identity: Option<Identity>, admission: Admission, call: RoomCall) -> Box<RoomRequest> {
        Box::new(RoomRequest { project: self.net.settings.project.clone(), identity, admission, call })
    }

    pub fn connects(&mut self, client: usize, since: Option<Since>, role: Option<Role>, random: &mut Random) {
        let Client { user, kind, .. } = &self.clients[client];
        let (user, kind) = (user.clone(), *kind);
        if kind == Kind::Poller {
            return self.polls(client, since);
        }
        let dialect = if kind == Kind::V1 { Dialect::V1 } else { Dialect::Classic };
        let (ticket, conn) = (Ticket(self.net.next_id()), ConnId(self.net.next_id()));
        let mut identity = self.identity(&user, random.pick(&[20, 300, 300, 900]).unwrap());
        if random.percent(8) {
            identity.issued_at = Some(self.net.now.seconds());
        }
        let on_kept_yes = role.is_none() && random.percent(20);
        let admission = match on_kept_yes {
            true => Admission::Unknown,
            false => Admission::Granted(Grant { role, revoked_before: Some(0), ..Grant::default() }),
        };
        let (issued_at, expires_at) = (identity.issued_at.unwrap(), Millis(identity.expires_at * 1000));
        let request = self.request(Some(identity), admission, RoomCall::Connect { dialect, since });
        let socket = Socket {
            client,
            user: user.clone(),
            v1: kind == Kind::V1,
            accepted: false,
            open: false,
            cut: false,
            expires_at,
            attachment: None,
            incoming: VecDeque::new(),
            shown: Default::default(),
            newest_shown: 0,
            joined: None,
        };
        self.net.sockets.insert(conn, socket);
        self.clients[client].conn = Some(conn);
        self.clients[client].classic.clear();
        let what = What::Connect { conn, issued_at, role, on_kept_yes };
        let deed = Deed { user, via: Via::Http(ticket), what };
        self.net.put(Source::Socket(conn), Input::Connect { ticket, conn, request }, deed);
    }

    pub fn polls(&mut self, client: usize, since: Option<Since>) {
        let user = self.clients[client].user.clone();
        self.calls(&user, RoomCall::Events { since }, What::Poll { client });
    }

    pub fn polled(&mut self, client: usize, events: &Value) {
        let v1 = &mut self.clients[client].v1;
        for event in events.as_array().unwrap() {
            v1.take(event);
        }
        v1.pulling = false;
    }

    pub fn calls(&mut self, user: &str, call: RoomCall, what: What) -> Ticket {
        let ticket = Ticket(self.net.next_id());
        let yes = Admission::Granted(Grant { revoked_before: Some(0), ..Grant::default() });
        let request = self.request(Some(self.identity(user, 300)), yes, call);
        let deed = Deed { user: user.to_owned(), via: Via::Http(ticket), what };
        self.net.put_alone(Input::Call { ticket, request }, deed);
        ticket
    }

    pub fn serves(&mut self, call: RoomCall, what: What) {
        let ticket = Ticket(self.net.next_id());
        let request = self.request(None, Admission::Server, call);
        let deed = Deed { user: String::new(), via: Via::Http(ticket), what };
        self.net.put_alone(Input::Call { ticket, request }, deed);
    }

    /// The user's windows of this kind that have a socket, as far as they know.
    pub fn windows(&self, user: Option<&str>, kind: Kind) -> Vec<usize> {
        let open = |client: &Client| client.conn.is_some_and(|conn| self.net.sockets[&conn].accepted);
        let wanted = |client: &Client| client.kind == kind && user.is_none_or(|user| client.user == user);
        (0..self.clients.len()).filter(|index| wanted(&self.clients[*index]) && open(&self.clients[*index])).collect()
    }

    /// A v1 frame, over one of the user's sockets or by HTTP.
    pub fn says(&mut self, user: &str, frame: Value, what: What, random: &mut Random) {
        match random.pick(&self.windows(Some(user), Kind::V1)).filter(|_| random.percent(85)) {
            Some(client) => self.says_from(client, frame, what),
            None => drop(self.calls(user, RoomCall::Frame { text: frame.to_string() }, what)),
        }
    }

    /// Over this window's socket.
    pub fn says_from(&mut self, client: usize, mut frame: Value, what: What) {
        let (user, conn) = (self.clients[client].user.clone(), self.clients[client].conn.unwrap());
        let via = match self.clients[client].kind {
            Kind::V1 => {
                let reference = format!("r{}", self.net.next_id());
                frame["ref"] = json!(reference);
                Via::V1(conn, reference)
            }
            _ => Via::Classic(conn),
        };
        let input = Input::Frame { conn, text: frame.to_string() };
        self.net.put(Source::Socket(conn), input, Deed { user, via, what });
    }

    pub fn new_word(&mut self) -> String {
        self.last_word += 1;
        format!("word {}", self.last_word)
    }

    // ---- what comes out ----

    /// At most `count` of what is under way to the window arrives; it answers as its kind does.
    pub fn arrives_at(&mut self, client: usize, count: usize) -> usize {
        let mut arrived = 0;
        while arrived < count
            && let Some(conn) = self.clients[client].conn
            && let Some(incoming) = self.net.sockets.get_mut(&conn).and_then(|socket| socket.incoming.pop_front())
        {
            arrived += 1;
            match incoming {
                Incoming::Closed => self.closed(client, conn),
                Incoming::Frame(frame) if self.clients[client].kind == Kind::V1 => {
                    for event in frame.as_array().unwrap() {
                        if let Some(Say::Resume(after)) = self.clients[client].v1.take(event) {
                            self.says_from(client, json!({ "type": "resume", "after": after }), What::Other);
                        }
                    }
                }
                Incoming::Frame(frame) => self.clients[client].shows(&frame),
            }
        }
        arrived
    }

    /// The window has learned that its socket is gone.
    pub fn closed(&mut self, client: usize, conn: ConnId) {
        if self.clients[client].conn == Some(conn) {
            self.clients[client].conn = None;
            self.clients[client].v1.disconnected();
        }
    }

    pub fn drops(&mut self, client: usize, random: &mut Random) {
        if let Some(conn) = self.clients[client].conn {
            self.net.cut(conn, random, Deed::nothing());
            self.closed(client, conn);
        }
    }

    /// Where the window left off, if it was ever greeted.
    pub fn since(&self, client: usize) -> Option<Since> {
        let v1 = &self.clients[client].v1;
        let known = !v1.epoch.is_empty() && self.clients[client].kind != Kind::Classic;
        known.then(|| Since { seq: seq(v1.position), epoch: Some(v1.epoch.clone()) })
    }

    pub fn step(&mut self, step: &Step) -> bool {
        let mut random = Random::new(step.seed);
        self.passes(random.pick(&[0, 0, 1, 7, 40]).unwrap());
        let done = self.acts(step.op, &mut random);
        if step.turn {
            self.takes_turn(&mut random, false);
        }
        done
    }
}

impl Client {
    /// A classic window shows what comes, once.
    fn shows(&mut self, frame: &Value) {
        let message = &frame["message"];
        let id = message["id"].as_i64().or(frame["id"].as_i64());
        match (frame["type"].as_str(), id) {
            (Some("new.message"), Some(id)) => drop(self.classic.insert(id, Some(text(&message["content"])))),
            (Some("message.updated"), Some(id)) if self.classic.contains_key(&id) => {
                self.classic.insert(id, Some(text(&message["content"])));
            }
            (Some("message.deleted"), Some(id)) if self.classic.contains_key(&id) => {
                self.classic.insert(id, None);
            }
            _ => {}
        }
    }
}

/// Small ones, so that short histories meet them.
fn limits(random: &mut Random) -> Limits {
    Limits {
        message_rate: 0,
        resume_chunk: random.pick(&[1, 2, 3, 5, 8, 300]).unwrap(),
        resume_chunk_bytes: random.pick(&[300, 1500, 524_288, 524_288]).unwrap(),
        v1_page: random.pick(&[1, 1, 2, 5]).unwrap(),
        reactions_max: random.pick(&[1, 3, 50]).unwrap(),
        pins_max: random.pick(&[1, 2, 50]).unwrap(),
        unread_max: random.pick(&[2, 5, 999]).unwrap(),
        sockets_per_user: random.pick(&[2, 3, 10]).unwrap(),
        classic_replay_max: 1000,
        receipts_to_all_max_present: random.pick(&[1, 100, 100, 100]).unwrap(),
        ..Limits::default()
    }
}
