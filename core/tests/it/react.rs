use serde_json::json;

use crate::say;
use crate::world::{said, three};

#[test]
fn everyone_on_v1_sees_it_and_classic_windows_do_not() {
    let (mut world, ann, bob, cy) = three();
    world.frame(bob, &say::known_as(say::react(1, "👍", true), "r"));
    world.frame(ann, &say::react(1, "👍", true));
    world.frame(bob, &say::react(1, "👍", false));
    world.shows(bob, &["#2 bob +👍 1 (1)", "[r] ok", "#3 ann +👍 1 (2)", "#4 bob -👍 1 (1)"]);
    world.shows(ann, &["#2 bob +👍 1 (1)", "#3 ann +👍 1 (2)", "#4 bob -👍 1 (1)"]);
    world.shows(cy, &[]);
    assert_eq!(world.asks(ann, &say::bare("history")), "history: 1 ann: one [👍 1*]");
    assert_eq!(world.asks(bob, &say::bare("history")), "history: 1 ann: one [👍 1]");
    let expected = json!({ "type": "reaction", "seq": 2, "message_id": 1, "user_id": "bob", "emoji": "👍", "on": true,
                           "count": 1 });
    assert!(world.frames(ann).contains(&expected));
}

#[test]
fn the_same_again_changes_nothing_not_even_after_a_sleep() {
    let (mut world, ann, bob, _) = three();
    world.frame(bob, &say::react(1, "👍", true));
    world.hibernates();
    world.frame(bob, &say::known_as(say::react(1, "👍", true), "r"));
    world.frame(bob, &say::known_as(say::react(1, "🎉", false), "s"));
    world.frame(ann, &say::known_as(say::react(1, "👍", false), "t"));
    world.shows(bob, &["#2 bob +👍 1 (1)", "[r] ok", "[s] ok"]);
    world.shows(ann, &["#2 bob +👍 1 (1)", "[t] ok"]);
}

#[test]
fn what_is_no_reaction_is_said() {
    let (mut world, ann, _, cy) = three();
    for (frame, code) in [
        (say::react(1, "", true), "invalid_field"),
        (say::react(1, " ", true), "invalid_field"),
        (say::react(1, "a b", true), "invalid_field"),
        (say::react(1, "a\0", true), "invalid_field"),
        (say::react(1, &"👍".repeat(17), true), "invalid_field"),
        (say::react(9, "👍", true), "no_such_message"),
        (say::react(0, "👍", true), "no_such_message"),
        (json!({ "type": "react", "message_id": 1, "emoji": 7, "on": true }), "invalid_field"),
        (json!({ "type": "react", "message_id": 1, "emoji": "👍" }), "invalid_field"),
        (json!({ "type": "react", "message_id": 1, "emoji": "👍", "on": "yes" }), "invalid_field"),
        (json!({ "type": "react", "emoji": "👍", "on": true }), "invalid_field"),
    ] {
        assert_eq!(world.asks(ann, &frame), format!("error {code}"), "{frame}");
    }
    for emoji in ["👨‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🇩🇪", "❤️", ":party_parrot:", "漢"]
    {
        assert!(world.asks(ann, &say::react(1, emoji, true)).ends_with(&format!("ann +{emoji} 1 (1)")));
    }
    world.frame(ann, &say::delete(1));
    assert_eq!(world.asks(ann, &say::react(1, "👍", true)), "error message_deleted");
    assert_eq!(world.asks(ann, &say::react(1, "❤️", false)), "error message_deleted");
    world.so_far(&[cy]);
    world.frame(cy, &say::react(1, "👍", true));
    world.shows(cy, &["error unknown_type"]);
}

#[test]
fn the_fifty_first_is_one_too_many_until_one_goes() {
    let (mut world, ann, bob, _) = three();
    world.settings.limits.change_rate = 0;
    world.hibernates();
    for number in 0..50 {
        world.frame(ann, &say::react(1, &format!(":{number}:"), true));
    }
    assert_eq!(world.asks(bob, &say::react(1, ":50:", true)), "error too_many_reactions");
    assert_eq!(
        world.asks(bob, &say::react(1, ":7:", true)),
        "#52 bob +:7: 1 (2)",
        "one that is there already may be joined"
    );
    world.frame(ann, &say::react(1, ":8:", false));
    assert_eq!(world.asks(bob, &say::react(1, ":50:", true)), "#54 bob +:50: 1 (1)");
}

#[test]
fn who_was_away_arrives_at_the_count_as_it_is() {
    let (mut world, ann, bob, _) = three();
    world.leaves(bob);
    world.frame(ann, &say::react(1, "👍", true));
    world.frame(ann, &say::react(1, "👍", false));
    world.frame(ann, &say::react(1, "🎉", true));
    let bob = world.joins_v1_since("bob", 1);
    assert_eq!(world.lines(bob)[0], "hello 4; since: #2 ann +👍 1 (0), #3 ann -👍 1 (0), #4 ann +🎉 1 (1)");
}

#[test]
fn many_in_one_turn_each_have_their_place() {
    let (mut world, ann, bob, _) = three();
    let (on, off) = (say::react(1, "👍", true), say::react(1, "👍", false));
    world.turn(vec![said(ann, &on), said(bob, &on), said(ann, &on), said(ann, &off), said(bob, &off), said(bob, &off)]);
    world.shows(bob, &["#2 ann +👍 1 (1)", "#3 bob +👍 1 (2)", "#4 ann -👍 1 (1)", "#5 bob -👍 1 (0)"]);
    assert_eq!(world.asks(bob, &say::bare("history")), "history: 1 ann: one");
}

#[test]
fn it_makes_nothing_unread() {
    let (mut world, ann, bob, _) = three();
    world.frame(bob, &say::read(1, false));
    world.frame(ann, &say::react(1, "👍", true));
    assert_eq!(world.unread("bob"), 0);
}
