//! The open sockets of a room, and who they belong to.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::ids::{ConnId, UserId};
use crate::session::{Session, V1};

#[derive(Default)]
pub struct Sockets {
    sessions: BTreeMap<ConnId, Session>,
    /// Oldest first.
    by_user: HashMap<UserId, Vec<ConnId>>,
    /// Lists that are handed out again until somebody joins, leaves or catches up.
    classic: Option<Rc<[ConnId]>>,
    live: Option<Rc<[ConnId]>>,
    behind: Option<Rc<[ConnId]>>,
    v1_count: usize,
}

impl Sockets {
    pub fn new(open: impl IntoIterator<Item = (ConnId, Session)>) -> Self {
        let mut open: Vec<_> = open.into_iter().collect();
        open.sort_by_key(|(conn, session)| (session.joined_at(), *conn));
        let mut sockets = Sockets::default();
        for (conn, session) in open {
            sockets.insert(conn, session);
        }
        sockets
    }

    pub fn get(&self, conn: ConnId) -> Option<&Session> {
        self.sessions.get(&conn)
    }

    pub fn get_mut(&mut self, conn: ConnId) -> Option<&mut Session> {
        self.sessions.get_mut(&conn)
    }

    pub fn v1(&self, conn: ConnId) -> Option<&V1> {
        match self.get(conn) {
            Some(Session::V1(session)) => Some(session),
            _ => None,
        }
    }

    /// For a change that makes the socket live, or behind.
    pub fn v1_mut(&mut self, conn: ConnId) -> Option<&mut V1> {
        (self.live, self.behind) = (None, None);
        match self.sessions.get_mut(&conn) {
            Some(Session::V1(session)) => Some(session),
            _ => None,
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (ConnId, &Session)> {
        self.sessions.iter().map(|(conn, session)| (*conn, session))
    }

    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    fn forget_lists(&mut self) {
        (self.classic, self.live, self.behind) = (None, None, None);
    }

    pub fn insert(&mut self, conn: ConnId, session: Session) {
        self.forget_lists();
        self.v1_count += usize::from(matches!(session, Session::V1(_)));
        self.by_user.entry(session.user().clone()).or_default().push(conn);
        self.sessions.insert(conn, session);
    }

    pub fn remove(&mut self, conn: ConnId) -> Option<Session> {
        let session = self.sessions.remove(&conn)?;
        self.forget_lists();
        self.v1_count -= usize::from(matches!(session, Session::V1(_)));
        if let Some(conns) = self.by_user.get_mut(session.user()) {
            conns.retain(|other| *other != conn);
            if conns.is_empty() {
                self.by_user.remove(session.user());
            }
        }
        Some(session)
    }

    /// The sockets of one user, oldest first.
    pub fn of(&self, user: &UserId) -> &[ConnId] {
        self.by_user.get(user).map_or(&[], Vec::as_slice)
    }

    /// How many different users have a socket open.
    pub fn users_present(&self) -> usize {
        self.by_user.len()
    }

    pub fn present(&self) -> impl Iterator<Item = &UserId> {
        self.by_user.keys()
    }

    /// Whether any socket speaks v1: otherwise nothing has to be encoded for it.
    pub fn any_v1(&self) -> bool {
        self.v1_count > 0
    }

    pub fn any_classic(&self) -> bool {
        self.v1_count < self.sessions.len()
    }

    /// All classic sockets.
    pub fn classic(&mut self) -> Rc<[ConnId]> {
        let is_classic = |session: &Session| matches!(session, Session::Classic(_));
        let list = self.classic.take().unwrap_or_else(|| self.which(is_classic));
        self.classic.insert(list).clone()
    }

    /// All v1 sockets that get the log as it grows.
    pub fn live(&mut self) -> Rc<[ConnId]> {
        let is_live = |session: &Session| matches!(session, Session::V1(V1 { behind: None, .. }));
        let list = self.live.take().unwrap_or_else(|| self.which(is_live));
        self.live.insert(list).clone()
    }

    /// All v1 sockets that still pull what they missed.
    pub fn behind(&mut self) -> Rc<[ConnId]> {
        let is_behind = |session: &Session| matches!(session, Session::V1(V1 { behind: Some(_), .. }));
        let list = self.behind.take().unwrap_or_else(|| self.which(is_behind));
        self.behind.insert(list).clone()
    }

    /// The classic sockets of every user but this one.
    pub fn classic_others(&self, user: &UserId) -> Rc<[ConnId]> {
        self.which(|session| matches!(session, Session::Classic(_)) && session.user() != user)
    }

    fn which(&self, test: impl Fn(&Session) -> bool) -> Rc<[ConnId]> {
        self.iter().filter(|(_, session)| test(session)).map(|(conn, _)| conn).collect()
    }
}
