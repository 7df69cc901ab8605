//! The v1 dialect's events: a server frame is a JSON array of them. Chosen with the subprotocol `project-chat.v1`.
//!
//! Events of the log carry `seq`. They say how things are, not how they change (a count, not an increment), so that
//! a client that replays them arrives where the log is, whatever it had seen before.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::ids::{ProjectId, Seq, UserId};
use crate::protocol::codes::Refusal;
use crate::protocol::frames::Tags;
use crate::protocol::internal::Role;
use crate::protocol::rest::Person;

/// The subprotocol's name.
pub const SUBPROTOCOL: &str = "project-chat.v1";

/// A message. What is absent is null, empty or false.
#[derive(Clone, Debug, Serialize)]
pub struct Message<'a> {
    pub id: Seq,
    pub client_message_id: Option<&'a str>,
    pub project: &'a ProjectId,
    pub sender: &'a Person,
    pub content: &'a str,
    pub attachment: Option<&'a str>,
    pub created_at: String,
    pub read_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_by: Option<&'a UserId>,
    /// The message that this one answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
    /// The first message of the thread that this one belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<Seq>,
    /// The thread that begins with this message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replies: Option<Replies>,
    #[serde(skip_serializing_if = "<[UserId]>::is_empty")]
    pub mentions: &'a [UserId],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<&'a RawValue>,
}

/// How long a thread is: a reply beyond `last_id` adds one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Replies {
    pub count: i64,
    pub last_id: Seq,
}

#[derive(Clone, Debug, Serialize)]
pub struct Reaction<'a> {
    pub emoji: &'a str,
    pub count: usize,
    /// Whether the reader is among those who reacted so.
    pub mine: bool,
}

/// Events of the log: durable, each with its position.
#[derive(Serialize)]
#[serde(tag = "type")]
#[allow(clippy::large_enum_variant, reason = "encoded where it is made, and never kept")]
pub enum Logged<'a> {
    #[serde(rename = "new.message")]
    NewMessage { seq: Seq, message: Message<'a> },
    #[serde(rename = "message.updated")]
    Updated { seq: Seq, id: Seq, content: &'a str, mentions: &'a [UserId], edited_at: String },
    #[serde(rename = "message.deleted")]
    Deleted { seq: Seq, id: Seq, deleted_by: &'a UserId, deleted_at: String },
    /// `count`: of this emoji, now.
    #[serde(rename = "reaction")]
    Reaction { seq: Seq, message_id: Seq, user_id: &'a UserId, emoji: &'a str, on: bool, count: usize },
    #[serde(rename = "pin")]
    Pin { seq: Seq, message_id: Seq, user_id: &'a UserId, on: bool },
}

impl Logged<'_> {
    pub fn encode(&self) -> String {
        encode(self)
    }
}

/// What is told as it happens, and not kept.
#[derive(Serialize)]
#[serde(tag = "type")]
pub enum Passing<'a> {
    /// Everyone who types now; empty when nobody does any more.
    #[serde(rename = "typing")]
    Typing { users: Vec<Typist<'a>> },
    /// Everyone whose mark has moved.
    #[serde(rename = "read_receipt")]
    Receipts { receipts: Vec<Receipt<'a>> },
    /// Users whose presence has changed, or (in a large room) how many are present.
    #[serde(rename = "presence")]
    Presence {
        present: usize,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        users: Vec<Present>,
        /// Whoever is not among `users` is offline.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        all: bool,
    },
    /// A member who is new here, or in whom something has changed.
    #[serde(rename = "member")]
    Member { member: &'a Listed },
    #[serde(rename = "member.left")]
    MemberLeft { user_id: &'a UserId },
    /// The project's modes have changed.
    #[serde(rename = "project")]
    Project { project: &'a Project },
    /// To one user: what they may do here has changed.
    #[serde(rename = "you")]
    You { you: &'a You },
    /// To one user: their own unread count has changed.
    #[serde(rename = "unread")]
    Unread { unread: Unread },
    /// To moderators: somebody reported a message.
    #[serde(rename = "report")]
    Report { report: ReportEntry },
    #[serde(rename = "auth.ok")]
    AuthOk { expires_at: String },
    #[serde(rename = "resync")]
    Resync { reason: &'static str },
    #[serde(rename = "ack")]
    Ack { client_message_id: &'a str, id: Seq, seq: Seq },
}

impl Passing<'_> {
    pub fn encode(&self) -> String {
        encode(self)
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct Typist<'a> {
    pub id: &'a UserId,
    pub username: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Receipt<'a> {
    pub user_id: &'a UserId,
    pub last_read_message_id: Seq,
    pub read_at: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Online,
    Away,
    Offline,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Present {
    pub id: UserId,
    pub status: Status,
    /// When they were last here; null while they are, and when nobody knows.
    pub last_seen: Option<String>,
}

/// A member as the roster shows them.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    #[serde(flatten)]
    pub person: Person,
    pub role: Role,
    pub last_read_message_id: Seq,
    pub status: Status,
    pub last_seen: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct You {
    #[serde(flatten)]
    pub person: Person,
    pub role: Role,
    pub last_read_message_id: Seq,
    pub muted_until: Option<String>,
    pub blocked: Vec<UserId>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Project {
    pub id: ProjectId,
    pub name: String,
    pub created_at: String,
    pub frozen: bool,
    /// Seconds between two messages of a member; 0: off.
    pub slow_mode_s: i64,
    /// Messages, in the order in which they were pinned.
    pub pins: Vec<Seq>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// Exact up to `UNREAD_MAX`.
    pub count: i64,
    pub first_id: Option<Seq>,
    /// How many of them mention the reader.
    pub mentions: i64,
}

#[derive(Clone, Debug, Serialize)]
pub struct ReportEntry {
    pub message_id: Seq,
    pub reporter: UserId,
    pub reason: String,
    pub created_at: String,
    pub resolved_by: Option<UserId>,
}

/// What a client should keep to.
#[derive(Clone, Debug, Serialize)]
pub struct Limits {
    pub message_chars: i64,
    pub frame_bytes: i64,
    pub page: i64,
    pub chunk: i64,
    pub message_rate: i64,
    pub message_burst: i64,
    /// A client confirms with `seen` every so many events.
    pub seen_every: i64,
}

/// The first event on a socket.
#[derive(Serialize)]
pub struct Hello<'a> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub epoch: &'a str,
    /// The position that this brings the client to.
    pub seq: Seq,
    /// The newest position there is.
    pub head: Seq,
    /// There is more of the log: pull it with `resume {after: seq}`.
    pub more: bool,
    /// What was missed, when the client said where it left off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<Box<RawValue>>>,
    /// The newest page, when it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<Vec<Box<RawValue>>>,
    /// There are older messages than those.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more_before: Option<bool>,
    pub you: You,
    pub project: Project,
    /// The most recently active, at most `ROSTER_MAX`.
    pub members: Vec<Listed>,
    pub members_count: usize,
    /// Users present.
    pub present: usize,
    pub typing: Vec<Typist<'a>>,
    pub unread: Unread,
    pub limits: Limits,
    /// When the token ends, and the socket with it.
    pub expires_at: Option<String>,
    /// A client that loses its connection waits for a random part of this before it comes back.
    pub reconnect_window_ms: i64,
}

/// JSON text of one event.
pub fn encode(event: &impl Serialize) -> String {
    // Serialising these types cannot fail: no map has keys that are not text.
    serde_json::to_string(event).unwrap_or_default()
}

/// JSON text that is known to be JSON.
pub fn raw(text: String) -> Box<RawValue> {
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

#[derive(Serialize)]
struct ErrorEvent<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    code: &'static str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_message_id: Option<&'a str>,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<i64>,
}

/// An error about one frame.
pub fn error(refusal: &Refusal, tags: &Tags) -> String {
    encode(&ErrorEvent {
        kind: "error",
        code: refusal.code.word(),
        detail: &refusal.detail,
        client_message_id: tags.client_message_id.as_deref(),
        reference: tags.reference.as_deref(),
        retry_after_ms: refusal.retry_after_ms,
    })
}

/// The event that answers a frame, with the `ref` that the frame carried.
pub fn answer(event: String, reference: Option<&str>) -> String {
    match (reference, event.strip_prefix('{')) {
        (Some(reference), Some(rest)) => format!("{{\"ref\":{},{rest}", encode(&reference)),
        _ => event,
    }
}
