//! Who is called by a message.

use crate::db::DbError;
use crate::features::frames::{Handled, Reply, Speaker};
use crate::features::{history, people};
use crate::ids::{Seq, UserId};
use crate::room::Turn;
use crate::store::{mentions, messages};

/// Those of `users` who can be mentioned: members, other than the sender, who have not blocked the sender.
///
/// # Errors
/// Storage errors.
pub fn checked(turn: &mut Turn<'_>, sender: &UserId, users: Vec<UserId>) -> Result<Vec<UserId>, DbError> {
    let mut known: Vec<UserId> = Vec::new();
    for user in users {
        let member = turn.state.members.get(turn.db, &user)?;
        let reachable = member.is_some_and(|member| member.current && !member.blocked.contains(sender));
        if reachable && user != *sender && !known.contains(&user) {
            known.push(user);
        }
    }
    Ok(known)
}

/// The messages that mention the reader, newest first, over the whole project.
///
/// # Errors
/// Storage errors.
pub fn frame(turn: &mut Turn<'_>, speaker: &Speaker, before: Option<Seq>, limit: Option<i64>) -> Handled {
    let reader = &speaker.member.user;
    let limit = history::limit(turn, limit);
    turn.load_marks()?;
    let mut ids = mentions::of(turn.db, reader, before, limit + 1)?;
    let more = history::cut(&mut ids, limit);
    let mut found = messages::several(turn.db, &ids)?;
    found.reverse();
    let more = history::cut_page(turn, &mut found, limit) || more;
    let messages = people::v1_page(turn, &found, reader)?;
    let page = history::Page { kind: "mentions", messages, more_before: Some(more), ..history::Page::default() };
    Ok(Ok(Reply::Event(page.encode())))
}
