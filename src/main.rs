//! The command line of the checkpoint.

mod cli;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    // SQLite's migrations are no news to anybody.
    let default = || "info,rusqlite_migration=warn".into();
    let filter = tracing_subscriber::EnvFilter::try_from_env("TONGGUAN_LOG").unwrap_or_else(|_| default());
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    log.with_target(false).with_ansi(colours).init();
    match cli::Cli::parse().run() {
        Ok(cli::Answer::Yes) => ExitCode::SUCCESS,
        Ok(cli::Answer::No) => ExitCode::from(1),
        Err(error) => {
            tracing::error!("{}", cli::in_words(&error));
            ExitCode::from(2)
        }
    }
}
