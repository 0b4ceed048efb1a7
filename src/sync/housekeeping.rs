//! Keeps the journal's place on the disk bounded, and says so when space runs low.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::decide::Level;
use crate::lang::Text;
use crate::store::{Journal, free_space, keep_reserve};

const MB: u64 = 1_000_000;
/// How often the disk is asked.
const LOOK: Duration = Duration::from_secs(10);

/// How long what was handed in is kept, and when space is low.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// After hand-over; zero for no longer than it takes.
    pub keep: Duration,
    /// Megabytes.
    pub space_low_mb: u64,
}

/// Looks after the journal while the gate runs.
pub struct Housekeeping {
    journal: Arc<Journal>,
    folder: PathBuf,
    limits: Limits,
    looked: Option<Instant>,
    free: Option<u64>,
    failed: bool,
}

impl Housekeeping {
    /// For the journal in the data folder `folder`.
    pub fn new(journal: Arc<Journal>, folder: PathBuf, limits: Limits) -> Self {
        Self { journal, folder, limits, looked: None, free: None, failed: false }
    }

    /// One small step, and what the guard should know.
    pub(super) fn step(&mut self, clock: &dyn Clock) -> Option<(Level, Text)> {
        if self.looked.is_none_or(|at| at.elapsed() >= LOOK) {
            self.looked = Some(Instant::now());
            self.free = free_space(&self.folder);
            keep_reserve(&self.folder);
        }
        let low = self.free.is_some_and(|free| free / MB < self.limits.space_low_mb);
        // The registry has these: where space is short they go at once. Their room in the file is used again.
        let now = if low { i64::MAX } else { clock.now().earliest.as_second() };
        let keep = if low { Duration::ZERO } else { self.limits.keep };
        let pruned = self.journal.prune(now, keep);
        if let Err(error) = &pruned
            && !self.failed
        {
            tracing::warn!("what was handed in cannot be removed from the journal: {error}");
        }
        self.failed = pruned.is_err();
        let left = self.free? / MB;
        low.then(|| {
            (Level::Amber, Text::new(format!("存储空间不足：剩余 {left} MB"), format!("Storage low: {left} MB left")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Stated;
    use crate::store::testing::{entry, journal};

    #[test]
    fn low_space_is_said_and_lets_go_of_what_was_handed_in_and_of_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Arc::new(journal(&dir));
        (0..300_u16).for_each(|n| drop(journal.append(&entry(n.to_le_bytes()[0])).unwrap()));
        let device = tongguan_pass::SigningKey::from_bytes(&[1; 32]).verifying_key();
        let chain = journal.chain_at(20).unwrap().unwrap();
        journal.take_receipt(&tongguan_pass::Receipt { device, first_seq: 1, next_seq: 21, chain }, 1_000).unwrap();
        let clock = Stated(jiff::Timestamp::from_second(1_000).unwrap());
        let left = |space_low_mb| {
            let limits = Limits { keep: Duration::from_secs(86_400), space_low_mb };
            let mut keeper = Housekeeping::new(Arc::clone(&journal), dir.path().to_owned(), limits);
            let said = keeper.step(&clock);
            let seqs: Vec<u64> = journal.after(0, 1_000).unwrap().iter().map(|e| e.seq).collect();
            (said, (seqs[0], seqs.len()))
        };
        assert_eq!(left(0), (None, (1, 300)));
        let (said, left) = left(u64::MAX);
        let (level, text) = said.unwrap();
        assert_eq!(level, Level::Amber);
        assert!(text.en.starts_with("Storage low: ") && text.zh.contains("存储空间不足"), "{text:?}");
        assert_eq!(left, (20, 281), "and the one before what waits");
    }
}
