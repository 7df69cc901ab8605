//! The Worker: everything that touches Cloudflare, and no rule of the chat (those are in `core/`).
//!
//! # Layout, in the order to read
//! - [`door`]: where every request comes in. [`routes`]: the one table of addresses. [`config`]: every variable.
//! - [`auth`]: who calls. [`access`]: the gate into a project. [`backend`]: the customer's backend, asked.
//! - [`socket`], [`rest`], [`contacts`]: the calls. [`rooms`], [`users`], [`objects`]: how objects are called.
//! - [`origin`]: what is not ours. [`cors`], [`reply`]: the form of answers. [`dev`], [`metrics`]: development.
//! - [`object`]: the Rust half of the Durable Objects; the other half is `src/shell`.

mod access;
mod app;
mod auth;
mod backend;
mod body;
mod clock;
mod config;
mod contacts;
mod cors;
mod dev;
mod door;
mod foreign;
mod metrics;
mod object;
mod objects;
mod origin;
mod project_ids;
mod reply;
mod rest;
mod rooms;
mod routes;
mod secret;
mod socket;
mod users;

use worker::{Context, Env, Request, Result, event};

/// A panic is logged with its stack, beside what workers-rs makes of it (its hook has the dead instance replaced).
#[event(start)]
fn start() {
    let earlier = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        console_error_panic_hook::hook(info);
        earlier(info);
    }));
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<web_sys::Response> {
    metrics::count(&metrics::WORKER_REQUESTS);
    Ok(door::answer(request, env, context).await)
}
