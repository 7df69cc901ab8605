//! The classic dialect: one JSON object per frame, no subprotocol. These shapes are fixed; clients exist.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{MAX_SAFE_INTEGER, Seq, UserId};
use crate::protocol::codes::{ErrorCode, Refusal};
use crate::protocol::rest::Person;

/// What a server sends.
#[derive(Serialize)]
#[serde(tag = "type")]
pub enum Event<'a> {
    #[serde(rename = "new.message")]
    NewMessage { message: Message<'a> },
    #[serde(rename = "typing")]
    Typing { user_id: &'a UserId, username: &'a str, is_typing: bool },
    /// `message_id` repeats `last_read_message_id`: older clients read that one.
    #[serde(rename = "read_receipt")]
    ReadReceipt { user_id: &'a UserId, last_read_message_id: Seq, message_id: Seq, read_at: String },
    #[serde(rename = "error")]
    Error {
        code: &'static str,
        detail: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        client_message_id: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<i64>,
    },
}

/// A message as a socket receives it.
#[derive(Serialize)]
pub struct Message<'a> {
    pub id: Seq,
    pub client_message_id: Option<&'a str>,
    pub project: &'a crate::ids::ProjectId,
    pub sender: &'a Person,
    pub content: &'a str,
    pub attachment: Option<&'a str>,
    pub created_at: String,
    pub read_at: Option<String>,
}

impl Event<'_> {
    /// The frame's text.
    pub fn encode(&self) -> String {
        // Serialising these types cannot fail: they hold no maps and no foreign `Serialize`.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub fn error(refusal: &Refusal, client_message_id: Option<&str>) -> String {
        let (code, detail, retry_after_ms) = (refusal.code.word(), refusal.detail.as_str(), refusal.retry_after_ms);
        Event::Error { code, detail, client_message_id, retry_after_ms }.encode()
    }
}

/// What a client sends.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    SendMessage { content: String, client_message_id: Option<String> },
    Typing { is_typing: bool },
    Read { last_read_message_id: Seq },
}

/// A frame that cannot be taken, with the `client_message_id` it carried, so that its sender knows which one failed.
#[derive(Debug, PartialEq)]
pub struct BadFrame {
    pub refusal: Refusal,
    pub client_message_id: Option<String>,
}

#[derive(Deserialize)]
struct Fields {
    r#type: Option<Value>,
    content: Option<Value>,
    client_message_id: Option<Value>,
    is_typing: Option<Value>,
    last_read_message_id: Option<Value>,
}

/// Reads a client's frame. Unknown fields are ignored.
///
/// # Errors
/// `invalid_json`, `invalid_field` or `unknown_type`.
pub fn decode(text: &str) -> Result<Frame, BadFrame> {
    let bare = |refusal| BadFrame { refusal, client_message_id: None };
    let fields: Fields = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|e| bare(ErrorCode::InvalidJson.because(&e.to_string())))?
    } else {
        let kind: Result<serde::de::IgnoredAny, _> = serde_json::from_str(text);
        let code = if kind.is_ok() { ErrorCode::InvalidField } else { ErrorCode::InvalidJson };
        return Err(bare(code.because("a frame is one JSON object")));
    };
    let client_message_id = match &fields.client_message_id {
        Some(Value::String(id)) => Some(id.clone()),
        _ => None,
    };
    let bad = |refusal| BadFrame { refusal, client_message_id: client_message_id.clone() };
    match fields.r#type.as_ref().and_then(Value::as_str) {
        Some("send_message") => Ok(Frame::SendMessage {
            content: text_field(fields.content.as_ref(), "content").map_err(bad)?,
            client_message_id: client_id(fields.client_message_id.as_ref()).map_err(bad)?,
        }),
        Some("typing") => match fields.is_typing {
            Some(Value::Bool(is_typing)) => Ok(Frame::Typing { is_typing }),
            _ => Err(bad(ErrorCode::InvalidField.because("is_typing is true or false"))),
        },
        Some("read") => {
            let last_read_message_id = message_id(fields.last_read_message_id.as_ref()).map_err(bad)?;
            Ok(Frame::Read { last_read_message_id })
        }
        Some(other) => Err(bad(ErrorCode::UnknownType.because(&format!("{:?}", shorten(other))))),
        None => Err(bad(ErrorCode::InvalidField.because("type is a string"))),
    }
}

/// The text of a message's content.
///
/// # Errors
/// `invalid_field` when it is missing or not a string.
pub fn text_field(value: Option<&Value>, name: &str) -> Result<String, Refusal> {
    match value {
        Some(Value::String(text)) => Ok(text.clone()),
        _ => Err(ErrorCode::InvalidField.because(&format!("{name} is a string"))),
    }
}

/// A `client_message_id`: a string, or a number taken as its text; nothing when absent, null or empty.
///
/// # Errors
/// `invalid_field` for anything else.
pub fn client_id(value: Option<&Value>) -> Result<Option<String>, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(id)) => Ok(Some(id.clone()).filter(|id| !id.is_empty())),
        Some(Value::Number(id)) => Ok(Some(id.to_string())),
        Some(_) => Err(ErrorCode::InvalidField.because("client_message_id is a string")),
    }
}

/// A message id: a whole number, also as a decimal string.
///
/// # Errors
/// `invalid_field` for anything else, and for numbers below 0 or beyond what JavaScript holds exactly.
pub fn message_id(value: Option<&Value>) -> Result<Seq, Refusal> {
    let number = match value {
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    let valid = number.filter(|number| (0..=MAX_SAFE_INTEGER).contains(number));
    valid.map(Seq).ok_or_else(|| ErrorCode::InvalidField.because("last_read_message_id is a message's id"))
}

fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}
