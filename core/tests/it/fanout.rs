use std::collections::BTreeMap;

use chat_core::effect::Effect;
use chat_core::ids::ConnId;
use chat_core::limits::Limits;
use serde_json::Value;

use crate::say;
use crate::world::{World, said, three};

#[test]
fn a_turn_is_one_frame_for_every_v1_window_and_the_same_one() {
    let (mut world, ann, bob, cy) = three();
    let effects = world.effects(vec![
        said(ann, &say::message("two")),
        said(bob, &say::message("three")),
        said(ann, &say::edit(1, "won")),
        said(bob, &say::bare("pins")),
    ]);
    let sends: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send { to, frame } => Some((to.to_vec(), frame.clone())),
            _ => None,
        })
        .collect();
    let v1: Vec<_> = sends.iter().filter(|(_, frame)| frame.starts_with('[')).collect();
    // Bob has an answer of his own in it, ann has what everyone has.
    assert_eq!(v1.len(), 2);
    assert!(v1.iter().any(|(to, _)| *to == [ann.0]) && v1.iter().any(|(to, _)| *to == [bob.0]));
    let classic: Vec<_> = sends.iter().filter(|(to, _)| *to == [cy.0]).collect();
    assert_eq!(classic.len(), 3, "one event each");

    let effects = world.effects(vec![said(ann, &say::message("x")), said(bob, &say::message("y"))]);
    let shared: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send { to, frame } if frame.starts_with('[') => Some(to.to_vec()),
            _ => None,
        })
        .collect();
    assert_eq!(shared, [vec![ann.0, bob.0]]);
}

#[test]
fn a_large_turn_is_divided_and_nothing_is_lost() {
    let mut world = World::with(Limits { message_rate: 0, ..Limits::default() });
    let (ann, bob) = (world.joins_v1("ann"), world.joins_v1("bob"));
    world.so_far(&[ann, bob]);
    let text = "x".repeat(10_000);
    let effects = world.effects((0..60).map(|_| said(ann, &say::message(&text))).collect());
    let mut frames: BTreeMap<ConnId, Vec<usize>> = BTreeMap::new();
    for effect in &effects {
        if let Effect::Send { to, frame } = effect {
            assert!(frame.len() <= 256 * 1024 + 1, "{} bytes", frame.len());
            let events: Vec<Value> = serde_json::from_str(frame).unwrap();
            to.iter().for_each(|conn| frames.entry(*conn).or_default().push(events.len()));
        }
    }
    for counts in frames.values() {
        assert!(counts.len() > 1 && counts.iter().sum::<usize>() == 60, "{counts:?}");
    }
}

#[test]
fn nothing_is_encoded_for_a_dialect_that_nobody_speaks() {
    let mut world = World::new();
    let ann = world.joins("ann");
    let effects = world.effects(vec![said(ann, &say::message("hi"))]);
    assert!(effects.iter().all(|effect| !matches!(effect, Effect::Send { frame, .. } if frame.starts_with('['))));
    let mut world = World::new();
    let bob = world.joins_v1("bob");
    let effects = world.effects(vec![said(bob, &say::message("hi"))]);
    assert!(effects.iter().all(|effect| !matches!(effect, Effect::Send { frame, .. } if frame.starts_with('{'))));
}

#[test]
fn answers_stand_where_they_were_asked_for() {
    let (mut world, ann, bob, _) = three();
    world.turn(vec![
        said(ann, &say::message("two")),
        said(bob, &say::known_as(say::bare("history"), "h")),
        said(ann, &say::message("three")),
        said(bob, &say::known_as(say::edit(1, "ha"), "e")),
    ]);
    world.shows(bob, &["2 ann: two", "[h] history: 1 ann: one, 2 ann: two", "3 ann: three", "[e] error not_yours"]);
    world.shows(ann, &["2 ann: two", "3 ann: three"]);
}

#[test]
fn a_window_closed_in_a_turn_gets_what_came_before_and_nothing_after() {
    let mut world = World::with(Limits { sockets_per_user: 1, ..Limits::default() });
    let (ann, bob) = (world.joins_v1("ann"), world.joins_v1("bob"));
    world.so_far(&[ann, bob]);
    let (second, comes) = world.knocks_v1("bob", None);
    world.turn(vec![said(ann, &say::message("one")), comes, said(ann, &say::message("two"))]);
    world.shows(bob, &["1 ann: one", "closed 4506"]);
    assert_eq!(world.lines(second)[..2], ["hello 1; newest: 1 ann: one", "2 ann: two"]);
}

#[test]
fn come_and_gone_in_one_turn() {
    let mut world = World::with(Limits { sockets_per_user: 1, ..Limits::default() });
    let ann = world.joins_v1("ann");
    let (first, comes) = world.knocks_v1("bob", None);
    let (second, comes_too) = world.knocks_v1("bob", None);
    world.turn(vec![comes, said(ann, &say::message("one")), comes_too]);
    assert_eq!(world.lines(first), ["hello 0; newest: ", "1 ann: one", "closed 4506"]);
    assert_eq!(world.lines(second)[0], "hello 1; newest: 1 ann: one");
}
