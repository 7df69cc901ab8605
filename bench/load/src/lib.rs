//! The load generator: one sender and many receivers in one room, in one thread.
//!
//! The sender keeps `window` messages under way; it is a receiver, too, and its own `new.message` is the
//! acknowledgement. Every receiver is held to the same strict account: each message exactly once, in the order sent,
//! ids without a hole, content as it was sent. The first deviation ends the run with a sentence and no figures: a
//! fast wrong answer is no answer.
//!
//! To read in this order: [`options`] what is asked for, [`script`] what the sender says, [`event`] what a server
//! frame holds, [`check`] the account of one receiver, [`member`] its socket, [`room`] all of them under load,
//! [`report`] the figures, [`cpu`] what they cost, [`failure`] why there are none.

pub mod check;
pub mod cpu;
pub mod event;
pub mod failure;
pub mod member;
pub mod options;
pub mod report;
pub mod room;
pub mod script;

use std::time::{Duration, Instant};

use failure::Failure;
use options::Options;
use report::{Report, Snapshot};
use room::Room;

/// Joins, warms up, measures, and waits until every receiver has everything.
pub fn run(options: &Options, tokens: &[String]) -> Result<Report, Failure> {
    let began = Instant::now();
    let mut room = Room::join(options, tokens)?;
    let joining_s = began.elapsed().as_secs_f64();
    room.talk(Duration::from_secs_f64(options.warm_up_s))?;
    room.latencies.clear();
    let before = Snapshot::take(&room, options.server_pid);
    room.talk(Duration::from_secs_f64(options.seconds))?;
    let after = Snapshot::take(&room, options.server_pid);
    let latencies = std::mem::take(&mut room.latencies);
    room.drain()?;
    Ok(Report::new(options, joining_s, &before, &after, latencies))
}
