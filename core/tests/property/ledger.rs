//! What an observer outside the room knows to be true: who may do what, what was given, and how far everyone has read.
//! Kept from what goes into the room and what it answers, and from the rows of its log.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chat_core::ids::Millis;
use chat_core::protocol::internal::Role;

/// Marks that moved this long ago are in storage: the alarm saw to it.
const SETTLED_MS: i64 = 300_000;

#[derive(Clone, Debug, Default)]
pub struct Person {
    pub role: Role,
    pub removed: bool,
    pub banned_until: Option<Millis>,
    pub muted_until: Option<Millis>,
    pub revoked_before: i64,
    pub blocked: BTreeSet<String>,
    pub mark: Reading,
    /// What others have been told of the mark; it never goes back below this, but for a crash.
    pub floor: i64,
    /// The mark with the time from which it was so, for what a crash may take.
    moved: Vec<(Millis, i64)>,
    /// Moved by a call that was answered.
    pub durable: i64,
}

/// How far somebody has read.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    pub up_to: i64,
    pub private: i64,
    pub unread_from: Option<i64>,
    /// A crash took something, or nobody can tell what came first: not known until they read up to the head.
    pub unclear: bool,
}

impl Reading {
    pub fn read_up_to(&self) -> i64 {
        let read = self.up_to.max(self.private);
        self.unread_from.map_or(read, |from| read.min(from - 1))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Write,
    Delete,
    Moderate,
}

#[derive(Default)]
pub struct Ledger {
    pub people: BTreeMap<String, Person>,
    pub frozen: bool,
    pub head: i64,
    pub pruned: i64,
    /// What was given each position, for ever: nothing else may ever have it.
    pub log: BTreeMap<i64, String>,
    /// Messages that have not been pruned, with their senders.
    pub messages: BTreeMap<i64, String>,
    pub by_client_id: HashMap<(String, String), i64>,
    /// What each text was meant as. No text is used for two messages.
    pub intents: HashMap<String, Intent>,
    pub made: HashMap<String, i64>,
}

#[derive(Clone, Debug)]
pub struct Intent {
    pub user: String,
    pub client_message_id: Option<String>,
    /// Its id had been used for another text.
    pub reused: bool,
}

impl Person {
    pub fn is_out(&self, now: Millis) -> bool {
        self.removed || self.banned_until.is_some_and(|until| until > now)
    }

    pub fn moves(&mut self, up_to: i64, now: Millis) {
        if up_to > self.mark.up_to {
            self.mark.up_to = up_to;
            self.moved.push((now, up_to));
        }
        if !self.mark.unclear {
            self.floor = self.floor.max(self.mark.up_to);
        }
    }

    pub fn reads(&mut self, up_to: i64, head: i64, now: Millis) {
        let up_to = up_to.min(head);
        if self.mark.unread_from.is_some_and(|from| from <= up_to) {
            self.mark.unread_from = None;
        }
        self.moves(up_to, now);
        if up_to == head {
            self.mark = Reading { up_to: head, ..Reading::default() };
            self.floor = self.floor.max(head);
        }
    }

    pub fn reads_in_private(&mut self, up_to: i64, head: i64) {
        let up_to = up_to.min(head);
        if self.mark.unread_from.is_some_and(|from| from <= up_to) {
            self.mark.unread_from = None;
        }
        self.mark.private = self.mark.private.max(up_to);
    }
}

impl Ledger {
    pub fn person(&mut self, user: &str) -> &mut Person {
        self.people.entry(user.to_owned()).or_default()
    }

    pub fn may(&self, user: &str, action: Action, now: Millis) -> bool {
        let Some(person) = self.people.get(user) else { return false };
        let muted = person.muted_until.is_some_and(|until| until > now);
        match (person.role, action) {
            (Role::Moderator, _) => true,
            (Role::Member, Action::Write) => !muted && !self.frozen,
            (Role::Member, Action::Delete) => true,
            (Role::Viewer, _) | (_, Action::Moderate) => false,
        }
    }

    /// The room's memory and all attachments are gone: marks may fall back to what was stored.
    pub fn crash(&mut self, now: Millis) {
        for (user, person) in &mut self.people {
            let settled = person.moved.iter().filter(|(at, _)| now.since(*at) > SETTLED_MS).map(|(_, mark)| *mark);
            let own = self.messages.iter().rev().find(|(_, sender)| *sender == user).map_or(0, |(id, _)| *id);
            person.floor = settled.max().unwrap_or(0).max(person.durable).max(own).min(person.floor);
            person.mark = Reading { up_to: person.floor, unclear: true, ..Reading::default() };
            person.moved = vec![(now, person.floor)];
        }
    }

    /// Somebody was told that this is how far a user has read. `floor`, `before`: as they were when the turn began.
    pub fn hears_mark(&mut self, user: &str, up_to: i64, floor: i64, before: Option<&Reading>) {
        let person = self.people.entry(user.to_owned()).or_default();
        assert!(up_to >= floor, "{user}'s mark went back from {floor} to {up_to}");
        if let Some(before) = before.filter(|before| !before.unclear && !person.mark.unclear) {
            let range = before.up_to..=person.mark.up_to;
            assert!(range.contains(&up_to), "{user}'s mark is told as {up_to}, where it should be in {range:?}");
        }
        person.floor = person.floor.max(up_to);
    }

    pub fn prune(&mut self, up_to: i64) {
        self.pruned = self.pruned.max(up_to);
        self.messages = self.messages.split_off(&(self.pruned + 1));
        let pruned = self.pruned;
        self.by_client_id.retain(|_, id| *id > pruned);
        self.made.retain(|_, id| *id > pruned);
    }
}
