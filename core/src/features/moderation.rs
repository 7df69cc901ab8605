//! What moderators do about people. Each deed is noted in the audit, which costs a row.

use serde::Serialize;

use crate::db::DbError;
use crate::features::access::dismiss;
use crate::features::frames::{Handled, Reply, Speaker};
use crate::features::{contacts, history, membership, typing};
use crate::ids::{Millis, Seq, UserId};
use crate::protocol::codes::{CloseCode, ErrorCode, Refusal};
use crate::protocol::internal::Role;
use crate::protocol::v1::encode;
use crate::room::Turn;
use crate::store::members::Member;
use crate::store::moderation::{self, Deed, Entry};

/// The one it is about: a member who is no moderator, and not oneself.
fn target(turn: &mut Turn<'_>, speaker: &Speaker, user: &UserId) -> Result<Result<Member, Refusal>, DbError> {
    if speaker.member.user == *user {
        return Ok(Err(ErrorCode::InvalidField.because("user_id is somebody else's")));
    }
    Ok(match turn.state.members.get(turn.db, user)? {
        None => Err(ErrorCode::NoSuchMember.into()),
        Some(member) if member.role >= Role::Moderator => Err(ErrorCode::ModeratorTarget.into()),
        Some(member) => Ok(member),
    })
}

/// `None`: for ever; 0 seconds: no longer.
fn until(now: Millis, seconds: Option<i64>) -> Option<Millis> {
    match seconds {
        None => Some(Millis::FOREVER),
        Some(0) => None,
        Some(seconds) => Some(now.plus(seconds.saturating_mul(1000))),
    }
}

/// May read, and not write, for so long.
///
/// # Errors
/// Storage errors.
pub fn mute(turn: &mut Turn<'_>, speaker: &Speaker, user: &UserId, seconds: Option<i64>) -> Handled {
    let mut member = match target(turn, speaker, user)? {
        Ok(member) => member,
        Err(refusal) => return Ok(Err(refusal)),
    };
    member.muted_until = until(turn.now, seconds);
    if member.muted_until.is_some() {
        typing::left(turn, user)?;
    }
    turn.state.members.put(turn.db, member)?;
    turn.state.roster_changes.note(user);
    note(turn, speaker, "mute", user, seconds)?;
    Ok(Ok(Reply::Done))
}

/// May not be here for so long, whatever the backend says.
///
/// # Errors
/// Storage errors.
pub fn ban(turn: &mut Turn<'_>, speaker: &Speaker, user: &UserId, seconds: Option<i64>) -> Handled {
    let mut member = match target(turn, speaker, user)? {
        Ok(member) => member,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let until = until(turn.now, seconds);
    if until.is_none() && !member.is_banned(turn.now) {
        return Ok(Ok(Reply::Done)); // nothing to take back
    }
    member.banned_until = until;
    let banned = until.is_some();
    if banned {
        (member.current, member.admitted_at) = (false, None);
    } else {
        member.current = member.listed;
    }
    turn.state.members.put(turn.db, member)?;
    turn.state.roster_changes.note(user);
    if banned {
        dismiss(turn, user, CloseCode::Removed, |_| true)?;
        contacts::gone(turn, user)?;
    }
    note(turn, speaker, "ban", user, seconds)?;
    Ok(Ok(Reply::Done))
}

/// Is out, until a server key puts them back.
///
/// # Errors
/// Storage errors.
pub fn remove(turn: &mut Turn<'_>, speaker: &Speaker, user: &UserId) -> Handled {
    if let Err(refusal) = target(turn, speaker, user)? {
        return Ok(Err(refusal));
    }
    membership::take_out(turn, user)?;
    note(turn, speaker, "remove", user, Some(0))?;
    Ok(Ok(Reply::Done))
}

fn note(
    turn: &mut Turn<'_>,
    speaker: &Speaker,
    action: &'static str,
    user: &UserId,
    seconds: Option<i64>,
) -> Result<(), DbError> {
    let detail = match seconds {
        None => Some("for ever".to_owned()),
        Some(_) if action == "remove" => None,
        Some(seconds) => Some(format!("{seconds} s")),
    };
    let actor = Some(&speaker.member.user);
    let deed = Deed { actor, action, user: Some(user), message: None, detail: detail.as_deref() };
    moderation::note(turn.db, turn.now, deed)
}

#[derive(Serialize)]
struct Audit {
    r#type: &'static str,
    entries: Vec<Entry>,
    more_before: bool,
}

/// What moderators did, newest first.
///
/// # Errors
/// Storage errors.
pub fn audit(turn: &mut Turn<'_>, before: Option<Seq>) -> Handled {
    let limit = history::limit(turn, None);
    let mut entries = moderation::audit(turn.db, before, limit + 1)?;
    let more_before = history::cut(&mut entries, limit);
    Ok(Ok(Reply::Event(encode(&Audit { r#type: "audit", entries, more_before }))))
}
