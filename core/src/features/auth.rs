//! A fresh token on a live socket. The core checks no signatures: it asks its driver to, and hears the outcome later.

use std::collections::{HashMap, VecDeque};

use crate::db::DbError;
use crate::effect::Effect;
use crate::features::access;
use crate::features::frames::{Handled, Reply, Speaker};
use crate::ids::{ConnId, Millis};
use crate::protocol::codes::{CloseCode, ErrorCode, Refusal};
use crate::protocol::frames::Tags;
use crate::protocol::internal::Identity;
use crate::protocol::v1::{self, Passing};
use crate::room::Turn;

/// The `ref`s of tokens that are being looked at, in the order in which they were given. In memory only: a room that is
/// opened anew in between answers without.
#[derive(Default)]
pub struct Pending {
    references: HashMap<ConnId, VecDeque<Option<String>>>,
}

/// # Errors
/// None.
pub fn frame(turn: &mut Turn<'_>, speaker: &Speaker, token: String, reference: Option<String>) -> Handled {
    let Some(conn) = speaker.conn else {
        return Ok(Err(ErrorCode::InvalidField.because("auth is for sockets")));
    };
    turn.state.renewals.references.entry(conn).or_default().push_back(reference);
    turn.effects.push(Effect::Verify { conn, token });
    Ok(Ok(Reply::Answered))
}

pub fn forget(turn: &mut Turn<'_>, conn: ConnId) {
    turn.state.renewals.references.remove(&conn);
}

/// What the token is. A bad one changes nothing: the socket lives as long as the token that it has.
///
/// # Errors
/// Storage errors.
pub fn verified(turn: &mut Turn<'_>, conn: ConnId, outcome: Result<Identity, Refusal>) -> Result<(), DbError> {
    let reference = turn.state.renewals.references.get_mut(&conn).and_then(VecDeque::pop_front).flatten();
    let Some(session) = turn.state.sockets.v1(conn) else { return Ok(()) };
    let user = session.base.user.clone();
    let tags = Tags { reference, ..Tags::default() };
    let refuse = |turn: &mut Turn<'_>, refusal: &Refusal| turn.send_error(conn, refusal, &tags);
    let identity = match outcome {
        Ok(identity) if identity.user != user => {
            refuse(turn, &ErrorCode::TokenOtherUser.into());
            return Ok(());
        }
        Ok(identity) if identity.expired => {
            refuse(turn, &ErrorCode::TokenExpired.into());
            return Ok(());
        }
        Ok(identity) => identity,
        Err(refusal) if refusal.code == ErrorCode::NoAccess => {
            // The token is good, and not for this project.
            return turn.close(conn, CloseCode::NoAccess);
        }
        Err(refusal) => {
            refuse(turn, &refusal);
            return Ok(());
        }
    };
    let Some(member) = turn.state.members.get(turn.db, &user)? else { return Ok(()) };
    if member.revoked_before.is_some_and(|before| access::is_revoked(identity.issued_at, before)) {
        return turn.close(conn, CloseCode::Removed);
    }
    let session_ms = turn.state.settings.limits.session_max_s.saturating_mul(1000);
    if member.admitted_at.is_none_or(|at| turn.now.since(at) > session_ms) {
        // The yes is too old: at the door, the backend is asked anew.
        return turn.close(conn, CloseCode::Restarting);
    }
    if let Some(session) = turn.state.sockets.get_mut(conn) {
        session.renew(identity.issued_at, identity.expires_at);
    }
    turn.attach(conn);
    let expires_at = Millis(identity.expires_at.saturating_mul(1000));
    turn.state.expiry.note(expires_at);
    let event = Passing::AuthOk { expires_at: expires_at.iso() }.encode();
    turn.tell(conn, v1::answer(event, tags.reference.as_deref()));
    Ok(())
}

/// The earliest moment at which a v1 socket may end with its token; it is looked for in each turn, without a timer.
#[derive(Default)]
pub struct Expiry {
    next: Option<Millis>,
}

impl Expiry {
    pub fn note(&mut self, at: Millis) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }
}

/// After opening.
pub fn resume(turn: &mut Turn<'_>) {
    let ends: Vec<_> = turn.state.sockets.iter().filter_map(|(_, session)| session.expires_at()).collect();
    ends.into_iter().for_each(|seconds| turn.state.expiry.note(Millis(seconds.saturating_mul(1000))));
}

/// The begin of a turn: sockets whose token has ended get nothing of it.
///
/// # Errors
/// Storage errors.
pub fn expire(turn: &mut Turn<'_>) -> Result<(), DbError> {
    if turn.state.expiry.next.is_none_or(|next| next > turn.now) {
        return Ok(());
    }
    turn.state.expiry.next = None;
    let now = turn.now;
    let (mut over, mut rest) = (Vec::new(), Vec::new());
    for (conn, session) in turn.state.sockets.iter() {
        if let Some(at) = session.expires_at().map(|seconds| Millis(seconds.saturating_mul(1000))) {
            if at <= now { over.push(conn) } else { rest.push(at) }
        }
    }
    rest.into_iter().for_each(|at| turn.state.expiry.note(at));
    for conn in over {
        turn.close(conn, CloseCode::TokenExpired)?;
    }
    Ok(())
}
