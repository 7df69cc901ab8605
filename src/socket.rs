//! `ws/chat/project/{id}/`: a classic client that may not enter is refused before its socket opens; a v1 client is let
//! in for a moment and closed with a code and a reason, because a browser's script cannot see why an upgrade failed.

use chat_core::ids::ProjectId;
use chat_core::protocol::codes::{ErrorCode, Refusal};
use chat_core::protocol::frames::Tags;
use chat_core::protocol::internal::{Dialect, RoomCall};
use chat_core::protocol::v1;
use worker::{Headers, Request, Response, WebSocketPair};

use crate::access;
use crate::app::App;
use crate::auth::{self, token};
use crate::clock;
use crate::objects;
use crate::reply::{Answer, internal};
use crate::rest::input;
use crate::secret::Secret;

pub async fn open(app: &App, project: &ProjectId, request: &Request) -> Answer {
    let header = |name: &str| request.headers().get(name).ok().flatten();
    if !header("upgrade").is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket")) {
        return Err(ErrorCode::UpgradeRequired.into());
    }
    let subprotocols = header("sec-websocket-protocol");
    let dialect = token::dialect(subprotocols.as_deref());
    let chosen = token::chosen_subprotocol(subprotocols.as_deref());
    let response = match enter(app, project, request, subprotocols.as_deref(), dialect).await {
        Ok(response) => response,
        Err(refusal) if dialect == Dialect::V1 => refused(&refusal)?,
        Err(refusal) => return Err(refusal),
    };
    let headers = Headers::new();
    if let Some(name) = chosen {
        headers.set("sec-websocket-protocol", name).map_err(internal("choosing a subprotocol"))?;
    }
    // Built anew: the object's own headers are for the Worker alone.
    let socket = response.websocket();
    Ok(Response::builder().with_status(101).with_headers(headers).empty().with_websocket(socket))
}

async fn enter(
    app: &App,
    project: &ProjectId,
    request: &Request,
    subprotocols: Option<&str>,
    dialect: Dialect,
) -> Answer {
    let authorization = request.headers().get("authorization").ok().flatten();
    let token = token(request, authorization.as_deref(), subprotocols)?;
    let visitor = auth::identify(&app.chat, token, clock::now()).await?;
    let since = match dialect {
        Dialect::Classic => None,
        Dialect::V1 => input::since(&request.url().map_err(internal("reading a URL"))?)?,
    };
    let call = RoomCall::Connect { dialect, since };
    let response = access::enter(app, &visitor, project, call).await?.response;
    if response.status_code() != 101 {
        return match objects::read::<serde_json::Value>(response).await {
            Err(refusal) => Err(refusal),
            Ok(_) => Err(ErrorCode::Internal.into()),
        };
    }
    Ok(response)
}

/// A socket that says why it is closed: an `error` with all that there is to say, and the close code.
fn refused(refusal: &Refusal) -> Answer {
    let pair = WebSocketPair::new().map_err(internal("making a socket"))?;
    pair.server.accept().map_err(internal("accepting a socket"))?;
    let error = v1::error(refusal, &Tags::default());
    pair.server.send_with_str(format!("[{error}]")).map_err(internal("sending why"))?;
    let close = refusal.code.close();
    // Its own words where they fit, the code's where not: a close frame's reason has at most 123 bytes.
    let reason = Some(refusal.detail.as_str()).filter(|text| text.len() <= 123).unwrap_or(close.reason());
    pair.server.close(Some(close.code()), Some(reason)).map_err(internal("closing a socket"))?;
    Response::from_websocket(pair.client).map_err(internal("refusing a socket"))
}

fn token(request: &Request, authorization: Option<&str>, subprotocols: Option<&str>) -> Result<Secret, Refusal> {
    let elsewhere = token::from_authorization(authorization).or_else(|| token::from_subprotocols(subprotocols));
    let token = match elsewhere {
        Some(token) => Some(token),
        None => token::from_query(request.url().map_err(internal("reading a URL"))?.query_pairs()),
    };
    token.ok_or_else(|| ErrorCode::TokenMissing.into())
}
