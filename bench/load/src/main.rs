use std::io::{BufRead, stdin};
use std::process::ExitCode;

use chat_load::failure::Failure;
use chat_load::options::{Options, USAGE};
use chat_load::run;

/// Tokens come in on stdin, one per line, so that they stand in no process list.
fn main() -> ExitCode {
    match measured() {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(Failure::Usage(what)) => {
            eprintln!("{what}\n\n{USAGE}");
            ExitCode::from(2)
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn measured() -> Result<String, Failure> {
    let options = Options::parse(std::env::args().skip(1))?;
    let tokens = match options.needs_tokens() {
        true => stdin().lock().lines().collect::<Result<Vec<_>, _>>().map_err(Failure::Io)?,
        false => Vec::new(),
    };
    let report = run(&options, &tokens)?;
    serde_json::to_string(&report).map_err(|error| Failure::Io(error.into()))
}
