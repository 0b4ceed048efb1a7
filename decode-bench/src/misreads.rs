//! Looks for misreads and panics of the checkpoint's decoder in frames by the hundred thousand.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;

use crate::corpora::{Kind, Take, generated};
use crate::readers::{Lane, Which};
use crate::run::Progress;
use crate::tally::judge;

/// Says on stdout what is wrong, and returns how many frames are.
pub(crate) fn misreads(frames: u64, seed: u64, threads: usize) -> Result<u64> {
    let kinds: Vec<Kind> = Kind::all().into_iter().filter(|k| !matches!(k, Kind::Jsqr | Kind::Negative)).collect();
    let (next, wrong) = (AtomicU64::new(0), AtomicU64::new(0));
    let looked = AtomicU64::new(0);
    let progress = Progress::new("misreads", frames);
    let work = || -> Result<()> {
        while looked.load(Ordering::Relaxed) < frames {
            let turn = next.fetch_add(1, Ordering::Relaxed);
            let (kind, round) = (kinds[usize::try_from(turn % kinds.len() as u64)?], turn / kinds.len() as u64);
            let places = if matches!(kind, Kind::Sweep(_)) { kind.places().len() as u64 } else { 1 };
            let take = generated(kind, usize::try_from(round % places)?, seed, round / places)?;
            looked.fetch_add(take.len() as u64, Ordering::Relaxed);
            wrong.fetch_add(look(kind, &take, seed), Ordering::Relaxed);
            progress.steps(take.len() as u64);
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|p| std::panic::resume_unwind(p)))
    })?;
    progress.end();
    Ok(wrong.into_inner())
}

/// A new decoder for each take: it keeps its memory from frame to frame of a film.
fn look(kind: Kind, take: &Take, seed: u64) -> u64 {
    let mut lane = Lane::open(Which::Ours);
    let mut wrong = 0;
    for shot in take {
        let readings = [(Which::Ours, lane.read(&shot.luma))];
        let misreads = judge(kind, shot, &readings, 0).misreads;
        let panicked = readings[0].1.panicked;
        misreads.iter().for_each(|text| println!("misread: seed {seed}, {}: {text}  ({})", shot.name, shot.what));
        if panicked {
            println!("panic: seed {seed}, {}  ({})", shot.name, shot.what);
        }
        wrong += u64::from(panicked || !misreads.is_empty());
    }
    wrong
}
