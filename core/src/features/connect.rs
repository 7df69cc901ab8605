//! Sockets come and go.

use crate::db::DbError;
use crate::effect::{Answer, Effect};
use crate::features::{access, auth, presence, read, replay, resume, typing};
use crate::ids::{ConnId, Millis, Ticket};
use crate::protocol::codes::{CloseCode, ErrorCode, Refusal};
use crate::protocol::internal::{Dialect, RoomCall, RoomRequest};
use crate::room::{Outcome, Turn};
use crate::session::{Base, Classic, Session, V1};

/// How long a socket that finds the project full is asked to wait, in milliseconds.
const FULL_RETRY_MS: i64 = 10_000;

/// Lets a socket in, or answers the upgrade with a refusal: a classic client must be refused before it is accepted,
/// or it would come back every second for ever.
///
/// # Errors
/// Storage errors.
pub fn join(turn: &mut Turn<'_>, ticket: Ticket, conn: ConnId, request: &RoomRequest) -> Result<(), DbError> {
    let entry = match access::enter(turn, request)? {
        Ok(entry) => entry,
        Err(answer) => {
            turn.effects.push(Effect::Answer { ticket, answer });
            return Ok(());
        }
    };
    let limits = turn.state.settings.limits.clone();
    let refused = match &entry.caller {
        None => Some(Refusal::from(ErrorCode::TokenMissing)),
        Some(_) if turn.state.sockets.len() as i64 >= limits.sockets_per_project => {
            Some(Refusal::from(ErrorCode::TooManyConnections).after(FULL_RETRY_MS))
        }
        Some(_) => None,
    };
    let (Some(caller), None) = (&entry.caller, &refused) else {
        let refusal = refused.unwrap_or_else(|| ErrorCode::Internal.into());
        turn.effects.push(Effect::Answer { ticket, answer: refusal.into() });
        return Ok(());
    };
    let user = caller.member.user.clone();
    turn.load_marks()?;
    if limits.sockets_per_user > 0 {
        // The newest wins: a client that leaks sockets must not lock its user out.
        while turn.state.sockets.of(&user).len() as i64 >= limits.sockets_per_user {
            let Some(oldest) = turn.state.sockets.of(&user).first().copied() else {
                break;
            };
            turn.close(oldest, CloseCode::Replaced)?;
        }
    }
    let before = presence::status(turn, &user);
    let base = Base {
        user: user.clone(),
        joined_at: turn.now,
        issued_at: caller.identity.issued_at,
        mark: turn.state.marks.get(&user).cloned().unwrap_or_default(),
    };
    let (expires_at, accept) =
        (caller.identity.expires_at, Effect::Accept { ticket, conn, recheck_ms: entry.recheck_ms });
    match &request.call {
        RoomCall::Connect { dialect: Dialect::V1, since } => {
            turn.state.sockets.insert(conn, Session::V1(V1 { base, expires_at, behind: None, away: false }));
            turn.state.expiry.note(Millis(expires_at.saturating_mul(1000)));
            turn.effects.push(accept);
            let welcome = resume::welcome(turn, &user, since.clone(), Some(expires_at))?;
            turn.fanout.joined(conn, welcome.behind.is_none());
            if let Some(session) = turn.state.sockets.v1_mut(conn) {
                session.behind = welcome.behind;
            }
            welcome.events.into_iter().for_each(|event| turn.tell(conn, event));
        }
        _ => {
            turn.state.sockets.insert(conn, Session::Classic(Classic { base, seen: None, replay: None }));
            turn.effects.push(accept);
            replay::joined(turn, conn);
        }
    }
    presence::changed(turn, &user, before);
    turn.attach(conn);
    Ok(())
}

/// A socket has gone.
///
/// # Errors
/// Storage errors.
pub fn leave(turn: &mut Turn<'_>, conn: ConnId) -> Result<(), DbError> {
    // The mark may be known to this socket's attachment only.
    turn.load_marks()?;
    let Some(user) = turn.state.sockets.get(conn).map(|session| session.user().clone()) else {
        return Ok(());
    };
    let before = presence::status(turn, &user);
    turn.state.sockets.remove(conn);
    presence::forget(turn, conn);
    auth::forget(turn, conn);
    resume::forget(turn, conn);
    replay::left(turn, conn, &user);
    if turn.state.sockets.of(&user).is_empty() {
        turn.state.marks.left(&user, turn.now);
        typing::left(turn, &user)?;
        read::left(turn, &user)?;
    }
    presence::changed(turn, &user, before);
    Ok(())
}

/// A call to the socket's address that is no upgrade never comes this far.
///
/// # Errors
/// None.
pub fn not_a_socket() -> Outcome {
    Ok(Err::<Answer, _>(ErrorCode::UpgradeRequired.into()))
}
