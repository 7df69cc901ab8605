//! A key that tokens are checked with. It knows its algorithm; a token cannot choose another.

use std::cell::OnceCell;

use chat_core::protocol::codes::{ErrorCode, Refusal};
use jwt_compact::alg::{Hs256, Hs256Key, Hs384, Hs384Key, Hs512, Hs512Key};
use jwt_compact::{AlgorithmExt, Claims, CreationError, Empty, Header};
use serde_json::{Map, Value};
use web_sys::CryptoKey;

use super::token::Unverified;
use super::webcrypto;
use crate::secret::Secret;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Hs256,
    Hs384,
    Hs512,
    Rs256,
    Es256,
    EdDsa,
}

impl Algorithm {
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "HS256" => Algorithm::Hs256,
            "HS384" => Algorithm::Hs384,
            "HS512" => Algorithm::Hs512,
            "RS256" => Algorithm::Rs256,
            "ES256" => Algorithm::Es256,
            // RFC 9864 names the curve, older tokens the family.
            "EdDSA" | "Ed25519" => Algorithm::EdDsa,
            _ => return None,
        })
    }

    /// Whether the key that verifies may be published.
    pub fn is_public(self) -> bool {
        matches!(self, Algorithm::Rs256 | Algorithm::Es256 | Algorithm::EdDsa)
    }
}

#[derive(Debug)]
pub struct Key {
    pub algorithm: Algorithm,
    pub id: Option<String>,
    material: Material,
}

#[derive(Debug)]
enum Material {
    Hmac(Secret),
    /// Imported into Web Crypto at its first use, and kept: importing an RSA key costs as much as a verification.
    Public {
        source: PublicKey,
        imported: OnceCell<CryptoKey>,
    },
}

#[derive(Clone, Debug)]
pub enum PublicKey {
    /// SubjectPublicKeyInfo, DER.
    Spki(Vec<u8>),
    /// The members of a JSON Web Key that make up the key itself.
    Jwk(Map<String, Value>),
}

impl Key {
    pub fn hmac(algorithm: Algorithm, secret: Secret) -> Self {
        Key { algorithm, id: None, material: Material::Hmac(secret) }
    }

    pub fn public(algorithm: Algorithm, id: Option<String>, source: PublicKey) -> Self {
        Key { algorithm, id, material: Material::Public { source, imported: OnceCell::new() } }
    }

    /// False for a key of another algorithm, or of another name when both have one.
    pub fn may_have_signed(&self, algorithm: Algorithm, key_id: Option<&str>) -> bool {
        let names = self.id.as_deref().zip(key_id);
        self.algorithm == algorithm && names.is_none_or(|(mine, theirs)| mine == theirs)
    }

    /// Whether a token speaks of this key: by its name where it gives one, else by its algorithm.
    pub fn is_meant(&self, algorithm: Algorithm, key_id: Option<&str>) -> bool {
        (key_id.is_some() && self.id.as_deref() == key_id) || self.may_have_signed(algorithm, key_id)
    }

    /// # Errors
    /// `Misconfigured` when Web Crypto does not take a key of the configuration.
    pub async fn verify(&self, token: &Unverified<'_>) -> Result<bool, Refusal> {
        match &self.material {
            Material::Hmac(secret) => Ok(hmac_fits(self.algorithm, secret, token)),
            Material::Public { source, imported } => {
                let key = match (imported.get(), source) {
                    (Some(key), _) => key.clone(),
                    (None, PublicKey::Spki(_)) => {
                        import(self.algorithm, source, imported).await.ok_or_else(unusable)?
                    }
                    (None, PublicKey::Jwk(_)) => match import(self.algorithm, source, imported).await {
                        Some(key) => key,
                        // One bad key in the issuer's set does not spoil the others.
                        None => return Ok(false),
                    },
                };
                let signature = token.parsed.signature_bytes();
                Ok(webcrypto::verify(self.algorithm, &key, signature, token.signed).await.unwrap_or(false))
            }
        }
    }
}

async fn import(algorithm: Algorithm, source: &PublicKey, imported: &OnceCell<CryptoKey>) -> Option<CryptoKey> {
    let key = webcrypto::import(algorithm, source).await.ok()?;
    Some(imported.get_or_init(|| key).clone())
}

fn unusable() -> Refusal {
    Refusal::new(ErrorCode::Misconfigured, "JWT_PUBLIC_KEY holds a key that cannot be used.")
}

fn hmac_fits(algorithm: Algorithm, secret: &Secret, token: &Unverified<'_>) -> bool {
    let (secret, parsed) = (secret.expose(), &token.parsed);
    match algorithm {
        Algorithm::Hs256 => Hs256.validator::<Empty>(&Hs256Key::new(secret)).validate(parsed).is_ok(),
        Algorithm::Hs384 => Hs384.validator::<Empty>(&Hs384Key::new(secret)).validate(parsed).is_ok(),
        Algorithm::Hs512 => Hs512.validator::<Empty>(&Hs512Key::new(secret)).validate(parsed).is_ok(),
        Algorithm::Rs256 | Algorithm::Es256 | Algorithm::EdDsa => false,
    }
}

/// Signs a token with a shared secret; for development sign-in. `None` for an algorithm of public keys.
pub fn sign(algorithm: Algorithm, secret: &Secret, claims: &Claims<Value>) -> Option<Result<String, CreationError>> {
    let (secret, header) = (secret.expose(), Header::empty().with_token_type("JWT"));
    Some(match algorithm {
        Algorithm::Hs256 => Hs256.token(&header, claims, &Hs256Key::new(secret)),
        Algorithm::Hs384 => Hs384.token(&header, claims, &Hs384Key::new(secret)),
        Algorithm::Hs512 => Hs512.token(&header, claims, &Hs512Key::new(secret)),
        Algorithm::Rs256 | Algorithm::Es256 | Algorithm::EdDsa => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_secret_signs_and_verifies_in_its_own_algorithm_only() {
        let secret = Secret::new("0123456789abcdef0123456789abcdef");
        for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
            let claims = Claims::new(serde_json::json!({ "user_id": 7 }));
            let token = Secret::new(sign(algorithm, &secret, &claims).unwrap().unwrap());
            let token = Unverified::parse(&token).unwrap();
            assert_eq!(Algorithm::parse(token.algorithm()), Some(algorithm));
            for other in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
                assert_eq!(hmac_fits(other, &secret, &token), other == algorithm);
            }
            assert!(!hmac_fits(algorithm, &Secret::new("another-secret-of-32-characters-!"), &token));
        }
    }

    #[test]
    fn a_name_excludes_only_when_both_have_one() {
        let key = |id: Option<&str>| Key::public(Algorithm::Es256, id.map(str::to_owned), PublicKey::Spki(Vec::new()));
        assert!(key(None).may_have_signed(Algorithm::Es256, Some("a")));
        assert!(key(Some("a")).may_have_signed(Algorithm::Es256, None));
        assert!(!key(Some("a")).may_have_signed(Algorithm::Es256, Some("b")));
        assert!(!key(Some("a")).may_have_signed(Algorithm::Rs256, Some("a")));
        assert!(key(Some("a")).is_meant(Algorithm::Rs256, Some("a")));
        assert!(!key(Some("a")).is_meant(Algorithm::Rs256, None));
    }
}
