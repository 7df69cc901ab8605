use serde_json::json;

use crate::say;
use crate::world::{World, moderator, said, three};

#[test]
fn its_words_are_gone_and_its_place_stays() {
    let (mut world, ann, bob, cy) = three();
    world.sends(bob, "two");
    world.so_far(&[ann, bob, cy]);
    world.frame(ann, &say::known_as(say::delete(1), "r"));
    world.shows(ann, &["#3 ann deleted 1", "[r] ok"]);
    world.shows(bob, &["#3 ann deleted 1"]);
    world.shows(cy, &["ann deleted 1"]);
    assert_eq!(world.history("bob"), ["2 two", "1 "]);
    assert_eq!(world.asks(bob, &say::bare("history")), "history: 1 ann:  (deleted by ann), 2 bob: two");
    let expected = json!({ "type": "message.deleted", "id": 1, "message_id": 1, "deleted_by": "ann",
                           "deleted_at": "2026-11-22T12:00:00.000Z" });
    assert_eq!(world.frames(cy).last(), Some(&expected));
}

#[test]
fn others_messages_are_for_moderators_which_is_noted() {
    let (mut world, ann, bob, cy) = three();
    let mo = moderator(&mut world, "mo", &[ann, bob, cy]);
    assert_eq!(world.asks(bob, &say::delete(1)), "error not_yours");
    world.frame(mo, &say::delete(1));
    world.shows(ann, &["#2 mo deleted 1"]);
    world.shows(cy, &["mo deleted 1"]);
    assert_eq!(world.asks(mo, &say::bare("audit")), "audit: mo delete_message ann 1");
}

#[test]
fn a_moderators_own_is_not_noted() {
    let (mut world, ann, bob, cy) = three();
    let mo = moderator(&mut world, "mo", &[ann, bob, cy]);
    world.sends(mo, "two");
    world.frame(mo, &say::delete(2));
    assert_eq!(world.asks(mo, &say::bare("audit")), "audit: ");
}

#[test]
fn a_second_time_changes_nothing() {
    let (mut world, ann, bob, cy) = three();
    world.frame(ann, &say::delete(1));
    world.hibernates();
    world.frame(ann, &say::known_as(say::delete(1), "r"));
    world.shows(ann, &["#2 ann deleted 1", "[r] ok"]);
    world.shows(bob, &["#2 ann deleted 1"]);
    world.shows(cy, &["ann deleted 1"]);
}

#[test]
fn what_cannot_be_deleted_is_said() {
    let (mut world, ann, _, cy) = three();
    for (frame, code) in [
        (say::delete(9), "no_such_message"),
        (say::delete(0), "no_such_message"),
        (json!({ "type": "delete_message" }), "invalid_field"),
        (json!({ "type": "delete_message", "id": -1 }), "invalid_field"),
        (json!({ "type": "delete_message", "id": [1] }), "invalid_field"),
    ] {
        assert_eq!(world.asks(ann, &frame), format!("error {code}"));
    }
    world.frame(cy, &say::delete(1));
    world.shows(cy, &["error unknown_type"]);
}

#[test]
fn everything_that_hung_on_it_goes_too() {
    let (mut world, ann, bob, cy) = three();
    world.frame(ann, &say::mentioning(&["bob"], "secret @bob"));
    world.frame(ann, &json!({ "type": "edit_message", "id": 2, "content": "hidden @bob", "mentions": ["bob", "cy"] }));
    world.frame(bob, &say::react(2, "+1", true));
    world.frame(ann, &say::pin(2, true));
    world.so_far(&[ann, bob, cy]);
    world.frame(ann, &say::delete(2));
    world.shows(bob, &["#6 ann unpins 2", "#7 ann deleted 2"]);
    world.shows(cy, &["ann deleted 2"]);
    assert_eq!(world.asks(bob, &say::bare("history")), "history: 1 ann: one, 2 ann:  (edited) (deleted by ann)");
    assert_eq!(world.asks(bob, &say::bare("mentions")), "mentions: ");
    assert_eq!(world.asks(bob, &say::bare("pins")), "pins: ");
    for word in ["secret", "hidden"] {
        assert_eq!(world.asks(bob, &say::search(word)), "search: ");
    }
    let left =
        world.db.texts("SELECT content || coalesce(folded, '') || coalesce(extra, '') FROM messages WHERE id = 2");
    let left =
        [left, world.db.texts("SELECT data FROM changes WHERE message = 2 AND data IS NOT NULL")].concat().concat();
    assert!(!left.contains("secret") && !left.contains("hidden"), "{left}");
}

#[test]
fn a_repeat_of_a_deleted_message_makes_no_second_one() {
    let (mut world, ann, bob, _) = three();
    world.frame(ann, &say::message_as("two", "a"));
    world.frame(ann, &say::delete(2));
    world.so_far(&[bob]);
    assert_eq!(world.asks(ann, &say::known_as(say::message_as("two", "a"), "r")), "[r] ack a 2");
    world.shows(bob, &[]);
    assert_eq!(world.posts("ann", &say::message_as("two", "a")), (200, "ack a 2".into()));
}

#[test]
fn it_counts_as_unread_no_longer() {
    let (mut world, ann, bob, _) = three();
    world.sends(ann, "two");
    assert_eq!(world.unread("bob"), 2);
    world.frame(ann, &say::delete(1));
    assert_eq!(world.unread("bob"), 1);
    world.frame(bob, &say::read(0, false));
    world.leaves(bob);
    let bob = world.joins_v1("bob");
    let hello = world.frames(bob)[0]["unread"].clone();
    assert_eq!(hello, json!({ "count": 1, "first_id": 2, "mentions": 0 }));
}

#[test]
fn who_was_away_hears_of_it_and_never_of_the_words() {
    let (mut world, ann, bob, _) = three();
    world.leaves(bob);
    world.sends(ann, "secret");
    world.frame(ann, &say::edit(2, "hidden"));
    world.frame(ann, &say::delete(2));
    world.hibernates();
    let bob = world.joins_v1_since("bob", 1);
    let expected = "hello 4; since: 2 ann:  (edited) (deleted by ann), #3 2 is now: , #4 ann deleted 2";
    assert_eq!(world.lines(bob)[0], expected);
}

#[test]
fn a_message_sent_and_deleted_in_one_turn_is_seen_to_come_and_go() {
    let (mut world, ann, bob, cy) = three();
    world.turn(vec![said(ann, &say::message("oops")), said(ann, &say::delete(2))]);
    world.shows(bob, &["2 ann: oops", "#3 ann deleted 2"]);
    world.shows(cy, &["2 ann: oops", "ann deleted 2"]);
}

#[test]
fn a_moderators_messages_may_be_deleted_by_another() {
    let mut world = World::new();
    let mo = moderator(&mut world, "mo", &[]);
    let di = moderator(&mut world, "di", &[mo]);
    world.sends(mo, "one");
    world.so_far(&[mo, di]);
    world.frame(di, &say::delete(1));
    world.shows(mo, &["#2 di deleted 1"]);
}

#[test]
fn a_classic_repeat_of_a_deleted_message_is_acknowledged_and_goes() {
    let mut world = World::new();
    let (ann, cy) = (world.joins_v1("ann"), world.joins("ann"));
    world.sends_as(cy, "two", "a");
    world.frame(ann, &say::delete(1));
    world.so_far(&[ann, cy]);
    world.sends_as(cy, "two", "a");
    world.shows(cy, &["1 ann: ", "ann deleted 1"]);
    world.shows(ann, &[]);
}
