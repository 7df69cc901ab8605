use chat_core::ids::Seq;
use chat_core::limits::Limits;
use chat_core::protocol::internal::RoomCall;

use serde_json::json;

use crate::world::World;

fn ten() -> World {
    let mut world = World::with(Limits { history_page: 3, history_page_max: 5, ..Limits::default() });
    let ann = world.joins("ann");
    for number in 1..=10 {
        world.sends(ann, &number.to_string());
    }
    world
}

fn page(world: &mut World, limit: Option<u32>, before: Option<i64>, after: Option<i64>) -> (Vec<i64>, Option<String>) {
    let call = RoomCall::Messages { limit, before: before.map(Seq), after: after.map(Seq) };
    let answer = world.calls("ann", call);
    let ids = World::body(&answer).as_array().unwrap().iter().map(|m| m["id"].as_i64().unwrap()).collect();
    (ids, answer.page)
}

fn next(query: &str) -> Option<String> {
    Some(format!("{{\"next\":\"{query}\"}}"))
}

#[test]
fn the_newest_page_and_from_there_back_to_the_first() {
    let mut world = ten();
    assert_eq!(page(&mut world, None, None, None), (vec![10, 9, 8], next("before_id=8&limit=3")));
    assert_eq!(page(&mut world, None, Some(8), None), (vec![7, 6, 5], next("before_id=5&limit=3")));
    assert_eq!(page(&mut world, None, Some(4), None), (vec![3, 2, 1], None));
    assert_eq!(page(&mut world, None, Some(1), None), (vec![], None));
}

#[test]
fn what_followed_a_message_newest_first() {
    let mut world = ten();
    assert_eq!(page(&mut world, None, None, Some(5)), (vec![8, 7, 6], next("after=8&limit=3")));
    assert_eq!(page(&mut world, None, None, Some(8)), (vec![10, 9], None));
    assert_eq!(page(&mut world, None, None, Some(99)), (vec![], None));
}

#[test]
fn a_page_has_its_bounds() {
    let mut world = ten();
    assert_eq!(page(&mut world, Some(99), None, None).0.len(), 5);
    assert_eq!(page(&mut world, Some(0), None, None).0.len(), 1);
    assert_eq!(page(&mut world, None, Some(i64::MAX), None).0, vec![10, 9, 8]);
}

#[test]
fn an_empty_project_has_an_empty_history() {
    let mut world = World::new();
    world.joins("ann");
    assert_eq!(page(&mut world, None, None, None), (vec![], None));
    let served = World::new().serves(RoomCall::Messages { limit: None, before: None, after: None });
    assert_eq!(served.body, "[]");
}

fn ids(
    world: &mut World,
    window: crate::world::Window,
    place: &serde_json::Value,
) -> (Vec<i64>, Option<bool>, Option<bool>) {
    let mut frame = crate::say::bare("history");
    frame.as_object_mut().unwrap().extend(place.as_object().unwrap().clone());
    world.frame(window, &frame);
    let page = world.frames(window).last().unwrap();
    assert_eq!(page["type"], "history", "{page}");
    let ids = page["messages"].as_array().unwrap().iter().map(|message| message["id"].as_i64().unwrap()).collect();
    let flag = |name: &str| page.get(name).and_then(serde_json::Value::as_bool);
    (ids, flag("more_before"), flag("more_after"))
}

#[test]
fn a_v1_page_is_in_order_and_says_what_lies_beyond_it() {
    let mut world = ten();
    let bob = world.joins_v1("bob");
    let mut page = |place: serde_json::Value| ids(&mut world, bob, &place);
    assert_eq!(page(json!({ "limit": 3 })), (vec![8, 9, 10], Some(true), Some(false)));
    assert_eq!(page(json!({ "limit": 3, "before": 8 })), (vec![5, 6, 7], Some(true), None));
    assert_eq!(page(json!({ "limit": 3, "before": 4 })), (vec![1, 2, 3], Some(false), None));
    assert_eq!(page(json!({ "before": 1 })), (vec![], Some(false), None));
    assert_eq!(page(json!({ "before": 0 })), (vec![], Some(false), None));
    assert_eq!(page(json!({ "limit": 3, "after": 5 })), (vec![6, 7, 8], None, Some(true)));
    assert_eq!(page(json!({ "limit": 3, "after": 7 })), (vec![8, 9, 10], None, Some(false)));
    assert_eq!(page(json!({ "after": 99 })), (vec![], None, Some(false)));
    assert_eq!(page(json!({ "limit": 4, "around": 5 })), (vec![3, 4, 5, 6], Some(true), Some(true)));
    assert_eq!(page(json!({ "limit": 1, "around": 5 })), (vec![4, 5], Some(true), Some(true)));
    assert_eq!(page(json!({ "limit": 4, "around": 1 })), (vec![1, 2], Some(false), Some(true)));
    assert_eq!(page(json!({ "limit": 4, "around": 0 })), (vec![1, 2], Some(false), Some(true)));
    assert_eq!(page(json!({ "limit": 4, "around": 99 })), (vec![9, 10], Some(true), Some(false)));
    assert_eq!(page(json!({ "limit": 99 })).0.len(), 5, "at most HISTORY_PAGE_MAX");
    assert_eq!(page(json!({ "limit": 2, "before": "8" })), (vec![6, 7], Some(true), None));
}

#[test]
fn a_v1_page_that_cannot_be_is_refused() {
    let mut world = ten();
    let bob = world.joins_v1("bob");
    for place in [
        json!({ "before": 5, "after": 2 }),
        json!({ "before": 5, "around": 2 }),
        json!({ "limit": 0 }),
        json!({ "limit": 1.5 }),
        json!({ "before": -1 }),
        json!({ "around": [1] }),
    ] {
        let mut frame = crate::say::known_as(crate::say::bare("history"), "h");
        frame.as_object_mut().unwrap().extend(place.as_object().unwrap().clone());
        world.so_far(&[bob]);
        assert_eq!(world.asks(bob, &frame), "[h] error invalid_field", "{place}");
    }
}

#[test]
fn a_v1_message_carries_the_applications_own_object() {
    let mut world = World::new();
    let (ann, cy) = (world.joins_v1("ann"), world.joins("cy"));
    let data = json!({ "order": 7, "nested": { "list": [1, null, "x"] } });
    world.frame(ann, &json!({ "type": "send_message", "content": "hi", "data": data }));
    assert_eq!(world.frames(ann).last().unwrap()["message"]["data"], data);
    assert_eq!(world.frames(cy).last().unwrap()["message"].get("data"), None);
    world.hibernates();
    world.frame(ann, &crate::say::bare("history"));
    assert_eq!(world.frames(ann).last().unwrap()["messages"][0]["data"], data);
    for data in [json!("text"), json!([1]), json!(7), json!({ "long": "x".repeat(4096) })] {
        let frame = json!({ "type": "send_message", "content": "hi", "data": data });
        assert_eq!(world.asks(ann, &frame), "error invalid_field");
    }
}

#[test]
fn a_v1_page_ends_where_it_grows_too_large() {
    let limits = Limits { resume_chunk_bytes: 65_536, message_rate: 0, ..Limits::default() };
    let mut world = World::with(limits);
    let ann = world.joins_v1("ann");
    let text = format!("needle {}", "漢".repeat(9_990));
    for _ in 0..6 {
        world.frame(ann, &json!({ "type": "send_message", "content": text, "mentions": ["bob"] }));
    }
    let bob = world.joins_v1("bob");
    let hello = world.frames(bob)[0].clone();
    assert_eq!((hello["messages"].as_array().unwrap().len(), hello["more_before"].as_bool()), (3, Some(true)));
    assert_eq!(ids(&mut world, bob, &json!({})), (vec![4, 5, 6], Some(true), Some(false)));
    assert_eq!(ids(&mut world, bob, &json!({ "before": 4 })), (vec![1, 2, 3], Some(false), None));
    assert_eq!(ids(&mut world, bob, &json!({ "after": 0 })), (vec![1, 2, 3], None, Some(true)));
    assert_eq!(ids(&mut world, bob, &json!({ "after": 4 })), (vec![5, 6], None, Some(false)));
    for _ in 0..4 {
        world.frame(ann, &json!({ "type": "send_message", "content": text, "mentions": ["bob"], "reply_to": 1 }));
    }
    let mut page = |frame: serde_json::Value| {
        world.frame(bob, &frame);
        let page = world.frames(bob).last().unwrap();
        let ids = page["messages"].as_array().unwrap().iter().map(|m| m["id"].as_i64().unwrap()).collect::<Vec<_>>();
        (ids, page["more_before"].as_bool(), page.get("next_before").and_then(serde_json::Value::as_i64))
    };
    assert_eq!(page(crate::say::search("needle")), (vec![10, 9, 8], Some(true), Some(8)));
    assert_eq!(page(json!({ "type": "search", "query": "needle", "before": 3 })), (vec![2, 1], Some(false), None));
    assert_eq!(page(crate::say::thread(1)), (vec![8, 9, 10], Some(true), None));
    assert_eq!(page(crate::say::bare("mentions")), (vec![10, 9, 8], Some(true), None));
}
