//! People, their windows, a clock that the story moves, and a room that can be evicted between two lines.

use std::collections::{BTreeMap, HashMap};

use chat_core::effect::{Answer, Effect};
use chat_core::ids::{ConnId, Millis, ProjectId, Seq, Ticket, UserId};
use chat_core::input::{BadFrame, Input};
use chat_core::limits::Limits;
use chat_core::protocol::codes::Refusal;
use chat_core::protocol::internal::{Admission, Dialect, Grant, Identity, Role, RoomCall, RoomRequest, Since};
use chat_core::room::{Room, Settings};
use chat_core::session::{ATTACHMENT_MAX_BYTES, Session};
use serde_json::{Value, json};

use crate::db::Sqlite;
use crate::lines::{events, line};
use crate::log::Place;

/// 2026-11-22T12:00:00Z
pub const NOON: Millis = Millis(1_795_348_800_000);

/// A window of somebody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window(pub ConnId);

pub struct World {
    room: Room,
    pub settings: Settings,
    pub db: Sqlite,
    pub now: Millis,
    last_id: u32,
    timelines: BTreeMap<ConnId, Vec<String>>,
    frames: BTreeMap<ConnId, Vec<Value>>,
    attachments: BTreeMap<ConnId, String>,
    answers: HashMap<Ticket, Answer>,
    pub tells: Vec<(String, bool)>,
    pub alarm: Option<Millis>,
    wake: Option<Millis>,
    pub rechecks: Vec<i64>,
    /// Where each v1 window is in the log.
    places: BTreeMap<ConnId, Place>,
    /// Tokens that the driver was asked to check.
    pub to_verify: Vec<(Window, String)>,
}

pub fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

pub fn identity(name: &str, now: Millis) -> Identity {
    let seconds = now.seconds();
    Identity {
        user: user(name),
        username: Some(name.to_owned()),
        issued_at: Some(seconds),
        expires_at: seconds + 300,
        expired: false,
    }
}

/// A yes without any news, from a user who was never revoked.
pub fn yes() -> Admission {
    Admission::Granted(Grant { revoked_before: Some(0), ..Grant::default() })
}

/// A yes with a role.
pub fn as_role(role: Role) -> Admission {
    Admission::Granted(Grant { revoked_before: Some(0), role: Some(role), ..Grant::default() })
}

/// A frame of a window's, for a turn of several inputs.
pub fn said(window: Window, frame: &Value) -> Input {
    Input::Frame { conn: window.0, text: frame.to_string() }
}

/// Ann and bob on v1, cy on a classic window; ann has said "one".
pub fn three() -> (World, Window, Window, Window) {
    let mut world = World::new();
    let (ann, bob, cy) = (world.joins_v1("ann"), world.joins_v1("bob"), world.joins("cy"));
    world.sends(ann, "one");
    world.so_far(&[ann, bob, cy]);
    (world, ann, bob, cy)
}

/// A moderator on v1.
pub fn moderator(world: &mut World, name: &str, others: &[Window]) -> Window {
    let window = world.joins_v1_as(name, as_role(Role::Moderator));
    world.so_far(others);
    world.so_far(&[window]);
    window
}

impl World {
    pub fn new() -> Self {
        World::with(Limits::default())
    }

    pub fn with(limits: Limits) -> Self {
        let project = ProjectId::parse("5").unwrap();
        let settings =
            Settings { project, limits, classic_replay: true, epoch_salt: String::new(), entropy: "first".into() };
        World {
            room: Room::open(settings.clone(), []),
            settings,
            db: Sqlite::new(),
            now: NOON,
            last_id: 0,
            timelines: BTreeMap::new(),
            frames: BTreeMap::new(),
            attachments: BTreeMap::new(),
            answers: HashMap::new(),
            tells: Vec::new(),
            alarm: None,
            wake: None,
            rechecks: Vec::new(),
            places: BTreeMap::new(),
            to_verify: Vec::new(),
        }
    }

    // ---- what people do ----

    pub fn joins(&mut self, name: &str) -> Window {
        let identity = identity(name, self.now);
        self.tries_to_join(identity, yes()).unwrap_or_else(|answer| panic!("{name} was refused: {answer:?}"))
    }

    pub fn tries_to_join(&mut self, identity: Identity, admission: Admission) -> Result<Window, Answer> {
        self.tries_to_enter(identity, admission, Dialect::Classic, None)
    }

    pub fn tries_to_enter(
        &mut self,
        identity: Identity,
        admission: Admission,
        dialect: Dialect,
        since: Option<Since>,
    ) -> Result<Window, Answer> {
        let (window, ticket, input) = self.knock(identity, admission, dialect, since);
        self.turn(vec![input]);
        match self.answers.remove(&ticket) {
            Some(answer) => Err(answer),
            None => {
                assert!(self.timelines.contains_key(&window.0), "neither accepted nor answered");
                Ok(window)
            }
        }
    }

    /// The input with which somebody comes, for a turn of several.
    pub fn knock(
        &mut self,
        identity: Identity,
        admission: Admission,
        dialect: Dialect,
        since: Option<Since>,
    ) -> (Window, Ticket, Input) {
        let call = RoomCall::Connect { dialect, since };
        let request = RoomRequest { project: self.settings.project.clone(), identity: Some(identity), admission, call };
        let (ticket, conn) = (Ticket(self.next()), ConnId(self.next()));
        (Window(conn), ticket, Input::Connect { ticket, conn, request: Box::new(request) })
    }

    pub fn knocks_v1(&mut self, name: &str, since: Option<Since>) -> (Window, Input) {
        let (window, _, input) = self.knock(identity(name, self.now), yes(), Dialect::V1, since);
        (window, input)
    }

    pub fn joins_v1(&mut self, name: &str) -> Window {
        self.joins_v1_as(name, yes())
    }

    /// With a role of their own.
    pub fn joins_v1_as(&mut self, name: &str, admission: Admission) -> Window {
        let identity = identity(name, self.now);
        let window = self.tries_to_enter(identity, admission, Dialect::V1, None);
        window.unwrap_or_else(|answer| panic!("{name} was refused: {answer:?}"))
    }

    /// Somebody who was here before, up to a position.
    pub fn joins_v1_since(&mut self, name: &str, seq: i64) -> Window {
        let since = Since { seq: Seq(seq), epoch: Some(self.epoch()) };
        let identity = identity(name, self.now);
        let window = self.tries_to_enter(identity, yes(), Dialect::V1, Some(since));
        window.unwrap_or_else(|answer| panic!("{name} was refused: {answer:?}"))
    }

    pub fn epoch(&self) -> String {
        self.settings.entropy.clone()
    }

    pub fn sends(&mut self, window: Window, content: &str) {
        self.frame(window, &json!({ "type": "send_message", "content": content }));
    }

    pub fn sends_as(&mut self, window: Window, content: &str, client_message_id: &str) {
        let frame = json!({ "type": "send_message", "content": content, "client_message_id": client_message_id });
        self.frame(window, &frame);
    }

    pub fn types(&mut self, window: Window, is_typing: bool) {
        self.frame(window, &json!({ "type": "typing", "is_typing": is_typing }));
    }

    pub fn reads(&mut self, window: Window, id: i64) {
        self.frame(window, &json!({ "type": "read", "last_read_message_id": id }));
    }

    pub fn frame(&mut self, window: Window, frame: &Value) {
        self.says(window, &frame.to_string());
    }

    pub fn says(&mut self, window: Window, text: &str) {
        self.turn(vec![Input::Frame { conn: window.0, text: text.to_owned() }]);
    }

    pub fn says_badly(&mut self, window: Window, why: BadFrame) {
        self.turn(vec![Input::BadFrame { conn: window.0, why }]);
    }

    pub fn leaves(&mut self, window: Window) {
        self.attachments.remove(&window.0);
        self.turn(vec![Input::Closed { conn: window.0 }]);
    }

    /// A v1 frame by HTTP: the status, and the event that answers it as a line.
    pub fn posts(&mut self, name: &str, frame: &Value) -> (u16, String) {
        let answer = self.calls(name, RoomCall::Frame { text: frame.to_string() });
        let body = World::body(&answer);
        let shown = if answer.status == 200 { line(&body[0]) } else { body["code"].as_str().unwrap().to_owned() };
        (answer.status, shown)
    }

    /// What the driver found out about a token.
    pub fn verified(&mut self, window: Window, outcome: Result<Identity, Refusal>) {
        self.turn(vec![Input::Verified { conn: window.0, outcome }]);
    }

    pub fn calls(&mut self, name: &str, call: RoomCall) -> Answer {
        self.calls_with(Some(identity(name, self.now)), yes(), call)
    }

    pub fn serves(&mut self, call: RoomCall) -> Answer {
        self.calls_with(None, Admission::Server, call)
    }

    pub fn calls_with(&mut self, identity: Option<Identity>, admission: Admission, call: RoomCall) -> Answer {
        let ticket = Ticket(self.next());
        let request = RoomRequest { project: self.settings.project.clone(), identity, admission, call };
        self.turn(vec![Input::Call { ticket, request: Box::new(request) }]);
        self.answers.remove(&ticket).expect("a call is answered")
    }

    pub fn body(answer: &Answer) -> Value {
        serde_json::from_str(&answer.body).unwrap()
    }

    // ---- what happens to the room ----

    /// Runs a turn as the driver does: one transaction, effects after the commit.
    pub fn turn(&mut self, inputs: Vec<Input>) {
        self.db.begin();
        match self.room.turn(self.now, inputs, &mut self.db) {
            Ok(effects) => {
                self.db.commit();
                effects.into_iter().for_each(|effect| self.carry_out(effect));
            }
            Err(error) => {
                self.db.roll_back();
                self.reopen();
                panic!("the turn failed: {error}");
            }
        }
    }

    /// A turn whose effects the story looks at itself, too.
    pub fn effects(&mut self, inputs: Vec<Input>) -> Vec<Effect> {
        self.db.begin();
        let effects = self.room.turn(self.now, inputs, &mut self.db).unwrap();
        self.db.commit();
        effects.iter().cloned().for_each(|effect| self.carry_out(effect));
        effects
    }

    /// The answer to an input of the story's own.
    pub fn answered(&mut self, ticket: Ticket) -> Answer {
        self.answers.remove(&ticket).expect("an answer")
    }

    /// A turn that storage refuses: the driver rolls back and opens the room anew.
    pub fn turn_fails(&mut self, inputs: Vec<Input>) {
        self.db.begin();
        assert!(self.room.turn(self.now, inputs, &mut self.db).is_err(), "storage should have failed");
        self.db.roll_back();
        self.reopen();
    }

    /// Memory is gone, sockets and their attachments stay.
    pub fn hibernates(&mut self) {
        self.wake = None;
        self.reopen();
    }

    /// Memory and sockets are gone: a crash, or a deploy.
    pub fn crashes(&mut self) {
        self.wake = None;
        self.attachments.clear();
        self.reopen();
    }

    fn reopen(&mut self) {
        let session = |(conn, text): (&ConnId, &String)| {
            let session: Session = serde_json::from_str(text).unwrap();
            (*conn, session)
        };
        self.room = Room::open(self.settings.clone(), self.attachments.iter().map(session));
    }

    /// Lets time pass; timers and the alarm go off on the way.
    pub fn passes(&mut self, ms: i64) {
        let end = self.now.plus(ms);
        while let Some(next) = [self.wake, self.alarm].into_iter().flatten().min().filter(|at| *at <= end) {
            self.now = self.now.max(next);
            if self.wake == Some(next) {
                self.wake = None;
                self.turn(vec![Input::Tick]);
            } else {
                self.alarm = None;
                self.turn(vec![Input::Alarm]);
            }
        }
        self.now = end;
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Accept { conn, recheck_ms, .. } => {
                self.timelines.insert(conn, Vec::new());
                self.rechecks.extend(recheck_ms);
            }
            Effect::Answer { ticket, answer } => {
                self.rechecks.extend(answer.recheck_ms);
                self.answers.insert(ticket, answer);
            }
            Effect::Send { to, frame } => {
                let frame: Value = serde_json::from_str(&frame).unwrap();
                for conn in to.iter() {
                    self.receives(*conn, &frame);
                }
            }
            Effect::Attach { conn, attachment } => {
                assert!(attachment.len() <= ATTACHMENT_MAX_BYTES, "{} bytes attached", attachment.len());
                self.attachments.insert(conn, attachment);
            }
            Effect::Close { conn, code } => {
                self.attachments.remove(&conn);
                self.timelines.get_mut(&conn).unwrap().push(format!("closed {}", code.code()));
            }
            Effect::Verify { conn, token } => self.to_verify.push((Window(conn), token)),
            Effect::AskRoom { .. } => {}
            Effect::SetAlarm(at) => self.alarm = Some(at),
            Effect::WakeAt(at) => self.wake = Some(self.wake.map_or(at, |set| set.min(at))),
            Effect::Tell { user, gone, .. } => self.tells.push((user.to_string(), gone)),
        }
    }

    fn receives(&mut self, conn: ConnId, frame: &Value) {
        assert!(self.attachments.contains_key(&conn) || self.is_new(conn), "sent to a window that has gone: {frame}");
        for event in events(frame) {
            if frame.is_array() {
                let place = self.places.entry(conn).or_insert(Place::Fresh);
                *place = place.after(&event);
            }
            self.timelines.get_mut(&conn).expect("sent before accepted").push(line(&event));
            self.frames.entry(conn).or_default().push(event);
        }
    }

    /// Accepted in this very turn.
    fn is_new(&self, conn: ConnId) -> bool {
        self.timelines.contains_key(&conn) && !self.frames.contains_key(&conn)
    }

    // ---- what people see ----

    /// What the window has shown since this was last asked.
    #[track_caller]
    pub fn shows(&mut self, window: Window, expected: &[&str]) {
        let shown = std::mem::take(self.timelines.get_mut(&window.0).unwrap());
        assert_eq!(shown, expected);
    }

    /// What they show from here on is all that the story is about.
    pub fn so_far(&mut self, windows: &[Window]) {
        windows.iter().for_each(|window| drop(self.lines(*window)));
    }

    /// What the window has shown since this was last asked, to be looked at.
    pub fn lines(&mut self, window: Window) -> Vec<String> {
        std::mem::take(self.timelines.get_mut(&window.0).unwrap())
    }

    /// The answer to a question, alone.
    pub fn asks(&mut self, window: Window, frame: &Value) -> String {
        self.so_far(&[window]);
        self.frame(window, frame);
        let lines = self.lines(window);
        assert_eq!(lines.len(), 1, "one answer to {frame}, not {lines:?}");
        lines.concat()
    }

    /// The events themselves, all of them.
    pub fn frames(&self, window: Window) -> &[Value] {
        self.frames.get(&window.0).map_or(&[], Vec::as_slice)
    }

    /// The ids and texts of the newest messages, as `GET messages` gives them.
    pub fn history(&mut self, name: &str) -> Vec<String> {
        let call = RoomCall::Messages { limit: Some(100), before: None, after: None };
        let body = World::body(&self.calls(name, call));
        let line = |message: &Value| format!("{} {}", message["id"], message["content"].as_str().unwrap());
        body.as_array().unwrap().iter().map(line).collect()
    }

    pub fn unread(&mut self, name: &str) -> i64 {
        World::body(&self.calls(name, RoomCall::Summary))["unread_count"].as_i64().unwrap()
    }

    pub fn marks_read(&mut self, name: &str, up_to: Option<i64>) -> Answer {
        self.calls(name, RoomCall::MarkRead { up_to: up_to.map(Seq) })
    }

    fn next(&mut self) -> u32 {
        self.last_id += 1;
        self.last_id
    }
}
