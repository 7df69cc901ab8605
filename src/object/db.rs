//! The core's storage port on the object's SQLite.

use std::cell::RefCell;
use std::collections::HashMap;

use chat_core::db::{Db, DbError, Param, Row, Value};
use js_sys::{Array, JsString};
use wasm_bindgen::{JsCast, JsValue};

use super::bindings::{Cursor, SqlStorage};

thread_local! {
    /// The JavaScript string of each statement, made once: the runtime finds a compiled statement by its text.
    static STATEMENTS: RefCell<HashMap<(usize, usize), JsString>> = RefCell::default();
}

pub struct ObjectDb {
    sql: SqlStorage,
    pub rows_read: f64,
    pub rows_written: f64,
}

impl ObjectDb {
    pub fn new(sql: SqlStorage) -> Self {
        ObjectDb { sql, rows_read: 0.0, rows_written: 0.0 }
    }
}

impl Db for ObjectDb {
    fn run(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, DbError> {
        let cursor = self.exec(sql, params)?;
        let rows = cursor.raw().and_then(|rows| rows.to_array()).map_err(error)?;
        self.count(&cursor);
        rows.iter().map(|row| row_of(&row)).collect()
    }

    fn write(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<bool, DbError> {
        // Without rows to give, the statement has run to its end in `exec`.
        let cursor = self.exec(sql, params)?;
        Ok(self.count(&cursor) > 0.0)
    }

    fn size_bytes(&mut self) -> i64 {
        self.sql.database_size() as i64
    }
}

impl ObjectDb {
    fn exec(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Cursor, DbError> {
        let bound = Array::new();
        for param in params {
            bound.push(&match param {
                Param::Null => JsValue::NULL,
                // A JavaScript number; bigint is refused by the runtime's binding.
                Param::Int(value) => JsValue::from_f64(*value as f64),
                Param::Text(text) => JsValue::from_str(text),
            });
        }
        self.sql.exec(&statement(sql), &bound).map_err(error)
    }

    /// Notes what the statement cost; gives the rows that it wrote, entries of indexes included.
    fn count(&mut self, cursor: &Cursor) -> f64 {
        let written = cursor.rows_written();
        self.rows_read += cursor.rows_read();
        self.rows_written += written;
        written
    }
}

fn statement(sql: &'static str) -> JsString {
    let key = (sql.as_ptr() as usize, sql.len());
    STATEMENTS.with_borrow_mut(|known| known.entry(key).or_insert_with(|| JsString::from(sql)).clone())
}

fn row_of(row: &JsValue) -> Result<Row, DbError> {
    let columns = row.dyn_ref::<Array>().ok_or_else(|| DbError("a row is not an array".into()))?;
    columns.iter().map(|column| value_of(&column)).collect::<Result<_, _>>().map(Row)
}

fn value_of(column: &JsValue) -> Result<Value, DbError> {
    if let Some(number) = column.as_f64() {
        return Ok(Value::Int(number as i64));
    }
    if let Some(text) = column.as_string() {
        return Ok(Value::Text(text));
    }
    if column.is_null() { Ok(Value::Null) } else { Err(DbError("a column of an unknown type".into())) }
}

fn error(error: JsValue) -> DbError {
    let text = error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    DbError(text.or_else(|| error.as_string()).unwrap_or_else(|| "storage failed".into()))
}
