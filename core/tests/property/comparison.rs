//! A client that has had everything is where a fresh one would be: *snapshot at n + events n…m = snapshot at m*.

use std::collections::BTreeMap;

use chat_core::db::Db;
use chat_core::ids::ConnId;
use chat_core::protocol::internal::RoomCall;
use serde_json::{Value, json};

use crate::deeds::What;
use crate::random::Random;
use crate::v1_client::{Member, V1Client, text};
use crate::world::{Client, Kind, World};

impl World {
    /// Asks by HTTP, in a turn of its own; `None` when the user is not let in.
    fn asks(&mut self, user: &str, call: RoomCall) -> Option<Value> {
        let ticket = self.calls(user, call, What::Other);
        let (_, mut own) = self.net.pending.pop_last().unwrap();
        let inputs: Vec<_> = own.pop_front().into_iter().collect();
        self.runs(&inputs, true);
        let answer = &self.net.answers[&ticket];
        (answer.status == 200).then(|| serde_json::from_str(&answer.body).unwrap())
    }

    /// A fresh client with all that the project holds.
    fn snapshot(&mut self, user: &str) -> Option<V1Client> {
        let mut fresh = V1Client::new(user);
        let events = self.asks(user, RoomCall::Events { since: None })?;
        for event in events.as_array().unwrap() {
            fresh.take(event);
        }
        self.unread_is_right(user, &events[0]);
        while fresh.more_before {
            let frame = json!({ "type": "history", "before": fresh.complete_from, "limit": 100 });
            let page = self.asks(user, RoomCall::Frame { text: frame.to_string() }).unwrap();
            fresh.paging = true;
            fresh.take(&page[0]);
        }
        Some(fresh)
    }

    /// Compares the user's windows that have had everything with a fresh snapshot; `false`: the user is not let in.
    pub fn compares(&mut self, user: &str) -> bool {
        let Some(snapshot) = self.snapshot(user) else {
            let person = &self.ledger.people[user];
            assert!(person.is_out(self.net.now), "{user} is not let in, without being out");
            return false;
        };
        assert_eq!(snapshot.position, self.ledger.head, "the head");
        let held: Vec<i64> = snapshot.messages.keys().copied().collect();
        let expected: Vec<i64> = self.ledger.messages.keys().copied().collect();
        assert_eq!(held, expected, "the messages that the project holds");
        self.read_at_is_right(user);
        for index in 0..self.clients.len() {
            if self.clients[index].user == user {
                self.arrives_at(index, usize::MAX);
            }
        }
        for index in 0..self.clients.len() {
            let client = &self.clients[index];
            if client.user != user {
                continue;
            }
            let whole = match client.kind {
                Kind::Poller => client.v1.greeted && client.v1.position == snapshot.position,
                Kind::V1 | Kind::Classic => client.conn.is_some_and(|conn| self.net.sockets[&conn].open),
            };
            match client.kind {
                Kind::V1 if whole && client.v1.greeted && !client.v1.pulling => self.same(client, &snapshot),
                Kind::Poller if whole => self.same_log(&client.v1, &snapshot),
                Kind::Classic if whole => self.same_classic(client, client.conn.unwrap(), &snapshot),
                _ => {}
            }
        }
        true
    }

    fn same_log(&self, mine: &V1Client, snapshot: &V1Client) {
        let pruned = self.ledger.pruned;
        assert_eq!(mine.position, snapshot.position, "{} is at another place", mine.user);
        assert_eq!(mine.epoch, snapshot.epoch);
        let from = mine.complete_from.max(pruned + 1);
        let held: BTreeMap<_, _> = mine.messages.range(from..).collect();
        let expected: BTreeMap<_, _> = snapshot.messages.range(from..).collect();
        for (id, message) in &expected {
            assert_eq!(held.get(id), Some(message), "{}'s message {id} (left) differs from a fresh one", mine.user);
        }
        assert_eq!(held.len(), expected.len(), "{} holds messages that are not there", mine.user);
        let pins: Vec<_> = mine.pins.iter().copied().filter(|id| *id > pruned).collect();
        assert_eq!(pins, snapshot.pins, "{}'s pins (left) differ from fresh ones", mine.user);
    }

    fn same(&self, client: &Client, snapshot: &V1Client) {
        let mine = &client.v1;
        self.same_log(mine, snapshot);
        let now = self.net.now.iso();
        let past = |time: &Value| time.as_str().is_some_and(|time| *time <= *now);
        let known = |member: &Member| {
            let muted_until = if past(&member.muted_until) { Value::Null } else { member.muted_until.clone() };
            // In a large room not everybody hears of receipts.
            let mark = if self.net.settings.limits.receipts_to_all_max_present < 10 { 0 } else { member.mark };
            Member { muted_until, mark, ..member.clone() }
        };
        let members = |of: &V1Client| -> BTreeMap<String, Member> {
            of.members.iter().map(|(id, member)| (id.clone(), known(member))).collect()
        };
        assert_eq!(members(mine), members(snapshot), "{}'s members (left) differ from fresh ones", mine.user);
        let rights = |of: &V1Client| {
            let muted = if past(&of.you["muted_until"]) { Value::Null } else { of.you["muted_until"].clone() };
            (of.you["role"].clone(), of.you["blocked"].clone(), muted, of.project["frozen"].clone())
        };
        assert_eq!(rights(mine), rights(snapshot), "what {} is here (left) differs from fresh", mine.user);
    }

    /// What a classic window shows since it has its socket.
    fn same_classic(&self, client: &Client, conn: ConnId, snapshot: &V1Client) {
        let Some((_, joined_at)) = self.net.sockets[&conn].joined else { return };
        for (id, words) in client.classic.range(self.ledger.pruned + 1..) {
            let now = &snapshot.messages[id];
            let expected = now.deleted_at.is_null().then_some(&now.content);
            // One that was deleted before it was sent again comes without words.
            let same = words.as_ref() == expected || (expected.is_none() && words.as_deref() == Some(""));
            assert!(same, "{}'s classic window shows {id} as {words:?}, not {expected:?}", client.user);
        }
        for id in snapshot.messages.range(joined_at + 1..).map(|(id, _)| id) {
            assert!(client.classic.contains_key(id), "{}'s classic window never showed {id}", client.user);
        }
    }

    /// What has come back after a while: a classic window is sent what its user has not read.
    fn replays_are_complete(&mut self) {
        let sql = "SELECT id FROM messages WHERE deleted_at IS NOT NULL";
        let deleted: Vec<i64> = self.net.db.run(sql, &[]).unwrap().iter().map(|row| row.int(0).unwrap()).collect();
        for (conn, socket) in self.net.sockets.iter().filter(|(_, socket)| socket.open && !socket.v1) {
            let Some((mark, head)) = socket.joined else { continue };
            let person = &self.ledger.people[&socket.user];
            if person.mark.unclear || person.mark.up_to > mark {
                continue; // read meanwhile
            }
            let missed = |(id, sender): &(&i64, &String)| **id > mark && **id <= head && **sender != socket.user;
            for (id, _) in self.ledger.messages.iter().filter(missed) {
                assert!(
                    socket.shown.contains(id) || deleted.contains(id),
                    "{conn:?} of {}'s was not sent {id} again",
                    socket.user
                );
            }
        }
    }

    /// Unread messages, counted by hand.
    fn unread_is_right(&mut self, user: &str, hello: &Value) {
        let person = &self.ledger.people[user];
        if person.mark.unclear {
            return;
        }
        let (from, blocked, max) = (person.mark.read_up_to(), &person.blocked, self.net.settings.limits.unread_max);
        let sql = "SELECT id, sender, extra FROM messages WHERE deleted_at IS NULL ORDER BY id";
        let (mut ids, mut mentions) = (Vec::new(), 0);
        for row in self.net.db.run(sql, &[]).unwrap() {
            let (id, sender) = (row.int(0).unwrap(), row.text(1).unwrap());
            if id <= from || sender == user || blocked.contains(sender) {
                continue;
            }
            ids.push(id);
            let extra: Value = row.opt_text(2).unwrap().map_or(Value::Null, |text| serde_json::from_str(text).unwrap());
            let mentioned = extra["mentions"].as_array().into_iter().flatten().any(|id| text(id) == user);
            mentions += i64::from(mentioned);
        }
        let count = (ids.len() as i64).min(max);
        let expected = json!({ "count": count, "first_id": ids.first(), "mentions": mentions.min(max) });
        assert_eq!(hello["unread"], expected, "what {user} has not read (left), beyond {from}");
    }

    /// `read_at` is not null exactly when another member's mark has reached the message.
    fn read_at_is_right(&mut self, user: &str) {
        if self.ledger.people.values().any(|person| person.mark.unclear) {
            return;
        }
        let call = RoomCall::Messages { limit: Some(100), before: None, after: None };
        let Some(page) = self.asks(user, call) else { return };
        for shape in page.as_array().unwrap() {
            let (id, sender) = (shape["id"].as_i64().unwrap(), text(&shape["sender"]));
            let read = self.ledger.people.iter().any(|(other, person)| *other != sender && person.mark.up_to >= id);
            assert_eq!(!shape["read_at"].is_null(), read, "whether {id} has been read: {}", shape["read_at"]);
        }
    }

    /// Everything that is under way arrives, everybody comes back, and everything is compared.
    pub fn ends(&mut self) {
        let mut random = Random::new(7);
        self.settles(&mut random);
        for index in 0..self.clients.len() {
            if self.clients[index].conn.is_none() {
                let since = self.since(index);
                self.connects(index, since, None, &mut random);
                self.settles(&mut random);
            }
        }
        for index in
            (0..self.clients.len()).filter(|index| self.clients[*index].kind == Kind::Poller).collect::<Vec<_>>()
        {
            for _ in 0..self.ledger.head + 2 {
                let since = self.since(index);
                self.polls(index, since);
                self.settles(&mut random);
                if self.clients[index].v1.position == self.ledger.head {
                    break;
                }
            }
        }
        self.passes(2_000);
        self.settles(&mut random);
        self.replays_are_complete();
        self.nothing_is_left_behind();
        for user in self.users.clone() {
            self.compares(&user);
        }
        self.log_is_whole();
    }

    fn settles(&mut self, random: &mut Random) {
        let mut rounds = 0;
        loop {
            let waiting = !self.net.pending.is_empty();
            self.takes_turn(random, true);
            let arrived: usize = (0..self.clients.len()).map(|index| self.arrives_at(index, usize::MAX)).sum();
            if !waiting && arrived == 0 && self.net.pending.is_empty() {
                return;
            }
            rounds += 1;
            assert!(rounds < 2_000, "it never comes to rest");
        }
    }

    /// Whoever has a socket is at the head by now.
    fn nothing_is_left_behind(&self) {
        for client in self.clients.iter().filter(|client| client.kind == Kind::V1) {
            let open = client.conn.is_some_and(|conn| self.net.sockets[&conn].open);
            let at_head = client.v1.position == self.ledger.head && !client.v1.pulling && client.v1.greeted;
            assert!(!open || at_head, "{} is left behind at {}", client.user, client.v1.position);
        }
    }
}
