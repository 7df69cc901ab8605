//! Everything that is not the chat's goes to the application behind it, streamed, uploads and WebSockets too.

use chat_core::protocol::codes::{ErrorCode, Refusal};
use js_sys::futures::JsFuture;
use wasm_bindgen::JsCast;
use web_sys::{RequestRedirect, Response, WorkerGlobalScope};
use worker::{Env, Headers, Method, Request, Url};

use crate::reply::internal;

/// Says that a request has been through here: one that comes round again is refused.
const HOP_HEADER: &str = "x-project-chat-hop";

pub async fn pass(request: Request, origin: Option<&Url>, env: &Env) -> Result<Response, Refusal> {
    match origin {
        Some(origin) => forward(request, origin).await,
        None => asset(request, env).await,
    }
}

async fn forward(request: Request, origin: &Url) -> Result<Response, Refusal> {
    if request.headers().has(HOP_HEADER).unwrap_or(false) {
        return Err(ErrorCode::LoopDetected.into());
    }
    let public = request.url().map_err(internal("reading a URL"))?;
    let target = target(origin, &public).ok_or(ErrorCode::NotFound)?;

    let init = web_sys::RequestInit::new();
    init.set_method(&request.inner().method());
    init.set_headers_headers(&headers(request.headers(), &public).map_err(internal("copying headers"))?.0);
    init.set_redirect(RequestRedirect::Manual);
    if !matches!(request.method(), Method::Get | Method::Head) {
        // The stream itself: it keeps its known length, and none of it enters our memory.
        init.set_body_opt_readable_stream(request.inner().body().as_ref());
    }
    let global: WorkerGlobalScope = js_sys::global().unchecked_into();
    let response = JsFuture::from(global.fetch_with_str_and_init(target.as_str(), &init)).await.map_err(|error| {
        let error = worker::Error::from(error);
        worker::console_warn!("{} did not answer: {error}", origin.origin().ascii_serialization());
        Refusal::from(ErrorCode::OriginUnavailable)
    })?;
    response.dyn_into().map_err(|_| ErrorCode::Internal.into())
}

/// The web page that comes with the chat.
async fn asset(request: Request, env: &Env) -> Result<Response, Refusal> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return Err(ErrorCode::NotFound.into());
    }
    let assets = env.assets("ASSETS").map_err(|_| ErrorCode::NotFound)?;
    let response = assets.fetch_request(request).await.map_err(internal("reading an asset"))?;
    if response.status_code() == 404 { Err(ErrorCode::NotFound.into()) } else { Ok(response.into()) }
}

/// Scheme, host and the path's beginning come from the configuration, only path and query from the request.
fn target(origin: &Url, public: &Url) -> Option<Url> {
    let mut target = origin.clone();
    target.set_query(None);
    let base = target.as_str().trim_end_matches('/');
    let query = public.query().map(|query| format!("?{query}")).unwrap_or_default();
    let target = Url::parse(&format!("{base}{}{query}", public.path())).ok()?;
    (target.origin() == origin.origin()).then_some(target)
}

/// The client's headers, without those that only we may say.
fn headers(from: &Headers, public: &Url) -> worker::Result<Headers> {
    let headers = Headers::new();
    for (name, value) in from.entries().filter(|(name, _)| passes(name)) {
        headers.append(&name, &value)?;
    }
    // The runtime sets this one, and no client can.
    if let Some(address) = from.get("cf-connecting-ip")? {
        headers.set("x-forwarded-for", &address)?;
    }
    headers.set("x-forwarded-host", authority(public))?;
    headers.set("x-forwarded-proto", public.scheme())?;
    headers.set(HOP_HEADER, "1")?;
    Ok(headers)
}

/// Host and port, as they stand in the URL.
fn authority(url: &Url) -> &str {
    url.as_str().split('/').nth(2).unwrap_or_default()
}

fn passes(name: &str) -> bool {
    let ours = name.starts_with("x-project-chat-");
    let forwarding = name.starts_with("x-forwarded-") || matches!(name, "forwarded" | "x-real-ip" | "via");
    // The runtime makes these anew for each connection.
    let connection = matches!(name, "host" | "connection" | "keep-alive" | "te" | "trailer" | "transfer-encoding");
    let handshake = name.starts_with("sec-websocket-") && name != "sec-websocket-protocol";
    !(ours || forwarding || connection || handshake)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_the_configurations() {
        let to = |origin: &str, path: &str| {
            let public = Url::parse(&format!("https://chat.example.com{path}")).unwrap();
            target(&Url::parse(origin).unwrap(), &public).map(String::from)
        };
        let app = "https://app.example.com";
        assert_eq!(to(app, "/a/b/?c=d").as_deref(), Some("https://app.example.com/a/b/?c=d"));
        assert_eq!(to(app, "//evil.test/x").as_deref(), Some("https://app.example.com//evil.test/x"));
        assert_eq!(to(app, "/@evil.test").as_deref(), Some("https://app.example.com/@evil.test"));
        assert_eq!(to(app, "/\\evil.test").as_deref(), Some("https://app.example.com//evil.test"));
        assert_eq!(to(app, "/a?next=%2F%2Fevil").as_deref(), Some("https://app.example.com/a?next=%2F%2Fevil"));
        assert_eq!(to("http://127.0.0.1:9000/base/?x=y", "/a").as_deref(), Some("http://127.0.0.1:9000/base/a"));
    }

    #[test]
    fn what_only_we_may_say_does_not_pass() {
        for name in [
            "x-forwarded-for",
            "x-forwarded-port",
            "forwarded",
            "x-real-ip",
            "x-project-chat-request",
            "host",
            "sec-websocket-key",
        ] {
            assert!(!passes(name), "{name}");
        }
        for name in ["authorization", "cookie", "upgrade", "sec-websocket-protocol", "content-type", "x-user-language"]
        {
            assert!(passes(name), "{name}");
        }
        assert_eq!(authority(&Url::parse("http://127.0.0.1:8000/a/b?c=http://x/y").unwrap()), "127.0.0.1:8000");
    }
}
