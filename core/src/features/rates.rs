//! How fast one user may send, over all their sockets: a bucket for each kind of frame.

use std::collections::HashMap;

use crate::ids::{Millis, UserId};
use crate::limits::Limits;
use crate::protocol::frames::Rate;

/// Buckets kept before full ones are dropped.
const KEPT_MAX: usize = 2000;
/// Any frame, before it is read, is allowed this many times as often as messages: nobody keeps a room busy with frames
/// that are refused.
const FRAME_FACTOR: i64 = 10;
/// What kinds other than messages may do at once, in seconds of their rate.
const BURST_S: i64 = 10;

/// Token buckets, in memory only: after a hibernation every bucket is full.
#[derive(Default)]
pub struct Rates {
    buckets: HashMap<(UserId, Rate), Bucket>,
}

struct Bucket {
    /// Thousandths of a frame.
    level: i64,
    at: Millis,
}

/// Frames a second, and at once. 0 a second: no limit.
pub fn allowed(kind: Rate, limits: &Limits) -> (i64, i64) {
    let steady = |rate: i64| (rate, rate.saturating_mul(BURST_S));
    match kind {
        Rate::Message => (limits.message_rate, limits.message_burst),
        Rate::Change => steady(limits.change_rate),
        Rate::Query => steady(limits.query_rate),
        Rate::Signal => steady(limits.signal_rate),
        Rate::Frame => {
            (limits.message_rate.saturating_mul(FRAME_FACTOR), limits.message_burst.saturating_mul(FRAME_FACTOR))
        }
    }
}

impl Rates {
    /// Takes one frame out of the user's bucket.
    ///
    /// # Errors
    /// The milliseconds until there is one again.
    pub fn take(&mut self, user: &UserId, kind: Rate, now: Millis, limits: &Limits) -> Result<(), i64> {
        let (rate, burst) = allowed(kind, limits);
        let burst = burst.saturating_mul(1000);
        // `MESSAGE_RATE=0` is for load tests: it switches all of this off.
        if rate == 0 || limits.message_rate == 0 {
            return Ok(());
        }
        // One frame a millisecond is one thousandth of a frame per microsecond: `rate` a second is `rate` per ms here.
        let refilled = |bucket: &Bucket, rate: i64, burst: i64| {
            bucket.level.saturating_add(now.since(bucket.at).saturating_mul(rate)).min(burst)
        };
        if self.buckets.len() >= KEPT_MAX {
            self.buckets.retain(|(_, kind), bucket| {
                let (rate, burst) = allowed(*kind, limits);
                let burst = burst.saturating_mul(1000);
                refilled(bucket, rate, burst) < burst
            });
        }
        let bucket = self.buckets.entry((user.clone(), kind)).or_insert(Bucket { level: burst, at: now });
        bucket.level = refilled(bucket, rate, burst);
        bucket.at = now;
        if bucket.level < 1000 {
            return Err((1000 - bucket.level).div_euclid(rate) + 1);
        }
        bucket.level -= 1000;
        Ok(())
    }
}
