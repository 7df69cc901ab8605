//! What a server frame holds, as far as it is checked. Nothing is copied that need not be, and no tree is built.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::options::Dialect;

#[derive(Debug, Deserialize)]
pub struct Event<'a> {
    #[serde(rename = "type", borrow)]
    pub kind: Cow<'a, str>,
    pub seq: Option<u64>,
    /// Of `new.message`; other events may have something else under this name.
    #[serde(borrow)]
    pub message: Option<&'a RawValue>,
    /// Of `error`.
    pub code: Option<Cow<'a, str>>,
    pub detail: Option<Cow<'a, str>>,
}

#[derive(Debug, Deserialize)]
pub struct Message<'a> {
    pub id: u64,
    pub client_message_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub content: Cow<'a, str>,
}

/// The events of a frame: a JSON array of them in v1, one object in the classic dialect.
pub fn events(dialect: Dialect, frame: &str) -> Result<Vec<Event<'_>>, serde_json::Error> {
    match dialect {
        Dialect::V1 => serde_json::from_str(frame),
        Dialect::Classic => serde_json::from_str(frame).map(|event| vec![event]),
    }
}
