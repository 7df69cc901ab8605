//! The project's people, as v1 clients see them.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::db::DbError;
use crate::features::frames::{Handled, Reply};
use crate::features::{people, presence};
use crate::ids::{Millis, UserId};
use crate::protocol::v1::{Listed, Passing, Status, You, encode};
use crate::room::Turn;
use crate::store::members::Member;

/// Changes of one turn that are told one by one; of more (a backend that names everyone) clients hear with `hello`.
const TOLD_MAX: usize = 200;

/// In a large project, who is among the most recently active is not asked anew for every `hello` of a mass return.
const RANKED_FOR_MS: i64 = 1_000;

/// The most recently active, as of that moment.
#[derive(Default)]
pub struct Recent {
    users: Option<(Millis, Vec<UserId>)>,
}

/// Members in whom a turn has changed something.
#[derive(Default)]
pub struct Changes {
    users: BTreeSet<UserId>,
}

impl Changes {
    pub fn note(&mut self, user: &UserId) {
        if self.users.len() <= TOLD_MAX {
            self.users.insert(user.clone());
        }
    }
}

/// # Errors
/// Storage errors.
pub fn listed(turn: &mut Turn<'_>, user: &UserId) -> Result<Listed, DbError> {
    let member = turn.state.members.get(turn.db, user)?;
    let person = people::person(turn, user)?;
    Ok(Listed {
        person,
        role: member.as_ref().map(|member| member.role).unwrap_or_default(),
        last_read_message_id: turn.state.marks.up_to(user),
        status: presence::status(turn, user),
        last_seen: presence::last_seen(turn, user).map(|at| at.iso()),
        muted_until: muted_until(turn, member.as_ref()),
    })
}

fn muted_until(turn: &Turn<'_>, member: Option<&Member>) -> Option<String> {
    member.and_then(|member| member.muted_until).filter(|until| *until > turn.now).map(|until| until.iso())
}

/// What the reader is here.
///
/// # Errors
/// Storage errors.
pub fn you(turn: &mut Turn<'_>, user: &UserId) -> Result<You, DbError> {
    let member = turn.state.members.get(turn.db, user)?;
    let person = people::person(turn, user)?;
    Ok(You {
        person,
        role: member.as_ref().map(|member| member.role).unwrap_or_default(),
        last_read_message_id: turn.state.marks.up_to(user),
        muted_until: muted_until(turn, member.as_ref()),
        blocked: member.map(|member| member.blocked).unwrap_or_default(),
    })
}

/// The most recently active, at most `ROSTER_MAX`, and how many there are in all. The marks must have been loaded.
///
/// # Errors
/// Storage errors.
pub fn recent(turn: &mut Turn<'_>) -> Result<(Vec<Listed>, usize), DbError> {
    let max = usize::try_from(turn.state.settings.limits.roster_max).unwrap_or(usize::MAX);
    let count = turn.state.members.roster(turn.db)?.len();
    let known = turn.state.recent.users.take().filter(|(at, _)| turn.now.since(*at) < RANKED_FOR_MS && count > max);
    let (at, ranked) = match known {
        Some(known) => known,
        None => (turn.now, rank(turn, max)?),
    };
    let listed: Result<Vec<_>, _> = ranked.iter().map(|user| listed(turn, user)).collect();
    turn.state.recent.users = Some((at, ranked));
    Ok((listed?, count))
}

fn rank(turn: &mut Turn<'_>, max: usize) -> Result<Vec<UserId>, DbError> {
    let users = turn.state.members.roster(turn.db)?.to_vec();
    let active = |user: &UserId| match presence::status(turn, user) {
        Status::Offline => presence::last_seen(turn, user).unwrap_or(Millis(0)),
        _ => Millis::FOREVER,
    };
    let mut ranked: Vec<(std::cmp::Reverse<Millis>, UserId)> =
        users.into_iter().map(|user| (std::cmp::Reverse(active(&user)), user)).collect();
    if ranked.len() > max {
        ranked.select_nth_unstable(max);
        ranked.truncate(max);
    }
    ranked.sort_unstable();
    Ok(ranked.into_iter().map(|(_, user)| user).collect())
}

#[derive(Serialize)]
struct Members {
    r#type: &'static str,
    members: Vec<Listed>,
    /// Ask for the next page with `after` the last of these.
    more: bool,
}

/// A page of all members, in the order of their ids' text.
///
/// # Errors
/// Storage errors.
pub fn frame(turn: &mut Turn<'_>, after: Option<UserId>) -> Handled {
    let max = usize::try_from(turn.state.settings.limits.roster_max).unwrap_or(usize::MAX);
    let mut users = turn.state.members.roster(turn.db)?.to_vec();
    users.retain(|user| after.as_ref().is_none_or(|after| user > after));
    users.sort_unstable();
    let more = users.len() > max;
    users.truncate(max);
    turn.load_marks()?;
    let members: Result<Vec<_>, _> = users.iter().map(|user| listed(turn, user)).collect();
    Ok(Ok(Reply::Event(encode(&Members { r#type: "members", members: members?, more }))))
}

/// The end of a turn: everyone hears of those who are new, changed or gone; they themselves of what they may do now.
///
/// # Errors
/// Storage errors.
pub fn finish(turn: &mut Turn<'_>) -> Result<(), DbError> {
    let changed = std::mem::take(&mut turn.state.roster_changes).users;
    if changed.is_empty() || changed.len() > TOLD_MAX || !turn.state.sockets.any_v1() {
        return Ok(());
    }
    turn.load_marks()?;
    for user in &changed {
        let current = turn.state.members.get(turn.db, user)?.is_some_and(|member| member.current);
        let event = if current {
            Passing::Member { member: &listed(turn, user)? }.encode()
        } else {
            Passing::MemberLeft { user_id: user }.encode()
        };
        turn.publish(event, false);
        let conns = turn.v1_sockets_of(user);
        if !conns.is_empty() {
            let event = Passing::You { you: &you(turn, user)? }.encode();
            conns.into_iter().for_each(|conn| turn.tell(conn, event.clone()));
        }
    }
    Ok(())
}
