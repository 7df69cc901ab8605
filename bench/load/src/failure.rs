//! Why there are no figures.

use std::fmt;
use std::io;

use crate::check::Fault;

#[derive(Debug)]
pub enum Failure {
    /// The command line is wrong.
    Usage(String),
    Io(io::Error),
    /// Receiver `receiver` could not connect.
    NotAdmitted {
        receiver: usize,
        why: String,
    },
    /// Its connection broke or was closed by the server.
    Lost {
        receiver: usize,
        why: String,
    },
    /// It saw what must not be.
    Fault {
        receiver: usize,
        fault: Fault,
    },
    /// It was not greeted in time.
    NotGreeted {
        receiver: usize,
    },
    /// It did not get everything in time.
    Incomplete {
        receiver: usize,
        has: u64,
        sent: u64,
        others: usize,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(what) => write!(f, "{what}"),
            Failure::Io(error) => write!(f, "{error}"),
            Failure::NotAdmitted { receiver, why } => write!(f, "Receiver {receiver} was not let in: {why}"),
            Failure::Lost { receiver, why } => write!(f, "Receiver {receiver} was cut off: {why}."),
            Failure::Fault { receiver, fault } => write!(f, "Receiver {receiver}: {fault}."),
            Failure::NotGreeted { receiver } => write!(f, "Receiver {receiver} got no hello."),
            Failure::Incomplete { receiver, has, sent, others } => {
                write!(f, "Receiver {receiver} has only the first {has} of {sent} messages")?;
                if *others > 0 { write!(f, ", and {others} others lack some, too.") } else { write!(f, ".") }
            }
        }
    }
}
