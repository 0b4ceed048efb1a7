//! `tongguan-registry`: the command line. What it does is in the library; here it is asked for and shown.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
