//! The words on the wire.

pub mod classic;
pub mod codes;
pub mod internal;
pub mod rest;
