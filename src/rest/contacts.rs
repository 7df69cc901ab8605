//! `api/chat/contacts/` and `api/chat/inbox/`.

use chat_core::ids::ProjectId;
use chat_core::protocol::codes::{ErrorCode, Refusal};
use chat_core::protocol::internal::RoomCall;
use serde_json::Value;

use super::hand_on;
use crate::app::App;
use crate::auth::Visitor;
use crate::reply::{Answer, json};
use crate::rooms::RoomAnswer;
use crate::{access, contacts};

pub async fn list(app: &App, visitor: &Visitor) -> Answer {
    json(200, &contacts::of(app, visitor).await?)
}

pub async fn inbox(app: &App, visitor: &Visitor) -> Answer {
    let entries = contacts::of(app, visitor).await?;
    json(200, &entries.iter().map(contacts::inbox_entry).collect::<Vec<Value>>())
}

/// Asked of the room: it knows best, and no other object is woken.
pub async fn show(app: &App, visitor: &Visitor, project: &ProjectId) -> Answer {
    hand_on(enter(app, visitor, project, RoomCall::Summary).await?.response)
}

/// Everything in it is read.
pub async fn mark_read(app: &App, visitor: &Visitor, project: &ProjectId) -> Answer {
    hand_on(enter(app, visitor, project, RoomCall::MarkRead { up_to: None }).await?.response)
}

/// A project that is not theirs is not among their contacts: 404, not 403.
async fn enter(app: &App, visitor: &Visitor, project: &ProjectId, call: RoomCall) -> Result<RoomAnswer, Refusal> {
    let not_theirs = |refusal: Refusal| match refusal.code {
        ErrorCode::NoAccess | ErrorCode::Removed => ErrorCode::NoSuchProject.into(),
        _ => refusal,
    };
    let answer = access::enter(app, visitor, project, call).await.map_err(not_theirs)?;
    if answer.response.status_code() == 403 {
        return Err(match answer.read::<Value>().await {
            Err(refusal) => not_theirs(refusal),
            Ok(_) => ErrorCode::NoSuchProject.into(),
        });
    }
    Ok(answer)
}
