//! What clients send, in both dialects: one table of frames, with who may send each and how often.

use serde_json::Value;

use crate::ids::{Seq, UserId};
use crate::permissions::Action;
use crate::protocol::codes::{ErrorCode, Refusal};
use crate::protocol::fields::{Fields, client_id, text};
use crate::protocol::internal::Dialect;

/// How often a user may send frames of this kind: each kind has a bucket of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rate {
    /// Messages. Too many are refused with `rate_limited`.
    Message,
    /// Edits, deletions, reactions and the like; refused as messages are.
    Change,
    /// Pages and searches; refused as messages are.
    Query,
    /// Typing, read marks, presence: too many are dropped in silence.
    Signal,
    /// Any frame, before it is read.
    Frame,
}

/// A message to be sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewMessage {
    pub content: String,
    pub client_message_id: Option<String>,
    pub reply_to: Option<Seq>,
    pub mentions: Vec<UserId>,
    /// The application's own small object, as JSON.
    pub data: Option<String>,
}

/// Where a page of messages lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    Newest,
    Before(Seq),
    After(Seq),
    Around(Seq),
}

/// A client's frame, decoded.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    SendMessage(NewMessage),
    Typing {
        is_typing: bool,
    },
    /// `private`: others are not told.
    Read {
        last_read_message_id: Seq,
        private: bool,
    },
    EditMessage {
        id: Seq,
        content: String,
        mentions: Option<Vec<UserId>>,
    },
    DeleteMessage {
        id: Seq,
    },
    React {
        message_id: Seq,
        emoji: String,
        on: bool,
    },
    Pin {
        message_id: Seq,
        on: bool,
    },
    MarkUnread {
        message_id: Seq,
    },
    Presence {
        away: bool,
    },
    History {
        place: Place,
        limit: Option<i64>,
    },
    Thread {
        id: Seq,
        place: Place,
        limit: Option<i64>,
    },
    Mentions {
        before: Option<Seq>,
        limit: Option<i64>,
    },
    Pins,
    Edits {
        id: Seq,
    },
    Search {
        query: String,
        before: Option<Seq>,
        sender: Option<UserId>,
        limit: Option<i64>,
    },
    Members {
        after: Option<UserId>,
    },
    Resume {
        after: Seq,
    },
    Seen {
        seq: Seq,
    },
    Auth {
        token: String,
    },
    Block {
        user: UserId,
        on: bool,
    },
    Report {
        message_id: Seq,
        reason: String,
    },
    /// `seconds: None`: until it is taken back; 0 takes it back.
    Mute {
        user: UserId,
        seconds: Option<i64>,
    },
    Ban {
        user: UserId,
        seconds: Option<i64>,
    },
    Remove {
        user: UserId,
    },
    Configure {
        slow_mode_s: Option<i64>,
        frozen: Option<bool>,
    },
    Reports {
        before: Option<Seq>,
    },
    Resolve {
        message_id: Seq,
    },
    Audit {
        before: Option<Seq>,
    },
}

/// One row of the table.
pub struct Spec {
    pub name: &'static str,
    /// Classic clients may send it, too.
    pub classic: bool,
    pub action: Action,
    pub rate: Rate,
    decode: fn(&Fields) -> Result<Frame, Refusal>,
}

const fn v1(name: &'static str, action: Action, rate: Rate, decode: fn(&Fields) -> Result<Frame, Refusal>) -> Spec {
    Spec { name, classic: false, action, rate, decode }
}

const fn both(name: &'static str, action: Action, rate: Rate, decode: fn(&Fields) -> Result<Frame, Refusal>) -> Spec {
    Spec { name, classic: true, action, rate, decode }
}

/// Every frame there is.
pub const TABLE: &[Spec] = &[
    both("send_message", Action::Write, Rate::Message, |f| {
        Ok(Frame::SendMessage(NewMessage {
            content: text(f.get("content"), "content")?,
            client_message_id: client_id(f.get("client_message_id"))?,
            reply_to: f.optional_seq("reply_to")?,
            mentions: f.users("mentions")?.unwrap_or_default(),
            data: f.data()?,
        }))
    }),
    both("typing", Action::Signal, Rate::Signal, |f| Ok(Frame::Typing { is_typing: f.flag("is_typing")? })),
    both("read", Action::Read, Rate::Signal, |f| {
        Ok(Frame::Read {
            last_read_message_id: f.seq("last_read_message_id")?,
            private: f.get("private") == Some(&Value::Bool(true)),
        })
    }),
    v1("edit_message", Action::Write, Rate::Change, |f| {
        let content = text(f.get("content"), "content")?;
        Ok(Frame::EditMessage { id: f.seq("id")?, content, mentions: f.users("mentions")? })
    }),
    v1("delete_message", Action::Delete, Rate::Change, |f| Ok(Frame::DeleteMessage { id: f.seq("id")? })),
    v1("react", Action::Write, Rate::Change, |f| {
        let emoji = text(f.get("emoji"), "emoji")?;
        Ok(Frame::React { message_id: f.seq("message_id")?, emoji, on: f.flag("on")? })
    }),
    v1("pin", Action::Write, Rate::Change, |f| Ok(Frame::Pin { message_id: f.seq("message_id")?, on: f.flag("on")? })),
    v1("mark_unread", Action::Read, Rate::Change, |f| Ok(Frame::MarkUnread { message_id: f.seq("message_id")? })),
    v1("presence", Action::Read, Rate::Signal, |f| Ok(Frame::Presence { away: f.flag("away")? })),
    v1("history", Action::Read, Rate::Query, |f| Ok(Frame::History { place: f.place()?, limit: f.limit()? })),
    v1("thread", Action::Read, Rate::Query, |f| {
        Ok(Frame::Thread { id: f.seq("id")?, place: f.place()?, limit: f.limit()? })
    }),
    v1("mentions", Action::Read, Rate::Query, |f| {
        Ok(Frame::Mentions { before: f.optional_seq("before")?, limit: f.limit()? })
    }),
    v1("pins", Action::Read, Rate::Query, |_| Ok(Frame::Pins)),
    v1("edits", Action::Read, Rate::Query, |f| Ok(Frame::Edits { id: f.seq("id")? })),
    v1("search", Action::Read, Rate::Query, |f| {
        Ok(Frame::Search {
            query: text(f.get("query"), "query")?,
            before: f.optional_seq("before")?,
            sender: f.optional_user("sender")?,
            limit: f.limit()?,
        })
    }),
    v1("members", Action::Read, Rate::Query, |f| Ok(Frame::Members { after: f.optional_user("after")? })),
    // A client that was away pulls its whole backlog at once: a chunk of it is no query.
    v1("resume", Action::Read, Rate::Frame, |f| Ok(Frame::Resume { after: f.seq("after")? })),
    v1("seen", Action::Read, Rate::Frame, |f| Ok(Frame::Seen { seq: f.seq("seq")? })),
    v1("auth", Action::Read, Rate::Change, |f| Ok(Frame::Auth { token: text(f.get("token"), "token")? })),
    v1("block", Action::Read, Rate::Change, |f| Ok(Frame::Block { user: f.user("user_id")?, on: f.flag("on")? })),
    v1("report", Action::Report, Rate::Change, |f| {
        let reason = f.get("reason").map_or(Ok(String::new()), |reason| text(Some(reason), "reason"))?;
        Ok(Frame::Report { message_id: f.seq("message_id")?, reason })
    }),
    v1("mute", Action::Moderate, Rate::Change, |f| {
        Ok(Frame::Mute { user: f.user("user_id")?, seconds: f.seconds("seconds")? })
    }),
    v1("ban", Action::Moderate, Rate::Change, |f| {
        Ok(Frame::Ban { user: f.user("user_id")?, seconds: f.seconds("seconds")? })
    }),
    v1("remove", Action::Moderate, Rate::Change, |f| Ok(Frame::Remove { user: f.user("user_id")? })),
    v1("configure", Action::Moderate, Rate::Change, |f| {
        let frozen = f.get("frozen").map(|_| f.flag("frozen")).transpose()?;
        Ok(Frame::Configure { slow_mode_s: f.seconds("slow_mode_s")?, frozen })
    }),
    v1("reports", Action::Moderate, Rate::Query, |f| Ok(Frame::Reports { before: f.optional_seq("before")? })),
    v1("resolve", Action::Moderate, Rate::Change, |f| Ok(Frame::Resolve { message_id: f.seq("message_id")? })),
    v1("audit", Action::Moderate, Rate::Query, |f| Ok(Frame::Audit { before: f.optional_seq("before")? })),
];

/// A frame with its row, and what the client wants to know it by.
pub struct Decoded {
    pub frame: Frame,
    pub spec: &'static Spec,
    pub tags: Tags,
}

/// What an answer or an error carries back, so that its sender knows which frame it is about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tags {
    pub client_message_id: Option<String>,
    pub reference: Option<String>,
}

/// A frame that cannot be taken.
#[derive(Debug, PartialEq)]
pub struct BadFrame {
    pub refusal: Refusal,
    pub tags: Tags,
}

/// Reads a client's frame. Unknown fields are ignored.
///
/// # Errors
/// `invalid_json`, `invalid_field` or `unknown_type`.
pub fn decode(text: &str, dialect: Dialect) -> Result<Decoded, BadFrame> {
    let bare = |refusal| BadFrame { refusal, tags: Tags::default() };
    let fields: Fields = match serde_json::from_str(text) {
        Ok(Value::Object(fields)) if dialect == Dialect::Classic => Fields::classic(fields),
        Ok(Value::Object(fields)) => Fields::new(fields),
        Ok(_) => return Err(bare(ErrorCode::InvalidField.because("a frame is one JSON object"))),
        Err(error) => return Err(bare(ErrorCode::InvalidJson.because(&error.to_string()))),
    };
    let tags = fields.tags();
    let bad = |refusal| BadFrame { refusal, tags: tags.clone() };
    let Some(name) = fields.get("type").and_then(Value::as_str) else {
        return Err(bad(ErrorCode::InvalidField.because("type is a string")));
    };
    let known = TABLE.iter().find(|spec| spec.name == name && (spec.classic || dialect == Dialect::V1));
    let Some(spec) = known else {
        return Err(bad(ErrorCode::UnknownType.because(&format!("{:?}", shorten(name)))));
    };
    let frame = (spec.decode)(&fields).map_err(bad)?;
    Ok(Decoded { frame, spec, tags })
}

fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}
