//! Answers of our own.

use chat_core::protocol::codes::{ErrorCode, Refusal};
use serde::Serialize;
use worker::{Response, ResponseBuilder};

/// What every handler of ours comes to.
pub type Answer = Result<Response, Refusal>;

/// Seconds to wait before trying again, when nobody knows better.
const RETRY_AFTER_S: i64 = 5;

pub fn json(status: u16, value: &impl Serialize) -> Answer {
    let builder = ResponseBuilder::new().with_status(status);
    builder.from_json(value).map_err(internal("encoding an answer"))
}

/// The error envelope, with `Retry-After` where trying again is the thing to do.
pub fn refused(refusal: &Refusal) -> Response {
    let status = refusal.code.status();
    let body = refusal.envelope().to_string().into_bytes();
    let response = ResponseBuilder::new().with_status(status).fixed(body);
    let headers = response.headers();
    // Setting a header of our own making cannot fail, and an answer without it is better than none.
    let _ = headers.set("content-type", "application/json");
    if matches!(status, 429 | 503) {
        let seconds = refusal.retry_after_ms.map_or(RETRY_AFTER_S, |ms| ms.max(0).saturating_add(999) / 1000);
        let _ = headers.set("retry-after", &seconds.max(1).to_string());
    }
    match refusal.code {
        ErrorCode::UpgradeRequired => {
            let _ = headers.set("upgrade", "websocket");
        }
        ErrorCode::TokenMissing => {
            let _ = headers.set("www-authenticate", "Bearer");
        }
        _ => {}
    }
    response
}

/// Logs what went wrong and hides it from the caller. `doing` must not hold anything of the request.
pub fn internal<E: std::fmt::Display>(doing: &'static str) -> impl Fn(E) -> Refusal {
    move |error| {
        worker::console_error!("{doing}: {error}");
        ErrorCode::Internal.into()
    }
}

pub fn invalid_field(detail: impl Into<String>) -> Refusal {
    Refusal::new(ErrorCode::InvalidField, detail)
}
