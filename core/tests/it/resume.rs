use chat_core::ids::Seq;
use chat_core::input::Input;
use chat_core::limits::Limits;
use chat_core::protocol::internal::{RoomCall, Since};
use serde_json::json;

use crate::say;
use crate::world::{Window, World, said, three};

/// Chunks of three events.
fn small() -> World {
    World::with(Limits { resume_chunk: 3, v1_page: 2, message_rate: 0, ..Limits::default() })
}

fn says_numbers(world: &mut World, window: Window, numbers: std::ops::RangeInclusive<i64>) {
    numbers.for_each(|number| world.sends(window, &format!("n{number}")));
}

#[test]
fn hello_is_first_and_has_what_a_client_starts_with() {
    let (mut world, ann, _, _) = three();
    world.frame(ann, &say::mentioning(&["bob"], "two"));
    world.types(ann, true);
    let di = world.joins_v1("di");
    let mut hello = world.frames(di)[0].clone();
    let member = |id: &str, read: i64| {
        json!({ "id": id, "username": id, "first_name": "", "last_name": "", "profile_pic": null, "role": "member",
                "last_read_message_id": read, "status": "online", "last_seen": null })
    };
    let messages = hello.as_object_mut().unwrap().remove("messages").unwrap();
    assert_eq!(messages.as_array().unwrap().len(), 2);
    let expected = json!({
        "type": "hello", "epoch": "first", "seq": 2, "head": 2, "more": false, "more_before": false,
        "you": { "id": "di", "username": "di", "first_name": "", "last_name": "", "profile_pic": null,
                 "role": "member", "last_read_message_id": 0, "muted_until": null, "blocked": [] },
        "project": { "id": 5, "name": "Project 5", "created_at": "2026-11-22T12:00:00.000Z", "frozen": false,
                     "slow_mode_s": 0, "pins": [] },
        "members": [member("ann", 2), member("bob", 0), member("cy", 0), member("di", 0)], "members_count": 4,
        "present": 4, "typing": [{ "id": "ann", "username": "ann" }],
        "unread": { "count": 2, "first_id": 1, "mentions": 0 },
        "limits": { "message_chars": 10000, "frame_bytes": 65536, "page": 50, "chunk": 300, "message_rate": 10,
                    "message_burst": 100, "seen_every": 500 },
        "expires_at": "2026-11-22T12:05:00.000Z",
        "reconnect_window_ms": 500,
    });
    assert_eq!(hello, expected);
}

#[test]
fn a_new_window_gets_the_newest_page_and_whether_there_is_more() {
    let mut world = small();
    let ann = world.joins_v1("ann");
    says_numbers(&mut world, ann, 1..=3);
    let bob = world.joins_v1("bob");
    assert_eq!(world.lines(bob)[0], "hello 3; newest: 2 ann: n2, 3 ann: n3");
    assert_eq!(world.frames(bob)[0]["more_before"], true);
}

#[test]
fn who_comes_back_gets_what_was_missed_whatever_it_was() {
    let (mut world, ann, bob, _) = three();
    world.leaves(bob);
    world.sends(ann, "two");
    world.frame(ann, &say::edit(1, "won"));
    world.frame(ann, &say::react(2, "+1", true));
    world.frame(ann, &say::pin(2, true));
    world.frame(ann, &say::delete(1));
    world.hibernates();
    let bob = world.joins_v1_since("bob", 1);
    let expected = "hello 6; since: 2 ann: two [+1 1] (pinned), #3 1 is now: , #4 ann ++1 2 (1), #5 ann pins 2, \
                    #6 ann deleted 1";
    assert_eq!(world.lines(bob)[0], expected);
    world.sends(ann, "three");
    world.shows(bob, &["7 ann: three"]);
}

#[test]
fn who_missed_nothing_gets_nothing_and_is_live() {
    let (mut world, ann, bob, _) = three();
    world.leaves(bob);
    let bob = world.joins_v1_since("bob", 1);
    assert_eq!(world.lines(bob)[0], "hello 1; since: ");
    world.sends(ann, "two");
    world.shows(bob, &["2 ann: two"]);
}

#[test]
fn more_than_a_chunk_is_pulled_and_live_traffic_begins_at_the_head() {
    let mut world = small();
    let (ann, bob) = (world.joins_v1("ann"), world.joins_v1("bob"));
    world.leaves(bob);
    says_numbers(&mut world, ann, 1..=7);
    let bob = world.joins_v1_since("bob", 0);
    assert_eq!(world.lines(bob)[0], "hello 3, more up to 7; since: 1 ann: n1, 2 ann: n2, 3 ann: n3");
    world.sends(ann, "n8");
    world.types(ann, true);
    world.shows(bob, &["typing: ann"]);
    world.hibernates();
    world.sends(ann, "n9");
    world.shows(bob, &[]);
    let line = world.asks(bob, &say::known_as(say::resume(3), "r"));
    assert_eq!(line, "[r] resume 6, more up to 9; 4 ann: n4, 5 ann: n5, 6 ann: n6");
    // The last chunk, between two messages of one turn: nothing between, nothing twice.
    world.turn(vec![said(ann, &say::message("n10")), said(bob, &say::resume(6)), said(ann, &say::message("n11"))]);
    world.shows(bob, &["resume 9, more up to 10; 7 ann: n7, 8 ann: n8, 9 ann: n9"]);
    world.turn(vec![said(ann, &say::message("n12")), said(bob, &say::resume(9)), said(ann, &say::message("n13"))]);
    world.shows(bob, &["resume 12; 10 ann: n10, 11 ann: n11, 12 ann: n12", "13 ann: n13"]);
}

#[test]
fn what_a_client_sends_while_it_is_behind_is_acknowledged_and_comes_in_its_place() {
    let mut world = small();
    let (ann, bob) = (world.joins_v1("ann"), world.joins_v1("bob"));
    world.leaves(bob);
    says_numbers(&mut world, ann, 1..=4);
    let bob = world.joins_v1_since("bob", 0);
    assert_eq!(world.asks(bob, &say::known_as(say::message_as("mine", "b"), "r")), "[r] ack b 5");
    world.frame(bob, &say::edit(5, "mine too"));
    world.shows(bob, &[]);
    assert_eq!(
        world.asks(bob, &say::resume(3)),
        "resume 6; 4 ann: n4, 5 bob: mine too (edited), #6 5 is now: mine too"
    );
}

#[test]
fn a_client_that_sees_a_hole_asks_again_and_gets_nothing_twice_after_it() {
    let (mut world, ann, bob, _) = three();
    says_numbers(&mut world, ann, 2..=3);
    world.so_far(&[bob]);
    world.turn(vec![said(ann, &say::message("n4")), said(bob, &say::resume(2)), said(ann, &say::message("n5"))]);
    world.shows(bob, &["resume 4; 3 ann: n3, 4 ann: n4", "5 ann: n5"]);
    world.turn(vec![said(bob, &say::resume(5)), said(ann, &say::message("n6"))]);
    world.shows(bob, &["resume 5; ", "6 ann: n6"]);
}

#[test]
fn a_hole_larger_than_a_chunk_makes_a_live_client_pull() {
    let mut world = small();
    let (ann, bob) = (world.joins_v1("ann"), world.joins_v1("bob"));
    says_numbers(&mut world, ann, 1..=5);
    world.so_far(&[bob]);
    world.turn(vec![said(ann, &say::message("n6")), said(bob, &say::resume(0)), said(ann, &say::message("n7"))]);
    world.shows(bob, &["resume 3, more up to 6; 1 ann: n1, 2 ann: n2, 3 ann: n3"]);
    world.hibernates();
    world.sends(ann, "n8");
    world.shows(bob, &[]);
    world.frame(bob, &say::resume(3));
    world.frame(bob, &say::resume(6));
    world.shows(bob, &["resume 6, more up to 8; 4 ann: n4, 5 ann: n5, 6 ann: n6", "resume 8; 7 ann: n7, 8 ann: n8"]);
    world.sends(ann, "n9");
    world.shows(bob, &["9 ann: n9"]);
}

#[test]
fn joins_between_the_messages_of_one_turn_get_each_exactly_once() {
    let (mut world, ann, bob, cy) = three();
    let (di, di_comes) = world.knocks_v1("di", None);
    let (ed, ed_comes) = world.knocks_v1("ed", Some(Since { seq: Seq(1), epoch: None }));
    let (flo, flo_comes) = world.knocks_v1("flo", Some(Since { seq: Seq(3), epoch: None }));
    let turn = vec![
        said(ann, &say::message("two")),
        di_comes,
        said(bob, &say::message("three")),
        ed_comes,
        said(ann, &say::edit(2, "zwei")),
        flo_comes,
        said(di, &say::message("five")),
        Input::Closed { conn: ed.0 },
        said(ann, &say::delete(2)),
    ];
    world.turn(turn);
    let mut log = |window: Window| -> Vec<String> {
        let lines = world.lines(window);
        let passing = ["present", "member", "you are"];
        lines.into_iter().filter(|line| !passing.iter().any(|word| line.starts_with(word))).collect()
    };
    assert_eq!(
        log(di),
        [
            "hello 2; newest: 1 ann: one, 2 ann: two",
            "3 bob: three",
            "#4 2 is now: zwei",
            "5 di: five",
            "#6 ann deleted 2",
        ]
    );
    assert_eq!(log(flo), ["hello 4; since: #4 2 is now: zwei", "5 di: five", "#6 ann deleted 2"]);
    assert_eq!(log(ed), Vec::<String>::new(), "it was gone before the turn ended");
    assert_eq!(log(bob), ["2 ann: two", "3 bob: three", "#4 2 is now: zwei", "5 di: five", "#6 ann deleted 2"]);
    assert_eq!(log(cy), ["2 ann: two", "3 bob: three", "now 2 ann: zwei (edited)", "5 di: five", "ann deleted 2"]);
}

#[test]
fn an_epoch_or_a_position_that_is_not_ours_begins_anew() {
    let (mut world, _, _, _) = three();
    for (seq, epoch, why) in [(1, "other", "epoch"), (2, "first", "ahead"), (99, "first", "ahead"), (0, "", "epoch")] {
        let since = Since { seq: Seq(seq), epoch: Some(epoch.into()) };
        let (di, comes) = world.knocks_v1("di", Some(since));
        world.turn(vec![comes]);
        let lines = world.lines(di);
        assert_eq!(lines[..2], [format!("resync {why}"), "hello 1; newest: 1 ann: one".to_owned()]);
        world.leaves(di);
    }
    world.settings.epoch_salt = "restored".into();
    world.hibernates();
    let di = world.joins_v1_since("di", 1);
    assert_eq!(world.lines(di)[0], "resync epoch");
    assert_eq!(world.frames(di)[1]["epoch"], "first.restored");
}

#[test]
fn a_live_client_that_claims_to_be_ahead_begins_anew() {
    let (mut world, ann, bob, _) = three();
    world.frame(bob, &say::known_as(say::resume(7), "r"));
    world.shows(bob, &["resync ahead", "[r] hello 1; newest: 1 ann: one"]);
    world.sends(ann, "two");
    world.shows(bob, &["2 ann: two"]);
    for frame in
        [say::bare("resume"), json!({ "type": "resume", "after": -1 }), json!({ "type": "resume", "after": "x" })]
    {
        assert_eq!(world.asks(bob, &frame), "error invalid_field");
    }
}

#[test]
fn the_log_by_http_is_the_same() {
    let mut world = small();
    let ann = world.joins_v1("ann");
    says_numbers(&mut world, ann, 1..=4);
    let mut events = |since: Option<(i64, &str)>| {
        let since = since.map(|(seq, epoch)| Since { seq: Seq(seq), epoch: Some(epoch.into()) });
        let answer = world.calls("bob", RoomCall::Events { since });
        assert_eq!(answer.status, 200);
        World::body(&answer).as_array().unwrap().iter().map(crate::lines::line).collect::<Vec<_>>()
    };
    assert_eq!(events(None), ["hello 4; newest: 3 ann: n3, 4 ann: n4"]);
    assert_eq!(events(Some((0, "first"))), ["resume 3, more up to 4; 1 ann: n1, 2 ann: n2, 3 ann: n3"]);
    assert_eq!(events(Some((3, "first"))), ["resume 4; 4 ann: n4"]);
    assert_eq!(events(Some((4, "first"))), ["resume 4; "]);
    assert_eq!(events(Some((5, "first"))), ["resync ahead", "hello 4; newest: 3 ann: n3, 4 ann: n4"]);
    assert_eq!(events(Some((1, "x"))), ["resync epoch", "hello 4; newest: 3 ann: n3, 4 ann: n4"]);
    world.so_far(&[ann]);
    world.calls("bob", RoomCall::Events { since: None });
    world.shows(ann, &[]);
    assert_eq!(world.serves(RoomCall::Events { since: None }).status, 401);
}

#[test]
fn a_chunk_ends_where_it_grows_too_large() {
    let mut world = World::with(Limits { resume_chunk_bytes: 65_536, message_rate: 0, ..Limits::default() });
    let ann = world.joins_v1("ann");
    let text = "x".repeat(10_000);
    for _ in 0..20 {
        world.sends(ann, &text);
    }
    let bob = world.joins_v1_since("bob", 0);
    let hello = world.frames(bob)[0].clone();
    assert_eq!((hello["seq"].as_i64(), hello["more"].as_bool()), (Some(7), Some(true)));
    let mut at = 7;
    while at < 20 {
        world.frame(bob, &say::resume(at));
        at = world.frames(bob).last().unwrap()["seq"].as_i64().unwrap();
    }
}

#[test]
fn a_client_that_never_confirms_is_closed_in_the_end() {
    let limits = Limits { seen_lag_max: 1000, message_rate: 0, change_rate: 0, ..Limits::default() };
    let mut world = World::with(limits);
    let (ann, bob) = (world.joins_v1("ann"), world.joins_v1("bob"));
    let (slow, cy) = (world.joins_v1("slow"), world.joins("cy"));
    for number in 1..=2600 {
        world.sends(cy, "x");
        if number % 500 == 0 {
            world.frame(ann, &json!({ "type": "seen", "seq": number }));
            world.frame(bob, &json!({ "type": "seen", "seq": 9_000_000 }));
        }
    }
    assert_eq!(world.lines(slow).last().unwrap(), "closed 4008");
    assert!(!world.lines(ann).contains(&"closed 4008".to_owned()));
    assert!(!world.lines(bob).contains(&"closed 4008".to_owned()));
    assert_eq!(world.asks(ann, &say::known_as(json!({ "type": "seen", "seq": 2600 }), "s")), "[s] ok");
    assert_eq!(world.asks(ann, &say::bare("seen")), "error invalid_field");
}

#[test]
fn all_that_was_missed_is_there_after_any_interruption() {
    // Bob drops and comes back at every position of a conversation, over a room that sleeps in between.
    for cut in 0..8 {
        let (mut world, ann, mut bob, _) = three();
        let steps = [
            say::message("two"),
            say::edit(1, "a"),
            say::react(2, "x", true),
            say::delete(2),
            say::message("six"),
            say::pin(6, true),
            say::edit(6, "b"),
        ];
        for (index, step) in steps.iter().enumerate() {
            if index == cut {
                world.leaves(bob);
                world.hibernates();
            }
            world.frame(ann, step);
        }
        if cut < 7 {
            bob = world.joins_v1_since("bob", 1 + cut as i64);
        }
        assert_eq!(
            world.asks(bob, &say::bare("history")),
            "history: 1 ann: a (edited), 2 ann:  (deleted by ann), 6 ann: b (edited) (pinned)"
        );
    }
}

#[test]
fn a_chunk_reads_nothing_that_is_not_in_it() {
    let mut world = small();
    let ann = world.joins_v1("ann");
    says_numbers(&mut world, ann, 1..=4);
    for emoji in ["a", "b", "c", "d"] {
        world.frame(ann, &say::react(1, emoji, true));
    }
    says_numbers(&mut world, ann, 5..=8);
    let mut reads = |after| {
        let before = world.db.rows_found;
        world.calls("ann", RoomCall::Events { since: Some(Since { seq: Seq(after), epoch: None }) });
        world.db.rows_found - before
    };
    reads(0);
    assert_eq!(reads(0), 3, "three messages");
    assert_eq!(reads(4), 4, "three reactions, and the message that they are to");
    assert_eq!(reads(7), 4, "one, its message, and the two messages after it");
}
