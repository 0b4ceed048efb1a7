//! All readers on the same frames in one run.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

use crate::corpora::{Corpus, Kind, Take};
use crate::readers::{Lane, Reading, Which};
use crate::tally::{Tally, judge};

/// What the readers did with one corpus.
pub(crate) struct Outcome {
    pub(crate) kind: Kind,
    pub(crate) readers: Vec<Which>,
    /// For each place and reader.
    pub(crate) tallies: Vec<Vec<Tally>>,
    pub(crate) notes: Vec<Note>,
    pub(crate) takes: u64,
}

/// Something to look at: which reader, which frame.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Note {
    pub(crate) reader: &'static str,
    pub(crate) frame: String,
    pub(crate) event: Event,
    /// The wrong text, or the disturbances.
    pub(crate) detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Event {
    Misread,
    Panic,
    /// zxing-cpp reads it, this reader does not.
    Lost,
}

impl Outcome {
    fn new(kind: Kind, readers: &[Which]) -> Self {
        let tallies = vec![vec![Tally::default(); readers.len()]; kind.places().len()];
        Self { kind, readers: readers.to_vec(), tallies, notes: Vec::new(), takes: 0 }
    }

    /// One reader over all places.
    pub(crate) fn total(&self, which: Which) -> Option<Tally> {
        let reader = self.readers.iter().position(|w| *w == which)?;
        let mut total = Tally::default();
        self.tallies.iter().for_each(|place| total.add(&place[reader]));
        Some(total)
    }

    /// One reader, place by place.
    pub(crate) fn places(&self, which: Which) -> Option<Vec<&Tally>> {
        let reader = self.readers.iter().position(|w| *w == which)?;
        Some(self.tallies.iter().map(|place| &place[reader]).collect())
    }

    /// The last level, from the harmless end, up to which at least 90 % are decoded.
    pub(crate) fn reach(&self, which: Which) -> Option<Option<usize>> {
        let places = self.places(which)?;
        Some(places.iter().take_while(|tally| tally.rate() >= 90.0).count().checked_sub(1))
    }

    fn enter(&mut self, take: &Take, readings: &[Readings]) {
        self.takes += 1;
        let mut so_far = vec![0.0_f64; self.readers.len()];
        for (shot, readings) in take.iter().zip(readings) {
            let judged: Vec<_> = (0..readings.len()).map(|i| judge(self.kind, shot, readings, i)).collect();
            let zxing = readings.iter().position(|(w, _)| *w == Which::Zxing).map(|i| judged[i].decoded);
            for (i, ((which, reading), judged)) in readings.iter().zip(&judged).enumerate() {
                let tally = &mut self.tallies[shot.place][i];
                so_far[i] = so_far[i].max(judged.decoded);
                tally.frames += 1;
                tally.decoded += judged.decoded;
                tally.so_far += so_far[i];
                tally.misreads += u64::from(!judged.misreads.is_empty());
                tally.panics += u64::from(reading.panicked);
                tally.spend(reading.cpu);
                let mut note = |event, detail: &str| {
                    let (frame, detail) = (shot.name.clone(), detail.to_owned());
                    self.notes.push(Note { reader: which.name(), frame, event, detail });
                };
                judged.misreads.iter().for_each(|text| note(Event::Misread, text));
                if reading.panicked {
                    note(Event::Panic, &shot.what);
                }
                if zxing.is_some_and(|zxing| zxing > judged.decoded) {
                    tally.lost += 1;
                    note(Event::Lost, &shot.what);
                }
                tally.won += u64::from(zxing.is_some_and(|zxing| zxing < judged.decoded));
            }
        }
    }
}

/// What the readers say about one frame.
pub(crate) type Readings = Vec<(Which, Reading)>;

/// Gets each take with what was said about its frames.
pub(crate) type Show<'a> = dyn Fn(&Take, &[Readings]) -> Result<()> + Sync + 'a;

/// Runs `readers` over a corpus on `threads` threads.
pub(crate) fn run(corpus: &Corpus, readers: &[Which], threads: usize, show: &Show<'_>) -> Result<Outcome> {
    let mut readers = readers.to_vec();
    if !corpus.kind.is_of_stills() {
        readers.retain(|which| *which != Which::Thorough);
    }
    let outcome = Mutex::new(Outcome::new(corpus.kind, &readers));
    let next = AtomicU64::new(0);
    let progress = Progress::new(corpus.kind.name(), corpus.takes());
    let work = || -> Result<()> {
        let mut lanes: Vec<Lane> = readers.iter().map(|which| Lane::open(*which)).collect();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= corpus.takes() {
                return Ok(());
            }
            let take = corpus.take(index)?;
            let readings = read(&mut lanes, &take, index);
            show(&take, &readings)?;
            outcome.lock().unwrap_or_else(|e| e.into_inner()).enter(&take, &readings);
            progress.steps(1);
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|p| std::panic::resume_unwind(p)))
    })?;
    progress.end();
    let mut outcome = outcome.into_inner().unwrap_or_else(|e| e.into_inner());
    outcome.notes.sort_by(|a, b| (a.reader, &a.frame).cmp(&(b.reader, &b.frame)));
    Ok(outcome)
}

/// Reads a take with every reader. The first one finds the frame in no cache: each is the first in its turn.
fn read(lanes: &mut [Lane], take: &Take, index: u64) -> Vec<Readings> {
    lanes.iter_mut().for_each(Lane::forget);
    let count = lanes.len();
    take.iter()
        .enumerate()
        .map(|(i, shot)| {
            let mut readings: Readings = lanes.iter().map(|lane| (lane.which, Reading::default())).collect();
            let first = (index as usize).wrapping_add(i);
            for turn in 0..count {
                let reader = (first + turn) % count;
                readings[reader].1 = lanes[reader].read(&shot.luma);
            }
            readings
        })
        .collect()
}

/// Says on stderr how far it is.
pub(crate) struct Progress {
    name: String,
    all: u64,
    done: AtomicU64,
    start: Instant,
    said: Mutex<Instant>,
}

impl Progress {
    pub(crate) fn new(name: &str, all: u64) -> Self {
        let start = Instant::now();
        Self { name: name.into(), all, done: AtomicU64::new(0), start, said: Mutex::new(start) }
    }

    pub(crate) fn steps(&self, steps: u64) {
        const EVERY: Duration = Duration::from_secs(10);
        let done = self.done.fetch_add(steps, Ordering::Relaxed) + steps;
        let mut said = self.said.lock().unwrap_or_else(|e| e.into_inner());
        if said.elapsed() >= EVERY {
            *said = Instant::now();
            let left = self.start.elapsed().as_secs_f64() / done as f64 * (self.all - done.min(self.all)) as f64;
            eprintln!("{}: {done} of {}, {left:.0} s left", self.name, self.all);
        }
    }

    pub(crate) fn end(&self) {
        let done = self.done.load(Ordering::Relaxed);
        eprintln!("{}: {done} done in {:.0} s", self.name, self.start.elapsed().as_secs_f64());
    }
}
