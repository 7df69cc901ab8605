//! Every error that the core can give is given here once. A new code does not compile until it has a story, or is said
//! to be another part's.

use chat_core::input::BadFrame;
use chat_core::limits::Limits;
use chat_core::protocol::codes::ErrorCode::{self, *};
use chat_core::protocol::internal::{Admission, Identity, Role, RoomCall};
use serde_json::{Value, json};

use crate::say;
use crate::world::{World, as_role, identity, moderator, three, user, yes};

/// The word that somebody is shown; `None`: the Worker and the shell give this one, and their tests have its story.
fn shown(code: ErrorCode) -> Option<String> {
    let (mut world, ann, bob, cy) = three();
    let mo = moderator(&mut world, "mo", &[ann, bob, cy]);
    let pinned = json!({ "type": "pin", "message_id": 1, "on": true });
    // What ann is told of a frame.
    let told = |world: &mut World, frame: Value| {
        world.frame(ann, &frame);
        let event = world.frames(ann).last().unwrap();
        Some(event["code"].as_str().unwrap_or("no error").to_owned())
    };
    let refused = |answer: chat_core::effect::Answer| Some(World::body(&answer)["code"].as_str().unwrap().to_owned());
    let comes = |world: &mut World, identity: Identity, admission: Admission| {
        refused(world.tries_to_join(identity, admission).unwrap_err())
    };
    match code {
        InvalidJson => {
            world.says(ann, "{");
            Some(world.frames(ann).last().unwrap()["code"].as_str().unwrap().to_owned())
        }
        BinaryFrame => {
            world.says_badly(ann, BadFrame::Binary);
            Some(world.frames(ann).last().unwrap()["code"].as_str().unwrap().to_owned())
        }
        TooLarge => told(&mut world, say::message(&"x".repeat(70_000))),
        InvalidField => told(&mut world, say::bare("edit_message")),
        UnknownType => told(&mut world, say::bare("dance")),
        ContentEmpty => told(&mut world, say::message(" ")),
        ContentTooLong => told(&mut world, say::message(&"x".repeat(10_001))),
        NotYours => {
            world.sends(bob, "two");
            told(&mut world, say::edit(2, "x"))
        }
        ModeratorsOnly => told(&mut world, say::bare("audit")),
        NoSuchMessage => told(&mut world, say::edit(9, "x")),
        NoSuchMember => told(&mut world, say::block("nobody", true)),
        MessageDeleted => {
            world.frame(ann, &say::delete(1));
            told(&mut world, pinned)
        }
        ClientMessageIdReused => {
            world.frame(ann, &say::message_as("x", "a"));
            told(&mut world, say::message_as("y", "a"))
        }
        Muted => {
            world.frame(mo, &say::sentence("mute", "ann", None));
            told(&mut world, pinned)
        }
        Frozen => {
            world.frame(mo, &say::frozen(true));
            told(&mut world, pinned)
        }
        SlowMode => {
            world.frame(mo, &say::slow_mode(5));
            told(&mut world, say::message("x"))
        }
        ReadOnly => {
            let eve = world.joins_v1_as("eve", as_role(Role::Viewer));
            world.frame(eve, &pinned);
            Some(world.frames(eve).last().unwrap()["code"].as_str().unwrap().to_owned())
        }
        ModeratorTarget => {
            moderator(&mut world, "di", &[]);
            world.frame(mo, &say::remove("di"));
            Some(world.frames(mo).last().unwrap()["code"].as_str().unwrap().to_owned())
        }
        TooManyReactions | TooManyPins | TooManyBlocked | RateLimited => {
            let few = Limits { reactions_max: 1, pins_max: 1, change_rate: 0, ..Limits::default() };
            let limits = if code == RateLimited { Limits { query_rate: 1, ..few } } else { few };
            world.settings.limits = limits;
            world.hibernates();
            world.sends(bob, "two");
            world.frame(ann, &say::react(2, "a", true));
            world.frame(ann, &say::pin(2, true));
            (0..10).for_each(|_| world.frame(ann, &say::bare("pins")));
            match code {
                TooManyReactions => told(&mut world, say::react(2, "b", true)),
                TooManyPins => told(&mut world, pinned),
                RateLimited => told(&mut world, say::bare("pins")),
                _ => {
                    for number in 0..=200 {
                        world.calls(&number.to_string(), RoomCall::Summary);
                        world.frame(ann, &say::block(&number.to_string(), true));
                    }
                    Some(world.frames(ann).last().unwrap()["code"].as_str().unwrap().to_owned())
                }
            }
        }
        TokenExpired => {
            let stale = Identity { expired: true, ..identity("nobody", world.now) };
            comes(&mut world, stale, yes())
        }
        TokenOtherUser => {
            world.verified(ann, Ok(identity("bob", world.now)));
            Some(world.frames(ann).last().unwrap()["code"].as_str().unwrap().to_owned())
        }
        TokenMissing => refused(world.serves(RoomCall::Summary)),
        BadServerKey => refused(world.calls("ann", RoomCall::ListMembers)),
        UpgradeRequired => refused(world.calls("ann", RoomCall::Connect { dialect: Default::default(), since: None })),
        NoAccess => {
            let stranger = identity("stranger", world.now);
            comes(&mut world, stranger, Admission::List { revoked_before: Some(0) })
        }
        Removed => {
            world.serves(RoomCall::RemoveMember { user: user("bob") });
            let bob = identity("bob", world.now);
            comes(&mut world, bob, yes())
        }
        Banned => {
            world.frame(mo, &say::sentence("ban", "bob", None));
            let bob = identity("bob", world.now);
            comes(&mut world, bob, yes())
        }
        Revoked => {
            world.serves(RoomCall::Revoke { user: user("bob"), before: world.now.seconds() + 1 });
            let bob = identity("bob", world.now);
            comes(&mut world, bob, yes())
        }
        TooManyConnections => {
            world.settings.limits.sockets_per_project = 1;
            world.hibernates();
            let bob = identity("bob", world.now);
            comes(&mut world, bob, yes())
        }
        BadRequest | TokenMalformed | TokenUnsigned | TokenBadAlgorithm | TokenBadSignature | TokenNotYetValid
        | TokenWrongType | TokenWrongIssuer | TokenRefused | TokenNoUser | NotFound | NoSuchProject
        | MethodNotAllowed | UnsupportedMediaType | Internal | OriginUnavailable | Unavailable | BackendUnavailable
        | KeysUnavailable | Misconfigured | StorageFull | LoopDetected => None,
    }
}

#[test]
fn every_error_of_the_core_can_be_had() {
    let mut had = 0;
    for code in ErrorCode::ALL {
        if let Some(word) = shown(*code) {
            assert_eq!(word, code.word());
            had += 1;
        }
    }
    assert_eq!(had, 32);
}
