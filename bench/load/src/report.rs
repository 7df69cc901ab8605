//! The figures, as one line of JSON.

use std::time::Instant;

use serde::Serialize;

use crate::cpu;
use crate::options::Options;
use crate::room::Room;

/// The counts of one moment.
pub struct Snapshot {
    at: Instant,
    messages: u64,
    deliveries: u64,
    frames: u64,
    server_cpu_s: Option<f64>,
    own_cpu_s: Option<f64>,
}

impl Snapshot {
    pub fn take(room: &Room, server: Option<u32>) -> Snapshot {
        Snapshot {
            at: Instant::now(),
            messages: room.acknowledged(),
            deliveries: room.deliveries,
            frames: room.frames,
            server_cpu_s: server.and_then(cpu::seconds_of),
            own_cpu_s: cpu::seconds_of(std::process::id()),
        }
    }
}

#[derive(Debug, Serialize)]
pub struct Report {
    pub receivers: usize,
    pub window: usize,
    /// Seconds until all receivers had been let in and greeted.
    pub joining_s: f64,
    /// Seconds that were measured.
    pub seconds: f64,
    /// Messages that their sender has seen, in that time.
    pub messages: u64,
    /// Messages that receivers have seen, each counted once per receiver.
    pub deliveries: u64,
    /// Frames that held them.
    pub frames: u64,
    pub messages_per_s: f64,
    pub deliveries_per_s: f64,
    /// From sending a message to its sender's own `new.message`; `None` when none came.
    pub latency_ms: Option<Latency>,
    /// CPU time of the server per delivery.
    pub server_us_per_delivery: Option<f64>,
    /// Share of one core that this program used: near 1, it measures itself.
    pub load_cpu: Option<f64>,
}

#[derive(Debug, Serialize)]
pub struct Latency {
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub max: f64,
}

impl Report {
    /// What happened between two moments; `latencies_us` are those of the messages in between.
    pub fn new(
        options: &Options,
        joining_s: f64,
        before: &Snapshot,
        after: &Snapshot,
        latencies_us: Vec<u32>,
    ) -> Report {
        let seconds = (after.at - before.at).as_secs_f64();
        let deliveries = after.deliveries - before.deliveries;
        let messages = after.messages - before.messages;
        let used = |after: Option<f64>, before: Option<f64>| Some(after? - before?);
        let server = used(after.server_cpu_s, before.server_cpu_s);
        let own = used(after.own_cpu_s, before.own_cpu_s);
        Report {
            receivers: options.receivers,
            window: options.window,
            joining_s,
            seconds,
            messages,
            deliveries,
            frames: after.frames - before.frames,
            messages_per_s: messages as f64 / seconds,
            deliveries_per_s: deliveries as f64 / seconds,
            latency_ms: Latency::of(latencies_us),
            server_us_per_delivery: server.filter(|_| deliveries > 0).map(|cpu| cpu * 1e6 / deliveries as f64),
            load_cpu: own.map(|cpu| cpu / seconds),
        }
    }
}

impl Latency {
    fn of(mut all_us: Vec<u32>) -> Option<Latency> {
        all_us.sort_unstable();
        let last = all_us.len().checked_sub(1)?;
        let at = |share: f64| {
            let place = (last as f64 * share).round() as usize;
            all_us.get(place).map(|us| f64::from(*us) / 1000.0)
        };
        Some(Latency { p50: at(0.5)?, p90: at(0.9)?, p99: at(0.99)?, max: at(1.0)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_list() {
        let latency = Latency::of((0..=1000).rev().collect()).unwrap();
        assert_eq!((latency.p50, latency.p90, latency.p99, latency.max), (0.5, 0.9, 0.99, 1.0));
        assert!(Latency::of(Vec::new()).is_none());
    }
}
