//! The rules of the chat, one file each. They know nothing of each other's state; what two of them need is in the
//! room ([`crate::room::State`]) or in [`people`].

pub mod access;
pub mod auth;
pub mod block;
pub mod connect;
pub mod contacts;
pub mod delete;
pub mod edit;
pub mod frames;
pub mod history;
pub mod membership;
pub mod mention;
pub mod moderation;
pub mod people;
pub mod pin;
pub mod presence;
pub mod project;
pub mod prune;
pub mod rates;
pub mod react;
pub mod read;
pub mod replay;
pub mod report;
pub mod resume;
pub mod roster;
pub mod search;
pub mod send;
pub mod storage;
pub mod thread;
pub mod typing;
pub mod unread;
