use chat_core::input::Input;
use chat_core::protocol::internal::{ProfileChange, RoomCall};
use serde_json::json;

use crate::world::{World, user};

fn contact(world: &mut World, name: &str) -> serde_json::Value {
    World::body(&world.calls(name, RoomCall::Summary))
}

#[test]
fn an_entry_has_every_field_that_clients_read() {
    let mut world = World::new();
    world.joins("7");
    let bob = world.joins("bob");
    let long = "ä".repeat(300);
    world.passes(1000);
    world.sends(bob, &long);
    let expected = json!({
        "id": 5,
        "project_info": { "id": 5, "name": "Project 5", "created_at": "2026-11-22T12:00:00.000Z" },
        "contact_info": { "id": "bob", "username": "bob", "first_name": "", "last_name": "", "profile_pic": null },
        "unread_count": 1,
        "last_message_text": "ä".repeat(255),
        "last_message_preview": "ä".repeat(50),
        "last_message_at": "2026-11-22T12:00:01.000Z",
        "created_at": "2026-11-22T12:00:00.000Z",
        "updated_at": "2026-11-22T12:00:01.000Z",
    });
    assert_eq!(contact(&mut world, "7"), expected);
}

#[test]
fn an_empty_project_shows_itself() {
    let mut world = World::new();
    let shown = contact(&mut world, "ann");
    assert_eq!(shown["last_message_preview"], "No messages yet");
    assert_eq!(shown["last_message_text"], "");
    assert_eq!(shown["last_message_at"], json!(null));
    assert_eq!(shown["updated_at"], shown["created_at"]);
    assert_eq!(shown["contact_info"]["id"], 5);
    assert_eq!(shown["contact_info"]["username"], "Project 5");
}

#[test]
fn in_a_larger_room_it_shows_who_spoke_last_of_the_others() {
    let mut world = World::new();
    let (ann, bob, cy) = (world.joins("ann"), world.joins("bob"), world.joins("cy"));
    assert_eq!(contact(&mut world, "ann")["contact_info"]["id"], 5);
    world.sends(bob, "1");
    world.sends(cy, "2");
    world.sends(ann, "3");
    assert_eq!(contact(&mut world, "ann")["contact_info"]["id"], "cy");
    assert_eq!(contact(&mut world, "cy")["contact_info"]["id"], "ann");
}

#[test]
fn a_user_is_told_once_until_they_ask_again() {
    let mut world = World::new();
    let ann = world.joins("ann");
    world.serves(RoomCall::PutMember { user: user("bob"), role: None, profile: ProfileChange::default() });
    assert_eq!(world.tells, [("ann".into(), false), ("bob".into(), false)]);
    world.tells.clear();
    world.sends(ann, "1");
    world.sends(ann, "2");
    assert_eq!(world.tells, [], "both have been told and have not asked since");
    contact(&mut world, "bob");
    world.sends(ann, "3");
    world.sends(ann, "4");
    assert_eq!(world.tells, [("bob".into(), false)]);
}

#[test]
fn reading_changes_ones_own_entry() {
    let mut world = World::new();
    let (ann, bob) = (world.joins("ann"), world.joins("bob"));
    world.sends(ann, "1");
    contact(&mut world, "ann");
    contact(&mut world, "bob");
    world.tells.clear();
    world.reads(bob, 1);
    assert_eq!(world.tells, [("bob".into(), false)]);
}

#[test]
fn who_could_not_be_told_is_told_with_the_next_change() {
    let mut world = World::new();
    let ann = world.joins("ann");
    world.sends(ann, "1");
    world.tells.clear();
    world.turn(vec![Input::TellFailed { user: user("ann") }]);
    world.sends(ann, "2");
    assert_eq!(world.tells, [("ann".into(), false)]);
}

#[test]
fn what_a_crash_kept_from_being_told_is_told_again() {
    let mut world = World::new();
    let ann = world.joins("ann");
    world.sends(ann, "1");
    world.tells.clear();
    world.crashes();
    world.turn(vec![]);
    assert_eq!(world.tells, [("ann".into(), false)]);
    world.tells.clear();
    world.passes(61_000);
    world.crashes();
    world.turn(vec![]);
    assert_eq!(world.tells, []);
}

#[test]
fn who_was_told_is_not_told_again_after_every_nap() {
    let mut world = World::new();
    let ann = world.joins("ann");
    world.joins("bob");
    for text in ["1", "2", "3"] {
        world.passes(60_000);
        world.hibernates();
        world.sends(ann, text);
    }
    world.tells.clear();
    world.passes(60_000);
    world.hibernates();
    world.sends(ann, "4");
    assert_eq!(world.tells, []);
    contact(&mut world, "bob");
    world.crashes();
    world.calls("ann", RoomCall::Send { content: "5".into(), client_message_id: None });
    assert_eq!(world.tells, [("bob".into(), false)], "that bob asked is remembered whatever happens");
}

#[test]
fn who_is_taken_back_is_told_again() {
    let mut world = World::new();
    let ann = world.joins("ann");
    let put = || RoomCall::PutMember { user: user("bob"), role: None, profile: ProfileChange::default() };
    world.serves(put());
    world.sends(ann, "1");
    world.serves(RoomCall::RemoveMember { user: user("bob") });
    world.tells.clear();
    world.serves(put());
    assert_eq!(world.tells, [("bob".into(), false)]);
}
