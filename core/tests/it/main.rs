//! Stories about a room: people in virtual time, and what each of their windows shows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod access;
mod bad_input;
mod block;
mod contacts;
mod db;
mod entry;
mod delete;
mod edit;
mod history;
mod ids;
mod inbox;
mod limits;
mod lines;
mod log;
mod membership;
mod mention;
mod moderation;
mod pin;
mod presence;
mod project;
mod protocol;
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
