//! The project's own modes: slow mode, and frozen.

use std::collections::HashMap;

use crate::db::DbError;
use crate::features::frames::{Handled, Reply, Speaker};
use crate::ids::{Millis, UserId};
use crate::protocol::codes::{ErrorCode, Refusal};
use crate::protocol::internal::Role;
use crate::protocol::v1::{Passing, Project};
use crate::room::Turn;
use crate::store::members::Member;
use crate::store::meta;
use crate::store::moderation::{self, Deed};

/// Users whose last message is remembered; more are forgotten, to their advantage.
const KEPT_MAX: usize = 2000;
/// The slowest mode: a day.
pub const SLOW_MODE_MAX_S: i64 = 86_400;

/// When members last wrote, while slow mode is on. Kept in memory; after opening, from the newest messages.
#[derive(Default)]
pub struct LastSent {
    at: HashMap<UserId, Millis>,
}

impl LastSent {
    pub fn note(&mut self, user: &UserId, at: Millis) {
        if self.at.len() >= KEPT_MAX {
            self.at.clear();
        }
        self.at.insert(user.clone(), at);
    }
}

/// # Errors
/// Storage errors.
pub fn shape(turn: &mut Turn<'_>) -> Result<Project, DbError> {
    let pins = turn.state.pins.all(turn.db)?.to_vec();
    let meta = turn.ensure_created()?.clone();
    let id = turn.state.settings.project.clone();
    Ok(Project {
        name: meta.project_name.unwrap_or_else(|| format!("Project {id}")),
        created_at: meta.project_created_at.unwrap_or_else(|| meta.created_at.iso()),
        frozen: meta.frozen,
        slow_mode_s: meta.slow_mode_s,
        pins,
        id,
    })
}

/// Whether slow mode holds for this member.
pub fn is_slowed(turn: &Turn<'_>, member: &Member) -> bool {
    member.role < Role::Moderator && turn.state.meta.as_ref().is_some_and(|meta| meta.slow_mode_s > 0)
}

/// # Errors
/// `slow_mode`, with the time that is left.
pub fn slow_mode(turn: &Turn<'_>, member: &Member) -> Result<(), Refusal> {
    let Some(meta) = turn.state.meta.as_ref().filter(|_| is_slowed(turn, member)) else { return Ok(()) };
    let Some(last) = turn.state.last_sent.at.get(&member.user) else { return Ok(()) };
    let wait = meta.slow_mode_s.saturating_mul(1000).saturating_sub(turn.now.since(*last));
    if wait > 0 { Err(Refusal::from(ErrorCode::SlowMode).after(wait)) } else { Ok(()) }
}

pub fn sent(turn: &mut Turn<'_>, user: &UserId) {
    turn.state.last_sent.note(user, turn.now);
}

/// Changes a mode. 1 row for each, and one in the audit.
///
/// # Errors
/// Storage errors.
pub fn frame(turn: &mut Turn<'_>, speaker: &Speaker, slow_mode_s: Option<i64>, frozen: Option<bool>) -> Handled {
    if slow_mode_s.is_some_and(|seconds| seconds > SLOW_MODE_MAX_S) {
        let what = format!("slow_mode_s is at most {SLOW_MODE_MAX_S}");
        return Ok(Err(ErrorCode::InvalidField.because(&what)));
    }
    let mut meta = turn.ensure_created()?.clone();
    let mut done = Vec::new();
    if let Some(seconds) = slow_mode_s.filter(|seconds| *seconds != meta.slow_mode_s) {
        meta.slow_mode_s = seconds;
        meta::set(turn.db, "slow_mode_s", &seconds.to_string())?;
        done.push(format!("slow_mode_s {seconds}"));
    }
    if let Some(frozen) = frozen.filter(|frozen| *frozen != meta.frozen) {
        meta.frozen = frozen;
        meta::set(turn.db, "frozen", if frozen { "1" } else { "0" })?;
        done.push(format!("frozen {frozen}"));
    }
    if done.is_empty() {
        return Ok(Ok(Reply::Done));
    }
    turn.state.meta = Some(meta);
    let detail = done.join(", ");
    let actor = Some(&speaker.member.user);
    let deed = Deed { actor, action: "configure", detail: Some(&detail), ..Deed::default() };
    moderation::note(turn.db, turn.now, deed)?;
    let project = shape(turn)?;
    turn.publish(Passing::Project { project: &project }.encode(), false);
    Ok(Ok(Reply::Done))
}
