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
    /// How far others have been told.
    #[serde(rename = "t", default)]
    pub announced: Seq,
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

impl Mark {
    pub fn up_to(&self) -> Seq {
        self.steps.last().map_or(Seq::ZERO, |step| step.0)
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
        self.unsaved_since.get_or_insert(now);
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
                if self.up_to(&user) <= mark.up_to() {
                    let told = mark.told;
                    self.insert(user, Mark { told_saved: told, ..mark });
                }
            }
        }
        for (user, mark) in attached {
            let stored = self.marks.get(user).map_or(Seq::ZERO, Mark::up_to);
            let announced = self.marks.get(user).map_or(Seq::ZERO, |mark| mark.announced);
            if mark.up_to() > stored || mark.announced > announced {
                // An attachment may be older than what storage holds of `told`.
                let told = self.marks.get(user).is_some_and(|mark| mark.told);
                self.insert(user.clone(), Mark { told, told_saved: told, ..mark.clone() });
            }
        }
        self.loaded = true;
        Ok(true)
    }

    fn insert(&mut self, user: UserId, mark: Mark) {
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
        self.entry(user).advance(up_to, now)
    }

    /// Notes that others are being told of the mark as far as `up_to`; `None` when they have been told that far
    /// already, else how far they had been.
    pub fn announce(&mut self, user: &UserId, up_to: Seq) -> Option<Seq> {
        let mark = self.entry(user);
        let before = mark.announced;
        mark.announced = before.max(up_to);
        (up_to > before).then_some(before)
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
        let others = self.marks.iter().filter(|(user, _)| *user != sender);
        others.filter_map(|(_, mark)| mark.reached_at(id)).min()
    }

    /// Since when some mark has been ahead of storage.
    pub fn unsaved_since(&self) -> Option<Millis> {
        self.marks.values().filter_map(|mark| mark.unsaved_since).min()
    }

    /// Writes the rows in which a mark has moved: one for 200 members.
    ///
    /// # Errors
    /// Storage errors.
    pub fn flush(&mut self, db: &mut dyn Db) -> Result<(), DbError> {
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
            db.run(sql, &[Param::Int(number as i64), Param::Text(&data)])?;
            for user in users {
                if let Some(mark) = self.marks.get_mut(user) {
                    (mark.unsaved_since, mark.told_saved) = (None, mark.told);
                }
            }
        }
        Ok(())
    }
}
