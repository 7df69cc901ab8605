//! The reference v1 client: a pure reducer on events, as a client's author would write it after the documentation.
//!
//! It is stricter than a real one in one thing: on one connection the room never leaves a hole and never repeats a live
//! event, so that either is a failure here, where a real client would ask again or skip it.

use std::collections::BTreeMap;

use serde_json::Value;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    pub sender: String,
    pub client_message_id: Value,
    pub content: String,
    pub created_at: String,
    pub edited_at: Value,
    pub deleted_at: Value,
    pub deleted_by: Value,
    pub reply_to: Value,
    pub thread: Value,
    /// How many, and the newest.
    pub replies: (i64, i64),
    pub mentions: Value,
    /// Each emoji: how many, and whether the reader is among them.
    pub reactions: BTreeMap<String, (i64, bool)>,
    pub pinned: bool,
    pub data: Value,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Member {
    pub role: String,
    pub status: String,
    pub muted_until: Value,
    pub mark: i64,
}

#[derive(Clone, Debug, Default)]
pub struct V1Client {
    pub user: String,
    pub epoch: String,
    pub position: i64,
    pub messages: BTreeMap<i64, Message>,
    /// Every message from here on is held.
    pub complete_from: i64,
    pub more_before: bool,
    pub pins: Vec<i64>,
    pub members: BTreeMap<String, Member>,
    pub you: Value,
    pub project: Value,
    /// A `resume` is under way.
    pub pulling: bool,
    /// A page of history is under way: what comes before the oldest held.
    pub paging: bool,
    pub greeted: bool,
    /// Where it says that it left off is nothing that the room can go on from.
    pub expects_resync: bool,
}

/// What the client says in answer to an event.
pub enum Say {
    Resume(i64),
}

pub fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub fn message(value: &Value) -> Message {
    let or_null = |name: &str| value.get(name).cloned().unwrap_or(Value::Null);
    let reaction = |r: &Value| (text(&r["emoji"]), (r["count"].as_i64().unwrap(), r["mine"] == true));
    let replies = &value["replies"];
    Message {
        sender: text(&value["sender"]["id"]),
        client_message_id: or_null("client_message_id"),
        content: text(&value["content"]),
        created_at: text(&value["created_at"]),
        edited_at: or_null("edited_at"),
        deleted_at: or_null("deleted_at"),
        deleted_by: or_null("deleted_by"),
        reply_to: or_null("reply_to"),
        thread: or_null("thread"),
        replies: (replies["count"].as_i64().unwrap_or(0), replies["last_id"].as_i64().unwrap_or(0)),
        mentions: value.get("mentions").cloned().unwrap_or_else(|| Value::Array(Vec::new())),
        reactions: value["reactions"].as_array().into_iter().flatten().map(reaction).collect(),
        pinned: value["pinned"] == true,
        data: or_null("data"),
    }
}

fn member(value: &Value) -> Member {
    Member {
        role: text(&value["role"]),
        status: text(&value["status"]),
        muted_until: value.get("muted_until").cloned().unwrap_or(Value::Null),
        mark: value["last_read_message_id"].as_i64().unwrap(),
    }
}

impl V1Client {
    pub fn new(user: &str) -> Self {
        V1Client { user: user.to_owned(), ..V1Client::default() }
    }

    /// Lets go of all but the newest messages, as a long list that is scrolled does.
    pub fn lets_go(&mut self, kept: usize) {
        if let Some(oldest) = self.messages.keys().rev().nth(kept - 1).copied() {
            self.messages = self.messages.split_off(&oldest);
            (self.complete_from, self.more_before) = (oldest, true);
        }
    }

    /// The connection is gone; what is known stays.
    pub fn disconnected(&mut self) {
        (self.pulling, self.paging, self.greeted, self.expects_resync) = (false, false, false, false);
    }

    pub fn take(&mut self, event: &Value) -> Option<Say> {
        let kind = event["type"].as_str().unwrap();
        assert!(self.greeted || matches!(kind, "hello" | "resync"), "the first event is of type {kind}");
        match kind {
            "resync" => {
                self.greeted = true;
                self.forget();
            }
            "hello" => return self.hello(event),
            "resume" => {
                self.chunk(event);
                return self.more(event);
            }
            "new.message" | "message.updated" | "message.deleted" | "reaction" | "pin" => {
                let seq = event["seq"].as_i64().unwrap();
                assert!(seq <= self.position + 1, "a hole: at {} comes {seq} ({kind})", self.position);
                assert!(seq > self.position, "at {} comes {seq} ({kind}) once more", self.position);
                self.apply(event);
            }
            "history" => self.page(event),
            "member" => {
                let (id, fresh) = (text(&event["member"]["id"]), member(&event["member"]));
                self.members.insert(id, fresh);
            }
            "member.left" => drop(self.members.remove(&text(&event["user_id"]))),
            "presence" => {
                for user in event["users"].as_array().into_iter().flatten() {
                    if let Some(member) = self.members.get_mut(&text(&user["id"])) {
                        member.status = text(&user["status"]);
                    }
                }
            }
            "read_receipt" => {
                for receipt in event["receipts"].as_array().unwrap() {
                    let up_to = receipt["last_read_message_id"].as_i64().unwrap();
                    self.marked(&text(&receipt["user_id"]), up_to);
                }
            }
            "you" => self.you = event["you"].clone(),
            "project" => self.project = event["project"].clone(),
            "error" if event["code"] == "internal" && self.pulling => return Some(Say::Resume(self.position)),
            "typing" | "unread" | "report" | "auth.ok" | "ack" | "ok" | "error" => {}
            other => panic!("an event of type {other}"),
        }
        None
    }

    fn forget(&mut self) {
        let fresh = V1Client { greeted: self.greeted, ..V1Client::new(&self.user) };
        *self = fresh;
    }

    fn marked(&mut self, user: &str, up_to: i64) {
        if let Some(member) = self.members.get_mut(user) {
            member.mark = member.mark.max(up_to);
        }
    }

    fn hello(&mut self, event: &Value) -> Option<Say> {
        assert!(!self.expects_resync, "there should have been a resync");
        self.greeted = true;
        if event.get("events").is_some() {
            self.chunk(event);
        } else {
            self.forget();
            let page = event["messages"].as_array().unwrap();
            self.messages = page.iter().map(|shape| (shape["id"].as_i64().unwrap(), message(shape))).collect();
            self.more_before = event["more_before"] == true;
            self.complete_from = if self.more_before { *self.messages.keys().next().unwrap() } else { 0 };
            self.position = event["seq"].as_i64().unwrap();
            assert_eq!(event["seq"], event["head"], "a fresh page is not at the head");
        }
        self.epoch = text(&event["epoch"]);
        self.you = event["you"].clone();
        self.project = event["project"].clone();
        self.pins = self.project["pins"].as_array().unwrap().iter().map(|id| id.as_i64().unwrap()).collect();
        let members = event["members"].as_array().unwrap().iter();
        self.members = members.map(|shape| (text(&shape["id"]), member(shape))).collect();
        self.more(event)
    }

    fn more(&mut self, event: &Value) -> Option<Say> {
        self.pulling = event["more"] == true;
        assert!(self.pulling || event["seq"] == event["head"], "the end of the log is not its head: {event}");
        self.pulling.then_some(Say::Resume(self.position))
    }

    /// Part of the log, without a hole, up to where it says; it may begin before the client's position.
    fn chunk(&mut self, event: &Value) {
        let events = event["events"].as_array().unwrap();
        let up_to = event["seq"].as_i64().unwrap();
        let first = events.first().map_or(up_to + 1, |event| event["seq"].as_i64().unwrap());
        assert!(first <= self.position + 1, "a hole: at {} a chunk begins with {first}", self.position);
        for (index, event) in events.iter().enumerate() {
            let seq = event["seq"].as_i64().unwrap();
            assert_eq!(seq, first + index as i64, "a hole within a chunk");
            if seq > self.position {
                self.apply(event);
            }
        }
        assert_eq!(up_to, first + events.len() as i64 - 1, "a chunk ends elsewhere than it says");
    }

    fn page(&mut self, event: &Value) {
        if !std::mem::take(&mut self.paging) {
            return; // asked for before everything was begun anew
        }
        let page = event["messages"].as_array().unwrap();
        for shape in page {
            self.messages.insert(shape["id"].as_i64().unwrap(), message(shape));
        }
        // Asked for with `before` the oldest held.
        if let Some(more) = event["more_before"].as_bool() {
            self.more_before = more;
            let oldest = page.first().map(|shape| shape["id"].as_i64().unwrap());
            self.complete_from = if more { oldest.unwrap_or(self.complete_from).min(self.complete_from) } else { 0 };
        }
    }

    fn apply(&mut self, event: &Value) {
        self.position = event["seq"].as_i64().unwrap();
        let id = event["id"].as_i64().or(event["message_id"].as_i64()).unwrap_or(0);
        match event["type"].as_str().unwrap() {
            "new.message" => {
                let fresh = message(&event["message"]);
                let id = event["message"]["id"].as_i64().unwrap();
                if let Some(root) = fresh.thread.as_i64().and_then(|root| self.messages.get_mut(&root))
                    && id > root.replies.1
                {
                    root.replies = (root.replies.0 + 1, id);
                }
                self.marked(&fresh.sender.clone(), id);
                self.messages.insert(id, fresh);
            }
            "pin" => {
                self.pins.retain(|pinned| *pinned != id);
                if event["on"] == true {
                    self.pins.push(id);
                }
                if let Some(message) = self.messages.get_mut(&id) {
                    message.pinned = event["on"] == true;
                }
            }
            kind => {
                if let Some(message) = self.messages.get_mut(&id) {
                    change(message, kind, event, &self.user);
                }
            }
        }
    }
}

fn change(message: &mut Message, kind: &str, event: &Value, me: &str) {
    match kind {
        "message.updated" => {
            message.content = text(&event["content"]);
            message.mentions = event["mentions"].clone();
            message.edited_at = event["edited_at"].clone();
        }
        "message.deleted" => {
            let (edited_at, replies) = (message.edited_at.clone(), message.replies);
            message.content = String::new();
            message.deleted_at = event["deleted_at"].clone();
            message.deleted_by = event["deleted_by"].clone();
            message.mentions = Value::Array(Vec::new());
            message.reactions.clear();
            message.data = Value::Null;
            (message.edited_at, message.replies) = (edited_at, replies);
        }
        "reaction" => {
            let (emoji, count) = (text(&event["emoji"]), event["count"].as_i64().unwrap());
            let entry = message.reactions.entry(emoji.clone()).or_default();
            entry.0 = count;
            if text(&event["user_id"]) == me {
                entry.1 = event["on"] == true;
            }
            if count == 0 {
                message.reactions.remove(&emoji);
            }
        }
        other => panic!("a change of type {other}"),
    }
}
