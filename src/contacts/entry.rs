//! The shape of an entry, in contacts and in the inbox.

use chat_core::protocol::internal::{KnownProject, LearnedSummary};
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

#[cfg(test)]
mod tests {
    use chat_core::ids::ProjectId;

    use super::*;

    fn known(id: &str, summary: Option<Value>) -> KnownProject {
        let project = ProjectId::parse(id).unwrap();
        KnownProject { project, summary, version: 0, confirmed_at: None, name: Some("Own".into()), created_at: None }
    }

    #[test]
    fn entries_are_sorted_by_their_last_activity() {
        let entry = |id: i64, last: Option<&str>, created: &str| json!({ "id": id, "last_message_at": last, "created_at": created, "project_info": { "name": "Old" } });
        let projects = vec![
            known("1", Some(entry(1, Some("2026-01-02T00:00:00.000Z"), "2026-01-01T00:00:00.000Z"))),
            known("2", None),
            known("3", Some(entry(3, None, "2026-01-03T00:00:00.000Z"))),
            known("4", None),
        ];
        let summary = entry(4, Some("2026-01-04T00:00:00.000Z"), "2026-01-01T00:00:00.000Z");
        let fresh = [LearnedSummary { project: ProjectId::parse("4").unwrap(), version: 0, summary }];
        let sorted = sorted(projects, &fresh);
        assert_eq!(sorted.iter().map(|entry| entry["id"].clone()).collect::<Vec<_>>(), [4, 3, 1]);
        assert_eq!(sorted[0]["project_info"]["name"], "Own");
    }

    #[test]
    fn the_inbox_says_the_same_in_its_own_words() {
        let contact = json!({
            "id": 7, "project_info": { "id": 7, "name": "Kitchen" }, "contact_info": { "id": 8 }, "unread_count": 2,
            "last_message_text": "hi", "last_message_at": "2026-01-01T00:00:00.000Z", "created_at": "x",
        });
        let expected = json!({
            "id": 7, "project_id": 7, "project_name": "Kitchen", "last_message_at": "2026-01-01T00:00:00.000Z",
            "last_message_text": "hi", "other_participant": { "id": 8 }, "unread_count": 2,
        });
        assert_eq!(inbox_entry(&contact), expected);
    }
}
