use chat_core::ids::{ConnId, Millis};
use chat_core::input::Input;
use chat_core::limits::Limits;
use serde_json::json;

use crate::say;
use crate::world::{Window, World, identity, said, three, yes};

#[test]
fn who_comes_and_goes_is_told_once_per_user() {
    let (mut world, ann, bob, cy) = three();
    let second = world.joins_v1("bob");
    world.shows(ann, &[]);
    world.leaves(bob);
    world.shows(ann, &[]);
    world.leaves(second);
    world.shows(ann, &["present 2: bob offline"]);
    world.passes(5000);
    world.joins("bob");
    world.shows(ann, &["present 3: bob online"]);
    world.shows(cy, &[]);
}

#[test]
fn who_was_here_last_when() {
    let (mut world, ann, bob, _) = three();
    world.passes(7000);
    world.leaves(bob);
    let expected = json!({ "id": "bob", "status": "offline", "last_seen": "2026-11-22T12:00:07.000Z" });
    assert_eq!(world.frames(ann).last().unwrap()["users"], json!([expected]));
    world.hibernates();
    world.joins_v1("bob");
    let expected = json!({ "id": "bob", "status": "online", "last_seen": null });
    assert_eq!(world.frames(ann).last().unwrap()["users"], json!([expected]));
}

#[test]
fn away_is_when_no_window_looks_and_outlives_a_sleep() {
    let (mut world, ann, bob, cy) = three();
    let second = world.joins_v1("bob");
    world.so_far(&[second]);
    world.frame(bob, &say::known_as(say::presence(true), "r"));
    world.shows(ann, &[]);
    world.hibernates();
    world.frame(second, &say::presence(true));
    world.shows(ann, &["present 3: bob away"]);
    world.shows(bob, &["[r] ok", "present 3: bob away"]);
    world.frame(second, &say::presence(true));
    world.frame(bob, &say::presence(false));
    world.shows(ann, &["present 3: bob online"]);
    world.leaves(bob);
    world.shows(ann, &["present 3: bob away"]);
    world.joins("bob");
    world.shows(ann, &["present 3: bob online"]);
    world.shows(cy, &[]);
    for frame in [say::bare("presence"), json!({ "type": "presence", "away": 1 })] {
        assert_eq!(world.asks(ann, &frame), "error invalid_field");
    }
    world.frame(cy, &say::presence(true));
    world.shows(cy, &["error unknown_type"]);
}

#[test]
fn all_of_one_turn_is_one_event() {
    let (mut world, ann, bob, _) = three();
    let (di, comes) = world.knocks_v1("di", None);
    let (ed, ed_comes) = world.knocks_v1("ed", None);
    world.turn(vec![comes, Input::Closed { conn: bob.0 }, ed_comes, Input::Closed { conn: ed.0 }]);
    world.shows(
        ann,
        &["member di member online", "member ed member offline", "present 3: bob offline, di online, ed offline"],
    );
    assert!(world.lines(di)[0].starts_with("hello 1; newest: 1 ann: one"));
}

#[test]
fn in_a_large_room_only_the_number_is_told_now_and_then() {
    let mut world = World::with(Limits { presence_max_present: 3, ..Limits::default() });
    let windows: Vec<Window> = ["ann", "bob", "cy"].map(|name| world.joins_v1(name)).to_vec();
    let ann = windows[0];
    world.so_far(&[ann]);
    let di = world.joins_v1("di");
    let ed = world.joins_v1("ed");
    world.shows(ann, &["member di member online", "present 4: ", "member ed member online"]);
    world.passes(5000);
    world.sends(ann, "whatever happens next, the number is told");
    world.shows(ann, &["1 ann: whatever happens next, the number is told", "present 5: "]);
    world.leaves(ed);
    world.leaves(di);
    world.shows(ann, &["present 3: ann online, bob online, cy online"]);
    assert_eq!(world.frames(ann).last().unwrap()["all"], true, "people are named again, and nobody else is here");
}

#[test]
fn nobody_is_told_by_http() {
    let (mut world, ann, _, _) = three();
    assert_eq!(world.posts("di", &say::presence(true)), (200, "ok".into()));
    world.shows(ann, &["member di member offline"]);
}

#[test]
fn a_silent_socket_that_used_to_send_heartbeats_is_closed() {
    let (mut world, ann, bob, cy) = three();
    let at = |window: Window, at: Millis| (window.0, at);
    let noon = world.now;
    world.passes(75_000);
    let beats = vec![at(ann, noon), at(bob, noon), at(cy, noon), (ConnId(999), noon)];
    world.turn(vec![Input::Heartbeats(beats.clone())]);
    world.shows(ann, &[]);
    world.passes(1);
    // A frame is a sign of life, too. Classic windows never send heartbeats.
    world.turn(vec![said(ann, &say::presence(false)), Input::Heartbeats(beats)]);
    world.shows(bob, &["closed 4008"]);
    world.shows(ann, &["present 2: bob offline"]);
    world.shows(cy, &[]);
}

#[test]
fn a_classic_window_alone_costs_nobody_an_event() {
    let mut world = World::new();
    let ann = world.joins("ann");
    let bob = world.tries_to_join(identity("bob", world.now), yes()).unwrap();
    world.leaves(bob);
    world.shows(ann, &[]);
}
