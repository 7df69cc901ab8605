//! Read marks: how far each member has read, and when they got there.
//!
//! They move often and are worth little each, so they live in memory and in the attachments of their user's sockets;
//! in storage the marks of 200 members lie together in one row, written when [`Marks::flush`] is called.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::db::{Db, DbError, Param};
use crate::ids::{Millis, Seq, UserId};

/// Members whose marks share a row.
const SHARD_SIZE: usize = 200;
/// Steps kept of a mark. Older ones are joined where that shifts a `read_at` least.
const STEPS_MAX: usize = 8;

/// A mark is a few steps deep, so that the moment at which a message was read can still be told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// (up to, when), ascending in both.
    #[serde(rename = "s")]
    steps: Vec<(Seq, Millis)>,
    /// Grows with every change: of two marks of a user, the one with the higher revision is the newer.
    #[serde(rename = "r", default)]
    revision: u64,
    /// How far others have been told.
    #[serde(rename = "t", default)]
    announced: Seq,
    /// How far their user has read without telling anybody.
    #[serde(rename = "p", default, skip_serializing_if = "is_zero")]
    private: Seq,
    /// Their user wants to find everything from here on unread again.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    unread_from: Option<Seq>,
    /// When their user was last here. Stored with the mark, whenever that is.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<Millis>,
    /// Since when it has been ahead of storage.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub unsaved_since: Option<Millis>,
    /// The user's object knows that their contacts entry is out of date. Stored with the mark, whenever that is.
    #[serde(rename = "o", default, skip_serializing_if = "std::ops::Not::not")]
    told: bool,
    /// What storage holds of `told`.
    #[serde(skip)]
    told_saved: bool,
}

fn is_zero(seq: &Seq) -> bool {
    *seq == Seq::ZERO
}

impl Mark {
    pub fn up_to(&self) -> Seq {
        self.steps.last().map_or(Seq::ZERO, |step| step.0)
    }

    /// Everything up to here counts as read for its user.
    pub fn read_up_to(&self) -> Seq {
        let read = self.up_to().max(self.private);
        self.unread_from.map_or(read, |from| read.min(Seq(from.0.saturating_sub(1))))
    }

    /// When their user last did something that their mark knows of.
    pub fn last_active(&self) -> Option<Millis> {
        self.steps.last().map(|step| step.1).max(self.left_at)
    }

    fn changed(&mut self, now: Millis) {
        self.revision += 1;
        self.unsaved_since.get_or_insert(now);
    }

    /// When this mark reached `id`.
    pub fn reached_at(&self, id: Seq) -> Option<Millis> {
        self.steps.iter().find(|step| step.0 >= id).map(|step| step.1)
    }

    /// Moves forward; a mark never goes back.
    fn advance(&mut self, up_to: Seq, now: Millis) -> bool {
        if up_to <= self.up_to() {
            return false;
        }
        let now = self.steps.last().map_or(now, |step| now.max(step.1));
        self.steps.push((up_to, now));
        if self.steps.len() > STEPS_MAX {
            let gaps = self.steps.iter().zip(self.steps.iter().skip(1)).map(|(a, b)| b.1.since(a.1));
            if let Some((closest, _)) = gaps.enumerate().min_by_key(|(_, gap)| *gap) {
                self.steps.remove(closest);
            }
        }
        self.changed(now);
        true
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Shard {
    marks: Vec<(UserId, Mark)>,
}

/// All marks of a room.
#[derive(Default)]
pub struct Marks {
    loaded: bool,
    marks: HashMap<UserId, Mark>,
    /// Members in the order in which they got their first mark: the place in it is the shard.
    order: Vec<UserId>,
    /// The furthest of all: nobody has read what lies beyond.
    furthest: Seq,
    /// The oldest `unsaved_since`.
    unsaved_since: Option<Millis>,
}

impl Marks {
    /// Reads the stored marks once, and takes over what attachments know better. `false`: it was done before.
    ///
    /// # Errors
    /// Storage errors.
    pub fn load<'a>(
        &mut self,
        db: &mut dyn Db,
        attached: impl Iterator<Item = (&'a UserId, &'a Mark)>,
    ) -> Result<bool, DbError> {
        if self.loaded {
            return Ok(false);
        }
        for row in db.run("SELECT data FROM marks ORDER BY shard", &[])? {
            let shard: Shard = serde_json::from_str(row.text(0)?).map_err(|e| DbError(format!("marks: {e}")))?;
            for (user, mark) in shard.marks {
                // A row of an older order of members must not take a mark back.
                if self.get(&user).is_none_or(|known| known.revision <= mark.revision) {
                    let told = mark.told;
                    self.insert(user, Mark { told_saved: told, ..mark });
                }
            }
        }
        for (user, mark) in attached {
            let stored = self.marks.get(user);
            if stored.is_none_or(|stored| mark.revision > stored.revision) {
                // An attachment may be older than what storage holds of `told`.
                let told = stored.is_some_and(|mark| mark.told);
                let left_at = stored.and_then(|mark| mark.left_at);
                self.insert(user.clone(), Mark { told, told_saved: told, left_at, ..mark.clone() });
            }
        }
        self.loaded = true;
        Ok(true)
    }

    fn insert(&mut self, user: UserId, mark: Mark) {
        self.furthest = self.furthest.max(mark.up_to());
        self.unsaved_since = [self.unsaved_since, mark.unsaved_since].into_iter().flatten().min();
        if self.marks.insert(user.clone(), mark).is_none() {
            self.order.push(user);
        }
    }

    pub fn get(&self, user: &UserId) -> Option<&Mark> {
        self.marks.get(user)
    }

    pub fn up_to(&self, user: &UserId) -> Seq {
        self.get(user).map_or(Seq::ZERO, Mark::up_to)
    }

    pub fn advance(&mut self, user: &UserId, up_to: Seq, now: Millis) -> bool {
        let moved = self.entry(user).advance(up_to, now);
        if moved {
            self.furthest = self.furthest.max(up_to);
            self.unsaved_since.get_or_insert(now);
        }
        moved
    }

    /// Their user has read this far and others are not to know; `false`: that was so already.
    pub fn advance_private(&mut self, user: &UserId, up_to: Seq, now: Millis) -> bool {
        let mark = self.entry(user);
        if up_to <= mark.private.max(mark.up_to()) {
            return false;
        }
        mark.private = up_to;
        mark.changed(now);
        self.unsaved_since.get_or_insert(now);
        true
    }

    /// Everything from `from` on is to be found unread again (`None`: no longer); `false`: it was so already. The mark
    /// itself stays where it is.
    pub fn set_unread_from(&mut self, user: &UserId, from: Option<Seq>, now: Millis) -> bool {
        let mark = self.entry(user);
        if mark.unread_from == from {
            return false;
        }
        mark.unread_from = from;
        mark.changed(now);
        self.unsaved_since.get_or_insert(now);
        true
    }

    pub fn unread_from(&self, user: &UserId) -> Option<Seq> {
        self.get(user).and_then(|mark| mark.unread_from)
    }

    /// Their user's last socket has gone. That alone is not stored.
    pub fn left(&mut self, user: &UserId, now: Millis) {
        self.entry(user).left_at = Some(now);
    }

    /// Notes that others are being told of the mark as far as `up_to`; `None` when they have been told that far
    /// already, else how far they had been.
    pub fn announce(&mut self, user: &UserId, up_to: Seq) -> Option<Seq> {
        let mark = self.entry(user);
        let before = mark.announced;
        if up_to <= before {
            return None;
        }
        mark.announced = up_to;
        mark.revision += 1;
        Some(before)
    }

    /// Notes that the user's object is being told; `false`: it knows already.
    pub fn tell(&mut self, user: &UserId) -> bool {
        !std::mem::replace(&mut self.entry(user).told, true)
    }

    /// Notes that the user's object is to be told of the next change again; `true`: storage says otherwise, so that
    /// the marks have to be stored before anybody relies on it.
    pub fn tell_again(&mut self, user: &UserId) -> bool {
        let Some(mark) = self.marks.get_mut(user) else { return false };
        mark.told = false;
        mark.told_saved
    }

    fn entry(&mut self, user: &UserId) -> &mut Mark {
        if !self.marks.contains_key(user) {
            self.order.push(user.clone());
        }
        self.marks.entry(user.clone()).or_default()
    }

    /// When the first of the other members' marks reached `id`, a message of `sender`'s.
    pub fn read_at(&self, sender: &UserId, id: Seq) -> Option<Millis> {
        if id > self.furthest {
            return None;
        }
        let others = self.marks.iter().filter(|(user, _)| *user != sender);
        others.filter_map(|(_, mark)| mark.reached_at(id)).min()
    }

    /// Since when some mark has been ahead of storage.
    pub fn unsaved_since(&self) -> Option<Millis> {
        self.unsaved_since
    }

    /// Writes the rows in which a mark has moved: one for 200 members.
    ///
    /// # Errors
    /// Storage errors.
    pub fn flush(&mut self, db: &mut dyn Db) -> Result<(), DbError> {
        self.unsaved_since = None;
        for (number, users) in self.order.chunks(SHARD_SIZE).enumerate() {
            let moved = |user| {
                let mark = self.marks.get(user);
                mark.is_some_and(|mark| mark.unsaved_since.is_some() || (mark.told_saved && !mark.told))
            };
            if !users.iter().any(moved) {
                continue;
            }
            let saved = |mark: &Mark| Mark { unsaved_since: None, ..mark.clone() };
            let marks = users.iter().filter_map(|user| Some((user.clone(), saved(self.marks.get(user)?)))).collect();
            let data = serde_json::to_string(&Shard { marks }).map_err(|e| DbError(format!("marks: {e}")))?;
            let sql = "INSERT INTO marks (shard, data) VALUES (?, ?)
                ON CONFLICT (shard) DO UPDATE SET data = excluded.data";
            db.write(sql, &[Param::Int(number as i64), Param::Text(&data)])?;
            for user in users {
                if let Some(mark) = self.marks.get_mut(user) {
                    (mark.unsaved_since, mark.told_saved) = (None, mark.told);
                }
            }
        }
        Ok(())
    }
}
