use chat_core::limits::Limits;

use crate::say;
use crate::world::World;

#[test]
fn a_full_database_takes_nothing_more_but_deletions_until_there_is_room_again() {
    let mut world = World::with(Limits { storage_max_bytes: 1_000_000, ..Limits::default() });
    let (ann, bob) = (world.joins_v1("ann"), world.joins("bob"));
    world.sends(ann, "one");
    world.so_far(&[ann, bob]);
    world.db.size_bytes = 950_000;
    world.passes(1_000);
    world.sends(ann, "two");
    world.frame(ann, &say::react(1, "x", true));
    world.shows(ann, &["error storage_full", "error storage_full"]);
    world.sends(bob, "three");
    world.shows(bob, &["error storage_full"]);
    world.frame(ann, &say::delete(1));
    world.so_far(&[ann, bob]);
    world.db.size_bytes = 949_999;
    world.passes(1_000);
    world.sends(bob, "four");
    world.shows(bob, &["3 bob: four"]);
}
