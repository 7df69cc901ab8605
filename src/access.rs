//! The gate that every call of a user's passes, socket and HTTP alike.
//!
//! A room keeps the backend's yes, so the gate first calls it with what is known for nothing. Only when the room
//! answers that it holds no yes ([`ASK_STATUS`](chat_core::protocol::internal::ASK_STATUS)) is the backend asked, and
//! the room called once more.

mod recheck;

use chat_core::ids::{Millis, ProjectId};
use chat_core::protocol::codes::{ErrorCode, Refusal};
use chat_core::protocol::internal::{Admission, Grant, Identity, RoomCall, RoomRequest};
use futures_util::future::join3;

use crate::app::App;
use crate::auth::Visitor;
use crate::config::Access;
use crate::rooms::{self, RoomAnswer};
use crate::{backend, clock, users};

pub async fn enter(app: &App, visitor: &Visitor, project: &ProjectId, call: RoomCall) -> Result<RoomAnswer, Refusal> {
    let admission = first_admission(&app.chat.access, visitor, project)?;
    enter_with(app, visitor, project, call, admission).await
}

/// As [`enter`], with an admission that the caller knows already.
pub async fn enter_with(
    app: &App,
    visitor: &Visitor,
    project: &ProjectId,
    call: RoomCall,
    admission: Admission,
) -> Result<RoomAnswer, Refusal> {
    let identity: Option<Identity> = Some(visitor.identity.clone());
    let mut request = RoomRequest { project: project.clone(), identity, admission, call };
    let mut answer = rooms::call(&app.env, &request).await?;
    if answer.asks() {
        request.admission = full_admission(app, visitor, project, request.admission).await?;
        answer = rooms::call(&app.env, &request).await?;
    }
    if answer.asks() {
        worker::console_error!("a room asked again for what it had been told");
        return Err(ErrorCode::Internal.into());
    }
    if let Some(delay_ms) = answer.recheck_ms {
        recheck::later(app, visitor, project, delay_ms);
    }
    Ok(answer)
}

/// What is known without asking anybody.
fn first_admission(access: &Access, visitor: &Visitor, project: &ProjectId) -> Result<Admission, Refusal> {
    let granted = match access {
        Access::Origin(_) => return Ok(Admission::Unknown),
        Access::Members => return Ok(Admission::List { revoked_before: None }),
        Access::Any => Grant::default(),
        Access::Claims => {
            let claim = visitor.projects.iter().find(|(id, _)| id == project);
            let (_, role) = claim.ok_or(ErrorCode::NoAccess)?;
            Grant { role: *role, ..Grant::default() }
        }
    };
    // An expired token admits nobody anew: the room's kept yes must do.
    Ok(if visitor.identity.expired { Admission::Unknown } else { Admission::Granted(granted) })
}

/// Everything that a room wants to know at a first entry.
pub async fn full_admission(
    app: &App,
    visitor: &Visitor,
    project: &ProjectId,
    admission: Admission,
) -> Result<Admission, Refusal> {
    if visitor.identity.expired {
        return Err(ErrorCode::TokenExpired.into());
    }
    let listed = matches!(admission, Admission::List { .. });
    let grant = async {
        match (admission, &app.chat.access) {
            (Admission::Granted(grant), _) => Ok(grant),
            (Admission::List { .. }, _) => Ok(Grant::default()),
            (_, Access::Origin(url)) => {
                let grant = backend::access::ask(&app.chat, url, visitor, project).await.into_grant();
                grant.map_err(|refusal| or_expired(refusal, &visitor.identity, clock::now()))
            }
            _ => Err(ErrorCode::NoAccess.into()),
        }
    };
    let profile = backend::profile::ask(&app.chat, visitor, project);
    let revocation = users::revoked_before(&app.env, &visitor.identity.user);
    let (grant, profile, revocation) = join3(grant, profile, revocation).await;
    let grant = grant?;
    // 0 says: asked, and never revoked.
    let revoked_before = Some(revocation?.unwrap_or(0));
    Ok(if listed {
        Admission::List { revoked_before }
    } else {
        Admission::Granted(Grant { profile: profile.or(grant.profile), revoked_before, ..grant })
    })
}

/// A backend that refuses a token whose time is over (on the way there, or within the leeway here) says no more than
/// that: its holder gets a new one and comes back.
fn or_expired(refusal: Refusal, identity: &Identity, now: Millis) -> Refusal {
    if refusal.code == ErrorCode::TokenRefused && identity.expires_at <= now.seconds() {
        ErrorCode::TokenExpired.into()
    } else {
        refusal
    }
}

#[cfg(test)]
mod tests {
    use chat_core::ids::UserId;
    use chat_core::protocol::internal::Role;

    use super::*;
    use crate::secret::Secret;

    fn visitor(expired: bool) -> Visitor {
        let user = UserId::parse("7").unwrap();
        Visitor {
            identity: Identity { user, username: None, issued_at: None, expires_at: 0, expired },
            projects: vec![(ProjectId::parse("1").unwrap(), Some(Role::Viewer))],
            token: Secret::new(""),
        }
    }

    #[test]
    fn a_claim_decides_at_once_and_an_expired_one_does_not_admit_anew() {
        let admission = |id: &str, expired: bool| {
            first_admission(&Access::Claims, &visitor(expired), &ProjectId::parse(id).unwrap())
        };
        let granted = Admission::Granted(Grant { role: Some(Role::Viewer), ..Grant::default() });
        assert_eq!(admission("1", false), Ok(granted));
        assert_eq!(admission("1", true), Ok(Admission::Unknown));
        assert_eq!(admission("2", false).unwrap_err().code, ErrorCode::NoAccess);
        assert_eq!(admission("2", true).unwrap_err().code, ErrorCode::NoAccess);
    }

    #[test]
    fn a_token_that_the_backend_refuses_is_a_bad_one_until_its_time_is_over() {
        let identity = Identity { expires_at: 10, ..visitor(false).identity };
        let told = |code: ErrorCode, seconds: i64| or_expired(code.into(), &identity, Millis(seconds * 1000)).code;
        assert_eq!(told(ErrorCode::TokenRefused, 9), ErrorCode::TokenRefused);
        assert_eq!(told(ErrorCode::TokenRefused, 10), ErrorCode::TokenExpired);
        assert_eq!(told(ErrorCode::NoAccess, 10), ErrorCode::NoAccess);
    }
}
