use chat_core::limits::Limits;
use serde_json::json;

use crate::say;
use crate::world::{World, said, three};

#[test]
fn everyone_on_v1_sees_it_and_finds_it_again() {
    let (mut world, ann, bob, cy) = three();
    world.sends(bob, "two");
    world.so_far(&[ann, bob, cy]);
    world.frame(bob, &say::known_as(say::pin(2, true), "r"));
    world.passes(1);
    world.frame(ann, &say::pin(1, true));
    world.shows(bob, &["#3 bob pins 2", "[r] ok", "#4 ann pins 1"]);
    world.shows(ann, &["#3 bob pins 2", "#4 ann pins 1"]);
    world.shows(cy, &[]);
    world.hibernates();
    assert_eq!(world.asks(ann, &say::bare("pins")), "pins: 1 ann: one (pinned), 2 bob: two (pinned)");
    let di = world.joins_v1("di");
    assert_eq!(world.frames(di)[0]["project"]["pins"], json!([2, 1]), "in the order of the pinning");
    world.frame(ann, &say::pin(2, false));
    assert_eq!(world.asks(bob, &say::bare("history")), "history: 1 ann: one (pinned), 2 bob: two");
}

#[test]
fn the_same_again_changes_nothing() {
    let (mut world, ann, bob, _) = three();
    world.frame(ann, &say::known_as(say::pin(1, false), "r"));
    world.frame(ann, &say::pin(1, true));
    world.hibernates();
    world.frame(bob, &say::known_as(say::pin(1, true), "s"));
    world.shows(ann, &["[r] ok", "#2 ann pins 1"]);
    world.shows(bob, &["#2 ann pins 1", "[s] ok"]);
}

#[test]
fn what_cannot_be_pinned_is_said() {
    let mut world = World::with(Limits { pins_max: 2, ..Limits::default() });
    let (ann, cy) = (world.joins_v1("ann"), world.joins("cy"));
    for text in ["one", "two", "three", "four"] {
        world.sends(ann, text);
    }
    for (frame, code) in [
        (say::pin(9, true), "no_such_message"),
        (say::pin(9, false), "no_such_message"),
        (json!({ "type": "pin", "message_id": 1 }), "invalid_field"),
        (json!({ "type": "pin", "on": true }), "invalid_field"),
    ] {
        assert_eq!(world.asks(ann, &frame), format!("error {code}"));
    }
    world.frame(ann, &say::delete(4));
    assert_eq!(world.asks(ann, &say::pin(4, true)), "error message_deleted");
    assert_eq!(
        world.asks(ann, &say::known_as(say::pin(4, false), "r")),
        "[r] ok",
        "it is not pinned, as was asked for"
    );
    world.frame(ann, &say::pin(1, true));
    world.frame(ann, &say::pin(2, true));
    assert_eq!(world.asks(ann, &say::pin(3, true)), "error too_many_pins");
    assert_eq!(world.asks(ann, &say::known_as(say::pin(2, true), "r")), "[r] ok");
    world.frame(ann, &say::pin(1, false));
    assert_eq!(world.asks(ann, &say::pin(3, true)), "#9 ann pins 3");
    world.so_far(&[cy]);
    world.frame(cy, &say::pin(1, true));
    world.shows(cy, &["error unknown_type"]);
}

#[test]
fn pinned_and_deleted_in_one_turn_is_pinned_no_longer() {
    let (mut world, ann, bob, _) = three();
    world.turn(vec![
        said(bob, &say::pin(1, true)),
        said(ann, &say::delete(1)),
        said(bob, &say::pin(1, true)),
        said(bob, &say::pin(1, false)),
    ]);
    world.shows(ann, &["#2 bob pins 1", "#3 ann unpins 1", "#4 ann deleted 1"]);
    world.shows(bob, &["#2 bob pins 1", "#3 ann unpins 1", "#4 ann deleted 1", "error message_deleted"]);
    assert_eq!(world.asks(bob, &say::bare("pins")), "pins: ");
}

#[test]
fn pins_of_one_moment_keep_their_order() {
    let (mut world, ann, bob, _) = three();
    world.sends(bob, "two");
    world.turn(vec![said(ann, &say::pin(2, true)), said(ann, &say::pin(1, true))]);
    world.hibernates();
    let di = world.joins_v1("di");
    assert_eq!(world.frames(di)[0]["project"]["pins"], json!([2, 1]));
}

#[test]
fn who_was_away_hears_of_it() {
    let (mut world, ann, bob, _) = three();
    world.leaves(bob);
    world.frame(ann, &say::pin(1, true));
    world.frame(ann, &say::pin(1, false));
    let bob = world.joins_v1_since("bob", 1);
    assert_eq!(world.lines(bob)[0], "hello 3; since: #2 ann pins 1, #3 ann unpins 1");
}
