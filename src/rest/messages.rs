//! `api/projects/{id}/chat/messages/` and `…/mark-read/`.

use std::fmt::Write as _;

use chat_core::ids::{MAX_SAFE_INTEGER, ProjectId, Seq};
use chat_core::protocol::codes::Refusal;
use chat_core::protocol::fields;
use chat_core::protocol::internal::RoomCall;
use serde_json::{Map, Value};
use worker::{Request, Url};

use super::hand_on;
use super::input::{self, whole_number};
use crate::access;
use crate::app::App;
use crate::auth::Visitor;
use crate::reply::{Answer, internal, invalid_field};

pub async fn list(app: &App, visitor: &Visitor, project: &ProjectId, request: &Request) -> Answer {
    let url = request.url().map_err(internal("reading a URL"))?;
    let answer = access::enter(app, visitor, project, page(&url)?).await?;
    let link = answer.pages().and_then(|pages| link(&url, &pages));
    let response = hand_on(answer.response)?;
    if let Some(link) = link {
        response.headers().set("link", &link).map_err(internal("setting Link"))?;
    }
    Ok(response)
}

pub async fn create(app: &App, visitor: &Visitor, project: &ProjectId, request: &Request) -> Answer {
    let fields = input::json(request, app.chat.limits.frame_max_bytes).await?;
    let content = input::text(&fields, "content")?;
    let client_message_id = fields::client_id(fields.get("client_message_id"))?;
    let call = RoomCall::Send { content, client_message_id };
    hand_on(access::enter(app, visitor, project, call).await?.response)
}

pub async fn mark_read(app: &App, visitor: &Visitor, project: &ProjectId, request: &Request) -> Answer {
    let fields = input::json(request, app.chat.limits.frame_max_bytes).await?;
    let up_to = Some(input::message_id(&fields, "last_read_message_id")?);
    hand_on(access::enter(app, visitor, project, RoomCall::MarkRead { up_to }).await?.response)
}

/// `?limit=&before_id=&after=`; `before` is another name of `before_id`.
fn page(url: &Url) -> Result<RoomCall, Refusal> {
    let (mut limit, mut before, mut after) = (None, None, None);
    for (name, text) in url.query_pairs() {
        let range = 1..=MAX_SAFE_INTEGER;
        let number = || {
            let number = whole_number(&text).filter(|number| range.contains(number));
            number.ok_or_else(|| invalid_field(format!("{name} must be a positive whole number.")))
        };
        match &*name {
            // More than a page's most is a page's most; the room knows it.
            "limit" => limit = Some(u32::try_from(number()?).unwrap_or(u32::MAX)),
            "before" | "before_id" => before = Some(Seq(number()?)),
            "after" => after = Some(Seq(number()?)),
            _ => {}
        }
    }
    if before.is_some() && after.is_some() {
        return Err(invalid_field("A page goes one way: before_id or after."));
    }
    Ok(RoomCall::Messages { limit, before, after })
}

/// `Link` for the pages that the room names by their queries: `{"next": "before_id=5"}`.
fn link(url: &Url, pages: &str) -> Option<String> {
    let pages: Map<String, Value> = serde_json::from_str(pages).ok()?;
    let mut page = url.clone();
    let mut link = String::new();
    for (relation, query) in &pages {
        page.set_query(query.as_str());
        let separator = if link.is_empty() { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(link, "{separator}<{page}>; rel=\"{relation}\"");
    }
    (!link.is_empty()).then_some(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_asked_for_strictly() {
        let asked = |query: &str| {
            let url = Url::parse(&format!("http://chat/{query}")).unwrap();
            page(&url).ok().map(|call| match call {
                RoomCall::Messages { limit, before, after } => (limit, before.map(|s| s.0), after.map(|s| s.0)),
                other => panic!("{other:?}"),
            })
        };
        assert_eq!(asked(""), Some((None, None, None)));
        assert_eq!(asked("?limit=5&before_id=9&page_size=x"), Some((Some(5), Some(9), None)));
        assert_eq!(asked("?before=9"), Some((None, Some(9), None)));
        assert_eq!(asked("?limit=99999999999&after=9"), Some((Some(u32::MAX), None, Some(9))));
        for wrong in [
            "?limit=0",
            "?limit=-1",
            "?limit=ten",
            "?before=",
            "?before_id=1.5",
            "?after=undefined",
            "?before=1&after=2",
        ] {
            assert_eq!(asked(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn links_are_absolute() {
        let url = Url::parse("http://127.0.0.1:8000/api/projects/7/chat/messages/?limit=2").unwrap();
        let expected = "<http://127.0.0.1:8000/api/projects/7/chat/messages/?before_id=5&limit=2>; rel=\"next\"";
        assert_eq!(link(&url, r#"{"next": "before_id=5&limit=2"}"#).as_deref(), Some(expected));
        assert_eq!(link(&url, "{}"), None);
    }
}
