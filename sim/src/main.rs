//! `tongguan-sim`: frames of codes in front of a gate's camera, and the demo that walks through them.

mod demo;
mod frames;
mod pictures;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A phone in front of a gate's camera, simulated.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "Exit code: 0 done, 1 a case of the walk had another verdict than it must, 2 misuse or an error."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Draw frames of one code being brought to the camera, held and taken away, or frames of the corpus.
    Frames(frames::Args),
    /// Start a registry and a checkpoint in a throw-away folder and show the checkpoint one case after the other.
    Demo(demo::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Frames(args) => frames::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Demo(args) => demo::run(&args),
    };
    done.unwrap_or_else(|error| {
        complain(&error);
        ExitCode::from(2)
    })
}

#[expect(clippy::print_stderr, reason = "errors of a command line program go to standard error")]
fn complain(error: &anyhow::Error) {
    eprintln!("tongguan-sim: {error:#}");
}
