//! The shape of an entry, in the contacts and in the inbox.

use crate::protocol::internal::{KnownProject, LearnedSummary};
use serde_json::{Value, json};

/// The entries that there are, newest activity first. `fresh` were fetched in this very poll: they are shown even
/// when something happened since, for the next poll to tell.
pub fn sorted(projects: Vec<KnownProject>, fresh: &[LearnedSummary]) -> Vec<Value> {
    let entries = projects.into_iter().filter_map(|known| {
        let fetched = fresh.iter().find(|entry| entry.project == known.project).map(|entry| entry.summary.clone());
        let mut entry = fetched.or(known.summary)?;
        // The backend's own list knows better than what the room was told at some time.
        if let Some(info) = entry.get_mut("project_info").and_then(Value::as_object_mut) {
            let own = [("name", known.name), ("created_at", known.created_at)];
            info.extend(own.into_iter().filter_map(|(field, text)| Some((field.to_owned(), Value::from(text?)))));
        }
        Some(entry)
    });
    let mut entries: Vec<Value> = entries.collect();
    entries.sort_by(|a, b| last_activity(b).cmp(last_activity(a)));
    entries
}

/// Times are ISO 8601 in UTC: their text sorts as they do.
fn last_activity(entry: &Value) -> &str {
    let text = |field: &str| entry.get(field).and_then(Value::as_str);
    text("last_message_at").or_else(|| text("created_at")).unwrap_or_default()
}

/// An entry of the contacts as the inbox has it.
pub fn inbox_entry(contact: &Value) -> Value {
    let field = |name: &str| contact.get(name).cloned().unwrap_or_default();
    json!({
        "id": field("id"),
        "project_id": field("id"),
        "project_name": contact.get("project_info").and_then(|info| info.get("name")),
        "last_message_at": field("last_message_at"),
        "last_message_text": field("last_message_text"),
        "other_participant": field("contact_info"),
        "unread_count": field("unread_count"),
    })
}
