//! A kept yes that has grown old admits at once; the backend is asked again in the background.

use std::time::Duration;

use chat_core::ids::ProjectId;
use chat_core::protocol::internal::Grant;
use futures_util::future::join;
use worker::Delay;

use crate::app::App;
use crate::auth::Visitor;
use crate::backend::access::Verdict;
use crate::config::{Access, Template};
use crate::{backend, clock, rooms};

/// The runtime gives background work 30 seconds; the question itself needs the rest.
const DELAY_MAX_MS: u64 = 25_000;

/// The room chose the delay: it spreads the questions of many who come back at once.
pub fn later(app: &App, visitor: &Visitor, project: &ProjectId, delay_ms: u64) {
    let Access::Origin(url) = &app.chat.access else { return };
    if visitor.identity.expired || delay_ms > DELAY_MAX_MS {
        return;
    }
    let (app, visitor, project, url) = (app.clone(), visitor.clone(), project.clone(), url.clone());
    app.clone().later(async move {
        Delay::from(Duration::from_millis(delay_ms)).await;
        ask(&app, &url, &visitor, &project).await;
    });
}

async fn ask(app: &App, url: &Template, visitor: &Visitor, project: &ProjectId) {
    let verdict = backend::access::ask(&app.chat, url, visitor, project);
    let (verdict, profile) = join(verdict, backend::profile::ask(&app.chat, visitor, project)).await;
    let grant = match verdict {
        Verdict::Yes(grant) => Some(Grant { profile, ..*grant }),
        Verdict::No(_) => None,
        // A token that is good and not taken is its user's, whom the backend signs in no more. One that has expired
        // meanwhile says nothing of the access that was given.
        Verdict::TokenRefused if clock::now().seconds() < visitor.identity.expires_at => None,
        Verdict::TokenRefused | Verdict::Silent => return,
    };
    // A room that cannot be told now asks again at the next call.
    let _ = rooms::tell_verdict(&app.env, project, &visitor.identity.user, grant).await;
}
