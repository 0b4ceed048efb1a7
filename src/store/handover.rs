//! Which events the registry has: believed on its signed receipt only (SY 6.6), and only if it is about these very records.

use rusqlite::{Connection, OptionalExtension as _, params};
use tongguan_pass::{Receipt, Sha256Hash};

use super::StoreError;
use super::journal::{Entry, Journal, sql};

/// Events marked at a time: the lane waits for no longer transaction.
const STEP: u64 = 2_000;

/// Why a receipt was not taken. The events are kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// Its chain value is not that of the record here.
    #[error(
        "the receipt is for other events than this gate's (number {0}); if its card was restored from a copy, see \"A restored card\" in OPERATIONS"
    )]
    OtherEvents(u64),
    /// It covers records that were never written here.
    #[error(
        "the receipt is for events up to {covered}, and this journal ends at {last}; if its card was restored from a copy, see \"A restored card\" in OPERATIONS"
    )]
    NotHere {
        /// The last record it covers.
        covered: u64,
        /// The last record here.
        last: u64,
    },
    /// The journal cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Journal {
    /// Marks what the receipt covers as handed in, and says how many events that were new. `at` is when, in Unix seconds and
    /// not later than the true time. An old receipt says nothing new, and is no error.
    ///
    /// # Errors
    /// [`ReceiptError`]; nothing is marked then, but what was marked before the disk failed, and is rightly so.
    pub fn take_receipt(&self, receipt: &Receipt, at: i64) -> Result<u64, ReceiptError> {
        let last_covered = receipt.next_seq - 1;
        let waiting = self.with(|db| {
            let (first, last) = ends(db)?;
            if last_covered > last {
                return Ok(Err(ReceiptError::NotHere { covered: last_covered, last }));
            }
            // What it covers was handed in, and forgotten, long ago.
            if last_covered < first {
                return Ok(Ok(None));
            }
            if chain_at(db, last_covered)? != Some(receipt.chain) {
                return Ok(Err(ReceiptError::OtherEvents(last_covered)));
            }
            first_waiting(db, receipt.first_seq).map(Ok)
        })??;
        let Some(mut from) = waiting else { return Ok(0) };
        let mut marked = 0;
        while from <= last_covered {
            let to = last_covered.min(from.saturating_add(STEP - 1));
            marked += self.with(|db| {
                db.execute(
                    "UPDATE event SET handed_in = 1, handed_in_at = ?3 WHERE handed_in = 0 AND seq >= ?1 AND seq <= ?2",
                    params![sql(from), sql(to), at],
                )
            })? as u64;
            from = to + 1;
        }
        Ok(marked)
    }

    /// The registry has nothing right before `seq`, though it had: it was restored from a backup. What is still here of
    /// before that waits once more; how many that are.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hand_in_again_before(&self, seq: u64) -> Result<usize, StoreError> {
        let again = "UPDATE event SET handed_in = 0, handed_in_at = NULL WHERE handed_in = 1 AND seq < ?1";
        self.with(|db| db.execute(again, [sql(seq)]))
    }

    /// The newest event that the registry was known to have; 0 if there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn last_handed_in(&self) -> Result<u64, StoreError> {
        let last = "SELECT coalesce(max(seq), 0) FROM event WHERE handed_in = 1";
        self.with(|db| db.query_row(last, [], |row| row.get::<_, i64>(0))).map(i64::unsigned_abs)
    }

    /// The first events after `seq` that the registry does not have, without a gap between them and at most `limit`, and the
    /// chain value before them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn waiting_after(&self, seq: u64, limit: usize) -> Result<(Sha256Hash, Vec<Entry>), StoreError> {
        let mut entries = self.select("WHERE handed_in = 0 AND seq > ?1 ORDER BY seq LIMIT ?2", seq, limit)?;
        let first = entries.first().map_or(1, |e| e.seq);
        // A receipt may cover later ones, when the stick with the earlier ones is still on its way.
        let together = entries.iter().zip(first..).take_while(|(e, seq)| e.seq == *seq).count();
        entries.truncate(together);
        let previous = self.with(|db| chain_at(db, first - 1))?;
        Ok((previous.unwrap_or(Sha256Hash([0; 32])), entries))
    }

    /// The chain value after a record, if it is still here.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn chain_at(&self, seq: u64) -> Result<Option<Sha256Hash>, StoreError> {
        self.with(|db| chain_at(db, seq))
    }
}

fn chain_at(db: &Connection, seq: u64) -> rusqlite::Result<Option<Sha256Hash>> {
    let chain = db.query_row("SELECT chain FROM event WHERE seq = ?1", [sql(seq)], |row| row.get(0));
    Ok(chain.optional()?.map(Sha256Hash))
}

fn first_waiting(db: &Connection, from: u64) -> rusqlite::Result<Option<u64>> {
    let first = "SELECT min(seq) FROM event WHERE handed_in = 0 AND seq >= ?1";
    db.query_row(first, [sql(from)], |row| Ok(row.get::<_, Option<i64>>(0)?.map(i64::unsigned_abs)))
}

/// The numbers of the first and the last record here.
pub(super) fn ends(db: &Connection) -> rusqlite::Result<(u64, u64)> {
    db.query_row("SELECT coalesce(min(seq), 1), coalesce(max(seq), 0) FROM event", [], |row| {
        Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get::<_, i64>(1)?.unsigned_abs()))
    })
}
