//! What may happen, and a random history of it. A step holds a seed of its own, so that leaving one out leaves the
//! others as they are: that is how a failing history is made small.

use std::fmt;

use crate::random::Random;

macro_rules! ops {
    ($($name:ident $weight:literal,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Op { $($name,)* }

        impl Op {
            pub const ALL: &'static [(Op, usize)] = &[$((Op::$name, $weight),)*];
        }
    };
}

ops! {
    Send 60, SendWithoutId 22, Reply 28, Mention 20, SendByHttp 20, Retry 50, RetryByHttp 26, ReuseId 24,
    Edit 26, DeleteOwn 28, DeleteAsModerator 30, React 32, Unreact 26, Pin 26, Unpin 28,
    Read 24, ReadByHttp 22, ReadInPrivate 22, MarkUnread 30,
    Typing 22, Away 20, Block 20, History 44, Seen 26, FrameByHttp 28,
    Deliver 50, JoinV1 20, JoinClassic 20, Drop 40, Resume 46, ResumeFromEarlier 50, StartAnew 22, ResumeFromNowhere 36,
    PullAgain 50, Poll 26, Renew 22,
    Hibernate 26, Crash 22, CrashAfterCommit 24, StorageFails 56,
    SecondsPass 20, MinutesPass 22, Prune 22,
    Remove 22, Readmit 20, Refuse 22, Revoke 22, Mute 20, Unmute 22, Ban 22, ChangeRole 20, Freeze 22,
    Compare 26,
}

#[derive(Clone, Copy)]
pub struct Step {
    pub op: Op,
    pub seed: u64,
    /// A turn is taken after it.
    pub turn: bool,
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}{}", self.op, if self.turn { " |" } else { "" })
    }
}

#[derive(Clone)]
pub struct History {
    /// Of the people and limits.
    pub seed: u64,
    pub members: usize,
    pub steps: Vec<Step>,
}

impl History {
    pub fn random(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let members = random.from(3, 7) as usize;
        let length = random.from(32, 66);
        let total: usize = Op::ALL.iter().map(|(_, weight)| weight).sum();
        let eager = random.from(25, 75) as usize;
        let steps = (0..length).map(|_| {
            let mut place = random.below(total);
            let drawn = Op::ALL.iter().find(|(_, weight)| match place.checked_sub(*weight) {
                Some(rest) => {
                    place = rest;
                    false
                }
                None => true,
            });
            Step { op: drawn.unwrap().0, seed: random.next(), turn: random.percent(eager) }
        });
        let steps = steps.collect();
        History { seed, members, steps }
    }

    pub fn without(&self, from: usize, count: usize) -> Self {
        let mut steps = self.steps.clone();
        steps.drain(from..(from + count).min(steps.len()));
        History { steps, ..self.clone() }
    }
}
