//! The open sockets of a room, and who they belong to.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::ids::{ConnId, UserId};
use crate::session::Session;

#[derive(Default)]
pub struct Sockets {
    sessions: BTreeMap<ConnId, Session>,
    /// Oldest first.
    by_user: HashMap<UserId, Vec<ConnId>>,
    everyone: Option<Rc<[ConnId]>>,
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

    pub fn iter(&self) -> impl Iterator<Item = (ConnId, &Session)> {
        self.sessions.iter().map(|(conn, session)| (*conn, session))
    }

    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    pub fn insert(&mut self, conn: ConnId, session: Session) {
        self.everyone = None;
        self.by_user.entry(session.user().clone()).or_default().push(conn);
        self.sessions.insert(conn, session);
    }

    pub fn remove(&mut self, conn: ConnId) -> Option<Session> {
        let session = self.sessions.remove(&conn)?;
        self.everyone = None;
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

    /// All sockets. The same list is handed out until someone joins or leaves.
    pub fn everyone(&mut self) -> Rc<[ConnId]> {
        let everyone = self.everyone.take().unwrap_or_else(|| self.sessions.keys().copied().collect());
        self.everyone.insert(everyone).clone()
    }

    /// The sockets of every user but this one.
    pub fn others(&self, user: &UserId) -> Rc<[ConnId]> {
        self.iter().filter(|(_, session)| session.user() != user).map(|(conn, _)| conn).collect()
    }
}
