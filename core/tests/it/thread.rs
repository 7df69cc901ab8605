use serde_json::json;

use crate::say;
use crate::world::{Window, World, three};

/// A thread of ann's "one" (1): replies 2, 3 (a reply to the reply) and 5; 4 stands alone.
fn a_thread() -> (World, Window, Window, Window) {
    let (mut world, ann, bob, cy) = three();
    world.frame(bob, &say::reply(1, "re one"));
    world.frame(ann, &say::reply(2, "re re one"));
    world.frame(bob, &say::message("aside"));
    world.frame(bob, &say::reply(1, "again"));
    (world, ann, bob, cy)
}

#[test]
fn replies_say_what_they_answer_and_belong_to_the_first_message() {
    let (mut world, ann, bob, cy) = a_thread();
    let expected = ["2 bob: re one re:1 in:1", "3 ann: re re one re:2 in:1", "4 bob: aside", "5 bob: again re:1 in:1"];
    world.shows(ann, &expected);
    world.shows(bob, &expected);
    world.shows(cy, &["2 bob: re one", "3 ann: re re one", "4 bob: aside", "5 bob: again"]);
    let page = world.asks(ann, &json!({ "type": "history", "limit": 1, "before": 2 }));
    assert_eq!(page, "history: 1 ann: one replies:3<5");
}

#[test]
fn a_thread_is_paged_by_any_of_its_messages() {
    let (mut world, ann, _, _) = a_thread();
    let whole = "thread: 2 bob: re one re:1 in:1, 3 ann: re re one re:2 in:1, 5 bob: again re:1 in:1 \
                 of 1 ann: one replies:3<5";
    for id in [1, 2, 3, 5] {
        assert_eq!(world.asks(ann, &say::thread(id)), whole);
    }
    assert_eq!(world.asks(ann, &say::known_as(say::thread(4), "r")), "[r] thread:  of 4 bob: aside");
    assert_eq!(world.asks(ann, &say::thread(9)), "error no_such_message");
    world.hibernates();
    let mut page = |place: serde_json::Value| {
        let mut frame = say::thread(1);
        frame.as_object_mut().unwrap().extend(place.as_object().unwrap().clone());
        world.asks(ann, &frame)
    };
    assert_eq!(page(json!({ "limit": 1 })), "thread: 5 bob: again re:1 in:1, more_before of 1 ann: one replies:3<5");
    let expected = "thread: 3 ann: re re one re:2 in:1, more_before of 1 ann: one replies:3<5";
    assert_eq!(page(json!({ "limit": 1, "before": 5 })), expected);
    let expected = "thread: 2 bob: re one re:1 in:1, more_after of 1 ann: one replies:3<5";
    assert_eq!(page(json!({ "limit": 1, "after": 1 })), expected);
    let expected = "thread: 2 bob: re one re:1 in:1, 3 ann: re re one re:2 in:1, more_after of 1 ann: one replies:3<5";
    assert_eq!(page(json!({ "limit": 2, "around": 3 })), expected);
    assert_eq!(page(json!({ "before": 3, "after": 1 })), "error invalid_field");
    assert_eq!(page(json!({ "limit": 0 })), "error invalid_field");
}

#[test]
fn a_reply_to_nothing_is_refused_and_one_to_what_was_deleted_is_not() {
    let (mut world, ann, bob, cy) = three();
    let nowhere = json!({ "type": "send_message", "content": "x", "client_message_id": "a", "reply_to": 9 });
    assert_eq!(world.asks(ann, &nowhere), "error no_such_message");
    assert_eq!(world.frames(ann).last().unwrap()["client_message_id"], "a");
    let wrong = json!({ "type": "send_message", "content": "x", "reply_to": "one" });
    assert_eq!(world.asks(ann, &wrong), "error invalid_field");
    world.frame(ann, &say::delete(1));
    assert_eq!(world.asks(ann, &say::reply(2, "to a change")), "error no_such_message");
    world.so_far(&[bob, cy]);
    world.frame(bob, &say::reply(1, "what was it?"));
    world.shows(bob, &["3 bob: what was it? re:1 in:1"]);
    world.shows(cy, &["3 bob: what was it?"]);
    let page = world.asks(bob, &say::thread(1));
    assert_eq!(page, "thread: 3 bob: what was it? re:1 in:1 of 1 ann:  (deleted by ann) replies:1<3");
}

#[test]
fn a_deleted_reply_keeps_its_place_and_counts() {
    let (mut world, ann, bob, _) = a_thread();
    world.frame(bob, &say::delete(5));
    let page = world.asks(ann, &json!({ "type": "thread", "id": 1, "limit": 1 }));
    assert_eq!(page, "thread: 5 bob:  re:1 in:1 (deleted by bob), more_before of 1 ann: one replies:3<5");
}

#[test]
fn a_retry_of_a_reply_is_known_even_when_what_it_answered_has_been_forgotten() {
    let (mut world, ann, bob, _) = three();
    let frame = json!({ "type": "send_message", "content": "re", "client_message_id": "a", "reply_to": 1 });
    world.frame(bob, &frame);
    world.serves(chat_core::protocol::internal::RoomCall::Prune { up_to: chat_core::ids::Seq(1) });
    world.so_far(&[ann, bob]);
    assert_eq!(world.asks(bob, &frame), "ack a 2");
    world.shows(ann, &[]);
    assert_eq!(world.asks(bob, &say::reply(1, "another")), "error no_such_message");
    // The first message has gone, the rest of the thread has not.
    assert_eq!(world.asks(bob, &say::thread(2)), "thread: 2 bob: re re:1 in:1");
}

#[test]
fn who_was_away_gets_the_thread_as_it_is() {
    let (mut world, _, bob, _) = a_thread();
    world.leaves(bob);
    let bob = world.joins_v1_since("bob", 2);
    let expected = "hello 5; since: 3 ann: re re one re:2 in:1, 4 bob: aside, 5 bob: again re:1 in:1";
    assert_eq!(world.lines(bob)[0], expected);
    let di = world.joins_v1("di");
    assert!(world.lines(di)[0].starts_with("hello 5; newest: 1 ann: one replies:3<5, 2 bob: re one"));
}
