//! Stories about a room: people in virtual time, and what each of their windows shows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod access;
mod auth;
mod bad_input;
mod block;
mod codes;
mod contacts;
mod costs;
#[allow(dead_code, reason = "the random histories need more of it")]
mod db;
mod delete;
mod edit;
mod entry;
mod fanout;
mod fill;
mod frames;
mod history;
mod ids;
mod inbox;
mod limits;
mod lines;
mod log;
mod membership;
mod mention;
mod moderation;
mod permissions;
mod pin;
mod plans;
mod presence;
mod project;
mod protocol;
mod prune;
mod react;
mod read;
mod replay;
mod report;
mod resume;
mod say;
mod search;
mod send;
mod sockets;
mod storage;
mod thread;
mod typing;
mod user;
mod world;
