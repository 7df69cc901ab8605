//! Is the user still in the projects whose entries are shown? Asked after the answer, which does not wait for it.

use chat_core::ids::ProjectId;
use chat_core::protocol::internal::{KnownProject, Projects, UserCall};
use futures_util::{StreamExt, stream};

use super::AT_ONCE;
use super::standing::{Standing, Sure};
use crate::app::App;
use crate::auth::Visitor;
use crate::backend::access::Verdict;
use crate::config::{Access, Template};
use crate::{backend, rooms, users};

/// Questions per poll; the polls to come ask about the others.
const PER_POLL: usize = 6;

pub fn later(app: &App, visitor: &Visitor, standing: &Standing, projects: &[KnownProject]) {
    let Access::Origin(url) = &app.chat.access else { return };
    let doubtful = projects.iter().filter(|known| known.summary.is_some() && standing.of_project(known) == Sure::Ask);
    let mut doubtful: Vec<&KnownProject> = doubtful.collect();
    doubtful.sort_by_key(|known| known.confirmed_at);
    let ids: Vec<ProjectId> = doubtful.into_iter().take(PER_POLL).map(|known| known.project.clone()).collect();
    if ids.is_empty() {
        return;
    }
    let (app, visitor, url) = (app.clone(), visitor.clone(), url.clone());
    app.clone().later(async move {
        let Heard { gone, confirmed } = ask(&app, &visitor, &url, ids).await;
        if gone.is_empty() && confirmed.is_empty() {
            return;
        }
        let call = UserCall::Learn { list: None, summaries: Vec::new(), confirmed, gone, claimed: Vec::new() };
        // What was not kept is asked again at the next poll.
        let _ = users::call::<Projects>(&app.env, &visitor.identity.user, call).await;
    });
}

/// A project that has left the backend's list may still be open to the user, or not: then its room must know at once.
pub async fn dropped(app: &App, visitor: &Visitor, ids: Vec<ProjectId>) {
    if let Access::Origin(url) = &app.chat.access {
        ask(app, visitor, url, ids).await;
    }
}

struct Heard {
    gone: Vec<ProjectId>,
    confirmed: Vec<ProjectId>,
}

async fn ask(app: &App, visitor: &Visitor, url: &Template, ids: Vec<ProjectId>) -> Heard {
    let asked = ids.into_iter().map(|project| async move {
        let verdict = backend::access::ask(&app.chat, url, visitor, &project).await;
        if matches!(verdict, Verdict::No(_)) {
            // A room that cannot be told now asks by itself in time.
            let _ = rooms::tell_verdict(&app.env, &project, &visitor.identity.user, None).await;
        }
        (project, verdict)
    });
    let mut heard = Heard { gone: Vec::new(), confirmed: Vec::new() };
    let mut verdicts = stream::iter(asked).buffer_unordered(AT_ONCE);
    while let Some((project, verdict)) = verdicts.next().await {
        match verdict {
            Verdict::Yes(_) => heard.confirmed.push(project),
            Verdict::No(_) => heard.gone.push(project),
            Verdict::TokenRefused | Verdict::Silent => {}
        }
    }
    heard
}
