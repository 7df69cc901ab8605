//! Reads what a call carries, and refuses what is not of the right shape.

use chat_core::ids::{MAX_SAFE_INTEGER, Seq};
use chat_core::protocol::codes::{ErrorCode, Refusal};
use chat_core::protocol::internal::Since;
use serde_json::{Map, Value};
use worker::{Request, Url};

use crate::body;
use crate::reply::invalid_field;

pub type Fields = Map<String, Value>;

/// The JSON object in a request's body, of at most `max_bytes`.
pub async fn json(request: &Request, max_bytes: i64) -> Result<Fields, Refusal> {
    check_media_type(request)?;
    object(&bytes(request, max_bytes).await?)
}

/// As [`json`], for a call that may come without a body.
pub async fn optional_json(request: &Request, max_bytes: i64) -> Result<Fields, Refusal> {
    let bytes = bytes(request, max_bytes).await?;
    if bytes.is_empty() {
        return Ok(Fields::new());
    }
    check_media_type(request)?;
    object(&bytes)
}

fn check_media_type(request: &Request) -> Result<(), Refusal> {
    let content_type = request.headers().get("content-type").ok().flatten().unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(ErrorCode::UnsupportedMediaType.into())
}

async fn bytes(request: &Request, max_bytes: i64) -> Result<Vec<u8>, Refusal> {
    let Some(stream) = request.inner().body() else { return Ok(Vec::new()) };
    let bytes = body::read(stream, usize::try_from(max_bytes).unwrap_or(usize::MAX)).await;
    // A body that breaks off is the caller's doing.
    bytes.map_err(|_| ErrorCode::BadRequest)?.ok_or_else(|| ErrorCode::TooLarge.into())
}

fn object(bytes: &[u8]) -> Result<Fields, Refusal> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(invalid_field("The body must be a JSON object.")),
        Err(_) => Err(ErrorCode::InvalidJson.into()),
    }
}

/// A text that may be absent or null.
pub fn optional_text(fields: &Fields, name: &str) -> Result<Option<String>, Refusal> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(invalid_field(format!("{name} must be a string."))),
    }
}

pub fn text(fields: &Fields, name: &str) -> Result<String, Refusal> {
    optional_text(fields, name)?.ok_or_else(|| invalid_field(format!("{name} must be a string.")))
}

/// A message's id: a whole number, or its decimal text.
pub fn message_id(fields: &Fields, name: &str) -> Result<Seq, Refusal> {
    let id = match fields.get(name) {
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(text)) => whole_number(text),
        _ => None,
    };
    let id = id.filter(|id| (1..=MAX_SAFE_INTEGER).contains(id));
    id.map(Seq).ok_or_else(|| invalid_field(format!("{name} must be the id of a message.")))
}

/// `?since=&epoch=`: where a v1 client left off.
pub fn since(url: &Url) -> Result<Option<Since>, Refusal> {
    let (mut seq, mut epoch) = (None, None);
    for (name, text) in url.query_pairs() {
        match &*name {
            "since" if text.is_empty() => {}
            "since" => {
                let number = whole_number(&text).filter(|number| *number <= MAX_SAFE_INTEGER);
                seq = Some(Seq(number.ok_or_else(|| invalid_field("since must be a position of the log."))?));
            }
            "epoch" if !text.is_empty() => epoch = Some(text.into_owned()),
            _ => {}
        }
    }
    Ok(seq.map(|seq| Since { seq, epoch }))
}

/// The text of a request's body, of at most `max_bytes`, which is JSON as far as its headers say.
pub async fn json_text(request: &Request, max_bytes: i64) -> Result<String, Refusal> {
    check_media_type(request)?;
    String::from_utf8(bytes(request, max_bytes).await?).map_err(|_| ErrorCode::InvalidJson.into())
}

/// A decimal number without sign, space or leading zeros.
pub fn whole_number(text: &str) -> Option<i64> {
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text && number >= 0).then_some(number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_of_messages_are_numbers_or_their_text() {
        let id = |value: Value| {
            let fields = Fields::from_iter([("id".to_owned(), value)]);
            message_id(&fields, "id").ok().map(|seq| seq.0)
        };
        assert_eq!(id(json!(7)), Some(7));
        assert_eq!(id(json!("7")), Some(7));
        for wrong in [
            json!(0),
            json!(-1),
            json!(1.5),
            json!("07"),
            json!("+7"),
            json!(" 7"),
            json!(null),
            json!([7]),
            json!(u64::MAX),
        ] {
            assert_eq!(id(wrong.clone()), None, "{wrong}");
        }
    }
}
