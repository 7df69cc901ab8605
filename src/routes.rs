//! The one table of addresses. What is not in it belongs to the application behind, also below our own prefixes.

use chat_core::ids::{ProjectId, UserId};

use crate::project_ids::ProjectIds;

/// A call of ours, with what its address names.
#[derive(Clone, Debug, PartialEq)]
pub enum Endpoint {
    Socket(ProjectId),
    InboxSocket,
    ListMessages(ProjectId),
    CreateMessage(ProjectId),
    MarkRead(ProjectId),
    Events(ProjectId),
    Frame(ProjectId),
    ListContacts,
    ShowContact(ProjectId),
    ReadContact(ProjectId),
    Inbox,
    ListMembers(ProjectId),
    PutMember(ProjectId, UserId),
    RemoveMember(ProjectId, UserId),
    RevokeMember(ProjectId, UserId),
    Prune(ProjectId),
    DevToken,
    DevCounters,
    #[cfg(feature = "panic-probe")]
    DevProbe,
}

/// How an endpoint is made of what its address names.
enum Make {
    Plain(Endpoint),
    Project(fn(ProjectId) -> Endpoint),
    Member(fn(ProjectId, UserId) -> Endpoint),
}

type Row = (&'static str, &'static str, Make);

const TABLE: &[Row] = &[
    ("GET", "ws/chat/project/{project}", Make::Project(Endpoint::Socket)),
    ("GET", "ws/chat/inbox", Make::Plain(Endpoint::InboxSocket)),
    ("GET", "api/projects/{project}/chat/messages", Make::Project(Endpoint::ListMessages)),
    ("POST", "api/projects/{project}/chat/messages", Make::Project(Endpoint::CreateMessage)),
    ("POST", "api/projects/{project}/chat/messages/create", Make::Project(Endpoint::CreateMessage)),
    ("POST", "api/projects/{project}/chat/mark-read", Make::Project(Endpoint::MarkRead)),
    ("GET", "api/projects/{project}/chat/events", Make::Project(Endpoint::Events)),
    ("POST", "api/projects/{project}/chat/frames", Make::Project(Endpoint::Frame)),
    ("GET", "api/chat/contacts", Make::Plain(Endpoint::ListContacts)),
    ("GET", "api/chat/contacts/{project}", Make::Project(Endpoint::ShowContact)),
    ("POST", "api/chat/contacts/{project}/mark-read", Make::Project(Endpoint::ReadContact)),
    ("GET", "api/chat/inbox", Make::Plain(Endpoint::Inbox)),
    ("GET", "api/projects/{project}/chat/members", Make::Project(Endpoint::ListMembers)),
    ("PUT", "api/projects/{project}/chat/members/{user}", Make::Member(Endpoint::PutMember)),
    ("DELETE", "api/projects/{project}/chat/members/{user}", Make::Member(Endpoint::RemoveMember)),
    ("POST", "api/projects/{project}/chat/members/{user}/revoke", Make::Member(Endpoint::RevokeMember)),
    ("POST", "api/projects/{project}/chat/prune", Make::Project(Endpoint::Prune)),
];

/// Only where development sign-in is on (or nobody knows, for want of a good configuration); elsewhere not ours.
const DEVELOPMENT: &[Row] = &[
    ("POST", "dev/token", Make::Plain(Endpoint::DevToken)),
    ("GET", "dev/counters", Make::Plain(Endpoint::DevCounters)),
];

/// Only in the build that tests what a panic does.
#[cfg(feature = "panic-probe")]
const PROBES: &[Row] = &[("POST", "dev/probe", Make::Plain(Endpoint::DevProbe))];
#[cfg(not(feature = "panic-probe"))]
const PROBES: &[Row] = &[];

#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// Not ours: the application's.
    Elsewhere,
    /// Ours, by these methods only.
    OtherMethods(Vec<&'static str>),
    Call(Endpoint),
}

/// `path` as it stands in the URL, percent-encoding included. `HEAD` is found as `GET`: the runtime leaves the body out.
pub fn find(method: &str, path: &str, ids: &ProjectIds, development: bool) -> Found {
    let Some(path) = path.strip_prefix('/') else { return Found::Elsewhere };
    let path = path.strip_suffix('/').unwrap_or(path);
    let rows = TABLE.iter().chain(DEVELOPMENT.iter().chain(PROBES).filter(|_| development));

    let mut methods = Vec::new();
    for (by, pattern, make) in rows {
        let Some(names) = Names::of(pattern, path, ids) else { continue };
        let Some(endpoint) = names.make(make) else { continue };
        let by: &[_] = if *by == "GET" { &["GET", "HEAD"] } else { &[*by] };
        if by.contains(&method) {
            return Found::Call(endpoint);
        }
        methods.extend(by);
    }
    if methods.is_empty() { Found::Elsewhere } else { Found::OtherMethods(methods) }
}

/// What a path names at the places that its pattern leaves open.
#[derive(Default)]
struct Names {
    project: Option<ProjectId>,
    user: Option<UserId>,
}

impl Names {
    /// `None` when the path does not match.
    fn of(pattern: &str, path: &str, ids: &ProjectIds) -> Option<Self> {
        let mut names = Names::default();
        let mut segments = path.split('/');
        for expected in pattern.split('/') {
            let segment = segments.next()?;
            match expected {
                "{project}" => names.project = Some(ids.parse(segment)?),
                "{user}" => names.user = Some(UserId::parse(&decode(segment)?)?),
                literal if literal == segment => {}
                _ => return None,
            }
        }
        segments.next().is_none().then_some(names)
    }

    fn make(self, make: &Make) -> Option<Endpoint> {
        Some(match make {
            Make::Plain(endpoint) => endpoint.clone(),
            Make::Project(make) => make(self.project?),
            Make::Member(make) => make(self.project?, self.user?),
        })
    }
}

/// Undoes percent-encoding; `None` when it is broken or not UTF-8.
fn decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let (digits, after) = after.split_at_checked(2)?;
            let digits = std::str::from_utf8(digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = after;
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
