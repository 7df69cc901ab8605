use chat_core::limits::Limits;

use crate::world::{World, identity, yes};

#[test]
fn over_the_cap_the_users_oldest_socket_is_closed_and_the_newest_let_in() {
    let mut world = World::with(Limits { sockets_per_user: 2, ..Limits::default() });
    let (first, second) = (world.joins("ann"), world.joins("ann"));
    world.joins("bob");
    world.passes(10);
    world.hibernates();
    let third = world.joins("ann");
    world.shows(first, &["closed 4506"]);
    world.sends(third, "hi");
    world.shows(second, &["1 ann: hi"]);
    world.shows(third, &["1 ann: hi"]);
    world.shows(first, &[]);
}

#[test]
fn a_full_project_refuses_and_says_when_to_try_again() {
    let mut world = World::with(Limits { sockets_per_project: 2, sockets_per_user: 0, ..Limits::default() });
    let first = world.joins("ann");
    world.joins("ann");
    let answer = world.tries_to_join(identity("bob", world.now), yes()).unwrap_err();
    assert_eq!((answer.status, answer.retry_after_ms), (429, Some(10_000)));
    world.leaves(first);
    assert!(world.tries_to_join(identity("bob", world.now), yes()).is_ok());
}

#[test]
fn identity_outlives_hibernation_at_every_step() {
    let story = |sleeps: bool| {
        let mut world = World::new();
        let nap = |world: &mut World| {
            if sleeps {
                world.hibernates();
            }
        };
        let (ann, bob) = (world.joins("ann"), world.joins("bob"));
        nap(&mut world);
        world.sends_as(ann, "one", "a");
        nap(&mut world);
        world.reads(bob, 1);
        nap(&mut world);
        world.types(bob, true);
        nap(&mut world);
        world.sends_as(bob, "two", "b");
        nap(&mut world);
        world.sends_as(bob, "two", "b");
        nap(&mut world);
        world.leaves(ann);
        nap(&mut world);
        world.sends(bob, "three");
        nap(&mut world);
        let ann = world.joins("ann");
        nap(&mut world);
        world.types(bob, false);
        world.passes(1000);
        nap(&mut world);
        world.reads(ann, 3);
        (world.frames(ann).to_vec(), world.frames(bob).to_vec(), world.unread("ann"), world.unread("bob"))
    };
    assert_eq!(story(true), story(false));
}

#[test]
fn a_frame_from_a_socket_that_is_gone_is_nobodys() {
    let mut world = World::new();
    let (ann, bob) = (world.joins("ann"), world.joins("bob"));
    world.leaves(ann);
    world.leaves(ann);
    world.sends(ann, "ghost");
    world.says_badly(ann, chat_core::input::BadFrame::Binary);
    world.shows(bob, &[]);
}
