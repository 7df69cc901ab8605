//! Values as other systems write them, in tokens and in the backend's answers: read leniently.

use chat_core::ids::{ProjectId, UserId};
use chat_core::protocol::internal::{Profile, Role};
use serde_json::Value;

/// A name longer than this is cut: it is shown beside every message.
const NAME_MAX_CHARS: usize = 150;
/// A longer address of a picture is left out: cutting it would make it another one.
const PICTURE_MAX_BYTES: usize = 2048;

/// A whole number or a string.
pub fn user_id(value: &Value) -> Option<UserId> {
    UserId::parse(&id(value)?)
}

/// A whole number or a string.
pub fn project_id(value: &Value) -> Option<ProjectId> {
    ProjectId::parse(&id(value)?)
}

/// A role by its word; words that are not ours are members.
pub fn role(word: &Value) -> Role {
    match word.as_str() {
        Some("viewer") => Role::Viewer,
        Some("moderator") => Role::Moderator,
        _ => Role::Member,
    }
}

/// A name to be shown; `None` when it is empty or no text.
pub fn name(value: &Value) -> Option<String> {
    let text = value.as_str()?.trim();
    (!text.is_empty()).then(|| text.chars().take(NAME_MAX_CHARS).collect())
}

/// The profile fields of `value`, if it has any.
pub fn profile(value: &Value) -> Option<Profile> {
    let text = |field: &str| value.get(field).and_then(name);
    let picture = value.get("profile_pic").and_then(Value::as_str);
    let profile = Profile {
        username: text("username").unwrap_or_default(),
        first_name: text("first_name").unwrap_or_default(),
        last_name: text("last_name").unwrap_or_default(),
        profile_pic: picture.filter(|url| !url.is_empty() && url.len() <= PICTURE_MAX_BYTES).map(str::to_owned),
    };
    (profile != Profile::default()).then_some(profile)
}

fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        _ => None,
    }
}
