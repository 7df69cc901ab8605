//! How fast one user may send, over all their sockets.

use std::collections::HashMap;

use crate::ids::{Millis, UserId};
use crate::limits::Limits;

/// Buckets kept before full ones are dropped.
const KEPT_MAX: usize = 2000;

/// What is being sent; each kind has a bucket of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Refused with an error when there is too much of it.
    Message,
    /// Typing and read marks: dropped in silence.
    Signal,
    /// Any frame, before it is read: beyond ten times what the others allow it is dropped in silence, so that nobody
    /// keeps a room busy with frames that are refused.
    Frame,
}

/// Token buckets, in memory only: after a hibernation every bucket is full.
#[derive(Default)]
pub struct Rates {
    buckets: HashMap<(UserId, Kind), Bucket>,
}

struct Bucket {
    /// Thousandths of a frame.
    level: i64,
    at: Millis,
}

impl Rates {
    /// Takes one frame out of the user's bucket.
    ///
    /// # Errors
    /// The milliseconds until there is one again.
    pub fn take(&mut self, user: &UserId, kind: Kind, now: Millis, limits: &Limits) -> Result<(), i64> {
        let factor = if kind == Kind::Frame { 10 } else { 1 };
        let rate = limits.message_rate.saturating_mul(factor);
        let burst = limits.message_burst.saturating_mul(1000).saturating_mul(factor);
        if rate == 0 {
            return Ok(());
        }
        // One frame a millisecond is one thousandth of a frame per microsecond: `rate` a second is `rate` per ms here.
        let refilled =
            |bucket: &Bucket| bucket.level.saturating_add(now.since(bucket.at).saturating_mul(rate)).min(burst);
        if self.buckets.len() >= KEPT_MAX {
            self.buckets.retain(|_, bucket| refilled(bucket) < burst);
        }
        let bucket = self.buckets.entry((user.clone(), kind)).or_insert(Bucket { level: burst, at: now });
        bucket.level = refilled(bucket);
        bucket.at = now;
        if bucket.level < 1000 {
            return Err((1000 - bucket.level).div_euclid(rate) + 1);
        }
        bucket.level -= 1000;
        Ok(())
    }
}
