//! Who calls: a token becomes a [`Visitor`], or a refusal, without touching an object.

pub mod claims;
mod jwks;
pub mod key;
pub mod pem;
pub mod token;
mod webcrypto;

use std::rc::Rc;

use chat_core::ids::Millis;
use chat_core::protocol::codes::{ErrorCode, Refusal};
use chat_core::protocol::internal::Identity;

use crate::config::Chat;
use crate::secret::Secret;
use claims::ClaimedProject;
use key::{Algorithm, Key};
use token::Unverified;

/// A verified token and what it says.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub identity: Identity,
    /// The projects that the token's `projects` claim names.
    pub projects: Vec<ClaimedProject>,
    /// The token itself: the backend is asked with it.
    pub token: Secret,
}

impl Visitor {
    /// Refuses an expired token, which only a classic socket may come back with.
    pub fn live(self) -> Result<Self, Refusal> {
        if self.identity.expired { Err(ErrorCode::TokenExpired.into()) } else { Ok(self) }
    }
}

pub async fn identify(chat: &Chat, token: Secret, now: Millis) -> Result<Visitor, Refusal> {
    let unverified = Unverified::parse(&token)?;
    check_signature(chat, &unverified, now).await?;
    let (identity, projects) = chat.claims.judge(&unverified.claims, now.seconds(), chat.limits.session_max_s)?;
    Ok(Visitor { identity, projects, token })
}

/// The algorithm belongs to the key: the token's word for it only chooses among the keys that are for it.
async fn check_signature(chat: &Chat, token: &Unverified<'_>, now: Millis) -> Result<(), Refusal> {
    let algorithm = Algorithm::parse(token.algorithm()).ok_or(ErrorCode::TokenBadAlgorithm)?;
    if signed_by_one_of(&chat.keys.keys, algorithm, token).await? {
        return Ok(());
    }
    let mut keys = chat.keys.keys.clone();
    if let Some(url) = chat.keys.jwks_url.as_deref().filter(|_| algorithm.is_public()) {
        let published = jwks::keys(url, chat.backend.timeout_ms, algorithm, token.key_id(), now).await?;
        if signed_by_one_of(&published, algorithm, token).await? {
            return Ok(());
        }
        keys.extend(published.iter().cloned());
    }
    Err(why_unsigned(&keys, algorithm, token.key_id()).into())
}

/// A token that names a key is about that key; any other about all of them.
fn why_unsigned(keys: &[Rc<Key>], algorithm: Algorithm, key_id: Option<&str>) -> ErrorCode {
    let named = |key: &&Rc<Key>| key_id.is_some() && key.id.as_deref() == key_id;
    let one_is_named = keys.iter().any(|key| named(&key));
    let for_algorithm = keys.iter().filter(|key| !one_is_named || named(key)).any(|key| key.algorithm == algorithm);
    if for_algorithm { ErrorCode::TokenBadSignature } else { ErrorCode::TokenBadAlgorithm }
}

async fn signed_by_one_of(keys: &[Rc<Key>], algorithm: Algorithm, token: &Unverified<'_>) -> Result<bool, Refusal> {
    for key in keys.iter().filter(|key| key.may_have_signed(algorithm, token.key_id())) {
        if key.verify(token).await? {
            return Ok(true);
        }
    }
    Ok(false)
}
