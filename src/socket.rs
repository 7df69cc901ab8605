//! The sockets' addresses: a classic client that may not enter is refused before its socket opens; a v1 client is let
//! in for a moment and closed with a code and a reason, because a browser's script cannot see why an upgrade failed.

use chat_core::ids::ProjectId;
use chat_core::protocol::codes::{ErrorCode, Refusal};
use chat_core::protocol::frames::Tags;
use chat_core::protocol::internal::{Dialect, InboxRequest, RoomCall};
use chat_core::protocol::v1;
use worker::{Headers, Method, Request, Response, WebSocketPair};

use crate::app::App;
use crate::auth::{self, Visitor, token};
use crate::reply::{Answer, internal};
use crate::rest::input;
use crate::secret::Secret;
use crate::{access, clock, contacts, objects, users};

/// An upgrade request, as far as its headers go.
struct Upgrade {
    subprotocols: Option<String>,
    authorization: Option<String>,
    dialect: Dialect,
}

impl Upgrade {
    fn of(request: &Request) -> Result<Self, Refusal> {
        let header = |name: &str| request.headers().get(name).ok().flatten();
        let upgrades = header("upgrade").is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"));
        // A handshake is a GET (RFC 6455, 4.1), and HEAD comes here too.
        if request.method() != Method::Get || !upgrades {
            return Err(ErrorCode::UpgradeRequired.into());
        }
        let subprotocols = header("sec-websocket-protocol");
        let dialect = token::dialect(subprotocols.as_deref());
        Ok(Upgrade { subprotocols, authorization: header("authorization"), dialect })
    }

    async fn visitor(&self, app: &App, request: &Request) -> Result<Visitor, Refusal> {
        let token = token(request, self.authorization.as_deref(), self.subprotocols.as_deref())?;
        auth::identify(&app.chat, token, clock::now()).await
    }

    /// The answer to the client: a socket, or a refusal in the way that it understands.
    fn answer(&self, outcome: Answer) -> Answer {
        let response = match outcome {
            Ok(response) => response,
            Err(refusal) if self.dialect == Dialect::V1 => refused(&refusal)?,
            Err(refusal) => return Err(refusal),
        };
        let headers = Headers::new();
        if let Some(name) = token::chosen_subprotocol(self.subprotocols.as_deref()) {
            headers.set("sec-websocket-protocol", name).map_err(internal("choosing a subprotocol"))?;
        }
        // Built anew: the object's own headers are for the Worker alone.
        let socket = response.websocket();
        Ok(Response::builder().with_status(101).with_headers(headers).empty().with_websocket(socket))
    }
}

/// When nobody at all can be let in.
pub fn refuse(request: &Request, refusal: Refusal) -> Answer {
    match Upgrade::of(request) {
        Ok(upgrade) => upgrade.answer(Err(refusal)),
        Err(_) => Err(refusal),
    }
}

/// `ws/chat/project/{id}/`
pub async fn open(app: &App, project: &ProjectId, request: &Request) -> Answer {
    let upgrade = Upgrade::of(request)?;
    let outcome = enter(app, project, request, &upgrade).await;
    upgrade.answer(outcome)
}

async fn enter(app: &App, project: &ProjectId, request: &Request, upgrade: &Upgrade) -> Answer {
    let visitor = upgrade.visitor(app, request).await?;
    let since = match upgrade.dialect {
        Dialect::Classic => None,
        Dialect::V1 => input::since(&request.url().map_err(internal("reading a URL"))?)?,
    };
    let call = RoomCall::Connect { dialect: upgrade.dialect, since };
    opened(access::enter(app, &visitor, project, call).await?.response).await
}

/// `ws/chat/inbox/`: every project of the user's, as the contacts have them, and each change. v1 only.
pub async fn open_inbox(app: &App, request: &Request) -> Answer {
    let upgrade = Upgrade::of(request)?;
    if upgrade.dialect != Dialect::V1 {
        return Err(ErrorCode::BadRequest.because(&format!("the inbox speaks {}", v1::SUBPROTOCOL)));
    }
    let outcome = enter_inbox(app, request, &upgrade).await;
    upgrade.answer(outcome)
}

async fn enter_inbox(app: &App, request: &Request, upgrade: &Upgrade) -> Answer {
    let visitor = upgrade.visitor(app, request).await?.live()?;
    // Who is in what is settled as for a poll; what changes meanwhile, the user's object asks for itself.
    contacts::of(app, &visitor).await?;
    let only = contacts::only(app, &visitor);
    opened(users::open_inbox(&app.env, InboxRequest { identity: visitor.identity, only }).await?).await
}

/// An object's answer to an upgrade: a socket, or the refusal that it answered with.
async fn opened(response: Response) -> Answer {
    if response.status_code() == 101 {
        return Ok(response);
    }
    match objects::read::<serde_json::Value>(response).await {
        Err(refusal) => Err(refusal),
        Ok(_) => Err(ErrorCode::Internal.into()),
    }
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
