//! How sure it is, before a room is asked, that a user is in a project.

use std::collections::HashMap;

use chat_core::ids::{Millis, ProjectId};
use chat_core::protocol::codes::{ErrorCode, Refusal};
use chat_core::protocol::internal::{KnownProject, ProjectInfo, Projects};

use crate::app::App;
use crate::auth::Visitor;
use crate::backend;
use crate::config::Access;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sure {
    /// The backend said so within `ACCESS_TTL`.
    Yes,
    /// Ask it about this project.
    Ask,
    /// It would not answer: only the room's kept yes can tell. Or it is not asked in this way of access at all.
    LeaveToRoom,
}

pub struct Standing {
    /// All that the user may be in, with what is known of each.
    pub projects: Vec<KnownProject>,
    /// The backend's own list, if it was asked just now.
    pub list: Option<Vec<ProjectInfo>>,
    /// For all projects alike, where the backend has a list.
    of_all: Option<Sure>,
    now: Millis,
    ttl_ms: i64,
}

impl Standing {
    /// Asks the backend for its list when that is old.
    ///
    /// # Errors
    /// `BackendUnavailable` when the list was never heard; `TokenRefused`.
    pub async fn of(app: &App, visitor: &Visitor, known: Projects, now: Millis) -> Result<Self, Refusal> {
        let ttl_ms = app.chat.limits.access_ttl_s.saturating_mul(1000);
        let mut standing = Standing { projects: known.projects, list: None, of_all: None, now, ttl_ms };
        if !matches!(app.chat.access, Access::Origin(_)) {
            standing.of_all = Some(Sure::LeaveToRoom);
        } else if !app.chat.backend.projects.is_empty() {
            standing.of_all = Some(Sure::Yes);
            if known.list_at.is_none_or(|at| now.since(at) >= ttl_ms) {
                match backend::projects::ask(&app.chat, &app.edge.project_ids, visitor).await {
                    Ok(list) => standing.take(list),
                    // What was heard before must do, as far as the rooms agree.
                    Err(refusal) if refusal.code == ErrorCode::BackendUnavailable && known.list_at.is_some() => {
                        standing.of_all = Some(Sure::LeaveToRoom);
                    }
                    Err(refusal) => return Err(refusal),
                }
            }
        }
        Ok(standing)
    }

    pub fn of_project(&self, project: &KnownProject) -> Sure {
        self.of_all.unwrap_or(if self.is_fresh(project) { Sure::Yes } else { Sure::Ask })
    }

    fn is_fresh(&self, project: &KnownProject) -> bool {
        project.confirmed_at.is_some_and(|at| self.now.since(at) < self.ttl_ms)
    }

    /// The backend's list is the whole truth: what is not on it is not theirs.
    fn take(&mut self, list: Vec<ProjectInfo>) {
        let known = std::mem::take(&mut self.projects).into_iter().map(|known| (known.project.clone(), known));
        let mut known: HashMap<ProjectId, KnownProject> = known.collect();
        for info in &list {
            let entry = known.remove(&info.id);
            let (summary, version) = entry.map_or((None, 0), |entry| (entry.summary, entry.version));
            self.projects.push(KnownProject {
                project: info.id.clone(),
                summary,
                version,
                confirmed_at: Some(self.now),
                name: info.name.clone(),
                created_at: info.created_at.clone(),
            });
        }
        self.list = Some(list);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn known(id: &str, confirmed_at: Option<i64>) -> KnownProject {
        let project = ProjectId::parse(id).unwrap();
        let summary = Some(json!({}));
        KnownProject {
            project,
            summary,
            version: 3,
            confirmed_at: confirmed_at.map(Millis),
            name: None,
            created_at: None,
        }
    }

    fn standing(of_all: Option<Sure>) -> Standing {
        Standing {
            projects: vec![known("1", None), known("2", None)],
            list: None,
            of_all,
            now: Millis(100_000),
            ttl_ms: 60_000,
        }
    }

    #[test]
    fn a_confirmation_holds_for_its_time() {
        assert_eq!(standing(None).of_project(&known("1", Some(40_001))), Sure::Yes);
        assert_eq!(standing(None).of_project(&known("1", Some(40_000))), Sure::Ask);
        assert_eq!(standing(None).of_project(&known("1", None)), Sure::Ask);
        assert_eq!(standing(Some(Sure::LeaveToRoom)).of_project(&known("1", None)), Sure::LeaveToRoom);
    }

    #[test]
    fn the_backends_list_replaces_what_was_known() {
        let mut standing = standing(Some(Sure::Yes));
        let info =
            |id: &str| ProjectInfo { id: ProjectId::parse(id).unwrap(), name: Some("N".into()), created_at: None };
        standing.take(vec![info("2"), info("3")]);
        let shown: Vec<String> =
            standing.projects.iter().map(|p| format!("{} v{} {}", p.project, p.version, p.summary.is_some())).collect();
        assert_eq!(shown, ["2 v3 true", "3 v0 false"]);
    }
}
