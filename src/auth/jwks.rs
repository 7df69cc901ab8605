//! The keys that the issuer publishes at `JWKS_URL`, kept in the isolate.

use std::cell::RefCell;
use std::rc::Rc;

use chat_core::ids::Millis;
use chat_core::protocol::codes::{ErrorCode, Refusal};
use serde_json::{Map, Value};

use super::key::{Algorithm, Key, PublicKey};
use crate::backend::http::{self, Ask};

const KEEP_MS: i64 = 600_000;
/// An unknown `kid` costs the sender nothing to invent: it must not make us ask more often than this.
const ASK_AGAIN_MS: i64 = 60_000;
const MAX_BYTES: usize = 256 * 1024;

#[derive(Clone)]
struct Published {
    url: String,
    keys: Rc<Vec<Rc<Key>>>,
    heard_at: Millis,
    /// The last time that they were asked for although some were known.
    asked_again_at: Option<Millis>,
}

thread_local! {
    static PUBLISHED: RefCell<Option<Published>> = const { RefCell::new(None) };
}

/// The published keys, asked for when there are none, when they are old, or when none of them is meant.
///
/// # Errors
/// `KeysUnavailable` when that cannot be told because the issuer does not answer: a 401 would log its user out.
pub async fn keys(
    url: &str,
    timeout_ms: u32,
    algorithm: Algorithm,
    key_id: Option<&str>,
    now: Millis,
) -> Result<Rc<Vec<Rc<Key>>>, Refusal> {
    let kept = PUBLISHED.with_borrow(|kept| kept.clone()).filter(|kept| kept.url == url);
    let Some(kept) = kept else {
        // Nobody waits for another request's answer: the runtime ties each to its own request.
        let keys = fetch(url, timeout_ms).await.ok_or_else(unavailable)?;
        return Ok(keep(url, keys, now, None));
    };
    let known = kept.keys.iter().any(|key| key.is_meant(algorithm, key_id));
    let fresh = now.since(kept.heard_at) < KEEP_MS;
    let asked_again = kept.asked_again_at.filter(|at| now.since(*at) < ASK_AGAIN_MS);
    match asked_again {
        _ if known && fresh => return Ok(kept.keys),
        // The last question was answered, so an unknown key is nobody's; or the keys at hand are good enough.
        Some(at) if known || kept.heard_at == at => return Ok(kept.keys),
        Some(_) => return Err(unavailable()),
        None => {}
    }
    PUBLISHED.with_borrow_mut(|slot| *slot = Some(Published { asked_again_at: Some(now), ..kept.clone() }));
    match fetch(url, timeout_ms).await {
        Some(keys) => Ok(keep(url, keys, now, Some(now))),
        None if known => Ok(kept.keys),
        None => Err(unavailable()),
    }
}

fn keep(url: &str, keys: Vec<Rc<Key>>, heard_at: Millis, asked_again_at: Option<Millis>) -> Rc<Vec<Rc<Key>>> {
    let keys = Rc::new(keys);
    let published = Published { url: url.to_owned(), keys: keys.clone(), heard_at, asked_again_at };
    PUBLISHED.with_borrow_mut(|slot| *slot = Some(published));
    keys
}

async fn fetch(url: &str, timeout_ms: u32) -> Option<Vec<Rc<Key>>> {
    let heard = http::ask(Ask { url, token: None, timeout_ms, max_bytes: MAX_BYTES }).await?;
    if !heard.is_yes() {
        return None;
    }
    let set: Value = serde_json::from_slice(heard.body.as_deref()?).ok()?;
    let keys = set.get("keys")?.as_array()?;
    Some(keys.iter().filter_map(key).map(Rc::new).collect())
}

fn unavailable() -> Refusal {
    Refusal::from(ErrorCode::KeysUnavailable).after(5_000)
}

/// A key of the set, if it is one that tokens may be checked with. A symmetric one is not: it was published.
fn key(jwk: &Value) -> Option<Key> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let (algorithm, members): (_, &[&str]) = match (text("kty")?, text("crv")) {
        ("RSA", _) => (Algorithm::Rs256, &["kty", "n", "e"]),
        ("EC", Some("P-256")) => (Algorithm::Es256, &["kty", "crv", "x", "y"]),
        ("OKP", Some("Ed25519")) => (Algorithm::EdDsa, &["kty", "crv", "x"]),
        _ => return None,
    };
    let for_another_use = text("use").is_some_and(|word| word != "sig");
    if for_another_use || text("alg").is_some_and(|name| Algorithm::parse(name) != Some(algorithm)) {
        return None;
    }
    let source: Option<Map<String, Value>> =
        members.iter().map(|name| Some(((*name).to_owned(), Value::from(text(name)?)))).collect();
    Some(Key::public(algorithm, text("kid").map(str::to_owned), PublicKey::Jwk(source?)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_keys_for_our_algorithms_are_taken() {
        let algorithm = |jwk: Value| key(&jwk).map(|key| key.algorithm);
        assert_eq!(algorithm(json!({ "kty": "RSA", "n": "AQ", "e": "AQAB", "use": "sig" })), Some(Algorithm::Rs256));
        assert_eq!(algorithm(json!({ "kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ" })), Some(Algorithm::Es256));
        assert_eq!(algorithm(json!({ "kty": "OKP", "crv": "Ed25519", "x": "AQ" })), Some(Algorithm::EdDsa));
        for none in [
            json!({ "kty": "oct", "k": "AQ" }),
            json!({ "kty": "RSA", "n": "AQ", "e": "AQAB", "use": "enc" }),
            json!({ "kty": "RSA", "n": "AQ", "e": "AQAB", "alg": "PS256" }),
            json!({ "kty": "RSA", "n": "AQ" }),
            json!({ "kty": "EC", "crv": "P-384", "x": "AQ", "y": "AQ" }),
            json!(7),
        ] {
            assert_eq!(algorithm(none), None);
        }
    }
}
