//! Commands and their options. Exit codes: 0 done or pass, 1 a deny or a failed check, 2 misuse or an error.

mod doctor;
mod guards;
mod note;
mod owner;
mod questions;
mod relay;
mod run;
mod support;
mod upkeep;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use serde::Serialize;
use tongguan::clock::{Linux, Settings, TrustedClock};
use tongguan::config::Config;
use tongguan::store::DataDir;

const EXAMPLES: &str = "\
Examples:
  tongguan init --data DIR --registry https://registry.example --root root.pub
  tongguan sync --data DIR                    fetch the lists, hand in the events
  tongguan run --data DIR                     the gate itself
  tongguan run --data DIR --camera 'replay:frames?fps=15&loop=0' --gate sim --screen none --events -
  tongguan verify --data DIR TG1:...          what the gate would say to a code

Exit codes: 0 done or pass, 1 a deny or a failed check, 2 misuse or an error.
Logs go to standard error; TONGGUAN_LOG=debug says more, TONGGUAN_LOG=warn less.";

/// The checkpoint of Tongguan (通关): sees a code, decides offline, opens the gate.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gate: camera, screen, relay, journal and sync.
    Run(run::RunArgs),
    /// Say what the decoder sees in pictures. Exit code 2 if one of them cannot be read.
    Decode(questions::DecodeArgs),
    /// Say what the gate would answer to a code. Exit code 0 for a pass, 1 for anything else.
    Verify(questions::VerifyArgs),
    /// Fetch the registry's lists and hand in the events, once, now.
    Sync(upkeep::SyncArgs),
    /// List the journal.
    Events(questions::EventsArgs),
    /// Write a note about an event, read from standard input, that only the registry can read.
    Note(note::NoteArgs),
    /// Say how this gate is, and what to do: lists, clock, keys, journal, and everything that can be tried: camera, decoder, pins,
    /// readers, screen, databases, registry. Exit code 1 if anything is red.
    Doctor(doctor::DoctorArgs),
    /// Pack what helps to find out what is wrong, without anybody's data, into one file.
    Support(support::SupportArgs),
    /// Say who may log in at this gate.
    Guard(guards::GuardArgs),
    /// Set relay, lamps and buzzer to the level at which they are off, after a gate that could not do so itself.
    Release(relay::ReleaseArgs),
    /// Let go of the relay when the gate's own program cannot; it is started by `run`
    #[command(name = tongguan::gate::KEEPER, hide = true)]
    Keep,
    /// Set up a data folder that trusts one registry.
    Init(upkeep::InitArgs),
}

/// The answer of a command that worked.
pub(crate) enum Answer {
    /// Done, or pass.
    Yes,
    /// A deny, or a check that failed.
    No,
}

impl Cli {
    /// Whether this is a gate or its keeper, which nobody may hold up, rather than a question or an errand.
    pub(crate) fn keeps_running(&self) -> bool {
        matches!(self.command, Command::Run(_) | Command::Keep)
    }

    pub(crate) fn run(self) -> anyhow::Result<Answer> {
        match self.command {
            Command::Run(args) => args.run(),
            Command::Decode(args) => args.run(),
            Command::Verify(args) => args.run(),
            Command::Sync(args) => args.run(),
            Command::Events(args) => args.run(),
            Command::Note(args) => args.run(),
            Command::Doctor(args) => args.run(),
            Command::Support(args) => args.run(),
            Command::Guard(args) => args.run(),
            Command::Release(args) => args.run(),
            Command::Keep => relay::keep(),
            Command::Init(args) => args.run(),
        }
    }
}

/// Where configuration and data are.
#[derive(Debug, Args)]
struct Place {
    /// The configuration [default: DATA/tongguan.toml, else /etc/tongguan/tongguan.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data folder [default: data_dir of the configuration]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Place {
    /// The configuration's file, if there is one.
    fn file(&self) -> Option<PathBuf> {
        let beside_data = self.data.as_ref().map(|data| data.join("tongguan.toml"));
        let candidates = [beside_data, Some("/etc/tongguan/tongguan.toml".into())];
        self.config.clone().or_else(|| candidates.into_iter().flatten().find(|path| path.exists()))
    }

    /// The configuration with its data folder decided.
    fn config(&self) -> anyhow::Result<Config> {
        let mut config = self.file().map(|path| Config::read(&path)).transpose()?.unwrap_or_default();
        if let Some(data) = &self.data {
            config.data_dir.clone_from(data);
        }
        Ok(config)
    }

    fn open(&self) -> anyhow::Result<(Config, DataDir)> {
        let config = self.config()?;
        owner::become_owner(&config.data_dir)?;
        let dir = DataDir::open(&config.data_dir)?;
        Ok((config, dir))
    }
}

/// The gate's clock, with what it remembers in the data folder.
fn clock(config: &Config, dir: &DataDir) -> TrustedClock<Linux> {
    let config = &config.clock;
    let settings = Settings {
        drift_ppm: config.drift_ppm,
        rtc_drift_ppm: config.rtc_drift_ppm,
        unsynced_error: Duration::from_secs(config.unsynced_error_s),
    };
    let rtc = (!config.rtc.as_os_str().is_empty()).then(|| config.rtc.clone());
    TrustedClock::new(Linux { rtc }, settings, Some(dir.clock_file()))
}

/// An error with its causes, each said once: many an error names its cause already.
pub(crate) fn in_words(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |said, cause| match said.as_str() {
        "" => cause,
        _ if said.contains(&cause) => said,
        _ => format!("{said}: {cause}"),
    })
}

/// Prints one JSON object a line.
fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let line = serde_json::to_string(value)?;
    print_line(&line)
}

/// Prints a line; a reader that has gone (`| head`) is no error of ours.
fn print_line(line: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        other => other.context("cannot write to standard output"),
    }
}

fn show(path: &Path) -> String {
    path.display().to_string()
}
