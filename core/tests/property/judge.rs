//! After each turn: is what went out allowed, and is it what storage holds? And what does the ledger know now?

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use chat_core::db::{Db, Param};
use chat_core::effect::{Effect, Effects};
use chat_core::ids::{ConnId, Millis, Seq};
use chat_core::input::Input;
use chat_core::session::ATTACHMENT_MAX_BYTES;
use serde_json::Value;

use crate::deeds::{Deed, Outcome, Replies, Via, What};
use crate::ledger::{Action, Reading};
use crate::network::{Incoming, Network, Pending};
use crate::v1_client::text;
use crate::world::World;

/// A row of the log that a turn has written.
struct Written {
    seq: i64,
    what: String,
    /// Of a message: sender, client_message_id and words.
    message: Option<(String, Option<String>, String)>,
}

fn message_identity(sender: &str, created_at: &str, client_message_id: Option<&str>) -> String {
    format!("message of {sender}'s at {created_at} as {client_message_id:?}")
}

/// What an event of the log claims to be.
fn identity(event: &Value) -> Option<(i64, String)> {
    let seq = event["seq"].as_i64();
    let on = event["on"] == true;
    let what = match event["type"].as_str()? {
        "new.message" => return identity_of_message(&event["message"]),
        "message.updated" => format!("edit of {}", event["id"]),
        "message.deleted" => format!("delete of {} by {}", event["id"], text(&event["deleted_by"])),
        "reaction" => {
            let (emoji, user) = (text(&event["emoji"]), text(&event["user_id"]));
            format!("{} {emoji} of {} by {user}", if on { "react" } else { "unreact" }, event["message_id"])
        }
        "pin" => {
            let word = if on { "pin" } else { "unpin" };
            format!("{word} of {} by {}", event["message_id"], text(&event["user_id"]))
        }
        _ => return None,
    };
    Some((seq?, what))
}

fn identity_of_message(shape: &Value) -> Option<(i64, String)> {
    let (sender, at) = (text(&shape["sender"]["id"]), text(&shape["created_at"]));
    Some((shape["id"].as_i64()?, message_identity(&sender, &at, shape["client_message_id"].as_str())))
}

/// What the turn began with.
struct Before {
    head: i64,
    readings: BTreeMap<String, Reading>,
    floors: BTreeMap<String, i64>,
    open: BTreeSet<ConnId>,
}

impl World {
    /// A turn has been committed. `arrives`: its effects are carried out.
    pub fn committed(&mut self, inputs: &[Pending], effects: Effects, arrives: bool) {
        let people = &self.ledger.people;
        let before = Before {
            head: self.ledger.head,
            readings: people.iter().map(|(user, person)| (user.clone(), person.mark.clone())).collect(),
            floors: people.iter().map(|(user, person)| (user.clone(), person.floor)).collect(),
            open: self.net.sockets.iter().filter(|(_, socket)| socket.open).map(|(conn, _)| *conn).collect(),
        };
        let frames = Network::frames(&effects);
        self.traces(inputs, &effects);
        let mut frames_left = frames.iter();
        let mut replies = Replies::default();
        for effect in effects {
            match effect {
                Effect::Send { .. } => {
                    let (to, frame) = frames_left.next().unwrap();
                    self.sent(to, frame, &before, &mut replies, arrives);
                }
                other => self.carry_out(other, arrives),
            }
        }
        self.enter_in_ledger(inputs, &before, &replies, &frames);
        for (_, frame) in &frames {
            self.look_at(frame, &before);
        }
        for pending in inputs {
            if let (What::Poll { client }, Via::Http(ticket)) = (&pending.deed.what, &pending.deed.via)
                && let Some(answer) = self.net.answers.get(ticket).filter(|answer| answer.status == 200)
            {
                let events: Value = serde_json::from_str(&answer.body).unwrap();
                self.look_at(&events, &before);
                if arrives {
                    self.polled(*client, &events);
                }
            }
        }
        self.nobody_is_left_who_is_out();
    }

    /// For whoever looks for the reason of a failure: `SEED=17 TRACE=1`.
    fn traces(&self, inputs: &[Pending], effects: &Effects) {
        if self.traced {
            inputs
                .iter()
                .for_each(|pending| eprintln!("{} < {:?}\n      {:?}", self.net.now.0, pending.input, pending.deed));
            effects.iter().for_each(|effect| eprintln!("  > {effect:?}"));
        }
    }

    fn sent(&mut self, to: &Rc<[ConnId]>, frame: &Rc<Value>, before: &Before, replies: &mut Replies, arrives: bool) {
        for conn in to.iter() {
            let now = self.net.now;
            let socket = self.net.sockets.get_mut(conn).expect("sent to nobody");
            assert!(socket.accepted && socket.open, "sent to a socket of {}'s that is not open", socket.user);
            if socket.v1 {
                assert!(!before.open.contains(conn) || socket.expires_at > now, "sent to an expired socket");
                let events = frame.as_array().expect("a v1 frame is an array");
                assert!(!events.is_empty(), "an empty frame");
                for event in events {
                    replies.note_v1(event);
                    if event["type"] == "auth.ok" {
                        let renewed = |at: &Millis| event["expires_at"] == at.iso();
                        let tokens = self.net.identities.values();
                        let ends = tokens.map(|identity| Millis(identity.expires_at * 1000)).find(renewed);
                        socket.expires_at = ends.expect("renewed with a token that nobody has");
                    }
                }
            } else {
                assert!(frame.is_object(), "a classic frame is an object");
                replies.note_classic(*conn, frame);
                if frame["type"] == "new.message" && text(&frame["message"]["sender"]["id"]) != socket.user {
                    let id = frame["message"]["id"].as_i64().unwrap();
                    let newest = socket.newest_shown;
                    assert!(id > newest, "a classic socket of {}'s is sent {id} after {newest}", socket.user);
                    socket.newest_shown = id;
                    socket.shown.insert(id);
                }
            }
            if arrives && !socket.cut {
                socket.incoming.push_back(Incoming::Frame(frame.clone()));
            }
        }
    }

    fn carry_out(&mut self, effect: Effect, arrives: bool) {
        match effect {
            Effect::Accept { conn, .. } => {
                let socket = self.net.sockets.get_mut(&conn).unwrap();
                (socket.accepted, socket.open) = (true, true);
            }
            Effect::Answer { ticket, answer } => {
                let before = self.net.answers.insert(ticket, answer);
                assert!(before.is_none(), "a call was answered twice");
            }
            Effect::Attach { conn, attachment } => {
                assert!(attachment.len() <= ATTACHMENT_MAX_BYTES, "{} bytes attached", attachment.len());
                self.net.sockets.get_mut(&conn).unwrap().attachment = Some(attachment);
            }
            Effect::Close { conn, .. } => {
                let socket = self.net.sockets.get_mut(&conn).unwrap();
                socket.open = false;
                if arrives && !socket.cut {
                    socket.incoming.push_back(Incoming::Closed);
                }
            }
            Effect::Verify { conn, token } => {
                let outcome = self.net.identities.get(&token).cloned();
                let bad = chat_core::protocol::codes::ErrorCode::TokenBadSignature.into();
                self.net.put_alone(Input::Verified { conn, outcome: outcome.ok_or(bad) }, Deed::nothing());
            }
            Effect::SetAlarm(at) => self.net.alarm = Some(at),
            Effect::WakeAt(at) => self.net.wake = Some(self.net.wake.map_or(at, |set| set.min(at))),
            Effect::Tell { .. } | Effect::AskRoom { .. } | Effect::Send { .. } => {}
        }
    }

    /// The rows of the log that the turn has written: without a hole.
    fn written(&mut self, before: &Before, pruning: bool) -> Vec<Written> {
        let after = [Param::Int(before.head)];
        let sql = "SELECT id, sender, client_message_id, content, created_at FROM messages WHERE id > ?";
        let messages = self.net.db.run(sql, &after).unwrap();
        let sql = "SELECT seq, kind, message, user, data FROM changes WHERE seq > ?";
        let changes = self.net.db.run(sql, &after).unwrap();
        let mut written = Vec::new();
        for row in &messages {
            let (sender, client_id) = (row.text(1).unwrap(), row.opt_text(2).unwrap());
            let what = message_identity(sender, &Millis(row.int(4).unwrap()).iso(), client_id);
            let content = row.text(3).unwrap().to_owned();
            let message = Some((sender.to_owned(), client_id.map(str::to_owned), content));
            written.push(Written { seq: row.int(0).unwrap(), what, message });
        }
        for row in &changes {
            let (kind, id, user) = (row.text(1).unwrap(), row.int(2).unwrap(), row.text(3).unwrap());
            let what = match kind {
                "edit" => format!("edit of {id}"),
                "react" | "unreact" => format!("{kind} {} of {id} by {user}", row.text(4).unwrap()),
                _ => format!("{kind} of {id} by {user}"),
            };
            written.push(Written { seq: row.int(0).unwrap(), what, message: None });
        }
        written.sort_by_key(|row| row.seq);
        let mut head = before.head;
        for row in &written {
            assert!(pruning || row.seq == head + 1, "the log has {} after {head}", row.seq);
            head = row.seq;
        }
        if pruning {
            let sql = "SELECT value FROM meta WHERE key = 'seq_floor'";
            let floor =
                self.net.db.run(sql, &[]).unwrap().first().map(|row| row.text(0).unwrap().parse::<i64>().unwrap());
            head = head.max(floor.unwrap_or(0));
        }
        self.ledger.head = head;
        written
    }

    fn enter_in_ledger(
        &mut self,
        inputs: &[Pending],
        before: &Before,
        replies: &Replies,
        frames: &[(Rc<[ConnId]>, Rc<Value>)],
    ) {
        let now = self.net.now;
        let prunes = inputs.iter().filter_map(|pending| match pending.deed.what {
            What::Prune { up_to } => Some(up_to),
            _ => None,
        });
        let pruned = prunes.max();
        let written = self.written(before, pruned.is_some());
        // What is forgotten in this very turn may be said again in it.
        let forgotten = |id: &i64| pruned.is_some_and(|up_to| *id <= up_to);
        let head = self.ledger.head;
        let complete = written.len() as i64 == head - before.head;
        let mut by_content = BTreeMap::new();
        for row in &written {
            let known = self.ledger.log.insert(row.seq, row.what.clone());
            assert!(known.is_none(), "position {} is given twice: {known:?}, and {}", row.seq, row.what);
            let Some((sender, client_id, content)) = &row.message else { continue };
            self.ledger.messages.insert(row.seq, sender.clone());
            by_content.insert(content.clone(), row.seq);
            let intent = self.ledger.intents.get(content).unwrap_or_else(|| panic!("nobody said {content:?}")).clone();
            assert_eq!(intent.user, *sender, "{content:?} is in somebody else's mouth");
            if let Some(id) = client_id {
                let known = self.ledger.by_client_id.insert((sender.clone(), id.clone()), row.seq);
                assert!(
                    known.is_none_or(|id| forgotten(&id)),
                    "{sender}'s id {id:?} is two messages: {known:?} and {}",
                    row.seq
                );
            }
            let known = self.ledger.made.insert(content.clone(), row.seq);
            let may_double = intent.reused || intent.client_message_id.is_none();
            let single = known.is_none_or(|id| forgotten(&id));
            assert!(may_double || single, "a double of {known:?}: {} says {content:?}", row.seq);
            self.ledger.person(sender).moves(row.seq, now);
        }
        let made = by_content.clone();
        if !complete {
            // Something was written and forgotten in one turn: what exactly, nobody can tell.
            self.ledger.people.values_mut().for_each(|person| person.mark.unclear = true);
        }
        for pending in inputs {
            if let Input::Closed { conn } = &pending.input {
                self.net.sockets.get_mut(conn).unwrap().open = false;
            }
        }
        let closed: Vec<ConnId> = before.open.iter().copied().filter(|conn| !self.net.sockets[conn].open).collect();
        let unsettled = inputs.iter().any(|pending| pending.deed.changes_rights());
        let mut out: BTreeMap<String, usize> = BTreeMap::new();
        for (index, pending) in inputs.iter().enumerate() {
            let deed = &pending.deed;
            let outcome = self.outcome(deed, replies, &made, before);
            if let (Via::V1(conn, _), Outcome::Silent) = (&deed.via, &outcome) {
                let still_open = before.open.contains(conn) && self.net.sockets[conn].open;
                let expected = !still_open || matches!(deed.what, What::Other);
                assert!(expected, "{deed:?} was never answered");
            }
            self.enter(deed, &outcome, before, &by_content, unsettled, &closed);
            match &deed.what {
                What::Ban { seconds: 0, .. } => {}
                What::TakeOut { other } | What::Ban { other, .. } | What::Refuse { other }
                    if outcome == Outcome::Done =>
                {
                    out.insert(other.clone(), index);
                }
                _ => {}
            }
            if let What::Send { content, .. } = &deed.what
                && by_content.remove(content).is_some()
            {
                let gone =
                    closed.iter().filter(|conn| out.get(&self.net.sockets[*conn].user).is_some_and(|at| *at < index));
                for conn in gone {
                    let told = frames.iter().any(|(to, frame)| to.contains(conn) && says(frame, content));
                    assert!(!told, "{} is told {content:?} after they were taken out", self.net.sockets[conn].user);
                }
            }
        }
    }

    fn outcome(&self, deed: &Deed, replies: &Replies, made: &BTreeMap<String, i64>, before: &Before) -> Outcome {
        match (&deed.via, &deed.what) {
            (_, What::Connect { conn, .. }) if self.net.sockets[conn].accepted => Outcome::Done,
            (Via::Http(ticket), _) => match self.net.answers.get(ticket) {
                Some(answer) if answer.status < 300 => Outcome::Done,
                Some(answer) => {
                    let body: Value = serde_json::from_str(&answer.body).unwrap();
                    Outcome::Refused(body["code"].as_str().unwrap_or("ask").to_owned())
                }
                None => panic!("a call without an answer: {deed:?}"),
            },
            (Via::V1(..) | Via::Classic(_), What::Send { content, .. }) if made.contains_key(content) => Outcome::Done,
            (Via::V1(_, reference), _) => replies.to_v1(reference),
            (Via::Classic(conn), What::Send { client_message_id, .. }) => {
                replies.to_classic(*conn, client_message_id.as_deref())
            }
            (Via::Classic(conn), _) if before.open.contains(conn) && self.net.sockets[conn].open => Outcome::Done,
            _ => Outcome::Silent,
        }
    }

    fn enter(
        &mut self,
        deed: &Deed,
        outcome: &Outcome,
        before: &Before,
        made: &BTreeMap<String, i64>,
        unsettled: bool,
        closed: &[ConnId],
    ) {
        let (now, head) = (self.net.now, self.ledger.head);
        let done = *outcome == Outcome::Done;
        let user = deed.user.as_str();
        let action = match &deed.what {
            What::Send { .. } => Some(Action::Write),
            What::Change(action) => Some(*action),
            What::Mute { .. } | What::Ban { .. } | What::Freeze { .. } => Some(Action::Moderate),
            What::TakeOut { .. } if !user.is_empty() => Some(Action::Moderate),
            _ => None,
        };
        if let Some(action) = action {
            let may = self.ledger.may(user, action, now);
            // Who may not write any more is acknowledged what they wrote while they might.
            let repeat = matches!(&deed.what, What::Send { content, .. } if !made.contains_key(content));
            assert!(may || !done || repeat, "{user} may not, and yet did: {deed:?}");
            let sure = !unsettled || matches!(deed.via, Via::V1(..) | Via::Http(_));
            assert!(!may || !outcome.is_forbidden() || !sure, "{user} may, and yet could not: {deed:?} {outcome:?}");
        }
        if let (Via::Http(_), false, false) = (&deed.via, user.is_empty(), matches!(deed.what, What::Connect { .. })) {
            let out = self.ledger.people.get(user).is_some_and(|person| person.is_out(now));
            assert!(!out || !done, "{user} is out, and yet: {deed:?}");
        }
        match &deed.what {
            What::Connect { conn, issued_at, role, on_kept_yes } => {
                let person = self.ledger.person(user);
                let welcome = !person.is_out(now) && *issued_at >= person.revoked_before;
                assert!(welcome || !done, "{user} got in, being out: {deed:?}");
                assert!(done || !welcome || *on_kept_yes, "{user} did not get in: {outcome:?}");
                if done {
                    person.role = role.unwrap_or(person.role);
                    let mark = person.mark.clone();
                    let alone = !self.net.sockets.iter().any(|(other, s)| other != conn && s.open && s.user == user);
                    let known = alone && !mark.unclear && before.head == head;
                    self.net.sockets.get_mut(conn).unwrap().joined = known.then_some((mark.up_to, head));
                } else {
                    let client = self.net.sockets[conn].client;
                    self.closed(client, *conn);
                }
            }
            What::Read { .. } | What::ReadAll if !done => {
                // Its socket went in this very turn: nobody can tell whether it was heard before.
                if let Via::Classic(conn) | Via::V1(conn, _) = &deed.via
                    && closed.contains(conn)
                {
                    self.ledger.person(user).mark.unclear = true;
                }
            }
            What::Read { up_to, private } => {
                let person = self.ledger.person(user);
                if *up_to > before.head && head != before.head {
                    // How far it reached depends on what else was said in this turn.
                    person.mark.unclear = true;
                } else if *private {
                    person.reads_in_private(*up_to, head);
                } else {
                    person.reads(*up_to, head, now);
                }
                if matches!(deed.via, Via::Http(_)) {
                    person.durable = person.durable.max(person.mark.up_to.min(person.floor));
                }
            }
            What::ReadAll => {
                let person = self.ledger.person(user);
                person.reads(before.head, head, now);
                person.mark.unclear |= before.head != head;
                person.durable = person.durable.max(before.head);
            }
            What::MarkUnread { id } if done => self.ledger.person(user).mark.unread_from = Some(*id),
            What::Block { other, on } if done => {
                let blocked = &mut self.ledger.person(user).blocked;
                if *on {
                    blocked.insert(other.clone());
                } else {
                    blocked.remove(other);
                }
            }
            What::Mute { other, seconds } if done => {
                self.ledger.person(other).muted_until = (*seconds > 0).then(|| now.plus(seconds * 1000));
            }
            What::Ban { other, seconds } if done => {
                self.ledger.person(other).banned_until = (*seconds > 0).then(|| now.plus(seconds * 1000));
            }
            What::TakeOut { other } if done => self.ledger.person(other).removed = true,
            What::Freeze { on } if done => self.ledger.frozen = *on,
            What::Put { other, role } if done => {
                let person = self.ledger.person(other);
                person.removed = false;
                person.role = role.unwrap_or(person.role);
            }
            What::Revoke { other, before } if done => {
                let person = self.ledger.person(other);
                person.revoked_before = person.revoked_before.max(*before);
            }
            What::Prune { up_to } if done => self.ledger.prune((*up_to).min(head)),
            _ => {}
        }
    }

    /// Every event of the log that anybody is told is what storage holds at its place; marks do not go back.
    fn look_at(&mut self, frame: &Value, before: &Before) {
        let whole = [frame.clone()];
        let events = frame.as_array().map_or(&whole[..], Vec::as_slice);
        for event in events {
            self.is_in_storage(identity(event));
            for inner in event["events"].as_array().into_iter().flatten() {
                self.is_in_storage(identity(inner));
            }
            for shape in event["messages"].as_array().into_iter().flatten() {
                self.is_in_storage(identity_of_message(shape));
            }
            let members = event["members"].as_array().into_iter().flatten();
            for shape in members.chain(event.get("you")).chain(event.get("member")) {
                let (user, up_to) = (text(&shape["id"]), shape["last_read_message_id"].as_i64().unwrap());
                let floor = before.floors.get(&user).copied().unwrap_or(0);
                self.ledger.hears_mark(&user, up_to, floor, before.readings.get(&user));
            }
        }
    }

    fn is_in_storage(&mut self, claimed: Option<(i64, String)>) {
        let Some((seq, what)) = claimed else { return };
        match self.ledger.log.get(&seq) {
            Some(known) => assert_eq!(*known, what, "at {seq}"),
            None if seq <= self.ledger.pruned => drop(self.ledger.log.insert(seq, what)),
            None => panic!("told of what storage does not hold: {seq}, {what}"),
        }
    }

    fn nobody_is_left_who_is_out(&self) {
        let now = self.net.now;
        for socket in self.net.sockets.values().filter(|socket| socket.open) {
            let person = &self.ledger.people[&socket.user];
            let banned = person.banned_until.is_some_and(|until| until > now);
            assert!(!person.removed && !banned, "{} is out, and has a socket", socket.user);
        }
    }

    /// The log in storage, all of it: what was given and not forgotten, and nothing else.
    pub fn log_is_whole(&mut self) {
        let sql = "SELECT id FROM messages UNION ALL SELECT seq FROM changes ORDER BY 1";
        let held: Vec<i64> = self.net.db.run(sql, &[]).unwrap().iter().map(|row| row.int(0).unwrap()).collect();
        let expected: Vec<i64> = (self.ledger.pruned + 1..=self.ledger.head).collect();
        assert_eq!(held, expected, "the log in storage");
    }
}

impl Deed {
    /// Nobody could tell whether it was done, if its socket went in the same turn.
    pub fn must_be_answered(&self) -> bool {
        let known_by_rows = matches!(self.what, What::Send { .. } | What::Change(_) | What::Read { .. } | What::Other);
        matches!(self.via, Via::V1(..)) && !known_by_rows
    }

    fn changes_rights(&self) -> bool {
        matches!(
            self.what,
            What::Mute { .. } | What::Freeze { .. } | What::Put { .. } | What::Connect { .. } | What::TakeOut { .. }
        )
    }
}

fn says(frame: &Value, content: &str) -> bool {
    let events = frame.as_array().map_or(std::slice::from_ref(frame), Vec::as_slice);
    events.iter().any(|event| event["message"]["content"] == content)
}

/// A position as the core has it.
pub fn seq(id: i64) -> Seq {
    Seq(id)
}
