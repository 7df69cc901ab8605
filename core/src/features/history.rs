//! Pages of what was said.

use crate::db::DbError;
use crate::effect::Answer;
use crate::features::people;
use crate::ids::Seq;
use crate::room::{Outcome, Turn};
use crate::store::messages;

/// A page, newest first. `before`: what is older than this; `after`: what follows it; neither: the newest.
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
    let more = found.len() as i64 > limit;
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let edge = found.last().map(|message| message.id.0).filter(|_| more);
    let word = if after.is_some() { "after" } else { "before_id" };
    if after.is_some() {
        found.reverse();
    }
    let shapes: Result<Vec<_>, DbError> = found.iter().map(|message| people::rest_message(turn, message)).collect();
    let page = edge.map(|id| serde_json::json!({ "next": format!("{word}={id}&limit={limit}") }).to_string());
    Ok(Ok(Answer { page, ..Answer::json(200, &shapes?) }))
}
