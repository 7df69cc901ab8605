//! People, their windows, a clock that the story moves, and a room that can be evicted between two lines.

use std::collections::{BTreeMap, HashMap};

use chat_core::effect::{Answer, Effect};
use chat_core::ids::{ConnId, Millis, ProjectId, Seq, Ticket, UserId};
use chat_core::input::{BadFrame, Input};
use chat_core::limits::Limits;
use chat_core::protocol::internal::{Admission, Dialect, Grant, Identity, RoomCall, RoomRequest};
use chat_core::room::{Room, Settings};
use chat_core::session::{ATTACHMENT_MAX_BYTES, Session};
use serde_json::{Value, json};

use crate::db::Sqlite;

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
        }
    }

    // ---- what people do ----

    pub fn joins(&mut self, name: &str) -> Window {
        let identity = identity(name, self.now);
        self.tries_to_join(identity, yes()).unwrap_or_else(|answer| panic!("{name} was refused: {answer:?}"))
    }

    pub fn tries_to_join(&mut self, identity: Identity, admission: Admission) -> Result<Window, Answer> {
        let call = RoomCall::Connect { dialect: Dialect::Classic, since: None };
        let request = RoomRequest { project: self.settings.project.clone(), identity: Some(identity), admission, call };
        let (ticket, conn) = (Ticket(self.next()), ConnId(self.next()));
        self.turn(vec![Input::Connect { ticket, conn, request: Box::new(request) }]);
        match self.answers.remove(&ticket) {
            Some(answer) => Err(answer),
            None => {
                assert!(self.timelines.contains_key(&conn), "neither accepted nor answered");
                Ok(Window(conn))
            }
        }
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
                let event: Value = serde_json::from_str(&frame).unwrap();
                for conn in to.iter() {
                    self.timelines.get_mut(conn).expect("sent before accepted").push(line(&event));
                    self.frames.entry(*conn).or_default().push(event.clone());
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
            Effect::Verify { .. } | Effect::AskRoom { .. } => {}
            Effect::SetAlarm(at) => self.alarm = Some(at),
            Effect::WakeAt(at) => self.wake = Some(self.wake.map_or(at, |set| set.min(at))),
            Effect::Tell { user, gone, .. } => self.tells.push((user.to_string(), gone)),
        }
    }

    // ---- what people see ----

    /// What the window has shown since this was last asked.
    #[track_caller]
    pub fn shows(&mut self, window: Window, expected: &[&str]) {
        let shown = std::mem::take(self.timelines.get_mut(&window.0).unwrap());
        assert_eq!(shown, expected);
    }

    /// The frames themselves, all of them.
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

fn line(event: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match event["type"].as_str().unwrap() {
        "new.message" => {
            let message = &event["message"];
            format!("{} {}: {}", message["id"], text(&message["sender"]["id"]), text(&message["content"]))
        }
        "typing" => {
            format!("{} {}", text(&event["username"]), if event["is_typing"] == true { "types" } else { "stops" })
        }
        "read_receipt" => format!("{} read {}", text(&event["user_id"]), event["last_read_message_id"]),
        "error" => format!("error {}", text(&event["code"])),
        other => panic!("an event of type {other}"),
    }
}
