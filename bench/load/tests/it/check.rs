//! The account: what a receiver may see, and what ends a run.

use chat_load::check::{Checker, Fault, Position};
use chat_load::options::Dialect;
use chat_load::script::Script;

/// A server that numbers messages from `first_id` on, and a receiver of it.
struct World {
    checker: Checker,
    at: Position,
    dialect: Dialect,
    first_id: u64,
}

impl World {
    fn new(dialect: Dialect) -> World {
        let mut checker = Checker::new(dialect, Script::new(64));
        checker.sent = 10;
        let mut world = World { at: checker.start(), checker, dialect, first_id: 31 };
        if dialect == Dialect::V1 {
            world.sees(&[r#"{"type":"hello","you":{"id":1},"seq":30,"messages":[]}"#.into()]).unwrap();
        }
        world
    }

    fn event(&self, index: u64) -> String {
        let id = self.first_id + index;
        let (name, content) = (self.checker.script.id(index), self.checker.script.content(index));
        let seq = if self.dialect == Dialect::V1 { format!(r#""seq":{id},"#) } else { String::new() };
        format!(
            r#"{{"type":"new.message",{seq}"message":{{"id":{id},"client_message_id":"{name}","project":5,
            "sender":{{"id":1,"username":"ann"}},"content":"{content}","attachment":null,"read_at":null}}}}"#
        )
    }

    /// One frame in v1, a frame for each event in the classic dialect.
    fn sees(&mut self, events: &[String]) -> Result<(), Fault> {
        let frames = match self.dialect {
            Dialect::V1 => vec![format!("[{}]", events.join(","))],
            Dialect::Classic => events.to_vec(),
        };
        for frame in frames {
            self.at = self.checker.frame(self.at, &frame)?;
        }
        Ok(())
    }

    fn sees_messages(&mut self, indices: &[u64]) -> Result<(), Fault> {
        let events: Vec<String> = indices.iter().map(|index| self.event(*index)).collect();
        self.sees(&events)
    }
}

fn both(check: impl Fn(World)) {
    check(World::new(Dialect::Classic));
    check(World::new(Dialect::V1));
}

#[test]
fn messages_in_order_are_counted() {
    both(|mut world| {
        world.sees_messages(&[0, 1]).unwrap();
        world.sees_messages(&[2]).unwrap();
        assert_eq!(world.at.next, 3);
    });
}

#[test]
fn other_events_may_come_in_between() {
    both(|mut world| {
        world.sees_messages(&[0]).unwrap();
        world.sees(&[r#"{"type":"presence","user_id":2,"message":"is here"}"#.into()]).unwrap();
        world.sees_messages(&[1]).unwrap();
        assert_eq!(world.at.next, 2);
    });
}

#[test]
fn a_lost_message_is_noticed_at_the_next() {
    both(|mut world| assert_eq!(world.sees_messages(&[0, 2]), Err(Fault::OutOfOrder { due: 1, came: 2 })));
}

#[test]
fn a_message_that_comes_twice_is_noticed() {
    both(|mut world| assert_eq!(world.sees_messages(&[0, 1, 1]), Err(Fault::Twice { index: 1 })));
}

#[test]
fn two_that_changed_places_are_noticed() {
    both(|mut world| assert_eq!(world.sees_messages(&[1, 0]), Err(Fault::OutOfOrder { due: 0, came: 1 })));
}

#[test]
fn a_message_that_was_not_sent_is_noticed() {
    both(|mut world| {
        world.checker.sent = 1;
        assert_eq!(world.sees_messages(&[0, 1]), Err(Fault::Unsent { index: 1 }));
    });
}

#[test]
fn altered_content_is_noticed() {
    both(|mut world| {
        let event = world.event(0).replace("plans", "plams");
        assert_eq!(world.sees(&[event]), Err(Fault::Altered { index: 0 }));
    });
}

#[test]
fn a_message_of_somebody_else_is_noticed() {
    both(|mut world| {
        let event = world.event(0).replace(&world.checker.script.id(0), "1718000000000");
        assert_eq!(world.sees(&[event]), Err(Fault::Foreign("1718000000000".into())));
    });
}

#[test]
fn a_hole_in_the_ids_is_noticed() {
    both(|mut world| {
        world.sees_messages(&[0]).unwrap();
        world.first_id += 1;
        assert_eq!(world.sees_messages(&[1]), Err(Fault::Id { index: 1, due: 32, is: 33 }));
    });
}

#[test]
fn a_receiver_that_sees_other_ids_is_noticed() {
    both(|mut world| {
        let start = world.at;
        world.sees_messages(&[0]).unwrap();
        world.at = start;
        world.first_id = 41;
        assert_eq!(world.sees_messages(&[0]), Err(Fault::Id { index: 0, due: 31, is: 41 }));
    });
}

#[test]
fn the_same_frame_is_right_only_for_a_receiver_at_the_same_place() {
    both(|mut world| {
        let start = world.at;
        world.sees_messages(&[0]).unwrap();
        world.at = start;
        world.sees_messages(&[0]).unwrap();
        assert_eq!(world.sees_messages(&[0]), Err(Fault::Twice { index: 0 }));
    });
}

#[test]
fn an_error_ends_the_run() {
    both(|mut world| {
        let event = r#"{"type":"error","code":"rate_limited","detail":"Too many."}"#.into();
        let fault = Fault::Error { code: "rate_limited".into(), detail: "Too many.".into() };
        assert_eq!(world.sees(&[event]), Err(fault));
    });
}

#[test]
fn v1_begins_with_hello_and_has_one() {
    let mut checker = Checker::new(Dialect::V1, Script::new(64));
    let start = checker.start();
    let presence = r#"[{"type":"presence"}]"#;
    assert_eq!(checker.frame(start, presence), Err(Fault::NoHello("presence".into())));
    assert_eq!(checker.frame(start, r#"[{"type":"hello"}]"#), Err(Fault::HelloWithoutSeq));
    let at = checker.frame(start, r#"[{"type":"hello","seq":0}]"#).unwrap();
    assert!(at.greeted);
    assert_eq!(checker.frame(at, r#"[{"type":"hello","seq":0}]"#), Err(Fault::SecondHello));
}

#[test]
fn v1_counts_seq_without_a_hole_from_hello_on() {
    let mut world = World::new(Dialect::V1);
    world.first_id = 32;
    assert_eq!(world.sees_messages(&[0]), Err(Fault::Seq { index: 0, due: 31, is: Some(32) }));
    let without = world.event(0).replace(r#""seq":32,"#, "");
    assert_eq!(world.sees(&[without]), Err(Fault::Seq { index: 0, due: 31, is: None }));
}

#[test]
fn a_frame_of_the_other_dialect_is_not_readable() {
    let classic = World::new(Dialect::Classic);
    let v1 = World::new(Dialect::V1);
    let (object, array) = (classic.event(0), format!("[{}]", v1.event(0)));
    assert!(matches!(World::new(Dialect::Classic).sees(&[array]), Err(Fault::NotReadable(_))));
    let mut v1 = World::new(Dialect::V1);
    assert!(matches!(v1.checker.frame(v1.at, &object), Err(Fault::NotReadable(_))));
}
