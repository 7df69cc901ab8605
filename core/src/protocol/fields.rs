//! The fields of clients' frames: what each may hold.

use serde_json::{Map, Value};

use crate::ids::{MAX_SAFE_INTEGER, Seq, UserId};
use crate::protocol::codes::{ErrorCode, Refusal};
use crate::protocol::frames::{Place, Tags};

/// All that a classic client's frames mean anything by.
const CLASSIC_FIELDS: &[&str] = &["type", "content", "client_message_id", "is_typing", "last_read_message_id"];
/// The longest `ref`, in bytes.
pub const REFERENCE_MAX_BYTES: usize = 64;
/// The most users that one message mentions.
pub const MENTIONS_MAX: usize = 50;
/// The application's own object, as JSON text.
pub const DATA_MAX_BYTES: usize = 4096;

/// The fields of a frame, read strictly.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub fn new(fields: Map<String, Value>) -> Self {
        Fields(fields)
    }

    /// What such a client sends beside its own fields was never for us, whatever it is called.
    pub fn classic(mut fields: Map<String, Value>) -> Self {
        fields.retain(|name, _| CLASSIC_FIELDS.contains(&name.as_str()));
        Fields(fields)
    }

    /// An explicit null is as good as nothing.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub fn tags(&self) -> Tags {
        let text = |name: &str| self.get(name).and_then(Value::as_str).map(str::to_owned);
        let reference = text("ref").filter(|text| text.len() <= REFERENCE_MAX_BYTES);
        Tags { client_message_id: text("client_message_id"), reference }
    }

    pub fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.get(name) {
            Some(Value::Bool(flag)) => Ok(*flag),
            _ => Err(ErrorCode::InvalidField.because(&format!("{name} is true or false"))),
        }
    }

    pub fn seq(&self, name: &str) -> Result<Seq, Refusal> {
        message_id(self.get(name), name)
    }

    pub fn optional_seq(&self, name: &str) -> Result<Option<Seq>, Refusal> {
        self.get(name).map(|_| self.seq(name)).transpose()
    }

    pub fn limit(&self) -> Result<Option<i64>, Refusal> {
        match self.get("limit") {
            None => Ok(None),
            Some(value) => match value.as_i64().filter(|limit| *limit > 0) {
                Some(limit) => Ok(Some(limit)),
                None => Err(ErrorCode::InvalidField.because("limit is a positive whole number")),
            },
        }
    }

    pub fn seconds(&self, name: &str) -> Result<Option<i64>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => match value.as_i64().filter(|seconds| (0..=1_000_000_000).contains(seconds)) {
                Some(seconds) => Ok(Some(seconds)),
                None => Err(ErrorCode::InvalidField.because(&format!("{name} is a whole number of seconds"))),
            },
        }
    }

    pub fn place(&self) -> Result<Place, Refusal> {
        let places = (self.optional_seq("before")?, self.optional_seq("after")?, self.optional_seq("around")?);
        match places {
            (None, None, None) => Ok(Place::Newest),
            (Some(before), None, None) => Ok(Place::Before(before)),
            (None, Some(after), None) => Ok(Place::After(after)),
            (None, None, Some(around)) => Ok(Place::Around(around)),
            _ => Err(ErrorCode::InvalidField.because("a page is before, after or around one message")),
        }
    }

    pub fn user(&self, name: &str) -> Result<UserId, Refusal> {
        user(self.get(name)).ok_or_else(|| ErrorCode::InvalidField.because(&format!("{name} is a user's id")))
    }

    pub fn optional_user(&self, name: &str) -> Result<Option<UserId>, Refusal> {
        self.get(name).map(|_| self.user(name)).transpose()
    }

    /// `None`: the field is absent.
    pub fn users(&self, name: &str) -> Result<Option<Vec<UserId>>, Refusal> {
        let wrong = || ErrorCode::InvalidField.because(&format!("{name} is a list of at most {MENTIONS_MAX} user ids"));
        let Some(value) = self.get(name) else { return Ok(None) };
        let list = value.as_array().filter(|list| list.len() <= MENTIONS_MAX).ok_or_else(wrong)?;
        let users: Option<Vec<_>> = list.iter().map(|value| user(Some(value))).collect();
        users.map(Some).ok_or_else(wrong)
    }

    pub fn data(&self) -> Result<Option<String>, Refusal> {
        let Some(value) = self.get("data") else { return Ok(None) };
        let text = value.to_string();
        if !value.is_object() || text.len() > DATA_MAX_BYTES {
            let what = format!("data is an object of at most {DATA_MAX_BYTES} bytes of JSON");
            return Err(ErrorCode::InvalidField.because(&what));
        }
        Ok(Some(text))
    }
}

fn user(value: Option<&Value>) -> Option<UserId> {
    match value {
        Some(Value::String(text)) => UserId::parse(text),
        Some(Value::Number(number)) => number.as_i64().and_then(|number| UserId::parse(&number.to_string())),
        _ => None,
    }
}

/// The text of a field.
///
/// # Errors
/// `invalid_field` when it is missing or not a string.
pub fn text(value: Option<&Value>, name: &str) -> Result<String, Refusal> {
    match value {
        Some(Value::String(text)) => Ok(text.clone()),
        _ => Err(ErrorCode::InvalidField.because(&format!("{name} is a string"))),
    }
}

/// A `client_message_id`: a string, or a number taken as its text; nothing when absent, null or empty.
///
/// # Errors
/// `invalid_field` for anything else.
pub fn client_id(value: Option<&Value>) -> Result<Option<String>, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(id)) => Ok(Some(id.clone()).filter(|id| !id.is_empty())),
        Some(Value::Number(id)) => Ok(Some(id.to_string())),
        Some(_) => Err(ErrorCode::InvalidField.because("client_message_id is a string")),
    }
}

/// A message id: a whole number, also as a decimal string.
///
/// # Errors
/// `invalid_field` for anything else, and for numbers below 0 or beyond what JavaScript holds exactly.
pub fn message_id(value: Option<&Value>, name: &str) -> Result<Seq, Refusal> {
    let number = match value {
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    let valid = number.filter(|number| (0..=MAX_SAFE_INTEGER).contains(number));
    valid.map(Seq).ok_or_else(|| ErrorCode::InvalidField.because(&format!("{name} is a message's id")))
}
