//! Calls to Durable Objects. Requests are built from nothing: no header of a client's ever reaches an object.

use std::fmt::Write as _;

use chat_core::protocol::codes::{ErrorCode, Refusal};
use chat_core::protocol::internal::REQUEST_HEADER;
use js_sys::Reflect;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wasm_bindgen::JsValue;
use worker::{Env, Error, Headers, Method, Request, RequestInit, Response};

use crate::reply::internal;

/// Objects have no address; this one is never looked up.
const URL: &str = "http://object/";

/// An object by its class's binding and its name.
#[derive(Clone, Copy)]
pub struct Object<'a> {
    pub env: &'a Env,
    pub binding: &'static str,
    pub name: &'a str,
}

impl Object<'_> {
    /// `POST /`. A call that is `repeatable` is tried a second time when the platform says that this makes sense.
    pub async fn call(&self, body: &impl Serialize, repeatable: bool) -> Result<Response, Refusal> {
        let body = JsValue::from_str(&serde_json::to_string(body).map_err(internal("encoding a call"))?);
        let mut init = RequestInit::new();
        init.with_method(Method::Post).with_body(Some(body));
        self.fetch(&init, repeatable).await
    }

    /// An upgrade request; `header` is what the object is to believe.
    pub async fn upgrade(&self, header: &str) -> Result<Response, Refusal> {
        let headers = Headers::new();
        headers.set("upgrade", "websocket").map_err(internal("making an upgrade"))?;
        headers.set(REQUEST_HEADER, header).map_err(internal("making an upgrade"))?;
        let mut init = RequestInit::new();
        init.with_headers(headers);
        self.fetch(&init, true).await
    }

    async fn fetch(&self, init: &RequestInit, repeatable: bool) -> Result<Response, Refusal> {
        match self.fetch_once(init).await {
            Err(error) if repeatable && says(&error, "retryable") && !says(&error, "overloaded") => {
                self.fetch_once(init).await
            }
            outcome => outcome,
        }
        .map_err(|error| {
            worker::console_error!("calling one of {}: {error}", self.binding);
            let passing = says(&error, "retryable") || says(&error, "overloaded");
            Refusal::from(if passing { ErrorCode::Unavailable } else { ErrorCode::Internal })
        })
    }

    /// With a stub of its own: one that has failed stays broken.
    async fn fetch_once(&self, init: &RequestInit) -> worker::Result<Response> {
        let stub = self.env.durable_object(self.binding)?.get_by_name(self.name)?;
        stub.fetch_with_request(Request::new_with_init(URL, init)?).await
    }
}

/// Whether the platform set this property on the error.
fn says(error: &Error, property: &str) -> bool {
    let value = Reflect::get(&error.to_js_value(), &JsValue::from_str(property));
    value.is_ok_and(|value| value.is_truthy())
}

/// The body of a good answer, or the refusal that the object answered with.
pub async fn read<T: DeserializeOwned>(mut response: Response) -> Result<T, Refusal> {
    let text = response.text().await.map_err(internal("reading an object's answer"))?;
    if (200..300).contains(&response.status_code()) {
        return serde_json::from_str(&text).map_err(internal("decoding an object's answer"));
    }
    let envelope: Value = serde_json::from_str(&text).unwrap_or_default();
    let word = envelope.get("code").and_then(Value::as_str);
    let code = ErrorCode::ALL.iter().copied().find(|code| Some(code.word()) == word).unwrap_or(ErrorCode::Internal);
    let detail = envelope.get("detail").and_then(Value::as_str).unwrap_or(code.text());
    let seconds = response.headers().get("retry-after").ok().flatten().and_then(|text| text.parse::<i64>().ok());
    let refusal = Refusal::new(code, detail);
    Err(match seconds {
        Some(seconds) => refusal.after(seconds.saturating_mul(1000)),
        None => refusal,
    })
}

/// JSON in ASCII: a header carries nothing else safely.
pub fn ascii_json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let json = serde_json::to_string(value)?;
    let mut ascii = String::with_capacity(json.len());
    let mut units = [0; 2];
    for character in json.chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            for unit in character.encode_utf16(&mut units) {
                // Writing to a String cannot fail.
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    Ok(ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_ascii_and_means_the_same() {
        let text = "Zoë 🎉 \u{7f} \"quoted\"\n";
        let header = ascii_json(&text).unwrap();
        assert!(header.is_ascii() && !header.contains('\n'));
        assert_eq!(serde_json::from_str::<String>(&header).unwrap(), text);
    }
}
