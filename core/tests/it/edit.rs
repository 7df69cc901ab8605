use chat_core::input::Input;
use chat_core::limits::Limits;
use serde_json::json;

use crate::say;
use crate::world::{World, moderator, said, three};

#[test]
fn everyone_sees_what_it_says_now() {
    let (mut world, ann, bob, cy) = three();
    world.frame(ann, &say::known_as(say::edit(1, "won"), "r"));
    world.shows(ann, &["#2 1 is now: won", "[r] ok"]);
    world.shows(bob, &["#2 1 is now: won"]);
    world.shows(cy, &["now 1 ann: won (edited)"]);
    assert_eq!(world.history("bob"), ["1 won"]);
    let expected = json!({ "type": "message.updated", "seq": 2, "id": 1, "content": "won", "mentions": [],
                           "edited_at": "2026-11-22T12:00:00.000Z" });
    assert_eq!(world.frames(bob).last(), Some(&expected));
    let classic = world.frames(cy).last().unwrap();
    assert_eq!((&classic["message"]["sender"]["username"], &classic["message"]["project"]), (&json!("ann"), &json!(5)));
}

#[test]
fn only_ones_own_and_a_moderator_cannot_either() {
    let (mut world, ann, bob, cy) = three();
    let mo = moderator(&mut world, "mo", &[ann, bob, cy]);
    assert_eq!(world.asks(bob, &say::edit(1, "ha")), "error not_yours");
    assert_eq!(world.asks(mo, &say::edit(1, "ha")), "error not_yours");
    world.shows(ann, &[]);
    assert_eq!(world.history("ann"), ["1 one"]);
}

#[test]
fn what_cannot_be_edited_is_said() {
    let (mut world, ann, _, cy) = three();
    for (frame, code) in [
        (say::edit(9, "x"), "no_such_message"),
        (say::edit(0, "x"), "no_such_message"),
        (say::edit(1, " \n"), "content_empty"),
        (say::edit(1, &"x".repeat(10_001)), "content_too_long"),
        (say::edit(1, "a\0b"), "invalid_field"),
        (json!({ "type": "edit_message", "id": 1 }), "invalid_field"),
        (json!({ "type": "edit_message", "content": "x" }), "invalid_field"),
        (json!({ "type": "edit_message", "id": 1.5, "content": "x" }), "invalid_field"),
        (json!({ "type": "edit_message", "id": 1, "content": "x", "mentions": "bob" }), "invalid_field"),
    ] {
        let answer = world.asks(ann, &say::known_as(frame, "r"));
        assert_eq!(answer, format!("[r] error {code}"));
    }
    world.frame(ann, &say::delete(1));
    assert_eq!(world.asks(ann, &say::edit(1, "back")), "error message_deleted");
    // What was once a message's change is no message.
    assert_eq!(world.asks(ann, &say::edit(2, "x")), "error no_such_message");
    world.so_far(&[cy]);
    world.frame(cy, &say::edit(1, "x"));
    world.shows(cy, &["error unknown_type"]);
}

#[test]
fn the_same_words_again_change_nothing() {
    let (mut world, ann, bob, cy) = three();
    world.frame(ann, &say::known_as(say::edit(1, "one"), "r"));
    world.frame(ann, &say::edit(1, "two"));
    world.frame(ann, &say::edit(1, "two"));
    world.shows(ann, &["[r] ok", "#2 1 is now: two"]);
    world.shows(bob, &["#2 1 is now: two"]);
    world.shows(cy, &["now 1 ann: two (edited)"]);
}

#[test]
fn earlier_versions_are_for_the_author_and_for_moderators() {
    let (mut world, ann, bob, cy) = three();
    let mo = moderator(&mut world, "mo", &[ann, bob, cy]);
    for text in ["two", "three"] {
        world.frame(ann, &say::edit(1, text));
    }
    let edits = json!({ "type": "edits", "id": 1 });
    assert_eq!(world.asks(ann, &say::known_as(edits.clone(), "e")), "[e] edits of 1: two, one");
    assert_eq!(world.asks(mo, &edits), "edits of 1: two, one");
    assert_eq!(world.asks(bob, &edits), "error moderators_only");
    assert_eq!(world.asks(ann, &json!({ "type": "edits", "id": 2 })), "error no_such_message");
    world.hibernates();
    assert_eq!(world.asks(ann, &edits), "edits of 1: two, one");
    world.frame(ann, &say::delete(1));
    assert_eq!(world.asks(mo, &edits), "edits of 1: ", "a deleted message's words are gone for everybody");
}

#[test]
fn a_repeat_of_an_edited_message_is_known_by_what_it_said_first() {
    let (mut world, ann, bob, _) = three();
    world.frame(ann, &say::message_as("two", "a"));
    world.frame(ann, &say::edit(2, "second"));
    world.frame(ann, &say::edit(2, "deux"));
    world.hibernates();
    world.so_far(&[bob]);
    assert_eq!(world.asks(ann, &say::message_as("two", "a")), "ack a 2");
    assert_eq!(world.asks(ann, &say::message_as("deux", "a")), "ack a 2");
    assert_eq!(world.asks(ann, &say::message_as("second", "a")), "error client_message_id_reused");
    world.shows(bob, &[]);
}

#[test]
fn a_classic_repeat_of_an_edited_message_is_answered_with_what_it_says_now() {
    let mut world = World::new();
    let (ann, cy) = (world.joins_v1("ann"), world.joins("ann"));
    world.sends_as(cy, "two", "a");
    world.frame(ann, &say::edit(1, "too"));
    world.so_far(&[cy]);
    world.sends_as(cy, "two", "a");
    world.shows(cy, &["1 ann: too (edited)"]);
}

#[test]
fn who_was_away_is_told_once_and_how_it_is_now() {
    let (mut world, ann, bob, _) = three();
    world.leaves(bob);
    for text in ["two", "three"] {
        world.frame(ann, &say::edit(1, text));
    }
    let bob = world.joins_v1_since("bob", 1);
    assert_eq!(world.lines(bob)[0], "hello 3; since: #2 1 is now: three, #3 1 is now: three");
    world.hibernates();
    world.so_far(&[bob]);
    world.frame(ann, &say::edit(1, "four"));
    world.shows(bob, &["#4 1 is now: four"]);
}

#[test]
fn an_edit_keeps_reactions_pins_and_its_place() {
    let (mut world, ann, bob, _) = three();
    world.frame(bob, &say::react(1, "+1", true));
    world.frame(ann, &say::pin(1, true));
    world.sends(bob, "two");
    world.frame(ann, &say::edit(1, "won"));
    let page = world.asks(bob, &say::bare("history"));
    assert_eq!(page, "history: 1 ann: won [+1 1*] (edited) (pinned), 4 bob: two");
}

#[test]
fn edits_of_one_turn_come_in_order_and_an_error_between_them_harms_nothing() {
    let (mut world, ann, bob, cy) = three();
    let turn = vec![
        said(ann, &say::edit(1, "a")),
        said(bob, &say::edit(1, "mine")),
        said(ann, &say::message("two")),
        said(ann, &say::edit(3, "b")),
        said(ann, &say::delete(1)),
        said(ann, &say::edit(1, "c")),
        Input::Closed { conn: bob.0 },
    ];
    world.turn(turn);
    world.shows(
        ann,
        &[
            "#2 1 is now: a",
            "3 ann: two",
            "#4 3 is now: b",
            "#5 ann deleted 1",
            "error message_deleted",
            "present 2: bob offline",
        ],
    );
    world.shows(cy, &["now 1 ann: a (edited)", "3 ann: two", "now 3 ann: b (edited)", "ann deleted 1"]);
}

#[test]
fn edits_have_a_rate_of_their_own() {
    let mut world = World::with(Limits { change_rate: 1, ..Limits::default() });
    let ann = world.joins_v1("ann");
    world.sends(ann, "one");
    for number in 0..10 {
        world.frame(ann, &say::edit(1, &number.to_string()));
    }
    assert_eq!(world.asks(ann, &say::known_as(say::edit(1, "x"), "r")), "[r] error rate_limited (1001 ms)");
    world.sends(ann, "messages are another matter");
    world.passes(1001);
    assert_eq!(world.asks(ann, &say::edit(1, "x")), "#13 1 is now: x");
}

#[test]
fn an_edit_by_http_is_seen_by_all() {
    let (mut world, ann, _, cy) = three();
    assert_eq!(world.posts("ann", &say::known_as(say::edit(1, "won"), "h")), (200, "[h] ok".into()));
    assert_eq!(world.posts("bob", &say::edit(1, "won")), (403, "not_yours".into()));
    world.shows(ann, &["#2 1 is now: won"]);
    world.shows(cy, &["now 1 ann: won (edited)"]);
}
