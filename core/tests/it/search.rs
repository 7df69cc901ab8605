use chat_core::ids::Seq;
use chat_core::limits::Limits;
use chat_core::protocol::internal::RoomCall;
use serde_json::json;

use crate::say;
use crate::world::{Window, World, three};

fn with(texts: &[&str]) -> (World, Window) {
    let mut world = World::with(Limits { message_rate: 0, query_rate: 0, ..Limits::default() });
    let ann = world.joins_v1("ann");
    texts.iter().for_each(|text| world.sends(ann, text));
    (world, ann)
}

/// The ids of what is found, newest first.
fn found(world: &mut World, window: Window, query: &str) -> Vec<i64> {
    world.so_far(&[window]);
    world.frame(window, &say::search(query));
    let page = world.frames(window).last().unwrap();
    assert_eq!(page["type"], "search", "{page}");
    page["messages"].as_array().unwrap().iter().map(|message| message["id"].as_i64().unwrap()).collect()
}

#[test]
fn words_in_any_script_and_case_and_parts_of_them() {
    let (mut world, ann) = with(&[
        "Привет, МИР",
        "Καλημέρα ΚΌΣΜΕ",
        "Grüße aus MÜNCHEN",
        "東京都に行きました",
        "ship it 🚀👩‍🚀 now",
        "plain Words here",
        "ΟΔΟΣ ΣΟΦΙΑΣ",
        "ÅNGSTRÖM",
    ]);
    for (query, ids) in [
        ("мир", vec![1]),
        ("МИР", vec![1]),
        ("привет", vec![1]),
        ("ивет", vec![1]),
        ("κόσμε", vec![2]),
        ("ΚΑΛΗΜΈΡΑ", vec![2]),
        ("ημέ", vec![2]),
        ("grüsse", vec![]),
        ("GRÜSSE", vec![]),
        ("grüße", vec![3]),
        ("münchen", vec![3]),
        ("ÜNCH", vec![3]),
        ("京", vec![4]),
        ("東京", vec![4]),
        ("行き", vec![4]),
        ("東行", vec![]),
        ("🚀", vec![5]),
        ("👩‍🚀", vec![5]),
        ("words", vec![6]),
        ("WORD", vec![6]),
        ("ord", vec![6]),
        ("here plain", vec![6]),
        ("here gone", vec![]),
        ("  plain \t\n here ", vec![6]),
        ("οδος", vec![7]),
        ("ΟΔΟΣ", vec![7]),
        ("οδοσ", vec![7]),
        ("σοφίας", vec![]),
        ("σοφιας", vec![7]),
        ("ΣΟΦΙΑΣ ΟΔΟΣ", vec![7]),
        ("ångström", vec![8]),
    ] {
        assert_eq!(found(&mut world, ann, query), ids, "{query}");
    }
}

#[test]
fn a_capital_sigma_within_a_word_is_found_by_a_word_that_ends_with_it() {
    let (mut world, ann) = with(&["ΟΔΟΣΗΜΑ"]);
    assert_eq!(found(&mut world, ann, "ΟΔΟΣ"), [1]);
    assert_eq!(found(&mut world, ann, "οδος"), [1]);
}

#[test]
fn what_means_something_elsewhere_is_taken_as_it_is() {
    let (mut world, ann) = with(&[
        "100% sure",
        "snake_case",
        "a * b",
        "say \"hi\"",
        "it's",
        "C:\\dir",
        "a-b NEAR c",
        "100 sure",
        "snakeXcase",
    ]);
    for (query, ids) in [
        ("%", vec![1]),
        ("100%", vec![1]),
        ("e_c", vec![2]),
        ("_", vec![2]),
        ("*", vec![3]),
        ("\"", vec![4]),
        ("\"hi\"", vec![4]),
        ("'", vec![5]),
        ("it's", vec![5]),
        ("\\", vec![6]),
        ("a-b", vec![7]),
        ("near", vec![7]),
        ("' OR 1=1 --", vec![]),
        ("?1", vec![]),
    ] {
        assert_eq!(found(&mut world, ann, query), ids, "{query}");
    }
}

#[test]
fn what_was_edited_away_or_deleted_is_not_found() {
    let (mut world, ann) = with(&["ПЕРВЫЙ text", "second text", "third"]);
    world.frame(ann, &say::edit(1, "другой Text"));
    world.frame(ann, &say::delete(2));
    world.frame(ann, &say::edit(3, "ТРЕТИЙ"));
    assert_eq!(found(&mut world, ann, "первый"), [0; 0]);
    assert_eq!(found(&mut world, ann, "third"), [0; 0]);
    assert_eq!(found(&mut world, ann, "text"), [1]);
    assert_eq!(found(&mut world, ann, "ДРУГОЙ"), [1]);
    assert_eq!(found(&mut world, ann, "третий"), [3]);
    world.frame(ann, &say::edit(3, "plain again"));
    assert_eq!(found(&mut world, ann, "третий"), [0; 0]);
    assert_eq!(found(&mut world, ann, "AGAIN"), [3]);
}

#[test]
fn one_sender_alone_can_be_asked_for() {
    let (mut world, ann, bob, _) = three();
    world.sends(bob, "one, too");
    let by = |user: &str| json!({ "type": "search", "query": "one", "sender": user, "ref": "s" });
    assert_eq!(world.asks(ann, &by("bob")), "[s] search: 2 bob: one, too");
    assert_eq!(world.asks(ann, &by("nobody")), "[s] search: ");
    assert_eq!(world.asks(ann, &say::search("one")), "search: 2 bob: one, too, 1 ann: one");
}

#[test]
fn pages_go_back_to_the_first_message() {
    let (mut world, ann) = with(&["hit 1", "x", "hit 3", "hit 4", "x", "hit 6"]);
    let mut page = |before: Option<i64>| {
        world.asks(ann, &json!({ "type": "search", "query": "hit", "limit": 2, "before": before }))
    };
    assert_eq!(page(None), "search: 6 ann: hit 6, 4 ann: hit 4, more_before 4");
    assert_eq!(page(Some(4)), "search: 3 ann: hit 3, 1 ann: hit 1");
    assert_eq!(page(Some(1)), "search: ");
    assert_eq!(page(Some(0)), "search: ");
    assert_eq!(page(Some(9_007_199_254_740_991)), "search: 6 ann: hit 6, 4 ann: hit 4, more_before 4");
}

#[test]
fn each_step_looks_at_a_bounded_part_and_says_where_the_next_goes_on() {
    let mut world = World::with(Limits { message_rate: 0, query_rate: 0, search_scan: 100, ..Limits::default() });
    let ann = world.joins_v1("ann");
    world.sends(ann, "needle");
    for _ in 0..350 {
        world.sends(ann, "hay");
    }
    world.sends(ann, "needle");
    let (mut before, mut steps) = (None, Vec::new());
    loop {
        world.frame(ann, &json!({ "type": "search", "query": "needle", "before": before }));
        let page = world.frames(ann).last().unwrap();
        let ids: Vec<_> = page["messages"].as_array().unwrap().iter().map(|m| m["id"].as_i64().unwrap()).collect();
        before = page.get("next_before").and_then(|next| next.as_i64());
        assert_eq!(page["more_before"], before.is_some());
        steps.push((ids, before));
        if before.is_none() {
            break;
        }
    }
    let expected = [(vec![352], Some(253)), (vec![], Some(153)), (vec![], Some(53)), (vec![1], None)];
    assert_eq!(steps, expected);
    // What was forgotten is not looked for.
    world.serves(RoomCall::Prune { up_to: Seq(300) });
    let page = world.asks(ann, &say::search("needle"));
    assert_eq!(page, "search: 352 ann: needle");
}

#[test]
fn bad_questions_are_refused_and_too_many_have_to_wait() {
    let (mut world, ann) = with(&["one"]);
    for frame in [
        say::search(""),
        say::search(" \n "),
        say::search(&"x".repeat(201)),
        say::bare("search"),
        json!({ "type": "search", "query": ["one"] }),
        json!({ "type": "search", "query": "one", "sender": {} }),
        json!({ "type": "search", "query": "one", "limit": -1 }),
        json!({ "type": "search", "query": "one", "before": "then" }),
    ] {
        assert_eq!(world.asks(ann, &frame), "error invalid_field", "{frame}");
    }
    assert_eq!(found(&mut world, ann, &"o".repeat(200)), [0; 0]);
    assert_eq!(found(&mut world, ann, "a\0b"), [0; 0]);
    world.settings.limits = Limits { query_rate: 1, ..Limits::default() };
    world.hibernates();
    for _ in 0..10 {
        assert_eq!(found(&mut world, ann, "one"), [1]);
    }
    assert_eq!(world.asks(ann, &say::search("one")), "error rate_limited");
}
