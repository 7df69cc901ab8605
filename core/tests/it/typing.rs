use chat_core::limits::Limits;
use serde_json::json;

use crate::world::World;

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
