//! Every mistake in the configuration is named.

use super::*;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const GOOD: &[(&str, &str)] = &[("JWT_SECRET", SECRET), ("ACCESS", "claims")];

/// The sentence that a good configuration with `changes` is refused with; empty when it is accepted.
fn refusal(changes: &[(&str, &str)]) -> String {
    match read(changes) {
        Setup { edge: Err(sentence), .. } | Setup { chat: Err(sentence), .. } => sentence,
        Setup { .. } => String::new(),
    }
}

fn read(changes: &[(&str, &str)]) -> Setup {
    Setup::read(&|name| {
        let last = GOOD.iter().chain(changes).rev().find(|(key, _)| *key == name);
        last.map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn a_good_configuration_is_accepted() {
    assert_eq!(refusal(&[]), "");
    assert_eq!(refusal(&[("ACCESS", "origin"), ("ACCESS_URL", "https://api.example.com/p/{project}/")]), "");
    assert_eq!(refusal(&[("ACCESS", "any"), ("JWT_SECRET", "dev-0123456789abcdef0123456789abcdef")]), "");
    assert_eq!(refusal(&[("JWT_SECRET", ""), ("JWKS_URL", "https://issuer.example.com/keys")]), "");
}

#[test]
fn a_mistake_is_answered_with_a_sentence_that_names_the_variable() {
    let table: &[(&[(&str, &str)], &str)] = &[
        (&[("JWT_SECRET", "")], "JWT_SECRET"),
        (&[("JWT_SECRET", "short")], "JWT_SECRET"),
        (&[("JWT_SECRET", "change-me-0123456789abcdef0123456789abcdef")], "JWT_SECRET"),
        (&[("JWT_SECRET", "dev-short")], "JWT_SECRET"),
        (&[("JWT_SECRET_ALGORITHM", "RS256")], "JWT_SECRET_ALGORITHM"),
        (&[("JWT_PUBLIC_KEY", "nonsense")], "JWT_PUBLIC_KEY"),
        (&[("JWKS_URL", "issuer.example.com")], "JWKS_URL"),
        (&[("JWT_LEEWAY", "601")], "JWT_LEEWAY"),
        (&[("ACCESS", "")], "ACCESS"),
        (&[("ACCESS", "everyone")], "ACCESS"),
        (&[("ACCESS", "any")], "ACCESS=any"),
        (&[("ACCESS", "origin")], "ACCESS_URL"),
        (&[("ACCESS", "origin"), ("ACCESS_URL", "https://a.example.com/")], "ACCESS_URL"),
        (&[("ACCESS_TIMEOUT_MS", "3 s")], "ACCESS_TIMEOUT_MS"),
        (&[("PROFILE_URL", "/me/")], "PROFILE_URL"),
        (&[("PROJECTS_URL", "https://a.example.com/projects/")], "PROJECTS_URL"),
        (&[("ORIGIN_URL", "//backend")], "ORIGIN_URL"),
        (&[("ALLOWED_ORIGINS", "https://a.example.com/app")], "ALLOWED_ORIGINS"),
        (&[("CLASSIC_REPLAY", "maybe")], "CLASSIC_REPLAY"),
        (&[("SERVER_API_KEY", "short")], "SERVER_API_KEY"),
        (&[("MESSAGE_RATE", "fast")], "MESSAGE_RATE"),
    ];
    for (changes, variable) in table {
        let sentence = refusal(changes);
        assert!(sentence.starts_with(variable), "{changes:?}: {sentence:?}");
    }
}

#[test]
fn a_mistake_in_the_chat_leaves_the_pass_through_alone() {
    let setup = read(&[("JWT_SECRET", "short"), ("ORIGIN_URL", "https://app.example.com/base")]);
    assert!(setup.chat.is_err());
    assert!(setup.edge.unwrap().origin.is_some());
}

#[test]
fn a_development_secret_is_for_loopback_only() {
    let loopback_only = |changes: &[(&str, &str)]| read(changes).chat.unwrap().keys.loopback_only;
    let development = ("JWT_SECRET", "dev-0123456789abcdef0123456789abcdef");
    assert_eq!(loopback_only(&[development]), Some("JWT_SECRET"));
    assert_eq!(loopback_only(&[("SERVER_API_KEY", development.1)]), Some("SERVER_API_KEY"));
    assert_eq!(loopback_only(&[]), None);
    assert!(read(&[development]).chat.unwrap().keys.development.is_some());
    assert!(refusal(&[("JWT_SECRET", &format!("{SECRET} {}", development.1))]).starts_with("JWT_SECRET"));
}

#[test]
fn origins_are_compared_whole() {
    let setup = read(&[("ALLOWED_ORIGINS", "https://app.example.com, http://localhost:5173/")]);
    let allowed = &setup.edge.unwrap().allowed_origins;
    assert!(allowed.admit("https://app.example.com") && allowed.admit("http://localhost:5173"));
    assert!(!allowed.admit("https://app.example.com.evil.test") && !allowed.admit("null"));
}
