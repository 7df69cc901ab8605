//! Which address is whose.

use super::*;

fn find_in(method: &str, path: &str, development: bool) -> String {
    match find(method, path, &ProjectIds::new(None).unwrap(), development) {
        Found::Elsewhere => "elsewhere".to_owned(),
        Found::OtherMethods(methods) => methods.join(", "),
        Found::Call(endpoint) => format!("{endpoint:?}")
            .replace("ProjectId", "")
            .replace("UserId", "")
            .replace(['(', ')', '"'], " ")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
    }
}

#[test]
fn the_chats_own_addresses_are_ours_with_and_without_the_slash() {
    let table = [
        ("GET", "/ws/chat/project/7", "Socket 7"),
        ("GET", "/ws/chat/inbox", "InboxSocket"),
        ("GET", "/api/projects/7/chat/messages", "ListMessages 7"),
        ("POST", "/api/projects/7/chat/messages", "CreateMessage 7"),
        ("POST", "/api/projects/7/chat/messages/create", "CreateMessage 7"),
        ("POST", "/api/projects/7/chat/mark-read", "MarkRead 7"),
        ("GET", "/api/projects/7/chat/events", "Events 7"),
        ("POST", "/api/projects/7/chat/frames", "Frame 7"),
        ("GET", "/api/chat/contacts", "ListContacts"),
        ("GET", "/api/chat/contacts/7", "ShowContact 7"),
        ("POST", "/api/chat/contacts/7/mark-read", "ReadContact 7"),
        ("GET", "/api/chat/inbox", "Inbox"),
        ("GET", "/api/projects/7/chat/members", "ListMembers 7"),
        ("PUT", "/api/projects/7/chat/members/a%20b", "PutMember 7 , a b"),
        ("DELETE", "/api/projects/7/chat/members/8", "RemoveMember 7 , 8"),
        ("POST", "/api/projects/7/chat/members/8/revoke", "RevokeMember 7 , 8"),
        ("POST", "/api/projects/7/chat/prune", "Prune 7"),
    ];
    for (method, path, endpoint) in table {
        assert_eq!(find_in(method, path, false), endpoint);
        assert_eq!(find_in(method, &format!("{path}/"), false), endpoint);
    }
}

#[test]
fn the_applications_addresses_are_its_own() {
    for path in [
        "/",
        "",
        "/ws/notifications/",
        "/ws/payments/7/",
        "/ws/chat/project/",
        "/ws/chat/project/007/",
        "/ws/chat/project/%37/",
        "/WS/chat/project/7/",
        "//ws/chat/project/7/",
        "/api/projects/my-projects/",
        "/api/projects/7/",
        "/api/projects/7/chats/",
        "/api/projects/my-projects/chat/messages/",
        "/api/chat/",
        "/api/chat/start-quote/5/",
        "/api/chat/contacts/archived/",
        "/api/chat/contacts/7/messages/",
        "/api/chat/contacts//",
        "/ws/chat/project/7/x",
        "/ws/chat/inbox/7/",
        "/api/projects/7/chat/",
        "/api/projects/7/chat/messages/5/",
        "/api/projects/7/chat/members/%ff/",
        "/dev/token/",
    ] {
        assert_eq!(find_in("GET", path, false), "elsewhere", "{path}");
    }
}

#[test]
fn other_methods_are_told() {
    assert_eq!(find_in("POST", "/ws/chat/project/7/", false), "GET, HEAD");
    assert_eq!(find_in("DELETE", "/api/projects/7/chat/messages/", false), "GET, HEAD, POST");
    assert_eq!(find_in("OPTIONS", "/api/projects/7/chat/members/8/", false), "PUT, DELETE");
}

#[test]
fn head_is_answered_where_get_is() {
    assert_eq!(find_in("HEAD", "/api/projects/7/chat/messages/", false), "ListMessages 7");
    assert_eq!(find_in("HEAD", "/api/projects/7/chat/mark-read/", false), "POST");
    assert_eq!(find_in("HEAD", "/api/projects/7/", false), "elsewhere");
}

#[test]
fn development_sign_in_exists_in_development_only() {
    assert_eq!(find_in("POST", "/dev/token/", true), "DevToken");
    assert_eq!(find_in("GET", "/dev/counters", true), "DevCounters");
}

/// The addresses and the frames, for the tests that try each of them as each kind of caller.
#[test]
fn the_tables_that_the_tests_on_the_runtime_read_are_current() {
    let routes: Vec<_> =
        TABLE.iter().chain(DEVELOPMENT).map(|(method, path, _)| format!("{method} /{path}/")).collect();
    let frame =
        |spec: &chat_core::protocol::frames::Spec| serde_json::json!({ "type": spec.name, "classic": spec.classic });
    let frames: Vec<_> = chat_core::protocol::frames::TABLE.iter().map(frame).collect();
    let tables = serde_json::json!({ "routes": routes, "frames": frames });
    let current = format!("{}\n", serde_json::to_string_pretty(&tables).unwrap());

    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/tables.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &current).unwrap();
    }
    let stored = std::fs::read_to_string(path).unwrap_or_default();
    assert!(stored == current, "tests/support/tables.json is stale: UPDATE_DOCS=1 cargo test --lib routes");
}
