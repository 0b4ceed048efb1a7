//! The checkpoint's decoder beside the best free ones, on the same frames in one run.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of frames, milliseconds and grey levels"
)]

mod corpora;
mod cpu;
mod failures;
mod pictures;
mod readers;
mod run;
mod show;
mod shot;
mod table;
mod tally;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use corpora::{Corpus, Kind};
use readers::Which;

/// Holds the checkpoint's QR decoder against zxing-cpp, rxing and rqrr.
///
/// Frames come from the generator (a seed and an index give the same frame on every machine) and, where the folder is
/// present, from real photos. CPU figures are CPU time of the thread that reads.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Decode rate and CPU of every reader on every corpus
    Compare(Compare),
    /// What each reader says about one frame
    Show(Show),
    /// Write the frames that zxing reads and ours does not as PNG files
    Failures(Failures),
}

/// Which frames.
#[derive(Args)]
struct Frames {
    /// Frames of each mix; the other corpora have a fixed part of it
    #[arg(long, default_value_t = 960, value_parser = clap::value_parser!(u64).range(1..))]
    frames: u64,
    /// About a minute: 60 frames of each mix
    #[arg(long, conflicts_with = "frames")]
    quick: bool,
    /// Seed of the generator, for development
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Take a seed that nobody has seen yet, and say which; for a report
    #[arg(long, conflicts_with = "seed")]
    fresh: bool,
    /// Only these corpora or groups (photos, mixes, specials, films, sweeps)
    #[arg(long, value_delimiter = ',', value_name = "NAME,...")]
    only: Vec<String>,
    /// The folder of real photos
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpora"))]
    corpora: PathBuf,
    /// Threads; CPU figures stay those of one thread
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

#[derive(Args)]
struct Compare {
    #[command(flatten)]
    frames: Frames,
    /// Only these readers
    #[arg(long, value_enum, value_delimiter = ',', value_name = "NAME,...")]
    readers: Vec<Which>,
}

#[derive(Args)]
struct Show {
    /// Picture files, or frames of the generator: hard:5, sequences:7, sequences:7:3, blur:0.35:5
    what: Vec<String>,
    /// The same as NAME:INDEX
    #[arg(long, value_name = "NAME", requires = "index")]
    mix: Option<String>,
    /// Index of the frame of --mix
    #[arg(long)]
    index: Option<u64>,
    /// Seed of the generator
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only these readers
    #[arg(long, value_enum, value_delimiter = ',', value_name = "NAME,...")]
    readers: Vec<Which>,
    /// Also write the frames there as PNG
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Args)]
struct Failures {
    #[command(flatten)]
    frames: Frames,
    /// Where the PNG files go
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The reader whose failures are wanted
    #[arg(long, value_enum, default_value_t = Which::Ours)]
    of: Which,
    /// The reader that reads them
    #[arg(long, value_enum, default_value_t = Which::Zxing)]
    by: Which,
}

impl Frames {
    fn seed(&self) -> Result<u64> {
        if !self.fresh {
            return Ok(self.seed);
        }
        let seed = u64::from(getrandom::u32().map_err(|e| anyhow::anyhow!("the system gives no random seed: {e}"))?);
        eprintln!("seed {seed}");
        Ok(seed)
    }

    fn corpora(&self, seed: u64) -> Result<Vec<Corpus>> {
        let frames = if self.quick { 60 } else { self.frames };
        let kinds = Kind::of(&self.only)?;
        let open = |kind| Corpus::open(kind, seed, frames, &self.corpora).transpose();
        kinds.into_iter().filter_map(open).collect()
    }
}

fn all_if_none(readers: &[Which]) -> Vec<Which> {
    Which::ALL.into_iter().filter(|which| readers.is_empty() || readers.contains(which)).collect()
}

fn main() -> ExitCode {
    readers::keep_quiet();
    match Cli::parse().run() {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("decode-bench: {problem:#}");
            ExitCode::from(2)
        }
    }
}

impl Cli {
    fn run(self) -> Result<ExitCode> {
        match self.command {
            Command::Compare(compare) => {
                let seed = compare.frames.seed()?;
                for corpus in compare.frames.corpora(seed)? {
                    let readers = all_if_none(&compare.readers);
                    let outcome = run::run(&corpus, &readers, compare.frames.threads, &|_, _| Ok(()))?;
                    table::print(&outcome);
                }
            }
            Command::Show(mut show) => {
                if let (Some(mix), Some(index)) = (show.mix, show.index) {
                    show.what.push(format!("{mix}:{index}"));
                }
                show::show(&show.what, show.seed, &all_if_none(&show.readers), show.out.as_deref())?;
            }
            Command::Failures(failures) => {
                let seed = failures.frames.seed()?;
                for corpus in failures.frames.corpora(seed)? {
                    let threads = failures.frames.threads;
                    let found = failures::failures(&corpus, failures.of, failures.by, threads, &failures.out)?;
                    println!("{found} frames written to {}", failures.out.display());
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
