//! Rows that each thing writes, index entries included: they are nearly the whole bill.

use chat_core::input::Input;
use chat_core::protocol::internal::RoomCall;
use serde_json::{Value, json};

use crate::say;
use crate::world::{Window, World, moderator, three};

/// Rows written while `what` happens.
fn rows(world: &mut World, what: impl FnOnce(&mut World)) -> i64 {
    world.db.counts = true;
    let before = world.db.rows_written();
    what(world);
    world.db.rows_written() - before
}

fn frame(world: &mut World, window: Window, frame: &Value) -> i64 {
    rows(world, |world| world.frame(window, frame))
}

#[test]
fn what_each_frame_writes() {
    let (mut world, ann, bob, cy) = three();
    let mo = moderator(&mut world, "mo", &[ann, bob, cy]);
    world.calls("ed", RoomCall::MarkRead { up_to: None });
    let steps = [
        (ann, say::message_as("two", "a"), 2, "a message"),
        (ann, say::message_as("two", "a"), 0, "a repeat"),
        (ann, say::message_as("other", "a"), 0, "an id that was used"),
        (ann, say::message("three"), 1, "a message without client_message_id"),
        (cy, say::message_as("four", "a"), 2, "a classic message"),
        (cy, say::message_as("other", "a"), 1, "a classic one with an id that was used"),
        (ann, say::reply(1, "re"), 2, "a reply, and its place in the thread"),
        (ann, say::mentioning(&["bob", "cy"], "hey"), 3, "a message, and two mentions"),
        (ann, say::edit(2, "zwei"), 2, "an edit"),
        (ann, say::edit(2, "ZWEI Ä"), 2, "another"),
        (ann, say::edit(2, "ZWEI Ä"), 0, "the same again"),
        (ann, json!({ "type": "edit_message", "id": 7, "content": "hey", "mentions": ["bob"] }), 3, "one mention less"),
        (bob, say::react(1, "👍", true), 2, "a reaction"),
        (bob, say::react(1, "👍", true), 0, "the same again"),
        (bob, say::react(1, "👍", false), 2, "taken back"),
        (bob, say::pin(1, true), 2, "a pin"),
        (bob, say::pin(1, true), 0, "the same again"),
        (bob, say::pin(1, false), 2, "taken back"),
        (ann, say::delete(3), 2, "a deletion"),
        (ann, say::delete(3), 0, "the same again"),
        (ann, say::delete(2), 4, "a deletion of what was edited twice"),
        (ann, say::delete(7), 4, "of what was edited once and mentions one"),
        (mo, say::delete(1), 3, "a moderator's is noted"),
        (bob, say::typing(true), 0, "typing"),
        (bob, say::presence(true), 0, "presence"),
        (bob, say::read(2, false), 0, "a read"),
        (bob, say::read(3, true), 0, "a private read"),
        (bob, say::mark_unread(1), 0, "marking unread"),
        (bob, json!({ "type": "seen", "seq": 5 }), 0, "seen"),
        (bob, json!({ "type": "auth", "token": "t" }), 0, "a token"),
        (bob, say::resume(0), 0, "resume"),
        (bob, say::bare("history"), 0, "history"),
        (bob, say::search("hey"), 0, "a search"),
        (bob, say::thread(1), 0, "a thread"),
        (bob, say::bare("mentions"), 0, "mentions"),
        (bob, say::bare("pins"), 0, "pins"),
        (bob, say::bare("members"), 0, "members"),
        (bob, say::block("ann", true), 1, "a block"),
        (bob, say::block("ann", true), 0, "the same again"),
        (bob, say::report(4, "x"), 1, "a report"),
        (bob, say::report(4, "x"), 0, "the same again"),
        (mo, json!({ "type": "resolve", "message_id": 4 }), 2, "dealt with, and noted"),
        (mo, say::sentence("mute", "bob", Some(5)), 2, "a mute, noted"),
        (mo, say::slow_mode(5), 2, "a mode, noted"),
        (mo, say::slow_mode(5), 0, "the same again"),
        (mo, say::sentence("ban", "ed", Some(5)), 2, "a ban, noted"),
        (mo, say::bare("audit"), 0, "the audit"),
        (mo, say::bare("reports"), 0, "the reports"),
    ];
    for (window, what, expected, name) in steps {
        let written = frame(&mut world, window, &what);
        assert_eq!(written, expected, "{name}: {what}");
    }
    assert!(!world.lines(bob).iter().any(|line| line.starts_with("error")), "every step was taken");
}

#[test]
fn coming_back_writes_nothing() {
    let (mut world, ann, bob, _) = three();
    world.leaves(bob);
    world.sends(ann, "two");
    assert_eq!(rows(&mut world, |world| _ = world.joins_v1_since("bob", 1)), 0, "hello with what was missed");
    assert_eq!(rows(&mut world, |world| _ = world.joins_v1("bob")), 0, "hello with a page");
    assert_eq!(rows(&mut world, World::hibernates), 0);
    assert_eq!(rows(&mut world, |world| _ = world.calls("bob", RoomCall::Events { since: None })), 0);
    assert_eq!(rows(&mut world, |world| world.turn(vec![Input::Alarm])), 1, "the marks of all");
    assert_eq!(rows(&mut world, |world| world.turn(vec![Input::Alarm])), 0);
}

#[test]
fn the_measure_counts_entries_of_indexes() {
    let (mut world, ann, _, _) = three();
    let rows = rows(&mut world, |world| {
        world.frame(ann, &json!({ "type": "send_message", "content": "re", "client_message_id": "a", "reply_to": 1 }));
    });
    assert_eq!(rows, 3, "its own, its id's and its place in the thread");
}
