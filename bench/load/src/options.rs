//! What is asked for on the command line.

use std::fmt::Display;
use std::str::FromStr;

use crate::failure::Failure;

pub const USAGE: &str = "\
chat-load --url ws://HOST:PORT/PATH?token={token} [--dialect classic|v1] [--receivers N] [--window N]
          [--seconds S] [--warm-up S] [--size CHARS] [--pause-ms MS] [--patience S] [--server-pid PID]   < tokens

{token} is replaced by a line of stdin for each receiver; fewer lines than receivers are used in turn.
Prints one line of JSON; ends with 1 and a sentence when a message is lost, doubled, out of order or altered.";

/// The subprotocol of v1.
pub const V1: &str = "project-chat.v1";

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dialect {
    /// One JSON object per frame.
    Classic,
    /// Subprotocol `project-chat.v1`: a frame is a JSON array of events, the first of which is `hello`.
    V1,
}

#[derive(Clone, Debug)]
pub struct Options {
    /// Where receivers connect; `{token}` in it is replaced.
    pub url: String,
    pub dialect: Dialect,
    /// How many sockets, the sender's included. Default 1.
    pub receivers: usize,
    /// How many messages the sender may have under way. Default 128.
    pub window: usize,
    /// How long is measured. Default 3.
    pub seconds: f64,
    /// How long messages are sent before measuring begins. Default 1.
    pub warm_up_s: f64,
    /// Length of a message in characters (ASCII). Default 64.
    pub size: usize,
    /// Milliseconds of silence between an acknowledgement and the next message. Default 0.
    pub pause_ms: u64,
    /// Seconds that a server has to greet everybody, and at the end to deliver what is still under way. Default 20.
    pub patience_s: f64,
    /// The process whose CPU time is told per delivery.
    pub server_pid: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            url: String::new(),
            dialect: Dialect::Classic,
            receivers: 1,
            window: 128,
            seconds: 3.0,
            warm_up_s: 1.0,
            size: 64,
            pause_ms: 0,
            patience_s: 20.0,
            server_pid: None,
        }
    }
}

impl Options {
    pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Options, Failure> {
        let mut options = Options::default();
        while let Some(name) = args.next() {
            let value = args.next().ok_or_else(|| Failure::Usage(format!("{name} needs a value.")))?;
            match name.as_str() {
                "--url" => options.url = value,
                "--dialect" => options.dialect = dialect(&value)?,
                "--receivers" => options.receivers = number(&name, &value, 1)?,
                "--window" => options.window = number(&name, &value, 1)?,
                "--seconds" => options.seconds = number(&name, &value, 0.0)?,
                "--warm-up" => options.warm_up_s = number(&name, &value, 0.0)?,
                "--size" => options.size = number(&name, &value, 1)?,
                "--pause-ms" => options.pause_ms = number(&name, &value, 0)?,
                "--patience" => options.patience_s = number(&name, &value, 0.0)?,
                "--server-pid" => options.server_pid = Some(number(&name, &value, 1)?),
                _ => return Err(Failure::Usage(format!("{name} is not known."))),
            }
        }
        if options.url.is_empty() {
            return Err(Failure::Usage("--url is missing.".into()));
        }
        Ok(options)
    }

    pub fn needs_tokens(&self) -> bool {
        self.url.contains("{token}")
    }
}

fn dialect(value: &str) -> Result<Dialect, Failure> {
    match value {
        "classic" => Ok(Dialect::Classic),
        "v1" => Ok(Dialect::V1),
        _ => Err(Failure::Usage(format!("--dialect is classic or v1, not {value}."))),
    }
}

fn number<T: FromStr + PartialOrd + Display>(name: &str, value: &str, least: T) -> Result<T, Failure> {
    match value.parse() {
        Ok(number) if number >= least => Ok(number),
        _ => Err(Failure::Usage(format!("{name} is a number of at least {least}, not {value}."))),
    }
}
