//! Which projects is this user in? (`PROJECTS_URL`)

use std::collections::BTreeSet;

use chat_core::protocol::codes::{ErrorCode, Refusal};
use chat_core::protocol::internal::ProjectInfo;
use futures_util::future::try_join_all;
use serde_json::Value;
use worker::Url;

use super::http::{self, Ask};
use super::{BODY_MAX_BYTES, silent};
use crate::auth::Visitor;
use crate::config::Chat;
use crate::foreign::{name, project_id};
use crate::project_ids::ProjectIds;

/// A list with more pages than this is not read to its end, and so not believed.
const PAGES_MAX: usize = 20;

/// All lists together: the backend's word is complete, or it is none.
pub async fn ask(chat: &Chat, ids: &ProjectIds, visitor: &Visitor) -> Result<Vec<ProjectInfo>, Refusal> {
    let lists = chat.backend.projects.iter().map(|url| list(chat, visitor, url.fill(None, &visitor.identity.user)));
    let mut listed = BTreeSet::new();
    let projects = try_join_all(lists).await?.into_iter().flatten();
    Ok(projects
        .filter(|project| ids.parse(project.id.as_str()).is_some() && listed.insert(project.id.clone()))
        .collect())
}

async fn list(chat: &Chat, visitor: &Visitor, url: String) -> Result<Vec<ProjectInfo>, Refusal> {
    let mut next = Url::parse(&url).map_err(|_| silent())?;
    let mut projects = Vec::new();
    for _ in 0..PAGES_MAX {
        let timeout_ms = chat.backend.timeout_ms;
        let ask = Ask { url: next.as_str(), token: Some(&visitor.token), timeout_ms, max_bytes: BODY_MAX_BYTES };
        let heard = http::ask(ask).await.ok_or_else(silent)?;
        if heard.status == 401 {
            return Err(ErrorCode::TokenRefused.into());
        }
        let body = heard.body.as_deref().filter(|_| heard.is_yes()).ok_or_else(silent)?;
        let page = Page::read(body).ok_or_else(silent)?;
        projects.extend(page.projects);
        match page.next_query {
            // Only the query is taken: the token goes where the configuration says, and nowhere else.
            Some(query) => next.set_query(Some(&query)),
            None => return Ok(projects),
        }
    }
    Err(silent())
}

/// An array, or a page of Django REST Framework's pagination.
struct Page {
    projects: Vec<ProjectInfo>,
    next_query: Option<String>,
}

impl Page {
    fn read(body: &[u8]) -> Option<Self> {
        let answer: Value = serde_json::from_slice(body).ok()?;
        let entries = answer.as_array().or_else(|| answer.get("results")?.as_array())?;
        let next = answer.get("next").and_then(Value::as_str).and_then(|next| next.split_once('?'));
        Some(Page {
            projects: entries.iter().filter_map(project).collect(),
            next_query: next.map(|(_, query)| query.to_owned()),
        })
    }
}

/// A bare id, `{id, name, created_at}`, or a membership: `{project: id or {id, …}}`.
fn project(entry: &Value) -> Option<ProjectInfo> {
    let entry = entry.get("project").unwrap_or(entry);
    Some(ProjectInfo {
        id: project_id(entry.get("id").unwrap_or(entry))?,
        name: entry.get("name").and_then(name),
        created_at: entry.get("created_at").and_then(name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Option<String> {
        let page = Page::read(body.as_bytes())?;
        let shown: Vec<String> =
            page.projects.iter().map(|p| format!("{} {}", p.id, p.name.as_deref().unwrap_or("-"))).collect();
        Some(format!("{} {:?}", shown.join(", "), page.next_query))
    }

    #[test]
    fn lists_come_in_several_shapes() {
        assert_eq!(read("[1, \"2\"]").as_deref(), Some("1 -, 2 - None"));
        assert_eq!(
            read(r#"[{"id": 1, "name": "A"}, {"id": 9, "project": {"id": 2}}, {"project": 3}]"#).as_deref(),
            Some("1 A, 2 -, 3 - None")
        );
        let page = r#"{"count": 2, "next": "http://inside/projects/?page=2&a=b", "results": [{"id": 1}]}"#;
        assert_eq!(read(page).as_deref(), Some("1 - Some(\"page=2&a=b\")"));
    }

    #[test]
    fn what_is_no_list_is_no_answer() {
        for body in ["", "{}", "null", "<html>"] {
            assert_eq!(read(body), None);
        }
    }
}
