use chat_core::effect::{Answer, Effect};
use chat_core::ids::{ConnId, Millis, ProjectId, Ticket};
use chat_core::limits::Limits;
use chat_core::protocol::internal::{InboxRequest, LearnedSummary, RoomCall, UserCall};
use chat_core::user::{Input, Session, Settings, User};
use serde_json::{Value, json};

use crate::db::Sqlite;
use crate::world::{NOON, identity, user};

/// Ann's object, with the rooms' answers given by the story.
struct Object {
    user: User,
    db: Sqlite,
    now: Millis,
    shown: Vec<String>,
    attachments: Vec<(ConnId, String)>,
    asked: Vec<String>,
    wake: Option<Millis>,
    answers: Vec<Answer>,
}

fn settings() -> Settings {
    Settings { user: user("ann"), limits: Limits { sockets_per_user: 2, ..Limits::default() } }
}

fn project(id: &str) -> ProjectId {
    ProjectId::parse(id).unwrap()
}

fn summary(text: &str, unread: i64) -> Value {
    json!({ "id": 1, "project_info": { "name": "P" }, "contact_info": {}, "unread_count": unread,
        "last_message_text": text, "last_message_at": "2026-11-22T12:00:00.000Z", "created_at": "2026-11-22T11:00:00.000Z" })
}

impl Object {
    /// Ann is in project 1 and has an open inbox, on socket 1.
    fn new() -> Self {
        let mut object = Object::empty();
        object.learns("1", "hello", 0);
        object.joins(1);
        object.shows(&["1 hello: hello (0)"]);
        object
    }

    fn empty() -> Self {
        Object {
            user: User::open(settings(), []),
            db: Sqlite::new(),
            now: NOON,
            shown: Vec::new(),
            attachments: Vec::new(),
            asked: Vec::new(),
            wake: None,
            answers: Vec::new(),
        }
    }

    fn turn(&mut self, input: Input) {
        for effect in self.user.turn(self.now, vec![input], &mut self.db).unwrap() {
            match effect {
                Effect::Send { to, frame } => {
                    let events: Vec<Value> = serde_json::from_str(&frame).unwrap();
                    let line = |conn: &ConnId, event: &Value| format!("{} {}", conn.0, line(event));
                    self.shown.extend(to.iter().flat_map(|conn| events.iter().map(move |event| line(conn, event))));
                }
                Effect::Attach { conn, attachment } => {
                    self.attachments.retain(|(known, _)| *known != conn);
                    self.attachments.push((conn, attachment));
                }
                Effect::Close { conn, code } => {
                    self.attachments.retain(|(known, _)| *known != conn);
                    self.shown.push(format!("{} closed {}", conn.0, code.code()));
                }
                Effect::AskRoom { project, request } => {
                    assert_eq!(request.call, RoomCall::Watch);
                    self.asked.push(project.to_string());
                }
                Effect::WakeAt(at) => self.wake = Some(self.wake.map_or(at, |set| set.min(at))),
                Effect::Answer { answer, .. } => self.answers.push(answer),
                _ => {}
            }
        }
    }

    fn joins(&mut self, conn: u32) {
        let request = Box::new(InboxRequest { identity: identity("ann", self.now), only: None });
        self.turn(Input::Connect { ticket: Ticket(conn), conn: ConnId(conn), request });
    }

    fn learns(&mut self, id: &str, text: &str, unread: i64) {
        let learned = LearnedSummary { project: project(id), version: 0, summary: summary(text, unread) };
        let (list, confirmed, gone, claimed) = (None, vec![], vec![], vec![]);
        let call = UserCall::Learn { list, summaries: vec![learned], confirmed, gone, claimed };
        self.turn(Input::Call { ticket: Ticket(0), call });
    }

    fn told(&mut self, id: &str, gone: bool) {
        let call = UserCall::Tell { project: project(id), gone, asked: false };
        self.turn(Input::Call { ticket: Ticket(0), call });
    }

    fn answers(&mut self, id: &str, status: u16, body: &Value) {
        self.turn(Input::Asked { project: project(id), status, body: body.to_string() });
    }

    fn passes(&mut self, ms: i64) {
        self.now = self.now.plus(ms);
        if self.wake.is_some_and(|at| at <= self.now) {
            self.wake = None;
            self.turn(Input::Tick);
        }
    }

    fn hibernates(&mut self) {
        let sockets: Vec<(ConnId, Session)> =
            self.attachments.iter().map(|(conn, text)| (*conn, serde_json::from_str(text).unwrap())).collect();
        self.user = User::open(settings(), sockets);
        self.wake = None;
    }

    #[track_caller]
    fn shows(&mut self, expected: &[&str]) {
        assert_eq!(std::mem::take(&mut self.shown), expected);
    }

    #[track_caller]
    fn has_asked(&mut self, expected: &[&str]) {
        assert_eq!(std::mem::take(&mut self.asked), expected);
    }
}

fn line(event: &Value) -> String {
    let entry = |entry: &Value| format!("{} ({})", entry["last_message_text"].as_str().unwrap(), entry["unread_count"]);
    match event["type"].as_str().unwrap() {
        "hello" => {
            let entries: Vec<_> = event["projects"].as_array().unwrap().iter().map(entry).collect();
            format!("hello: {}", entries.join(", "))
        }
        "inbox" => format!("inbox: {}", entry(&event["project"])),
        "error" => format!("error {} {}", event["code"].as_str().unwrap(), event["ref"]),
        other => format!("{other} {}", event["project_id"]),
    }
}

#[test]
fn a_change_is_asked_for_after_a_moment_and_shown() {
    let mut ann = Object::new();
    ann.told("1", false);
    ann.told("1", false);
    ann.has_asked(&[]);
    ann.passes(300);
    ann.has_asked(&["1"]);
    ann.answers("1", 200, &summary("news", 3));
    ann.shows(&["1 inbox: news (3)"]);
    ann.passes(10_000);
    ann.has_asked(&[]);
}

#[test]
fn what_changes_while_the_room_is_asked_is_asked_for_again() {
    let mut ann = Object::new();
    ann.told("1", false);
    ann.passes(300);
    ann.told("1", false);
    ann.passes(300);
    ann.has_asked(&["1"]);
    ann.answers("1", 200, &summary("first", 1));
    ann.passes(300);
    ann.has_asked(&["1"]);
    ann.answers("1", 200, &summary("second", 2));
    ann.shows(&["1 inbox: first (1)", "1 inbox: second (2)"]);
}

#[test]
fn a_project_that_is_gone_leaves_every_inbox() {
    let mut ann = Object::new();
    ann.joins(2);
    ann.shows(&["2 hello: hello (0)"]);
    ann.told("1", true);
    ann.shows(&["1 inbox.left 1", "2 inbox.left 1"]);
}

#[test]
fn a_room_that_holds_no_yes_says_only_that_something_changed() {
    let mut ann = Object::new();
    ann.told("2", false);
    ann.passes(300);
    ann.answers("2", 428, &json!({ "ask": "access" }));
    ann.shows(&["1 inbox.changed 2"]);
    ann.told("1", false);
    ann.passes(300);
    ann.answers("1", 403, &json!({}));
    ann.shows(&["1 inbox.left 1"]);
}

#[test]
fn a_room_that_does_not_answer_is_asked_again_and_at_last_the_sockets_are_sent_back() {
    let mut ann = Object::new();
    ann.told("1", false);
    ann.passes(300);
    for _ in 0..4 {
        ann.has_asked(&["1"]);
        ann.answers("1", 0, &json!(""));
        ann.shows(&[]);
        ann.passes(2_000);
    }
    ann.has_asked(&["1"]);
    ann.answers("1", 503, &json!({}));
    ann.shows(&["1 closed 1013"]);
}

#[test]
fn an_inbox_outlives_a_hibernation_and_ends_with_its_token() {
    let mut ann = Object::new();
    ann.hibernates();
    ann.told("1", false);
    ann.passes(300);
    ann.has_asked(&["1"]);
    ann.answers("1", 200, &summary("news", 1));
    ann.shows(&["1 inbox: news (1)"]);
    ann.hibernates();
    ann.passes(300_000);
    ann.told("1", false);
    ann.shows(&["1 closed 4001"]);
    ann.passes(300);
    ann.has_asked(&[]);
}

#[test]
fn a_fresh_token_of_the_same_user_renews_an_inbox() {
    let mut ann = Object::new();
    ann.passes(290_000);
    ann.turn(Input::Frame { conn: ConnId(1), text: json!({ "type": "auth", "token": "x", "ref": "a" }).to_string() });
    let fresh = identity("ann", ann.now);
    ann.turn(Input::Verified { conn: ConnId(1), outcome: Ok(identity("bob", ann.now)) });
    ann.shows(&["1 error token_other_user \"a\""]);
    ann.turn(Input::Verified { conn: ConnId(1), outcome: Ok(fresh) });
    ann.shows(&["1 auth.ok null"]);
    ann.hibernates();
    ann.passes(100_000);
    ann.told("1", true);
    ann.shows(&["1 inbox.left 1"]);
}

#[test]
fn revoking_closes_an_inbox_and_keeps_it_closed() {
    let mut ann = Object::new();
    let before = ann.now.seconds() + 1;
    ann.turn(Input::Call { ticket: Ticket(0), call: UserCall::Revoke { before } });
    ann.shows(&["1 closed 4503"]);
    ann.answers.clear();
    ann.joins(2);
    assert_eq!(ann.answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [403]);
}

#[test]
fn the_oldest_inbox_makes_room_for_the_newest() {
    let mut ann = Object::new();
    ann.passes(1);
    ann.joins(2);
    ann.passes(1);
    ann.joins(3);
    ann.shows(&["2 hello: hello (0)", "1 closed 4506", "3 hello: hello (0)"]);
}

#[test]
fn other_frames_are_refused_and_the_socket_stays() {
    let mut ann = Object::new();
    for text in [r#"{"type":"send_message","ref":"a"}"#, "nonsense", r#"{"type":"auth"}"#] {
        ann.turn(Input::Frame { conn: ConnId(1), text: text.to_owned() });
    }
    ann.shows(&["1 error unknown_type \"a\"", "1 error invalid_json null", "1 error invalid_field null"]);
}

#[test]
fn an_inbox_shows_only_what_the_claim_names() {
    let mut ann = Object::empty();
    ann.learns("1", "one", 0);
    ann.learns("2", "two", 0);
    let request = Box::new(InboxRequest { identity: identity("ann", ann.now), only: Some(vec![project("2")]) });
    ann.turn(Input::Connect { ticket: Ticket(1), conn: ConnId(1), request });
    ann.shows(&["1 hello: two (0)"]);
    ann.told("1", true);
    ann.shows(&[]);
}

#[test]
fn entries_that_are_out_of_date_follow_the_hello() {
    let mut ann = Object::empty();
    ann.learns("1", "old", 0);
    ann.told("1", false);
    ann.joins(1);
    ann.shows(&["1 hello: "]);
    ann.passes(300);
    ann.answers("1", 200, &summary("new", 1));
    ann.shows(&["1 inbox: new (1)"]);
}
