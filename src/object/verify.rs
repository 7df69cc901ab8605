//! A fresh token on a live socket: checked by the same code as at the door.

use chat_core::protocol::codes::{ErrorCode, Refusal};
use chat_core::protocol::internal::Identity;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use worker::Env;

use super::room::RoomHost;
use crate::config::Access;
use crate::secret::Secret;
use crate::{auth, clock, config};

/// What came of a token, on its way through the shell.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Identity(Identity),
    Refused { code: String, detail: String, retry_after_ms: Option<i64> },
}

#[wasm_bindgen]
impl RoomHost {
    /// Whose token it is, or why it is none, as JSON for `RoomHost::verified`. It belongs to no room: worker-build's
    /// shim exports classes, and functions only as methods of the Worker's entry point.
    ///
    /// `project`: the room's; `None` for a user's object.
    #[wasm_bindgen(js_name = verifyToken)]
    pub async fn verify_token(env: JsValue, token: String, project: Option<String>) -> String {
        let outcome = match identify(env.unchecked_into(), &token, project.as_deref()).await {
            Ok(identity) => Outcome::Identity(identity),
            Err(Refusal { code, detail, retry_after_ms }) => {
                Outcome::Refused { code: code.word().to_owned(), detail, retry_after_ms }
            }
        };
        serde_json::to_string(&outcome).unwrap_or_default()
    }
}

async fn identify(env: Env, token: &str, project: Option<&str>) -> Result<Identity, Refusal> {
    let setup = config::of(&env);
    let chat = setup.chat.as_ref().map_err(|sentence| Refusal::new(ErrorCode::Misconfigured, sentence))?;
    let visitor = auth::identify(chat, Secret::new(token), clock::now()).await?;
    if matches!(chat.access, Access::Claims) {
        // What a token claims is asked at the door: an inbox that shows by claims comes back with the new one.
        let project = project.ok_or(ErrorCode::Unavailable)?;
        if !visitor.projects.iter().any(|(claimed, _)| claimed.as_str() == project) {
            return Err(ErrorCode::NoAccess.into());
        }
    }
    Ok(visitor.identity)
}

/// The other end of [`RoomHost::verify_token`]; empty text is what the shell gives when nothing came of it.
pub(super) fn read(outcome: &str) -> Result<Identity, Refusal> {
    match serde_json::from_str(outcome) {
        Ok(Outcome::Identity(identity)) => Ok(identity),
        Ok(Outcome::Refused { code, detail, retry_after_ms }) => {
            let known = ErrorCode::ALL.iter().copied().find(|known| known.word() == code);
            Err(Refusal { code: known.unwrap_or(ErrorCode::Internal), detail, retry_after_ms })
        }
        Err(_) => Err(ErrorCode::Unavailable.into()),
    }
}
