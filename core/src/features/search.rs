//! Finding messages by their words, over the whole project.
//!
//! A scan in bounded steps, by choice (docs/ARCHITECTURE.md has the figures): an index would multiply the rows that each
//! message costs, and would not find CJK text without being larger than the messages themselves.

use crate::features::frames::{Handled, Reply, Speaker};
use crate::features::{history, people};
use crate::ids::{Seq, UserId};
use crate::protocol::codes::ErrorCode;
use crate::room::Turn;
use crate::store::messages::{self, SEARCH_WORDS};

/// The longest query, in characters.
pub const QUERY_MAX_CHARS: usize = 200;

/// Messages that hold every word of the query (as parts of words, too, in whatever case), newest first. One search
/// looks at `SEARCH_SCAN` positions; `next_before` says where the next one goes on, also when this one found nothing.
///
/// # Errors
/// Storage errors.
pub fn frame(
    turn: &mut Turn<'_>,
    speaker: &Speaker,
    query: &str,
    before: Option<Seq>,
    sender: Option<UserId>,
    asked: Option<i64>,
) -> Handled {
    if query.chars().count() > QUERY_MAX_CHARS {
        return Ok(Err(ErrorCode::InvalidField.because(&format!("query has at most {QUERY_MAX_CHARS} characters"))));
    }
    let words: Vec<_> = query.split_whitespace().map(messages::fold).take(SEARCH_WORDS).collect();
    if words.is_empty() {
        return Ok(Err(ErrorCode::InvalidField.because("query has at least one word")));
    }
    turn.load_marks()?;
    let limit = history::limit(turn, asked);
    let top = before.map_or(turn.state.head.next(), |before| before.min(turn.state.head.next()));
    let floor = turn.state.meta.as_ref().map_or(Seq::ZERO, |meta| meta.pruned).next();
    let from = Seq(top.0.saturating_sub(turn.state.settings.limits.search_scan)).max(floor);
    let mut found = messages::search(turn.db, &words, sender.as_ref(), (from, top), limit + 1)?;
    let next_before = if history::cut_page(turn, &mut found, limit) {
        found.last().map(|message| message.id)
    } else {
        (from > floor).then_some(from)
    };
    let messages = people::v1_page(turn, &found, &speaker.member.user)?;
    let more_before = Some(next_before.is_some());
    let page = history::Page { kind: "search", messages, more_before, next_before, ..history::Page::default() };
    Ok(Ok(Reply::Event(page.encode())))
}
