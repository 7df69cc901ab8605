//! Development only: signs anybody in, and shows what things cost.

use chat_core::protocol::codes::{ErrorCode, Refusal};
use jwt_compact::Claims;
use serde_json::{Map, Value, json};
use worker::Request;

use crate::app::App;
use crate::auth::key;
use crate::reply::{Answer, internal, invalid_field};
use crate::rest::input;
use crate::{clock, foreign, metrics, reply};

const TOKEN_LIFE_S: i64 = 12 * 60 * 60;

/// `{user_id, username?, projects?}` → `{access}`.
pub async fn token(app: &App, request: &Request) -> Answer {
    let (algorithm, secret) = app.chat.keys.development.as_ref().ok_or(ErrorCode::NotFound)?;
    let fields = input::json(request, app.chat.limits.frame_max_bytes).await?;
    let now = clock::now().seconds();
    let mut claims = claims(&fields)?;
    claims.extend(app.chat.claims.issued_by().map(|(name, text)| (name.to_owned(), Value::from(text))));
    claims.insert("iat".to_owned(), json!(now));
    claims.insert("exp".to_owned(), json!(now + TOKEN_LIFE_S));
    // A backend that runs SimpleJWT with the same secret takes no token without an id.
    let mut id = [0_u8; 16];
    getrandom::fill(&mut id).map_err(internal("making a token's id"))?;
    claims.insert("jti".to_owned(), json!(format!("{:032x}", u128::from_be_bytes(id))));
    let token = key::sign(*algorithm, secret, &Claims::new(Value::Object(claims))).ok_or(ErrorCode::NotFound)?;
    reply::json(200, &json!({ "access": token.map_err(internal("signing a token"))? }))
}

pub fn counters() -> Answer {
    let mut counters = crate::object::counters();
    if let Some(counters) = counters.as_object_mut() {
        counters.insert("backend_calls".to_owned(), json!(metrics::BACKEND_CALLS.get()));
        counters.insert("worker_requests".to_owned(), json!(metrics::WORKER_REQUESTS.get()));
    }
    reply::json(200, &counters)
}

fn claims(fields: &input::Fields) -> Result<Map<String, Value>, Refusal> {
    let user = fields.get("user_id").and_then(foreign::user_id);
    let user = user.ok_or_else(|| invalid_field("user_id must be a whole number or a string."))?;
    let mut claims = Map::from_iter([("token_type".to_owned(), json!("access")), ("user_id".to_owned(), json!(user))]);
    if let Some(name) = input::optional_text(fields, "username")? {
        claims.insert("username".to_owned(), json!(name));
    }
    if let Some(projects) = fields.get("projects") {
        claims.insert("projects".to_owned(), projects.clone());
    }
    Ok(claims)
}

/// `{project, probe}`: hands the probe to the project's room as it is; see `src/object/probe.rs`.
#[cfg(feature = "panic-probe")]
pub async fn probe(app: &App, request: &Request) -> Answer {
    let fields = input::json(request, app.chat.limits.frame_max_bytes).await?;
    let project = fields.get("project").map(Value::to_string).unwrap_or_default();
    let room = crate::objects::Object { env: &app.env, binding: "ROOMS", name: &project };
    room.call(&fields, false).await
}
