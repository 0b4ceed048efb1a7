//! Frames that one reader reads and another does not, as pictures to look at.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;

use crate::corpora::Corpus;
use crate::readers::Which;
use crate::run::run;
use crate::tally::judge;

/// Writes the frames of which `of` misses what `by` reads, or misreads something; says how many.
pub(crate) fn failures(corpus: &Corpus, of: Which, by: Which, threads: usize, out: &Path) -> Result<u64> {
    let found = AtomicU64::new(0);
    let readers = [of, by];
    let outcome = run(corpus, &readers, threads, &|take, readings| {
        for (shot, readings) in take.iter().zip(readings) {
            let [of, by] = [0, 1].map(|i| judge(corpus.kind, shot, readings, i.min(readings.len() - 1)));
            if by.decoded > of.decoded || !of.misreads.is_empty() || readings[0].1.panicked {
                found.fetch_add(1, Ordering::Relaxed);
                let why = of.misreads.first().map_or(String::new(), |text| format!("  MISREAD {text}"));
                println!("{}  {}{why}", shot.name, shot.what);
                crate::show::write(&shot.luma, out, &shot.name)?;
            }
        }
        Ok(())
    })?;
    crate::table::print(&outcome);
    Ok(found.into_inner())
}
