//! Seeds of histories that failed once: they are run first. A change of the table of operations makes other histories
//! of them.

pub const BAD_SEEDS: &[u64] = &[15717];
