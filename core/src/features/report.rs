//! Telling the moderators of a message.

use serde::Serialize;

use crate::features::frames::{Handled, Reply, Speaker};
use crate::features::history;
use crate::ids::{Seq, UserId};
use crate::protocol::codes::ErrorCode;
use crate::protocol::internal::Role;
use crate::protocol::v1::{Passing, ReportEntry, encode};
use crate::room::Turn;
use crate::store::messages;
use crate::store::moderation::{self, Deed, Report};

pub const REASON_MAX_CHARS: usize = 1000;

/// 1 row. Moderators who are here hear of it at once; a second report of the same message by the same user changes
/// nothing.
///
/// # Errors
/// Storage errors.
pub fn frame(turn: &mut Turn<'_>, speaker: &Speaker, id: Seq, reason: String) -> Handled {
    if reason.chars().count() > REASON_MAX_CHARS || reason.contains('\0') {
        let what = format!("reason is text of at most {REASON_MAX_CHARS} characters");
        return Ok(Err(ErrorCode::InvalidField.because(&what)));
    }
    if messages::get(turn.db, id)?.is_none() {
        return Ok(Err(ErrorCode::NoSuchMessage.into()));
    }
    let reporter = speaker.member.user.clone();
    let report = Report { message: id, reporter, reason, at: turn.now, resolved_by: None };
    if moderation::report(turn.db, &report)? {
        let event = Passing::Report { report: entry(report) }.encode();
        let present: Vec<UserId> = turn.state.sockets.present().cloned().collect();
        for user in present {
            let member = turn.state.members.get(turn.db, &user)?;
            if member.is_some_and(|member| member.role >= Role::Moderator) {
                turn.v1_sockets_of(&user).into_iter().for_each(|conn| turn.tell(conn, event.clone()));
            }
        }
    }
    Ok(Ok(Reply::Done))
}

fn entry(report: Report) -> ReportEntry {
    ReportEntry {
        message_id: report.message,
        reporter: report.reporter,
        reason: report.reason,
        created_at: report.at.iso(),
        resolved_by: report.resolved_by,
    }
}

#[derive(Serialize)]
struct Reports {
    r#type: &'static str,
    reports: Vec<ReportEntry>,
    more_before: bool,
}

/// Reports, those of the newest messages first.
///
/// # Errors
/// Storage errors.
pub fn list(turn: &mut Turn<'_>, before: Option<Seq>) -> Handled {
    let limit = history::limit(turn, None);
    let mut found = moderation::reports(turn.db, before, limit + 1)?;
    let next = found.last().map(|report| report.message).filter(|_| found.len() as i64 > limit);
    let more_before = history::cut(&mut found, limit);
    // A page ends between two messages, so that the next one begins with all that was said of its first.
    if let Some(next) = next
        && found.first().is_some_and(|report| report.message != next)
    {
        found.retain(|report| report.message != next);
    }
    let reports = found.into_iter().map(entry).collect();
    Ok(Ok(Reply::Event(encode(&Reports { r#type: "reports", reports, more_before }))))
}

/// The reports of a message are dealt with.
///
/// # Errors
/// Storage errors.
pub fn resolve(turn: &mut Turn<'_>, speaker: &Speaker, id: Seq) -> Handled {
    let by = &speaker.member.user;
    if moderation::resolve(turn.db, id, by)? {
        let deed = Deed { actor: Some(by), action: "resolve", message: Some(id), ..Deed::default() };
        moderation::note(turn.db, turn.now, deed)?;
    }
    Ok(Ok(Reply::Done))
}
