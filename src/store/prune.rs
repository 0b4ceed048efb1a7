//! Forgets events that the registry has, so that the journal's file stays as large as what waits and what is kept for a
//! while. What was not handed in is never touched.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, TransactionBehavior};

use super::StoreError;
use super::journal::{Journal, NEWEST, sql};

/// Events forgotten at a time: the lane waits for no longer transaction.
const STEP: usize = 500;

/// What the journal holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holdings {
    /// Bytes of its files.
    pub bytes: u64,
    /// Events in it.
    pub events: u64,
    /// Of them not handed in.
    pub waiting: u64,
    /// When the oldest of these happened.
    pub oldest_waiting: Option<Timestamp>,
}

impl Journal {
    /// Forgets some of the oldest events that were handed in at least `keep` ago; how many. `now` is Unix seconds and not
    /// later than the true time. The newest stay whatever their age: the chain goes on from them, and a note that a power cut
    /// brings back is known to be one of theirs.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn prune(&self, now: i64, keep: Duration) -> Result<usize, StoreError> {
        self.forget(now, keep, NEWEST)
    }

    /// `newest` is at least 1, for the chain.
    fn forget(&self, now: i64, keep: Duration, newest: u64) -> Result<usize, StoreError> {
        let until = now.saturating_sub(i64::try_from(keep.as_secs()).unwrap_or(i64::MAX));
        self.with(|db| {
            let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let end: i64 = tx.query_row(
                "SELECT min(coalesce((SELECT min(seq) FROM event WHERE handed_in = 0) - 2, max(seq)), max(seq) - ?1)
                 FROM event HAVING count(*) > 0 UNION ALL SELECT 0 LIMIT 1",
                [sql(newest)],
                |row| row.get(0),
            )?;
            // What waits is chained to the one before it, so that stays too. From the oldest on and no further than the first that must stay: no hole is made.
            let mut oldest = tx.prepare_cached(
                "SELECT seq, coalesce(handed_in_at, at / 1000, 0) FROM event WHERE seq <= ?1 ORDER BY seq LIMIT ?2",
            )?;
            let rows = oldest.query_map([end, sql(STEP as u64)], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let mut last: Option<i64> = None;
            for row in rows {
                let (seq, handed_in_at): (i64, i64) = row?;
                if handed_in_at > until {
                    break;
                }
                last = Some(seq);
            }
            drop(oldest);
            let Some(last) = last else { return Ok(0) };
            let gone = tx.execute("DELETE FROM event WHERE seq <= ?1", [last])?;
            tx.commit()?;
            Ok(gone)
        })
    }

    /// What the journal holds.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn holdings(&self) -> Result<Holdings, StoreError> {
        let path = self.path();
        let bytes = ["", "-wal"].iter().map(|suffix| format!("{}{suffix}", path.display()));
        let bytes = bytes.filter_map(|file| std::fs::metadata(file).ok()).map(|m| m.len()).sum();
        let waiting = self.waiting_count()?;
        self.with(|db| {
            let events: i64 = db.query_row("SELECT count(*) FROM event", [], |row| row.get(0))?;
            let oldest = "SELECT at FROM event WHERE handed_in = 0 ORDER BY seq LIMIT 1";
            let oldest: Option<Option<i64>> = db.query_row(oldest, [], |row| row.get(0)).optional()?;
            let oldest_waiting = oldest.flatten().and_then(|ms| Timestamp::from_millisecond(ms).ok());
            Ok(Holdings { bytes, events: events.unsigned_abs(), waiting, oldest_waiting })
        })
    }
}

/// Bytes that may still be written where `path` is; `None` if the system does not say.
pub fn free_space(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use tongguan_pass::{Receipt, SigningKey};

    use super::*;
    use crate::store::testing::{entry, journal};

    const DAY: u64 = 86_400;

    fn hand_in(journal: &Journal, device: &SigningKey, first_seq: u64, last: u64, at: i64) -> u64 {
        let chain = journal.chain_at(last).unwrap().unwrap();
        let receipt = Receipt { device: device.verifying_key(), first_seq, next_seq: last + 1, chain };
        journal.take_receipt(&receipt, at).unwrap()
    }

    fn seqs(journal: &Journal) -> Vec<u64> {
        journal.after(0, 100_000).unwrap().iter().map(|e| e.seq).collect()
    }

    #[test]
    fn what_was_handed_in_long_ago_goes_and_what_waits_stays_and_the_chain_goes_on() {
        let (dir, device) = (tempfile::tempdir().unwrap(), SigningKey::from_bytes(&[1; 32]));
        let journal = journal(&dir);
        (0..10).for_each(|n| drop(journal.append(&entry(n)).unwrap()));
        assert_eq!(hand_in(&journal, &device, 1, 4, 1_000), 4);
        assert_eq!(hand_in(&journal, &device, 1, 6, 1_000 + 86_400), 2);
        let month = Duration::from_secs(30 * DAY);
        assert_eq!(journal.forget(1_000 + 30 * 86_400 - 1, month, 1).unwrap(), 0);
        assert_eq!(journal.forget(1_000 + 30 * 86_400, month, 1).unwrap(), 4);
        assert_eq!(seqs(&journal), [5, 6, 7, 8, 9, 10]);
        // The last one that was handed in stays however old it is, and so does whatever waits.
        assert_eq!(journal.forget(i64::MAX, month, 1).unwrap(), 1);
        assert_eq!(journal.forget(i64::MAX, Duration::ZERO, 1).unwrap(), 0);
        assert_eq!(seqs(&journal), [6, 7, 8, 9, 10]);
        let (previous, waiting) = journal.waiting_after(0, 100).unwrap();
        assert_eq!((waiting[0].seq, Some(previous)), (7, journal.chain_at(6).unwrap()));
        // All is handed in and forgotten but the last: the next event follows it.
        hand_in(&journal, &device, 1, 10, 1_000);
        while journal.forget(i64::MAX, Duration::ZERO, 1).unwrap() > 0 {}
        assert_eq!(seqs(&journal), [10]);
        let last = journal.chain_at(10).unwrap().unwrap();
        let next = journal.append(&entry(11)).unwrap();
        assert_eq!((next.seq, next.chain), (11, tongguan_pass::event::chain(&last, 11, &next.record)));
    }

    #[test]
    fn what_a_later_stick_brought_does_not_let_the_earlier_events_go() {
        let (dir, device) = (tempfile::tempdir().unwrap(), SigningKey::from_bytes(&[1; 32]));
        let journal = journal(&dir);
        (0..10).for_each(|n| drop(journal.append(&entry(n)).unwrap()));
        assert_eq!(hand_in(&journal, &device, 5, 8, 0), 4);
        let (_, waiting) = journal.waiting_after(0, 100).unwrap();
        assert_eq!(waiting.iter().map(|e| e.seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
        let (_, waiting) = journal.waiting_after(4, 100).unwrap();
        assert_eq!(waiting.iter().map(|e| e.seq).collect::<Vec<_>>(), [9, 10]);
        assert_eq!(journal.forget(i64::MAX, Duration::ZERO, 1).unwrap(), 0);
        assert_eq!(hand_in(&journal, &device, 1, 8, 0), 4);
    }

    #[test]
    fn the_file_does_not_grow_over_fifty_thousand_events_that_are_handed_in_and_forgotten() {
        let (dir, device) = (tempfile::tempdir().unwrap(), SigningKey::from_bytes(&[1; 32]));
        let journal = journal(&dir);
        // The test's own disk need not survive a power cut.
        journal.with(|db| db.pragma_update(None, "synchronous", false)).unwrap();
        let mut sizes = Vec::new();
        for round in 0..25_i64 {
            for n in 0..2_000 {
                journal.append(&entry(u8::try_from(n % 251).unwrap())).unwrap();
            }
            let last = *seqs(&journal).last().unwrap();
            assert_eq!(hand_in(&journal, &device, 1, last, round), 2_000);
            while journal.prune(round, Duration::ZERO).unwrap() > 0 {}
            sizes.push(journal.holdings().unwrap().bytes);
        }
        assert_eq!(journal.append(&entry(1)).unwrap().seq, 50_001);
        assert!(sizes[24] <= sizes[1] * 11 / 10, "{sizes:?}");
        assert!(sizes[24] < 10_000_000, "{sizes:?}");
    }
}
