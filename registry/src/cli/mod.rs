//! The command line: arguments in, acts called, results out; exit 0 done, 1 refused, 2 misuse or error.

mod args;
mod event;
mod intake;
mod keys;
mod output;
mod people;
mod places;
mod policy;
mod roster;
mod run;

use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;
use tracing_subscriber::EnvFilter;

use args::{Args, Command};
use output::{Failure, Output};

pub(crate) fn main() -> ExitCode {
    let given: Vec<OsString> = std::env::args_os().collect();
    let args = match Args::try_parse_from(&given) {
        Ok(args) => args,
        Err(error) => return misused(&error, given.iter().any(|a| a == "--json")),
    };
    log_to_stderr(&args);
    let output = Output::new(args.json);
    match run::run(args, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output.fail(&failure),
    }
}

fn misused(error: &clap::Error, json: bool) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if json {
        let text = error.to_string();
        // The first paragraph says what is wrong; the rest is the usage.
        let wrong = text.trim_start_matches("error: ").split("\n\n").next().unwrap_or_default();
        let words: Vec<&str> = wrong.split_whitespace().collect();
        return Output::new(true).fail(&Failure::misuse(words.join(" ")));
    }
    let _ = error.print();
    ExitCode::from(2)
}

/// A server tells what it does; a command only what is wrong.
fn log_to_stderr(args: &Args) {
    let usual = if matches!(args.command, Command::Serve { .. }) { "info,rusqlite_migration=warn" } else { "warn" };
    let mut filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    // At trace it would show every byte of a request to whoever sends messages, and the secrets in its head.
    if let Ok(quiet) = "ureq_proto=off".parse() {
        filter = filter.add_directive(quiet);
    }
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .try_init();
}
