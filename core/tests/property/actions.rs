//! Each operation of the table: `false` when there was nothing that it could have been done to.

use chat_core::ids::UserId;
use chat_core::protocol::internal::{ProfileChange, Role, RoomCall, Since};
use serde_json::{Value, json};

use crate::deeds::What;
use crate::history::Op;
use crate::judge::seq;
use crate::ledger::{Action, Intent};
use crate::random::Random;
use crate::world::{Kind, World};

const EMOJIS: &[&str] = &["👍", "🎉", ":ship:"];

impl World {
    pub fn acts(&mut self, op: Op, random: &mut Random) -> bool {
        let user = random.pick(&self.users).unwrap();
        match op {
            Op::Send | Op::SendWithoutId | Op::Reply | Op::Mention | Op::SendByHttp => {
                let content = self.new_word();
                let id = (op != Op::SendWithoutId).then(|| format!("c{}", self.net.next_id()));
                let intent = Intent { user: user.clone(), client_message_id: id.clone(), reused: false };
                self.ledger.intents.insert(content.clone(), intent);
                let mut frame = json!({ "content": content });
                match op {
                    Op::Reply => match self.some_message(random) {
                        Some(id) => frame["reply_to"] = json!(id),
                        None => return false,
                    },
                    Op::Mention => frame["mentions"] = json!([random.pick(&self.users), random.pick(&self.users)]),
                    _ => {}
                }
                if random.percent(5) {
                    frame["data"] = json!({ "kind": "poll" });
                }
                self.sends(&user, &content, id, frame, op == Op::SendByHttp, random);
                true
            }
            Op::Retry | Op::RetryByHttp | Op::ReuseId => {
                let mut known: Vec<(String, Intent)> = self.ledger.intents.clone().into_iter().collect();
                known.retain(|(_, intent)| intent.client_message_id.is_some());
                known.sort_by(|a, b| a.0.cmp(&b.0));
                let Some((mut content, intent)) = random.pick(&known) else { return false };
                if op == Op::ReuseId {
                    content = self.new_word();
                    let fresh = Intent { reused: true, ..intent.clone() };
                    self.ledger.intents.insert(content.clone(), fresh);
                    let same = |other: &&mut Intent| {
                        other.user == intent.user && other.client_message_id == intent.client_message_id
                    };
                    self.ledger.intents.values_mut().filter(same).for_each(|other| other.reused = true);
                }
                let frame = json!({ "content": content });
                let by_http = op == Op::RetryByHttp;
                self.sends(&intent.user, &content, intent.client_message_id.clone(), frame, by_http, random);
                true
            }
            Op::Edit | Op::DeleteOwn => {
                let Some((id, sender)) = self.some_message_with_sender(random) else { return false };
                let frame = if op == Op::DeleteOwn {
                    json!({ "type": "delete_message", "id": id })
                } else {
                    let mut frame = json!({ "type": "edit_message", "id": id, "content": self.new_word() });
                    if random.percent(30) {
                        frame["mentions"] = json!([random.pick(&self.users)]);
                    }
                    frame
                };
                let action = if op == Op::DeleteOwn { Action::Delete } else { Action::Write };
                self.says(&sender, frame, What::Change(action), random);
                true
            }
            Op::DeleteAsModerator => {
                let Some((id, sender)) = self.some_message_with_sender(random) else { return false };
                let moderator = self.moderator(random);
                let action = if sender == moderator { Action::Delete } else { Action::Moderate };
                let frame = json!({ "type": "delete_message", "id": id });
                self.says(&moderator, frame, What::Change(action), random);
                true
            }
            Op::React | Op::Unreact => {
                let Some(message_id) = self.some_message(random) else { return false };
                let (emoji, on) = (random.pick(EMOJIS), op == Op::React);
                let frame = json!({ "type": "react", "message_id": message_id, "emoji": emoji, "on": on });
                self.says(&user, frame, What::Change(Action::Write), random);
                true
            }
            Op::Pin | Op::Unpin => {
                let Some(message_id) = self.some_message(random) else { return false };
                let frame = json!({ "type": "pin", "message_id": message_id, "on": op == Op::Pin });
                self.says(&user, frame, What::Change(Action::Write), random);
                true
            }
            Op::Read | Op::ReadInPrivate => {
                // A classic client may name its own timestamp.
                let up_to = if random.percent(8) { 1_795_348_800_000 } else { random.from(0, self.ledger.head) };
                let up_to = if random.percent(35) { self.ledger.head } else { up_to };
                let private = op == Op::ReadInPrivate;
                let mut frame = json!({ "type": "read", "last_read_message_id": up_to });
                if private {
                    frame["private"] = json!(true);
                }
                let what = What::Read { up_to, private };
                match random.pick(&self.windows(Some(&user), Kind::Classic)).filter(|_| random.percent(50)) {
                    // A classic frame means its own fields only.
                    Some(client) => self.says_from(client, frame, What::Read { up_to, private: false }),
                    None => self.says(&user, frame, what, random),
                }
                true
            }
            Op::ReadByHttp => {
                let up_to = random.percent(50).then(|| random.from(0, self.ledger.head));
                let what = up_to.map_or(What::ReadAll, |up_to| What::Read { up_to, private: false });
                self.calls(&user, RoomCall::MarkRead { up_to: up_to.map(seq) }, what);
                true
            }
            Op::MarkUnread => {
                let Some(id) = self.some_message(random) else { return false };
                let frame = json!({ "type": "mark_unread", "message_id": id });
                self.says(&user, frame, What::MarkUnread { id }, random);
                true
            }
            Op::Typing => {
                let frame = json!({ "type": "typing", "is_typing": random.percent(70) });
                self.says(&user, frame, What::Other, random);
                true
            }
            Op::Away => {
                let frame = json!({ "type": "presence", "away": random.percent(60) });
                self.says(&user, frame, What::Other, random);
                true
            }
            Op::Block => {
                let (other, on) = (random.pick(&self.users).unwrap(), random.percent(60));
                let frame = json!({ "type": "block", "user_id": other, "on": on });
                self.says(&user, frame, What::Block { other, on }, random);
                true
            }
            Op::History => {
                let Some(client) = self.greeted(random).filter(|client| !self.clients[*client].v1.paging) else {
                    return false;
                };
                if !self.clients[client].v1.more_before {
                    self.clients[client].v1.lets_go(random.from(1, 4) as usize);
                }
                self.clients[client].v1.paging = true;
                let before = self.clients[client].v1.complete_from;
                let frame = json!({ "type": "history", "before": before, "limit": random.from(1, 4) });
                self.says_from(client, frame, What::Other);
                true
            }
            Op::Seen => {
                let Some(client) = random.pick(&self.windows(None, Kind::V1)) else { return false };
                let seq = self.clients[client].v1.position;
                self.says_from(client, json!({ "type": "seen", "seq": seq }), What::Other);
                true
            }
            Op::FrameByHttp => {
                let Some(id) = self.some_message(random) else { return false };
                let emoji = random.pick(EMOJIS);
                let frame = json!({ "type": "react", "message_id": id, "emoji": emoji, "on": random.percent(60) });
                self.calls(&user, RoomCall::Frame { text: frame.to_string() }, What::Change(Action::Write));
                true
            }
            Op::Remove
            | Op::Readmit
            | Op::Refuse
            | Op::Revoke
            | Op::Mute
            | Op::Unmute
            | Op::Ban
            | Op::ChangeRole
            | Op::Freeze => self.governs(op, random),
            _ => self.connection(op, random),
        }
    }

    fn sends(
        &mut self,
        user: &str,
        content: &str,
        id: Option<String>,
        mut frame: Value,
        by_http: bool,
        random: &mut Random,
    ) {
        let what = What::Send { content: content.to_owned(), client_message_id: id.clone() };
        if by_http {
            let call = RoomCall::Send { content: content.to_owned(), client_message_id: id };
            self.calls(user, call, what);
            return;
        }
        frame["type"] = json!("send_message");
        frame["client_message_id"] = json!(id);
        match random.pick(&self.windows(Some(user), Kind::Classic)).filter(|_| random.percent(50)) {
            Some(client) => self.says_from(client, frame, what),
            None => self.says(user, frame, what, random),
        }
    }

    fn some_message(&self, random: &mut Random) -> Option<i64> {
        self.some_message_with_sender(random).map(|(id, _)| id)
    }

    /// Recent ones more often, so that much happens to few.
    fn some_message_with_sender(&self, random: &mut Random) -> Option<(i64, String)> {
        let among = if random.percent(70) { 4 } else { usize::MAX };
        let known: Vec<_> = self.ledger.messages.iter().rev().take(among).collect();
        random.pick(&known).map(|(id, sender)| (*id, sender.clone()))
    }

    fn moderator(&self, random: &mut Random) -> String {
        if random.percent(85) { "1".to_owned() } else { random.pick(&self.users).unwrap() }
    }

    fn governs(&mut self, op: Op, random: &mut Random) -> bool {
        let other = random.pick(&self.users[1..]).unwrap();
        let moderator = self.moderator(random);
        let target = UserId::parse(&other).unwrap();
        match op {
            Op::Remove if random.percent(50) => {
                self.serves(RoomCall::RemoveMember { user: target }, What::TakeOut { other });
            }
            Op::Remove => {
                self.says(&moderator, json!({ "type": "remove", "user_id": other }), What::TakeOut { other }, random);
            }
            Op::Readmit | Op::ChangeRole => {
                let out: Vec<_> = self.users.iter().filter(|user| self.ledger.people[*user].removed).cloned().collect();
                let other = random.pick(&out).filter(|_| op == Op::Readmit).unwrap_or(other);
                let roles = [Role::Viewer, Role::Member, Role::Member, Role::Moderator];
                let role = random.pick(&roles).filter(|_| op == Op::ChangeRole);
                let user = UserId::parse(&other).unwrap();
                let call = RoomCall::PutMember { user, role, profile: ProfileChange::default() };
                self.serves(call, What::Put { other, role });
            }
            Op::Refuse => self.serves(RoomCall::Verdict { user: target, grant: None }, What::Refuse { other }),
            Op::Revoke => {
                let before = self.net.now.seconds() + 1;
                self.serves(RoomCall::Revoke { user: target, before }, What::Revoke { other, before });
            }
            Op::Mute | Op::Unmute => {
                let seconds = if op == Op::Mute { random.pick(&[1, 30, 600]).unwrap() } else { 0 };
                let frame = json!({ "type": "mute", "user_id": other, "seconds": seconds });
                self.says(&moderator, frame, What::Mute { other, seconds }, random);
            }
            Op::Ban => {
                let seconds = random.pick(&[0, 1, 20, 60]).unwrap();
                let frame = json!({ "type": "ban", "user_id": other, "seconds": seconds });
                self.says(&moderator, frame, What::Ban { other, seconds }, random);
            }
            _ => {
                let on = random.percent(40);
                self.says(&moderator, json!({ "type": "configure", "frozen": on }), What::Freeze { on }, random);
            }
        }
        true
    }

    fn connection(&mut self, op: Op, random: &mut Random) -> bool {
        let kinds = [Kind::V1, Kind::V1, Kind::V1, Kind::Classic];
        let kind = random.pick(&kinds).unwrap();
        match op {
            Op::Deliver => {
                let waiting = |index: &usize| {
                    let conn = self.clients[*index].conn;
                    conn.is_some_and(|conn| !self.net.sockets[&conn].incoming.is_empty())
                };
                let waiting: Vec<usize> = (0..self.clients.len()).filter(waiting).collect();
                let Some(client) = random.pick(&waiting) else { return false };
                let count = random.pick(&[1, 3, usize::MAX]).unwrap();
                self.arrives_at(client, count);
                let keeps = self.clients[client].saved.is_none() || random.percent(30);
                if keeps && !self.clients[client].v1.epoch.is_empty() {
                    self.clients[client].saved = Some(self.clients[client].v1.clone());
                }
                true
            }
            Op::JoinV1 | Op::JoinClassic => {
                let user = random.pick(&self.users).unwrap();
                let client = self.window(&user, if op == Op::JoinV1 { Kind::V1 } else { Kind::Classic });
                self.connects(client, None, None, random);
                true
            }
            Op::Drop => {
                let Some(client) = random.pick(&self.windows(None, kind)) else { return false };
                self.drops(client, random);
                true
            }
            Op::Resume | Op::StartAnew => {
                let Some(client) = self.without_socket(random, |client| client.kind != Kind::Poller) else {
                    return false;
                };
                let mut since = self.since(client).filter(|_| op == Op::Resume);
                if let Some(since) = since.as_mut().filter(|_| random.percent(20)) {
                    since.epoch = None;
                }
                self.connects(client, since, None, random);
                true
            }
            Op::ResumeFromEarlier => {
                let Some(client) = self.without_socket(random, |c| c.kind == Kind::V1 && c.saved.is_some()) else {
                    return false;
                };
                let saved = self.clients[client].saved.clone().unwrap();
                self.clients[client].v1 = saved;
                self.clients[client].v1.disconnected();
                let since = self.since(client);
                self.connects(client, since, None, random);
                true
            }
            Op::ResumeFromNowhere => {
                let Some(client) = self.without_socket(random, |c| c.kind == Kind::V1 && !c.v1.epoch.is_empty()) else {
                    return false;
                };
                let epoch = Some(self.clients[client].v1.epoch.clone());
                let since = match random.below(3) {
                    0 => Since { seq: seq(self.clients[client].v1.position), epoch: Some("another".into()) },
                    1 if self.ledger.pruned > 0 => Since { seq: seq(self.ledger.pruned - 1), epoch },
                    _ => Since { seq: seq(self.ledger.head + 1000), epoch },
                };
                self.clients[client].v1.expects_resync = true;
                self.connects(client, Some(since), None, random);
                true
            }
            Op::PullAgain => {
                let Some(client) = self.greeted(random).filter(|client| !self.clients[*client].v1.pulling) else {
                    return false;
                };
                let after = random.from(0, self.clients[client].v1.position);
                self.clients[client].v1.pulling = true;
                self.says_from(client, json!({ "type": "resume", "after": after }), What::Other);
                true
            }
            Op::Poll => {
                let user = random.pick(&self.users).unwrap();
                let known = self.clients.iter().position(|client| client.kind == Kind::Poller && client.user == user);
                let client = known.unwrap_or_else(|| self.window(&user, Kind::Poller));
                let since = self.since(client);
                self.polls(client, since);
                true
            }
            Op::Renew => {
                let Some(client) = random.pick(&self.windows(None, Kind::V1)) else { return false };
                let whose = if random.percent(85) { self.clients[client].user.clone() } else { "1".to_owned() };
                let token = format!("t{}", self.net.next_id());
                let mut identity = self.identity(&whose, 300 + random.from(0, 300));
                identity.expired = random.percent(10);
                if random.percent(90) {
                    self.net.identities.insert(token.clone(), identity);
                }
                self.says_from(client, json!({ "type": "auth", "token": token }), What::Other);
                true
            }
            _ => self.happens(op, random),
        }
    }

    /// A v1 window that has had its `hello`.
    fn greeted(&mut self, random: &mut Random) -> Option<usize> {
        let client = random.pick(&self.windows(None, Kind::V1))?;
        self.arrives_at(client, usize::MAX);
        let still_open = self.clients[client].conn.is_some() && self.clients[client].v1.greeted;
        still_open.then_some(client)
    }

    /// A window that has no socket, or whose line is cut now.
    fn without_socket(&mut self, random: &mut Random, fits: impl Fn(&crate::world::Client) -> bool) -> Option<usize> {
        let fitting: Vec<usize> = (0..self.clients.len()).filter(|index| fits(&self.clients[*index])).collect();
        let idle: Vec<usize> = fitting.iter().copied().filter(|index| self.clients[*index].conn.is_none()).collect();
        let client = random.pick(&idle).or_else(|| random.pick(&fitting))?;
        self.drops(client, random);
        Some(client)
    }

    fn happens(&mut self, op: Op, random: &mut Random) -> bool {
        match op {
            Op::Hibernate => self.net.reopen(),
            Op::Crash => self.crashes(random),
            Op::CrashAfterCommit => {
                if self.net.pending.is_empty() {
                    self.acts(random.pick(&[Op::Send, Op::SendByHttp, Op::React, Op::Pin]).unwrap(), random);
                }
                let inputs = self.net.arrives(random, true);
                if inputs.is_empty() {
                    return false;
                }
                self.runs(&inputs, false);
                self.crashes(random);
            }
            Op::StorageFails => {
                self.storage_failed = false;
                self.net.fails = Some((random.below(7) as u32, random.percent(25)));
                if self.net.pending.len() < 2 {
                    self.acts(random.pick(&[Op::Send, Op::SendByHttp, Op::React, Op::Pin]).unwrap(), random);
                }
                self.takes_turn(random, true);
                self.net.fails = None;
                return self.storage_failed;
            }
            Op::SecondsPass => self.passes(random.from(500, 12_000)),
            Op::MinutesPass => self.passes(random.from(20_000, 400_000)),
            Op::Prune => {
                let up_to = if random.percent(40) { self.ledger.head } else { random.from(0, self.ledger.head) };
                self.serves(RoomCall::Prune { up_to: seq(up_to) }, What::Prune { up_to });
            }
            Op::Compare => {
                let user = random.pick(&self.users).unwrap();
                return self.compares(&user);
            }
            other => unreachable!("{other:?}"),
        }
        true
    }

    fn crashes(&mut self, random: &mut Random) {
        // Whoever waits for being let in is told nothing: their connection just ends.
        for index in 0..self.clients.len() {
            if let Some(conn) = self.clients[index].conn.filter(|conn| !self.net.sockets[conn].accepted) {
                self.net.sockets.get_mut(&conn).unwrap().cut = true;
                self.clients[index].conn = None;
                self.clients[index].v1.disconnected();
            }
        }
        self.net.crash(random);
        self.ledger.crash(self.net.now);
    }
}
