//! Which pages may read our answers.

use worker::{Headers, Response, ResponseBuilder};

use crate::config::AllowedOrigins;

/// How long a browser may keep a preflight's answer.
const MAX_AGE_S: &str = "7200";

/// The answer to `OPTIONS`: whatever method and headers are asked for are admitted, from an allowed origin.
pub fn preflight(request: &Headers, allowed: &AllowedOrigins, methods: &[&str]) -> Response {
    let response = ResponseBuilder::new().with_status(204).empty();
    let headers = response.headers();
    let asked = |name: &str| request.get(name).ok().flatten();
    let _ = headers.set("allow", &allow(methods));
    if let Some(origin) = admitted(request, allowed) {
        let method = asked("access-control-request-method");
        for (name, value) in [
            ("access-control-allow-origin", Some(origin)),
            ("access-control-allow-credentials", Some("true".to_owned())),
            ("access-control-allow-methods", Some(method.unwrap_or_else(|| allow(methods)))),
            ("access-control-allow-headers", asked("access-control-request-headers").map(|list| names_of(&list))),
            ("access-control-max-age", Some(MAX_AGE_S.to_owned())),
        ] {
            // A value that came in as a header can go out as one.
            let _ = value.map(|value| headers.set(name, &value));
        }
    }
    let _ = headers.set("vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
    response
}

/// Lets an allowed origin's page read the answer. The origin is named, never `*`: these calls carry credentials mode.
pub fn dress(request: &Headers, allowed: &AllowedOrigins, response: &Response) {
    let headers = response.headers();
    let _ = headers.append("vary", "Origin");
    if let Some(origin) = admitted(request, allowed) {
        let _ = headers.set("access-control-allow-origin", &origin);
        let _ = headers.set("access-control-allow-credentials", "true");
        let _ = headers.set("access-control-expose-headers", "Link, Retry-After");
    }
}

/// The names in a list of headers; what is no name is left out.
fn names_of(list: &str) -> String {
    let is_name =
        |name: &&str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    list.split(',').map(str::trim).filter(is_name).collect::<Vec<_>>().join(", ")
}

/// The value of `Allow`.
pub fn allow(methods: &[&str]) -> String {
    methods.iter().copied().chain(["OPTIONS"]).collect::<Vec<_>>().join(", ")
}

fn admitted(request: &Headers, allowed: &AllowedOrigins) -> Option<String> {
    request.get("origin").ok().flatten().filter(|origin| allowed.admit(origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_are_admitted() {
        assert_eq!(names_of("authorization,x-user-language , bad header, ,x-\u{e9}"), "authorization, x-user-language");
        assert_eq!(allow(&["GET", "POST"]), "GET, POST, OPTIONS");
    }
}
