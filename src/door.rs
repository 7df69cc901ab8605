//! Where every request comes in: ours or not, and if ours, by which call.

use std::rc::Rc;

use chat_core::protocol::codes::{ErrorCode, Refusal};
use worker::{Context, Env, Request};

use crate::app::App;
use crate::auth::{self, Visitor, token};
use crate::config::{self, Chat, Edge, Setup};
use crate::reply::{self, Answer};
use crate::rest::{contacts, log, members, messages};
use crate::routes::{self, Endpoint, Found};
use crate::{clock, cors, dev, origin, socket};

pub async fn answer(request: Request, env: Env, context: Context) -> web_sys::Response {
    let setup = config::of(&env);
    let edge = match &setup.edge {
        Ok(edge) => edge.clone(),
        Err(sentence) => return misconfigured(sentence),
    };
    if let Some(sentence) = unfit_host(&setup, &request) {
        return misconfigured(&sentence);
    }
    let method = request.inner().method();
    // With a wrong configuration nobody knows whether this is development: then its addresses say what is wrong, too.
    let development = setup.chat.as_ref().map_or(true, |chat| chat.keys.development.is_some());
    match routes::find(&method, &request.path(), &edge.project_ids, development) {
        Found::Elsewhere => match origin::pass(request, edge.origin.as_ref(), &env).await {
            Ok(response) => response,
            Err(refusal) => reply::refused(&refusal).into(),
        },
        found => ours(found, &method, &request, &setup, edge, (env, context)).await,
    }
}

/// Answers a request for one of our addresses; errors can be read by allowed origins as well as the rest.
async fn ours(
    found: Found,
    method: &str,
    request: &Request,
    setup: &Setup,
    edge: Rc<Edge>,
    (env, context): (Env, Context),
) -> web_sys::Response {
    let allowed = &edge.allowed_origins;
    let methods = match &found {
        Found::OtherMethods(methods) => methods.clone(),
        _ => Vec::new(),
    };
    if method == "OPTIONS" {
        return cors::preflight(request.headers(), allowed, &methods).into();
    }
    let chat = setup.chat.as_ref().map_err(|sentence| Refusal::new(ErrorCode::Misconfigured, sentence));
    let outcome = match (chat, found) {
        (Err(refusal), Found::Call(Endpoint::Socket(_) | Endpoint::InboxSocket)) => socket::refuse(request, refusal),
        (Err(refusal), _) => Err(refusal),
        (Ok(chat), Found::Call(endpoint)) => {
            let app = App::new(env, edge.clone(), chat.clone(), context);
            call(&app, endpoint, request).await
        }
        (Ok(_), Found::OtherMethods(_)) => Err(ErrorCode::MethodNotAllowed.into()),
        (Ok(_), Found::Elsewhere) => Err(ErrorCode::NotFound.into()),
    };
    let response = outcome.unwrap_or_else(|refusal| {
        let response = reply::refused(&refusal);
        if refusal.code == ErrorCode::MethodNotAllowed {
            let _ = response.headers().set("allow", &cors::allow(&methods));
        }
        response
    });
    // An opened socket is no answer that a page reads.
    if response.status_code() != 101 {
        cors::dress(request.headers(), allowed, &response);
    }
    response.into()
}

async fn call(app: &App, endpoint: Endpoint, request: &Request) -> Answer {
    match endpoint {
        Endpoint::Socket(project) => socket::open(app, &project, request).await,
        Endpoint::InboxSocket => socket::open_inbox(app, request).await,
        Endpoint::DevToken => dev::token(app, request).await,
        Endpoint::DevCounters => dev::counters(),
        #[cfg(feature = "panic-probe")]
        Endpoint::DevProbe => dev::probe(app, request).await,
        Endpoint::ListMembers(_)
        | Endpoint::PutMember(..)
        | Endpoint::RemoveMember(..)
        | Endpoint::RevokeMember(..)
        | Endpoint::Prune(_) => by_server(app, endpoint, request).await,
        _ => by_user(app, endpoint, request).await,
    }
}

async fn by_server(app: &App, endpoint: Endpoint, request: &Request) -> Answer {
    members::check_key(app, request)?;
    match endpoint {
        Endpoint::ListMembers(project) => members::list(app, &project).await,
        Endpoint::PutMember(project, user) => members::put(app, &project, user, request).await,
        Endpoint::RemoveMember(project, user) => members::remove(app, &project, user).await,
        Endpoint::RevokeMember(project, user) => members::revoke(app, &project, user, request).await,
        Endpoint::Prune(project) => log::prune(app, &project, request).await,
        _ => Err(ErrorCode::NotFound.into()),
    }
}

async fn by_user(app: &App, endpoint: Endpoint, request: &Request) -> Answer {
    let visitor = visitor(&app.chat, request).await?;
    match endpoint {
        Endpoint::ListMessages(project) => messages::list(app, &visitor, &project, request).await,
        Endpoint::CreateMessage(project) => messages::create(app, &visitor, &project, request).await,
        Endpoint::MarkRead(project) => messages::mark_read(app, &visitor, &project, request).await,
        Endpoint::Events(project) => log::events(app, &visitor, &project, request).await,
        Endpoint::Frame(project) => log::frame(app, &visitor, &project, request).await,
        Endpoint::ListContacts => contacts::list(app, &visitor).await,
        Endpoint::ShowContact(project) => contacts::show(app, &visitor, &project).await,
        Endpoint::ReadContact(project) => contacts::mark_read(app, &visitor, &project).await,
        Endpoint::Inbox => contacts::inbox(app, &visitor).await,
        _ => Err(ErrorCode::NotFound.into()),
    }
}

/// Who makes a call over HTTP: by `Authorization` only, and never with an expired token.
async fn visitor(chat: &Chat, request: &Request) -> Result<Visitor, Refusal> {
    let header = request.headers().get("authorization").ok().flatten();
    let token = token::from_authorization(header.as_deref()).ok_or(ErrorCode::TokenMissing)?;
    auth::identify(chat, token, clock::now()).await?.live()
}

fn misconfigured(sentence: &str) -> web_sys::Response {
    reply::refused(&Refusal::new(ErrorCode::Misconfigured, sentence)).into()
}

/// A secret for development lets anybody be anybody: nothing at all is served under a name that others can reach.
fn unfit_host(setup: &Setup, request: &Request) -> Option<String> {
    let variable = setup.chat.as_ref().ok()?.keys.loopback_only?;
    let url = request.url().ok()?;
    let loopback = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    (!loopback).then(|| format!("{variable} is a development secret (dev-): it is served on loopback hosts only."))
}
