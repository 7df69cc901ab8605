//! How full the project's database is. Before the platform's wall is hit, writing ends with a clear error.

use crate::ids::Millis;
use crate::permissions::Action;
use crate::protocol::codes::{ErrorCode, Refusal};
use crate::room::Turn;

/// Asked at most this often: a database does not grow by a twentieth of its limit meanwhile.
const LOOK_EVERY_MS: i64 = 1_000;
/// Percent of `STORAGE_MAX_BYTES` beyond which nothing is written.
const FULL_PERCENT: i64 = 95;

#[derive(Default)]
pub struct Fill {
    looked_at: Option<Millis>,
    full: bool,
}

/// Whether there is room for what such an action writes. Reading, deleting and moderating go on.
///
/// # Errors
/// `storage_full`.
pub fn check(turn: &mut Turn<'_>, action: Action) -> Result<(), Refusal> {
    if !matches!(action, Action::Write | Action::Report) {
        return Ok(());
    }
    if turn.state.fill.looked_at.is_none_or(|at| turn.now.since(at) >= LOOK_EVERY_MS) {
        let max = turn.state.settings.limits.storage_max_bytes;
        let full = turn.db.size_bytes() >= max.saturating_mul(FULL_PERCENT).div_euclid(100);
        turn.state.fill = Fill { looked_at: Some(turn.now), full };
    }
    if turn.state.fill.full { Err(ErrorCode::StorageFull.into()) } else { Ok(()) }
}
