//! Who may enter: the kept yes, its background renewal, removal and revocation.
//!
//! The room never asks the backend. It answers [`ASK_STATUS`] and the Worker, which has the user's token, asks and
//! calls again; or it lets the user in on a kept yes and names the moment at which the Worker is to ask anew.

use std::collections::HashMap;

use crate::db::DbError;
use crate::effect::Answer;
use crate::features::contacts;
use crate::ids::{Millis, UserId};
use crate::protocol::codes::{CloseCode, ErrorCode, Refusal};
use crate::protocol::internal::{ASK_STATUS, Admission, Dialect, Grant, Identity, MemberInfo, RoomCall, RoomRequest};
use crate::room::{Outcome, Turn};
use crate::store::members::{Member, NamedBy};
use crate::store::meta;

/// Background questions are spread over a few seconds beyond what the rate asks for, so that those who came in one
/// moment do not ask in one moment.
const JITTER_MS: i64 = 3_000;
/// A question that could not be asked within this time is left to the user's next call: the Worker's background work
/// ends 30 s after its answer.
const RECHECK_WITHIN_MS: i64 = 20_000;

/// Someone who was let in.
pub struct Entry {
    /// The caller; a server key has none.
    pub caller: Option<Caller>,
    /// Ask the backend again after this time.
    pub recheck_ms: Option<i64>,
}

pub struct Caller {
    pub member: Member,
    pub identity: Identity,
}

impl Entry {
    /// # Errors
    /// For a server key, which acts for nobody.
    pub fn caller(&self) -> Result<&Caller, Refusal> {
        self.caller.as_ref().ok_or_else(|| ErrorCode::TokenMissing.into())
    }
}

/// The moments at which background questions may be asked.
#[derive(Default)]
pub struct Slots {
    next: Millis,
    /// Users with a question under way, and when it will have been answered.
    pending: HashMap<UserId, Millis>,
}

/// Lets the caller in, or says why not.
///
/// # Errors
/// Storage errors.
pub fn enter(turn: &mut Turn<'_>, request: &RoomRequest) -> Result<Result<Entry, Answer>, DbError> {
    if request.admission == Admission::Server {
        return Ok(Ok(Entry { caller: None, recheck_ms: None }));
    }
    let served = matches!(
        request.call,
        RoomCall::Verdict { .. }
            | RoomCall::ListMembers
            | RoomCall::PutMember { .. }
            | RoomCall::RemoveMember { .. }
            | RoomCall::Revoke { .. }
            | RoomCall::Prune { .. }
    );
    let Some(identity) = request.identity.as_ref().filter(|_| !served) else {
        return Ok(Err(Refusal::from(ErrorCode::BadServerKey).into()));
    };
    let classic_socket = matches!(request.call, RoomCall::Connect { dialect: Dialect::Classic, .. });
    // Whoever the backend has named among the others is a member already, and yet here for the first time.
    let known = member(turn, &identity.user)?;
    let newcomer = known.is_some_and(|member| member.current && member.admitted_at.is_none());
    match admit(turn, identity, &request.admission, classic_socket)? {
        Verdict::Enter { member, recheck_ms } => {
            // Whoever asks for their entry has it with the answer.
            if newcomer && !matches!(request.call, RoomCall::Summary | RoomCall::Watch) {
                turn.state.to_tell.user(&member.user);
            }
            let caller = Caller { member: *member, identity: identity.clone() };
            Ok(Ok(Entry { caller: Some(caller), recheck_ms }))
        }
        Verdict::Ask => Ok(Err(Answer::json(ASK_STATUS, &serde_json::json!({ "ask": "access" })))),
        Verdict::Refuse(code) => Ok(Err(Refusal::from(code).into())),
    }
}

enum Verdict {
    Enter { member: Box<Member>, recheck_ms: Option<i64> },
    Ask,
    Refuse(ErrorCode),
}

fn admit(
    turn: &mut Turn<'_>,
    identity: &Identity,
    admission: &Admission,
    classic_socket: bool,
) -> Result<Verdict, DbError> {
    let known = member(turn, &identity.user)?;
    if known.as_ref().is_some_and(|member| member.removed) {
        return Ok(Verdict::Refuse(ErrorCode::Removed));
    }
    if known.as_ref().is_some_and(|member| member.is_banned(turn.now)) {
        return Ok(Verdict::Refuse(ErrorCode::Banned));
    }
    let given_mark = match admission {
        Admission::Granted(Grant { revoked_before, .. }) | Admission::List { revoked_before } => *revoked_before,
        Admission::Unknown | Admission::Server => None,
    };
    // 0 stands for "never revoked".
    let mark = known.as_ref().and_then(|member| member.revoked_before).max(given_mark).filter(|before| *before > 0);
    if mark.is_some_and(|before| is_revoked(identity.issued_at, before)) {
        return Ok(Verdict::Refuse(ErrorCode::Revoked));
    }
    let session_ms = turn.state.settings.limits.session_max_s.saturating_mul(1000);
    let kept = known.as_ref().and_then(|member| member.admitted_at).filter(|at| turn.now.since(*at) <= session_ms);

    if identity.expired {
        // A classic client reconnects with the token it first connected with, whatever its age.
        let late = turn.now.seconds().saturating_sub(identity.expires_at).saturating_mul(1000);
        return Ok(match (known, kept) {
            (Some(member), Some(_)) if classic_socket && late <= session_ms => {
                Verdict::Enter { member: Box::new(member), recheck_ms: None }
            }
            _ => Verdict::Refuse(ErrorCode::TokenExpired),
        });
    }
    match (admission, known) {
        (Admission::Granted(grant), known) => {
            if known.is_none_or(|member| member.admitted_at.is_none()) && grant.revoked_before.is_none() {
                return Ok(Verdict::Ask);
            }
            let member = welcome(turn, &identity.user, identity.username.as_deref(), grant)?;
            Ok(Verdict::Enter { member: Box::new(member), recheck_ms: None })
        }
        (Admission::List { .. }, Some(member)) if member.listed => {
            if member.admitted_at.is_none() && given_mark.is_none() {
                return Ok(Verdict::Ask);
            }
            let grant = Grant { role: Some(member.role), revoked_before: mark, ..Grant::default() };
            let member = welcome(turn, &identity.user, identity.username.as_deref(), &grant)?;
            Ok(Verdict::Enter { member: Box::new(member), recheck_ms: None })
        }
        (Admission::List { .. }, _) => Ok(Verdict::Refuse(ErrorCode::NoAccess)),
        (_, Some(member)) => match kept {
            Some(at) => {
                let stale = turn.now.since(at) > turn.state.settings.limits.access_ttl_s.saturating_mul(1000);
                let recheck_ms = if stale { slot(turn, &identity.user) } else { None };
                Ok(Verdict::Enter { member: Box::new(member), recheck_ms })
            }
            None => Ok(Verdict::Ask),
        },
        (_, None) => Ok(Verdict::Ask),
    }
}

/// A token that does not say when it was issued cannot show that it is newer than the mark.
pub fn is_revoked(issued_at: Option<i64>, before: i64) -> bool {
    issued_at.is_none_or(|at| at < before)
}

fn member(turn: &mut Turn<'_>, user: &UserId) -> Result<Option<Member>, DbError> {
    if turn.state.meta.is_none() {
        return Ok(None);
    }
    turn.state.members.get(turn.db, user)
}

/// Takes a fresh yes into the member's row, and what came with it about the project and its people.
fn welcome(turn: &mut Turn<'_>, user: &UserId, name: Option<&str>, grant: &Grant) -> Result<Member, DbError> {
    turn.ensure_created()?;
    about_project(turn, grant)?;
    let known = turn.state.members.get(turn.db, user)?;
    let first = known.as_ref().is_none_or(|member| !member.current);
    let mut member = known.unwrap_or_else(|| Member::new(user.clone()));
    let before = member.clone();
    member.role = grant.role.unwrap_or(member.role);
    member.current = true;
    member.revoked_before = member.revoked_before.max(grant.revoked_before.filter(|before| *before > 0));
    if let Some(profile) = &grant.profile {
        member.profile = profile.clone();
        member.named_by = NamedBy::Backend;
    } else if let Some(name) = name.filter(|_| member.named_by <= NamedBy::Token) {
        member.profile.username = name.to_owned();
        member.named_by = NamedBy::Token;
    }
    let ttl_ms = turn.state.settings.limits.access_ttl_s.saturating_mul(1000);
    // A yes that is still young is not written again: each write is a row.
    if member.admitted_at.is_none_or(|at| turn.now.since(at) > ttl_ms) {
        member.admitted_at = Some(turn.now);
    }
    turn.state.members.put(turn.db, member.clone())?;
    if first {
        turn.state.to_tell.user(user);
    }
    if first || before.role != member.role || before.profile != member.profile {
        turn.state.roster_changes.note(user);
    }
    if let Some(people) = &grant.members {
        meet(turn, people, user)?;
    }
    Ok(member)
}

fn about_project(turn: &mut Turn<'_>, grant: &Grant) -> Result<(), DbError> {
    let Some(meta) = turn.state.meta.as_mut() else {
        return Ok(());
    };
    for (key, fresh, known) in [
        ("project_name", &grant.project_name, &mut meta.project_name),
        ("project_created_at", &grant.project_created_at, &mut meta.project_created_at),
    ] {
        if let Some(fresh) = fresh.as_ref().filter(|fresh| known.as_ref() != Some(fresh)) {
            meta::set(turn.db, key, fresh)?;
            *known = Some(fresh.clone());
        }
    }
    Ok(())
}

/// The backend named everyone: those are the project's people now, with these names. Nobody is thrown out by it (a
/// backend may name but a page of them); who is missing just no longer counts as one of the people.
fn meet(turn: &mut Turn<'_>, people: &[MemberInfo], caller: &UserId) -> Result<(), DbError> {
    for info in people {
        let known = turn.state.members.get(turn.db, &info.user)?;
        let before = known.clone();
        let mut member = known.unwrap_or_else(|| Member::new(info.user.clone()));
        member.current = !member.removed && !member.is_banned(turn.now);
        member.role = info.role.unwrap_or(member.role);
        if let Some(profile) = &info.profile {
            member.profile = profile.clone();
            member.named_by = NamedBy::Backend;
        }
        if before.as_ref() != Some(&member) {
            turn.state.roster_changes.note(&info.user);
            turn.state.members.put(turn.db, member)?;
        }
    }
    let named: std::collections::HashSet<_> = people.iter().map(|info| &info.user).collect();
    let roster = turn.state.members.roster(turn.db)?;
    let missing: Vec<_> = roster.iter().filter(|user| !named.contains(user) && *user != caller).cloned().collect();
    for user in missing {
        // Whoever has a yes of their own is told of messages until a no of their own.
        let own = |member: &Member| member.listed || member.admitted_at.is_some();
        if let Some(mut member) = turn.state.members.get(turn.db, &user)?.filter(|member| !own(member)) {
            member.current = false;
            turn.state.members.put(turn.db, member)?;
            turn.state.roster_changes.note(&user);
        }
    }
    Ok(())
}

/// When the Worker may ask about this user, in milliseconds from now; `None`: not this time.
fn slot(turn: &mut Turn<'_>, user: &UserId) -> Option<i64> {
    let (now, slots) = (turn.now, &mut turn.state.recheck);
    slots.pending.retain(|_, until| *until > now);
    if slots.pending.contains_key(user) {
        return None;
    }
    // Spread by who it is and when, for want of randomness in the core.
    let seed = user.as_str().bytes().fold(now.0, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    let at = now.plus(seed.rem_euclid(JITTER_MS)).max(slots.next);
    let wait = at.since(now);
    if wait > RECHECK_WITHIN_MS {
        return None;
    }
    let gap = 1000_i64.div_euclid(turn.state.settings.limits.access_recheck_rate.max(1)).max(1);
    slots.next = at.plus(gap);
    slots.pending.insert(user.clone(), at.plus(RECHECK_WITHIN_MS));
    Some(wait)
}

/// What the backend said when it was asked again.
///
/// # Errors
/// Storage errors.
pub fn verdict(turn: &mut Turn<'_>, user: &UserId, grant: Option<Grant>) -> Outcome {
    turn.state.recheck.pending.remove(user);
    let known = member(turn, user)?;
    match (known, grant) {
        (Some(member), Some(grant)) if !member.removed && !member.is_banned(turn.now) => {
            welcome(turn, user, None, &grant)?;
        }
        (Some(mut member), None) => {
            member.admitted_at = None;
            member.current = member.listed;
            turn.state.members.put(turn.db, member)?;
            turn.state.roster_changes.note(user);
            dismiss(turn, user, CloseCode::NoAccess, |_| true)?;
            contacts::gone(turn, user)?;
        }
        _ => {}
    }
    Ok(Ok(Answer::json(200, &serde_json::json!({}))))
}

/// Closes those of the user's sockets that `which` (given the token's `iat`) picks: from this moment they get nothing.
///
/// # Errors
/// Storage errors.
pub fn dismiss(
    turn: &mut Turn<'_>,
    user: &UserId,
    code: CloseCode,
    which: impl Fn(Option<i64>) -> bool,
) -> Result<(), DbError> {
    for conn in turn.state.sockets.of(user).to_vec() {
        if turn.state.sockets.get(conn).is_some_and(|session| which(session.issued_at())) {
            turn.close(conn, code)?;
        }
    }
    Ok(())
}
