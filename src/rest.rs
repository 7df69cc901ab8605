//! The calls over HTTP: each reads its input, passes the gate, and hands the room's answer on.

pub mod contacts;
pub mod input;
pub mod log;
pub mod members;
pub mod messages;

use worker::Response;

use crate::reply::{Answer, internal};

/// A room's answer as the caller may see it: status, body and the headers meant for them, nothing else.
fn hand_on(response: Response) -> Answer {
    let status = response.status_code();
    let headers = ["content-type", "retry-after"].map(|name| (name, response.headers().get(name).ok().flatten()));
    // The body is a stream, and stays one.
    let (_, body) = response.into_parts();
    let answer = Response::builder().with_status(status).body(body);
    for (name, value) in headers {
        if let Some(value) = value {
            answer.headers().set(name, &value).map_err(internal("copying a header"))?;
        }
    }
    Ok(answer)
}
