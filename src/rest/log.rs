//! The v1 protocol for clients without WebSockets: `…/chat/events/` and `…/chat/frames/`; and what prunes the log.

use chat_core::ids::ProjectId;
use chat_core::protocol::internal::{Admission, RoomCall, RoomRequest};
use worker::Request;

use super::{hand_on, input};
use crate::app::App;
use crate::auth::Visitor;
use crate::reply::{Answer, internal};
use crate::{access, rooms};

/// `?since=&epoch=`: an array of events, as a socket that resumes would get.
pub async fn events(app: &App, visitor: &Visitor, project: &ProjectId, request: &Request) -> Answer {
    let since = input::since(&request.url().map_err(internal("reading a URL"))?)?;
    hand_on(access::enter(app, visitor, project, RoomCall::Events { since }).await?.response)
}

/// One frame of a v1 client: an array with the event that answers it.
pub async fn frame(app: &App, visitor: &Visitor, project: &ProjectId, request: &Request) -> Answer {
    let text = input::json_text(request, app.chat.limits.frame_max_bytes).await?;
    hand_on(access::enter(app, visitor, project, RoomCall::Frame { text }).await?.response)
}

/// `{up_to}`: forgets the log up to there.
pub async fn prune(app: &App, project: &ProjectId, request: &Request) -> Answer {
    let fields = input::json(request, app.chat.limits.frame_max_bytes).await?;
    let call = RoomCall::Prune { up_to: input::message_id(&fields, "up_to")? };
    let request = RoomRequest { project: project.clone(), identity: None, admission: Admission::Server, call };
    hand_on(rooms::call(&app.env, &request).await?.response)
}
