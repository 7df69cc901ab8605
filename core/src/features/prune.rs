//! Forgetting the oldest part of the log. No position is ever given twice: the highest is kept apart from the rows.

use crate::effect::Answer;
use crate::features::project;
use crate::ids::Seq;
use crate::protocol::v1::Passing;
use crate::room::{Outcome, Turn};
use crate::store::{changes, mentions, messages, meta};

/// Positions forgotten by one call: the room has others to serve.
const BATCH: i64 = 10_000;

/// Forgets everything up to a position, or as much of it as one call does: then the answer says `more`. A client that left off below it starts anew (`resync`).
///
/// # Errors
/// Storage errors.
pub fn call(turn: &mut Turn<'_>, up_to: Seq) -> Outcome {
    let head = turn.state.head;
    let pruned = turn.state.meta.as_ref().map_or(Seq::ZERO, |meta| meta.pruned);
    let wanted = up_to.min(head);
    let up_to = wanted.min(Seq(pruned.0.saturating_add(BATCH)));
    if turn.state.meta.is_some() && up_to > pruned {
        // Some marks are known by the messages only that their owners sent (see `Turn::load_marks`).
        turn.load_marks()?;
        turn.flush_marks()?;
        let pins = turn.state.pins.all(turn.db)?.len();
        meta::set(turn.db, "seq_floor", &head.0.to_string())?;
        meta::set(turn.db, "pruned", &up_to.0.to_string())?;
        messages::prune(turn.db, up_to)?;
        changes::prune(turn.db, up_to)?;
        mentions::prune(turn.db, up_to)?;
        turn.state.pins.prune(turn.db, up_to)?;
        if let Some(meta) = turn.state.meta.as_mut() {
            meta.pruned = up_to;
        }
        turn.state.to_tell.everyone();
        let project = project::shape(turn)?;
        if project.pins.len() < pins {
            turn.publish(Passing::Project { project: &project }.encode(), false);
        }
    }
    let pruned = up_to.max(pruned);
    Ok(Ok(Answer::json(200, &serde_json::json!({ "pruned": pruned, "more": pruned < wanted }))))
}
