use chat_core::protocol::internal::RoomCall;
use serde_json::json;

use crate::say;
use crate::world::{Window, World, moderator, said, three};

fn with_moderator() -> (World, Window, Window, Window, Window) {
    let (mut world, ann, bob, cy) = three();
    let mo = moderator(&mut world, "mo", &[ann, bob, cy]);
    (world, ann, bob, cy, mo)
}

#[test]
fn in_slow_mode_members_wait_and_moderators_do_not() {
    let (mut world, ann, bob, cy, mo) = with_moderator();
    world.frame(mo, &say::known_as(say::slow_mode(30), "r"));
    world.shows(mo, &["project Project 5 slow 30 pins []", "[r] ok"]);
    world.shows(bob, &["project Project 5 slow 30 pins []"]);
    world.shows(cy, &[]);
    world.sends(bob, "first");
    assert_eq!(world.asks(bob, &say::known_as(say::message("second"), "r")), "[r] error slow_mode (30000 ms)");
    world.so_far(&[cy]);
    world.sends(cy, "classic first");
    world.sends(cy, "classic second");
    world.shows(cy, &["3 cy: classic first", "error slow_mode"]);
    world.passes(10_000);
    world.hibernates();
    assert_eq!(world.asks(bob, &say::known_as(say::message("second"), "r")), "[r] error slow_mode (20000 ms)");
    assert_eq!(world.posts("bob", &say::message("by http")), (429, "slow_mode".into()));
    let send = RoomCall::Send { content: "by call".into(), client_message_id: None };
    let answer = world.calls("bob", send);
    assert_eq!((answer.status, answer.retry_after_ms), (429, Some(20_000)));
    world.crashes();
    let (bob, mo) = (world.joins_v1("bob"), moderator(&mut world, "mo", &[]));
    assert_eq!(world.asks(bob, &say::message("second")).split(' ').next(), Some("error"));
    world.sends(mo, "one");
    world.sends(mo, "two");
    world.passes(20_000);
    world.so_far(&[mo, bob]);
    world.sends(bob, "second");
    world.shows(mo, &["6 bob: second"]);
    let _ = ann;
}

#[test]
fn a_repeat_gets_through_slow_mode_and_edits_are_not_slowed() {
    let (mut world, _, bob, _, mo) = with_moderator();
    world.frame(mo, &say::slow_mode(30));
    world.frame(bob, &say::message_as("hi", "a"));
    assert_eq!(world.asks(bob, &say::message_as("hi", "a")), "ack a 2");
    assert_eq!(world.asks(bob, &say::message_as("other", "a")), "error slow_mode");
    assert_eq!(world.asks(bob, &say::edit(2, "ho")), "#3 2 is now: ho");
    world.passes(30_000);
    assert_eq!(world.asks(bob, &say::message_as("other", "a")), "error client_message_id_reused");
    assert_eq!(world.asks(bob, &say::message("next")), "4 bob: next", "what was refused took no turn");
}

#[test]
fn slow_mode_begins_with_what_was_said_before_it() {
    let (mut world, ann, _, _, mo) = with_moderator();
    world.passes(10_000);
    world.turn(vec![said(mo, &say::slow_mode(30)), said(ann, &say::message("x"))]);
    assert_eq!(world.lines(ann), ["project Project 5 slow 30 pins []", "error slow_mode"]);
    assert_eq!(world.frames(ann).last().unwrap()["retry_after_ms"], 20_000);
    world.frame(mo, &say::slow_mode(0));
    world.so_far(&[ann]);
    world.sends(ann, "x");
    world.shows(ann, &["2 ann: x"]);
}

#[test]
fn a_frozen_project_takes_messages_from_moderators_alone() {
    let (mut world, ann, bob, cy, mo) = with_moderator();
    world.frame(mo, &say::frozen(true));
    world.shows(bob, &["project Project 5 frozen slow 0 pins []"]);
    world.hibernates();
    assert_eq!(world.asks(ann, &say::known_as(say::message("x"), "r")), "[r] error frozen");
    assert_eq!(world.asks(ann, &say::edit(1, "x")), "error frozen");
    assert_eq!(world.asks(ann, &say::react(1, "+1", true)), "error frozen");
    assert_eq!(world.asks(ann, &say::pin(1, true)), "error frozen");
    assert_eq!(world.posts("ann", &say::message("x")), (403, "frozen".into()));
    world.so_far(&[cy, bob, ann]);
    world.sends(cy, "x");
    world.types(cy, true);
    world.shows(cy, &["error frozen"]);
    world.shows(bob, &[]);
    world.sends(mo, "quiet, please");
    world.shows(cy, &["2 mo: quiet, please"]);
    assert_eq!(world.asks(ann, &say::delete(1)), "#3 ann deleted 1", "one's own can be taken back");
    let di = world.joins_v1("di");
    assert_eq!(world.frames(di)[0]["project"]["frozen"], true);
    world.turn(vec![said(mo, &say::frozen(false)), said(cy, &say::message("thaw"))]);
    assert_eq!(world.lines(cy), ["ann deleted 1", "4 cy: thaw"]);
}

#[test]
fn both_at_once_the_same_again_and_nothing() {
    let (mut world, ann, _, _, mo) = with_moderator();
    let both = json!({ "type": "configure", "slow_mode_s": 5, "frozen": true });
    world.frame(mo, &both);
    world.shows(ann, &["project Project 5 frozen slow 5 pins []"]);
    world.hibernates();
    world.so_far(&[mo]);
    assert_eq!(world.asks(mo, &say::known_as(both, "r")), "[r] ok");
    assert_eq!(world.asks(mo, &say::known_as(say::bare("configure"), "r")), "[r] ok");
    world.shows(ann, &[]);
    assert_eq!(world.asks(mo, &say::bare("audit")), "audit: mo configure slow_mode_s 5, frozen true");
}

#[test]
fn what_cannot_be_configured_is_said() {
    let (mut world, ann, _, cy, mo) = with_moderator();
    for frame in [
        say::slow_mode(86_401),
        say::slow_mode(-1),
        json!({ "type": "configure", "frozen": "yes" }),
        json!({ "type": "configure", "slow_mode_s": 1.5 }),
    ] {
        assert_eq!(world.asks(mo, &frame), "error invalid_field");
    }
    assert_eq!(world.asks(ann, &say::frozen(true)), "error moderators_only");
    world.frame(cy, &say::frozen(true));
    world.shows(cy, &["error unknown_type"]);
    assert_eq!(world.asks(mo, &say::slow_mode(86_400)), "project Project 5 slow 86400 pins []");
}
