//! The inbox: sockets of one user that hear of every change in any of their projects.
//!
//! Rooms tell the user's object only that an entry is out of date, once until it is asked for again. While an inbox is
//! open, the object asks at once, with a short delay in which more words come: so a busy project costs a question now
//! and then, not one per message, and nothing is written for it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Settings, entry, projects};
use crate::db::{Db, DbError};
use crate::effect::{Answer, Effect, Effects};
use crate::features::access::is_revoked;
use crate::features::rates::Rates;
use crate::ids::{ConnId, Millis, ProjectId, Ticket};
use crate::protocol::codes::{CloseCode, ErrorCode, Refusal};
use crate::protocol::frames::{Rate, Tags};
use crate::protocol::internal::{Admission, Identity, InboxRequest, KnownProject, RoomCall, RoomRequest, UserCall};
use crate::protocol::v1::{self, Passing};

/// Milliseconds in which further words about a project share a question.
const ASK_DELAY_MS: i64 = 300;
/// Milliseconds after which a room that did not answer is asked again, and how often in all.
const RETRY_MS: i64 = 2_000;
const TRIES: u32 = 5;
/// Rooms asked at a time: the platform lets six requests wait.
const AT_ONCE: usize = 6;

/// A socket's state, which is also its attachment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub joined_at: Millis,
    /// The token's `iat`, in seconds.
    #[serde(default)]
    pub issued_at: Option<i64>,
    /// Seconds since the epoch.
    pub expires_at: i64,
    /// With `ACCESS=claims`: the projects that the token names. `None`: all that are known.
    #[serde(default)]
    pub only: Option<Vec<ProjectId>>,
}

pub struct Inbox {
    settings: Settings,
    sockets: BTreeMap<ConnId, Session>,
    /// Projects to be asked about, and how often that has failed.
    stale: BTreeMap<ProjectId, u32>,
    /// Those that are being asked; said to be out of date meanwhile: they are asked once more.
    asking: BTreeSet<ProjectId>,
    wake_at: Option<Millis>,
    rates: Rates,
    /// The `ref`s of tokens that are being looked at, in the order in which they were given.
    renewals: BTreeMap<ConnId, VecDeque<Option<String>>>,
}

impl Inbox {
    pub fn open(settings: Settings, sockets: impl IntoIterator<Item = (ConnId, Session)>) -> Self {
        let sockets = sockets.into_iter().collect();
        Inbox {
            settings,
            sockets,
            stale: BTreeMap::new(),
            asking: BTreeSet::new(),
            wake_at: None,
            rates: Rates::default(),
            renewals: BTreeMap::new(),
        }
    }

    /// A socket joins: it gets every entry that there is, and the others as soon as their rooms have answered.
    ///
    /// # Errors
    /// Storage errors.
    pub fn join(
        &mut self,
        now: Millis,
        ticket: Ticket,
        conn: ConnId,
        request: InboxRequest,
        db: &mut dyn Db,
        effects: &mut Effects,
    ) -> Result<(), DbError> {
        let InboxRequest { identity, only } = request;
        if revoked_before(db)?.is_some_and(|before| is_revoked(identity.issued_at, before)) {
            effects.push(Effect::Answer { ticket, answer: Answer::from(Refusal::from(ErrorCode::Revoked)) });
            return Ok(());
        }
        let most = usize::try_from(self.settings.limits.sockets_per_user).unwrap_or(usize::MAX);
        while most > 0 && self.sockets.len() >= most {
            let oldest = self.sockets.iter().min_by_key(|(conn, session)| (session.joined_at, **conn));
            let Some(oldest) = oldest.map(|(conn, _)| *conn) else { break };
            self.close(oldest, CloseCode::Replaced, effects);
        }
        let (issued_at, expires_at) = (identity.issued_at, identity.expires_at);
        let session = Session { joined_at: now, issued_at, expires_at, only };
        effects.push(Effect::Accept { ticket, conn, recheck_ms: None });
        let known: Vec<KnownProject> = known(db)?.into_iter().filter(|known| shows(&session, &known.project)).collect();
        for project in known.iter().filter(|known| known.summary.is_none()) {
            self.stale.entry(project.project.clone()).or_default();
        }
        let entries: Vec<Value> = entry::sorted(known, &[]).iter().map(entry::inbox_entry).collect();
        let hello = json!({ "type": "hello", "you": { "id": self.settings.user }, "projects": entries });
        self.sockets.insert(conn, session);
        self.attach(conn, effects);
        self.send(&[conn], &hello.to_string(), effects);
        self.ask_soon(now, effects);
        Ok(())
    }

    pub fn leave(&mut self, conn: ConnId) {
        self.sockets.remove(&conn);
        self.renewals.remove(&conn);
        if self.sockets.is_empty() {
            self.stale.clear();
        }
    }

    /// A call has been answered that may concern those who listen.
    pub fn called(&mut self, now: Millis, call: &UserCall, effects: &mut Effects) {
        match call {
            UserCall::Tell { project, gone: true, .. } => self.gone(project, effects),
            UserCall::Tell { project, gone: false, .. } if !self.sockets.is_empty() => {
                self.stale.entry(project.clone()).or_default();
                self.ask_soon(now, effects);
            }
            UserCall::Learn { gone, .. } => gone.iter().for_each(|project| self.gone(project, effects)),
            UserCall::Revoke { before } => {
                let over = self.which(|session| is_revoked(session.issued_at, *before));
                over.into_iter().for_each(|conn| self.close(conn, CloseCode::Removed, effects));
            }
            _ => {}
        }
    }

    fn gone(&mut self, project: &ProjectId, effects: &mut Effects) {
        self.stale.remove(project);
        let event = json!({ "type": "inbox.left", "project_id": project }).to_string();
        let conns = self.which(|session| shows(session, project));
        self.send(&conns, &event, effects);
    }

    /// The only frame that an inbox takes is `auth`; the runtime answers `ping`.
    pub fn frame(&mut self, now: Millis, conn: ConnId, text: &str, effects: &mut Effects) {
        if !self.sockets.contains_key(&conn) {
            return;
        }
        if self.rates.take(&self.settings.user, Rate::Change, now, &self.settings.limits).is_err() {
            self.close(conn, CloseCode::TooMany, effects);
            return;
        }
        let frame: Value = serde_json::from_str(text).unwrap_or_default();
        let field = |name: &str| frame.get(name).and_then(Value::as_str);
        let refusal = match (field("type"), field("token")) {
            (Some("auth"), Some(token)) => {
                let reference = field("ref").filter(|text| text.len() <= 64).map(str::to_owned);
                self.renewals.entry(conn).or_default().push_back(reference);
                effects.push(Effect::Verify { conn, token: token.to_owned() });
                return;
            }
            (Some("auth"), None) => ErrorCode::InvalidField.because("token is a string"),
            (Some(_), _) => ErrorCode::UnknownType.because("an inbox takes auth"),
            (None, _) => ErrorCode::InvalidJson.because("a frame is one JSON object with a type"),
        };
        let reference = field("ref").filter(|text| text.len() <= 64).map(str::to_owned);
        let tags = Tags { reference, ..Tags::default() };
        self.send(&[conn], &v1::error(&refusal, &tags), effects);
    }

    /// # Errors
    /// Storage errors.
    pub fn verified(
        &mut self,
        conn: ConnId,
        outcome: Result<Identity, Refusal>,
        db: &mut dyn Db,
        effects: &mut Effects,
    ) -> Result<(), DbError> {
        let reference = self.renewals.get_mut(&conn).and_then(VecDeque::pop_front).flatten();
        let refusal = match outcome {
            Ok(identity) if identity.user != self.settings.user => ErrorCode::TokenOtherUser.into(),
            Ok(identity) if identity.expired => ErrorCode::TokenExpired.into(),
            Ok(identity) if revoked_before(db)?.is_some_and(|before| is_revoked(identity.issued_at, before)) => {
                self.close(conn, CloseCode::Removed, effects);
                return Ok(());
            }
            Ok(identity) => {
                let Some(session) = self.sockets.get_mut(&conn) else { return Ok(()) };
                (session.issued_at, session.expires_at) = (identity.issued_at, identity.expires_at);
                self.attach(conn, effects);
                let expires_at = Millis(identity.expires_at.saturating_mul(1000)).iso();
                let event = v1::answer(Passing::AuthOk { expires_at }.encode(), reference.as_deref());
                self.send(&[conn], &event, effects);
                return Ok(());
            }
            Err(refusal) => refusal,
        };
        let tags = Tags { reference, ..Tags::default() };
        self.send(&[conn], &v1::error(&refusal, &tags), effects);
        Ok(())
    }

    /// A room's answer about its entry.
    ///
    /// # Errors
    /// Storage errors.
    pub fn asked(
        &mut self,
        now: Millis,
        project: &ProjectId,
        status: u16,
        body: &str,
        db: &mut dyn Db,
        effects: &mut Effects,
    ) -> Result<(), DbError> {
        self.asking.remove(project);
        match (status, serde_json::from_str::<Value>(body)) {
            (200, Ok(summary)) => {
                // As the backend's own list names the project.
                let known = known(db)?.into_iter().find(|known| known.project == *project);
                let known = known.map(|known| KnownProject { summary: Some(summary), ..known });
                for entry in entry::sorted(known.into_iter().collect(), &[]) {
                    let event = json!({ "type": "inbox", "project": entry::inbox_entry(&entry) }).to_string();
                    let conns = self.which(|session| shows(session, project));
                    self.send(&conns, &event, effects);
                }
            }
            // It holds no yes of this user's (yet): the backend must be asked, which takes the user's own call.
            (428, _) => {
                let event = json!({ "type": "inbox.changed", "project_id": project }).to_string();
                let conns = self.which(|session| shows(session, project));
                self.send(&conns, &event, effects);
            }
            (401 | 403 | 404, _) => self.gone(project, effects),
            _ => self.failed(project, effects),
        }
        self.ask_soon(now, effects);
        Ok(())
    }

    fn failed(&mut self, project: &ProjectId, effects: &mut Effects) {
        let tries = self.stale.entry(project.clone()).or_default();
        *tries += 1;
        if *tries >= TRIES {
            self.stale.remove(project);
            // Those who listen would miss something: they come back, and are given everything anew.
            let all = self.which(|_| true);
            all.into_iter().for_each(|conn| self.close(conn, CloseCode::BackendSilent, effects));
        }
    }

    /// The moment has come to ask.
    pub fn tick(&mut self, now: Millis, effects: &mut Effects) {
        self.wake_at = None;
        let Some(session) = self.sockets.values().max_by_key(|session| session.issued_at) else {
            self.stale.clear();
            return;
        };
        let identity = Identity {
            user: self.settings.user.clone(),
            username: None,
            issued_at: session.issued_at,
            expires_at: session.expires_at,
            expired: false,
        };
        let room = AT_ONCE.saturating_sub(self.asking.len());
        let next: Vec<ProjectId> =
            self.stale.keys().filter(|project| !self.asking.contains(*project)).take(room).cloned().collect();
        for project in next {
            let tries = self.stale.remove(&project).unwrap_or_default();
            if tries > 0 {
                // Remembered, should it fail again.
                self.stale.insert(project.clone(), tries);
            }
            let request = RoomRequest {
                project: project.clone(),
                identity: Some(identity.clone()),
                admission: Admission::Unknown,
                call: RoomCall::Watch,
            };
            self.asking.insert(project.clone());
            effects.push(Effect::AskRoom { project, request: Box::new(request) });
        }
        self.ask_soon(now, effects);
    }

    fn ask_soon(&mut self, now: Millis, effects: &mut Effects) {
        let waiting = self.stale.iter().filter(|(project, _)| !self.asking.contains(*project));
        let Some(tries) = waiting.map(|(_, tries)| *tries).min() else { return };
        let at = now.plus(if tries > 0 { RETRY_MS } else { ASK_DELAY_MS });
        if self.wake_at.is_none_or(|set| set > at || set < now) {
            self.wake_at = Some(at);
            effects.push(Effect::WakeAt(at));
        }
    }

    /// Sockets whose token has ended get nothing more.
    pub fn expire(&mut self, now: Millis, effects: &mut Effects) {
        let over = self.which(|session| session.expires_at <= now.seconds());
        over.into_iter().for_each(|conn| self.close(conn, CloseCode::TokenExpired, effects));
    }

    fn which(&self, test: impl Fn(&Session) -> bool) -> Vec<ConnId> {
        self.sockets.iter().filter(|(_, session)| test(session)).map(|(conn, _)| *conn).collect()
    }

    fn close(&mut self, conn: ConnId, code: CloseCode, effects: &mut Effects) {
        if self.sockets.contains_key(&conn) {
            self.leave(conn);
            effects.push(Effect::Close { conn, code });
        }
    }

    fn attach(&self, conn: ConnId, effects: &mut Effects) {
        let session = self.sockets.get(&conn).map(serde_json::to_string);
        if let Some(Ok(attachment)) = session {
            effects.push(Effect::Attach { conn, attachment });
        }
    }

    fn send(&self, conns: &[ConnId], event: &str, effects: &mut Effects) {
        if !conns.is_empty() {
            effects.push(Effect::Send { to: Rc::from(conns), frame: format!("[{event}]") });
        }
    }
}

fn shows(session: &Session, project: &ProjectId) -> bool {
    session.only.as_ref().is_none_or(|only| only.contains(project))
}

fn exists(db: &mut dyn Db) -> Result<bool, DbError> {
    Ok(!db.run("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'meta'", &[])?.is_empty())
}

fn known(db: &mut dyn Db) -> Result<Vec<KnownProject>, DbError> {
    if exists(db)? { projects::list(db) } else { Ok(Vec::new()) }
}

fn revoked_before(db: &mut dyn Db) -> Result<Option<i64>, DbError> {
    if exists(db)? { projects::meta(db, "revoked_before") } else { Ok(None) }
}
