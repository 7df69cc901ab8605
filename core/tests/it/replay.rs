use chat_core::limits::Limits;
use chat_core::protocol::internal::RoomCall;

use crate::world::World;

#[test]
fn what_was_missed_comes_again_a_second_after_the_socket_opens() {
    let mut world = World::new();
    let (ann, bob) = (world.joins("ann"), world.joins("bob"));
    world.sends(ann, "one");
    world.reads(bob, 1);
    world.leaves(bob);
    world.sends(ann, "two");
    world.sends(ann, "three");
    let bob = world.joins("bob");
    world.passes(999);
    world.shows(bob, &[]);
    world.passes(1);
    world.shows(bob, &["2 ann: two", "3 ann: three"]);
    world.passes(10_000);
    world.shows(bob, &[]);
}

#[test]
fn order_holds_when_someone_writes_within_that_second() {
    let mut world = World::new();
    let (ann, bob) = (world.joins("ann"), world.joins("bob"));
    world.leaves(bob);
    world.sends(ann, "one");
    let bob = world.joins("bob");
    world.sends(ann, "two");
    world.passes(1000);
    world.shows(bob, &["1 ann: one", "2 ann: two"]);
}

#[test]
fn a_client_that_sends_at_once_still_gets_what_it_missed() {
    let mut world = World::new();
    let (ann, bob) = (world.joins("ann"), world.joins("bob"));
    world.leaves(bob);
    world.sends(ann, "one");
    let bob = world.joins("bob");
    world.sends(bob, "queued");
    world.passes(1000);
    world.shows(bob, &["1 ann: one", "2 bob: queued"]);
}

#[test]
fn two_windows_cut_at_once_both_get_what_they_missed_though_the_first_reads_it() {
    let mut world = World::new();
    let ann = world.joins("ann");
    let (left, right) = (world.joins("bob"), world.joins("bob"));
    world.sends(ann, "one");
    world.reads(left, 1);
    world.leaves(left);
    world.leaves(right);
    world.sends(ann, "two");
    let left = world.joins("bob");
    world.passes(1000);
    world.reads(left, 2);
    let right = world.joins("bob");
    world.passes(1000);
    world.shows(left, &["2 ann: two", "bob read 2"]);
    world.shows(right, &["2 ann: two"]);
}

#[test]
fn it_outlives_an_eviction() {
    let mut world = World::new();
    let (ann, bob) = (world.joins("ann"), world.joins("bob"));
    world.leaves(bob);
    world.sends(ann, "one");
    let bob = world.joins("bob");
    world.hibernates();
    world.types(ann, true);
    world.passes(1000);
    world.shows(bob, &["ann types", "1 ann: one"]);
}

#[test]
fn it_is_bounded_and_gives_the_newest() {
    let mut world = World::with(Limits { classic_replay_max: 2, ..Limits::default() });
    let ann = world.joins("ann");
    for text in ["one", "two", "three"] {
        world.sends(ann, text);
    }
    let bob = world.joins("bob");
    world.passes(1000);
    world.shows(bob, &["2 ann: two", "3 ann: three"]);
}

#[test]
fn who_has_read_everything_gets_nothing_again() {
    let mut world = World::new();
    let (ann, bob) = (world.joins("ann"), world.joins("bob"));
    world.sends(ann, "one");
    world.reads(bob, 1);
    world.leaves(bob);
    let bob = world.joins("bob");
    world.passes(1000);
    world.shows(bob, &[]);
}

#[test]
fn it_can_be_switched_off() {
    let mut world = World::new();
    world.settings.classic_replay = false;
    world.crashes();
    let ann = world.joins("ann");
    world.sends(ann, "one");
    let bob = world.joins("bob");
    world.passes(1000);
    world.shows(bob, &[]);
}

#[test]
fn who_left_before_it_was_due_is_not_waited_for() {
    let mut world = World::new();
    let ann = world.joins("ann");
    world.sends(ann, "one");
    let (bob, cy) = (world.joins("bob"), world.joins("cy"));
    world.leaves(bob);
    world.passes(500);
    let late = world.joins("dee");
    world.passes(1000);
    world.shows(cy, &["1 ann: one"]);
    world.shows(late, &["1 ann: one"]);
}

#[test]
fn the_second_of_two_cut_windows_gets_it_though_the_room_slept_in_between() {
    let mut world = World::new();
    let ann = world.joins("ann");
    let (left, right) = (world.joins("bob"), world.joins("bob"));
    world.leaves(left);
    world.leaves(right);
    world.sends(ann, "one");
    world.hibernates();
    let left = world.joins("bob");
    world.passes(1000);
    world.reads(left, 1);
    world.hibernates();
    let right = world.joins("bob");
    world.passes(1000);
    world.shows(right, &["1 ann: one"]);
}

#[test]
fn another_window_of_someone_who_has_read_everything_gets_nothing_again() {
    let mut world = World::new();
    let (ann, first) = (world.joins("ann"), world.joins("bob"));
    world.sends(ann, "one");
    world.reads(first, 1);
    let second = world.joins("bob");
    world.passes(1000);
    world.shows(second, &[]);
}

#[test]
fn of_what_was_deleted_meanwhile_only_that_is_told() {
    let mut world = World::new();
    let (ann, bob) = (world.joins_v1("ann"), world.joins("bob"));
    world.sends(ann, "one");
    world.sends(ann, "two");
    world.leaves(bob);
    world.frame(ann, &crate::say::delete(1));
    world.sends(ann, "three");
    let bob = world.joins("bob");
    world.passes(1000);
    world.shows(bob, &["ann deleted 1", "2 ann: two", "4 ann: three"]);
}

#[test]
fn what_is_not_a_message_takes_no_place_in_the_replay() {
    let mut world = World::with(Limits { classic_replay_max: 5, ..Limits::default() });
    let ann = world.joins_v1("ann");
    let bob = world.joins("bob");
    world.leaves(bob);
    world.sends(ann, "the only one");
    for n in 0..10 {
        world.frame(ann, &crate::say::react(1, "x", n % 2 == 0));
    }
    let bob = world.joins("bob");
    world.passes(1000);
    world.shows(bob, &["1 ann: the only one"]);
    let contact = World::body(&world.calls("bob", RoomCall::Summary));
    assert_eq!(contact["last_message_text"], "the only one");
}
