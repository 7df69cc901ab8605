use chat_core::effect::Effect;
use chat_core::ids::{Millis, ProjectId, Ticket};
use chat_core::limits::Limits;
use chat_core::protocol::internal::{LearnedSummary, ProjectInfo, Projects, UserCall};
use chat_core::user::{Input, Settings, User};
use serde_json::{Value, json};

use crate::db::Sqlite;
use crate::world::NOON;

struct Object {
    db: Sqlite,
    now: Millis,
    user: User,
}

impl Object {
    fn new() -> Self {
        let settings = Settings { user: crate::world::user("ann"), limits: Limits::default() };
        Object { db: Sqlite::new(), now: NOON, user: User::open(settings, []) }
    }

    fn call(&mut self, call: UserCall) -> Value {
        let input = Input::Call { ticket: Ticket(1), call };
        let mut effects = self.user.turn(self.now, vec![input], &mut self.db).unwrap();
        let Some(Effect::Answer { answer, .. }) = effects.pop() else { panic!("a call is answered") };
        assert_eq!(answer.status, 200);
        serde_json::from_str(&answer.body).unwrap()
    }

    fn projects(&mut self) -> Projects {
        serde_json::from_value(self.call(UserCall::Projects { claimed: vec![] })).unwrap()
    }

    fn told(&mut self, id: &str) {
        self.call(UserCall::Tell { project: project(id), gone: false, asked: true });
    }

    fn learns(&mut self, id: &str, version: i64, text: &str) -> Value {
        let learned = LearnedSummary { project: project(id), version, summary: json!({ "text": text }) };
        self.call(learn(vec![learned]))
    }

    /// `id: text` of each project, `-` where the entry is out of date.
    fn shows(&mut self, expected: &[&str]) {
        let text = |summary: Option<Value>| summary.map_or("-".to_owned(), |s| s["text"].as_str().unwrap().to_owned());
        let shown: Vec<_> =
            self.projects().projects.into_iter().map(|p| format!("{}: {}", p.project, text(p.summary))).collect();
        assert_eq!(shown, expected);
    }
}

fn project(id: &str) -> ProjectId {
    ProjectId::parse(id).unwrap()
}

fn learn(summaries: Vec<LearnedSummary>) -> UserCall {
    UserCall::Learn { list: None, summaries, confirmed: vec![], gone: vec![], claimed: vec![] }
}

fn named(ids: &[&str]) -> UserCall {
    let info = |id: &&str| ProjectInfo { id: project(id), name: Some(format!("P{id}")), created_at: None };
    let list = Some(ids.iter().map(info).collect());
    UserCall::Learn { list, summaries: vec![], confirmed: vec![], gone: vec![], claimed: vec![] }
}

#[test]
fn asking_leaves_no_trace() {
    let mut object = Object::new();
    object.shows(&[]);
    assert_eq!(object.call(UserCall::Revocation), json!({ "revoked_before": null }));
    use chat_core::db::Db;
    assert!(object.db.run("SELECT 1 FROM sqlite_master", &[]).unwrap().is_empty());
}

#[test]
fn an_entry_is_kept_until_its_room_says_that_it_is_out_of_date() {
    let mut object = Object::new();
    object.told("5");
    object.shows(&["5: -"]);
    object.learns("5", 1, "hi");
    object.shows(&["5: hi"]);
    object.told("5");
    object.shows(&["5: -"]);
}

#[test]
fn an_entry_fetched_before_a_change_is_not_kept_after_it() {
    let mut object = Object::new();
    object.told("5");
    let version = object.projects().projects[0].version;
    object.told("5");
    object.learns("5", version, "old");
    object.shows(&["5: -"]);
    object.learns("5", version + 1, "new");
    object.shows(&["5: new"]);
}

#[test]
fn the_backends_own_list_is_the_whole_truth() {
    let mut object = Object::new();
    object.told("5");
    object.told("6");
    assert_eq!(object.projects().list_at, None);
    object.now = NOON.plus(1000);
    object.call(named(&["6", "7"]));
    object.shows(&["6: -", "7: -"]);
    let known = object.projects();
    assert_eq!(known.list_at, Some(NOON.plus(1000)));
    assert_eq!(known.projects[1].name.as_deref(), Some("P7"));
    object.learns("7", 0, "hi");
    object.call(named(&["7"]));
    object.shows(&["7: hi"]);
}

#[test]
fn claimed_projects_are_listed_and_not_stored() {
    let mut object = Object::new();
    object.told("5");
    let claimed = vec![project("5"), project("8")];
    let shown: Projects = serde_json::from_value(object.call(UserCall::Projects { claimed })).unwrap();
    let ids: Vec<_> = shown.projects.iter().map(|p| p.project.to_string()).collect();
    assert_eq!(ids, ["5", "8"]);
    object.shows(&["5: -"]);
}

#[test]
fn confirmations_and_departures_are_remembered() {
    let mut object = Object::new();
    object.told("5");
    object.told("6");
    object.now = NOON.plus(5);
    let call = UserCall::Learn {
        list: None,
        summaries: vec![],
        confirmed: vec![project("5")],
        gone: vec![project("6")],
        claimed: vec![],
    };
    object.call(call);
    let known = object.projects().projects;
    assert_eq!((known.len(), known[0].confirmed_at), (1, Some(NOON.plus(5))));
    object.call(UserCall::Tell { project: project("5"), gone: true, asked: false });
    object.shows(&[]);
}

#[test]
fn revocation_only_moves_forward_and_names_the_rooms_to_tell() {
    let mut object = Object::new();
    object.told("5");
    object.told("6");
    assert_eq!(object.call(UserCall::Revoke { before: 100 }), json!({ "projects": [5, 6], "revoked_before": 100 }));
    object.call(UserCall::Revoke { before: 50 });
    assert_eq!(object.call(UserCall::Revocation), json!({ "revoked_before": 100 }));
}

#[test]
fn an_entry_on_its_way_does_not_bring_back_what_is_gone() {
    let mut object = Object::new();
    object.told("5");
    let version = object.projects().projects[0].version;
    object.call(UserCall::Tell { project: project("5"), gone: true, asked: false });
    object.learns("5", version, "secret");
    object.shows(&[]);
    object.told("5");
    object.shows(&["5: -"]);
    object.call(named(&[]));
    object.shows(&[]);
    object.call(named(&["5"]));
    object.shows(&["5: -"]);
}

#[test]
fn the_rooms_of_projects_that_are_gone_are_told_of_a_revocation_too() {
    let mut object = Object::new();
    object.told("5");
    object.call(named(&["6"]));
    assert_eq!(object.call(UserCall::Revoke { before: 1 })["projects"], json!([5, 6]));
}

#[test]
fn hearing_again_what_is_known_writes_nothing() {
    let mut object = Object::new();
    object.told("5");
    let version = object.projects().projects[0].version;
    object.call(UserCall::Tell { project: project("5"), gone: false, asked: false });
    assert_eq!(object.projects().projects[0].version, version);
    object.learns("5", version, "hi");
    object.call(UserCall::Tell { project: project("5"), gone: false, asked: false });
    object.shows(&["5: -"]);
}
