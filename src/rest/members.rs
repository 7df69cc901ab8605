//! The server API: members and sessions, by a key that only the application's own servers have.

use chat_core::ids::{ProjectId, UserId};
use chat_core::protocol::codes::{ErrorCode, Refusal};
use chat_core::protocol::internal::{Admission, ProfileChange, Role, RoomCall, RoomRequest};
use futures_util::{StreamExt, stream};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use worker::Request;

use super::hand_on;
use super::input::{self, Fields};
use crate::app::App;
use crate::auth::token;
use crate::reply::{Answer, invalid_field};
use crate::rooms::RoomAnswer;
use crate::{clock, reply, rooms, users};

/// The platform lets six requests wait at a time.
const AT_ONCE: usize = 6;

/// Passed before anything else is looked at: without the key nothing is told, not even what exists.
pub fn check_key(app: &App, request: &Request) -> Result<(), Refusal> {
    let header = request.headers().get("authorization").ok().flatten();
    let key = token::from_authorization(header.as_deref()).ok_or(ErrorCode::BadServerKey)?;
    // No early end: the time tells nothing of which key is nearly right.
    let known = app.chat.keys.server_keys.iter().fold(false, |known, server_key| known | server_key.is(key.expose()));
    if known { Ok(()) } else { Err(ErrorCode::BadServerKey.into()) }
}

pub async fn list(app: &App, project: &ProjectId) -> Answer {
    hand_on(call(app, project, RoomCall::ListMembers).await?.response)
}

pub async fn put(app: &App, project: &ProjectId, user: UserId, request: &Request) -> Answer {
    let fields = input::optional_json(request, app.chat.limits.frame_max_bytes).await?;
    let change = put_call(user, &fields)?;
    hand_on(call(app, project, change).await?.response)
}

pub async fn remove(app: &App, project: &ProjectId, user: UserId) -> Answer {
    hand_on(call(app, project, RoomCall::RemoveMember { user }).await?.response)
}

/// Ends every session of the user, in every project: what was issued before `before` (seconds) is void. Without it
/// everything issued until now is, this second included. Saying it again is harmless, and is what to do when the
/// answer is an error.
pub async fn revoke(app: &App, project: &ProjectId, user: UserId, request: &Request) -> Answer {
    let fields = input::optional_json(request, app.chat.limits.frame_max_bytes).await?;
    let before = match fields.get("before") {
        None | Some(Value::Null) => clock::now().seconds() + 1,
        Some(value) => value
            .as_i64()
            // What lies ahead would void sign-ins to come, and cannot be taken back: milliseconds, most likely.
            .filter(|before| (0..=clock::now().seconds() + 1).contains(before))
            .ok_or_else(|| invalid_field("before must be a moment in whole seconds since 1970, not in the future."))?,
    };
    let mut rooms = users::revoke(&app.env, &user, before).await?;
    if !rooms.contains(project) {
        rooms.push(project.clone());
    }
    let calls = rooms.iter().map(|room| async {
        let call = call(app, room, RoomCall::Revoke { user: user.clone(), before });
        match call.await?.read::<IgnoredAny>().await {
            // Where they never were there is nothing to end.
            Err(refusal) if refusal.code.status() == 404 => Ok(()),
            outcome => outcome.map(|_| ()),
        }
    });
    // Every room is told, whatever another one answered.
    let told: Vec<Result<(), Refusal>> = stream::iter(calls).buffer_unordered(AT_ONCE).collect().await;
    told.into_iter().collect::<Result<Vec<_>, _>>()?;
    reply::json(200, &json!({ "revoked_before": before }))
}

async fn call(app: &App, project: &ProjectId, call: RoomCall) -> Result<RoomAnswer, Refusal> {
    let request = RoomRequest { project: project.clone(), identity: None, admission: Admission::Server, call };
    rooms::call(&app.env, &request).await
}

fn put_call(user: UserId, fields: &Fields) -> Result<RoomCall, Refusal> {
    let role = match input::optional_text(fields, "role")?.as_deref() {
        None => None,
        Some("viewer") => Some(Role::Viewer),
        Some("member") => Some(Role::Member),
        Some("moderator") => Some(Role::Moderator),
        Some(_) => return Err(invalid_field("role must be viewer, member or moderator.")),
    };
    let profile = ProfileChange {
        username: input::optional_text(fields, "username")?,
        first_name: input::optional_text(fields, "first_name")?,
        last_name: input::optional_text(fields, "last_name")?,
        profile_pic: input::optional_text(fields, "profile_pic")?,
    };
    Ok(RoomCall::PutMember { user, role, profile })
}
