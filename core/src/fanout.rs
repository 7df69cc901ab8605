//! A turn's events for v1 sockets: collected in order, and made into one frame for each socket at the end of the turn.
//!
//! Most sockets get the same frame, which is encoded once. A socket that joined, caught up or was answered in this
//! turn gets a frame of its own, in which everything stands at its place.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::effect::{Effect, Effects};
use crate::ids::ConnId;
use crate::sockets::Sockets;

/// A frame is divided beyond this many bytes: some clients' libraries refuse larger ones (1 MiB is a common limit).
const FRAME_MAX_BYTES: usize = 256 * 1024;

#[derive(Default)]
pub struct Fanout {
    shared: Vec<Shared>,
    own: BTreeMap<ConnId, Own>,
}

struct Shared {
    event: Rc<str>,
    /// An event of the log: it goes to those only who have all that comes before it.
    logged: bool,
}

/// A socket that does not get just what everyone gets.
struct Own {
    /// From which of the shared events on it gets the passing ones.
    joined: usize,
    /// From which on it gets the log; `None`: it is behind.
    live: Option<usize>,
    /// Its own events, each with the shared one that it comes before.
    events: Vec<(usize, Rc<str>)>,
}

impl Fanout {
    /// For everyone. `logged`: an event of the log.
    pub fn publish(&mut self, event: String, logged: bool) {
        self.shared.push(Shared { event: event.into(), logged });
    }

    /// For one socket, after all that has been published so far.
    pub fn tell(&mut self, sockets: &Sockets, conn: ConnId, event: String) {
        let at = self.shared.len();
        if let Some(own) = self.own_of(sockets, conn) {
            own.events.push((at, event.into()));
        }
    }

    /// The socket gets what is published from here on.
    pub fn joined(&mut self, conn: ConnId, live: bool) {
        let at = self.shared.len();
        self.own.insert(conn, Own { joined: at, live: live.then_some(at), events: Vec::new() });
    }

    /// The socket has been given the log up to here by other means (`live`), or is behind from here on.
    pub fn caught_up(&mut self, sockets: &Sockets, conn: ConnId, live: bool) {
        let at = self.shared.len();
        if let Some(own) = self.own_of(sockets, conn) {
            own.live = live.then_some(at);
        }
    }

    fn own_of(&mut self, sockets: &Sockets, conn: ConnId) -> Option<&mut Own> {
        let live = sockets.v1(conn)?.behind.is_none();
        Some(self.own.entry(conn).or_insert(Own { joined: 0, live: live.then_some(0), events: Vec::new() }))
    }

    /// The frames for a socket that is being closed: it gets nothing that comes later. Call it before the socket is
    /// taken out of `sockets`.
    pub fn leave(&mut self, sockets: &Sockets, conn: ConnId, effects: &mut Effects) {
        if self.own_of(sockets, conn).is_some()
            && let Some(own) = self.own.remove(&conn)
        {
            let to: Rc<[ConnId]> = Rc::from([conn]);
            self.frames_of(&own).into_iter().for_each(|frame| effects.push(Effect::Send { to: to.clone(), frame }));
        }
    }

    /// Everything into frames.
    pub fn finish(&mut self, sockets: &mut Sockets, effects: &mut Effects) {
        let own: Vec<_> =
            std::mem::take(&mut self.own).into_iter().filter(|(conn, _)| sockets.v1(*conn).is_some()).collect();
        if !self.shared.is_empty() {
            let lists = [(sockets.live(), true), (sockets.behind(), false)];
            for (list, live) in lists {
                let rest: Rc<[ConnId]> = if own.iter().any(|(conn, _)| list.contains(conn)) {
                    let is_own = |conn: &ConnId| own.binary_search_by_key(conn, |(own, _)| *own).is_ok();
                    list.iter().copied().filter(|conn| !is_own(conn)).collect()
                } else {
                    list
                };
                if rest.is_empty() {
                    continue;
                }
                let events = self.shared.iter().filter(|shared| live || !shared.logged).map(|shared| &*shared.event);
                for frame in frames(events) {
                    effects.push(Effect::Send { to: rest.clone(), frame });
                }
            }
        }
        for (conn, own) in &own {
            let to: Rc<[ConnId]> = Rc::from([*conn]);
            for frame in self.frames_of(own) {
                effects.push(Effect::Send { to: to.clone(), frame });
            }
        }
        self.shared.clear();
    }

    fn frames_of(&self, own: &Own) -> Vec<String> {
        let mut events = Vec::new();
        let mut mine = own.events.iter().peekable();
        for (at, shared) in self.shared.iter().enumerate() {
            while let Some((_, event)) = mine.next_if(|(before, _)| *before <= at) {
                events.push(&**event);
            }
            let gets = if shared.logged { own.live.is_some_and(|live| live <= at) } else { own.joined <= at };
            if gets {
                events.push(&shared.event);
            }
        }
        events.extend(mine.map(|(_, event)| &**event));
        frames(events.into_iter())
    }
}

/// JSON arrays of the events, as few as the size of a frame allows; none for no events.
fn frames<'a>(events: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut frames = Vec::new();
    let mut frame = String::new();
    for event in events {
        if !frame.is_empty() && frame.len() + event.len() > FRAME_MAX_BYTES {
            frame.push(']');
            frames.push(std::mem::take(&mut frame));
        }
        frame.push(if frame.is_empty() { '[' } else { ',' });
        frame.push_str(event);
    }
    if !frame.is_empty() {
        frame.push(']');
        frames.push(frame);
    }
    frames
}
