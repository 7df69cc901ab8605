//! Stories about a room: people in virtual time, and what each of their windows shows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod access;
mod bad_input;
mod contacts;
mod db;
mod entry;
mod history;
mod ids;
mod inbox;
mod limits;
mod membership;
mod protocol;
mod read;
mod replay;
mod send;
mod sockets;
mod storage;
mod typing;
mod user;
mod world;
