use chat_core::ids::Seq;
use chat_core::limits::Limits;
use chat_core::protocol::internal::RoomCall;
use serde_json::json;

use crate::say;
use crate::world::{World, identity, three, yes};

fn prune(up_to: i64) -> RoomCall {
    RoomCall::Prune { up_to: Seq(up_to) }
}

#[test]
fn the_oldest_part_is_forgotten_and_no_number_is_given_again() {
    let (mut world, ann, bob, _) = three();
    world.frame(ann, &say::mentioning(&["bob"], "two"));
    world.frame(ann, &say::edit(2, "zwei"));
    world.frame(ann, &say::pin(2, true));
    world.frame(ann, &say::pin(1, true));
    world.sends(ann, "six");
    assert_eq!(World::body(&world.serves(prune(5))), json!({ "pruned": 5, "more": false }));
    assert_eq!(world.asks(bob, &say::bare("history")), "history: 6 ann: six");
    for question in ["mentions", "pins"] {
        assert_eq!(world.asks(bob, &say::bare(question)), format!("{question}: "));
    }
    assert_eq!(world.asks(bob, &say::edit(2, "x")), "error no_such_message");
    for table in ["messages", "changes", "mentions", "pins"] {
        let left = match table {
            "messages" => world.db.texts("SELECT count(*) FROM messages WHERE id <= 5"),
            "changes" => world.db.texts("SELECT count(*) FROM changes"),
            "mentions" => world.db.texts("SELECT count(*) FROM mentions"),
            _ => world.db.texts("SELECT count(*) FROM pins"),
        };
        assert_eq!(left, ["0"], "{table}");
    }
    world.serves(prune(99));
    world.crashes();
    assert_eq!(
        World::body(&world.serves(prune(3))),
        json!({ "pruned": 6, "more": false }),
        "what is forgotten stays so"
    );
    let bob = world.joins_v1("bob");
    world.sends(bob, "seven");
    assert_eq!(world.lines(bob)[0], "hello 6; newest: ");
    assert_eq!(world.frames(bob).last().unwrap()["seq"], 7);
}

#[test]
fn who_left_off_below_it_begins_anew_and_at_its_edge_goes_on() {
    let (mut world, ann, _, _) = three();
    for text in ["two", "three", "four"] {
        world.sends(ann, text);
    }
    world.serves(prune(2));
    world.hibernates();
    let below = world.joins_v1_since("bob", 1);
    assert_eq!(world.lines(below)[..2], ["resync pruned", "hello 4; newest: 3 ann: three, 4 ann: four"]);
    let edge = world.joins_v1_since("bob", 2);
    assert_eq!(world.lines(edge)[0], "hello 4; since: 3 ann: three, 4 ann: four");
    let answer = world.calls(
        "bob",
        RoomCall::Events { since: Some(chat_core::protocol::internal::Since { seq: Seq(0), epoch: None }) },
    );
    assert_eq!(World::body(&answer)[0]["reason"], "pruned");
}

#[test]
fn who_is_pulling_when_it_is_forgotten_begins_anew() {
    let mut world = World::with(Limits { resume_chunk: 2, ..Limits::default() });
    let ann = world.joins_v1("ann");
    for number in 1..=9 {
        world.sends(ann, &format!("n{number}"));
    }
    let bob = world.joins_v1_since("bob", 0);
    world.serves(prune(7));
    world.so_far(&[bob]);
    world.frame(bob, &say::resume(2));
    world.shows(bob, &["resync pruned", "hello 9; newest: 8 ann: n8, 9 ann: n9"]);
    world.sends(ann, "n10");
    world.shows(bob, &["10 ann: n10"]);
}

#[test]
fn a_repeat_of_what_was_forgotten_is_a_new_message() {
    let (mut world, ann, _, _) = three();
    world.frame(ann, &say::message_as("two", "a"));
    world.serves(prune(2));
    assert_eq!(world.asks(ann, &say::message_as("two", "a")), "3 ann: two");
}

#[test]
fn unread_counts_know_what_is_left() {
    let (mut world, ann, bob, _) = three();
    world.sends(ann, "two");
    assert_eq!(world.unread("bob"), 2);
    world.serves(prune(1));
    assert_eq!(world.unread("bob"), 1);
    world.so_far(&[bob]);
    world.frame(bob, &say::mark_unread(1));
    world.shows(bob, &["unread 1 from 2, 0 for you"]);
}

#[test]
fn it_takes_a_server_key_and_an_empty_room_has_nothing_to_forget() {
    let mut world = World::new();
    assert_eq!(World::body(&world.serves(prune(5))), json!({ "pruned": 0, "more": false }));
    let ann = world.joins("ann");
    assert_eq!(world.calls_with(Some(identity("ann", world.now)), yes(), prune(1)).status, 403);
    world.sends(ann, "one");
    world.shows(ann, &["1 ann: one"]);
}

#[test]
fn a_mark_outlives_the_message_that_moved_it() {
    let mut world = World::new();
    // Without a socket nothing but the message itself knows how far its sender has read.
    world.calls("ann", RoomCall::Send { content: "hi".into(), client_message_id: None });
    world.hibernates();
    world.serves(prune(1));
    world.hibernates();
    let hello = World::body(&world.calls("ann", RoomCall::Events { since: None }));
    assert_eq!(hello[0]["you"]["last_read_message_id"], 1);
}
