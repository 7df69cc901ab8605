//! What this isolate did since it began; shown in development.

use std::cell::Cell;
use std::thread::LocalKey;

pub type Counter = LocalKey<Cell<u64>>;

thread_local! {
    pub static WORKER_REQUESTS: Cell<u64> = const { Cell::new(0) };
    /// Every question to `ACCESS_URL`, `PROFILE_URL`, `PROJECTS_URL` and `JWKS_URL`.
    pub static BACKEND_CALLS: Cell<u64> = const { Cell::new(0) };
}

pub fn count(counter: &'static Counter) {
    counter.set(counter.get().wrapping_add(1));
}
