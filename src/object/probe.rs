//! Only in a build with the feature `panic-probe`: a room that panics when asked to, and the storage contract run on
//! the object's own SQLite.

use chat_core::effect::Answer;

use super::db::ObjectDb;

#[derive(Default)]
pub struct Probe {
    panics: bool,
}

impl Probe {
    /// `{"probe": "panic"}` panics at the end of the turn; `{"probe": "db_contract"}` is answered at once.
    pub fn take(&mut self, body: &str, db: &mut ObjectDb) -> Option<Answer> {
        let asked: serde_json::Value = serde_json::from_str(body).ok()?;
        match asked.get("probe")?.as_str()? {
            "panic" => {
                self.panics = true;
                Some(Answer::json(200, &"not reached"))
            }
            "db_contract" => Some(match chat_core::db::contract::check(db) {
                Ok(checks) => Answer::json(200, &serde_json::json!({ "checks": checks })),
                Err(error) => Answer::json(500, &serde_json::json!({ "failed": error })),
            }),
            _ => None,
        }
    }

    #[allow(clippy::panic, reason = "this is what the build is for")]
    pub fn panic_if_asked(&self) {
        assert!(!self.panics, "a panic on purpose");
    }
}
