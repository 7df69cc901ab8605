use chat_core::db::Db;
use chat_core::input::Input;
use chat_core::room::Room;

use crate::db::Sqlite;
use crate::world::World;

#[test]
fn a_database_of_a_newer_version_is_not_touched() {
    let mut world = World::new();
    world.joins("ann");
    world.db.run("UPDATE meta SET value = '99' WHERE key = 'schema'", &[]).unwrap();
    world.crashes();
    world.turn_fails(vec![Input::Tick]);
}

#[test]
fn numbers_of_pruned_messages_are_not_given_again() {
    let mut world = World::new();
    let ann = world.joins("ann");
    world.sends(ann, "one");
    world.sends(ann, "two");
    world.db.run("DELETE FROM messages", &[]).unwrap();
    world.db.run("INSERT INTO meta VALUES ('seq_floor', '2')", &[]).unwrap();
    world.hibernates();
    world.sends(ann, "three");
    world.shows(ann, &["1 ann: one", "2 ann: two", "3 ann: three"]);
}

#[test]
fn the_epoch_is_made_with_the_database_and_stays() {
    let mut world = World::new();
    world.joins("ann");
    world.settings.entropy = "second".into();
    world.crashes();
    world.joins("bob");
    let rows = world.db.run("SELECT value FROM meta WHERE key = 'epoch'", &[]).unwrap();
    assert_eq!(rows[0].text(0), Ok("first"));
}

#[test]
fn marks_that_cannot_be_read_are_an_error() {
    let mut world = World::new();
    world.joins("ann");
    world.db.run("INSERT INTO marks VALUES (0, 'nonsense')", &[]).unwrap();
    world.crashes();
    world.turn_fails(vec![Input::Alarm]);
}

#[test]
fn a_room_that_nobody_entered_has_nothing_to_do() {
    let world = World::new();
    let mut room = Room::open(world.settings.clone(), []);
    let mut db = Sqlite::new();
    let effects = room.turn(world.now, vec![Input::Alarm, Input::Tick], &mut db).unwrap();
    assert_eq!(effects, []);
}
