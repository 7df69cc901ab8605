use chat_core::ids::ProjectId;

use chat_core::protocol::internal::{KnownProject, LearnedSummary};
use chat_core::user::entry::{inbox_entry, sorted};
use serde_json::{Value, json};

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
