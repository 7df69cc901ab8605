use chat_core::input::Input;
use chat_core::limits::Limits;
use chat_core::protocol::internal::{Admission, Grant, Role, RoomCall};
use serde_json::json;

use crate::world::{World, identity};

#[test]
fn everyone_sees_a_message_its_sender_too() {
    let mut world = World::new();
    let (ann, bob) = (world.joins("ann"), world.joins("bob"));
    world.sends(ann, "hi");
    world.sends(bob, "hello");
    world.shows(ann, &["1 ann: hi", "2 bob: hello"]);
    world.shows(bob, &["1 ann: hi", "2 bob: hello"]);
}

#[test]
fn a_message_has_every_field_that_clients_read() {
    let mut world = World::new();
    let ann = world.tries_to_join(identity("7", world.now), crate::world::yes()).unwrap();
    world.sends_as(ann, "hi", "1763812800000");
    let expected = json!({ "type": "new.message", "message": {
        "id": 1,
        "client_message_id": "1763812800000",
        "project": 5,
        "sender": { "id": 7, "username": "7", "first_name": "", "last_name": "", "profile_pic": null },
        "content": "hi",
        "attachment": null,
        "created_at": "2026-11-22T12:00:00.000Z",
        "read_at": null,
    }});
    assert_eq!(world.frames(ann), [expected]);
}

#[test]
fn a_repeat_is_answered_to_the_resender_alone_with_the_stored_message() {
    let mut world = World::new();
    let (ann, bob) = (world.joins("ann"), world.joins("bob"));
    world.sends_as(ann, "hi", "a");
    world.passes(1000);
    world.sends_as(ann, "hi", "a");
    world.shows(ann, &["1 ann: hi", "1 ann: hi"]);
    world.shows(bob, &["1 ann: hi"]);
    let frames = world.frames(ann);
    assert_eq!(frames[0]["message"]["created_at"], frames[1]["message"]["created_at"]);
    assert_eq!(world.history("bob"), ["1 hi"]);
}

#[test]
fn a_repeat_is_known_for_ever_and_after_an_eviction() {
    let mut world = World::new();
    let ann = world.joins("ann");
    world.sends_as(ann, "hi", "a");
    world.passes(365 * 86_400_000);
    world.hibernates();
    world.sends_as(ann, "hi", "a");
    world.shows(ann, &["1 ann: hi", "1 ann: hi"]);
}

#[test]
fn two_people_may_use_the_same_id() {
    let mut world = World::new();
    let (ann, bob) = (world.joins("ann"), world.joins("bob"));
    world.sends_as(ann, "hi", "a");
    world.sends_as(bob, "hi", "a");
    world.shows(ann, &["1 ann: hi", "2 bob: hi"]);
}

#[test]
fn the_same_id_with_other_content_is_another_message_stored_without_an_id() {
    let mut world = World::new();
    let ann = world.joins("ann");
    world.sends_as(ann, "hi", "a");
    world.sends_as(ann, "other", "a");
    world.shows(ann, &["1 ann: hi", "2 ann: other"]);
    assert_eq!(world.frames(ann)[1]["message"]["client_message_id"], json!(null));
    world.sends_as(ann, "hi", "a");
    world.shows(ann, &["1 ann: hi"]);
}

#[test]
fn without_an_id_there_is_nothing_to_dedupe_by() {
    let mut world = World::new();
    let ann = world.joins("ann");
    world.sends(ann, "hi");
    world.sends_as(ann, "hi", "");
    world.frame(ann, &json!({ "type": "send_message", "content": "hi", "client_message_id": null }));
    world.shows(ann, &["1 ann: hi", "2 ann: hi", "3 ann: hi"]);
}

#[test]
fn a_number_serves_as_an_id_too() {
    let mut world = World::new();
    let ann = world.joins("ann");
    for _ in 0..2 {
        world.frame(ann, &json!({ "type": "send_message", "content": "hi", "client_message_id": 17 }));
    }
    world.shows(ann, &["1 ann: hi", "1 ann: hi"]);
    assert_eq!(world.frames(ann)[0]["message"]["client_message_id"], "17");
}

#[test]
fn the_same_message_by_socket_and_by_call_is_one() {
    let mut world = World::new();
    let (ann, bob) = (world.joins("ann"), world.joins("bob"));
    world.sends_as(ann, "hi", "a");
    let send = RoomCall::Send { content: "hi".into(), client_message_id: Some("a".into()) };
    let answer = world.calls("ann", send.clone());
    assert_eq!((answer.status, World::body(&answer)["id"].as_i64()), (200, Some(1)));
    world.shows(bob, &["1 ann: hi"]);

    let send = RoomCall::Send { content: "bye".into(), client_message_id: Some("b".into()) };
    let answer = world.calls("ann", send);
    assert_eq!((answer.status, World::body(&answer)["id"].as_i64()), (201, Some(2)));
    world.sends_as(ann, "bye", "b");
    world.shows(bob, &["2 ann: bye"]);
    world.shows(ann, &["1 ann: hi", "2 ann: bye", "2 ann: bye"]);
}

#[test]
fn the_rest_shape_has_the_bare_sender_and_the_persons_name() {
    let mut world = World::new();
    let grant = Grant {
        revoked_before: Some(0),
        profile: Some(
            serde_json::from_value(json!({ "username": "ann", "first_name": "Ann", "last_name": "Lee" })).unwrap(),
        ),
        ..Grant::default()
    };
    let send = RoomCall::Send { content: "hi".into(), client_message_id: None };
    let answer = world.calls_with(Some(identity("7", world.now)), Admission::Granted(grant), send);
    let expected = json!({
        "id": 1, "client_message_id": null, "project": 5, "sender": 7, "sender_name": "Ann Lee",
        "sender_info": { "id": 7, "username": "ann", "first_name": "Ann", "last_name": "Lee", "profile_pic": null },
        "content": "hi", "attachment": null, "created_at": "2026-11-22T12:00:00.000Z", "read_at": null,
    });
    assert_eq!(World::body(&answer), expected);
}

#[test]
fn a_viewer_may_read_but_not_write() {
    let mut world = World::new();
    let grant = Grant { role: Some(Role::Viewer), revoked_before: Some(0), ..Grant::default() };
    let eve = world.tries_to_join(identity("eve", world.now), Admission::Granted(grant.clone())).unwrap();
    let bob = world.joins("bob");
    world.sends(eve, "hi");
    world.types(eve, true);
    world.shows(eve, &["error read_only"]);
    world.shows(bob, &[]);
    let send = RoomCall::Send { content: "hi".into(), client_message_id: None };
    let answer = world.calls_with(Some(identity("eve", world.now)), Admission::Granted(grant), send);
    assert_eq!(answer.status, 403);
    world.sends(bob, "hi eve");
    world.shows(eve, &["1 bob: hi eve"]);
}

#[test]
fn the_burst_then_the_rate_then_an_error_that_says_when() {
    let mut world = World::with(Limits { message_rate: 2, message_burst: 3, ..Limits::default() });
    let ann = world.joins("ann");
    let second = world.joins("ann");
    for window in [ann, second, ann, ann] {
        world.sends(window, "x");
    }
    world.shows(ann, &["1 ann: x", "2 ann: x", "3 ann: x", "error rate_limited"]);
    let wait = world.frames(ann)[3]["retry_after_ms"].as_i64().unwrap();
    assert!((499..=501).contains(&wait), "{wait}");
    world.passes(wait);
    world.sends(ann, "y");
    world.shows(ann, &["4 ann: y"]);
    world.shows(second, &["1 ann: x", "2 ann: x", "3 ann: x", "4 ann: y"]);
}

#[test]
fn an_error_carries_the_id_of_the_message_that_failed() {
    let mut world = World::with(Limits { message_rate: 1, message_burst: 1, ..Limits::default() });
    let ann = world.joins("ann");
    world.sends_as(ann, "one", "a");
    world.sends_as(ann, "two", "b");
    world.sends_as(ann, "  ", "c");
    assert_eq!(world.frames(ann)[1]["client_message_id"], "b");
    assert_eq!(world.frames(ann)[2]["client_message_id"], "c");
    assert_eq!(world.frames(ann)[2]["code"], "content_empty");
}

#[test]
fn a_turn_that_storage_refuses_has_not_happened_and_can_be_tried_again() {
    let mut world = World::new();
    let (ann, bob) = (world.joins("ann"), world.joins("bob"));
    world.sends(ann, "before");
    world.db.fails_on = Some("INSERT INTO messages");
    let text = json!({ "type": "send_message", "content": "hi", "client_message_id": "a" }).to_string();
    let input = Input::Frame { conn: ann.0, text };
    world.turn_fails(vec![input.clone()]);
    world.turn(vec![input]);
    world.shows(ann, &["1 ann: before", "2 ann: hi"]);
    world.shows(bob, &["1 ann: before", "2 ann: hi"]);
}

#[test]
fn one_turn_takes_many_inputs_in_order() {
    let mut world = World::new();
    let (ann, bob) = (world.joins("ann"), world.joins("bob"));
    let frame = |window: crate::world::Window, content: &str| Input::Frame {
        conn: window.0,
        text: json!({ "type": "send_message", "content": content }).to_string(),
    };
    world.turn(vec![frame(ann, "1"), frame(bob, "2"), frame(ann, "3"), Input::Closed { conn: bob.0 }, frame(bob, "4")]);
    world.shows(ann, &["1 ann: 1", "2 bob: 2", "3 ann: 3"]);
}
