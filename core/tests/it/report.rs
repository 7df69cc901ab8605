use chat_core::protocol::internal::Role;
use serde_json::json;

use crate::say;
use crate::world::{as_role, moderator, said, three};

#[test]
fn moderators_who_are_here_hear_of_it_and_others_find_it() {
    let (mut world, ann, bob, cy) = three();
    let mo = moderator(&mut world, "mo", &[ann, bob, cy]);
    world.frame(bob, &say::known_as(say::report(1, "rude"), "r"));
    world.shows(bob, &["[r] ok"]);
    world.shows(mo, &["bob reports 1: rude"]);
    world.shows(ann, &[]);
    world.shows(cy, &[]);
    world.hibernates();
    let di = moderator(&mut world, "di", &[ann, bob, cy, mo]);
    assert_eq!(world.asks(di, &say::known_as(say::bare("reports"), "q")), "[q] reports: bob reports 1: rude");
}

#[test]
fn a_second_report_by_the_same_user_changes_nothing() {
    let (mut world, ann, bob, cy) = three();
    let mo = moderator(&mut world, "mo", &[ann, bob, cy]);
    world.turn(vec![
        said(bob, &say::report(1, "rude")),
        said(bob, &say::report(1, "very")),
        said(ann, &say::report(1, "")),
    ]);
    world.shows(mo, &["bob reports 1: rude", "ann reports 1: "]);
    assert_eq!(world.asks(mo, &say::bare("reports")), "reports: ann reports 1: , bob reports 1: rude");
}

#[test]
fn a_viewer_may_report_and_nobody_else_may_look() {
    let (mut world, ann, bob, cy) = three();
    let eve = world.joins_v1_as("eve", as_role(Role::Viewer));
    world.so_far(&[eve]);
    assert_eq!(world.asks(eve, &say::known_as(say::report(1, "x"), "r")), "[r] ok");
    for window in [ann, eve] {
        assert_eq!(world.asks(window, &say::bare("reports")), "error moderators_only");
        let resolve = json!({ "type": "resolve", "message_id": 1 });
        assert_eq!(world.asks(window, &resolve), "error moderators_only");
    }
    world.so_far(&[bob, cy]);
    world.frame(cy, &say::report(1, "x"));
    world.shows(cy, &["error unknown_type"]);
}

#[test]
fn what_was_dealt_with_says_by_whom_and_is_noted() {
    let (mut world, ann, bob, cy) = three();
    let mo = moderator(&mut world, "mo", &[ann, bob, cy]);
    world.frame(bob, &say::report(1, "rude"));
    world.frame(ann, &say::report(1, "too"));
    let resolve = say::known_as(json!({ "type": "resolve", "message_id": 1 }), "r");
    assert_eq!(world.asks(mo, &resolve), "[r] ok");
    assert_eq!(world.asks(mo, &resolve), "[r] ok");
    let expected = "reports: ann reports 1: too (resolved by mo), bob reports 1: rude (resolved by mo)";
    assert_eq!(world.asks(mo, &say::bare("reports")), expected);
    assert_eq!(world.asks(mo, &say::bare("audit")), "audit: mo resolve 1");
    let nothing = json!({ "type": "resolve", "message_id": 9, "ref": "n" });
    assert_eq!(world.asks(mo, &nothing), "[n] ok", "there is nothing to deal with, as was asked for");
    assert_eq!(world.asks(mo, &say::bare("audit")), "audit: mo resolve 1");
}

#[test]
fn what_cannot_be_reported_is_said() {
    let (mut world, ann, _, _) = three();
    for (frame, code) in [
        (say::report(9, "x"), "no_such_message"),
        (say::report(0, "x"), "no_such_message"),
        (say::report(1, &"x".repeat(1001)), "invalid_field"),
        (say::report(1, "a\0"), "invalid_field"),
        (json!({ "type": "report", "message_id": 1, "reason": 7 }), "invalid_field"),
        (say::bare("report"), "invalid_field"),
    ] {
        assert_eq!(world.asks(ann, &frame), format!("error {code}"));
    }
    let (without, longest) =
        (json!({ "type": "report", "message_id": 1, "ref": "r" }), say::report(1, &"漢".repeat(1000)));
    assert_eq!(world.asks(ann, &without), "[r] ok");
    assert_eq!(world.asks(ann, &say::known_as(longest, "s")), "[s] ok");
    world.frame(ann, &say::delete(1));
    assert_eq!(world.asks(ann, &say::known_as(say::report(1, "was bad"), "d")), "[d] ok", "a deleted one, too");
}

#[test]
fn reports_are_paged_without_losing_any() {
    let (mut world, ann, bob, cy) = three();
    world.settings.limits.v1_page = 3;
    world.hibernates();
    let mo = moderator(&mut world, "mo", &[ann, bob, cy]);
    world.sends(ann, "two");
    for (window, id) in [(ann, 1), (bob, 1), (ann, 2), (bob, 2), (mo, 2)] {
        world.frame(window, &say::report(id, "x"));
    }
    let first = world.asks(mo, &say::bare("reports"));
    assert_eq!(first, "reports: ann reports 2: x, bob reports 2: x, mo reports 2: x, more");
    let rest = world.asks(mo, &json!({ "type": "reports", "before": 2 }));
    assert_eq!(rest, "reports: ann reports 1: x, bob reports 1: x");
    assert_eq!(world.asks(mo, &json!({ "type": "reports", "before": "x" })), "error invalid_field");
}
