//! What the Worker and its objects say to each other: JSON over a request that never leaves the platform.
//!
//! A call is `POST /` with a [`RoomRequest`] or [`UserRequest`] as its body; a socket is an upgrade request whose
//! header [`REQUEST_HEADER`] carries the same [`RoomRequest`] as ASCII JSON. Both sides may be one version apart
//! while a deploy spreads, so every field that is added later has a default.

use serde::{Deserialize, Serialize};

use crate::ids::{Millis, ProjectId, Seq, UserId};

/// The one header that the object believes. The Worker builds requests to objects from nothing, so what a client
/// sends under this name never arrives.
pub const REQUEST_HEADER: &str = "x-project-chat-request";
/// On an answer: the member's yes is older than `ACCESS_TTL`; ask the backend again after this many milliseconds.
pub const RECHECK_HEADER: &str = "x-project-chat-recheck";
/// On an answer with a page of messages: `{"next": "before_id=5&limit=30"}`, the queries of the pages around it.
pub const PAGE_HEADER: &str = "x-project-chat-page";
/// The status by which a room says that it holds no yes for this user: ask the backend, then call again with
/// [`Admission::Granted`]. Nothing was stored.
pub const ASK_STATUS: u16 = 428;

/// A verified token's holder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    pub user: UserId,
    /// From the token's claims, if it carries a name.
    #[serde(default)]
    pub username: Option<String>,
    /// Seconds since the epoch.
    #[serde(default)]
    pub issued_at: Option<i64>,
    /// Seconds since the epoch.
    pub expires_at: i64,
    /// The signature is good but the token is past `expires_at` (by less than `SESSION_MAX`).
    #[serde(default)]
    pub expired: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Viewer,
    #[default]
    Member,
    Moderator,
}

impl Role {
    pub const ALL: &'static [Role] = &[Role::Viewer, Role::Member, Role::Moderator];
}

/// How a user is shown. Empty strings where nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    #[serde(default)]
    pub username: String,
    #[serde(default)]
    pub first_name: String,
    #[serde(default)]
    pub last_name: String,
    #[serde(default)]
    pub profile_pic: Option<String>,
}

/// What the server API changes of a profile; what it leaves out stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProfileChange {
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default)]
    pub first_name: Option<String>,
    #[serde(default)]
    pub last_name: Option<String>,
    /// Empty: none.
    #[serde(default)]
    pub profile_pic: Option<String>,
}

/// One member as the backend names them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberInfo {
    pub user: UserId,
    #[serde(default)]
    pub role: Option<Role>,
    #[serde(default)]
    pub profile: Option<Profile>,
}

/// A fresh yes: the backend's answer, the token's claim, or development's `any`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    #[serde(default)]
    pub role: Option<Role>,
    #[serde(default)]
    pub profile: Option<Profile>,
    #[serde(default)]
    pub project_name: Option<String>,
    /// As the backend wrote it.
    #[serde(default)]
    pub project_created_at: Option<String>,
    /// All members, when the backend names them.
    #[serde(default)]
    pub members: Option<Vec<MemberInfo>>,
    /// The user's revocation mark (seconds), asked of their object at a first entry.
    #[serde(default)]
    pub revoked_before: Option<i64>,
}

/// What the Worker knows of this user's access when it calls.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    /// Nobody has asked the backend: the room's kept yes decides, or it answers [`ASK_STATUS`].
    #[default]
    Unknown,
    Granted(Grant),
    /// The room's own list of members decides (`ACCESS=members`). At a first entry the room answers [`ASK_STATUS`]
    /// until it is given the user's revocation mark (0: none).
    List {
        #[serde(default)]
        revoked_before: Option<i64>,
    },
    /// A server key, or the Worker on its own account: no user, no limits.
    Server,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    #[default]
    Classic,
    /// The subprotocol `project-chat.v1`.
    V1,
}

/// A position in the log of a project, with the epoch that it means something in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    pub seq: Seq,
    /// `None`: the client does not say; then it is taken on trust.
    #[serde(default)]
    pub epoch: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoomRequest {
    pub project: ProjectId,
    /// `None` only with [`Admission::Server`].
    #[serde(default)]
    pub identity: Option<Identity>,
    #[serde(default)]
    pub admission: Admission,
    pub call: RoomCall,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum RoomCall {
    /// Upgrade requests only. 101 or a refusal.
    Connect {
        #[serde(default)]
        dialect: Dialect,
        /// Where a v1 client left off, if it was here before.
        #[serde(default)]
        since: Option<Since>,
    },
    /// The log for clients without WebSockets. 200: an array of v1 events, as a socket that resumes would get.
    Events {
        #[serde(default)]
        since: Option<Since>,
    },
    /// A v1 client's frame by HTTP. 200: an array with the event that answers it, if any; or the refusal.
    Frame { text: String },
    /// [`Admission::Server`]. Forgets everything up to this position. 200: `{"pruned": …}`.
    Prune { up_to: Seq },
    /// 200: an array of REST messages, newest first, and [`PAGE_HEADER`].
    Messages {
        #[serde(default)]
        limit: Option<u32>,
        #[serde(default)]
        before: Option<Seq>,
        #[serde(default)]
        after: Option<Seq>,
    },
    /// 201 and the REST message; 200 and the stored one for a repeat.
    Send {
        content: String,
        #[serde(default)]
        client_message_id: Option<String>,
    },
    /// `up_to: None` reads everything. 200 `{"status": "ok"}`, and `"unread_count": 0` when everything is read.
    MarkRead {
        #[serde(default)]
        up_to: Option<Seq>,
    },
    /// 200: the project's entry in the user's contacts. The room then owes the user's object a word of what changes.
    Summary,
    /// As [`RoomCall::Summary`], from the user's object itself for an inbox that is open: it keeps nothing of the answer.
    Watch,
    /// [`Admission::Server`]. What the backend said when it was asked again: `None` is a no. 200 `{}`.
    Verdict {
        user: UserId,
        #[serde(default)]
        grant: Option<Grant>,
    },
    /// [`Admission::Server`]. 200: `{"members": [...]}`.
    ListMembers,
    /// [`Admission::Server`]. Adds, changes or takes back a removed member. 200: the member.
    PutMember {
        user: UserId,
        #[serde(default)]
        role: Option<Role>,
        #[serde(default)]
        profile: ProfileChange,
    },
    /// [`Admission::Server`]. Outweighs the backend's yes until the member is put again; closes their sockets. 200 `{}`.
    RemoveMember { user: UserId },
    /// [`Admission::Server`]. Everything issued to the user before this moment (seconds) is void; closes such sockets. 200 `{}`.
    Revoke { user: UserId, before: i64 },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UserRequest {
    pub user: UserId,
    pub call: UserCall,
}

/// In [`REQUEST_HEADER`] of an upgrade request to a user's object: a socket for the inbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InboxRequest {
    pub identity: Identity,
    /// The only projects to be shown; `None`: all that are known.
    #[serde(default)]
    pub only: Option<Vec<ProjectId>>,
}

/// A project as the backend's own list names it (`PROJECTS_URL`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProjectInfo {
    pub id: ProjectId,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub created_at: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum UserCall {
    /// The user's projects as known here. `claimed`: ids from the token's claim, listed too. 200: [`Projects`].
    Projects {
        #[serde(default)]
        claimed: Vec<ProjectId>,
    },
    /// What the Worker learned for a [`UserCall::Projects`] answer: kept for the next poll. 200: [`Projects`].
    Learn {
        /// The backend's own list, if it was asked: it replaces what was known.
        #[serde(default)]
        list: Option<Vec<ProjectInfo>>,
        /// Fresh entries from rooms, as [`RoomCall::Summary`] answered.
        #[serde(default)]
        summaries: Vec<LearnedSummary>,
        /// Projects whose access the backend has just confirmed.
        #[serde(default)]
        confirmed: Vec<ProjectId>,
        /// Projects that this user is no longer in.
        #[serde(default)]
        gone: Vec<ProjectId>,
        #[serde(default)]
        claimed: Vec<ProjectId>,
    },
    /// From a room: the entry for `project` is out of date, or (`gone`) no longer theirs. 200 `{}`.
    Tell {
        project: ProjectId,
        #[serde(default)]
        gone: bool,
        /// The room was asked for the entry since it last said so: one may be on its way here that is older than this.
        #[serde(default)]
        asked: bool,
    },
    /// 200: `{"revoked_before": seconds or null}`. Stores nothing.
    Revocation,
    /// 200: `{"projects": [id, …]}`, the rooms to be told.
    Revoke { before: i64 },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LearnedSummary {
    pub project: ProjectId,
    /// How many times this entry had gone out of date when its room was asked: a later word wins.
    pub version: i64,
    pub summary: serde_json::Value,
}

/// The answer to [`UserCall::Projects`] and [`UserCall::Learn`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Projects {
    pub projects: Vec<KnownProject>,
    /// When the backend's own list was last heard; `None`: never.
    #[serde(default)]
    pub list_at: Option<Millis>,
    /// Everything issued to the user before this moment (seconds) is void, and shows nothing.
    #[serde(default)]
    pub revoked_before: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownProject {
    pub project: ProjectId,
    /// `None`: out of date, ask the room ([`RoomCall::Summary`]).
    #[serde(default)]
    pub summary: Option<serde_json::Value>,
    /// Goes back with the fresh summary in [`LearnedSummary::version`].
    pub version: i64,
    /// When the backend last confirmed this user's access; `None`: never.
    #[serde(default)]
    pub confirmed_at: Option<Millis>,
    /// From the backend's own list, when there is one.
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub created_at: Option<String>,
}
