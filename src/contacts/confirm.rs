//! Entries that are current are shown at once; whether the user is still in their projects is asked after the answer.

use chat_core::ids::ProjectId;
use chat_core::protocol::internal::{Grant, KnownProject, Projects, UserCall};
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
    app.clone().later(async move { ask(&app, &visitor, &url, ids).await });
}

async fn ask(app: &App, visitor: &Visitor, url: &Template, ids: Vec<ProjectId>) {
    let user = &visitor.identity.user;
    let asked = ids.into_iter().map(|project| async move {
        let verdict = backend::access::ask(&app.chat, url, visitor, &project).await;
        let is_no = matches!(verdict, Verdict::No(_));
        if is_no {
            // A room that cannot be told now asks by itself in time.
            let _ = rooms::tell_verdict(&app.env, &project, user, None::<Grant>).await;
        }
        let heard = is_no || matches!(verdict, Verdict::Yes(_));
        heard.then_some((project, is_no))
    });
    let heard: Vec<(ProjectId, bool)> =
        stream::iter(asked).buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await;
    let (gone, confirmed): (Vec<_>, Vec<_>) = heard.into_iter().partition(|(_, is_no)| *is_no);
    if gone.is_empty() && confirmed.is_empty() {
        return;
    }
    let ids = |pairs: Vec<(ProjectId, bool)>| pairs.into_iter().map(|(project, _)| project).collect();
    let call = UserCall::Learn {
        list: None,
        summaries: Vec::new(),
        confirmed: ids(confirmed),
        gone: ids(gone),
        claimed: Vec::new(),
    };
    // What was not kept is asked again at the next poll.
    let _ = users::call::<Projects>(&app.env, user, call).await;
}
