//! Pages of what was said.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::db::DbError;
use crate::effect::Answer;
use crate::features::frames::{Handled, Reply, Speaker};
use crate::features::people;
use crate::ids::Seq;
use crate::protocol::frames::Place;
use crate::protocol::v1;
use crate::room::{Outcome, Turn};
use crate::store::messages::{self, Message};

/// A page for HTTP, newest first. `before`: what is older than this; `after`: what follows it; neither: the newest.
///
/// # Errors
/// Storage errors.
pub fn page(turn: &mut Turn<'_>, limit: Option<u32>, before: Option<Seq>, after: Option<Seq>) -> Outcome {
    let limits = &turn.state.settings.limits;
    let limit = limit.map_or(limits.history_page, i64::from).clamp(1, limits.history_page_max);
    if turn.state.meta.is_none() {
        return Ok(Ok(Answer::json(200, &[(); 0])));
    }
    turn.load_marks()?;
    // One more than asked for tells whether there is a further page.
    let mut found = match after {
        Some(after) => messages::after(turn.db, after, turn.state.head, limit + 1)?,
        None => messages::before(turn.db, before, limit + 1)?,
    };
    let more = cut(&mut found, limit);
    let edge = found.last().map(|message| message.id.0).filter(|_| more);
    let word = if after.is_some() { "after" } else { "before_id" };
    if after.is_some() {
        found.reverse();
    }
    let shapes: Result<Vec<_>, DbError> = found.iter().map(|message| people::rest_message(turn, message)).collect();
    let page = edge.map(|id| serde_json::json!({ "next": format!("{word}={id}&limit={limit}") }).to_string());
    Ok(Ok(Answer { page, ..Answer::json(200, &shapes?) }))
}

/// A page of a v1 client's. Messages are in the order of their sending, unless it says otherwise.
#[derive(Default, Serialize)]
pub struct Page {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub messages: Vec<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more_before: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more_after: Option<bool>,
    /// Of a thread: the message that it begins with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<Box<RawValue>>,
    /// Of a search: go on with `before` this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_before: Option<Seq>,
}

impl Page {
    pub fn encode(&self) -> String {
        v1::encode(self)
    }
}

/// How many messages a v1 client gets that asked for `limit`.
pub fn limit(turn: &Turn<'_>, limit: Option<i64>) -> i64 {
    let limits = &turn.state.settings.limits;
    limit.unwrap_or(limits.v1_page).clamp(1, limits.history_page_max)
}

/// Takes what was read beyond `limit` away; `true` if that was anything.
pub fn cut<T>(found: &mut Vec<T>, limit: i64) -> bool {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > limit;
    found.truncate(limit);
    more
}

/// As [`cut`], and what would make the page much larger than `RESUME_CHUNK_BYTES`: some clients' libraries refuse large
/// frames. A page is not empty for that.
pub fn cut_page(turn: &Turn<'_>, found: &mut Vec<Message>, limit: i64) -> bool {
    let more = cut(found, limit);
    let max = usize::try_from(turn.state.settings.limits.resume_chunk_bytes).unwrap_or(usize::MAX);
    let mut bytes = 0;
    let fits = found.iter().take_while(|message| {
        let before = bytes;
        bytes += message.bytes();
        before < max
    });
    let fits = fits.count();
    cut(found, fits as i64) || more
}

/// Before, after or around a message; the newest.
///
/// # Errors
/// Storage errors.
pub fn frame(turn: &mut Turn<'_>, speaker: &Speaker, place: Place, asked: Option<i64>) -> Handled {
    turn.load_marks()?;
    let limit = limit(turn, asked);
    let (found, more_before, more_after) = around(place, limit, turn, messages::before, |turn, after, limit| {
        messages::after(turn.db, after, turn.state.head, limit)
    })?;
    let messages = people::v1_page(turn, &found, &speaker.member.user)?;
    let page = Page { kind: "history", messages, more_before, more_after, ..Page::default() };
    Ok(Ok(Reply::Event(page.encode())))
}

type Found = (Vec<Message>, Option<bool>, Option<bool>);

/// The messages at a place, oldest first, and whether there are more before and after them (`None`: nobody looked).
///
/// # Errors
/// Storage errors.
pub fn around(
    place: Place,
    limit: i64,
    turn: &mut Turn<'_>,
    older: impl Fn(&mut dyn crate::db::Db, Option<Seq>, i64) -> Result<Vec<Message>, DbError>,
    newer: impl Fn(&mut Turn<'_>, Seq, i64) -> Result<Vec<Message>, DbError>,
) -> Result<Found, DbError> {
    let back = |turn: &mut Turn<'_>, before, limit| {
        let mut found = older(turn.db, before, limit + 1)?;
        let more = cut_page(turn, &mut found, limit);
        found.reverse();
        Ok::<_, DbError>((found, more))
    };
    let forth = |turn: &mut Turn<'_>, after, limit| {
        let mut found = newer(turn, after, limit + 1)?;
        let more = cut_page(turn, &mut found, limit);
        Ok::<_, DbError>((found, more))
    };
    Ok(match place {
        Place::Newest => {
            let (found, more) = back(turn, None, limit)?;
            (found, Some(more), Some(false))
        }
        Place::Before(id) => {
            let (found, more) = back(turn, Some(id), limit)?;
            (found, Some(more), None)
        }
        Place::After(id) => {
            let (found, more) = forth(turn, id, limit)?;
            (found, None, Some(more))
        }
        Place::Around(id) => {
            let half = (limit / 2).max(1);
            let (mut found, more_before) = back(turn, Some(id), half)?;
            // The message itself is the first of the later ones.
            let (later, more_after) = forth(turn, Seq(id.0.saturating_sub(1)), (limit - half).max(1))?;
            found.extend(later);
            (found, Some(more_before), Some(more_after))
        }
    })
}
