//! Pinned messages.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::db::DbError;
use crate::features::frames::{Handled, Reply, Speaker};
use crate::features::people;
use crate::ids::{Seq, UserId};
use crate::protocol::codes::ErrorCode;
use crate::protocol::v1::{Logged, encode};
use crate::room::Turn;
use crate::store::changes::{self, Change, Kind};
use crate::store::messages;

/// 2 rows: the pin's and the log's. A repeat costs none.
///
/// # Errors
/// Storage errors.
pub fn frame(turn: &mut Turn<'_>, speaker: &Speaker, id: Seq, on: bool) -> Handled {
    let Some(message) = messages::get(turn.db, id)? else { return Ok(Err(ErrorCode::NoSuchMessage.into())) };
    if message.is_deleted() && on {
        return Ok(Err(ErrorCode::MessageDeleted.into()));
    }
    let pins = turn.state.pins.all(turn.db)?;
    if on && !pins.contains(&id) && pins.len() as i64 >= turn.state.settings.limits.pins_max {
        return Ok(Err(ErrorCode::TooManyPins.into()));
    }
    set(turn, &speaker.member.user, id, on)?;
    Ok(Ok(Reply::Done))
}

/// A deleted message is pinned no longer.
///
/// # Errors
/// Storage errors.
pub fn deleted(turn: &mut Turn<'_>, user: &UserId, id: Seq) -> Result<(), DbError> {
    set(turn, user, id, false)
}

fn set(turn: &mut Turn<'_>, user: &UserId, id: Seq, on: bool) -> Result<(), DbError> {
    let seq = turn.state.head.next();
    if !turn.state.pins.set(turn.db, id, on, user, seq)? {
        return Ok(());
    }
    changes::insert(turn.db, &Change { seq, message: id, user: user.clone(), at: turn.now, kind: Kind::Pin { on } })?;
    turn.state.head = seq;
    turn.publish(Logged::Pin { seq, message_id: id, user_id: user, on }.encode(), true);
    Ok(())
}

#[derive(Serialize)]
struct Pinned {
    r#type: &'static str,
    messages: Vec<Box<RawValue>>,
}

/// All of them, in the order in which they were sent.
///
/// # Errors
/// Storage errors.
pub fn list(turn: &mut Turn<'_>, speaker: &Speaker) -> Handled {
    let ids = turn.state.pins.all(turn.db)?.to_vec();
    turn.load_marks()?;
    let found = messages::several(turn.db, &ids)?;
    let messages = people::v1_page(turn, &found, &speaker.member.user)?;
    Ok(Ok(Reply::Event(encode(&Pinned { r#type: "pins", messages }))))
}
