//! The chat itself: pure and synchronous. No clock, no randomness, no sockets, no JavaScript.
//!
//! # The drive contract
//! A [`room::Room`] is one project's chat. Whoever drives it collects [`input::Input`]s (frames, joins, calls, an
//! alarm) and hands them over with the time: [`room::Room::turn`] decides and writes all of them through the
//! [`db::Db`] port and returns [`effect::Effects`] (send to whom, close, answer, set the alarm). The driver runs a
//! turn in one transaction and carries the effects out, in their order, only when it has been committed: nothing is
//! visible before it is durable. When a turn fails, the driver rolls back and opens the room anew; all that a room
//! remembers beside its database is in its sockets' [`session::Session`] attachments, or may be lost.
//! A [`user::User`] is driven in the same way: it keeps one user's list of projects and their revocation.
//!
//! # Layout, in the order to read
//! - [`ids`], [`limits`], [`protocol`]: the words. Wire frames, calls, codes; every limit in one table.
//! - [`input`], [`effect`], [`db`], [`session`], [`sockets`]: what goes in, what comes out, where things are kept.
//! - [`fanout`]: a turn's events into frames. [`permissions`]: who may do what.
//! - [`store`]: the room's tables, one file each, and their migrations.
//! - [`room`]: the dispatcher. It knows no rule of the chat.
//! - [`features`]: the rules, one file each. Features know nothing of each other.
//! - [`user`]: the other object.

pub mod db;
pub mod effect;
pub mod fanout;
pub mod features;
pub mod ids;
pub mod input;
pub mod limits;
pub mod permissions;
pub mod protocol;
pub mod room;
pub mod session;
pub mod sockets;
pub mod store;
pub mod user;
