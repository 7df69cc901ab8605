use chat_core::ids::Millis;
use chat_core::limits::Limits;
use chat_core::protocol::internal::{
    ASK_STATUS, Admission, Dialect, Grant, Identity, MemberInfo, Profile, Role, RoomCall,
};

use crate::world::{NOON, Window, World, identity, user, yes};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const PAGE: RoomCall = RoomCall::Messages { limit: None, before: None, after: None };

fn comes(world: &mut World, name: &str) -> Result<Window, (u16, String)> {
    let identity = identity(name, world.now);
    tries(world, identity, Admission::Unknown)
}

fn tries(world: &mut World, identity: Identity, admission: Admission) -> Result<Window, (u16, String)> {
    world.tries_to_join(identity, admission).map_err(|answer| {
        let code = World::body(&answer)["code"].as_str().unwrap_or_default().to_owned();
        (answer.status, code)
    })
}

fn refused(status: u16, code: &str) -> Result<Window, (u16, String)> {
    Err((status, code.to_owned()))
}

fn expired(name: &str, issued: Millis) -> Identity {
    Identity { expired: true, ..identity(name, issued) }
}

#[test]
fn a_stranger_must_be_asked_for_and_leaves_no_trace() {
    let mut world = World::new();
    assert_eq!(comes(&mut world, "ann"), refused(ASK_STATUS, ""));
    let answer = world.calls_with(Some(identity("ann", world.now)), Admission::Unknown, PAGE);
    assert_eq!(answer.status, ASK_STATUS);
    let mut db = world.db;
    let tables = chat_core::db::Db::run(&mut db, "SELECT 1 FROM sqlite_master", &[]).unwrap();
    assert!(tables.is_empty());
}

#[test]
fn a_first_entry_needs_the_revocation_mark_too() {
    let mut world = World::new();
    let identity = identity("ann", world.now);
    assert_eq!(tries(&mut world, identity.clone(), Admission::Granted(Grant::default())), refused(ASK_STATUS, ""));
    assert!(tries(&mut world, identity, yes()).is_ok());
}

#[test]
fn a_yes_is_kept_and_after_a_minute_asked_for_again_in_the_background() {
    let mut world = World::new();
    world.joins("ann");
    world.passes(MINUTE);
    assert!(comes(&mut world, "ann").is_ok());
    assert!(world.rechecks.is_empty());
    world.passes(1);
    assert!(comes(&mut world, "ann").is_ok());
    assert_eq!(world.rechecks.len(), 1);
    assert!(comes(&mut world, "ann").is_ok());
    assert_eq!(world.rechecks.len(), 1, "one question is under way already");
    world.passes(11 * HOUR);
    assert!(comes(&mut world, "ann").is_ok());
    world.passes(HOUR);
    assert_eq!(comes(&mut world, "ann"), refused(ASK_STATUS, ""));
}

#[test]
fn a_confirmed_yes_is_good_for_another_while() {
    let mut world = World::new();
    world.joins("ann");
    world.passes(11 * HOUR);
    world.serves(RoomCall::Verdict { user: user("ann"), grant: Some(Grant::default()) });
    world.passes(11 * HOUR);
    assert!(comes(&mut world, "ann").is_ok());
}

#[test]
fn a_no_closes_the_sockets_and_takes_the_kept_yes_away() {
    let mut world = World::new();
    let (ann, bob) = (world.joins("ann"), world.joins("bob"));
    world.serves(RoomCall::Verdict { user: user("ann"), grant: None });
    world.shows(ann, &["closed 4507"]);
    world.sends(bob, "alone?");
    world.shows(ann, &[]);
    world.shows(bob, &["1 bob: alone?"]);
    assert_eq!(comes(&mut world, "ann"), refused(ASK_STATUS, ""));
    assert!(world.tells.contains(&("ann".into(), true)));
}

#[test]
fn a_no_reaches_a_sleeping_socket_too() {
    let mut world = World::new();
    let ann = world.joins("ann");
    world.hibernates();
    world.serves(RoomCall::Verdict { user: user("ann"), grant: None });
    world.shows(ann, &["closed 4507"]);
}

#[test]
fn a_verdict_on_a_stranger_changes_nothing() {
    let mut world = World::new();
    world.serves(RoomCall::Verdict { user: user("eve"), grant: Some(Grant::default()) });
    world.serves(RoomCall::Verdict { user: user("eve"), grant: None });
    assert_eq!(comes(&mut world, "eve"), refused(ASK_STATUS, ""));
}

#[test]
fn ten_thousand_who_come_back_at_once_are_asked_about_at_the_rate() {
    let rate = 20;
    let mut world = World::with(Limits { access_recheck_rate: rate, ..Limits::default() });
    let names: Vec<_> = (0..1000).map(|number| format!("user{number}")).collect();
    for name in &names {
        world.joins(name);
    }
    world.passes(HOUR);
    world.crashes();
    for name in &names {
        assert!(comes(&mut world, name).is_ok());
    }
    let mut at = world.rechecks.clone();
    at.sort_unstable();
    assert!(at.iter().all(|ms| *ms <= 20_000) && at.len() > 300, "{} questions", at.len());
    for second in 0..20 {
        let asked = at.iter().filter(|ms| (second * 1000..(second + 1) * 1000).contains(*ms)).count() as i64;
        assert!(asked <= rate, "{asked} questions in second {second}");
    }
}

#[test]
fn an_expired_token_readmits_a_classic_socket_of_a_member_only() {
    let mut world = World::new();
    world.joins("ann");
    let issued = world.now;
    world.passes(HOUR);
    assert!(tries(&mut world, expired("ann", issued), Admission::Unknown).is_ok());
    assert_eq!(tries(&mut world, expired("eve", issued), Admission::Unknown), refused(401, "token_expired"));
    assert_eq!(tries(&mut world, expired("eve", issued), yes()), refused(401, "token_expired"));
    let answer = world.calls_with(Some(expired("ann", issued)), Admission::Unknown, PAGE);
    assert_eq!(answer.status, 401);
    world.passes(11 * HOUR + 1);
    assert_eq!(tries(&mut world, expired("ann", issued), Admission::Unknown), refused(401, "token_expired"));
}

#[test]
fn a_token_that_expired_long_ago_readmits_nobody() {
    let mut world = World::new();
    let issued = world.now;
    world.passes(13 * HOUR);
    world.joins("ann");
    assert_eq!(tries(&mut world, expired("ann", issued), Admission::Unknown), refused(401, "token_expired"));
}

#[test]
fn names_come_from_the_backend_else_from_the_token_else_from_the_id() {
    let mut world = World::new();
    let nameless = Identity { username: None, ..identity("7", world.now) };
    let first = tries(&mut world, nameless.clone(), yes()).unwrap();
    world.sends(first, "a");
    let named = Identity { username: Some("sev".into()), ..nameless.clone() };
    let seven = tries(&mut world, named.clone(), yes()).unwrap();
    world.sends(seven, "b");
    let profile = Profile { username: "Seven".into(), first_name: "Sev".into(), ..Profile::default() };
    let grant = Grant { profile: Some(profile), revoked_before: Some(0), ..Grant::default() };
    let seven = tries(&mut world, nameless, Admission::Granted(grant)).unwrap();
    world.sends(seven, "c");
    let seven = tries(&mut world, named, yes()).unwrap();
    world.sends(seven, "d");
    let all: Vec<_> = world.frames(first).iter().map(|f| f["message"]["sender"]["username"].clone()).collect();
    assert_eq!(all, ["User 7", "sev", "Seven", "Seven"]);
}

#[test]
fn the_backend_names_the_project_and_its_people() {
    let mut world = World::new();
    let member = |name: &str| MemberInfo {
        user: user(name),
        role: Some(Role::Moderator),
        profile: Some(Profile { username: name.to_uppercase(), ..Profile::default() }),
    };
    let grant = Grant {
        project_name: Some("House".into()),
        project_created_at: Some("2020-01-01T00:00:00Z".into()),
        members: Some(vec![member("ann"), member("bob")]),
        revoked_before: Some(0),
        ..Grant::default()
    };
    let identity = identity("ann", world.now);
    let ann = tries(&mut world, identity.clone(), Admission::Granted(grant.clone())).unwrap();
    let contact = World::body(&world.calls("ann", RoomCall::Summary));
    assert_eq!(contact["project_info"]["name"], "House");
    assert_eq!(contact["created_at"], "2020-01-01T00:00:00Z");
    assert_eq!(contact["contact_info"]["username"], "BOB");
    world.tells.clear();
    world.sends(ann, "first");
    assert_eq!(world.tells, [("ann".to_owned(), false), ("bob".to_owned(), false)]);

    let alone = Grant { members: Some(vec![member("ann")]), ..grant };
    assert!(tries(&mut world, identity, Admission::Granted(alone)).is_ok());
    let contact = World::body(&world.calls("ann", RoomCall::Summary));
    assert_eq!(contact["contact_info"]["username"], "House");
}

#[test]
fn calls_for_the_server_are_for_nobody_else() {
    let mut world = World::new();
    world.joins("ann");
    for call in [RoomCall::ListMembers, RoomCall::RemoveMember { user: user("bob") }] {
        assert_eq!(world.calls("ann", call.clone()).status, 403);
        assert_eq!(world.calls_with(None, yes(), call).status, 403);
    }
    assert_eq!(world.serves(RoomCall::Summary).status, 401);
    assert_eq!(world.serves(RoomCall::MarkRead { up_to: None }).status, 401);
    let send = RoomCall::Send { content: "x".into(), client_message_id: None };
    assert_eq!(world.serves(send).status, 401);
    assert_eq!(world.calls("ann", RoomCall::Connect { dialect: Dialect::Classic, since: None }).status, 426);
}

#[test]
fn a_token_that_does_not_say_when_it_was_issued_is_good_while_nothing_was_revoked() {
    let mut world = World::new();
    let undated = Identity { issued_at: None, ..identity("ann", world.now) };
    assert!(tries(&mut world, undated.clone(), yes()).is_ok());
    let late = Admission::Granted(Grant { revoked_before: Some(1), ..Grant::default() });
    assert_eq!(tries(&mut world, undated, late), refused(403, "revoked"));
}

#[test]
fn whoever_has_a_yes_of_their_own_is_told_though_the_backend_names_but_a_page_of_people() {
    let mut world = World::new();
    world.joins("bob");
    world.calls("bob", RoomCall::Summary);
    let named = MemberInfo { user: user("ann"), role: None, profile: None };
    let grant = Grant { members: Some(vec![named]), revoked_before: Some(0), ..Grant::default() };
    let ann = tries(&mut world, identity("ann", NOON), Admission::Granted(grant)).unwrap();
    world.tells.clear();
    world.sends(ann, "hi");
    assert_eq!(world.tells, [("bob".to_owned(), false)]);
}
