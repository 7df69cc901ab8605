//! Random histories of a project: members with several windows, both dialects, a network that loses connections, an
//! object that is evicted, that crashes, and whose storage fails in the middle of a turn. What each window shows in
//! the end is what a fresh one would show, and on the way nobody is told what storage does not hold.
//!
//! `HISTORIES=20000` says how many (CI runs that many, optimised); `SEED=17` looks at one of them. A history that
//! fails is made as small as it can be and printed; its seed belongs into `bad_seeds.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::unreachable)]

mod actions;
mod bad_seeds;
mod comparison;
#[allow(dead_code, reason = "the stories need more of it")]
#[path = "../it/db.rs"]
mod db;
mod deeds;
mod history;
mod judge;
mod ledger;
mod network;
mod random;
mod report;
mod v1_client;
mod world;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use chat_core::store::meta;
use db::Sqlite;
use history::{History, Op};
use network::{EPOCH, NOON};
use report::Report;
use world::World;

const THREADS: usize = 2;

thread_local! {
    /// What the last panic of this thread said, and where.
    static SAID: RefCell<String> = const { RefCell::new(String::new()) };
    /// A database without rows.
    static MADE: RefCell<Option<Sqlite>> = const { RefCell::new(None) };
}

/// One history in so many makes its database itself; the others find it made, which is faster.
const MAKES_DATABASE: u64 = 50;

fn database(history: &History) -> Sqlite {
    if history.seed.is_multiple_of(MAKES_DATABASE) {
        return Sqlite::new();
    }
    let mut db = MADE.take().unwrap_or_else(|| {
        let mut db = Sqlite::new();
        meta::create(&mut db, NOON, EPOCH).unwrap();
        db
    });
    db.remember();
    db
}

fn keep(history: &History, mut db: Sqlite) {
    if !history.seed.is_multiple_of(MAKES_DATABASE) {
        db.forget();
        MADE.set(Some(db));
    }
}

/// Runs a history to its end. What was done, or what is wrong.
fn run(history: &History) -> Result<Vec<Op>, String> {
    traced(history, false)
}

fn traced(history: &History, traced: bool) -> Result<Vec<Op>, String> {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::new(history, database(history));
        world.traced = traced;
        let done = history.steps.iter().filter(|step| world.step(step)).map(|step| step.op).collect();
        world.ends();
        keep(history, world.net.db);
        done
    }));
    outcome.map_err(|_| SAID.with(|said| said.borrow().clone()))
}

/// Leaves out what the failure does not need: first large parts, then single steps.
fn smallest(history: &History) -> (History, String) {
    let mut smallest = history.clone();
    let mut said = run(history).expect_err("it failed before");
    let mut size = smallest.steps.len() / 2;
    while size > 0 {
        let mut from = 0;
        while from < smallest.steps.len() {
            let shorter = smallest.without(from, size);
            match run(&shorter) {
                Err(why) => (smallest, said) = (shorter, why),
                Ok(_) => from += size,
            }
        }
        size /= 2;
    }
    (smallest, said)
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn every_window_shows_in_the_end_what_a_fresh_one_would() {
    std::panic::set_hook(Box::new(|info| SAID.with(|said| *said.borrow_mut() = info.to_string())));
    let count = number("HISTORIES").unwrap_or(150);
    let seeds: Vec<u64> = match number("SEED") {
        Some(seed) => vec![seed],
        None => bad_seeds::BAD_SEEDS.iter().copied().chain(1..=count).collect(),
    };
    let (next, failed) = (AtomicU64::new(0), AtomicBool::new(false));
    let report = Mutex::new(Report::default());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while !failed.load(Ordering::Relaxed)
                    && let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed) as usize)
                {
                    let history = History::random(*seed);
                    let outcome = run(&history);
                    let mut report = report.lock().unwrap();
                    match outcome {
                        Ok(done) => report.add(&history, &done),
                        Err(_) if failed.swap(true, Ordering::Relaxed) => {}
                        Err(_) => {
                            let (smallest, said) = smallest(&history);
                            let _ = traced(&smallest, std::env::var_os("TRACE").is_some());
                            report.failed(&history, &smallest, said);
                        }
                    }
                }
            });
        }
    });
    drop(std::panic::take_hook());
    let report = report.into_inner().unwrap();
    report.print();
    assert!(report.failure.is_none(), "a history failed");
}
