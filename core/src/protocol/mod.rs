//! The words on the wire.

pub mod classic;
pub mod codes;
pub mod fields;
pub mod frames;
pub mod internal;
pub mod rest;
pub mod v1;
