//! Who may do what: one table of actions, by role and by the state of member and project.

use crate::ids::Millis;
use crate::protocol::codes::{ErrorCode, Refusal};
use crate::protocol::internal::Role;
use crate::store::members::Member;

/// A kind of thing that members do. Every frame names one ([`crate::protocol::frames::TABLE`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Seeing what was said, and keeping one's own marks.
    Read,
    /// Saying that one types.
    Signal,
    /// Sending, and changing what one has sent; reacting, pinning.
    Write,
    /// Taking back what one has sent. What belongs to others is [`Action::Moderate`].
    Delete,
    /// Telling the moderators of a message.
    Report,
    /// Keeping what others do in order: muting, removal, bans, the project's modes, reports, the audit.
    Moderate,
}

/// One row: the least role, and whether a muted member or a frozen project stops it.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub action: Action,
    pub least: Role,
    pub while_muted: bool,
    pub while_frozen: bool,
}

/// The whole of it. A moderator is stopped by neither.
pub const TABLE: &[Rule] = &[
    Rule { action: Action::Read, least: Role::Viewer, while_muted: true, while_frozen: true },
    Rule { action: Action::Signal, least: Role::Member, while_muted: false, while_frozen: false },
    Rule { action: Action::Write, least: Role::Member, while_muted: false, while_frozen: false },
    Rule { action: Action::Delete, least: Role::Member, while_muted: true, while_frozen: true },
    Rule { action: Action::Report, least: Role::Viewer, while_muted: true, while_frozen: true },
    Rule { action: Action::Moderate, least: Role::Moderator, while_muted: true, while_frozen: true },
];

/// Whether the member may, now.
///
/// # Errors
/// `read_only`, `moderators_only`, `muted` (with the time that is left) or `frozen`.
pub fn check(action: Action, member: &Member, frozen: bool, now: Millis) -> Result<(), Refusal> {
    let Some(rule) = TABLE.iter().find(|rule| rule.action == action) else {
        return Err(ErrorCode::ModeratorsOnly.into());
    };
    if member.role < rule.least {
        let code = if rule.least == Role::Moderator { ErrorCode::ModeratorsOnly } else { ErrorCode::ReadOnly };
        return Err(code.into());
    }
    if member.role >= Role::Moderator {
        return Ok(());
    }
    if let Some(until) = member.muted_until.filter(|until| !rule.while_muted && *until > now) {
        let refusal = Refusal::from(ErrorCode::Muted);
        return Err(if until == Millis::FOREVER { refusal } else { refusal.after(until.since(now)) });
    }
    if frozen && !rule.while_frozen {
        return Err(ErrorCode::Frozen.into());
    }
    Ok(())
}
