//! Every error word and every close code, once. TypeScript and documentation are derived from these tables.

use serde_json::{Value, json};

macro_rules! error_codes {
    ($($name:ident = $word:literal, $status:literal, $text:literal;)*) => {
        /// Why something was refused: a word for programs, an HTTP status, a sentence for people.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode { $(#[doc = $text] $name,)* }

        impl ErrorCode {
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$name,)*];

            /// The machine word of the envelope's `code`.
            pub fn word(self) -> &'static str {
                match self { $(ErrorCode::$name => $word,)* }
            }

            /// The HTTP status of a call refused for this reason.
            pub fn status(self) -> u16 {
                match self { $(ErrorCode::$name => $status,)* }
            }

            /// The sentence used when there is nothing more exact to say.
            pub fn text(self) -> &'static str {
                match self { $(ErrorCode::$name => $text,)* }
            }
        }
    };
}

error_codes! {
    BadRequest = "bad_request", 400, "The request cannot be understood.";
    InvalidJson = "invalid_json", 400, "This is not valid JSON.";
    InvalidField = "invalid_field", 400, "A field is missing or has the wrong type.";
    UnknownType = "unknown_type", 400, "This type of frame is not known.";
    BinaryFrame = "binary_frame", 400, "Frames are text: one JSON object each.";
    ContentEmpty = "content_empty", 400, "A message needs some content.";
    ContentTooLong = "content_too_long", 400, "The message is too long.";
    TokenMissing = "token_missing", 401, "A token is needed: ?token=, the subprotocol bearer.<token>, or Authorization: Bearer.";
    TokenMalformed = "token_malformed", 401, "The token is not a JSON Web Token.";
    TokenUnsigned = "token_unsigned", 401, "The token is not signed (alg: none).";
    TokenBadAlgorithm = "token_bad_algorithm", 401, "The token is signed with an algorithm that none of the configured keys is for.";
    TokenBadSignature = "token_bad_signature", 401, "The token was signed by another key.";
    TokenExpired = "token_expired", 401, "The token has expired.";
    TokenNotYetValid = "token_not_yet_valid", 401, "The token is not valid yet (nbf).";
    TokenWrongType = "token_wrong_type", 401, "This is not an access token (token_type).";
    TokenWrongIssuer = "token_wrong_issuer", 401, "The token was issued by or for somebody else (iss, aud).";
    TokenRefused = "token_refused", 401, "The backend does not accept this token.";
    TokenOtherUser = "token_other_user", 401, "This token is another user's.";
    TokenNoUser = "token_no_user", 401, "The token names no user.";
    NoAccess = "no_access", 403, "This user has no access to this project.";
    Removed = "removed", 403, "This user was removed from this project.";
    Revoked = "revoked", 403, "This user's sessions were ended; sign in again.";
    ReadOnly = "read_only", 403, "This user may read here, but not write.";
    Banned = "banned", 403, "This user is banned from this project.";
    Muted = "muted", 403, "This user may not write here at present.";
    Frozen = "frozen", 403, "This project takes no messages at present.";
    NotYours = "not_yours", 403, "This message is somebody else's.";
    ModeratorTarget = "moderator_target", 403, "Moderators are beyond each other's reach.";
    ModeratorsOnly = "moderators_only", 403, "Only a moderator may do this.";
    BadServerKey = "bad_server_key", 403, "This call needs a server key.";
    NotFound = "not_found", 404, "There is nothing at this address.";
    NoSuchProject = "no_such_project", 404, "There is no such project.";
    NoSuchMember = "no_such_member", 404, "There is no such member.";
    NoSuchMessage = "no_such_message", 404, "There is no such message.";
    MethodNotAllowed = "method_not_allowed", 405, "This address does not answer this method.";
    ClientMessageIdReused = "client_message_id_reused", 409, "This client_message_id was used for another message.";
    MessageDeleted = "message_deleted", 409, "This message was deleted.";
    TooManyReactions = "too_many_reactions", 409, "This message has as many different reactions as it can have.";
    TooManyPins = "too_many_pins", 409, "This project has as many pins as it can have.";
    TooManyBlocked = "too_many_blocked", 409, "This user blocks as many others as they can.";
    TooLarge = "too_large", 413, "This is too large.";
    UnsupportedMediaType = "unsupported_media_type", 415, "This call takes application/json.";
    UpgradeRequired = "upgrade_required", 426, "This address is for WebSockets.";
    SlowMode = "slow_mode", 429, "This project is in slow mode; wait a moment.";
    RateLimited = "rate_limited", 429, "Too many messages; wait a moment.";
    TooManyConnections = "too_many_connections", 429, "Too many connections.";
    Internal = "internal", 500, "Something went wrong on our side.";
    OriginUnavailable = "origin_unavailable", 502, "The application behind this address did not answer.";
    Unavailable = "unavailable", 503, "The chat is restarting or overloaded; try again.";
    BackendUnavailable = "backend_unavailable", 503, "The backend that decides access did not answer.";
    KeysUnavailable = "keys_unavailable", 503, "The keys that tokens are checked with could not be fetched.";
    Misconfigured = "misconfigured", 503, "The chat is not configured correctly.";
    StorageFull = "storage_full", 507, "This project's storage is full.";
    LoopDetected = "loop_detected", 508, "The request came round again: ORIGIN_URL leads back to the chat itself.";
}

impl ErrorCode {
    /// A refusal for this reason, with what exactly was wrong.
    pub fn because(self, what: &str) -> Refusal {
        Refusal::new(self, format!("{}: {what}.", self.text().trim_end_matches('.')))
    }
}

/// A refusal: a code and the sentence that goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: ErrorCode,
    pub detail: String,
    /// Milliseconds after which trying again makes sense.
    pub retry_after_ms: Option<i64>,
}

impl Refusal {
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Refusal { code, detail: detail.into(), retry_after_ms: None }
    }

    pub fn after(mut self, ms: i64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }

    /// The body of an HTTP answer: `{"detail": …, "code": …}`.
    pub fn envelope(&self) -> Value {
        json!({ "detail": self.detail, "code": self.code.word() })
    }
}

impl ErrorCode {
    /// The close code by which a v1 client is refused for this reason, having been let in for a moment: a browser's
    /// script cannot see why an upgrade was refused.
    pub fn close(self) -> CloseCode {
        match self {
            ErrorCode::TokenExpired => CloseCode::TokenExpired,
            ErrorCode::Removed | ErrorCode::Banned | ErrorCode::Revoked => CloseCode::Removed,
            ErrorCode::NoAccess => CloseCode::NoAccess,
            ErrorCode::NoSuchProject | ErrorCode::NotFound => CloseCode::NoSuchProject,
            ErrorCode::RateLimited | ErrorCode::SlowMode | ErrorCode::TooManyConnections => CloseCode::TooMany,
            ErrorCode::BackendUnavailable | ErrorCode::KeysUnavailable | ErrorCode::Misconfigured => {
                CloseCode::BackendSilent
            }
            ErrorCode::Unavailable => CloseCode::Restarting,
            other if other.status() == 401 => CloseCode::BadToken,
            other if other.status() >= 500 => CloseCode::InternalError,
            _ => CloseCode::ProtocolError,
        }
    }
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Self {
        Refusal::new(code, code.text())
    }
}

macro_rules! close_codes {
    ($($name:ident = $code:literal, $status:literal, $text:literal, $client:literal;)*) => {
        /// Why a socket is closed. 4000–4499 and 1xxx: the client tries again. 4500–4999: it stops.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum CloseCode { $(#[doc = $text] $name,)* }

        impl CloseCode {
            pub const ALL: &'static [CloseCode] = &[$(CloseCode::$name,)*];

            pub fn code(self) -> u16 {
                match self { $(CloseCode::$name => $code,)* }
            }

            /// The HTTP status by which a classic client is refused for the same reason; 0 where none is.
            pub fn status(self) -> u16 {
                match self { $(CloseCode::$name => $status,)* }
            }

            /// The close frame's reason, at most 123 bytes.
            pub fn reason(self) -> &'static str {
                match self { $(CloseCode::$name => $text,)* }
            }

            /// What a client does next.
            pub fn client(self) -> &'static str {
                match self { $(CloseCode::$name => $client,)* }
            }

            pub fn is_terminal(self) -> bool {
                (4500..5000).contains(&self.code())
            }
        }
    };
}

close_codes! {
    Restarting = 4000, 503, "restarting or draining", "reconnect within `reconnect_window_ms`";
    TokenExpired = 4001, 401, "token expired", "get a new token, reconnect";
    ResyncNeeded = 4002, 0, "resync needed", "reconnect without `since`";
    TooSlow = 4008, 0, "too slow", "reconnect, resume";
    TooMany = 4029, 429, "too many frames or connections", "wait `retry_after_ms`, reconnect";
    BadToken = 4500, 401, "bad token", "stop";
    ProtocolError = 4501, 400, "protocol error", "stop";
    Removed = 4503, 403, "removed, banned or revoked", "stop";
    NoSuchProject = 4504, 404, "no such project", "stop";
    Replaced = 4506, 0, "replaced by a newer connection of the same user", "stop";
    NoAccess = 4507, 403, "no access to this project", "stop";
    InternalError = 1011, 500, "internal error", "back off, reconnect";
    BackendSilent = 1013, 503, "the backend that decides access did not answer", "back off, reconnect";
}
