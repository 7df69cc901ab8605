//! The customer's backend, asked as its own front end would ask: with the user's token.

pub mod access;
pub mod http;
pub mod profile;
pub mod projects;

use chat_core::protocol::codes::{ErrorCode, Refusal};

/// An answer's body beyond this is not read.
const BODY_MAX_BYTES: usize = 1024 * 1024;

/// The backend did not say yes or no.
pub fn silent() -> Refusal {
    Refusal::from(ErrorCode::BackendUnavailable).after(5_000)
}
