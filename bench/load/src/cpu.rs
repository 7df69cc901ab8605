//! What a process has used of the CPU.

use std::fs;

/// The unit of `/proc/<pid>/stat`: `USER_HZ`, which is 100 on every Linux one meets.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU seconds of a process so far, in user and kernel mode; `None` where there is no `/proc` or no such process.
pub fn seconds_of(process: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the program's name in parentheses, which may hold anything; utime and stime are 14 and 15.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS_PER_SECOND)
}
