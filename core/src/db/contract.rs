//! What every implementation of [`Db`] must do, as a list of checks that runs on any of them: natively on rusqlite,
//! and inside the runtime on the object's SQLite.

use super::{Db, DbError, Param, Row, Value};
use crate::ids::MAX_SAFE_INTEGER;

type Check = fn(&mut dyn Db) -> Result<(), String>;

const CHECKS: &[(&str, Check)] = &[
    ("values come back as they went in", |db| {
        let texts = ["", "plain", "\u{1F600} 漢字 ع", "a'b\"c;--", "line\nbreak"];
        for text in texts {
            let rows = db.run("SELECT ?", &[Param::Text(text)]).map_err(|e| e.to_string())?;
            same(rows, vec![Row(vec![Value::Text(text.to_owned())])])?;
        }
        for number in [0, 1, -1, MAX_SAFE_INTEGER, -MAX_SAFE_INTEGER] {
            let rows = db.run("SELECT CAST(? AS INTEGER)", &[Param::Int(number)]).map_err(|e| e.to_string())?;
            same(rows, vec![Row(vec![Value::Int(number)])])?;
        }
        same(db.run("SELECT ?", &[Param::Null]).map_err(|e| e.to_string())?, vec![Row(vec![Value::Null])])
    }),
    ("a statement without rows answers none", |db| {
        db.run("CREATE TABLE contract (id INTEGER PRIMARY KEY, name TEXT)", &[]).map_err(|e| e.to_string())?;
        same(db.run("SELECT id FROM contract", &[]).map_err(|e| e.to_string())?, vec![])
    }),
    ("rows come in the order asked for, all of them", |db| {
        for id in 1..=300 {
            db.run("INSERT INTO contract (id, name) VALUES (?, ?)", &[Param::Int(id), Param::Text("n")])
                .map_err(|e| e.to_string())?;
        }
        let rows = db.run("SELECT id FROM contract ORDER BY id DESC", &[]).map_err(|e| e.to_string())?;
        same(rows, (1..=300).rev().map(|id| Row(vec![Value::Int(id)])).collect())
    }),
    ("an insert can return what it wrote", |db| {
        let rows =
            db.run("INSERT INTO contract (name) VALUES ('x') RETURNING id, name", &[]).map_err(|e| e.to_string())?;
        same(rows, vec![Row(vec![Value::Int(301), Value::Text("x".into())])])
    }),
    ("a broken constraint is an error, and the next statement runs", |db| {
        match db.run("INSERT INTO contract (id) VALUES (1)", &[]) {
            Err(DbError(text)) if text.contains("UNIQUE") => {}
            other => return Err(format!("expected a UNIQUE error, got {other:?}")),
        }
        same(db.run("SELECT 1", &[]).map_err(|e| e.to_string())?, vec![Row(vec![Value::Int(1)])])
    }),
    ("a conflict that is let pass returns no row", |db| {
        let rows = db
            .run("INSERT INTO contract (id) VALUES (1) ON CONFLICT DO NOTHING RETURNING id", &[])
            .map_err(|e| e.to_string())?;
        same(rows, vec![])
    }),
    ("a write says whether it wrote", |db| {
        let mut wrote = |sql, wanted: bool| match db.write(sql, &[]) {
            Ok(wrote) if wrote == wanted => Ok(()),
            other => Err(format!("{sql}: {other:?}")),
        };
        wrote("INSERT INTO contract (id) VALUES (400) ON CONFLICT DO NOTHING", true)?;
        wrote("INSERT INTO contract (id) VALUES (400) ON CONFLICT DO NOTHING", false)?;
        wrote("UPDATE contract SET name = 'y' WHERE id = 400", true)?;
        wrote("UPDATE contract SET name = 'z' WHERE id = 401", false)?;
        wrote("DELETE FROM contract WHERE id = 400", true)
    }),
    ("a missing table is an error", |db| match db.run("SELECT 1 FROM nowhere", &[]) {
        Err(DbError(text)) if text.contains("no such table") => Ok(()),
        other => Err(format!("expected an error, got {other:?}")),
    }),
];

fn same(got: Vec<Row>, wanted: Vec<Row>) -> Result<(), String> {
    if got == wanted { Ok(()) } else { Err(format!("wanted {wanted:?}, got {got:?}")) }
}

/// Runs every check on an empty database and returns how many there were.
///
/// # Errors
/// The name of the first check that fails, and how.
pub fn check(db: &mut dyn Db) -> Result<usize, String> {
    for (name, check) in CHECKS {
        check(db).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(CHECKS.len())
}
