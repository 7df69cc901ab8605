//! Who is mentioned where: one row per mention.

use crate::db::{Db, DbError, Param};
use crate::ids::{MAX_SAFE_INTEGER, Seq, UserId};

/// # Errors
/// Storage errors.
pub fn add(db: &mut dyn Db, users: &[UserId], message: Seq) -> Result<(), DbError> {
    for user in users {
        let sql = "INSERT INTO mentions (user, message) VALUES (?, ?) ON CONFLICT DO NOTHING";
        db.write(sql, &[Param::Text(user.as_str()), Param::Int(message.0)])?;
    }
    Ok(())
}

/// # Errors
/// Storage errors.
pub fn remove(db: &mut dyn Db, users: &[UserId], message: Seq) -> Result<(), DbError> {
    for user in users {
        let sql = "DELETE FROM mentions WHERE user = ? AND message = ?";
        db.write(sql, &[Param::Text(user.as_str()), Param::Int(message.0)])?;
    }
    Ok(())
}

/// At most `limit` messages older than `before` that mention the user, newest first.
///
/// # Errors
/// Storage errors.
pub fn of(db: &mut dyn Db, user: &UserId, before: Option<Seq>, limit: i64) -> Result<Vec<Seq>, DbError> {
    let sql = "SELECT message FROM mentions WHERE user = ? AND message < ? ORDER BY message DESC LIMIT ?";
    let top = before.map_or(MAX_SAFE_INTEGER, |seq| seq.0);
    let rows = db.run(sql, &[Param::Text(user.as_str()), Param::Int(top), Param::Int(limit)])?;
    rows.iter().map(|row| row.int(0).map(Seq)).collect()
}

/// How many messages after `mark` mention the user, exact up to `max`. `blocked`: whose messages do not count.
///
/// # Errors
/// Storage errors.
pub fn unread(db: &mut dyn Db, user: &UserId, blocked: &[UserId], mark: Seq, max: i64) -> Result<i64, DbError> {
    // The message is looked up only for one who has blocked somebody.
    let sql = "SELECT count(*) FROM (SELECT 1 FROM mentions WHERE user = ?1 AND message > ?2 AND (?3 = '[]'
        OR (SELECT sender FROM messages WHERE id = message) NOT IN (SELECT value FROM json_each(?3))) LIMIT ?4)";
    let texts: Vec<_> = blocked.iter().map(UserId::as_str).collect();
    let blocked = serde_json::to_string(&texts).map_err(|error| DbError(error.to_string()))?;
    let params = [Param::Text(user.as_str()), Param::Int(mark.0), Param::Text(&blocked), Param::Int(max)];
    db.run(sql, &params)?.first().map_or(Ok(0), |row| row.int(0))
}

/// # Errors
/// Storage errors.
pub fn prune(db: &mut dyn Db, up_to: Seq) -> Result<(), DbError> {
    // Those of each user in turn: the key begins with the user.
    let users = db.run("SELECT DISTINCT user FROM mentions", &[])?;
    for row in &users {
        let sql = "DELETE FROM mentions WHERE user = ? AND message <= ?";
        db.run(sql, &[Param::Text(row.text(0)?), Param::Int(up_to.0)])?;
    }
    Ok(())
}
