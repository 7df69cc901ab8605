use chat_core::protocol::internal::{ASK_STATUS, Admission, Identity, ProfileChange, Role, RoomCall};
use serde_json::json;

use crate::world::{World, identity, user, yes};

fn put(world: &mut World, name: &str, role: Option<Role>) -> chat_core::effect::Answer {
    world.serves(RoomCall::PutMember { user: user(name), role, profile: ProfileChange::default() })
}

fn listed() -> Admission {
    Admission::List { revoked_before: Some(0) }
}

#[test]
fn the_list_decides() {
    let mut world = World::new();
    assert_eq!(put(&mut world, "ann", Some(Role::Viewer)).status, 200);
    assert_eq!(world.tells, [("ann".to_owned(), false)]);
    let ann = world.tries_to_join(identity("ann", world.now), listed()).unwrap();
    world.sends(ann, "hi");
    world.shows(ann, &["error read_only"]);
    put(&mut world, "ann", Some(Role::Member));
    world.sends(ann, "hi");
    world.shows(ann, &["1 ann: hi"]);
    assert_eq!(world.tries_to_join(identity("bob", world.now), listed()).unwrap_err().status, 403);
}

#[test]
fn a_first_entry_by_the_list_needs_the_revocation_mark() {
    let mut world = World::new();
    put(&mut world, "ann", None);
    let unknown = Admission::List { revoked_before: None };
    assert_eq!(world.tries_to_join(identity("ann", world.now), unknown.clone()).unwrap_err().status, ASK_STATUS);
    let late = Admission::List { revoked_before: Some(world.now.seconds() + 1) };
    assert_eq!(world.tries_to_join(identity("ann", world.now), late).unwrap_err().status, 403);
    assert!(world.tries_to_join(identity("ann", world.now), listed()).is_ok());
    assert!(world.tries_to_join(identity("ann", world.now), unknown).is_ok());
}

#[test]
fn removal_closes_outweighs_every_yes_and_can_be_taken_back() {
    let mut world = World::new();
    let (ann, bob) = (world.joins("ann"), world.joins("bob"));
    world.hibernates();
    assert_eq!(world.serves(RoomCall::RemoveMember { user: user("ann") }).status, 200);
    world.shows(ann, &["closed 4503"]);
    world.sends(bob, "secret");
    world.shows(ann, &[]);
    assert_eq!(world.tries_to_join(identity("ann", world.now), yes()).unwrap_err().status, 403);
    assert_eq!(world.calls("ann", RoomCall::Summary).status, 403);
    put(&mut world, "ann", None);
    assert!(world.tries_to_join(identity("ann", world.now), yes()).is_ok());
}

#[test]
fn someone_can_be_removed_before_they_ever_came() {
    let mut world = World::new();
    world.serves(RoomCall::RemoveMember { user: user("ann") });
    assert_eq!(world.tries_to_join(identity("ann", world.now), yes()).unwrap_err().status, 403);
}

#[test]
fn revocation_ends_what_was_issued_before_and_nothing_else() {
    let mut world = World::new();
    let old = world.joins("ann");
    let issued = world.now;
    world.passes(10_000);
    let new = world.joins("ann");
    world.hibernates();
    let revoke = RoomCall::Revoke { user: user("ann"), before: world.now.seconds() };
    assert_eq!(world.serves(revoke).status, 200);
    world.shows(old, &["closed 4503"]);
    world.shows(new, &[]);
    assert_eq!(world.tries_to_join(identity("ann", issued), yes()).unwrap_err().status, 403);
    assert_eq!(world.calls_with(Some(identity("ann", issued)), yes(), RoomCall::Summary).status, 403);
    let undated = Identity { issued_at: None, ..identity("ann", world.now) };
    assert_eq!(world.tries_to_join(undated, yes()).unwrap_err().status, 403);
    let stale = Identity { expired: true, ..identity("ann", issued) };
    assert_eq!(world.tries_to_join(stale, Admission::Unknown).unwrap_err().status, 403);
    assert!(world.tries_to_join(identity("ann", world.now), yes()).is_ok());
}

#[test]
fn revoking_in_a_room_that_does_not_know_the_user_changes_nothing() {
    let mut world = World::new();
    let revoke = RoomCall::Revoke { user: user("eve"), before: 1 };
    assert_eq!(world.serves(revoke.clone()).status, 200);
    world.joins("ann");
    assert_eq!(world.serves(revoke).status, 200);
    assert_eq!(World::body(&world.serves(RoomCall::ListMembers))["members"].as_array().unwrap().len(), 1);
}

#[test]
fn the_list_shows_people_and_those_who_were_removed() {
    let mut world = World::new();
    assert_eq!(World::body(&world.serves(RoomCall::ListMembers)), json!({ "members": [] }));
    world.joins("ann");
    let profile = ProfileChange { username: Some("Bob".into()), ..ProfileChange::default() };
    world.serves(RoomCall::PutMember { user: user("2"), role: None, profile });
    world.serves(RoomCall::RemoveMember { user: user("cy") });
    let person = |id: serde_json::Value, username: &str, removed: bool| {
        json!({ "id": id, "username": username, "first_name": "", "last_name": "", "profile_pic": null,
                "role": "member", "removed": removed })
    };
    let expected =
        [person(json!(2), "Bob", false), person(json!("ann"), "ann", false), person(json!("cy"), "User cy", true)];
    assert_eq!(World::body(&world.serves(RoomCall::ListMembers)), json!({ "members": expected }));
}

#[test]
fn what_a_change_leaves_out_stays() {
    let mut world = World::new();
    world.joins("ann");
    let mut change = |profile: ProfileChange| {
        World::body(&world.serves(RoomCall::PutMember { user: user("ann"), role: None, profile }))
    };
    let first = ProfileChange {
        first_name: Some("Ann".into()),
        profile_pic: Some("https://pics/1".into()),
        ..ProfileChange::default()
    };
    let shown = change(first);
    assert_eq!((&shown["username"], &shown["first_name"]), (&json!("ann"), &json!("Ann")));
    let second = ProfileChange { last_name: Some("Lee".into()), ..ProfileChange::default() };
    assert_eq!(change(second)["profile_pic"], "https://pics/1");
    let third =
        ProfileChange { first_name: Some(String::new()), profile_pic: Some(String::new()), ..Default::default() };
    let shown = change(third);
    assert_eq!((&shown["first_name"], &shown["last_name"]), (&json!(""), &json!("Lee")));
    assert_eq!(shown["profile_pic"], json!(null));
}
