//! How SQLite goes about every statement of a room: nothing that a client can ask for may walk through a table that
//! grows with the conversation.

use std::collections::BTreeSet;

use chat_core::ids::{Millis, Seq};
use chat_core::protocol::internal::{Admission, Grant, MemberInfo, ProfileChange, Role, RoomCall};
use serde_json::json;

use crate::frames::one_of_each;
use crate::say;
use crate::world::{World, identity, moderator, three, user};

/// The tables that grow with what is said and done.
const GROWING: &[&str] = &["messages", "changes", "mentions", "reports", "audit", "members"];

/// Walks that are meant, by how their statement begins, and why.
const MEANT: &[(&str, &str)] = &[
    ("SELECT id, sender, created_at FROM messages ORDER BY id DESC LIMIT ?", "the newest 100, once after opening"),
    ("SELECT 1 FROM messages WHERE thread IS NOT NULL LIMIT 1", "one entry of an index, once after opening"),
    ("SELECT user FROM members WHERE current = 1", "everyone, kept in memory"),
    ("SELECT user, role, username", "everyone, for a server key"),
    ("SELECT message FROM pins ORDER BY seq", "few, and kept in memory"),
    ("SELECT DISTINCT user FROM mentions", "pruning walks through what it forgets"),
];

/// Everything that the core can be asked to do, by every kind of client.
fn everything() -> World {
    let (mut world, ann, bob, cy) = three();
    let mo = moderator(&mut world, "mo", &[ann, bob, cy]);
    world.frame(ann, &say::mentioning(&["bob"], "hé @bob"));
    for frame in one_of_each() {
        world.frame(ann, &frame);
        world.frame(cy, &frame);
        world.frame(mo, &frame);
        world.posts("ann", &frame);
    }
    world.frame(mo, &say::mentioning(&["ann"], "@ann"));
    world.frame(mo, &say::slow_mode(5));
    world.sends_as(cy, "one", "x");
    world.sends_as(cy, "one", "x");
    world.sends_as(cy, "two", "x");
    world.frame(mo, &json!({ "type": "thread", "id": 1, "around": 1 }));
    let di = world.joins_v1_since("di", 1);
    world.leaves(di);
    let zed = world.joins("zed");
    world.leaves(zed);
    world.sends(mo, "for zed");
    world.joins("zed");
    world.passes(1000);
    world.settings.limits.receipts_to_all_max_present = 0;
    world.hibernates();
    let newest = world.frames(mo).last().unwrap()["seq"].as_i64().unwrap_or(1);
    world.sends(mo, "three");
    world.frame(cy, &say::read(newest + 90, false));
    for call in [
        RoomCall::Messages { limit: None, before: None, after: None },
        RoomCall::Messages { limit: None, before: None, after: Some(Seq(1)) },
        RoomCall::Send { content: "x".into(), client_message_id: Some("c".into()) },
        RoomCall::Events { since: None },
        RoomCall::MarkRead { up_to: None },
        RoomCall::Summary,
    ] {
        world.calls("ann", call);
    }
    let people = vec![MemberInfo { user: user("ed"), role: None, profile: None }];
    let grant =
        Grant { members: Some(people), revoked_before: Some(0), project_name: Some("P".into()), ..Grant::default() };
    world.tries_to_join(identity("ann", world.now), Admission::Granted(grant)).unwrap();
    for call in [
        RoomCall::ListMembers,
        RoomCall::PutMember { user: user("flo"), role: Some(Role::Viewer), profile: ProfileChange::default() },
        RoomCall::Verdict { user: user("ed"), grant: None },
        RoomCall::Revoke { user: user("flo"), before: 1 },
        RoomCall::RemoveMember { user: user("flo") },
        RoomCall::Prune { up_to: Seq(40) },
    ] {
        world.serves(call);
    }
    world.now = Millis(world.now.0 + 400_000);
    world.turn(vec![chat_core::input::Input::Alarm]);
    world.crashes();
    world.joins_v1("ann");
    world
}

/// Statements that use an index, the primary key or a table that stays small.
#[test]
fn no_statement_walks_through_a_table_that_grows() {
    let world = everything();
    let mut meant = BTreeSet::new();
    for sql in world.db.statements().into_iter().filter(|sql| !sql.starts_with("CREATE") && !sql.starts_with("ALTER")) {
        let plan = world.db.plan(sql);
        let walks = plan.iter().any(|step| {
            GROWING.iter().any(|table| step.starts_with(&format!("SCAN {table}")))
                || step.contains("USE TEMP B-TREE FOR ORDER BY")
        });
        let known = MEANT.iter().find(|(start, _)| sql.starts_with(start));
        if let Some((start, _)) = known {
            meant.insert(*start);
        }
        assert!(!walks || known.is_some(), "{sql}\n{plan:#?}");
    }
    assert_eq!(meant.len(), MEANT.len(), "one that is not asked any more: {meant:?}");
}

#[test]
fn the_search_is_a_range_of_the_log() {
    let world = everything();
    let search = world.db.statements().into_iter().find(|sql| sql.contains("instr(")).unwrap();
    let plan = world.db.plan(search);
    assert!(plan[0].starts_with("SEARCH messages USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"), "{plan:?}");
    assert_eq!(plan.len(), 1, "{plan:?}");
}

/// Otherwise the test above would look at less and less.
#[test]
fn every_statement_of_the_store_was_asked() {
    let asked = everything().db.statements();
    let sources = [
        include_str!("../../src/store/changes.rs"),
        include_str!("../../src/store/marks.rs"),
        include_str!("../../src/store/members.rs"),
        include_str!("../../src/store/mentions.rs"),
        include_str!("../../src/store/messages.rs"),
        include_str!("../../src/store/meta.rs"),
        include_str!("../../src/store/moderation.rs"),
        include_str!("../../src/store/pins.rs"),
    ];
    let mut known = 0;
    for literal in sources.iter().flat_map(|source| source.split('"').skip(1).step_by(2)) {
        let is_sql = [" FROM ", "INSERT INTO", "UPDATE ", "DELETE "].iter().any(|word| literal.contains(word));
        if is_sql && !literal.contains("CREATE ") {
            assert!(asked.iter().any(|sql| sql.contains(literal)), "never asked: {literal}");
            known += 1;
        }
    }
    assert!(known > 35, "{known} statements found");
}
