//! What holds for every frame: `ref`, errors, HTTP.

use chat_core::input::BadFrame;
use chat_core::limits::Limits;
use chat_core::protocol::frames::TABLE;
use chat_core::protocol::internal::RoomCall;
use serde_json::{Value, json};

use crate::say;
use crate::world::{World, moderator, said, three};

/// One good frame of each kind, in an order in which each has something to do.
pub fn one_of_each() -> Vec<Value> {
    vec![
        say::message_as("hello @bob", "m"),
        say::typing(true),
        say::read(1, false),
        say::mark_unread(1),
        say::presence(true),
        json!({ "type": "edit_message", "id": 2, "content": "HÉLLO", "mentions": ["bob"] }),
        say::react(2, "+1", true),
        say::pin(2, true),
        say::bare("history"),
        json!({ "type": "history", "after": 1 }),
        json!({ "type": "history", "around": 1 }),
        say::reply(2, "re"),
        say::thread(2),
        json!({ "type": "thread", "id": 2, "after": 1 }),
        say::bare("mentions"),
        say::bare("pins"),
        json!({ "type": "edits", "id": 2 }),
        say::search("hello"),
        say::bare("members"),
        json!({ "type": "seen", "seq": 2 }),
        say::resume(1),
        json!({ "type": "auth", "token": "t" }),
        say::block("bob", true),
        say::report(1, "rude"),
        say::bare("reports"),
        json!({ "type": "resolve", "message_id": 1 }),
        say::sentence("mute", "bob", Some(1)),
        say::slow_mode(1),
        say::bare("audit"),
        say::delete(2),
        say::sentence("ban", "bob", Some(1)),
        say::remove("bob"),
    ]
}

fn kind(frame: &Value) -> String {
    frame["type"].as_str().unwrap().to_owned()
}

#[test]
fn there_is_one_of_each() {
    let kinds: Vec<_> = one_of_each().iter().map(kind).collect();
    for spec in TABLE {
        assert!(kinds.iter().any(|kind| kind == spec.name), "{} has no story here", spec.name);
    }
}

#[test]
fn a_frame_with_a_ref_is_answered_once_by_it_whatever_it_is() {
    let (mut world, ann, bob, cy) = three();
    let mo = moderator(&mut world, "mo", &[ann, bob, cy]);
    for (number, frame) in one_of_each().into_iter().enumerate() {
        world.so_far(&[mo]);
        let reference = format!("r{number}");
        world.frame(mo, &say::known_as(frame.clone(), &reference));
        if kind(&frame) == "auth" {
            world.verified(mo, Ok(crate::world::identity("mo", world.now)));
        }
        let tag = format!("[{reference}] ");
        let answers: Vec<_> = world.lines(mo).into_iter().filter(|line| line.starts_with(&tag)).collect();
        assert_eq!(answers.len(), 1, "{frame}: {answers:?}");
        assert!(!answers[0].contains("error"), "{frame}: {answers:?}");
    }
    for window in [ann, bob, cy] {
        assert!(world.frames(window).iter().all(|event| event.get("ref").is_none()), "nobody else's affair");
    }
}

#[test]
fn a_frame_without_a_ref_is_answered_without_one() {
    let (mut world, ann, _, _) = three();
    assert_eq!(world.asks(ann, &say::bare("pins")), "pins: ");
    for reference in [json!(7), json!(null), json!("x".repeat(65)), json!({})] {
        let mut frame = say::bare("pins");
        frame["ref"] = reference;
        assert_eq!(world.asks(ann, &frame), "pins: ");
    }
    let quoted = say::known_as(say::bare("pins"), "a\"b\\ü\n");
    world.frame(ann, &quoted);
    assert_eq!(world.frames(ann).last().unwrap()["ref"], "a\"b\\ü\n");
}

#[test]
fn an_error_carries_the_ref_and_the_id_of_its_message() {
    let (mut world, ann, _, _) = three();
    let frame = json!({ "type": "send_message", "content": "", "client_message_id": "a", "ref": "r" });
    assert_eq!(world.asks(ann, &frame), "[r] error content_empty");
    assert_eq!(world.frames(ann).last().unwrap()["client_message_id"], "a");
    let frame = json!({ "type": "dance", "ref": "r" });
    assert_eq!(world.asks(ann, &frame), "[r] error unknown_type");
    world.says(ann, "nonsense");
    world.says(ann, &format!("{{\"type\":\"pins\",\"x\":\"{}\"}}", "x".repeat(66_000)));
    world.says_badly(ann, BadFrame::Binary);
    world.says_badly(ann, BadFrame::TooLarge);
    world.shows(ann, &["error invalid_json", "error too_large", "error binary_frame", "error too_large"]);
}

#[test]
fn every_frame_by_http_has_an_answer() {
    let (mut world, ann, bob, cy) = three();
    moderator(&mut world, "mo", &[ann, bob, cy]);
    for frame in one_of_each() {
        let call = RoomCall::Frame { text: say::known_as(frame.clone(), "h").to_string() };
        let answer = world.calls_with(
            Some(crate::world::identity("mo", world.now)),
            crate::world::as_role(chat_core::protocol::internal::Role::Moderator),
            call,
        );
        let body = World::body(&answer);
        if kind(&frame) == "auth" {
            assert_eq!((answer.status, &body["code"]), (400, &json!("invalid_field")));
            continue;
        }
        assert_eq!(answer.status, 200, "{frame}: {body}");
        assert_eq!(body.as_array().unwrap().len(), 1);
        assert_eq!(body[0]["ref"], "h", "{frame}: {body}");
    }
}

#[test]
fn a_message_by_http_is_acknowledged_and_seen_by_all() {
    let (mut world, ann, bob, cy) = three();
    assert_eq!(world.posts("bob", &say::message_as("two", "b")), (200, "ack b 2".into()));
    assert_eq!(world.posts("bob", &say::message_as("two", "b")), (200, "ack b 2".into()));
    assert_eq!(world.posts("bob", &say::message_as("other", "b")), (409, "client_message_id_reused".into()));
    for window in [ann, bob, cy] {
        world.shows(window, &["2 bob: two"]);
    }
}

#[test]
fn what_http_refuses() {
    let (mut world, _, _, _) = three();
    let mut post = |text: &str| {
        let answer = world.calls("ann", RoomCall::Frame { text: text.to_owned() });
        (answer.status, World::body(&answer)["code"].as_str().unwrap().to_owned())
    };
    assert_eq!(post(""), (400, "invalid_json".into()));
    assert_eq!(post("[]"), (400, "invalid_field".into()));
    assert_eq!(post("{\"type\":\"dance\"}"), (400, "unknown_type".into()));
    assert_eq!(post(&format!("{{\"x\":\"{}\"}}", "x".repeat(66_000))), (413, "too_large".into()));
    let served = world.serves(RoomCall::Frame { text: say::bare("pins").to_string() });
    assert_eq!(served.status, 401, "a server key acts for nobody");
}

#[test]
fn http_takes_from_the_same_bucket_as_the_sockets() {
    let mut world = World::with(Limits { change_rate: 1, ..Limits::default() });
    let ann = world.joins_v1("ann");
    world.sends(ann, "one");
    for _ in 0..5 {
        world.frame(ann, &say::pin(1, true));
        assert_eq!(world.posts("ann", &say::pin(1, true)).0, 200);
    }
    assert_eq!(world.posts("ann", &say::pin(1, true)), (429, "rate_limited".into()));
    assert_eq!(world.asks(ann, &say::pin(1, true)), "error rate_limited");
}

#[test]
fn a_v1_client_that_floods_is_closed() {
    let mut world = World::with(Limits { message_rate: 1, message_burst: 2, ..Limits::default() });
    let (eve, bob) = (world.joins_v1("eve"), world.joins_v1("bob"));
    world.so_far(&[eve, bob]);
    for _ in 0..30 {
        world.says(eve, "{");
    }
    let lines = world.lines(eve);
    assert_eq!((lines.len(), lines.last().map(String::as_str)), (21, Some("closed 4029")));
    world.shows(bob, &["present 1: eve offline"]);
}

#[test]
fn a_message_with_the_id_of_another_is_refused_on_v1_and_stored_for_classic() {
    let (mut world, ann, bob, _) = three();
    let classic = world.joins("ann");
    world.frame(ann, &say::message_as("hi", "a"));
    world.so_far(&[bob, classic]);
    let reused = say::known_as(say::message_as("other", "a"), "r");
    assert_eq!(world.asks(ann, &reused), "[r] error client_message_id_reused");
    assert_eq!(world.frames(ann).last().unwrap()["client_message_id"], "a");
    world.shows(bob, &[]);
    world.sends_as(classic, "other", "a");
    world.shows(bob, &["3 ann: other"]);
    assert_eq!(world.asks(ann, &say::known_as(say::message_as("hi", "a"), "r")), "[r] ack a 2");
}

#[test]
fn a_repeat_in_the_same_turn_is_one_message() {
    let (mut world, ann, bob, cy) = three();
    let frame = say::message_as("hi", "a");
    world.turn(vec![said(ann, &frame), said(ann, &frame), said(ann, &say::message_as("other", "a"))]);
    world.shows(ann, &["2 ann: hi", "ack a 2", "error client_message_id_reused"]);
    world.shows(bob, &["2 ann: hi"]);
    world.shows(cy, &["2 ann: hi"]);
}

#[test]
fn a_turn_that_storage_refuses_leaves_every_v1_window_where_it_was() {
    let (mut world, ann, bob, _) = three();
    for statement in ["INSERT INTO changes", "UPDATE messages", "INSERT INTO mentions", "INSERT INTO pins"] {
        world.db.fails_on = Some(statement);
        let turn = vec![
            said(ann, &say::mentioning(&["bob"], "hey")),
            said(ann, &say::edit(1, statement)),
            said(ann, &say::pin(1, true)),
        ];
        world.turn_fails(turn);
    }
    world.shows(bob, &[]);
    world.frame(ann, &say::edit(1, "after all"));
    world.shows(bob, &["#2 1 is now: after all"]);
    assert_eq!(world.asks(bob, &say::bare("pins")), "pins: ");
}

#[test]
fn what_a_classic_window_gets_is_nothing_but_classic() {
    let (mut world, ann, bob, cy) = three();
    let mo = moderator(&mut world, "mo", &[ann, bob, cy]);
    for frame in one_of_each() {
        world.frame(mo, &say::known_as(frame.clone(), "r"));
        if TABLE.iter().all(|spec| spec.name != kind(&frame) || !spec.classic) {
            world.frame(cy, &frame);
        }
    }
    let known = ["new.message", "typing", "read_receipt", "message.updated", "message.deleted", "error"];
    for event in world.frames(cy) {
        let kind = event["type"].as_str().unwrap();
        assert!(known.contains(&kind), "{event}");
        assert!(kind != "error" || event["code"] == "unknown_type", "{event}");
        assert!(["seq", "ref", "receipts", "users"].iter().all(|name| event.get(name).is_none()), "{event}");
        let message = event.get("message").cloned().unwrap_or_default();
        let v1 = ["reply_to", "thread", "mentions", "reactions", "data", "pinned", "replies"];
        assert!(v1.iter().all(|name| message.get(name).is_none()), "{event}");
    }
}

#[test]
fn a_repeat_is_acknowledged_also_when_nothing_new_could_be_sent() {
    let (mut world, ann, bob, cy) = three();
    let mo = moderator(&mut world, "mo", &[ann, bob, cy]);
    let sent = say::message_as("hi", "a");
    world.frame(bob, &sent);
    world.frame(cy, &sent);
    for frame in [say::sentence("mute", "bob", None), say::sentence("mute", "cy", None), say::frozen(true)] {
        world.frame(mo, &frame);
        world.so_far(&[ann, cy]);
        assert_eq!(world.asks(bob, &say::known_as(sent.clone(), "r")), "[r] ack a 2");
        assert_eq!(world.posts("bob", &sent), (200, "ack a 2".into()));
        let send = RoomCall::Send { content: "hi".into(), client_message_id: Some("a".into()) };
        assert_eq!(world.calls("bob", send).status, 200);
        world.frame(cy, &sent);
        world.shows(cy, &["3 cy: hi"]);
        assert_eq!(world.asks(bob, &say::message_as("other", "a")), "error muted");
        assert_eq!(world.asks(bob, &say::message_as("hi", "b")), "error muted");
        world.shows(ann, &[]);
    }
    world.frame(mo, &say::sentence("mute", "bob", Some(0)));
    assert_eq!(world.asks(bob, &say::known_as(sent, "r")), "[r] ack a 2", "frozen");
    assert_eq!(world.asks(bob, &say::message("new")), "error frozen");
}
