//! Every variable of the Worker, once: what it is called, what it means, what it defaults to.
//!
//! The limits have a table of their own in the core ([`Limits::TABLE`]). `docs/CONFIG.md` is rendered from both.

mod access;
#[cfg(test)]
mod docs;
mod env;
mod keys;
mod read;

pub use access::{Access, Backend, Template};
pub use env::of;
pub use keys::KeyConfig;
pub use read::{AllowedOrigins, Chat, Edge, Reader, Setup};

/// One row of the table. A variable that is set to nothing but white space counts as not set.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    pub name: &'static str,
    pub kind: Kind,
    #[cfg(test)]
    pub doc: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Required,
    Optional,
    /// Used when the variable is not set.
    Default(&'static str),
    /// Optional, and set with `wrangler secret put`: never in a committed file.
    Secret,
}

macro_rules! variables {
    ($($name:ident: $kind:expr, $doc:literal;)*) => {
        $(
            #[doc = $doc]
            pub(crate) const $name: Variable = Variable {
                name: stringify!($name),
                kind: $kind,
                #[cfg(test)]
                doc: $doc,
            };
        )*
        #[cfg(test)]
        pub(crate) const TABLE: &[Variable] = &[$($name,)*];
    };
}

variables! {
    JWT_SECRET: Kind::Secret, "The secret that tokens are signed with (HMAC); several, separated by white space, while keys rotate. At least 32 characters each. One that begins with `dev-` switches development sign-in on and is served on loopback hosts only.";
    JWT_SECRET_ALGORITHM: Kind::Default("HS256"), "The algorithm of `JWT_SECRET`: `HS256`, `HS384` or `HS512`.";
    JWT_PUBLIC_KEY: Kind::Optional, "Public keys that tokens are signed with, as PEM blocks (`BEGIN PUBLIC KEY`); several while keys rotate. The kind of key decides the algorithm: RSA is RS256, P-256 is ES256, Ed25519 is EdDSA. Line breaks may be written as `\\n`.";
    JWKS_URL: Kind::Optional, "Where the issuer publishes its public keys. Kept for 10 minutes; asked again for an unknown `kid`, at most once a minute (such a token is 503 meanwhile).";
    JWT_ISSUER: Kind::Optional, "What a token's `iss` must be.";
    JWT_AUDIENCE: Kind::Optional, "What a token's `aud` must be or contain.";
    JWT_LEEWAY: Kind::Default("0"), "Seconds by which the issuer's clock may differ, 0 to 600.";
    JWT_USER_ID_CLAIM: Kind::Default("user_id"), "The claim that names the user. A token without `user_id` is read by its `sub`; another name set here is the only one.";
    ACCESS: Kind::Required, "Who may enter a project: `origin` (the application's backend is asked), `claims` (the token's `projects` claim says), `members` (the project's own list, kept by the server API) or `any` (every valid token; only with a `dev-` secret).";
    ACCESS_URL: Kind::Optional, "With `ACCESS=origin`: the backend's address that answers 2xx, with the user's own token, exactly when the user may enter `{project}`. May contain `{user}`.";
    ACCESS_TIMEOUT_MS: Kind::Default("3000"), "Milliseconds that the backend (and `JWKS_URL`) is given to answer, 100 to 20000.";
    PROFILE_URL: Kind::Optional, "The backend's address of the user's own `username`, `first_name`, `last_name`, `profile_pic`. May contain `{user}`.";
    PROJECTS_URL: Kind::Optional, "With `ACCESS=origin`: the backend's lists of the user's own projects, one or several addresses separated by white space; together they decide what the contacts show. May contain `{user}`.";
    ORIGIN_URL: Kind::Optional, "Where everything that is not the chat's own is passed on to. Without it, `/` is the web page that comes with the chat.";
    ALLOWED_ORIGINS: Kind::Optional, "Origins whose pages may call the chat (`https://app.example.com`), separated by white space or commas, or `*`.";
    PROJECT_ID_PATTERN: Kind::Optional, "A JavaScript regular expression that the whole of a project id matches. Default: a positive integer without leading zeros, or a UUID in lower case.";
    CLASSIC_REPLAY: Kind::Default("on"), "Whether a classic socket is sent again, soon after it opens, what its member has not read: `on` or `off`.";
    EPOCH_SALT: Kind::Optional, "Any text; change it after a restore from a backup, so that every client starts anew instead of going on from a position that is not the same any more.";
    SERVER_API_KEY: Kind::Secret, "The key of the server API; several, separated by white space, while keys rotate. At least 32 characters each. One that begins with `dev-` is served on loopback hosts only.";
}
