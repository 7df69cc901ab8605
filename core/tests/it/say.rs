//! Frames of a v1 client.

use serde_json::{Value, json};

/// The frame, with a `ref` by which its answer is known.
pub fn known_as(mut frame: Value, reference: &str) -> Value {
    frame["ref"] = json!(reference);
    frame
}

pub fn message(content: &str) -> Value {
    json!({ "type": "send_message", "content": content })
}

pub fn message_as(content: &str, client_message_id: &str) -> Value {
    json!({ "type": "send_message", "content": content, "client_message_id": client_message_id })
}

pub fn reply(to: i64, content: &str) -> Value {
    json!({ "type": "send_message", "content": content, "reply_to": to })
}

pub fn mentioning(users: &[&str], content: &str) -> Value {
    json!({ "type": "send_message", "content": content, "mentions": users })
}

pub fn edit(id: i64, content: &str) -> Value {
    json!({ "type": "edit_message", "id": id, "content": content })
}

pub fn delete(id: i64) -> Value {
    json!({ "type": "delete_message", "id": id })
}

pub fn react(id: i64, emoji: &str, on: bool) -> Value {
    json!({ "type": "react", "message_id": id, "emoji": emoji, "on": on })
}

pub fn pin(id: i64, on: bool) -> Value {
    json!({ "type": "pin", "message_id": id, "on": on })
}

pub fn read(id: i64, private: bool) -> Value {
    json!({ "type": "read", "last_read_message_id": id, "private": private })
}

pub fn mark_unread(id: i64) -> Value {
    json!({ "type": "mark_unread", "message_id": id })
}

pub fn typing(is_typing: bool) -> Value {
    json!({ "type": "typing", "is_typing": is_typing })
}

pub fn presence(away: bool) -> Value {
    json!({ "type": "presence", "away": away })
}

pub fn thread(id: i64) -> Value {
    json!({ "type": "thread", "id": id })
}

pub fn search(query: &str) -> Value {
    json!({ "type": "search", "query": query })
}

pub fn resume(after: i64) -> Value {
    json!({ "type": "resume", "after": after })
}

pub fn block(user: &str, on: bool) -> Value {
    json!({ "type": "block", "user_id": user, "on": on })
}

pub fn report(id: i64, reason: &str) -> Value {
    json!({ "type": "report", "message_id": id, "reason": reason })
}

/// `mute` or `ban`; `None`: for ever.
pub fn sentence(kind: &str, user: &str, seconds: Option<i64>) -> Value {
    json!({ "type": kind, "user_id": user, "seconds": seconds })
}

pub fn remove(user: &str) -> Value {
    json!({ "type": "remove", "user_id": user })
}

pub fn slow_mode(seconds: i64) -> Value {
    json!({ "type": "configure", "slow_mode_s": seconds })
}

pub fn frozen(frozen: bool) -> Value {
    json!({ "type": "configure", "frozen": frozen })
}

/// A frame without fields.
pub fn bare(kind: &str) -> Value {
    json!({ "type": kind })
}
