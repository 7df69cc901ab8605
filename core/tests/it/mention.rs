use serde_json::json;

use crate::say;
use crate::world::{World, identity, three, yes};
use chat_core::protocol::internal::RoomCall;

#[test]
fn who_is_called_finds_it_again_wherever_it_was() {
    let (mut world, ann, bob, cy) = three();
    world.frame(ann, &say::mentioning(&["bob", "cy"], "you two"));
    world.sends(ann, "aside");
    world.frame(ann, &say::mentioning(&["bob"], "you"));
    world.shows(bob, &["2 ann: you two @bob @cy", "3 ann: aside", "4 ann: you @bob"]);
    world.shows(cy, &["2 ann: you two", "3 ann: aside", "4 ann: you"]);
    world.hibernates();
    let mentions = say::known_as(say::bare("mentions"), "m");
    assert_eq!(world.asks(bob, &mentions), "[m] mentions: 4 ann: you @bob, 2 ann: you two @bob @cy");
    assert_eq!(world.asks(ann, &mentions), "[m] mentions: ");
    let page = world.asks(bob, &json!({ "type": "mentions", "limit": 1 }));
    assert_eq!(page, "mentions: 4 ann: you @bob, more_before");
    let page = world.asks(bob, &json!({ "type": "mentions", "limit": 1, "before": 4 }));
    assert_eq!(page, "mentions: 2 ann: you two @bob @cy");
}

#[test]
fn only_members_can_be_called_and_nobody_calls_themselves() {
    let (mut world, ann, bob, cy) = three();
    world.frame(ann, &say::mentioning(&["ann", "nobody", "bob", "bob", "cy"], "hey"));
    world.shows(ann, &["2 ann: hey @bob @cy"]);
    world.serves(RoomCall::RemoveMember { user: crate::world::user("cy") });
    world.so_far(&[ann, bob, cy]);
    world.frame(ann, &say::mentioning(&["cy"], "gone?"));
    world.shows(bob, &["3 ann: gone?"]);
}

#[test]
fn who_has_blocked_the_sender_is_not_called_by_them() {
    let (mut world, ann, bob, _) = three();
    world.frame(bob, &say::block("ann", true));
    world.so_far(&[ann, bob]);
    world.frame(ann, &say::mentioning(&["bob"], "hey"));
    world.shows(ann, &["2 ann: hey"]);
    assert_eq!(world.asks(bob, &say::bare("mentions")), "mentions: ");
    world.frame(bob, &say::block("ann", false));
    world.frame(ann, &json!({ "type": "edit_message", "id": 2, "content": "hey", "mentions": ["bob"] }));
    assert_eq!(world.asks(bob, &say::bare("mentions")), "mentions: 2 ann: hey @bob (edited)");
}

#[test]
fn an_edit_changes_who_is_called_when_it_says_so() {
    let (mut world, ann, bob, cy) = three();
    world.frame(ann, &say::mentioning(&["bob"], "hey"));
    world.frame(ann, &say::edit(2, "hey you"));
    assert_eq!(world.asks(bob, &say::bare("mentions")), "mentions: 2 ann: hey you @bob (edited)");
    world.so_far(&[ann, cy]);
    world.frame(ann, &json!({ "type": "edit_message", "id": 2, "content": "hey you", "mentions": ["cy"] }));
    world.shows(ann, &["#4 2 is now: hey you @cy"]);
    assert_eq!(world.asks(bob, &say::bare("mentions")), "mentions: ");
    world.frame(ann, &json!({ "type": "edit_message", "id": 2, "content": "hey you", "mentions": [] }));
    world.shows(ann, &["#5 2 is now: hey you"]);
}

#[test]
fn unread_mentions_are_counted_among_what_is_unread() {
    let (mut world, ann, bob, _) = three();
    world.frame(ann, &say::mentioning(&["bob"], "hey"));
    world.frame(ann, &say::mentioning(&["bob"], "ho"));
    world.so_far(&[bob]);
    world.frame(bob, &say::read(2, true));
    world.shows(bob, &["unread 1 from 3, 1 for you"]);
    world.frame(ann, &say::delete(3));
    let unread = |world: &mut World| {
        let di = world.tries_to_enter(identity("bob", world.now), yes(), Default::default(), None).unwrap();
        world.leaves(di);
        let window = world.joins_v1("bob");
        world.frames(window)[0]["unread"].clone()
    };
    assert_eq!(unread(&mut world), json!({ "count": 0, "first_id": null, "mentions": 0 }));
}

#[test]
fn a_mention_by_somebody_blocked_since_is_not_among_what_is_unread() {
    let (mut world, ann, bob, cy) = three();
    world.frame(ann, &say::mentioning(&["bob"], "hey"));
    world.sends(cy, "two");
    world.so_far(&[bob]);
    world.frame(bob, &say::block("ann", true));
    world.shows(bob, &["you are bob member without ann", "unread 1 from 3, 0 for you"]);
}

#[test]
fn bad_lists_are_refused() {
    let (mut world, ann, _, _) = three();
    let many: Vec<_> = (0..51).map(|number| number.to_string()).collect();
    for mentions in [json!("bob"), json!([null]), json!([["bob"]]), json!([""]), json!([1.5]), json!(many)] {
        let frame = json!({ "type": "send_message", "content": "x", "mentions": mentions });
        assert_eq!(world.asks(ann, &frame), "error invalid_field", "{mentions}");
    }
    assert_eq!(world.asks(ann, &json!({ "type": "mentions", "limit": "all" })), "error invalid_field");
    assert_eq!(world.asks(ann, &json!({ "type": "mentions", "before": -1 })), "error invalid_field");
    assert_eq!(world.asks(ann, &say::mentioning(&[], "x")), "2 ann: x");
}
