//! The outcome as text for a terminal.

use crate::corpora::Kind;
use crate::readers::Which;
use crate::run::{Event, Outcome};

/// How many misreads and panics are named below a table.
const NAMED: usize = 12;

pub(crate) fn print(outcome: &Outcome) {
    let kind = outcome.kind;
    println!("\n{} ({} frames)", kind.name(), outcome.total(outcome.readers[0]).unwrap_or_default().frames);
    match kind {
        Kind::Sweep(factor) => {
            print!("  {:9}", factor.unit());
            kind.places().iter().for_each(|level| print!("{level:>7}"));
            println!("  reaches");
            for which in &outcome.readers {
                print!("  {:9}", which.name());
                for tally in outcome.places(*which).unwrap_or_default() {
                    print!("{:>7.0}", tally.rate());
                }
                let reach = outcome.reach(*which).flatten().map(|place| kind.places()[place].clone());
                println!("  {}", reach.unwrap_or_else(|| "none".into()));
            }
        }
        Kind::Sequences => {
            for which in &outcome.readers {
                print!("  {:9}by frame 1 to 6:", which.name());
                for tally in outcome.places(*which).unwrap_or_default() {
                    print!("{:>7.1}", tally.rate_so_far());
                }
                println!(" %");
            }
        }
        _ => {}
    }
    totals(outcome);
}

fn totals(outcome: &Outcome) {
    let head = ["decoded", "misread", "panic", "lost", "won", "mean ms", "p50", "p99", "max"];
    print!("  {:9}", "");
    head.iter().for_each(|name| print!("{name:>9}"));
    println!();
    for which in &outcome.readers {
        let Some(tally) = outcome.total(*which) else { continue };
        let cpu = tally.cpu();
        let against = if outcome.readers.contains(&Which::Zxing) {
            [tally.lost.to_string(), tally.won.to_string()]
        } else {
            ["-".into(), "-".into()]
        };
        print!("  {:9}{:>7.1} %{:>9}{:>9}", which.name(), tally.rate(), tally.misreads, tally.panics);
        print!("{:>9}{:>9}", against[0], against[1]);
        println!("{:>9.2}{:>9.2}{:>9.2}{:>9.2}", cpu.mean, cpu.p50, cpu.p99, cpu.max);
    }
    let events = outcome.notes.iter().filter(|note| note.event != Event::Lost);
    for note in events.clone().take(NAMED) {
        println!("  {} {:?} {}: {}", note.reader, note.event, note.frame, note.detail);
    }
    let more = events.count().saturating_sub(NAMED);
    if more > 0 {
        println!("  ... and {more} more");
    }
}
