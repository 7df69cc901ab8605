//! The storage port on rusqlite.

use std::collections::BTreeSet;

use chat_core::db::{Db, DbError, Param, Row, Value, contract};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

pub struct Sqlite {
    connection: Connection,
    /// The next statement that contains this text fails.
    pub fails_on: Option<&'static str>,
    /// So many statements go well yet, and then one fails.
    pub fails_in: Option<u32>,
    /// Turns are savepoints of one transaction, which [`Sqlite::forget`] takes back.
    outer: bool,
    statements: BTreeSet<&'static str>,
    /// What it says of its size.
    pub size_bytes: i64,
    /// Count the rows that are written.
    pub counts: bool,
    rows_written: i64,
    /// Rows that were handed out.
    pub rows_found: usize,
}

/// Statements that are kept compiled: all that the core has, and some of the tests' own.
const STATEMENTS: usize = 200;

/// The indexes that some rows of a table have an entry in, and which.
const INDEXES: &[&str] = &[
    "SELECT count(*) FROM messages WHERE client_message_id IS NOT NULL",
    "SELECT count(*) FROM messages WHERE thread IS NOT NULL",
];

impl Sqlite {
    pub fn new() -> Self {
        let connection = Connection::open_in_memory().unwrap();
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Sqlite {
            connection,
            fails_on: None,
            fails_in: None,
            outer: false,
            statements: BTreeSet::new(),
            size_bytes: 0,
            counts: false,
            rows_written: 0,
            rows_found: 0,
        }
    }

    /// The first column of what a question of the test's own finds.
    pub fn texts(&mut self, sql: &'static str) -> Vec<String> {
        let text = |row: &Row| match &row.0[0] {
            Value::Text(text) => text.clone(),
            Value::Int(number) => number.to_string(),
            Value::Null => String::new(),
        };
        self.run(sql, &[]).unwrap().iter().map(text).collect()
    }

    /// Every statement that was run.
    pub fn statements(&self) -> Vec<&'static str> {
        self.statements.iter().copied().collect()
    }

    /// The steps by which SQLite goes about a statement.
    pub fn plan(&self, sql: &str) -> Vec<String> {
        let mut statement = self.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut rows = statement.raw_query();
        let mut steps = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            steps.push(row.get(3).unwrap());
        }
        steps
    }

    /// Rows written since they are counted, entries of indexes included.
    pub fn rows_written(&self) -> i64 {
        self.rows_written
    }

    fn entries(&self) -> i64 {
        let count = |sql: &&str| self.connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap_or(0);
        INDEXES.iter().map(count).sum()
    }

    /// From here on everything can be forgotten at once: faster than a new database.
    pub fn remember(&mut self) {
        self.connection.execute_batch("BEGIN").unwrap();
        self.outer = true;
    }

    /// Back to where [`Sqlite::remember`] was called, which can be called again.
    pub fn forget(&mut self) {
        self.connection.execute_batch("ROLLBACK").unwrap();
        (self.outer, self.fails_in) = (false, None);
    }

    pub fn begin(&self) {
        self.does("BEGIN", "SAVEPOINT turn");
    }

    pub fn commit(&self) {
        self.does("COMMIT", "RELEASE turn");
    }

    pub fn roll_back(&self) {
        self.does("ROLLBACK", "ROLLBACK TO turn");
        if self.outer {
            self.commit();
        }
    }

    fn does(&self, alone: &str, inside: &str) {
        let sql = if self.outer { inside } else { alone };
        self.connection.prepare_cached(sql).unwrap().execute([]).unwrap();
    }
}

impl Db for Sqlite {
    fn run(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, DbError> {
        if self.fails_on.is_some_and(|text| sql.contains(text)) {
            self.fails_on = None;
            return Err(DbError("the disk is on fire".into()));
        }
        match self.fails_in.as_mut() {
            Some(0) => {
                self.fails_in = None;
                return Err(DbError("the disk is on fire".into()));
            }
            Some(left) => *left -= 1,
            None => {}
        }
        self.statements.insert(sql);
        let before = self.counts.then(|| (self.connection.total_changes() as i64, self.entries()));
        let found = self.ask(sql, params)?;
        self.rows_found += found.len();
        if let Some((changes, entries)) = before {
            // What updates change is in no index.
            self.rows_written += self.connection.total_changes() as i64 - changes + (self.entries() - entries).abs();
        }
        Ok(found)
    }

    fn write(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<bool, DbError> {
        let before = self.connection.total_changes();
        self.run(sql, params)?;
        Ok(self.connection.total_changes() > before)
    }

    fn size_bytes(&mut self) -> i64 {
        self.size_bytes
    }
}

impl Sqlite {
    fn ask(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, DbError> {
        let fail = |error: rusqlite::Error| DbError(error.to_string());
        let mut statement = self.connection.prepare_cached(sql).map_err(fail)?;
        for (index, param) in params.iter().enumerate() {
            match param {
                Param::Null => statement.raw_bind_parameter(index + 1, rusqlite::types::Null),
                Param::Int(value) => statement.raw_bind_parameter(index + 1, value),
                Param::Text(value) => statement.raw_bind_parameter(index + 1, value),
            }
            .map_err(fail)?;
        }
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(fail)? {
            let value = |index| match row.get_ref_unwrap(index) {
                ValueRef::Integer(value) => Value::Int(value),
                ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
                _ => Value::Null,
            };
            found.push(Row((0..columns).map(value).collect()));
        }
        Ok(found)
    }
}

#[test]
fn rusqlite_keeps_the_storage_contract() {
    assert_eq!(contract::check(&mut Sqlite::new()), Ok(8));
}

#[test]
fn a_row_of_another_shape_is_an_error_and_no_panic() {
    let row = Row(vec![Value::Text("a".into()), Value::Int(1), Value::Null]);
    assert!(row.int(0).is_err() && row.text(1).is_err() && row.int(2).is_err() && row.text(2).is_err());
    assert!(row.int(9).is_err() && row.opt_text(1).is_err() && row.opt_int(0).is_err());
    assert_eq!((row.opt_int(2), row.opt_text(2)), (Ok(None), Ok(None)));
}
