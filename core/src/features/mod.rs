//! The rules of the chat, one file each. They know nothing of each other's state; what two of them need is in the
//! room ([`crate::room::State`]) or in [`people`].

pub mod access;
pub mod connect;
pub mod contacts;
pub mod frames;
pub mod history;
pub mod membership;
pub mod people;
pub mod rates;
pub mod read;
pub mod replay;
pub mod send;
pub mod typing;
