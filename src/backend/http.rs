//! One GET, with an end: in time, in size, and without being led elsewhere.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use worker::{
    AbortController, AbortSignal, CacheMode, Delay, Fetch, Headers, Request, RequestInit, RequestRedirect, ResponseBody,
};

use crate::secret::Secret;
use crate::{body, metrics};

#[derive(Clone, Copy)]
pub struct Ask<'a> {
    pub url: &'a str,
    pub token: Option<&'a Secret>,
    pub timeout_ms: u32,
    pub max_bytes: usize,
}

pub struct Heard {
    pub status: u16,
    /// Of a 2xx only. `None` when there is more than was asked for.
    pub body: Option<Vec<u8>>,
}

impl Heard {
    pub fn is_yes(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// `None` when there is no answer in time.
pub async fn ask(ask: Ask<'_>) -> Option<Heard> {
    metrics::count(&metrics::BACKEND_CALLS);
    let controller = AbortController::default();
    let signal = controller.signal();
    // The delay that is not needed takes its timer along when it is dropped.
    let timeout = Delay::from(Duration::from_millis(u64::from(ask.timeout_ms)));
    let heard = match select(pin!(send(ask, &signal)), pin!(timeout)).await {
        Either::Left((heard, _)) => heard,
        Either::Right(_) => {
            controller.abort();
            Err(worker::Error::from("no answer in time"))
        }
    };
    heard.inspect_err(|error| worker::console_warn!("{} did not answer: {error}", without_query(ask.url))).ok()
}

async fn send(ask: Ask<'_>, signal: &AbortSignal) -> worker::Result<Heard> {
    let headers = Headers::new();
    headers.set("accept", "application/json")?;
    if let Some(token) = ask.token {
        headers.set("authorization", &format!("Bearer {}", token.expose()))?;
    }
    let mut init = RequestInit::new();
    // A redirect would take the user's token along, and a login page that answers 200 is not a yes.
    init.with_headers(headers).with_redirect(RequestRedirect::Manual).with_cache(CacheMode::NoStore);
    let request = Request::new_with_init(ask.url, &init)?;
    let response = Fetch::Request(request).send_with_signal(signal).await?;
    let status = response.status_code();
    let body = match response.body() {
        ResponseBody::Stream(stream) if (200..300).contains(&status) => {
            body::read(stream.clone(), ask.max_bytes).await?
        }
        _ => Some(Vec::new()),
    };
    Ok(Heard { status, body })
}

/// An address as it may be logged.
fn without_query(url: &str) -> &str {
    url.split_once('?').map_or(url, |(address, _)| address)
}
