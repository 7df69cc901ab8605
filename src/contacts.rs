//! A user's contacts: one entry per project they are in.
//!
//! Their own object keeps the entries. Only the rooms whose entry is out of date are asked, only what has not been
//! confirmed within `ACCESS_TTL` is asked of the backend, and what was learned is given to the user's object in one
//! call: a poll with nothing new wakes that object and nothing else.

mod confirm;
mod refresh;
mod standing;

pub use chat_core::user::entry::inbox_entry;

use chat_core::features::access::is_revoked;
use chat_core::ids::ProjectId;
use chat_core::protocol::codes::{ErrorCode, Refusal};
use chat_core::protocol::internal::{KnownProject, Projects, UserCall};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use crate::app::App;
use crate::auth::Visitor;
use crate::config::Access;
use crate::{clock, users};
use refresh::Learned;
use standing::Standing;

/// The platform lets six requests wait at a time.
const AT_ONCE: usize = 6;
/// Rooms asked in one poll: the platform bounds what one request may call. What is left is asked by the next poll, as
/// what was learned is kept.
const ASKED_MAX: usize = 100;

/// The entries, newest activity first.
pub async fn of(app: &App, visitor: &Visitor) -> Result<Vec<Value>, Refusal> {
    let user = &visitor.identity.user;
    let claimed = claimed(app, visitor);
    let known: Projects = users::call(&app.env, user, UserCall::Projects { claimed: claimed.clone() }).await?;
    if known.revoked_before.is_some_and(|before| is_revoked(visitor.identity.issued_at, before)) {
        return Err(ErrorCode::Revoked.into());
    }
    let mut standing = Standing::of(app, visitor, known, clock::now()).await?;
    confirm::dropped(app, visitor, std::mem::take(&mut standing.dropped)).await;
    let projects = visible(app, &claimed, standing.projects.clone());

    let stale = projects.iter().filter(|project| project.summary.is_none()).take(ASKED_MAX);
    let asked = stale.map(|project| refresh::ask(app, visitor, project, standing.of_project(project)));
    let outcomes = stream::iter(asked).buffer_unordered(AT_ONCE).try_collect::<Vec<_>>().await?;
    let learned = Learned::new(outcomes, &standing);
    let fresh = learned.summaries.clone();
    let projects = if learned.is_empty() {
        projects
    } else {
        let known: Projects = users::call(&app.env, user, learned.into_call(claimed.clone())).await?;
        visible(app, &claimed, known.projects)
    };
    confirm::later(app, visitor, &standing, &projects);
    Ok(chat_core::user::entry::sorted(projects, &fresh))
}

/// With `ACCESS=claims` the token's word is the whole truth: other projects that were entered once are not shown.
fn visible(app: &App, claimed: &[ProjectId], mut projects: Vec<KnownProject>) -> Vec<KnownProject> {
    if matches!(app.chat.access, Access::Claims) {
        projects.retain(|known| claimed.contains(&known.project));
    }
    projects
}

/// The only projects that an inbox of this user's may show; `None`: all that are known.
pub fn only(app: &App, visitor: &Visitor) -> Option<Vec<ProjectId>> {
    matches!(app.chat.access, Access::Claims).then(|| claimed(app, visitor))
}

fn claimed(app: &App, visitor: &Visitor) -> Vec<ProjectId> {
    let claims = matches!(app.chat.access, Access::Claims);
    let named = visitor.projects.iter().filter(|_| claims).map(|(id, _)| id);
    named.filter(|id| app.edge.project_ids.parse(id.as_str()).is_some()).cloned().collect()
}
