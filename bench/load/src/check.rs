//! The account that every receiver is held to: each message exactly once, in the order sent, ids (and in v1 `seq`)
//! without a hole, content as it was sent.
//!
//! A server sends the same bytes to many receivers. Two receivers that stood at the same place before the same bytes
//! stand at the same place after them, so a frame is parsed for the first of them and only compared for the others:
//! that is what lets one thread check more than a million deliveries a second.

use std::fmt;

use crate::event::{self, Event, Message};
use crate::options::Dialect;
use crate::script::Script;

/// How far a receiver has come.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Position {
    /// Index of the message that comes next; all before it have arrived.
    pub next: u64,
    /// Whether `hello` has come. The classic dialect has none: there it always has.
    pub greeted: bool,
    /// v1: `seq` of the last durable event.
    pub seq: Option<u64>,
}

/// What a receiver must not see.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    NotReadable(String),
    NoHello(String),
    HelloWithoutSeq,
    SecondHello,
    Resync,
    Error { code: String, detail: String },
    Foreign(String),
    Twice { index: u64 },
    OutOfOrder { due: u64, came: u64 },
    Unsent { index: u64 },
    Altered { index: u64 },
    Id { index: u64, due: u64, is: u64 },
    Seq { index: u64, due: u64, is: Option<u64> },
}

pub struct Checker {
    dialect: Dialect,
    pub script: Script,
    /// How many messages have been sent.
    pub sent: u64,
    /// Id of message 0, as the first receiver saw it: the others must see the same.
    first_id: Option<u64>,
    known: Vec<Known>,
}

/// A frame that was found right.
#[derive(Default)]
struct Known {
    from: Position,
    bytes: Vec<u8>,
    to: Position,
}

/// Frames that are remembered; receivers further apart than this are parsed anew.
const KNOWN_FRAMES: usize = 256;

impl Checker {
    pub fn new(dialect: Dialect, script: Script) -> Checker {
        let known = (0..KNOWN_FRAMES).map(|_| Known::default()).collect();
        Checker { dialect, script, sent: 0, first_id: None, known }
    }

    /// Where a new receiver stands.
    pub fn start(&self) -> Position {
        Position { greeted: self.dialect == Dialect::Classic, ..Position::default() }
    }

    /// Checks one frame of a receiver that stands at `at`, and gives where it stands then.
    pub fn frame(&mut self, at: Position, text: &str) -> Result<Position, Fault> {
        let slot = usize::try_from(at.next).unwrap_or_default() % KNOWN_FRAMES;
        if let Some(known) = self.known.get(slot)
            && known.from == at
            && known.bytes == text.as_bytes()
        {
            return Ok(known.to);
        }
        let mut to = at;
        for event in event::events(self.dialect, text).map_err(|error| Fault::NotReadable(error.to_string()))? {
            to = self.event(to, &event)?;
        }
        if to != at
            && let Some(known) = self.known.get_mut(slot)
        {
            known.bytes.clear();
            known.bytes.extend_from_slice(text.as_bytes());
            (known.from, known.to) = (at, to);
        }
        Ok(to)
    }

    /// Events that are not the sender's doing (presence, receipts …) change nothing.
    fn event(&mut self, at: Position, event: &Event) -> Result<Position, Fault> {
        let kind = event.kind.as_ref();
        if kind == "error" {
            let (code, detail) = (event.code.as_deref(), event.detail.as_deref());
            return Err(Fault::Error {
                code: code.unwrap_or_default().to_owned(),
                detail: detail.unwrap_or_default().to_owned(),
            });
        }
        match (at.greeted, kind) {
            (false, "hello") if event.seq.is_none() => Err(Fault::HelloWithoutSeq),
            (false, "hello") => Ok(Position { greeted: true, seq: event.seq, ..at }),
            (false, _) => Err(Fault::NoHello(kind.to_owned())),
            (true, "hello") => Err(Fault::SecondHello),
            (true, "resync") => Err(Fault::Resync),
            (true, "new.message") => self.message(at, event),
            (true, _) => Ok(at),
        }
    }

    fn message(&mut self, at: Position, event: &Event) -> Result<Position, Fault> {
        let raw = event.message.map_or("null", |message| message.get());
        let message: Message = serde_json::from_str(raw).map_err(|error| Fault::NotReadable(error.to_string()))?;
        let name = message.client_message_id.as_deref().unwrap_or_default();
        let index = self.script.index_of(name).ok_or_else(|| Fault::Foreign(name.to_owned()))?;
        if index >= self.sent {
            return Err(Fault::Unsent { index });
        }
        if index < at.next {
            return Err(Fault::Twice { index });
        }
        if index > at.next {
            return Err(Fault::OutOfOrder { due: at.next, came: index });
        }
        let due = self.first_id.get_or_insert(message.id.saturating_sub(index)).saturating_add(index);
        if message.id != due {
            return Err(Fault::Id { index, due, is: message.id });
        }
        if message.content != self.script.content(index) {
            return Err(Fault::Altered { index });
        }
        let seq = match at.seq {
            // Nothing else durable happens under load: each message is the very next event, and its id is its `seq`.
            Some(last) if event.seq == Some(last + 1) && message.id == last + 1 => Some(last + 1),
            Some(last) => return Err(Fault::Seq { index, due: last + 1, is: event.seq }),
            None => None,
        };
        Ok(Position { next: at.next + 1, seq, ..at })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NotReadable(why) => write!(f, "a frame cannot be read: {why}"),
            Fault::NoHello(kind) => write!(f, "{kind} came before hello"),
            Fault::HelloWithoutSeq => write!(f, "hello came without seq"),
            Fault::SecondHello => write!(f, "hello came twice"),
            Fault::Resync => write!(f, "the server asked for a resync"),
            Fault::Error { code, detail } => write!(f, "the server answered {code}: {detail}"),
            Fault::Foreign(id) => write!(f, "a message of somebody else came (client_message_id {id:?})"),
            Fault::Twice { index } => write!(f, "message {index} came twice"),
            Fault::OutOfOrder { due, came } => write!(f, "message {came} came where {due} was due"),
            Fault::Unsent { index } => write!(f, "message {index} came, which was not sent"),
            Fault::Altered { index } => write!(f, "message {index} came with other content"),
            Fault::Id { index, due, is } => write!(f, "message {index} came with id {is} where {due} was due"),
            Fault::Seq { index, due, is: Some(is) } => {
                write!(f, "message {index} came with seq {is} where {due} was due, for seq and id")
            }
            Fault::Seq { index, is: None, .. } => write!(f, "message {index} came without seq"),
        }
    }
}
