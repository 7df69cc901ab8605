//! A room's database: its tables, one file each.

pub mod changes;
pub mod marks;
pub mod members;
pub mod mentions;
pub mod messages;
pub mod meta;
pub mod moderation;
pub mod pins;
