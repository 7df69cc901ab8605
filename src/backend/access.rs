//! May this user enter this project? (`ACCESS_URL`)

use chat_core::ids::ProjectId;
use chat_core::protocol::codes::{ErrorCode, Refusal};
use chat_core::protocol::internal::{Grant, MemberInfo};
use serde_json::Value;

use super::http::{self, Ask};
use super::{BODY_MAX_BYTES, silent};
use crate::auth::Visitor;
use crate::config::{Chat, Template};
use crate::foreign::{name, profile, project_id, role, user_id};

/// What the backend said.
#[derive(Debug)]
pub enum Verdict {
    Yes(Box<Grant>),
    /// With the reason: no access, or no such project.
    No(ErrorCode),
    /// It does not take the token itself.
    TokenRefused,
    /// It said neither yes nor no, or nothing in time.
    Silent,
}

impl Verdict {
    pub fn into_grant(self) -> Result<Grant, Refusal> {
        match self {
            Verdict::Yes(grant) => Ok(*grant),
            Verdict::No(code) => Err(code.into()),
            Verdict::TokenRefused => Err(ErrorCode::TokenRefused.into()),
            Verdict::Silent => Err(silent()),
        }
    }
}

pub async fn ask(chat: &Chat, url: &Template, visitor: &Visitor, project: &ProjectId) -> Verdict {
    let url = url.fill(Some(project), &visitor.identity.user);
    let timeout_ms = chat.backend.timeout_ms;
    let ask = Ask { url: &url, token: Some(&visitor.token), timeout_ms, max_bytes: BODY_MAX_BYTES };
    let Some(heard) = http::ask(ask).await else { return Verdict::Silent };
    match heard.status {
        200..=299 => read(heard.body.as_deref().unwrap_or_default(), project),
        401 => Verdict::TokenRefused,
        403 => Verdict::No(ErrorCode::NoAccess),
        404 => Verdict::No(ErrorCode::NoSuchProject),
        _ => Verdict::Silent,
    }
}

/// A yes may tell more. What is not understood is left out, except that it must not be about another project.
fn read(body: &[u8], project: &ProjectId) -> Verdict {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    if answer.get("id").and_then(project_id).is_some_and(|id| id != *project) {
        return Verdict::No(ErrorCode::NoAccess);
    }
    let members = answer.get("members").and_then(Value::as_array);
    Verdict::Yes(Box::new(Grant {
        role: answer.get("role").filter(|word| !word.is_null()).map(role),
        profile: None,
        project_name: answer.get("name").and_then(name),
        project_created_at: answer.get("created_at").and_then(name),
        members: members.map(|list| list.iter().filter_map(member).collect()),
        revoked_before: None,
    }))
}

/// A bare id, `{id, …}`, `{user_id, …}`, or `{user: id or {id, …}, …}`: rows of memberships name the user beside
/// their own `id`.
fn member(entry: &Value) -> Option<MemberInfo> {
    let user = entry.get("user");
    let named =
        user.map(|user| user.get("id").unwrap_or(user)).or_else(|| entry.get("user_id")).or_else(|| entry.get("id"));
    Some(MemberInfo {
        user: user_id(named.unwrap_or(entry))?,
        role: entry.get("role").filter(|word| !word.is_null()).map(role),
        profile: user.and_then(profile).or_else(|| profile(entry)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(body: &str) -> String {
        match read(body.as_bytes(), &ProjectId::parse("7").unwrap()) {
            Verdict::Yes(grant) => serde_json::to_string(&grant).unwrap(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn anything_is_a_plain_yes() {
        let plain = serde_json::to_string(&Grant::default()).unwrap();
        for body in ["", "ok", "[]", "[{\"id\": 8}]", "null", "{\"id\": null}", "{\"role\": null, \"members\": 3}"] {
            assert_eq!(said(body), plain, "{body}");
        }
    }

    #[test]
    fn a_yes_about_another_project_is_a_no() {
        assert_eq!(said(r#"{"id": 8}"#), "No(NoAccess)");
        assert!(said(r#"{"id": "7"}"#).starts_with('{'));
    }

    #[test]
    fn a_yes_may_tell_more() {
        let grant = said(
            r#"{"id": 7, "name": "Kitchen", "created_at": "2026-01-01T00:00:00Z", "role": "owner", "members":
                [1, {"id": 2, "username": "bo", "role": "viewer"}, {"id": 30, "user_id": 3},
                 {"id": 40, "user": {"id": 4, "first_name": "Di"}}, {"id": 50, "user": 5}, {}, null]}"#,
        );
        let grant: Grant = serde_json::from_str(&grant).unwrap();
        assert_eq!(grant.project_name.as_deref(), Some("Kitchen"));
        assert_eq!(grant.role, Some(Default::default()));
        let members = grant.members.unwrap();
        let shown: Vec<String> = members
            .iter()
            .map(|m| {
                let profile = m.profile.clone().unwrap_or_default();
                format!("{}{}{} {:?}", m.user, profile.username, profile.first_name, m.role)
            })
            .collect();
        assert_eq!(shown, ["1 None", "2bo Some(Viewer)", "3 None", "4Di None", "5 None"]);
    }
}
