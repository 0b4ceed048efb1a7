//! The checkpoint's decoder beside the best free ones, on the same frames in one run.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of frames, milliseconds and grey levels"
)]

mod callgrind;
mod corpora;
mod cpu;
mod failures;
mod misreads;
mod pictures;
mod readers;
mod report;
mod run;
mod shot;
mod show;
mod table;
mod tally;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use corpora::{Corpus, Kind};
use readers::Which;
use report::Report;

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
    /// Look for misreads and panics of ours in generated frames of all kinds; exit code 1 if there are any
    Misreads(Misreads),
    /// Write the five fixed frames of callgrind.sh as PNG files
    CallgrindFrames {
        /// Where they go
        dir: PathBuf,
    },
    /// One look of ours at one picture, with a budget that valgrind cannot spend
    Once {
        /// The picture
        file: PathBuf,
    },
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
    /// Also write README.md, results.json and plots there; counts instructions by callgrind.sh
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// Instruction counts that callgrind.sh printed, instead of running it
    #[arg(long, value_name = "FILE", requires = "report")]
    callgrind: Option<PathBuf>,
}

#[derive(Args)]
struct Misreads {
    /// How many frames
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    frames: u64,
    /// Seed of the generator
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Take a seed that nobody has seen yet, and say which
    #[arg(long, conflicts_with = "seed")]
    fresh: bool,
    #[arg(long, default_value_t = 2)]
    threads: usize,
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

/// The seed that was asked for, or a new one.
fn seed(seed: u64, fresh: bool) -> Result<u64> {
    if !fresh {
        return Ok(seed);
    }
    let seed = u64::from(getrandom::u32().map_err(|e| anyhow::anyhow!("the system gives no random seed: {e}"))?);
    eprintln!("seed {seed}");
    Ok(seed)
}

impl Frames {
    fn seed(&self) -> Result<u64> {
        seed(self.seed, self.fresh)
    }

    fn of_each_mix(&self) -> u64 {
        if self.quick { 60 } else { self.frames }
    }

    fn corpora(&self, seed: u64) -> Result<Vec<Corpus>> {
        let frames = self.of_each_mix();
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
            Command::Compare(compare) => compare.run()?,
            Command::Misreads(misreads) => {
                let seed = seed(misreads.seed, misreads.fresh)?;
                let wrong = misreads::misreads(misreads.frames, seed, misreads.threads)?;
                println!("{wrong} of at least {} frames misread or panicked on, seed {seed}", misreads.frames);
                return Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE });
            }
            Command::CallgrindFrames { dir } => callgrind::frames(&dir)?,
            Command::Once { file } => callgrind::once(&file)?,
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

impl Compare {
    fn run(self) -> Result<()> {
        let seed = self.frames.seed()?;
        let readers = all_if_none(&self.readers);
        // What cannot be read is said before the long run, not after it.
        let instructions = match &self.report {
            Some(_) => report::instructions(self.callgrind.as_deref())?,
            None => None,
        };
        let mut outcomes = Vec::new();
        for corpus in self.frames.corpora(seed)? {
            let outcome = run::run(&corpus, &readers, self.frames.threads, &|_, _| Ok(()))?;
            table::print(&outcome);
            outcomes.push(outcome);
        }
        if let Some(folder) = &self.report {
            let frames = self.frames.of_each_mix();
            let only = self.frames.only;
            Report { seed, frames, only, readers, outcomes, instructions }.write(folder)?;
            println!("\nreport written to {}", folder.display());
        }
        Ok(())
    }
}
