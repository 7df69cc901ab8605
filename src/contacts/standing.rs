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

/// By what it is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Basis {
    /// The backend's own list, heard within `ACCESS_TTL`.
    List,
    /// The backend's own list, which is old, and the backend would not answer.
    OldList,
    /// The backend's word for each project.
    EachProject,
    /// The rooms alone: no backend is asked in this way of access.
    Rooms,
}

pub struct Standing {
    /// All that the user may be in, with what is known of each.
    pub projects: Vec<KnownProject>,
    /// The backend's own list, if it was asked just now.
    pub list: Option<Vec<ProjectInfo>>,
    /// What stands on that list for the first time.
    pub newly_listed: Vec<ProjectId>,
    /// What stands on it no longer.
    pub dropped: Vec<ProjectId>,
    basis: Basis,
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
        let basis = match app.chat.access {
            Access::Origin(_) if app.chat.backend.projects.is_empty() => Basis::EachProject,
            Access::Origin(_) => Basis::List,
            Access::Claims | Access::Members | Access::Any => Basis::Rooms,
        };
        let mut standing = Standing::new(known.projects, basis, now, ttl_ms);
        if basis == Basis::List && known.list_at.is_none_or(|at| now.since(at) >= ttl_ms) {
            match backend::projects::ask(&app.chat, &app.edge.project_ids, visitor).await {
                Ok(list) => standing.take(list),
                // What was heard before must do, as far as the rooms agree.
                Err(refusal) if refusal.code == ErrorCode::BackendUnavailable && known.list_at.is_some() => {
                    standing.basis = Basis::OldList;
                }
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(standing)
    }

    pub fn of_project(&self, project: &KnownProject) -> Sure {
        let confirmed = match self.basis {
            // A project that was not on the list, but whose room has told the user's object of it since.
            Basis::List => project.confirmed_at.is_some(),
            Basis::EachProject => project.confirmed_at.is_some_and(|at| self.now.since(at) < self.ttl_ms),
            Basis::OldList | Basis::Rooms => return Sure::LeaveToRoom,
        };
        if confirmed { Sure::Yes } else { Sure::Ask }
    }

    fn new(projects: Vec<KnownProject>, basis: Basis, now: Millis, ttl_ms: i64) -> Self {
        let (list, newly_listed, dropped) = (None, Vec::new(), Vec::new());
        Standing { projects, list, newly_listed, dropped, basis, now, ttl_ms }
    }

    /// The backend's list is the whole truth: what is not on it is not theirs.
    fn take(&mut self, list: Vec<ProjectInfo>) {
        let known = std::mem::take(&mut self.projects).into_iter().map(|known| (known.project.clone(), known));
        let mut known: HashMap<ProjectId, KnownProject> = known.collect();
        for info in &list {
            let entry = known.remove(&info.id);
            // That it stood on the list once is what `confirmed_at` keeps: a row is written once, not at each hearing.
            if entry.as_ref().is_none_or(|entry| entry.confirmed_at.is_none()) {
                self.newly_listed.push(info.id.clone());
            }
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
        self.dropped = known.into_keys().collect();
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

    fn standing(basis: Basis) -> Standing {
        Standing::new(vec![known("1", None), known("2", None)], basis, Millis(100_000), 60_000)
    }

    #[test]
    fn a_confirmation_holds_for_its_time() {
        let sure = |basis: Basis, at: Option<i64>| standing(basis).of_project(&known("1", at));
        assert_eq!(sure(Basis::EachProject, Some(40_001)), Sure::Yes);
        assert_eq!(sure(Basis::EachProject, Some(40_000)), Sure::Ask);
        assert_eq!(sure(Basis::EachProject, None), Sure::Ask);
        assert_eq!(sure(Basis::List, Some(1)), Sure::Yes);
        assert_eq!(sure(Basis::List, None), Sure::Ask);
        assert_eq!(sure(Basis::OldList, Some(99_999)), Sure::LeaveToRoom);
        assert_eq!(sure(Basis::Rooms, None), Sure::LeaveToRoom);
    }

    #[test]
    fn the_backends_list_replaces_what_was_known() {
        let mut standing = standing(Basis::List);
        let info =
            |id: &str| ProjectInfo { id: ProjectId::parse(id).unwrap(), name: Some("N".into()), created_at: None };
        standing.take(vec![info("2"), info("3")]);
        let shown: Vec<String> =
            standing.projects.iter().map(|p| format!("{} v{} {}", p.project, p.version, p.summary.is_some())).collect();
        assert_eq!(shown, ["2 v3 true", "3 v0 false"]);
        assert_eq!(standing.dropped, [ProjectId::parse("1").unwrap()]);
        assert_eq!(standing.newly_listed.len(), 2);
    }
}
