//! A project's entry in its members' contacts, and the word to a member's object that theirs is out of date.
//!
//! A member's object keeps the entry it was given; the room tells it once that something changed, and then nothing
//! more until the entry is asked for again. That it was told is stored with its read mark, when that is stored anyway.

use std::collections::BTreeSet;

use crate::db::DbError;
use crate::effect::{Answer, Effect};
use crate::features::access::Entry;
use crate::features::{people, unread};
use crate::ids::UserId;
use crate::protocol::rest::{Contact, ContactCard, ProjectCard};
use crate::room::{Outcome, Turn};
use crate::store::messages;

const TEXT_CHARS: usize = 255;
const PREVIEW_CHARS: usize = 50;
const NO_MESSAGES: &str = "No messages yet";
/// Messages looked at for the one who spoke last, and for what was said last.
const SPEAKER_AMONG: i64 = 1000;
/// A room that opens without sockets and with a message younger than this may have died before it told anybody.
const RETELL_MS: i64 = 60_000;

/// Whose entry a turn has changed.
#[derive(Default)]
pub struct Changed {
    everyone: bool,
    users: BTreeSet<UserId>,
}

impl Changed {
    pub fn everyone(&mut self) {
        self.everyone = true;
    }

    pub fn user(&mut self, user: &UserId) {
        self.users.insert(user.clone());
    }
}

/// After opening: what a crash may have kept from being told is told again.
///
/// # Errors
/// Storage errors.
pub fn resume(turn: &mut Turn<'_>) -> Result<(), DbError> {
    if turn.state.meta.is_none() || !turn.state.sockets.is_empty() {
        return Ok(());
    }
    let newest = messages::before(turn.db, None, 1)?;
    if newest.first().is_some_and(|message| turn.now.since(message.created_at) < RETELL_MS) {
        turn.state.to_tell.everyone();
    }
    Ok(())
}

/// The end of a turn: those whose entry changed, and who have not been told since they last asked, are told.
///
/// # Errors
/// Storage errors.
pub fn finish(turn: &mut Turn<'_>) -> Result<(), DbError> {
    let changed = std::mem::take(&mut turn.state.to_tell);
    if !changed.everyone && changed.users.is_empty() {
        return Ok(());
    }
    turn.load_marks()?;
    let mut users = changed.users;
    if !turn.state.members.roster_stands() {
        turn.state.untold = None; // somebody is new
    }
    if changed.everyone {
        // Only those are looked at who may have to be told: a busy room does not go through its members every turn.
        match turn.state.untold.take() {
            Some(untold) => users.extend(untold),
            None => users.extend(turn.state.members.roster(turn.db)?.iter().cloned()),
        }
        turn.state.untold = Some(BTreeSet::new());
    }
    for user in users {
        if turn.state.marks.tell(&user) {
            let asked = turn.state.asked.remove(&user);
            turn.effects.push(Effect::Tell { user, gone: false, asked });
        }
    }
    Ok(())
}

/// The caller's entry. From now on the room owes them a word of the next change. `watched`: nothing of it is kept, so
/// that no entry can be on its way when that word is given.
///
/// # Errors
/// Storage errors.
pub fn summary(turn: &mut Turn<'_>, entry: &Entry, watched: bool) -> Outcome {
    let user = match entry.caller() {
        Ok(caller) => caller.member.user.clone(),
        Err(refusal) => return Ok(Err(refusal)),
    };
    turn.load_marks()?;
    let meta = turn.ensure_created()?.clone();
    let project = turn.state.settings.project.clone();
    let name = meta.project_name.unwrap_or_else(|| format!("Project {project}"));
    let created_at = meta.project_created_at.unwrap_or_else(|| meta.created_at.iso());
    let last = messages::newest_standing(turn.db, turn.state.head, SPEAKER_AMONG)?;
    let text: String = last.iter().flat_map(|message| message.content.chars()).take(TEXT_CHARS).collect();
    let last_message_at = last.as_ref().map(|message| message.created_at.iso());
    let contact = Contact {
        contact_info: card(turn, &user, &name)?,
        unread_count: unread::of(turn, &user)?.count,
        last_message_preview: match &last {
            Some(_) => text.chars().take(PREVIEW_CHARS).collect(),
            None => NO_MESSAGES.to_owned(),
        },
        last_message_text: text,
        updated_at: last_message_at.clone().unwrap_or_else(|| created_at.clone()),
        last_message_at,
        created_at: created_at.clone(),
        project_info: ProjectCard { id: project.clone(), name, created_at },
        id: project,
    };
    not_told(turn, &user)?;
    if !watched {
        turn.state.asked.insert(user);
    }
    Ok(Ok(Answer::json(200, &contact)))
}

/// The user's object does not know, or knows no longer, that its entry is out of date: it is to hear of the next change.
///
/// # Errors
/// Storage errors.
pub fn not_told(turn: &mut Turn<'_>, user: &UserId) -> Result<(), DbError> {
    turn.load_marks()?;
    if let Some(untold) = turn.state.untold.as_mut() {
        untold.insert(user.clone());
    }
    if turn.state.marks.tell_again(user) { turn.flush_marks() } else { Ok(()) }
}

/// The project is no longer the user's.
///
/// # Errors
/// Storage errors.
pub fn gone(turn: &mut Turn<'_>, user: &UserId) -> Result<(), DbError> {
    turn.effects.push(Effect::Tell { user: user.clone(), gone: true, asked: false });
    not_told(turn, user)
}

/// The other member; in a larger room the one who spoke last; the project itself if there is nobody.
fn card(turn: &mut Turn<'_>, user: &UserId, project_name: &str) -> Result<ContactCard, DbError> {
    let roster = turn.state.members.roster(turn.db)?;
    let mut others = roster.iter().filter(|other| *other != user);
    let (first, second) = (others.next().cloned(), others.next().cloned());
    let shown = match (first, second) {
        (Some(only), None) => Some(only),
        (Some(_), Some(_)) => messages::last_other_speaker(turn.db, user, turn.state.head, SPEAKER_AMONG)?,
        _ => None,
    };
    Ok(match shown {
        Some(other) => ContactCard::Person(people::person(turn, &other)?),
        None => ContactCard::Project {
            id: turn.state.settings.project.clone(),
            username: project_name.to_owned(),
            first_name: String::new(),
            last_name: String::new(),
            profile_pic: None,
        },
    })
}
