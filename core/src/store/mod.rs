//! A room's database: its tables, one file each.

pub mod marks;
pub mod members;
pub mod messages;
pub mod meta;
