//! The page to read.

use std::fmt::Write as _;

use tongguan::decode::Settings;
use tongguan_sim::corpus::Factor;

use super::goals::Goal;
use super::{Report, machine};
use crate::corpora::Kind;
use crate::run::Event;

/// How many misreads and panics of one reader in one corpus are named.
const NAMED: usize = 5;

pub(super) fn page(report: &Report, goals: &[Goal], plots: &[Factor], remarks: Option<&str>) -> String {
    let mut page = intro(report);
    page += &goals_table(goals);
    if let Some(remarks) = remarks {
        let _ = write!(page, "\n## Remarks\n\n{}\n", remarks.trim());
    }
    page += &rates(report);
    page += &sequences(report);
    page += &reach(report);
    page += &links(plots);
    page += &instructions(report);
    page += &faults(report);
    page
}

fn intro(report: &Report) -> String {
    let ms = |settings: Settings| settings.budget.as_millis();
    format!(
        "# How well codes are read\n\n\
         The checkpoint's decoder beside zxing-cpp (all aids on), rxing (all aids on) and rqrr alone, on the same frames in one run.\n\
         Frames come from the generator in `sim/`; the photos are jsQR's test pictures and pictures without a code, which are not\n\
         in this repository. `ours` has the budget of a gate ({} ms CPU a frame) and forgets between frames, but in films;\n\
         `thorough` has that of a still picture ({} ms). CPU figures are CPU time of the reading thread: compare them within a run.\n\n\
         Seed {}, {} frames of each mix, a fixed part of it of the others. Machine: {}. To repeat, in `decode-bench/`:\n\n\
         ```\ncargo run --release -- {} --report ../docs/decode\n```\n\n\
         A code counts as decoded when its exact bytes are given. In `many` each code is a share of its frame; a photo whose text\n\
         nobody wrote down counts when anything is read. rxing gives text and no bytes: codes in another charset than UTF-8 count\n\
         against it, as not decoded and as misread.\n",
        ms(Settings::default()),
        ms(Settings::thorough()),
        report.seed,
        report.frames,
        machine(),
        report.command(),
    )
}

fn goals_table(goals: &[Goal]) -> String {
    let mut text = "\n## Goals\n\n| goal | figure | |\n| --- | --- | --- |\n".to_owned();
    for goal in goals {
        let word = match goal.reached {
            Some(true) => "reached",
            Some(false) => "**not reached**",
            None => "not measured",
        };
        let _ = writeln!(text, "| {} | {} | {word} |", goal.goal, goal.figure);
    }
    text
}

fn rates(report: &Report) -> String {
    let mut text =
        "\n## Decode rate and CPU\n\n`lost`: codes that zxing-cpp reads and this reader does not; `won`: the \
                    other way round. CPU in milliseconds.\n\n\
                    | corpus | frames | reader | decoded % | lost | won | misreads | panics | mean | p50 | p99 |\n\
                    | --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
            .to_owned();
    for outcome in &report.outcomes {
        let (mut name, mut frames) = (outcome.kind.name().to_owned(), None);
        for which in &outcome.readers {
            let Some(t) = outcome.total(*which) else { continue };
            let count = if frames.is_none() { t.frames.to_string() } else { String::new() };
            frames = Some(t.frames);
            let cpu = t.cpu();
            let reader = which.name();
            let _ = writeln!(
                text,
                "| {name} | {count} | {reader} | {:.1} | {} | {} | {} | {} | {:.2} | {:.2} | {:.2} |",
                t.rate(),
                t.lost,
                t.won,
                t.misreads,
                t.panics,
                cpu.mean,
                cpu.p50,
                cpu.p99
            );
            name.clear();
        }
    }
    text
}

fn sequences(report: &Report) -> String {
    let Some(outcome) = report.of(Kind::Sequences) else { return String::new() };
    let mut text = "\n## Hard sequences\n\nDecoded by frame 1 to 6 of a film, in percent.\n\n\
                    | reader | 1 | 2 | 3 | 4 | 5 | 6 |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        .to_owned();
    for which in &outcome.readers {
        let places = outcome.places(*which).unwrap_or_default();
        let rates: Vec<String> = places.iter().map(|tally| format!("{:.1}", tally.rate_so_far())).collect();
        let _ = writeln!(text, "| {} | {} |", which.name(), rates.join(" | "));
    }
    text
}

fn reach(report: &Report) -> String {
    let sweeps: Vec<_> = report.outcomes.iter().filter(|o| matches!(o.kind, Kind::Sweep(_))).collect();
    let Some(first) = sweeps.first() else { return String::new() };
    let frames = first.takes / first.kind.places().len().max(1) as u64;
    let names: Vec<_> = first.readers.iter().map(|which| which.name()).collect();
    let mut text = format!(
        "\n## Reach of each factor\n\nThe last level, from the harmless end, up to which every level has at least 90 % \
         decoded; {frames} frames a level.\n\n| factor | levels | {} |\n| --- | --- |{}\n",
        names.join(" | "),
        " ---: |".repeat(names.len())
    );
    for outcome in sweeps {
        let Kind::Sweep(factor) = outcome.kind else { continue };
        let levels = outcome.kind.places();
        let ends = format!("{} to {} {}", levels[0], levels[levels.len() - 1], factor.unit());
        let name = |place: Option<usize>| place.map_or("none".into(), |place| levels[place].clone());
        let reach: Vec<String> = outcome.readers.iter().map(|which| name(outcome.reach(*which).flatten())).collect();
        let _ = writeln!(text, "| {} | {} | {} |", factor.name(), ends.trim(), reach.join(" | "));
    }
    text
}

fn links(plots: &[Factor]) -> String {
    if plots.is_empty() {
        return String::new();
    }
    let links: Vec<String> = plots.iter().map(|factor| format!("[{0}]({0}.png)", factor.name())).collect();
    format!("\nPlots of the decode rate over the level: {}.\n", links.join(" · "))
}

fn instructions(report: &Report) -> String {
    let Some(counts) = &report.instructions else {
        return "\n## Instructions\n\nNot counted in this run: see `decode-bench/callgrind.sh`.\n".to_owned();
    };
    let mut text = "\n## Instructions\n\nOf one look of a new decoder at fixed frames (seed 1), counted by callgrind, \
                    without a limit of the budget.\n\n| frame | instructions |\n| --- | ---: |\n"
        .to_owned();
    for (frame, count) in counts {
        let _ = writeln!(text, "| {frame} | {} |", grouped(*count));
    }
    text
}

/// 12,345,678.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let comma = |i: usize| if i > 0 && (digits.len() - i).is_multiple_of(3) { "," } else { "" };
    digits.char_indices().map(|(i, digit)| format!("{}{digit}", comma(i))).collect()
}

fn faults(report: &Report) -> String {
    let mut text = String::new();
    for outcome in &report.outcomes {
        for which in &outcome.readers {
            let is_fault = |n: &&crate::run::Note| n.reader == which.name() && n.event != Event::Lost;
            let faults: Vec<_> = outcome.notes.iter().filter(is_fault).collect();
            for note in faults.iter().take(NAMED) {
                let event = if note.event == Event::Panic { "panics" } else { "misreads" };
                let detail = note.detail.replace('`', "'");
                let detail = if detail.is_empty() { detail } else { format!(": `{detail}`") };
                let _ = writeln!(text, "- {} {event} {}{detail}", note.reader, note.frame);
            }
            if faults.len() > NAMED {
                let _ = writeln!(
                    text,
                    "- and {} more of {} in {}",
                    faults.len() - NAMED,
                    which.name(),
                    outcome.kind.name()
                );
            }
        }
    }
    if text.is_empty() { text } else { format!("\n## Misreads and panics\n\n{text}") }
}
