//! How is this user shown? (`PROFILE_URL`)

use chat_core::ids::ProjectId;
use chat_core::protocol::internal::Profile;
use serde_json::Value;

use super::BODY_MAX_BYTES;
use super::http::{self, Ask};
use crate::auth::Visitor;
use crate::config::Chat;
use crate::foreign;

/// `None` when there is no `PROFILE_URL`, or no good answer: a name is not worth a refusal.
pub async fn ask(chat: &Chat, visitor: &Visitor, project: &ProjectId) -> Option<Profile> {
    let url = chat.backend.profile.as_ref()?.fill(Some(project), &visitor.identity.user);
    let timeout_ms = chat.backend.timeout_ms;
    let heard =
        http::ask(Ask { url: &url, token: Some(&visitor.token), timeout_ms, max_bytes: BODY_MAX_BYTES }).await?;
    let answer: Value = serde_json::from_slice(&heard.body.filter(|_| (200..300).contains(&heard.status))?).ok()?;
    foreign::profile(&answer).or_else(|| foreign::profile(answer.get("user")?))
}
