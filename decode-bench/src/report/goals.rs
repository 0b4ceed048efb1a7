//! What the decoder was to reach, and what it reached in this run.

use serde::Serialize;
use tongguan::decode::Settings;
use tongguan_sim::corpus::{Factor, Mix, Special};

use super::Report;
use crate::corpora::Kind;
use crate::readers::Which::{self, Ours, Thorough, Zxing};

#[derive(Debug, Serialize)]
pub(super) struct Goal {
    pub(super) goal: String,
    pub(super) figure: String,
    /// `None` where this run has no figure for it.
    pub(super) reached: Option<bool>,
}

impl Goal {
    fn new(goal: impl Into<String>, found: Option<(String, bool)>) -> Self {
        let (figure, reached) = found.map_or((String::new(), None), |(figure, reached)| (figure, Some(reached)));
        Self { goal: goal.into(), figure, reached }
    }
}

const MIXES: [Kind; 3] = [Kind::Mix(Mix::Easy), Kind::Mix(Mix::Medium), Kind::Mix(Mix::Hard)];

pub(super) fn goals(report: &Report) -> Vec<Goal> {
    let mut goals = Vec::new();
    for (kind, percent) in MIXES.into_iter().zip([99.5, 98.0, 60.0]) {
        goals.push(at_least(report, kind, Ours, percent, "gate budget"));
    }
    goals.push(at_least(report, Kind::Jsqr, Ours, 96.5, "gate budget"));
    goals.push(at_least(report, Kind::Jsqr, Thorough, 96.5, "thorough"));
    goals.push(Goal::new("every factor reaches at least as far as zxing-cpp", reach(report)));
    goals.push(Goal::new("monitors: no case lost that zxing-cpp reads", monitors(report)));
    for special in [Special::CloseUp, Special::Dense, Special::Many] {
        let kind = Kind::Special(special);
        goals.push(Goal::new(format!("{}: at least 95 % of zxing-cpp's", kind.name()), share(report, kind)));
    }
    goals.push(cpu(report, "phone frames (the three mixes)", &MIXES, 1.0));
    goals.push(cpu(report, "unreadable frames", &[Kind::Special(Special::Unreadable)], 0.7));
    goals.push(cpu(report, "empty frames, each the first one seen", &[Kind::Special(Special::Empty)], 0.2));
    goals.push(cpu(report, "empty frames of a film (`waiting`), memory kept", &[Kind::Waiting], 0.2));
    goals.push(Goal::new("p99 of every corpus within the budget, +10 %", within_budget(report)));
    goals.extend(sequences(report));
    goals.extend(faults(report));
    goals
}

fn at_least(report: &Report, kind: Kind, which: Which, percent: f64, row: &str) -> Goal {
    let found = report.total(&[kind], which).map(|tally| {
        let rate = tally.rate();
        (format!("{rate:.1} % of {}", tally.frames), rate >= percent)
    });
    Goal::new(format!("{}, {row}: at least {percent} %", kind.name()), found)
}

/// `None` unless zxing-cpp and every factor took part.
fn reach(report: &Report) -> Option<(String, bool)> {
    let mut short = Vec::new();
    for factor in Factor::ALL {
        let outcome = report.of(Kind::Sweep(factor))?;
        // No level reached is less than the first one.
        let [ours, zxing] = [outcome.reach(Ours)?, outcome.reach(Zxing)?];
        if ours < zxing {
            let name = |place: Option<usize>| place.map_or("none".into(), |place| outcome.kind.places()[place].clone());
            short.push(format!("{} ({} against {})", factor.name(), name(ours), name(zxing)));
        }
    }
    let all = Factor::ALL.len();
    let figure = format!("{} of {all}", all - short.len());
    let reached = short.is_empty();
    Some((if reached { figure } else { format!("{figure}; not {}", short.join(", ")) }, reached))
}

fn monitors(report: &Report) -> Option<(String, bool)> {
    let kind = [Kind::Special(Special::Monitor)];
    report.total(&kind, Zxing)?;
    let ours = report.total(&kind, Ours)?;
    Some((format!("{} of {} lost", ours.lost, ours.frames), ours.lost == 0))
}

fn share(report: &Report, kind: Kind) -> Option<(String, bool)> {
    let [ours, zxing] = [report.total(&[kind], Ours)?.rate(), report.total(&[kind], Zxing)?.rate()];
    Some((format!("{ours:.1} % against {zxing:.1} %"), ours >= 0.95 * zxing))
}

fn cpu(report: &Report, frames: &str, kinds: &[Kind], most: f64) -> Goal {
    let found = report.total(kinds, Ours).zip(report.total(kinds, Zxing)).map(|(ours, zxing)| {
        let [ours, zxing] = [ours.cpu().mean, zxing.cpu().mean];
        let ratio = ours / zxing;
        (format!("{ratio:.2} x ({ours:.2} ms against {zxing:.2} ms)"), ratio <= most)
    });
    Goal::new(format!("mean CPU on {frames}: at most {most:.1} x zxing-cpp's"), found)
}

/// Each reader of the house against its own budget, on the corpus that costs it most.
fn within_budget(report: &Report) -> Option<(String, bool)> {
    let mut figures = Vec::new();
    let mut reached = true;
    for (which, budget) in [(Ours, Settings::default().budget), (Thorough, Settings::thorough().budget)] {
        let p99 = |kind: Kind| Some((report.total(&[kind], which)?.cpu().p99, kind.name()));
        let worst = report.outcomes.iter().filter_map(|o| p99(o.kind)).max_by(|a, b| a.0.total_cmp(&b.0));
        let Some((worst, name)) = worst else { continue };
        let budget = budget.as_secs_f64() * 1000.0;
        figures.push(format!("{}: {worst:.1} ms of {budget:.0} ms ({name})", which.name()));
        reached &= worst <= budget * 1.1;
    }
    (!figures.is_empty()).then(|| (figures.join("; "), reached))
}

fn sequences(report: &Report) -> Vec<Goal> {
    let places = report.of(Kind::Sequences).and_then(|outcome| outcome.places(Ours));
    let by = |place: usize, percent: f64| {
        let tally = places.as_ref()?.get(place).copied()?;
        let rate = tally.rate_so_far();
        Some((format!("{rate:.1} % of {}", tally.frames), rate >= percent))
    };
    vec![
        Goal::new("hard sequences: at least 65 % on the first frame", by(0, 65.0)),
        Goal::new("hard sequences: at least 88 % by the sixth frame", by(5, 88.0)),
    ]
}

fn faults(report: &Report) -> Vec<Goal> {
    let (mut frames, mut misreads, mut panics) = (0, 0, 0);
    for tally in report.outcomes.iter().flat_map(|o| [o.total(Ours), o.total(Thorough)]).flatten() {
        frames += tally.frames;
        misreads += tally.misreads;
        panics += tally.panics;
    }
    let none = |count: u64| (frames > 0).then(|| (format!("{count} in {frames} looks"), count == 0));
    vec![
        Goal::new("no misreads, in both rows of ours", none(misreads)),
        Goal::new("no panics, in both rows of ours", none(panics)),
    ]
}
