//! What a window shows, one line of text for each event.

use serde_json::{Value, json};

/// The events of a frame: a classic one is an event, a v1 one an array of them.
pub fn events(frame: &Value) -> Vec<Value> {
    match frame {
        Value::Array(events) => {
            assert!(!events.is_empty(), "a frame without events");
            events.clone()
        }
        event => vec![event.clone()],
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn list(value: &Value, of: impl Fn(&Value) -> String) -> String {
    value.as_array().into_iter().flatten().map(of).collect::<Vec<_>>().join(", ")
}

fn calls(users: &Value) -> String {
    users.as_array().into_iter().flatten().map(|user| format!(" @{}", text(user))).collect()
}

/// `3 bob: yes re:1 in:1 @ann [+1 2] (edited) (pinned) replies:2<5`
pub fn message(message: &Value) -> String {
    let sender = message["sender"].get("id").unwrap_or(&message["sender"]);
    let mut line = format!("{} {}: {}", message["id"], text(sender), text(&message["content"]));
    let mut add = |shown: bool, what: String| {
        if shown {
            line.push_str(&what);
        }
    };
    let is = |name: &str| message.get(name).is_some();
    add(is("reply_to"), format!(" re:{}", message["reply_to"]));
    add(is("thread"), format!(" in:{}", message["thread"]));
    add(is("mentions"), calls(&message["mentions"]));
    let reaction = |reaction: &Value| {
        let mine = if reaction["mine"] == true { "*" } else { "" };
        format!("{} {}{mine}", text(&reaction["emoji"]), reaction["count"])
    };
    add(is("reactions"), format!(" [{}]", list(&message["reactions"], reaction)));
    add(is("edited_at"), " (edited)".into());
    add(is("deleted_by"), format!(" (deleted by {})", text(&message["deleted_by"])));
    add(is("deleted_at") && !is("deleted_by"), " (deleted)".into());
    add(is("pinned"), " (pinned)".into());
    add(is("replies"), format!(" replies:{}<{}", message["replies"]["count"], message["replies"]["last_id"]));
    add(is("data"), format!(" {}", message["data"]));
    line
}

/// One line for an event; `[ref]` before an answer, `#seq` before an event of the log that is no message.
pub fn line(event: &Value) -> String {
    let reference = event.get("ref").map(|reference| format!("[{}] ", text(reference))).unwrap_or_default();
    let position = match event["type"].as_str() {
        Some("message.updated" | "message.deleted" | "reaction" | "pin") => {
            event.get("seq").map(|seq| format!("#{seq} ")).unwrap_or_default()
        }
        _ => String::new(),
    };
    format!("{reference}{position}{}", bare(event))
}

fn bare(event: &Value) -> String {
    let kind = event["type"].as_str().unwrap();
    match kind {
        "new.message" => message(&event["message"]),
        "message.updated" if event.get("message").is_some() => format!("now {}", message(&event["message"])),
        "message.updated" => {
            format!("{} is now: {}{}", event["id"], text(&event["content"]), calls(&event["mentions"]))
        }
        "message.deleted" => format!("{} deleted {}", text(&event["deleted_by"]), event["id"]),
        "reaction" => {
            let sign = if event["on"] == true { "+" } else { "-" };
            let (user, emoji) = (text(&event["user_id"]), text(&event["emoji"]));
            format!("{user} {sign}{emoji} {} ({})", event["message_id"], event["count"])
        }
        "pin" => {
            let does = if event["on"] == true { "pins" } else { "unpins" };
            format!("{} {does} {}", text(&event["user_id"]), event["message_id"])
        }
        "typing" if event.get("users").is_some() => {
            format!("typing: {}", list(&event["users"], |user| text(&user["username"])))
        }
        "typing" => {
            format!("{} {}", text(&event["username"]), if event["is_typing"] == true { "types" } else { "stops" })
        }
        "read_receipt" if event.get("receipts").is_some() => list(&event["receipts"], receipt),
        "read_receipt" => receipt(event),
        "presence" => {
            let users = list(&event["users"], |user| format!("{} {}", text(&user["id"]), text(&user["status"])));
            format!("present {}: {users}", event["present"])
        }
        "member" => format!("member {}", member(&event["member"])),
        "member.left" => format!("{} is no member", text(&event["user_id"])),
        "you" => format!("you are {}", you(&event["you"])),
        "unread" => format!("unread {}", unread(&event["unread"])),
        "project" => format!("project {}", project(&event["project"])),
        "report" => report(&event["report"]),
        "ack" => format!("ack {} {}", text(&event["client_message_id"]), event["id"]),
        "ok" => "ok".into(),
        "auth.ok" => format!("auth.ok {}", text(&event["expires_at"])),
        "resync" => format!("resync {}", text(&event["reason"])),
        "error" => match event.get("retry_after_ms") {
            Some(wait) if wait != &json!(null) && event.get("ref").is_some() => {
                format!("error {} ({wait} ms)", text(&event["code"]))
            }
            _ => format!("error {}", text(&event["code"])),
        },
        "hello" => {
            let shown = match event.get("events") {
                Some(events) => format!("since: {}", list(events, line)),
                None => format!("newest: {}", list(&event["messages"], message)),
            };
            let more = if event["more"] == true { format!(", more up to {}", event["head"]) } else { String::new() };
            format!("hello {}{more}; {shown}", event["seq"])
        }
        "resume" => {
            let more = if event["more"] == true { format!(", more up to {}", event["head"]) } else { String::new() };
            format!("resume {}{more}; {}", event["seq"], list(&event["events"], line))
        }
        "history" | "thread" | "mentions" | "pins" | "search" => {
            let mut line = format!("{kind}: {}", list(&event["messages"], message));
            for more in ["more_before", "more_after"] {
                if event[more] == true {
                    line.push_str(&format!(", {more}"));
                }
            }
            if let Some(root) = event.get("root") {
                line.push_str(&format!(" of {}", message(root)));
            }
            if let Some(next) = event.get("next_before") {
                line.push_str(&format!(" {next}"));
            }
            line
        }
        "edits" => format!("edits of {}: {}", event["id"], list(&event["versions"], |v| text(&v["content"]))),
        "members" => format!("members: {}{}", list(&event["members"], member), more(&event["more"])),
        "reports" => format!("reports: {}{}", list(&event["reports"], report), more(&event["more_before"])),
        "audit" => {
            let entry = |entry: &Value| {
                let part = |name: &str| match &entry[name] {
                    Value::Null => String::new(),
                    value => format!(" {}", text(value)),
                };
                let parts = ["user_id", "message_id", "detail"].map(part).concat();
                format!("{} {}{parts}", text(&entry["actor"]), text(&entry["action"]))
            };
            format!("audit: {}{}", list(&event["entries"], entry), more(&event["more_before"]))
        }
        other => panic!("an event of type {other}"),
    }
}

fn more(value: &Value) -> &'static str {
    if *value == true { ", more" } else { "" }
}

fn receipt(receipt: &Value) -> String {
    format!("{} read {}", text(&receipt["user_id"]), receipt["last_read_message_id"])
}

fn until(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        until => format!(" muted until {}", text(until)),
    }
}

fn member(member: &Value) -> String {
    let (id, role, status) = (text(&member["id"]), text(&member["role"]), text(&member["status"]));
    format!("{id} {role} {status}{}", until(&member["muted_until"]))
}

fn you(you: &Value) -> String {
    let blocked = list(&you["blocked"], text);
    let blocked = if blocked.is_empty() { blocked } else { format!(" without {blocked}") };
    format!("{} {}{}{blocked}", text(&you["id"]), text(&you["role"]), until(&you["muted_until"]))
}

fn unread(unread: &Value) -> String {
    format!("{} from {}, {} for you", unread["count"], unread["first_id"], unread["mentions"])
}

fn project(project: &Value) -> String {
    let frozen = if project["frozen"] == true { " frozen" } else { "" };
    format!("{}{frozen} slow {} pins {}", text(&project["name"]), project["slow_mode_s"], project["pins"])
}

fn report(report: &Value) -> String {
    let resolved = match &report["resolved_by"] {
        Value::Null => String::new(),
        by => format!(" (resolved by {})", text(by)),
    };
    format!("{} reports {}: {}{resolved}", text(&report["reporter"]), report["message_id"], text(&report["reason"]))
}
