//! Fetches one entry that is out of date from its room.

use chat_core::ids::ProjectId;
use chat_core::protocol::codes::{ErrorCode, Refusal};
use chat_core::protocol::internal::{
    Admission, KnownProject, LearnedSummary, ProjectInfo, RoomCall, RoomRequest, UserCall,
};

use super::standing::{Standing, Sure};
use crate::app::App;
use crate::auth::Visitor;
use crate::backend::access::Verdict;
use crate::config::Access;
use crate::rooms::RoomAnswer;
use crate::{access, backend, rooms};

pub enum Outcome {
    Fresh {
        entry: LearnedSummary,
        confirmed: bool,
    },
    /// Not theirs any more.
    Gone(ProjectId),
    /// Nobody can tell now; the next poll asks again.
    LeftOut,
}

/// # Errors
/// Only what is about the whole token: the backend does not take it, or the session was revoked.
pub async fn ask(app: &App, visitor: &Visitor, known: &KnownProject, sure: Sure) -> Result<Outcome, Refusal> {
    let project = &known.project;
    match (sure, &app.chat.access) {
        (Sure::Ask, Access::Origin(url)) => match backend::access::ask(&app.chat, url, visitor, project).await {
            Verdict::Yes(grant) => {
                let admission = Admission::Granted(*grant);
                let answer = access::enter_with(app, visitor, project, RoomCall::Summary, admission).await;
                outcome(known, true, answer).await
            }
            Verdict::No(_) => {
                // The room may still hold an older yes. When it cannot be told now, it asks by itself in time.
                let _ = rooms::tell_verdict(&app.env, project, &visitor.identity.user, None).await;
                Ok(Outcome::Gone(project.clone()))
            }
            Verdict::TokenRefused => Err(ErrorCode::TokenRefused.into()),
            Verdict::Silent => outcome(known, false, of_room(app, visitor, project).await).await,
        },
        (Sure::LeaveToRoom, Access::Origin(_)) => outcome(known, false, of_room(app, visitor, project).await).await,
        (Sure::Yes, Access::Origin(_)) => outcome(known, false, of_listed(app, visitor, known).await).await,
        _ => outcome(known, false, access::enter(app, visitor, project, RoomCall::Summary).await).await,
    }
}

/// The room's kept yes decides; the backend is not asked again, since it has just not answered.
async fn of_room(app: &App, visitor: &Visitor, project: &ProjectId) -> Result<RoomAnswer, Refusal> {
    let (project, identity) = (project.clone(), Some(visitor.identity.clone()));
    let request = RoomRequest { project, identity, admission: Admission::Unknown, call: RoomCall::Summary };
    rooms::call(&app.env, &request).await
}

/// To stand on the backend's list is no admission: the gate decides, and the room keeps what it decided. But the list
/// may know the project's name where the gate does not.
async fn of_listed(app: &App, visitor: &Visitor, known: &KnownProject) -> Result<RoomAnswer, Refusal> {
    let answer = of_room(app, visitor, &known.project).await?;
    if !answer.asks() {
        return Ok(answer);
    }
    let mut admission = access::full_admission(app, visitor, &known.project, Admission::Unknown).await?;
    if let Admission::Granted(grant) = &mut admission {
        grant.project_name = grant.project_name.take().or_else(|| known.name.clone());
        grant.project_created_at = grant.project_created_at.take().or_else(|| known.created_at.clone());
    }
    access::enter_with(app, visitor, &known.project, RoomCall::Summary, admission).await
}

async fn outcome(
    known: &KnownProject,
    confirmed: bool,
    answer: Result<RoomAnswer, Refusal>,
) -> Result<Outcome, Refusal> {
    let summary = match answer {
        Ok(answer) if answer.asks() => return Ok(Outcome::LeftOut),
        Ok(answer) => answer.read().await,
        Err(refusal) => Err(refusal),
    };
    match summary {
        Ok(summary) => {
            let entry = LearnedSummary { project: known.project.clone(), version: known.version, summary };
            Ok(Outcome::Fresh { entry, confirmed })
        }
        Err(refusal) => match refusal.code {
            ErrorCode::NoAccess | ErrorCode::Removed | ErrorCode::NoSuchProject => {
                Ok(Outcome::Gone(known.project.clone()))
            }
            ErrorCode::Revoked | ErrorCode::TokenRefused | ErrorCode::TokenExpired => Err(refusal),
            _ => Ok(Outcome::LeftOut),
        },
    }
}

/// What one poll learned, for the user's object to keep.
pub struct Learned {
    pub summaries: Vec<LearnedSummary>,
    list: Option<Vec<ProjectInfo>>,
    confirmed: Vec<ProjectId>,
    gone: Vec<ProjectId>,
}

impl Learned {
    pub fn new(outcomes: Vec<Outcome>, standing: &Standing) -> Self {
        let (list, confirmed) = (standing.list.clone(), standing.newly_listed.clone());
        let mut learned = Learned { summaries: Vec::new(), list, confirmed, gone: Vec::new() };
        for outcome in outcomes {
            match outcome {
                Outcome::Fresh { entry, confirmed } => {
                    if confirmed {
                        learned.confirmed.push(entry.project.clone());
                    }
                    learned.summaries.push(entry);
                }
                Outcome::Gone(project) => learned.gone.push(project),
                Outcome::LeftOut => {}
            }
        }
        learned
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_none() && self.summaries.is_empty() && self.confirmed.is_empty() && self.gone.is_empty()
    }

    pub fn into_call(self, claimed: Vec<ProjectId>) -> UserCall {
        let Learned { summaries, list, confirmed, gone } = self;
        UserCall::Learn { list, summaries, confirmed, gone, claimed }
    }
}
