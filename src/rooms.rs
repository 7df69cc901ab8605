//! Calls to rooms: one object per project.

use chat_core::ids::ProjectId;
use chat_core::ids::UserId;
use chat_core::protocol::codes::Refusal;
use chat_core::protocol::internal::{ASK_STATUS, Admission, Grant, PAGE_HEADER, RECHECK_HEADER, RoomCall, RoomRequest};
use serde::de::DeserializeOwned;
use worker::{Env, Response};

use crate::objects::{self, Object};
use crate::reply::internal;

/// The platform allows 128 KB for all headers of a request; a list of members beyond this is left out of it.
const HEADER_MAX_BYTES: usize = 32 * 1024;

/// A room's answer, and what it says beside it to the Worker alone.
pub struct RoomAnswer {
    pub response: Response,
    /// Ask the backend again after this many milliseconds.
    pub recheck_ms: Option<u64>,
}

impl RoomAnswer {
    /// The room holds no yes for this user.
    pub fn asks(&self) -> bool {
        self.response.status_code() == ASK_STATUS
    }

    /// The queries of the pages around this one, as JSON.
    pub fn pages(&self) -> Option<String> {
        self.response.headers().get(PAGE_HEADER).ok().flatten()
    }

    pub async fn read<T: DeserializeOwned>(self) -> Result<T, Refusal> {
        objects::read(self.response).await
    }
}

pub async fn call(env: &Env, request: &RoomRequest) -> Result<RoomAnswer, Refusal> {
    let object = Object { env, binding: "ROOMS", name: request.project.as_str() };
    let response = match &request.call {
        RoomCall::Connect { .. } => object.upgrade(&header(request)?).await?,
        call => object.call(request, is_repeatable(call)).await?,
    };
    let recheck = response.headers().get(RECHECK_HEADER).ok().flatten();
    Ok(RoomAnswer { response, recheck_ms: recheck.and_then(|ms| ms.parse().ok()) })
}

/// Tells a room what the backend said when it was asked again; `None` is a no.
pub async fn tell_verdict(env: &Env, project: &ProjectId, user: &UserId, grant: Option<Grant>) -> Result<(), Refusal> {
    let request = RoomRequest {
        project: project.clone(),
        identity: None,
        admission: Admission::Server,
        call: RoomCall::Verdict { user: user.clone(), grant },
    };
    call(env, &request).await?.read::<serde::de::IgnoredAny>().await.map(|_| ())
}

/// A message without an id of the client's would be sent twice.
fn is_repeatable(call: &RoomCall) -> bool {
    match call {
        RoomCall::Send { client_message_id, .. } => client_message_id.as_deref().is_some_and(|id| !id.is_empty()),
        // It may be a message without one.
        RoomCall::Frame { .. } => false,
        _ => true,
    }
}

fn header(request: &RoomRequest) -> Result<String, Refusal> {
    let header = objects::ascii_json(request).map_err(internal("encoding a call"))?;
    let Admission::Granted(grant) = &request.admission else { return Ok(header) };
    if header.len() <= HEADER_MAX_BYTES {
        return Ok(header);
    }
    // The room hears of the others with the next answer of the backend that comes in a body.
    let admission = Admission::Granted(Grant { members: None, ..grant.clone() });
    objects::ascii_json(&RoomRequest { admission, ..request.clone() }).map_err(internal("encoding a call"))
}
