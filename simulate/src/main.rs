//! `tongguan-simulate`: thousands of runs from seeds, and power cuts at every step. See README.md beside `src`.

mod summary;

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use clap::{Parser, Subcommand};
use tongguan_simulate::disk::Syncs;
use tongguan_simulate::power_cut::{Thoroughness, cut_set_up, rehearse};
use tongguan_simulate::run::{Outcome, run};
use tongguan_simulate::tally::Tally;

/// A city's registry, its gates and everything that goes wrong around them, simulated from a seed.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "Exit code: 0 all was as it must be, 1 something was not, 2 misuse or an error."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Play whole cities, each from a seed, under a perfect observer.
    Runs {
        /// How many.
        #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
        seeds: u64,
        /// The first seed.
        #[arg(long, default_value_t = 1)]
        from: u64,
        /// Show each of the last steps even if all was well.
        #[arg(long)]
        trace: bool,
    },
    /// Cut the power at every step of a gate's databases to the disk.
    PowerCut {
        /// Draws of what is left of the writes that were not synced.
        #[arg(long, default_value_t = 4)]
        draws: u64,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Runs { seeds, from, trace } => runs(seeds, from, trace),
        Command::PowerCut { draws } => power_cut(draws),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            err(&format!("tongguan-simulate: {error:#}\n"));
            ExitCode::from(2)
        }
    }
}

/// Plays the seeds in as many threads as there are cores.
fn runs(seeds: u64, from: u64, trace: bool) -> anyhow::Result<bool> {
    // A panic is told with its seed.
    std::panic::set_hook(Box::new(|_| {}));
    let to = from.saturating_add(seeds);
    let (next, played) = (AtomicU64::new(from), Mutex::new((Tally::default(), BTreeMap::new(), 0_u64)));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= to {
                        return;
                    }
                    let outcome = run(seed);
                    let mut played = played.lock().unwrap_or_else(PoisonError::into_inner);
                    played.0.add(&outcome.tally);
                    played.2 += 1;
                    let (done, failed) = (played.2, played.1.len());
                    progress(&format!("{done} of {seeds} runs, {failed} failed"), done == seeds);
                    if outcome.failure.is_some() || trace {
                        played.1.insert(seed, outcome);
                    }
                }
            });
        }
    });
    let (tally, outcomes, _) = played.into_inner().unwrap_or_else(PoisonError::into_inner);
    let failed = outcomes.values().filter(|o| o.failure.is_some()).count();
    // The others are likely the same.
    outcomes.iter().take(5).for_each(|(seed, outcome)| tell(*seed, outcome));
    out(&summary::table(&tally));
    let missing = summary::missing(&tally);
    if seeds >= summary::ENOUGH && !missing.is_empty() {
        out(&format!("\nNever happened, so nothing is shown of it: {}\n", missing.join("; ")));
    }
    out(&format!("\n{seeds} runs, seeds {from} to {}: {failed} failed\n", to - 1));
    if let Some(seed) = outcomes.iter().find(|(_, o)| o.failure.is_some()).map(|(seed, _)| seed) {
        out(&format!("again: make simulate SEEDS=1 FROM={seed}\n"));
    }
    Ok(failed == 0 && (seeds < summary::ENOUGH || missing.is_empty()))
}

fn tell(seed: u64, outcome: &Outcome) {
    let mut text = format!("\nseed {seed}, its last steps:\n");
    outcome.trace.lines().for_each(|line| text.push_str(&format!("  {line}\n")));
    if let Some(failure) = &outcome.failure {
        text.push_str(&format!("FAILED: {failure}\nagain: make simulate SEEDS=1 FROM={seed}\n"));
    }
    out(&text);
}

fn power_cut(draws: u64) -> anyhow::Result<bool> {
    let how = Thoroughness { every: 1, draws };
    let folders = cut_set_up(how)?;
    out(&format!("set up: {folders} folders that a power cut left, each set up again\n"));
    let outcome = rehearse(Syncs::Honest, true)?.cut_everywhere(how)?;
    out(&summary::table(&outcome.tally));
    outcome.failures.iter().take(20).for_each(|failure| out(&format!("FAILED: {failure}\n")));
    let (steps, failed) = (outcome.steps, outcome.failures.len());
    out(&format!("\npower cut after each of {steps} steps, {} folders opened: {failed} failed\n", outcome.folders));
    // A net that catches nothing shows nothing.
    let lying = rehearse(Syncs::Ignored, false)?.cut_everywhere(Thoroughness { every: 5, draws: 1 })?;
    let found = lying.failures.len();
    out(&format!("the same on a card that only says that it has written: {found} of {} failed\n", lying.folders));
    if found == 0 {
        out("FAILED: the losses of such a card were not found\n");
    }
    Ok(failed == 0 && found > 0)
}

/// Over itself on a terminal; nowhere else.
fn progress(line: &str, last: bool) {
    if std::io::stderr().is_terminal() {
        err(&format!("\r{line}{}", if last { "\n" } else { " " }));
    }
}

#[expect(clippy::print_stdout, reason = "the answer of a command line program")]
fn out(text: &str) {
    print!("{text}");
    std::io::stdout().flush().ok();
}

#[expect(clippy::print_stderr, reason = "errors and progress of a command line program go to standard error")]
fn err(text: &str) {
    eprint!("{text}");
}
