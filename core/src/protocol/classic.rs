//! The classic dialect: one JSON object per frame, no subprotocol. These shapes are fixed; clients exist.

use serde::Serialize;

use crate::ids::{Seq, UserId};
use crate::protocol::codes::Refusal;
use crate::protocol::rest::Person;

/// What a server sends.
#[derive(Serialize)]
#[serde(tag = "type")]
pub enum Event<'a> {
    #[serde(rename = "new.message")]
    NewMessage { message: Message<'a> },
    #[serde(rename = "message.updated")]
    Updated { message: Message<'a> },
    #[serde(rename = "message.deleted")]
    Deleted { id: Seq, message_id: Seq, deleted_by: &'a UserId, deleted_at: String },
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<String>,
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
