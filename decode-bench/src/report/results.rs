//! The figures for programs.

use anyhow::Result;
use serde::Serialize;

use super::goals::Goal;
use super::{Report, machine};
use crate::readers::Which;
use crate::run::{Event, Note, Outcome};
use crate::tally::{Cpu, Tally};

#[derive(Serialize)]
struct Results<'a> {
    seed: u64,
    frames: u64,
    machine: String,
    command: String,
    goals: &'a [Goal],
    corpora: Vec<Corpus<'a>>,
    instructions: Option<std::collections::BTreeMap<&'a str, u64>>,
}

#[derive(Serialize)]
struct Corpus<'a> {
    name: &'static str,
    rows: Vec<Row>,
    /// Misreads and panics of all readers, and what ours loses.
    notes: Vec<&'a Note>,
}

#[derive(Serialize)]
struct Row {
    reader: &'static str,
    #[serde(flatten)]
    total: Figures,
    /// Levels of a sweep, frames of a sequence.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    places: Vec<Place>,
}

#[derive(Serialize)]
struct Place {
    place: String,
    frames: u64,
    decoded_percent: f64,
    decoded_so_far_percent: f64,
    cpu_mean_ms: f64,
}

#[derive(Serialize)]
struct Figures {
    frames: u64,
    decoded_percent: f64,
    decoded_so_far_percent: f64,
    misreads: u64,
    panics: u64,
    lost: u64,
    won: u64,
    cpu_ms: Cpu,
}

pub(super) fn results(report: &Report, goals: &[Goal]) -> Result<String> {
    let results = Results {
        seed: report.seed,
        frames: report.frames,
        machine: machine(),
        command: report.command(),
        goals,
        corpora: report.outcomes.iter().map(corpus).collect(),
        instructions: report.instructions.as_ref().map(|counts| counts.iter().map(|(f, n)| (f.as_str(), *n)).collect()),
    };
    Ok(serde_json::to_string_pretty(&results)? + "\n")
}

fn corpus(outcome: &Outcome) -> Corpus<'_> {
    let of_ours = |note: &Note| [Which::Ours, Which::Thorough].iter().any(|which| which.name() == note.reader);
    let notes = outcome.notes.iter().filter(|note| note.event != Event::Lost || of_ours(note)).collect();
    let rows = outcome.readers.iter().filter_map(|which| row(outcome, *which)).collect();
    Corpus { name: outcome.kind.name(), rows, notes }
}

fn row(outcome: &Outcome, which: Which) -> Option<Row> {
    let names = outcome.kind.places();
    let mut places = Vec::new();
    if names.len() > 1 {
        let tallies = outcome.places(which)?.into_iter();
        places = names.into_iter().zip(tallies).map(|(name, tally)| place(name, tally)).collect();
    }
    Some(Row { reader: which.name(), total: figures(&outcome.total(which)?), places })
}

fn place(place: String, tally: &Tally) -> Place {
    let Figures { frames, decoded_percent, decoded_so_far_percent, cpu_ms, .. } = figures(tally);
    Place { place, frames, decoded_percent, decoded_so_far_percent, cpu_mean_ms: cpu_ms.mean }
}

fn figures(tally: &Tally) -> Figures {
    let round = |x: f64, by: f64| (x * by).round() / by;
    let Cpu { mean, p50, p99, max } = tally.cpu();
    let [mean, p50, p99, max] = [mean, p50, p99, max].map(|ms| round(ms, 1000.0));
    Figures {
        frames: tally.frames,
        decoded_percent: round(tally.rate(), 100.0),
        decoded_so_far_percent: round(tally.rate_so_far(), 100.0),
        misreads: tally.misreads,
        panics: tally.panics,
        lost: tally.lost,
        won: tally.won,
        cpu_ms: Cpu { mean, p50, p99, max },
    }
}
