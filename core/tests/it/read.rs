use chat_core::limits::Limits;
use chat_core::protocol::internal::RoomCall;
use serde_json::json;

use crate::say;
use crate::world::{World, said, three};

fn two_who_talk() -> (World, crate::world::Window, crate::world::Window) {
    let mut world = World::new();
    let (ann, bob) = (world.joins("ann"), world.joins("bob"));
    for text in ["one", "two", "three"] {
        world.sends(ann, text);
    }
    world.shows(ann, &["1 ann: one", "2 ann: two", "3 ann: three"]);
    world.shows(bob, &["1 ann: one", "2 ann: two", "3 ann: three"]);
    (world, ann, bob)
}

#[test]
fn everyone_hears_of_it_the_reader_too() {
    let (mut world, ann, bob) = two_who_talk();
    world.reads(bob, 2);
    world.shows(ann, &["bob read 2"]);
    world.shows(bob, &["bob read 2"]);
    assert_eq!(
        world.frames(ann).last().unwrap(),
        &json!({ "type": "read_receipt", "user_id": "bob", "last_read_message_id": 2, "message_id": 2,
                 "read_at": "2026-11-22T12:00:00.000Z" })
    );
}

#[test]
fn repeats_and_steps_back_are_heard_by_nobody() {
    let (mut world, ann, bob) = two_who_talk();
    for id in [3, 3, 1, 0] {
        world.reads(bob, id);
    }
    world.shows(ann, &["bob read 3"]);
    assert_eq!(world.unread("bob"), 0);
    world.hibernates();
    world.reads(bob, 3);
    world.shows(ann, &[]);
    world.shows(bob, &["bob read 3"]);
}

#[test]
fn a_mark_goes_no_further_than_the_newest_message() {
    let (mut world, ann, bob) = two_who_talk();
    world.reads(bob, 1_763_812_800_000);
    world.shows(ann, &["bob read 3"]);
    world.sends(ann, "four");
    assert_eq!(world.marks_read("cy", Some(99)).status, 200);
    world.sends(ann, "five");
    assert_eq!((world.unread("bob"), world.unread("cy")), (2, 1));
}

#[test]
fn unread_counts_are_exact_and_never_count_ones_own() {
    let (mut world, ann, bob) = two_who_talk();
    assert_eq!((world.unread("ann"), world.unread("bob")), (0, 3));
    world.reads(bob, 1);
    assert_eq!(world.unread("bob"), 2);
    world.sends(bob, "four");
    assert_eq!((world.unread("ann"), world.unread("bob")), (1, 0));
    world.sends(ann, "five");
    assert_eq!((world.unread("ann"), world.unread("bob")), (0, 1));
}

#[test]
fn unread_counts_are_exact_up_to_their_limit() {
    let mut world = World::with(Limits { unread_max: 3, message_rate: 0, ..Limits::default() });
    let ann = world.joins("ann");
    world.joins("bob");
    for text in ["1", "2", "3"] {
        world.sends(ann, text);
    }
    assert_eq!(world.unread("bob"), 3);
    world.sends(ann, "4");
    assert_eq!(world.unread("bob"), 3);
}

#[test]
fn sending_moves_ones_own_mark_and_a_read_announces_it() {
    let (mut world, ann, bob) = two_who_talk();
    world.sends(bob, "four");
    world.shows(ann, &["4 bob: four"]);
    world.reads(bob, 4);
    world.shows(ann, &["bob read 4"]);
    world.reads(bob, 4);
    world.shows(ann, &[]);
}

#[test]
fn reading_an_older_message_than_ones_own_is_announced_as_far_as_it_was_read() {
    let (mut world, ann, bob) = two_who_talk();
    world.sends(bob, "four");
    world.reads(bob, 2);
    world.reads(bob, 4);
    world.shows(ann, &["4 bob: four", "bob read 2", "bob read 4"]);
}

#[test]
fn sending_by_a_call_moves_the_mark_for_good() {
    let mut world = World::new();
    let ann = world.joins("ann");
    world.sends(ann, "one");
    let send = RoomCall::Send { content: "two".into(), client_message_id: None };
    assert_eq!(world.calls("bob", send).status, 201);
    world.hibernates();
    assert_eq!(world.unread("bob"), 0);
    world.passes(10_000);
    world.crashes();
    assert_eq!(world.unread("bob"), 0);
}

#[test]
fn a_room_that_wakes_with_an_alarm_pending_does_not_set_it_again() {
    let (mut world, _, bob) = two_who_talk();
    world.reads(bob, 2);
    let alarm = world.alarm;
    world.hibernates();
    world.alarm = None;
    world.passes(5_000);
    world.reads(bob, 3);
    assert!(alarm.is_some() && world.alarm.is_none());
}

#[test]
fn read_at_is_the_time_at_which_another_members_mark_reached_the_message() {
    let (mut world, _, bob) = two_who_talk();
    let read_at = |world: &mut World| -> Vec<String> {
        let call = RoomCall::Messages { limit: None, before: None, after: None };
        let body = World::body(&world.calls("ann", call));
        body.as_array().unwrap().iter().rev().map(|m| m["read_at"].to_string()).collect()
    };
    assert_eq!(read_at(&mut world), ["null", "null", "null"]);
    world.passes(1000);
    world.reads(bob, 1);
    world.passes(1000);
    world.reads(bob, 2);
    let expected = ["\"2026-11-22T12:00:01.000Z\"", "\"2026-11-22T12:00:02.000Z\"", "null"];
    assert_eq!(read_at(&mut world), expected);
    world.hibernates();
    assert_eq!(read_at(&mut world), expected);
    world.passes(600_000);
    world.crashes();
    assert_eq!(read_at(&mut world), expected);
}

#[test]
fn a_mark_keeps_its_time_through_many_steps() {
    let mut world = World::with(Limits { message_rate: 0, ..Limits::default() });
    let (ann, bob) = (world.joins("ann"), world.joins("bob"));
    for id in 1..=50 {
        world.sends(ann, "x");
        world.passes(1000);
        world.reads(bob, id);
    }
    let call = RoomCall::Messages { limit: Some(100), before: None, after: None };
    let body = World::body(&world.calls("ann", call));
    let times: Vec<_> =
        body.as_array().unwrap().iter().rev().map(|m| m["read_at"].as_str().unwrap().to_owned()).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(times[49], "2026-11-22T12:00:50.000Z");
}

#[test]
fn a_call_marks_everything_read_and_says_so() {
    let (mut world, ann, _) = two_who_talk();
    let answer = world.marks_read("bob", None);
    assert_eq!((answer.status, World::body(&answer)), (200, json!({ "status": "ok", "unread_count": 0 })));
    world.shows(ann, &["bob read 3"]);
    let answer = world.marks_read("bob", Some(3));
    assert_eq!(World::body(&answer), json!({ "status": "ok" }));
}

#[test]
fn a_call_is_durable_before_its_answer() {
    let (mut world, _, _) = two_who_talk();
    world.marks_read("bob", Some(2));
    world.crashes();
    assert_eq!(world.unread("bob"), 1);
}

#[test]
fn a_mark_outlives_hibernation_in_its_sockets_attachment() {
    let (mut world, _, bob) = two_who_talk();
    world.reads(bob, 2);
    world.hibernates();
    assert_eq!(world.unread("bob"), 1);
}

#[test]
fn a_mark_outlives_its_sockets() {
    let (mut world, _, bob) = two_who_talk();
    world.reads(bob, 2);
    world.hibernates();
    world.leaves(bob);
    world.hibernates();
    assert_eq!(world.unread("bob"), 1);
}

#[test]
fn the_alarm_stores_what_stopped_moving() {
    let (mut world, _, bob) = two_who_talk();
    world.reads(bob, 2);
    world.hibernates();
    world.passes(300_000);
    world.crashes();
    assert_eq!(world.unread("bob"), 1);
}

#[test]
fn a_crash_takes_back_the_marks_of_the_last_moments_only() {
    let (mut world, _, bob) = two_who_talk();
    world.passes(29_000);
    world.reads(bob, 1);
    world.passes(2_000);
    world.reads(bob, 2);
    world.reads(bob, 3);
    world.crashes();
    assert_eq!(world.unread("bob"), 1, "what had waited 30 s was stored with the next move, the last step was not");
}

#[test]
fn in_a_large_room_only_the_reader_and_the_authors_hear_of_it() {
    let mut world = World::with(Limits { receipts_to_all_max_present: 2, ..Limits::default() });
    let (ann, bob, cy) = (world.joins("ann"), world.joins("bob"), world.joins("cy"));
    world.sends(ann, "one");
    world.reads(bob, 1);
    world.shows(ann, &["1 ann: one", "bob read 1"]);
    world.shows(bob, &["1 ann: one", "bob read 1"]);
    world.shows(cy, &["1 ann: one"]);
}

#[test]
fn many_readers_share_a_row() {
    let mut world = World::with(Limits { sockets_per_user: 0, ..Limits::default() });
    let windows: Vec<_> = (0..450).map(|number| world.joins(&format!("user{number}"))).collect();
    world.sends(windows[0], "hi");
    for window in &windows {
        world.reads(*window, 1);
    }
    world.passes(300_000);
    world.crashes();
    assert_eq!((world.unread("user1"), world.unread("user449")), (0, 0));
}

#[test]
fn the_mark_of_someone_without_a_socket_does_not_fall_behind_what_is_looked_at() {
    let mut world = World::with(Limits { message_rate: 0, ..Limits::default() });
    let bob = world.joins("bob");
    world.sends(bob, "one");
    let send = RoomCall::Send { content: "two".into(), client_message_id: None };
    assert_eq!(world.calls("ann", send).status, 201);
    for _ in 0..120 {
        world.sends(bob, "x");
    }
    world.crashes();
    assert_eq!(world.unread("ann"), 120);
}

#[test]
fn receipts_of_one_turn_are_one_event_on_v1() {
    let (mut world, ann, bob, cy) = three();
    world.sends(ann, "two");
    world.so_far(&[ann, bob, cy]);
    world.turn(vec![
        said(bob, &say::known_as(say::read(1, false), "r")),
        said(cy, &say::read(2, false)),
        said(bob, &say::read(2, false)),
    ]);
    world.shows(ann, &["bob read 2, cy read 2"]);
    world.shows(
        bob,
        &["unread 1 from 2, 0 for you", "[r] ok", "unread 0 from null, 0 for you", "bob read 2, cy read 2"],
    );
    world.shows(cy, &["bob read 2", "cy read 2"]);
    world.hibernates();
    world.turn(vec![said(bob, &say::read(2, false)), said(cy, &say::read(1, false))]);
    for window in [ann, bob, cy] {
        world.shows(window, &[]);
    }
}

#[test]
fn in_a_large_room_v1_windows_of_those_concerned_hear_of_it() {
    let mut world = World::with(Limits { receipts_to_all_max_present: 2, ..Limits::default() });
    let (ann, bob, cy) = (world.joins_v1("ann"), world.joins_v1("bob"), world.joins_v1("cy"));
    let anns_classic = world.joins("ann");
    world.sends(ann, "one");
    world.sends(cy, "two");
    world.so_far(&[ann, bob, cy, anns_classic]);
    world.turn(vec![said(bob, &say::read(1, false)), said(cy, &say::read(2, false))]);
    world.shows(ann, &["bob read 1, cy read 2"]);
    world.shows(anns_classic, &["bob read 1", "cy read 2"]);
    world.shows(bob, &["unread 1 from 2, 0 for you", "bob read 1"]);
    world.shows(cy, &["cy read 2"]);
}

#[test]
fn a_private_read_is_ones_own_affair() {
    let (mut world, ann, bob, cy) = three();
    let second = world.joins("bob");
    world.so_far(&[ann, bob, cy, second]);
    world.frame(bob, &say::known_as(say::read(1, true), "r"));
    world.shows(bob, &["unread 0 from null, 0 for you", "[r] ok"]);
    world.frame(bob, &say::read(1, true));
    for window in [ann, bob, cy, second] {
        world.shows(window, &[]);
    }
    assert_eq!(world.unread("bob"), 0);
    assert_eq!(world.asks(ann, &say::bare("history")), "history: 1 ann: one");
    assert_eq!(world.frames(ann).last().unwrap()["messages"][0]["read_at"], json!(null));
    world.hibernates();
    assert_eq!(world.unread("bob"), 0);
    world.passes(300_000);
    world.crashes();
    assert_eq!(world.unread("bob"), 0);
    let (ann, bob) = (world.joins_v1("ann"), world.joins_v1("bob"));
    world.so_far(&[ann, bob]);
    world.frame(bob, &say::read(1, false));
    world.shows(ann, &["bob read 1"]);
}

#[test]
fn a_private_read_goes_no_further_than_the_newest_message() {
    let (mut world, ann, bob, _) = three();
    world.frame(bob, &say::read(9_007_199_254_740_991, true));
    world.sends(ann, "two");
    assert_eq!(world.unread("bob"), 1);
}

#[test]
fn from_a_message_on_everything_is_unread_again_for_the_reader_alone() {
    let (mut world, ann, bob, cy) = three();
    world.sends(ann, "two");
    world.sends(ann, "three");
    world.frame(bob, &say::read(3, false));
    world.so_far(&[ann, bob, cy]);
    world.frame(bob, &say::known_as(say::mark_unread(2), "r"));
    world.shows(bob, &["unread 2 from 2, 0 for you", "[r] ok"]);
    world.frame(bob, &say::mark_unread(2));
    for window in [ann, bob, cy] {
        world.shows(window, &[]);
    }
    assert!(world.frames(ann).iter().all(|event| event["type"] != "unread"));
    world.hibernates();
    assert_eq!(world.unread("bob"), 2);
    world.passes(300_000);
    world.crashes();
    assert_eq!(world.unread("bob"), 2);
    let bob = world.joins_v1("bob");
    world.so_far(&[bob]);
    world.frame(bob, &say::read(1, false));
    assert_eq!(world.unread("bob"), 2);
    world.frame(bob, &say::read(3, false));
    assert_eq!(world.unread("bob"), 0);
}

#[test]
fn marking_unread_reads_nothing() {
    let (mut world, ann, bob, _) = three();
    for text in ["two", "three", "four"] {
        world.sends(ann, text);
    }
    world.frame(bob, &say::read(1, false));
    world.so_far(&[bob]);
    world.frame(bob, &say::mark_unread(4));
    assert_eq!(world.unread("bob"), 3, "what was unread before it stays so");
    assert!(world.lines(bob).iter().all(|line| line == "unread 3 from 2, 0 for you"));
    world.frame(bob, &say::read(2, true));
    assert_eq!(world.unread("bob"), 2);
    world.frame(bob, &say::read(4, true));
    assert_eq!(world.unread("bob"), 0);
}

#[test]
fn what_is_not_there_cannot_be_marked_unread() {
    let (mut world, ann, _, cy) = three();
    for (frame, code) in [
        (say::mark_unread(0), "no_such_message"),
        (say::mark_unread(2), "no_such_message"),
        (say::bare("mark_unread"), "invalid_field"),
        (json!({ "type": "read" }), "invalid_field"),
        (json!({ "type": "read", "last_read_message_id": -1 }), "invalid_field"),
    ] {
        assert_eq!(world.asks(ann, &frame), format!("error {code}"));
    }
    world.frame(cy, &say::mark_unread(1));
    world.shows(cy, &["error unknown_type"]);
}

#[test]
fn by_http_both_are_durable_before_the_answer() {
    let (mut world, ann, _, _) = three();
    world.sends(ann, "two");
    assert_eq!(world.posts("bob", &say::read(2, true)), (200, "ok".into()));
    world.crashes();
    assert_eq!(world.unread("bob"), 0);
    assert_eq!(world.posts("bob", &say::mark_unread(1)), (200, "ok".into()));
    world.crashes();
    assert_eq!(world.unread("bob"), 2);
    assert_eq!(world.posts("bob", &say::read(1, false)), (200, "ok".into()));
    world.crashes();
    assert_eq!(world.unread("bob"), 0);
}

#[test]
fn what_was_found_again_stays_found_over_a_sleep() {
    let (mut world, _, bob, _) = three();
    world.frame(bob, &say::read(1, false));
    world.frame(bob, &say::mark_unread(1));
    world.hibernates();
    assert_eq!(world.unread("bob"), 1);
    world.frame(bob, &say::read(1, false));
    world.hibernates();
    assert_eq!(world.unread("bob"), 0);
}
