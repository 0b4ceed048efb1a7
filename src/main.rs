//! The command line of the checkpoint.

mod cli;
mod log;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    // Held to the end, so that the last words come out.
    let _log = if cli.keeps_running() {
        // Without a thread for the log there will be none for the gate, and that is said.
        log::start_without_waiting().map_err(|_| log::start()).ok()
    } else {
        log::start();
        None
    };
    match cli.run() {
        Ok(cli::Answer::Yes) => ExitCode::SUCCESS,
        Ok(cli::Answer::No) => ExitCode::from(1),
        Err(error) => {
            tracing::error!("{}", cli::in_words(&error));
            ExitCode::from(2)
        }
    }
}
