//! Where a token stands in a request, and a token before its signature is checked.

use chat_core::protocol::codes::{ErrorCode, Refusal};
use chat_core::protocol::internal::Dialect;
use chat_core::protocol::v1;
use jwt_compact::UntrustedToken;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::secret::Secret;

const SUBPROTOCOL_PREFIX: &str = "bearer.";
/// Longer ones are no tokens of anybody's: the runtime allows 16 KB for a whole URL.
const MAX_BYTES: usize = 12_000;

/// The token of `Authorization: Bearer …`.
pub fn from_authorization(header: Option<&str>) -> Option<Secret> {
    let (scheme, token) = header?.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| Secret::new(token))
}

/// The token among the subprotocols that a browser offered: `bearer.<token>`.
pub fn from_subprotocols(header: Option<&str>) -> Option<Secret> {
    let token = offered(header).find_map(|name| name.strip_prefix(SUBPROTOCOL_PREFIX))?;
    (!token.is_empty()).then(|| Secret::new(token))
}

/// The token of `?token=`.
pub fn from_query<'a>(
    mut pairs: impl Iterator<Item = (std::borrow::Cow<'a, str>, std::borrow::Cow<'a, str>)>,
) -> Option<Secret> {
    let (_, token) = pairs.find(|(name, token)| name == "token" && !token.is_empty())?;
    Some(Secret::new(token))
}

/// The subprotocol to answer with: a browser that offered some drops the connection when none is chosen. Names of
/// dialects that are not spoken here are left alone, so that their clients notice.
pub fn chosen_subprotocol(header: Option<&str>) -> Option<&str> {
    if let Some(name) = offered(header).find(|name| *name == v1::SUBPROTOCOL) {
        return Some(name);
    }
    let bearer = offered(header).find(|name| name.starts_with(SUBPROTOCOL_PREFIX));
    bearer.or_else(|| offered(header).find(|name| !name.starts_with("project-chat.")))
}

/// What a client speaks that offers these.
pub fn dialect(header: Option<&str>) -> Dialect {
    if offered(header).any(|name| name == v1::SUBPROTOCOL) { Dialect::V1 } else { Dialect::Classic }
}

fn offered(header: Option<&str>) -> impl Iterator<Item = &str> {
    header.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty())
}

/// What the header may also hold: extensions that must be understood (RFC 7515, 4.1.11). None is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Extensions {
    #[serde(default)]
    crit: Option<Value>,
}

/// A token whose parts are well formed. Nothing in it is to be believed yet.
pub struct Unverified<'a> {
    pub parsed: UntrustedToken<'a, Extensions>,
    pub claims: jwt_compact::Claims<Map<String, Value>>,
    /// The bytes that the signature is over.
    pub signed: &'a [u8],
}

impl<'a> Unverified<'a> {
    pub fn parse(token: &'a Secret) -> Result<Self, Refusal> {
        let malformed = || Refusal::from(ErrorCode::TokenMalformed);
        let text = token.expose();
        if text.len() > MAX_BYTES {
            return Err(malformed());
        }
        let parsed = UntrustedToken::<Extensions>::try_from(text).map_err(|_| malformed())?;
        if parsed.algorithm().eq_ignore_ascii_case("none") {
            return Err(ErrorCode::TokenUnsigned.into());
        }
        if parsed.header().other_fields.crit.is_some() {
            return Err(malformed());
        }
        let claims = parsed.deserialize_claims_unchecked().map_err(|_| malformed())?;
        let (signed, _) = text.rsplit_once('.').ok_or_else(malformed)?;
        Ok(Unverified { parsed, claims, signed: signed.as_bytes() })
    }

    pub fn algorithm(&self) -> &str {
        self.parsed.algorithm()
    }

    pub fn key_id(&self) -> Option<&str> {
        self.parsed.header().key_id.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_found_where_they_may_stand() {
        let token = |found: Option<Secret>| found.map(|secret| secret.expose().to_owned());
        assert_eq!(token(from_authorization(Some("bearer  a.b.c "))).as_deref(), Some("a.b.c"));
        assert_eq!(token(from_authorization(Some("Basic abc"))), None);
        assert_eq!(token(from_authorization(Some("Bearer "))), None);
        assert_eq!(token(from_subprotocols(Some("chat, bearer.a.b.c"))).as_deref(), Some("a.b.c"));
        assert_eq!(token(from_subprotocols(Some("bearer."))), None);
        let query = [("token".into(), "".into()), ("token".into(), "a.b.c".into())];
        assert_eq!(token(from_query(query.into_iter())).as_deref(), Some("a.b.c"));
    }

    #[test]
    fn a_subprotocol_is_chosen_that_was_offered() {
        assert_eq!(chosen_subprotocol(None), None);
        assert_eq!(chosen_subprotocol(Some("chat, bearer.x")), Some("bearer.x"));
        assert_eq!(chosen_subprotocol(Some("chat")), Some("chat"));
        assert_eq!(chosen_subprotocol(Some("project-chat.v9")), None);
        assert_eq!(chosen_subprotocol(Some("bearer.x, project-chat.v1")), Some("project-chat.v1"));
        assert_eq!(dialect(Some("bearer.x, project-chat.v1")), Dialect::V1);
        assert_eq!(dialect(Some("project-chat.v9")), Dialect::Classic);
    }

    #[test]
    fn what_is_no_token_is_told_from_what_is_unsigned() {
        let code = |text: &str| Unverified::parse(&Secret::new(text)).err().map(|refusal| refusal.code);
        assert_eq!(code("nonsense"), Some(ErrorCode::TokenMalformed));
        assert_eq!(code("a.b.c"), Some(ErrorCode::TokenMalformed));
        // {"alg":"none"} . {}
        assert_eq!(code("eyJhbGciOiJub25lIn0.e30."), Some(ErrorCode::TokenUnsigned));
        // {"alg":"HS256","crit":["x"]} . {}
        assert_eq!(code("eyJhbGciOiJIUzI1NiIsImNyaXQiOlsieCJdfQ.e30.AAAA"), Some(ErrorCode::TokenMalformed));
        // {"alg":"HS256"} . []
        assert_eq!(code("eyJhbGciOiJIUzI1NiJ9.W10.AAAA"), Some(ErrorCode::TokenMalformed));
        assert_eq!(code("eyJhbGciOiJIUzI1NiJ9.e30.AAAA"), None);
    }
}
