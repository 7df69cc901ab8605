//! `ws/chat/project/{id}/`: everything that can be refused is refused before the socket opens.

use chat_core::ids::ProjectId;
use chat_core::protocol::codes::{ErrorCode, Refusal};
use chat_core::protocol::internal::{Dialect, RoomCall};
use worker::{Headers, Method, Request, Response};

use crate::access;
use crate::app::App;
use crate::auth::{self, token};
use crate::clock;
use crate::objects;
use crate::reply::{Answer, internal};
use crate::secret::Secret;

pub async fn open(app: &App, project: &ProjectId, request: &Request) -> Answer {
    let header = |name: &str| request.headers().get(name).ok().flatten();
    let upgrades = header("upgrade").is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"));
    // A handshake is a GET (RFC 6455, 4.1), and HEAD comes here too.
    if request.method() != Method::Get || !upgrades {
        return Err(ErrorCode::UpgradeRequired.into());
    }
    let subprotocols = header("sec-websocket-protocol");
    let token = token(request, header("authorization").as_deref(), subprotocols.as_deref())?;
    let visitor = auth::identify(&app.chat, token, clock::now()).await?;
    let call = RoomCall::Connect { dialect: Dialect::Classic };
    let response = access::enter(app, &visitor, project, call).await?.response;
    if response.status_code() != 101 {
        return match objects::read::<serde_json::Value>(response).await {
            Err(refusal) => Err(refusal),
            Ok(_) => Err(ErrorCode::Internal.into()),
        };
    }
    let headers = Headers::new();
    if let Some(name) = token::chosen_subprotocol(subprotocols.as_deref()) {
        headers.set("sec-websocket-protocol", name).map_err(internal("choosing a subprotocol"))?;
    }
    // Built anew: the object's own headers are for the Worker alone.
    let socket = response.websocket();
    Ok(Response::builder().with_status(101).with_headers(headers).empty().with_websocket(socket))
}

fn token(request: &Request, authorization: Option<&str>, subprotocols: Option<&str>) -> Result<Secret, Refusal> {
    let elsewhere = token::from_authorization(authorization).or_else(|| token::from_subprotocols(subprotocols));
    let token = match elsewhere {
        Some(token) => Some(token),
        None => token::from_query(request.url().map_err(internal("reading a URL"))?.query_pairs()),
    };
    token.ok_or_else(|| ErrorCode::TokenMissing.into())
}
