use chat_core::limits::Limits;
use serde_json::json;

use crate::say;
use crate::world::{World, said, three};

#[test]
fn others_see_it_the_typist_does_not_in_any_window() {
    let mut world = World::new();
    let (ann, anns_other, bob) = (world.joins("ann"), world.joins("ann"), world.joins("bob"));
    world.types(ann, true);
    world.types(ann, false);
    world.shows(bob, &["ann types", "ann stops"]);
    world.shows(ann, &[]);
    world.shows(anns_other, &[]);
    assert_eq!(
        world.frames(bob)[0],
        json!({ "type": "typing", "user_id": "ann", "username": "ann", "is_typing": true })
    );
}

#[test]
fn who_leaves_while_typing_has_stopped() {
    let mut world = World::new();
    let (ann, anns_other, bob) = (world.joins("ann"), world.joins("ann"), world.joins("bob"));
    world.types(ann, true);
    world.leaves(ann);
    world.shows(bob, &["ann types"]);
    world.leaves(anns_other);
    world.shows(bob, &["ann stops"]);
}

#[test]
fn a_message_is_the_end_of_typing() {
    let mut world = World::new();
    let (ann, bob) = (world.joins("ann"), world.joins("bob"));
    world.types(ann, true);
    world.sends(ann, "hi");
    world.leaves(ann);
    world.shows(bob, &["ann types", "1 ann: hi"]);
}

#[test]
fn in_a_large_room_it_is_not_passed_on() {
    let mut world = World::with(Limits { typing_max_present: 2, ..Limits::default() });
    let (ann, bob) = (world.joins("ann"), world.joins("bob"));
    world.types(ann, true);
    world.shows(bob, &["ann types"]);
    world.joins("cy");
    world.types(ann, false);
    world.shows(bob, &[]);
}

#[test]
fn too_much_of_it_is_dropped_in_silence() {
    let mut world = World::with(Limits { signal_rate: 1, ..Limits::default() });
    let (ann, bob) = (world.joins("ann"), world.joins("bob"));
    for _ in 0..12 {
        world.types(ann, true);
    }
    world.shows(bob, &["ann types"; 10]);
    world.shows(ann, &[]);
    world.sends(ann, "messages have their own bucket");
    world.shows(bob, &["1 ann: messages have their own bucket"]);
}

#[test]
fn a_v1_window_is_told_everyone_who_types_once_per_turn() {
    let (mut world, ann, bob, cy) = three();
    world.turn(vec![said(ann, &say::typing(true)), said(cy, &say::typing(true)), said(ann, &say::typing(true))]);
    world.shows(bob, &["typing: ann, cy"]);
    world.shows(ann, &["typing: ann, cy"]);
    world.shows(cy, &["ann types", "ann types"]);
    world.frame(ann, &say::known_as(say::typing(false), "r"));
    world.shows(ann, &["[r] ok", "typing: cy"]);
    world.shows(cy, &["ann stops"]);
    world.frame(ann, &say::typing(false));
    world.shows(bob, &["typing: cy"]);
    world.sends(cy, "two");
    world.shows(bob, &["2 cy: two", "typing: "]);
}

#[test]
fn it_ends_by_itself_and_with_the_last_window() {
    let (mut world, ann, bob, cy) = three();
    world.types(ann, true);
    world.passes(6999);
    world.types(bob, true);
    world.shows(bob, &["typing: ann", "typing: ann, bob"]);
    world.passes(1);
    world.types(cy, true);
    world.shows(bob, &["typing: bob, cy"]);
    world.leaves(bob);
    world.shows(ann, &["typing: ann", "typing: ann, bob", "typing: bob, cy", "typing: cy", "present 2: bob offline"]);
    world.hibernates();
    world.types(ann, true);
    world.shows(ann, &["typing: ann"]);
}

#[test]
fn in_a_large_room_v1_windows_hear_nothing_of_it_either() {
    let mut world = World::with(Limits { typing_max_present: 1, ..Limits::default() });
    let (ann, bob) = (world.joins_v1("ann"), world.joins_v1("bob"));
    world.so_far(&[ann, bob]);
    world.types(ann, true);
    world.shows(bob, &[]);
}

#[test]
fn who_may_not_write_may_not_type_and_is_not_told_off() {
    let (mut world, ann, bob, _) = three();
    let eve = world.joins_v1_as("eve", crate::world::as_role(chat_core::protocol::internal::Role::Viewer));
    world.so_far(&[ann, bob, eve]);
    world.frame(eve, &say::known_as(say::typing(true), "r"));
    world.shows(eve, &["[r] ok"]);
    world.shows(bob, &[]);
}

#[test]
fn by_http_it_is_seen_until_it_ends() {
    let (mut world, ann, _, cy) = three();
    assert_eq!(world.posts("bob", &say::typing(true)), (200, "ok".into()));
    world.shows(ann, &["typing: bob"]);
    world.shows(cy, &["bob types"]);
    assert_eq!(world.posts("bob", &say::bare("typing")), (400, "invalid_field".into()));
}
