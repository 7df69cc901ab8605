//! Every frame, by every role, in every state: against a table that says what is meant.

use chat_core::protocol::frames::TABLE;
use chat_core::protocol::internal::Role;
use serde_json::{Value, json};

use crate::say;
use crate::world::{Window, World, as_role};

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
enum May {
    Yes,
    /// Answered, and nobody hears of it.
    Unheard,
    No(&'static str),
}
use May::{No, Unheard, Yes};

const READ_ONLY: May = No("read_only");
const MUTED: May = No("muted");
const FROZEN: May = No("frozen");
const MODS: May = No("moderators_only");

/// For each kind of frame: a viewer, whatever the state; a member in plain, muted and frozen state; a moderator,
/// whatever the state.
fn expected(frame: &str) -> Option<(May, [May; 3], May)> {
    let reading = (Yes, [Yes, Yes, Yes], Yes);
    let writing = (READ_ONLY, [Yes, MUTED, FROZEN], Yes);
    let moderating = (MODS, [MODS, MODS, MODS], Yes);
    Some(match frame {
        "send_message" | "edit_message" | "react" | "pin" => writing,
        "typing" => (Unheard, [Yes, Unheard, Unheard], Yes),
        "delete_message" => (READ_ONLY, [Yes, Yes, Yes], Yes),
        "read" | "mark_unread" | "presence" | "history" | "thread" | "mentions" | "pins" | "edits" | "search"
        | "members" | "resume" | "seen" | "auth" | "block" | "report" => reading,
        "mute" | "ban" | "remove" | "configure" | "reports" | "resolve" | "audit" => moderating,
        _ => return None,
    })
}

/// A frame that the actor could send, if they may: 1 is a message of bob's, 2 one of the actor's own.
fn sample(frame: &str) -> Value {
    match frame {
        "send_message" => say::message("x"),
        "typing" => say::typing(true),
        "read" => say::read(1, false),
        "edit_message" => say::edit(2, "x"),
        "delete_message" => say::delete(2),
        "react" => say::react(1, "+1", true),
        "pin" => say::pin(1, true),
        "mark_unread" => say::mark_unread(1),
        "presence" => say::presence(true),
        "thread" => say::thread(1),
        "edits" => json!({ "type": "edits", "id": 2 }),
        "search" => say::search("one"),
        "resume" => say::resume(1),
        "seen" => json!({ "type": "seen", "seq": 1 }),
        "auth" => json!({ "type": "auth", "token": "t" }),
        "block" => say::block("bob", true),
        "report" => say::report(1, "x"),
        "mute" | "ban" => say::sentence(frame, "bob", Some(5)),
        "remove" => say::remove("bob"),
        "configure" => say::slow_mode(5),
        "resolve" => json!({ "type": "resolve", "message_id": 1 }),
        "history" | "mentions" | "pins" | "members" | "reports" | "audit" => say::bare(frame),
        other => panic!("{other} has no sample"),
    }
}

#[derive(Clone, Copy, Debug)]
enum State {
    Plain,
    Muted,
    Frozen,
}

/// Bob's message 1 and the actor's message 2; then the actor has this role and state.
fn world_in(role: Role, state: State) -> (World, Window, Window) {
    let mut world = World::new();
    let mo = world.joins_v1_as("mo", as_role(Role::Moderator));
    let bob = world.joins_v1("bob");
    world.sends(bob, "one");
    // Whoever was more than they are now has still said what they said.
    let before = world.joins_v1("actor");
    world.sends(before, "two");
    match state {
        State::Plain => {}
        State::Muted => world.frame(mo, &say::sentence("mute", "actor", None)),
        State::Frozen => world.frame(mo, &say::frozen(true)),
    }
    world.leaves(before);
    world.hibernates();
    let actor = world.joins_v1_as("actor", as_role(role));
    world.so_far(&[actor, bob]);
    (world, actor, bob)
}

fn outcome(world: &mut World, actor: Window, bob: Window, frame: &Value) -> May {
    world.frame(actor, &say::known_as(frame.clone(), "r"));
    if frame["type"] == "auth" {
        assert_eq!(world.to_verify.len(), 1);
        return Yes;
    }
    let answers: Vec<_> = world.frames(actor).iter().filter(|event| event["ref"] == "r").cloned().collect();
    assert_eq!(answers.len(), 1, "{frame}");
    let answer = &answers[0];
    if answer["type"] == "error" {
        assert!(world.lines(bob).is_empty(), "what is refused is seen by nobody: {frame}");
        let code = answer["code"].as_str().unwrap();
        return No(["read_only", "muted", "frozen", "moderators_only"]
            .into_iter()
            .find(|known| *known == code)
            .unwrap());
    }
    let heard = !world.lines(bob).is_empty();
    if frame["type"] == "typing" && !heard { Unheard } else { Yes }
}

#[test]
fn the_matrix() {
    let mut seen = 0;
    for spec in TABLE {
        let Some((viewer, member, moderator)) = expected(spec.name) else {
            panic!("{} has no row in the expected table", spec.name);
        };
        for (column, state) in [State::Plain, State::Muted, State::Frozen].into_iter().enumerate() {
            for (role, want) in [(Role::Viewer, viewer), (Role::Member, member[column]), (Role::Moderator, moderator)] {
                let (mut world, actor, bob) = world_in(role, state);
                let got = outcome(&mut world, actor, bob, &sample(spec.name));
                assert_eq!(got, want, "{} by a {role:?}, {state:?}", spec.name);
                seen += 1;
            }
        }
    }
    assert_eq!(seen, TABLE.len() * 9);
}

#[test]
fn the_same_by_http() {
    for spec in TABLE.iter().filter(|spec| spec.name != "auth") {
        let (viewer, member, moderator) = expected(spec.name).unwrap();
        for (column, state) in [State::Plain, State::Muted, State::Frozen].into_iter().enumerate() {
            for (role, want) in [(Role::Viewer, viewer), (Role::Member, member[column]), (Role::Moderator, moderator)] {
                let (mut world, _, _) = world_in(role, state);
                let call = chat_core::protocol::internal::RoomCall::Frame { text: sample(spec.name).to_string() };
                let identity = crate::world::identity("actor", world.now);
                let answer = world.calls_with(Some(identity), as_role(role), call);
                let body = World::body(&answer);
                match want {
                    Yes | Unheard => assert_eq!(answer.status, 200, "{} by a {role:?}, {state:?}: {body}", spec.name),
                    No(code) => assert_eq!((answer.status, &body["code"]), (403, &json!(code)), "{}", spec.name),
                }
            }
        }
    }
}

#[test]
fn the_classic_calls_keep_to_it_too() {
    use chat_core::protocol::internal::RoomCall;
    for (role, state, want) in [
        (Role::Viewer, State::Plain, Some("read_only")),
        (Role::Member, State::Plain, None),
        (Role::Member, State::Muted, Some("muted")),
        (Role::Member, State::Frozen, Some("frozen")),
        (Role::Moderator, State::Muted, None),
        (Role::Moderator, State::Frozen, None),
    ] {
        let (mut world, _, _) = world_in(role, state);
        let identity = crate::world::identity("actor", world.now);
        let send = RoomCall::Send { content: "x".into(), client_message_id: None };
        let answer = world.calls_with(Some(identity.clone()), as_role(role), send);
        let code = World::body(&answer)["code"].as_str().map(str::to_owned);
        assert_eq!(code.as_deref(), want, "{role:?} {state:?}");
        let read = RoomCall::MarkRead { up_to: None };
        assert_eq!(world.calls_with(Some(identity), as_role(role), read).status, 200);
    }
}
