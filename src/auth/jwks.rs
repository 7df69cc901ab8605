//! The keys that the issuer publishes at `JWKS_URL`, kept in the isolate.

use std::cell::RefCell;
use std::rc::Rc;

use chat_core::ids::Millis;
use chat_core::protocol::codes::{ErrorCode, Refusal};
use serde_json::{Map, Value};

use super::key::{Algorithm, Key, PublicKey};
use crate::backend::http::{self, Ask};
use crate::clock;

const KEEP_MS: i64 = 600_000;
/// An unknown `kid` costs the sender nothing to invent: it must not make us ask more often than this.
const ASK_AGAIN_MS: i64 = 60_000;
/// While no keys are known, every token would ask an issuer who is down; so long after a failure none does.
const LEAVE_ALONE_MS: i64 = 2_000;
const MAX_BYTES: usize = 256 * 1024;

/// What is known of the issuer at one address.
struct Issuer {
    url: String,
    published: Option<Published>,
    /// It is not asked before this moment.
    ask_again_at: Millis,
}

#[derive(Clone)]
struct Published {
    keys: Rc<Vec<Rc<Key>>>,
    heard_at: Millis,
}

thread_local! {
    static ISSUER: RefCell<Issuer> =
        const { RefCell::new(Issuer { url: String::new(), published: None, ask_again_at: Millis(0) }) };
}

/// The published keys, asked for when there are none, when they are old, or when none of them is meant. What is
/// answered without having asked holds a key that is meant: only who has just asked knows that there is none.
///
/// # Errors
/// `KeysUnavailable` when it cannot be told whether there is such a key, because the issuer does not answer or may not
/// be asked yet: a 401 would log the token's user out.
pub async fn keys(
    url: &str,
    timeout_ms: u32,
    algorithm: Algorithm,
    key_id: Option<&str>,
    now: Millis,
) -> Result<Rc<Vec<Rc<Key>>>, Refusal> {
    let (published, wait_ms) = of(url, |issuer| (issuer.published.clone(), issuer.ask_again_at.since(now)));
    let any_published = published.is_some();
    let known = published.filter(|set| set.keys.iter().any(|key| key.is_meant(algorithm, key_id)));
    match known {
        Some(known) if wait_ms > 0 || now.since(known.heard_at) < KEEP_MS => return Ok(known.keys),
        None if wait_ms > 0 && any_published => return Err(not_yet_known(wait_ms)),
        None if wait_ms > 0 => return Err(unavailable(wait_ms)),
        _ => {}
    }
    if any_published {
        of(url, |issuer| issuer.ask_again_at = now.plus(ASK_AGAIN_MS));
    }
    // Nobody waits for another request's answer: the runtime ties each to its own request.
    match (fetch(url, timeout_ms).await.map(Rc::new), known) {
        (Some(keys), _) => {
            of(url, |issuer| issuer.published = Some(Published { keys: keys.clone(), heard_at: now }));
            Ok(keys)
        }
        (None, Some(known)) => Ok(known.keys),
        (None, None) => Err(unavailable(of(url, |issuer| issuer.has_failed(clock::now())))),
    }
}

/// Looks at the issuer at this address, or changes what is known of it.
fn of<T>(url: &str, then: impl FnOnce(&mut Issuer) -> T) -> T {
    ISSUER.with_borrow_mut(|issuer| {
        if issuer.url != url {
            *issuer = Issuer { url: url.to_owned(), published: None, ask_again_at: Millis(0) };
        }
        then(issuer)
    })
}

impl Issuer {
    /// Milliseconds until it may be asked again.
    fn has_failed(&mut self, now: Millis) -> i64 {
        if self.published.is_none() {
            self.ask_again_at = now.plus(LEAVE_ALONE_MS);
        }
        self.ask_again_at.since(now)
    }
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

fn unavailable(wait_ms: i64) -> Refusal {
    Refusal::from(ErrorCode::KeysUnavailable).after(wait_ms)
}

fn not_yet_known(wait_ms: i64) -> Refusal {
    let sentence = "The token's key is not known, and the published keys were asked for less than a minute ago.";
    Refusal::new(ErrorCode::KeysUnavailable, sentence).after(wait_ms)
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
