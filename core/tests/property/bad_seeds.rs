//! Seeds of histories that failed once: they are run first.

pub const BAD_SEEDS: &[u64] = &[];
