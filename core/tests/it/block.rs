use chat_core::protocol::internal::RoomCall;
use serde_json::json;

use crate::say;
use crate::world::{three, user};

#[test]
fn it_is_told_to_ones_own_windows_alone() {
    let (mut world, ann, bob, cy) = three();
    let second = world.joins_v1("bob");
    world.so_far(&[ann, bob, cy, second]);
    world.frame(bob, &say::known_as(say::block("ann", true), "r"));
    let expected = ["you are bob member without ann", "unread 0 from null, 0 for you"];
    world.shows(second, &expected);
    world.shows(bob, &[expected[0], expected[1], "[r] ok"]);
    world.shows(ann, &[]);
    world.shows(cy, &[]);
    world.hibernates();
    world.frame(bob, &say::known_as(say::block("ann", true), "r"));
    world.shows(bob, &["[r] ok"]);
    world.frame(bob, &say::block("ann", false));
    world.shows(bob, &["you are bob member", "unread 1 from 1, 0 for you"]);
    world.frame(bob, &say::known_as(say::block("cy", false), "s"));
    world.shows(bob, &["[s] ok"]);
}

#[test]
fn what_they_say_is_still_there_and_counts_for_nothing() {
    let (mut world, ann, bob, cy) = three();
    world.frame(bob, &say::block("ann", true));
    world.so_far(&[bob, cy]);
    world.sends(ann, "two");
    world.shows(bob, &["2 ann: two"]);
    assert_eq!(world.unread("bob"), 0);
    world.sends(cy, "three");
    assert_eq!((world.unread("bob"), world.unread("cy")), (1, 0));
    world.hibernates();
    assert_eq!(world.unread("bob"), 1);
    let di = world.joins_v1("bob");
    assert_eq!(world.frames(di)[0]["you"]["blocked"], json!(["ann"]));
    assert_eq!(world.frames(di)[0]["unread"], json!({ "count": 1, "first_id": 3, "mentions": 0 }));
}

#[test]
fn who_cannot_be_blocked() {
    let (mut world, ann, bob, cy) = three();
    for (frame, code) in [
        (say::block("ann", true), "invalid_field"),
        (say::block("ann", false), "invalid_field"),
        (say::block("nobody", true), "no_such_member"),
        (say::block("", true), "invalid_field"),
        (say::bare("block"), "invalid_field"),
        (json!({ "type": "block", "user_id": "bob" }), "invalid_field"),
    ] {
        assert_eq!(world.asks(ann, &frame), format!("error {code}"));
    }
    // A numeric id is one user in both spellings.
    world.joins("7");
    world.so_far(&[ann]);
    world.frame(ann, &json!({ "type": "block", "user_id": 7, "on": true }));
    world.frame(ann, &json!({ "type": "block", "user_id": "7", "on": true }));
    assert_eq!(world.lines(ann), ["you are ann member without 7", "unread 0 from null, 0 for you"]);
    world.so_far(&[bob, cy]);
    world.frame(cy, &say::block("ann", true));
    world.shows(cy, &["error unknown_type"]);
}

#[test]
fn two_hundred_are_enough() {
    let (mut world, ann, _, _) = three();
    world.settings.limits.change_rate = 0;
    world.hibernates();
    for number in 0..=200 {
        world.calls(&format!("u{number}"), RoomCall::Summary);
    }
    for number in 0..200 {
        world.frame(ann, &say::block(&format!("u{number}"), true));
    }
    assert_eq!(world.asks(ann, &say::block("u200", true)), "error too_many_blocked");
    assert_eq!(world.asks(ann, &say::known_as(say::block("u7", true), "r")), "[r] ok");
    world.frame(ann, &say::block("u7", false));
    world.so_far(&[ann]);
    world.frame(ann, &say::block("u200", true));
    assert!(world.lines(ann)[0].ends_with("u200"));
}

#[test]
fn who_has_gone_can_be_let_go_of() {
    let (mut world, _, bob, _) = three();
    world.frame(bob, &say::block("ann", true));
    world.serves(RoomCall::RemoveMember { user: user("ann") });
    world.so_far(&[bob]);
    world.frame(bob, &say::block("ann", false));
    assert_eq!(world.lines(bob)[0], "you are bob member");
}
