//! The log as clients get it: `hello`, what was missed, and then live, without a gap and without a repeat.
//!
//! Whoever joins is given `hello` at their place among the turn's inputs: what came before is in it, what comes after
//! is sent. A client that has more to catch up with than one chunk is *behind*: it pulls chunk after chunk, gets no
//! event of the log in between, and is live from the very place at which it reached the head.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::db::DbError;
use crate::effect::Answer;
use crate::features::access::Entry;
use crate::features::frames::{Handled, Reply, Speaker};
use crate::features::people::{self, Around};
use crate::features::{history, project, roster, typing, unread};
use crate::ids::{ConnId, Millis, Seq, UserId};
use crate::protocol::codes::{CloseCode, ErrorCode, Refusal};
use crate::protocol::frames::Rate;
use crate::protocol::internal::Since;
use crate::protocol::v1::{self, Hello, Logged, Passing, Typist};
use crate::room::{Outcome, Turn};
use crate::store::changes::{self, Change, Kind};
use crate::store::messages::{self, Message};

/// A v1 client confirms with `seen` after so many events of the log.
pub const SEEN_EVERY: i64 = 500;
/// Milliseconds of the window in which clients come back, for each user present, and its bounds.
const WINDOW_PER_USER_MS: i64 = 10;
pub const WINDOW_MS: std::ops::RangeInclusive<i64> = 500..=20_000;

/// Part of the log.
pub struct Chunk {
    pub events: Vec<Box<RawValue>>,
    /// The position that it brings the client to.
    pub last: Seq,
    /// There is more.
    pub more: bool,
}

/// The log after a position: as many events as fit. Each says how things are now.
///
/// # Errors
/// Storage errors.
pub fn chunk(turn: &mut Turn<'_>, after: Seq, reader: &UserId) -> Result<Chunk, DbError> {
    let (head, limits) = (turn.state.head, &turn.state.settings.limits);
    let (limit, bytes_max) = (limits.resume_chunk, usize::try_from(limits.resume_chunk_bytes).unwrap_or(usize::MAX));
    if after >= head {
        return Ok(Chunk { events: Vec::new(), last: after.min(head), more: false });
    }
    turn.load_marks()?;
    // The log is dense: the chunk ends at most here, and nothing is read of what lies beyond.
    let end = Seq(after.0.saturating_add(limit)).min(head);
    let sent = messages::after(turn.db, after, end, limit)?;
    let changed = changes::after(turn.db, after, end, limit)?;
    let mut touched: Vec<Seq> = changed.iter().map(|change| change.message).collect();
    touched.sort_unstable();
    touched.dedup();
    touched.retain(|id| !sent.iter().any(|message| message.id == *id));
    let others = messages::several(turn.db, &touched)?;
    let around = Around::of(turn, &sent)?;
    let now: HashMap<Seq, &Message> = sent.iter().chain(&others).map(|message| (message.id, message)).collect();

    let (mut messages, mut changes) = (sent.iter().peekable(), changed.iter().peekable());
    let (mut events, mut last, mut bytes) = (Vec::new(), after, 0);
    while (events.len() as i64) < limit && bytes < bytes_max {
        let next_change = changes.peek().map(|change| change.seq);
        let event = match messages.next_if(|message| next_change.is_none_or(|seq| message.id < seq)) {
            Some(message) => {
                last = message.id;
                let encode = |shape: v1::Message<'_>| Logged::NewMessage { seq: message.id, message: shape }.encode();
                people::v1_message(turn, message, &around, Some(reader), encode)?
            }
            None => match changes.next() {
                Some(change) => {
                    last = change.seq;
                    changed_event(change, now.get(&change.message).copied())
                }
                None => {
                    // All that there is up to there. (Positions that nobody ever had would not hold a client up.)
                    last = end;
                    break;
                }
            },
        };
        bytes += event.len();
        events.push(v1::raw(event));
    }
    Ok(Chunk { events, last, more: last < head })
}

/// A change as the log tells it; `now`: the message as it is.
fn changed_event(change: &Change, now: Option<&Message>) -> String {
    let (seq, id) = (change.seq, change.message);
    match &change.kind {
        Kind::Edit { .. } => Logged::Updated {
            seq,
            id,
            content: now.map_or("", |message| &message.content),
            mentions: now.map_or(&[], |message| &message.extra.mentions),
            edited_at: change.at.iso(),
        },
        Kind::Delete => Logged::Deleted { seq, id, deleted_by: &change.user, deleted_at: change.at.iso() },
        Kind::Reaction { emoji, on } => {
            let users = now.and_then(|message| message.extra.reactions.iter().find(|(known, _)| known == emoji));
            let count = users.map_or(0, |(_, users)| users.len());
            Logged::Reaction { seq, message_id: id, user_id: &change.user, emoji, on: *on, count }
        }
        Kind::Pin { on } => Logged::Pin { seq, message_id: id, user_id: &change.user, on: *on },
    }
    .encode()
}

/// Why a client cannot go on from where it left off.
fn why_not(turn: &Turn<'_>, since: &Since) -> Option<&'static str> {
    let pruned = turn.state.meta.as_ref().map_or(Seq::ZERO, |meta| meta.pruned);
    if since.epoch.as_ref().is_some_and(|epoch| *epoch != turn.epoch()) {
        Some("epoch")
    } else if since.seq > turn.state.head {
        Some("ahead")
    } else if since.seq < pruned {
        Some("pruned")
    } else {
        None
    }
}

/// What a client is told first.
pub struct Welcome {
    /// JSON texts: `hello`, perhaps after `resync`.
    pub events: Vec<String>,
    /// Up to where it has the log, if there is more to pull.
    pub behind: Option<Seq>,
}

/// `expires_at`: when the reader's token ends, in seconds.
///
/// # Errors
/// Storage errors.
pub fn welcome(
    turn: &mut Turn<'_>,
    user: &UserId,
    since: Option<Since>,
    expires_at: Option<i64>,
) -> Result<Welcome, DbError> {
    turn.load_marks()?;
    let mut events = Vec::new();
    let since = match since {
        Some(since) => match why_not(turn, &since) {
            Some(reason) => {
                events.push(Passing::Resync { reason }.encode());
                None
            }
            None => Some(since.seq),
        },
        None => None,
    };
    let (missed, page) = match since {
        Some(after) => (Some(chunk(turn, after, user)?), None),
        None => {
            let limit = turn.state.settings.limits.v1_page;
            let mut page = messages::before(turn.db, None, limit + 1)?;
            let more = history::cut_page(turn, &mut page, limit);
            page.reverse();
            (None, Some((people::v1_page(turn, &page, user)?, more)))
        }
    };
    let head = turn.state.head;
    let behind = missed.as_ref().filter(|chunk| chunk.more).map(|chunk| chunk.last);
    let typists = typing::now(turn)?;
    let you = roster::you(turn, user)?;
    let (members, members_count) = roster::recent(turn)?;
    let unread = unread::of(turn, user)?;
    let project = project::shape(turn)?;
    let limits = &turn.state.settings.limits;
    let present = turn.state.sockets.users_present();
    let (messages, more_before) = page.unzip();
    let hello = Hello {
        kind: "hello",
        epoch: &turn.epoch(),
        seq: behind.unwrap_or(head),
        head,
        more: behind.is_some(),
        events: missed.map(|chunk| chunk.events),
        messages,
        more_before,
        you,
        project,
        members,
        members_count,
        present,
        typing: typists.iter().map(|(id, username)| Typist { id, username: username.clone() }).collect(),
        unread,
        limits: v1::Limits {
            message_chars: limits.message_max_chars,
            frame_bytes: limits.frame_max_bytes,
            page: limits.v1_page,
            chunk: limits.resume_chunk,
            message_rate: limits.message_rate,
            message_burst: limits.message_burst,
            seen_every: SEEN_EVERY,
        },
        expires_at: expires_at.map(|seconds| Millis(seconds.saturating_mul(1000)).iso()),
        reconnect_window_ms: (present as i64)
            .saturating_mul(WINDOW_PER_USER_MS)
            .clamp(*WINDOW_MS.start(), *WINDOW_MS.end()),
    };
    events.push(v1::encode(&hello));
    Ok(Welcome { events, behind })
}

#[derive(Serialize)]
struct Resumed<'a> {
    r#type: &'static str,
    epoch: &'a str,
    events: Vec<Box<RawValue>>,
    seq: Seq,
    head: Seq,
    more: bool,
}

fn resumed(turn: &Turn<'_>, chunk: Chunk) -> String {
    let Chunk { events, last: seq, more } = chunk;
    v1::encode(&Resumed { r#type: "resume", epoch: &turn.epoch(), events, seq, head: turn.state.head, more })
}

/// The next chunk. From a client that is behind, or one that sees a hole; with it the client reaches the head, or is
/// behind from here on.
///
/// # Errors
/// Storage errors.
pub fn frame(turn: &mut Turn<'_>, speaker: &Speaker, after: Seq) -> Handled {
    let user = &speaker.member.user;
    let since = Since { seq: after, epoch: None };
    // The next chunk of what a client is behind costs nothing but the chunk; anything else is a page like others.
    let pulls = speaker.conn.and_then(|conn| turn.state.sockets.v1(conn)).is_some_and(|v1| v1.behind == Some(after));
    if !pulls && let Err(wait) = turn.state.rates.take(user, Rate::Query, turn.now, &turn.state.settings.limits) {
        return Ok(Err(Refusal::from(ErrorCode::RateLimited).after(wait)));
    }
    let (events, behind) = if why_not(turn, &since).is_some() {
        let expires_at = speaker.conn.and_then(|conn| turn.state.sockets.v1(conn)).map(|session| session.expires_at);
        let welcome = welcome(turn, user, Some(since), expires_at)?;
        (welcome.events, welcome.behind)
    } else {
        let chunk = chunk(turn, after, user)?;
        let behind = chunk.more.then_some(chunk.last);
        (vec![resumed(turn, chunk)], behind)
    };
    if let Some(conn) = speaker.conn {
        turn.set_behind(conn, behind);
    }
    let mut events = events;
    let Some(conn) = speaker.conn else { return Ok(Ok(Reply::Event(events.join(",")))) };
    let last = events.pop().unwrap_or_default();
    events.into_iter().for_each(|event| turn.tell(conn, event));
    Ok(Ok(Reply::Event(last)))
}

/// The log by HTTP: what a socket that resumes would get, without what concerns the moment only.
///
/// # Errors
/// Storage errors.
pub fn call(turn: &mut Turn<'_>, entry: &Entry, since: Option<Since>) -> Outcome {
    let user = match entry.caller() {
        Ok(caller) => caller.member.user.clone(),
        Err(refusal) => return Ok(Err(refusal)),
    };
    if turn.state.rates.take(&user, Rate::Frame, turn.now, &turn.state.settings.limits).is_err() {
        return Ok(Err(Refusal::from(ErrorCode::RateLimited).after(1000)));
    }
    let events = match since {
        Some(since) if why_not(turn, &since).is_none() => {
            let chunk = chunk(turn, since.seq, &user)?;
            vec![resumed(turn, chunk)]
        }
        since => welcome(turn, &user, since, None)?.events,
    };
    Ok(Ok(Answer { body: format!("[{}]", events.join(",")), ..Answer::json(200, &()) }))
}

/// How far v1 clients have confirmed; in memory only: after a hibernation each counts as up to date.
#[derive(Default)]
pub struct Confirmed {
    seen: HashMap<ConnId, Seq>,
    /// Sockets were last looked at when the head was here.
    checked_at: Seq,
}

/// # Errors
/// None.
pub fn seen(turn: &mut Turn<'_>, speaker: &Speaker, seq: Seq) -> Handled {
    if let Some(conn) = speaker.conn {
        let seen = turn.state.confirmed.seen.entry(conn).or_default();
        *seen = seq.min(turn.state.head).max(*seen);
    }
    Ok(Ok(Reply::Done))
}

pub fn forget(turn: &mut Turn<'_>, conn: ConnId) {
    turn.state.confirmed.seen.remove(&conn);
}

/// The end of a turn: now and then, clients that have been sent much more than they confirm are closed.
///
/// # Errors
/// Storage errors.
pub fn finish(turn: &mut Turn<'_>) -> Result<(), DbError> {
    let head = turn.state.head;
    if head.0.saturating_sub(turn.state.confirmed.checked_at.0) < SEEN_EVERY {
        return Ok(());
    }
    turn.state.confirmed.checked_at = head;
    let live = turn.state.sockets.live();
    let max = turn.state.settings.limits.seen_lag_max;
    let mut slow = Vec::new();
    for conn in live.iter() {
        // Whoever is here for the first time has seen what there is.
        let seen = *turn.state.confirmed.seen.entry(*conn).or_insert(head);
        if head.0.saturating_sub(seen.0) > max {
            slow.push(*conn);
        }
    }
    for conn in slow {
        turn.close(conn, CloseCode::TooSlow)?;
    }
    Ok(())
}
