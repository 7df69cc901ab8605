use chat_core::protocol::internal::{Admission, ProfileChange, Role, RoomCall};
use serde_json::json;

use crate::say;
use crate::world::{Window, World, as_role, identity, moderator, said, three, user, yes};

fn with_moderator() -> (World, Window, Window, Window, Window) {
    let (mut world, ann, bob, cy) = three();
    let mo = moderator(&mut world, "mo", &[ann, bob, cy]);
    (world, ann, bob, cy, mo)
}

#[test]
fn the_muted_read_and_do_not_write_until_it_ends() {
    let (mut world, ann, bob, cy, mo) = with_moderator();
    world.types(bob, true);
    world.so_far(&[ann, bob, cy]);
    world.frame(mo, &say::known_as(say::sentence("mute", "bob", Some(60)), "r"));
    let until = "muted until 2026-11-22T12:01:00.000Z";
    world.shows(mo, &["typing: bob", "[r] ok", "typing: ", &format!("member bob member online {until}")]);
    let member = format!("member bob member online {until}");
    world.shows(bob, &["typing: ", &member, &format!("you are bob member {until}")]);
    world.shows(cy, &["bob stops"]);
    world.hibernates();
    world.passes(10_000);
    assert_eq!(world.asks(bob, &say::known_as(say::message("x"), "r")), "[r] error muted (50000 ms)");
    assert_eq!(world.asks(bob, &say::react(1, "+1", true)), "error muted");
    world.types(bob, true);
    world.so_far(&[ann]);
    world.frame(bob, &say::read(1, false));
    world.shows(ann, &["bob read 1"]);
    world.passes(50_000);
    world.sends(bob, "free");
    world.shows(ann, &["2 bob: free"]);
}

#[test]
fn a_mute_for_ever_ends_when_it_is_taken_back() {
    let (mut world, ann, bob, _, mo) = with_moderator();
    world.frame(mo, &say::sentence("mute", "bob", None));
    world.passes(1_000_000_000_000);
    assert_eq!(world.frames(bob).last().unwrap()["you"]["muted_until"], "9999-12-31T23:59:59.999Z");
    let mut cut = world.joins("bob");
    world.sends(cut, "x");
    world.shows(cut, &["error muted"]);
    assert_eq!(world.frames(cut).last().unwrap().get("retry_after_ms"), None);
    let mo = moderator(&mut world, "mo", &[ann]);
    world.frame(mo, &say::sentence("mute", "bob", Some(0)));
    cut = world.joins("bob");
    world.so_far(&[cut]);
    world.sends(cut, "y");
    world.shows(cut, &["1 ann: one", "2 bob: y"]);
}

#[test]
fn muted_in_the_same_turn() {
    let (mut world, ann, bob, _, mo) = with_moderator();
    world.turn(vec![
        said(bob, &say::message("before")),
        said(mo, &say::sentence("mute", "bob", Some(1))),
        said(bob, &say::message("after")),
        said(mo, &say::sentence("mute", "bob", Some(0))),
        said(bob, &say::message("again")),
    ]);
    world.shows(ann, &["2 bob: before", "3 bob: again", "member bob member online"]);
}

#[test]
fn a_ban_closes_every_window_and_outweighs_the_backends_yes_until_it_ends() {
    let (mut world, ann, bob, cy, mo) = with_moderator();
    let classic = world.joins("bob");
    world.so_far(&[ann, bob, cy, mo, classic]);
    world.frame(mo, &say::known_as(say::sentence("ban", "bob", Some(60)), "r"));
    world.shows(bob, &["closed 4503"]);
    world.shows(classic, &["closed 4503"]);
    world.shows(ann, &["bob is no member", "present 3: bob offline"]);
    world.shows(mo, &["[r] ok", "bob is no member", "present 3: bob offline"]);
    world.shows(cy, &[]);
    assert_eq!(world.tells.last(), Some(&("bob".to_owned(), true)));
    world.hibernates();
    world.passes(59_000);
    let refused = |world: &mut World| {
        let answer = world.tries_to_join(identity("bob", world.now), yes()).unwrap_err();
        (answer.status, World::body(&answer)["code"].as_str().unwrap().to_owned())
    };
    assert_eq!(refused(&mut world), (403, "banned".into()));
    assert_eq!(world.posts("bob", &say::message("x")), (403, "banned".into()));
    assert_eq!(world.calls("bob", RoomCall::Summary).status, 403);
    world.serves(RoomCall::Verdict { user: user("bob"), grant: Some(Default::default()) });
    assert_eq!(refused(&mut world), (403, "banned".into()));
    world.passes(1000);
    let unknown = world.tries_to_join(identity("bob", world.now), Admission::Unknown).unwrap_err();
    assert_eq!(unknown.status, 428, "the old yes is void");
    let bob = world.joins_v1("bob");
    assert_eq!(world.frames(bob)[0]["members_count"], 4);
}

#[test]
fn a_ban_for_ever_ends_when_it_is_taken_back() {
    let (mut world, _, bob, _, mo) = with_moderator();
    world.frame(mo, &say::sentence("ban", "bob", None));
    assert_eq!(world.lines(bob).last().unwrap(), "closed 4503");
    world.hibernates();
    world.now = world.now.plus(1_000_000_000_000);
    assert_eq!(world.tries_to_join(identity("bob", world.now), yes()).unwrap_err().status, 403);
    let mo = moderator(&mut world, "mo", &[]);
    world.frame(mo, &say::sentence("ban", "bob", Some(0)));
    assert!(world.tries_to_join(identity("bob", world.now), yes()).is_ok());
    world.so_far(&[mo]);
    let audit = world.asks(mo, &say::bare("audit"));
    assert_eq!(audit, "audit: mo ban bob 0 s, mo ban bob for ever");
}

#[test]
fn banned_in_the_same_turn() {
    let (mut world, ann, bob, cy, mo) = with_moderator();
    world.turn(vec![
        said(bob, &say::message("before")),
        said(mo, &say::sentence("ban", "bob", Some(1))),
        said(bob, &say::message("after")),
        said(ann, &say::mentioning(&["bob"], "secret")),
    ]);
    world.shows(bob, &["2 bob: before", "closed 4503"]);
    world.shows(ann, &["2 bob: before", "3 ann: secret", "bob is no member", "present 3: bob offline"]);
    world.shows(cy, &["2 bob: before", "3 ann: secret"]);
}

#[test]
fn taking_back_a_ban_that_is_none_puts_nobody_out() {
    let (mut world, ann, bob, _, mo) = with_moderator();
    world.frame(mo, &say::sentence("ban", "bob", Some(0)));
    world.shows(ann, &[]);
    world.frame(ann, &say::mentioning(&["bob"], "still here"));
    world.shows(bob, &["2 ann: still here @bob"]);
}

#[test]
fn who_came_back_after_a_ban_stays_when_it_is_taken_back_late() {
    let (mut world, ann, _, _, mo) = with_moderator();
    world.frame(mo, &say::sentence("ban", "bob", Some(1)));
    world.passes(1000);
    let bob = world.joins_v1("bob");
    world.so_far(&[ann, bob]);
    world.frame(mo, &say::sentence("ban", "bob", Some(0)));
    world.frame(ann, &say::mentioning(&["bob"], "still here"));
    assert_eq!(world.lines(bob)[0], "2 ann: still here @bob");
}

#[test]
fn the_banned_are_no_members_even_when_a_server_key_says_so() {
    let (mut world, ann, _, _, mo) = with_moderator();
    world.frame(mo, &say::sentence("ban", "bob", None));
    world.so_far(&[ann]);
    world.serves(RoomCall::PutMember { user: user("bob"), role: None, profile: ProfileChange::default() });
    world.frame(ann, &say::mentioning(&["bob"], "there?"));
    assert!(world.lines(ann).iter().all(|line| !line.contains("@bob") && !line.contains("member bob")));
    world.frame(mo, &say::sentence("ban", "bob", Some(0)));
    world.so_far(&[ann]);
    world.frame(ann, &say::mentioning(&["bob"], "now?"));
    world.shows(ann, &["3 ann: now? @bob"]);
}

#[test]
fn the_removed_are_out_until_a_server_key_puts_them_back() {
    let (mut world, ann, bob, cy, mo) = with_moderator();
    world.turn(vec![
        said(bob, &say::message("before")),
        said(mo, &say::known_as(say::remove("bob"), "r")),
        said(bob, &say::message("after")),
        said(ann, &say::message("secret")),
    ]);
    world.shows(bob, &["2 bob: before", "closed 4503"]);
    world.shows(cy, &["2 bob: before", "3 ann: secret"]);
    world.hibernates();
    assert_eq!(world.tries_to_join(identity("bob", world.now), yes()).unwrap_err().status, 403);
    world.serves(RoomCall::PutMember { user: user("bob"), role: None, profile: ProfileChange::default() });
    assert!(world.tries_to_join(identity("bob", world.now), yes()).is_ok());
    assert_eq!(world.asks(mo, &say::bare("audit")), "audit: mo remove bob");
}

#[test]
fn whom_it_cannot_be_about() {
    let (mut world, ann, bob, cy, mo) = with_moderator();
    moderator(&mut world, "di", &[ann, bob, cy, mo]);
    for kind in ["mute", "ban", "remove"] {
        for (target, code) in
            [("mo", "invalid_field"), ("di", "moderator_target"), ("nobody", "no_such_member"), ("", "invalid_field")]
        {
            let frame = say::known_as(say::sentence(kind, target, Some(5)), "r");
            assert_eq!(world.asks(mo, &frame), format!("[r] error {code}"), "{kind} {target}");
        }
        for window in [ann, bob] {
            assert_eq!(world.asks(window, &say::sentence(kind, "mo", Some(5))), "error moderators_only");
        }
        world.so_far(&[cy]);
        world.frame(cy, &say::sentence(kind, "bob", None));
        world.shows(cy, &["error unknown_type"]);
    }
    for seconds in [json!(-1), json!(1.5), json!("60"), json!(1_000_000_001)] {
        let frame = json!({ "type": "mute", "user_id": "bob", "seconds": seconds });
        assert_eq!(world.asks(mo, &frame), "error invalid_field", "{seconds}");
    }
    assert_eq!(world.asks(mo, &say::bare("audit")), "audit: ", "nothing was done");
}

#[test]
fn a_moderator_who_is_none_any_more_does_nothing_more() {
    let (mut world, ann, _, _, mo) = with_moderator();
    world.turn(vec![said(mo, &say::sentence("mute", "bob", Some(9)))]);
    world.serves(RoomCall::PutMember { user: user("mo"), role: Some(Role::Member), profile: ProfileChange::default() });
    assert_eq!(world.asks(mo, &say::sentence("mute", "ann", Some(9))), "error moderators_only");
    world.serves(RoomCall::PutMember {
        user: user("bob"),
        role: Some(Role::Moderator),
        profile: ProfileChange::default(),
    });
    world.so_far(&[ann]);
    let bob = world.joins_v1_as("bob", as_role(Role::Moderator));
    world.so_far(&[ann, bob]);
    world.sends(bob, "moderators are stopped by no mute");
    world.shows(ann, &["2 bob: moderators are stopped by no mute"]);
}

#[test]
fn the_audit_is_paged_newest_first() {
    let (mut world, _, _, _, _) = with_moderator();
    world.settings.limits.v1_page = 2;
    world.hibernates();
    let mo = moderator(&mut world, "mo", &[]);
    for seconds in 1..=3 {
        world.frame(mo, &say::sentence("mute", "bob", Some(seconds)));
    }
    assert_eq!(world.asks(mo, &say::bare("audit")), "audit: mo mute bob 3 s, mo mute bob 2 s, more");
    assert_eq!(world.asks(mo, &json!({ "type": "audit", "before": 2 })), "audit: mo mute bob 1 s");
    assert_eq!(world.asks(mo, &json!({ "type": "audit", "before": -2 })), "error invalid_field");
    assert_eq!(world.posts("bob", &say::bare("audit")), (403, "moderators_only".into()));
}
