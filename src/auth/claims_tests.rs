use serde_json::json;

use super::*;

const NOW: i64 = 1_800_000_000;
const SESSION_MAX: i64 = 43_200;

fn rules(variables: &[(&str, &str)]) -> ClaimRules {
    let lookup = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    ClaimRules::read(&Reader::new(&lookup)).unwrap()
}

/// `user`, or the error word; `user (expired)` for a token that may only bring a socket back.
fn judge(variables: &[(&str, &str)], claims: Value) -> String {
    let claims: Claims<Map<String, Value>> = serde_json::from_value(claims).unwrap();
    match rules(variables).judge(&claims, NOW, SESSION_MAX) {
        Ok((identity, _)) if identity.expired => format!("{} (expired)", identity.user),
        Ok((identity, _)) => identity.user.to_string(),
        Err(refusal) => refusal.code.word().to_owned(),
    }
}

#[test]
fn times_decide() {
    let at = |exp: i64| judge(&[], json!({ "user_id": 7, "exp": exp }));
    assert_eq!(at(NOW + 1), "7");
    assert_eq!(at(NOW), "7 (expired)");
    assert_eq!(at(NOW - SESSION_MAX + 1), "7 (expired)");
    assert_eq!(at(NOW - SESSION_MAX), "token_expired");
    assert_eq!(judge(&[("JWT_LEEWAY", "30")], json!({ "user_id": 7, "exp": NOW - 29 })), "7");
    assert_eq!(judge(&[], json!({ "user_id": 7 })), "token_malformed");
    assert_eq!(judge(&[], json!({ "user_id": 7, "exp": NOW + 9, "nbf": NOW + 1 })), "token_not_yet_valid");
    assert_eq!(judge(&[("JWT_LEEWAY", "1")], json!({ "user_id": 7, "exp": NOW + 9, "nbf": NOW + 1 })), "7");
}

#[test]
fn the_user_is_found() {
    let of = |claims: Value| {
        let mut claims = claims;
        claims["exp"] = json!(NOW + 60);
        judge(&[], claims)
    };
    assert_eq!(of(json!({ "user_id": "7" })), "7");
    assert_eq!(of(json!({ "sub": "auth0|1" })), "auth0|1");
    assert_eq!(of(json!({ "user_id": 7, "sub": "x" })), "7");
    for none in [json!({}), json!({ "user_id": 7.5 }), json!({ "user_id": null }), json!({ "user_id": "" })] {
        assert_eq!(of(none), "token_no_user");
    }
    let uid = [("JWT_USER_ID_CLAIM", "uid")];
    assert_eq!(judge(&uid, json!({ "uid": 7, "exp": NOW + 60 })), "7");
    assert_eq!(judge(&uid, json!({ "sub": "7", "exp": NOW + 60 })), "token_no_user");
}

#[test]
fn only_access_tokens_of_the_right_issuer_are_taken() {
    let token = |extra: Value| {
        let mut claims = json!({ "user_id": 7, "exp": NOW + 60 });
        claims.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        claims
    };
    assert_eq!(judge(&[], token(json!({ "token_type": "access" }))), "7");
    assert_eq!(judge(&[], token(json!({ "token_type": "refresh" }))), "token_wrong_type");
    let strict = [("JWT_ISSUER", "us"), ("JWT_AUDIENCE", "chat")];
    assert_eq!(judge(&strict, token(json!({ "iss": "us", "aud": "chat" }))), "7");
    assert_eq!(judge(&strict, token(json!({ "iss": "us", "aud": ["web", "chat"] }))), "7");
    for wrong in [
        json!({}),
        json!({ "iss": "us" }),
        json!({ "iss": "them", "aud": "chat" }),
        json!({ "iss": "us", "aud": ["web"] }),
    ] {
        assert_eq!(judge(&strict, token(wrong)), "token_wrong_issuer");
    }
}

#[test]
fn projects_are_claimed_with_or_without_roles() {
    let ids = |claim: Value| {
        let claimed = claimed_projects(&claim);
        claimed.iter().map(|(id, role)| format!("{id}:{role:?}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ids(json!([7, "8", { "id": 9, "role": "viewer" }, null])), "7:None 8:None 9:Some(Viewer)");
    assert_eq!(ids(json!({ "7": "moderator", "8": "owner" })), "7:Some(Moderator) 8:Some(Member)");
    assert_eq!(ids(json!("7")), "");
}
