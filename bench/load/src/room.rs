//! All members under load: one loop over all sockets.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use crate::check::Checker;
use crate::failure::Failure;
use crate::member::{Member, Trouble};
use crate::options::Options;
use crate::script::Script;

/// How long the line is watched for a message too many, after everybody has everything.
const AFTERMATH: Duration = Duration::from_millis(100);

pub struct Room {
    poll: Poll,
    events: Events,
    members: Vec<Member>,
    /// Which of them sends: the one in the middle, so that no order in which a server serves its sockets favours it.
    sender: usize,
    checker: Checker,
    window: usize,
    pause: Duration,
    patience: Duration,
    /// When each message under way was sent.
    under_way: VecDeque<Instant>,
    /// Nothing is sent before.
    not_before: Instant,
    /// Microseconds from sending a message to its sender's own `new.message`.
    pub latencies: Vec<u32>,
    pub deliveries: u64,
    pub frames: u64,
}

impl Room {
    /// Connects all receivers one after the other; v1 servers greet each.
    pub fn join(options: &Options, tokens: &[String]) -> Result<Room, Failure> {
        if options.needs_tokens() && tokens.is_empty() {
            return Err(Failure::Usage("The address asks for tokens: one per line on stdin.".into()));
        }
        let checker = Checker::new(options.dialect, Script::new(options.size));
        let poll = Poll::new().map_err(Failure::Io)?;
        let mut tokens = tokens.iter().cycle();
        let mut members = Vec::with_capacity(options.receivers);
        for receiver in 0..options.receivers {
            let url = match tokens.next() {
                Some(token) => options.url.replace("{token}", token),
                None => options.url.clone(),
            };
            let member = Member::join(&url, options.dialect, checker.start())
                .map_err(|why| Failure::NotAdmitted { receiver, why })?;
            let either = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut SourceFd(&member.fd()), Token(receiver), either).map_err(Failure::Io)?;
            members.push(member);
        }
        let mut room = Room {
            poll,
            events: Events::with_capacity(1024),
            sender: members.len() / 2,
            members,
            checker,
            window: options.window,
            pause: Duration::from_millis(options.pause_ms),
            patience: Duration::from_secs_f64(options.patience_s),
            under_way: VecDeque::with_capacity(options.window),
            not_before: Instant::now(),
            latencies: Vec::new(),
            deliveries: 0,
            frames: 0,
        };
        room.await_greetings()?;
        Ok(room)
    }

    /// Messages that their sender has seen.
    pub fn acknowledged(&self) -> u64 {
        self.checker.sent - self.under_way.len() as u64
    }

    /// Keeps the window full for so long.
    pub fn talk(&mut self, duration: Duration) -> Result<(), Failure> {
        let end = Instant::now() + duration;
        loop {
            let now = Instant::now();
            if now >= end {
                return Ok(());
            }
            let paused = now < self.not_before;
            if !paused {
                self.fill_window(now)?;
            }
            let until = if paused { end.min(self.not_before) } else { end };
            self.receive(until - now)?;
        }
    }

    /// Sends nothing more, and waits until everybody has everything, and nothing else.
    pub fn drain(&mut self) -> Result<(), Failure> {
        let sent = self.checker.sent;
        self.receive_until(|member| member.position.next == sent)?;
        let mut lacking = self.members.iter().enumerate().filter(|(_, member)| member.position.next < sent);
        match lacking.next() {
            None => self.receive_for(AFTERMATH),
            Some((receiver, member)) => {
                Err(Failure::Incomplete { receiver, has: member.position.next, sent, others: lacking.count() })
            }
        }
    }

    fn await_greetings(&mut self) -> Result<(), Failure> {
        // What came along with the answer to the upgrade has been read from the socket: no event will tell of it.
        for receiver in 0..self.members.len() {
            self.read(receiver)?;
        }
        match self.receive_until(|member| member.position.greeted)? {
            None => Ok(()),
            Some(receiver) => Err(Failure::NotGreeted { receiver }),
        }
    }

    /// Receives until all members are `ready`; gives one that is not when patience ends.
    fn receive_until(&mut self, ready: impl Fn(&Member) -> bool) -> Result<Option<usize>, Failure> {
        let end = Instant::now() + self.patience;
        loop {
            let waiting = self.members.iter().position(|member| !ready(member));
            let left = end.saturating_duration_since(Instant::now());
            if waiting.is_none() || left.is_zero() {
                return Ok(waiting);
            }
            self.receive(left)?;
        }
    }

    fn receive_for(&mut self, duration: Duration) -> Result<(), Failure> {
        let end = Instant::now() + duration;
        while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            self.receive(left)?;
        }
        Ok(())
    }

    fn fill_window(&mut self, now: Instant) -> Result<(), Failure> {
        let Some(member) = self.members.get_mut(self.sender) else { return Ok(()) };
        while self.under_way.len() < self.window {
            let frame = self.checker.script.frame(self.checker.sent);
            member.queue(frame).map_err(|trouble| failure(self.sender, trouble))?;
            self.checker.sent += 1;
            self.under_way.push_back(now);
        }
        member.flush().map_err(|trouble| failure(self.sender, trouble))
    }

    /// Waits for something to arrive, at most so long, and reads all of it.
    fn receive(&mut self, at_most: Duration) -> Result<(), Failure> {
        match self.poll.poll(&mut self.events, Some(at_most)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(Failure::Io(error)),
            _ => {}
        }
        let ready: Vec<usize> = self.events.iter().map(|event| event.token().0).collect();
        for receiver in ready {
            self.read(receiver)?;
        }
        Ok(())
    }

    fn read(&mut self, receiver: usize) -> Result<(), Failure> {
        let Some(member) = self.members.get_mut(receiver) else { return Ok(()) };
        let read = member.read(&mut self.checker).map_err(|trouble| failure(receiver, trouble))?;
        self.deliveries += read.messages;
        self.frames += read.frames;
        if receiver == self.sender && read.messages > 0 {
            let now = Instant::now();
            for _ in 0..read.messages {
                let Some(sent) = self.under_way.pop_front() else { break };
                self.latencies.push(u32::try_from((now - sent).as_micros()).unwrap_or(u32::MAX));
            }
            self.not_before = now + self.pause;
        }
        Ok(())
    }
}

fn failure(receiver: usize, trouble: Trouble) -> Failure {
    match trouble {
        Trouble::Fault(fault) => Failure::Fault { receiver, fault },
        Trouble::Lost(why) => Failure::Lost { receiver, why },
    }
}
