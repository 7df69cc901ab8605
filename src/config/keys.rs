//! The keys among the variables, and the guard on secrets that must not go into production.

use std::rc::Rc;

use super::read::Reader;
use super::{JWKS_URL, JWT_PUBLIC_KEY, JWT_SECRET, JWT_SECRET_ALGORITHM, SERVER_API_KEY, Variable};
use crate::auth::key::{Algorithm, Key};
use crate::auth::pem;
use crate::secret::Secret;

/// A shorter secret can be guessed from one token, offline.
const SECRET_MIN_CHARS: usize = 32;
/// What begins like this is for development: its owner may sign in as anybody.
const DEVELOPMENT_PREFIX: &str = "dev-";
/// What the committed example of `.dev.vars` holds where a secret belongs.
const PLACEHOLDERS: [&str; 2] = ["change-me", "example"];

#[derive(Debug)]
pub struct KeyConfig {
    pub keys: Vec<Rc<Key>>,
    pub jwks_url: Option<String>,
    /// What development sign-in signs with: the first secret, when it is one for development.
    pub development: Option<(Algorithm, Secret)>,
    pub server_keys: Vec<Secret>,
    /// The variable that holds a secret for development: then only loopback hosts are served.
    pub loopback_only: Option<&'static str>,
}

impl KeyConfig {
    pub(super) fn read(reader: &Reader<'_>) -> Result<Self, String> {
        let algorithm = match reader.text(JWT_SECRET_ALGORITHM).as_deref() {
            Some("HS256") => Algorithm::Hs256,
            Some("HS384") => Algorithm::Hs384,
            Some("HS512") => Algorithm::Hs512,
            _ => return Err("JWT_SECRET_ALGORITHM must be HS256, HS384 or HS512.".to_owned()),
        };
        let secrets = read_secrets(reader, JWT_SECRET)?;
        let server_keys = read_secrets(reader, SERVER_API_KEY)?;
        let jwks_url = reader.url(JWKS_URL)?.map(String::from);

        let development = secrets.first().filter(|secret| is_development(secret));
        if secrets.iter().any(|secret| is_development(secret) != development.is_some()) {
            return Err("JWT_SECRET mixes a development secret (dev-) with others.".to_owned());
        }

        let mut keys: Vec<Rc<Key>> =
            secrets.iter().map(|secret| Rc::new(Key::hmac(algorithm, secret.clone()))).collect();
        if let Some(text) = reader.text(JWT_PUBLIC_KEY) {
            let public = pem::read(&text).map_err(|reason| format!("JWT_PUBLIC_KEY {reason}"))?;
            keys.extend(public.into_iter().map(Rc::new));
        }
        if keys.is_empty() && jwks_url.is_none() {
            return Err(
                "JWT_SECRET, JWT_PUBLIC_KEY or JWKS_URL must be set: without a key no token can be checked.".to_owned()
            );
        }
        Ok(KeyConfig {
            keys,
            jwks_url,
            development: development.map(|secret| (algorithm, secret.clone())),
            loopback_only: development
                .map(|_| JWT_SECRET.name)
                .or_else(|| server_keys.iter().any(is_development).then_some(SERVER_API_KEY.name)),
            server_keys,
        })
    }
}

fn is_development(secret: &Secret) -> bool {
    secret.expose().starts_with(DEVELOPMENT_PREFIX)
}

fn read_secrets(reader: &Reader<'_>, variable: Variable) -> Result<Vec<Secret>, String> {
    let name = variable.name;
    let text = reader.text(variable).unwrap_or_default();
    text.split_whitespace()
        .map(|word| {
            if PLACEHOLDERS.iter().any(|placeholder| word.contains(placeholder)) {
                Err(format!("{name} is still the example's; set a secret of your own."))
            } else if word.chars().count() < SECRET_MIN_CHARS {
                Err(format!("{name} must have at least {SECRET_MIN_CHARS} characters."))
            } else {
                Ok(Secret::new(word))
            }
        })
        .collect()
}
