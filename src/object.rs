//! The Rust half of the Durable Objects: a host for a room and one for a user, driven by the shell in `src/shell`.
//!
//! The shell (JavaScript) keeps the sockets, the inbox and the one timer; a host takes what the shell collected, runs
//! one turn of the core on the object's SQLite, and hands the effects back, to be carried out when the shell's
//! transaction has been committed. So nothing that a wasm trap takes with it is more than a cache: see
//! docs/ARCHITECTURE.md, "What a panic does".

mod bindings;
mod db;
mod effects;
#[cfg(feature = "panic-probe")]
mod probe;
mod room;
mod shell_env;
mod user;
mod verify;

/// What the objects of this isolate have cost so far, for `GET /dev/counters/`:
/// `{"rooms": {id: {constructed, requests, frames_in, …}}, "users": {…}}`.
pub fn counters() -> serde_json::Value {
    let text = bindings::counters();
    serde_json::from_str(&text).unwrap_or_default()
}
