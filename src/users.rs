//! Calls to users' objects: the list of their projects, and what ends their sessions.

use chat_core::ids::{ProjectId, UserId};
use chat_core::protocol::codes::Refusal;
use chat_core::protocol::internal::{InboxRequest, UserCall, UserRequest};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use worker::{Env, Response};

use crate::objects::{self, Object};
use crate::reply::internal;

/// The answer to [`UserCall::Revocation`].
#[derive(Deserialize)]
struct Revocation {
    revoked_before: Option<i64>,
}

/// The answer to [`UserCall::Revoke`].
#[derive(Deserialize)]
struct Rooms {
    projects: Vec<ProjectId>,
}

pub async fn call<T: DeserializeOwned>(env: &Env, user: &UserId, call: UserCall) -> Result<T, Refusal> {
    let object = Object { env, binding: "USERS", name: user.as_str() };
    // Each call says how things are, not how they change: a second one does no harm.
    objects::read(object.call(&UserRequest { user: user.clone(), call }, true).await?).await
}

/// An upgrade: 101, or the object's refusal.
pub async fn open_inbox(env: &Env, request: InboxRequest) -> Result<Response, Refusal> {
    let header = objects::ascii_json(&request).map_err(internal("encoding a call"))?;
    Object { env, binding: "USERS", name: request.identity.user.as_str() }.upgrade(&header).await
}

/// Everything issued to the user before this moment (seconds) is void.
pub async fn revoked_before(env: &Env, user: &UserId) -> Result<Option<i64>, Refusal> {
    call(env, user, UserCall::Revocation).await.map(|revocation: Revocation| revocation.revoked_before)
}

/// Ends the user's sessions; the rooms that have to be told.
pub async fn revoke(env: &Env, user: &UserId, before: i64) -> Result<Vec<ProjectId>, Refusal> {
    call(env, user, UserCall::Revoke { before }).await.map(|rooms: Rooms| rooms.projects)
}
