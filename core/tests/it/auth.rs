use chat_core::ids::Millis;
use chat_core::input::Input;
use chat_core::protocol::codes::ErrorCode;
use chat_core::protocol::internal::{Identity, RoomCall};
use serde_json::{Value, json};

use crate::say;
use crate::world::{World, identity, said, three, user};

fn auth(token: &str) -> Value {
    json!({ "type": "auth", "token": token })
}

/// A token of ann's, good for so many seconds from now.
fn fresh(world: &World, seconds: i64) -> Identity {
    Identity { expires_at: world.now.seconds() + seconds, ..identity("ann", world.now) }
}

#[test]
fn a_v1_socket_ends_with_its_token_and_a_classic_one_does_not() {
    let (mut world, ann, bob, cy) = three();
    world.passes(299_999);
    world.sends(cy, "still");
    world.shows(ann, &["2 cy: still"]);
    world.hibernates();
    world.passes(1);
    world.sends(cy, "secret");
    world.shows(ann, &["closed 4001"]);
    assert_eq!(world.lines(bob), ["2 cy: still", "closed 4001"]);
    world.shows(cy, &["2 cy: still", "3 cy: secret"]);
}

#[test]
fn what_an_expired_socket_says_is_not_heard() {
    let (mut world, ann, _, cy) = three();
    world.passes(300_000);
    world.turn(vec![said(ann, &say::message("too late")), said(ann, &auth("t")), said(cy, &say::message("hi"))]);
    world.shows(ann, &["closed 4001"]);
    world.shows(cy, &["2 cy: hi"]);
    assert_eq!(world.to_verify, []);
}

#[test]
fn an_expired_token_opens_no_v1_socket_and_answers_no_call() {
    let (mut world, _, _, _) = three();
    let stale = Identity { expired: true, ..identity("ann", Millis(world.now.0 - 400_000)) };
    let (_, ticket, input) =
        world.knock(stale.clone(), crate::world::yes(), chat_core::protocol::internal::Dialect::V1, None);
    world.turn(vec![input]);
    assert_eq!(World::body(&world.answered(ticket))["code"], "token_expired");
    let frame = RoomCall::Frame { text: say::message("x").to_string() };
    assert_eq!(world.calls_with(Some(stale.clone()), crate::world::yes(), frame).status, 401);
    assert_eq!(world.calls_with(Some(stale), crate::world::yes(), RoomCall::Events { since: None }).status, 401);
    assert_eq!(ErrorCode::TokenExpired.close().code(), 4001);
}

#[test]
fn a_fresh_token_keeps_the_socket() {
    let (mut world, ann, _, cy) = three();
    world.passes(200_000);
    world.frame(ann, &say::known_as(auth("fresh"), "r"));
    assert_eq!(world.to_verify, [(ann, "fresh".to_owned())]);
    world.shows(ann, &[]);
    let token = fresh(&world, 600);
    world.verified(ann, Ok(token));
    world.shows(ann, &["[r] auth.ok 2026-11-22T12:13:20.000Z"]);
    world.hibernates();
    world.passes(599_999);
    world.sends(cy, "hi");
    assert_eq!(world.lines(ann), ["present 2: bob offline", "2 cy: hi"]);
    world.passes(1);
    world.sends(cy, "secret");
    world.shows(ann, &["closed 4001"]);
}

#[test]
fn each_of_several_is_answered_by_its_own_ref() {
    let (mut world, ann, _, _) = three();
    world.frame(ann, &say::known_as(auth("a"), "1"));
    world.frame(ann, &auth("b"));
    world.frame(ann, &say::known_as(auth("c"), "3"));
    for _ in 0..2 {
        world.verified(ann, Err(ErrorCode::TokenBadSignature.into()));
    }
    let token = fresh(&world, 600);
    world.verified(ann, Ok(token));
    world.shows(
        ann,
        &["[1] error token_bad_signature", "error token_bad_signature", "[3] auth.ok 2026-11-22T12:10:00.000Z"],
    );
}

#[test]
fn a_bad_token_changes_nothing() {
    let (mut world, ann, bob, cy) = three();
    let others = identity("bob", world.now);
    let stale = Identity { expired: true, ..identity("ann", world.now) };
    for (outcome, code) in [
        (Err(ErrorCode::TokenBadSignature.into()), "token_bad_signature"),
        (Err(ErrorCode::KeysUnavailable.into()), "keys_unavailable"),
        (Ok(others), "token_other_user"),
        (Ok(stale), "token_expired"),
    ] {
        world.frame(ann, &auth("t"));
        world.verified(ann, outcome);
        world.shows(ann, &[&format!("error {code}")]);
    }
    world.sends(cy, "hi");
    world.shows(ann, &["2 cy: hi"]);
    world.shows(bob, &["2 cy: hi"]);
    for frame in [say::bare("auth"), json!({ "type": "auth", "token": 7 })] {
        assert_eq!(world.asks(ann, &frame), "error invalid_field");
    }
    world.so_far(&[cy]);
    world.frame(cy, &auth("t"));
    world.shows(cy, &["error unknown_type"]);
    assert_eq!(world.posts("ann", &auth("t")), (400, "invalid_field".into()));
}

#[test]
fn revocation_ends_a_live_socket_unless_its_token_was_renewed_after_it() {
    let (mut world, ann, bob, _) = three();
    world.passes(10_000);
    let token = fresh(&world, 600);
    world.verified(ann, Ok(token));
    let second = world.joins_v1("bob");
    world.hibernates();
    world.so_far(&[ann, bob, second]);
    world.serves(RoomCall::Revoke { user: user("bob"), before: world.now.seconds() });
    world.shows(bob, &["closed 4503"]);
    world.shows(second, &[]);
    world.serves(RoomCall::Revoke { user: user("ann"), before: world.now.seconds() });
    world.shows(ann, &[]);
    world.serves(RoomCall::Revoke { user: user("ann"), before: world.now.seconds() + 1 });
    world.shows(ann, &["closed 4503"]);
}

#[test]
fn a_token_from_before_the_revocation_renews_nothing() {
    let (mut world, ann, _, _) = three();
    let old = fresh(&world, 6000);
    world.passes(10_000);
    let new = fresh(&world, 600);
    world.verified(ann, Ok(new));
    world.serves(RoomCall::Revoke { user: user("ann"), before: world.now.seconds() });
    world.so_far(&[ann]);
    world.verified(ann, Ok(old));
    world.shows(ann, &["closed 4503"]);
}

#[test]
fn a_renewal_needs_a_yes_that_still_stands() {
    let (mut world, ann, _, _) = three();
    let token = fresh(&world, 90_000);
    world.verified(ann, Ok(token));
    world.so_far(&[ann]);
    world.passes(43_201_000);
    let token = fresh(&world, 600);
    world.verified(ann, Ok(token));
    assert_eq!(world.lines(ann).last().unwrap(), "closed 4000", "at the door, the backend is asked anew");
}

#[test]
fn what_comes_too_late_is_nobodys() {
    let (mut world, ann, bob, cy) = three();
    let token = fresh(&world, 600);
    world.leaves(ann);
    world.so_far(&[bob]);
    world.verified(ann, Ok(token.clone()));
    world.verified(cy, Ok(Identity { user: user("cy"), ..token.clone() }));
    world.turn(vec![Input::Verified { conn: chat_core::ids::ConnId(999), outcome: Ok(token) }]);
    world.shows(bob, &[]);
    world.shows(cy, &[]);
}

#[test]
fn removed_while_the_token_was_looked_at() {
    let (mut world, ann, _, _) = three();
    world.frame(ann, &auth("t"));
    world.serves(RoomCall::RemoveMember { user: user("ann") });
    let token = fresh(&world, 600);
    world.verified(ann, Ok(token));
    world.shows(ann, &["closed 4503"]);
}
