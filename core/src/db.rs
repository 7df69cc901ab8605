//! The storage port: SQL that runs to completion, synchronously, in the driver's transaction.
//!
//! Two implementations stand behind one contract ([`contract`]): the object's SQLite and rusqlite (tests).

use std::fmt;

pub mod contract;

/// A value bound to a `?` of a statement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Param<'a> {
    Null,
    /// Exact up to ±(2^53 − 1): the object's SQLite passes numbers through JavaScript.
    Int(i64),
    Text(&'a str),
}

impl From<i64> for Param<'_> {
    fn from(value: i64) -> Self {
        Param::Int(value)
    }
}

impl<'a> From<&'a str> for Param<'a> {
    fn from(value: &'a str) -> Self {
        Param::Text(value)
    }
}

impl<'a, T: Into<Param<'a>>> From<Option<T>> for Param<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Param::Null, Into::into)
    }
}

/// A value that came back.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Int(i64),
    Text(String),
}

/// One row of an answer, its columns in the statement's order.
#[derive(Clone, Debug, PartialEq)]
pub struct Row(pub Vec<Value>);

impl Row {
    /// # Errors
    /// When column `index` is not an integer.
    pub fn int(&self, index: usize) -> Result<i64, DbError> {
        self.opt_int(index)?.ok_or_else(|| DbError::shape(index, "an integer"))
    }

    /// # Errors
    /// When column `index` is neither an integer nor NULL.
    pub fn opt_int(&self, index: usize) -> Result<Option<i64>, DbError> {
        match self.0.get(index) {
            Some(Value::Int(value)) => Ok(Some(*value)),
            Some(Value::Null) => Ok(None),
            _ => Err(DbError::shape(index, "an integer or NULL")),
        }
    }

    /// # Errors
    /// When column `index` is not text.
    pub fn text(&self, index: usize) -> Result<&str, DbError> {
        self.opt_text(index)?.ok_or_else(|| DbError::shape(index, "text"))
    }

    /// # Errors
    /// When column `index` is neither text nor NULL.
    pub fn opt_text(&self, index: usize) -> Result<Option<&str>, DbError> {
        match self.0.get(index) {
            Some(Value::Text(value)) => Ok(Some(value)),
            Some(Value::Null) => Ok(None),
            _ => Err(DbError::shape(index, "text or NULL")),
        }
    }
}

/// A statement that storage refused, or a row of an unexpected shape. The turn it happens in has not happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DbError(pub String);

impl DbError {
    fn shape(index: usize, wanted: &str) -> Self {
        DbError(format!("column {index} is not {wanted}"))
    }
}

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DbError {}

pub trait Db {
    /// Runs one statement to its end and returns its rows. The text is constant, so that it is compiled once; values
    /// travel as `params` only, at most 100 of them.
    ///
    /// # Errors
    /// What SQLite says (a constraint, a missing table, a full disk).
    fn run(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, DbError>;

    /// As [`Db::run`], for a statement that gives no rows: whether it wrote any. Cheaper than asking it for `RETURNING`.
    ///
    /// # Errors
    /// As [`Db::run`].
    fn write(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<bool, DbError>;

    /// How large the database is, in bytes.
    fn size_bytes(&mut self) -> i64;
}

/// Runs the migrations that have not been run, each statement once, and records how many are done.
///
/// # Errors
/// Storage errors; a database that a newer version has already changed, which this code must not touch.
pub fn migrate(
    db: &mut dyn Db,
    migrations: &'static [&'static [&'static str]],
    done: usize,
    record: impl Fn(&mut dyn Db, usize) -> Result<(), DbError>,
) -> Result<(), DbError> {
    if done > migrations.len() {
        return Err(DbError(format!("the database is of version {done}, this code knows {}", migrations.len())));
    }
    for (index, statements) in migrations.iter().enumerate().skip(done) {
        for statement in *statements {
            db.run(statement, &[])?;
        }
        record(db, index + 1)?;
    }
    Ok(())
}
