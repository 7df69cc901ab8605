//! What a token's claims must be, once its signature is known to be good.

use chat_core::ids::{ProjectId, UserId};
use chat_core::protocol::codes::{ErrorCode, Refusal};
use chat_core::protocol::internal::{Identity, Role};
use jwt_compact::Claims;
use serde_json::{Map, Value};

use crate::config::{JWT_AUDIENCE, JWT_ISSUER, JWT_LEEWAY, JWT_USER_ID_CLAIM, Reader};
use crate::foreign::{name, project_id, role, user_id};

/// A project that a token claims, with the user's role in it, if it says.
pub type ClaimedProject = (ProjectId, Option<Role>);

#[derive(Debug)]
pub struct ClaimRules {
    issuer: Option<String>,
    audience: Option<String>,
    leeway_s: i64,
    user_id_claim: String,
}

impl ClaimRules {
    pub fn read(reader: &Reader<'_>) -> Result<Self, String> {
        Ok(ClaimRules {
            issuer: reader.text(JWT_ISSUER),
            audience: reader.text(JWT_AUDIENCE),
            leeway_s: reader.whole_number(JWT_LEEWAY, 0..=600)?,
            user_id_claim: reader.text(JWT_USER_ID_CLAIM).unwrap_or_default(),
        })
    }

    /// `iss` and `aud` as tokens made here carry them.
    pub fn issued_by(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let issuer = self.issuer.as_deref().map(|text| ("iss", text));
        issuer.into_iter().chain(self.audience.as_deref().map(|text| ("aud", text)))
    }

    /// Who the token names, and the projects it claims. A token that is good but for its expiry, by less than
    /// `session_max_s`, is marked so: it may still bring a classic socket back.
    pub fn judge(
        &self,
        claims: &Claims<Map<String, Value>>,
        now_s: i64,
        session_max_s: i64,
    ) -> Result<(Identity, Vec<ClaimedProject>), Refusal> {
        let custom = &claims.custom;
        if custom.get("token_type").is_some_and(|kind| kind != "access") {
            return Err(ErrorCode::TokenWrongType.into());
        }
        self.check_issuer(custom)?;
        let not_before = claims.not_before.map(|time| time.timestamp());
        if not_before.is_some_and(|nbf| nbf.saturating_sub(self.leeway_s) > now_s) {
            return Err(ErrorCode::TokenNotYetValid.into());
        }
        let expires_at = claims
            .expiration
            .map(|time| time.timestamp())
            .ok_or_else(|| Refusal::new(ErrorCode::TokenMalformed, "The token does not say when it expires (exp)."))?;
        let expired = expires_at.saturating_add(self.leeway_s) <= now_s;
        if expired && expires_at.saturating_add(session_max_s) <= now_s {
            return Err(ErrorCode::TokenExpired.into());
        }
        let identity = Identity {
            user: self.user(custom).ok_or(ErrorCode::TokenNoUser)?,
            username: username(custom),
            issued_at: claims.issued_at.map(|time| time.timestamp()),
            expires_at,
            expired,
        };
        Ok((identity, custom.get("projects").map(claimed_projects).unwrap_or_default()))
    }

    fn check_issuer(&self, claims: &Map<String, Value>) -> Result<(), Refusal> {
        let issuer_fits = match &self.issuer {
            Some(issuer) => claims.get("iss").and_then(Value::as_str) == Some(issuer),
            None => true,
        };
        let audience_fits = match (&self.audience, claims.get("aud")) {
            (None, _) => true,
            (Some(audience), Some(Value::Array(list))) => list.iter().any(|one| one == audience),
            (Some(audience), one) => one.and_then(Value::as_str) == Some(audience),
        };
        if issuer_fits && audience_fits { Ok(()) } else { Err(ErrorCode::TokenWrongIssuer.into()) }
    }

    fn user(&self, claims: &Map<String, Value>) -> Option<UserId> {
        let named = claims.get(&self.user_id_claim);
        // `sub` stands in for the usual claim only: a name that was configured is meant.
        let named = if self.user_id_claim == "user_id" { named.or_else(|| claims.get("sub")) } else { named };
        named.and_then(user_id)
    }
}

fn username(claims: &Map<String, Value>) -> Option<String> {
    ["username", "name", "preferred_username"].into_iter().find_map(|claim| name(claims.get(claim)?))
}

/// `[7, "8", {"id": 9}]` or `{"7": "viewer"}`. What is not understood claims nothing.
fn claimed_projects(claim: &Value) -> Vec<ClaimedProject> {
    match claim {
        Value::Array(list) => list
            .iter()
            .filter_map(|entry| {
                let id = entry.get("id").unwrap_or(entry);
                Some((project_id(id)?, entry.get("role").map(role)))
            })
            .collect(),
        Value::Object(roles) => {
            roles.iter().filter_map(|(id, word)| Some((ProjectId::parse(id)?, Some(role(word))))).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
#[path = "claims_tests.rs"]
mod tests;
