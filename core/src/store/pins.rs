//! The pinned messages, in the order in which they were pinned. Few, and kept in memory.

use crate::db::{Db, DbError, Param};
use crate::ids::{Seq, UserId};

#[derive(Default)]
pub struct Pins {
    pinned: Option<Vec<Seq>>,
}

impl Pins {
    /// # Errors
    /// Storage errors.
    pub fn all(&mut self, db: &mut dyn Db) -> Result<&[Seq], DbError> {
        let pinned = match self.pinned.take() {
            Some(pinned) => pinned,
            None => {
                let rows = db.run("SELECT message FROM pins ORDER BY seq", &[])?;
                rows.iter().map(|row| row.int(0).map(Seq)).collect::<Result<_, _>>()?
            }
        };
        Ok(self.pinned.insert(pinned))
    }

    /// Pins or unpins, at a position of the log; `false` when it was so already. 1 row.
    ///
    /// # Errors
    /// Storage errors.
    pub fn set(&mut self, db: &mut dyn Db, id: Seq, on: bool, by: &UserId, seq: Seq) -> Result<bool, DbError> {
        if self.all(db)?.contains(&id) == on {
            return Ok(false);
        }
        if on {
            let sql = "INSERT INTO pins (message, user, seq) VALUES (?, ?, ?)";
            db.write(sql, &[Param::Int(id.0), Param::Text(by.as_str()), Param::Int(seq.0)])?;
        } else {
            db.write("DELETE FROM pins WHERE message = ?", &[Param::Int(id.0)])?;
        }
        self.pinned = None;
        Ok(true)
    }

    /// # Errors
    /// Storage errors.
    pub fn prune(&mut self, db: &mut dyn Db, up_to: Seq) -> Result<(), DbError> {
        self.pinned = None;
        db.write("DELETE FROM pins WHERE message <= ?", &[Param::Int(up_to.0)]).map(drop)
    }
}
