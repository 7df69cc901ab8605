use chat_core::ids::Seq;
use chat_core::limits::Limits;
use chat_core::protocol::internal::RoomCall;

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
