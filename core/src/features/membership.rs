//! The project's own list of members, removal and revocation: what a server key may say of people.

use serde::Serialize;

use crate::db::DbError;
use crate::effect::Answer;
use crate::features::access::{dismiss, is_revoked};
use crate::features::{contacts, people};
use crate::ids::UserId;
use crate::protocol::codes::CloseCode;
use crate::protocol::internal::{ProfileChange, Role};
use crate::protocol::rest::Person;
use crate::room::{Outcome, Turn};
use crate::store::members::{Member, NamedBy};

#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    person: Person,
    role: Role,
    removed: bool,
}

/// # Errors
/// Storage errors.
pub fn list(turn: &mut Turn<'_>) -> Outcome {
    let members = if turn.state.meta.is_some() { turn.state.members.all(turn.db)? } else { Vec::new() };
    let shown: Result<Vec<_>, DbError> =
        members.iter().filter(|m| m.listed || m.current || m.removed).map(|m| listed(turn, m)).collect();
    Ok(Ok(Answer::json(200, &serde_json::json!({ "members": shown? }))))
}

fn listed(turn: &mut Turn<'_>, member: &Member) -> Result<Listed, DbError> {
    let person = people::person(turn, &member.user)?;
    Ok(Listed { person, role: member.role, removed: member.removed })
}

/// Adds a member, changes one, or takes a removed one back. What is left out stays.
///
/// # Errors
/// Storage errors.
pub fn put(turn: &mut Turn<'_>, user: UserId, role: Option<Role>, change: ProfileChange) -> Outcome {
    turn.ensure_created()?;
    let known = turn.state.members.get(turn.db, &user)?;
    let mut member = known.unwrap_or_else(|| Member::new(user));
    (member.listed, member.current, member.removed) = (true, !member.is_banned(turn.now), false);
    member.role = role.unwrap_or(member.role);
    if change != ProfileChange::default() {
        member.named_by = NamedBy::Backend;
    }
    let profile = &mut member.profile;
    profile.username = change.username.unwrap_or(std::mem::take(&mut profile.username));
    profile.first_name = change.first_name.unwrap_or(std::mem::take(&mut profile.first_name));
    profile.last_name = change.last_name.unwrap_or(std::mem::take(&mut profile.last_name));
    profile.profile_pic = change.profile_pic.or(profile.profile_pic.take()).filter(|url| !url.is_empty());
    turn.state.members.put(turn.db, member.clone())?;
    turn.state.to_tell.user(&member.user);
    turn.state.roster_changes.note(&member.user);
    let shown = listed(turn, &member)?;
    Ok(Ok(Answer::json(200, &shown)))
}

/// Takes a member out, also against the backend's yes, and closes their sockets.
///
/// # Errors
/// Storage errors.
pub fn remove(turn: &mut Turn<'_>, user: &UserId) -> Outcome {
    turn.ensure_created()?;
    take_out(turn, user)?;
    Ok(Ok(Answer::json(200, &serde_json::json!({}))))
}

/// # Errors
/// Storage errors.
pub fn take_out(turn: &mut Turn<'_>, user: &UserId) -> Result<(), DbError> {
    let known = turn.state.members.get(turn.db, user)?;
    let mut member = known.unwrap_or_else(|| Member::new(user.clone()));
    (member.listed, member.current, member.removed, member.admitted_at) = (false, false, true, None);
    turn.state.members.put(turn.db, member)?;
    turn.state.roster_changes.note(user);
    dismiss(turn, user, CloseCode::Removed, |_| true)?;
    contacts::gone(turn, user)
}

/// Voids everything issued to the user before a moment (seconds), and closes the sockets that came with such a token.
///
/// # Errors
/// Storage errors.
pub fn revoke(turn: &mut Turn<'_>, user: &UserId, before: i64) -> Outcome {
    if turn.state.meta.is_none() {
        return Ok(Ok(Answer::json(200, &serde_json::json!({}))));
    }
    // Of someone who was never here nothing is kept: their object is asked when they first enter.
    if let Some(mut member) = turn.state.members.get(turn.db, user)? {
        member.revoked_before = member.revoked_before.max(Some(before));
        turn.state.members.put(turn.db, member)?;
    }
    dismiss(turn, user, CloseCode::Removed, |issued_at| is_revoked(issued_at, before))?;
    Ok(Ok(Answer::json(200, &serde_json::json!({}))))
}
