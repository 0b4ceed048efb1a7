//! `journal.db`: what happened at this gate, hash-chained, kept until it is handed in.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use rusqlite_migration::{M, Migrations};
use tongguan_pass::{Sha256Hash, event};

use super::intents::Intents;
use super::{DataDir, DeviceKey, StoreError, database};
use crate::decide::{CodeId, Use, Uses};

const MIGRATIONS: &[M<'_>] = &[
    M::up(
        "CREATE TABLE event (
         seq INTEGER PRIMARY KEY,
         record BLOB NOT NULL,     -- SYNC 6.4
         chain BLOB NOT NULL,      -- SYNC 6.2
         handed_in INTEGER NOT NULL DEFAULT 0 CHECK (handed_in IN (0, 1))
     ) STRICT;
     CREATE INDEX event_waiting ON event (seq) WHERE handed_in = 0;
     -- Which codes were let in, for the replay window; stays here.
     CREATE TABLE code_use (code BLOB PRIMARY KEY, at INTEGER NOT NULL, lane TEXT NOT NULL) STRICT, WITHOUT ROWID;",
    ),
    // What the clock showed, for people (milliseconds); the record holds only the interval.
    M::up("ALTER TABLE event ADD COLUMN at INTEGER"),
    // Since when the registry has it (Unix seconds, not later than the true time).
    M::up("ALTER TABLE event ADD COLUMN handed_in_at INTEGER"),
];

/// The newest events, which are never forgotten: a note of [`super::intents`] that a power cut has brought back is about one of
/// them. More than a gate writes in the half minute that a kernel takes to write a page to the card.
pub(super) const NEWEST: u64 = 256;

/// A record to be written, and what it means for the code it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// The record (SYNC 6.3).
    pub record: Vec<u8>,
    /// The best single guess of when; stays here.
    pub at: Timestamp,
    /// What becomes of the code; stays here.
    pub code: Option<CodeChange>,
}

/// What becomes of a code at this gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeChange {
    /// It let somebody in, when and where.
    Used(CodeId, Use),
    /// Its holder did not go through.
    GivenBack(CodeId),
}

/// A written event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number in this journal, from 1.
    pub seq: u64,
    /// The record as it was written.
    pub record: Vec<u8>,
    /// The chain value after it.
    pub chain: Sha256Hash,
    /// Whether the registry has it.
    pub handed_in: bool,
    /// The best single guess of when; an earlier version did not keep it.
    pub at: Option<Timestamp>,
}

/// The open journal. One connection, one writer at a time.
#[derive(Debug)]
pub struct Journal {
    db: Mutex<Connection>,
    intents: Mutex<Intents>,
    dir: DataDir,
}

impl Journal {
    pub(super) fn create(dir: &DataDir) -> Result<Self, StoreError> {
        let db = database::open(&dir.file("journal.db"), &Migrations::from_slice(MIGRATIONS), true)?;
        Ok(Self::over(db, dir))
    }

    fn over(db: Connection, dir: &DataDir) -> Self {
        Self { db: Mutex::new(db), intents: Mutex::default(), dir: dir.clone() }
    }

    /// Opens the journal. A damaged one is set aside whole; its chain, or that of one that is gone, cannot be continued, so
    /// a new one starts under a new device key, which the registry must approve.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(dir: &DataDir) -> Result<Self, StoreError> {
        let path = dir.file("journal.db");
        let there = std::fs::metadata(&path).is_ok_and(|m| m.len() > 0);
        if there {
            match Self::create(dir) {
                Ok(journal) if journal.with(|db| database::is_sound(db))? => return Ok(journal),
                Err(e) if !database::is_damage(&e) => return Err(e),
                _ => {}
            }
        }
        // The key first: a power cut in between finds a damaged journal again, never an old key with a new journal.
        DeviceKey::renew(dir)?;
        let aside = database::quarantine(&path)?;
        tracing::error!(aside = %aside.display(), "journal.db was damaged or gone; a new one starts under a new device key");
        Self::create(dir)
    }

    /// Opens the journal for a question: a damaged one stays where it is, and its folder may be read-only.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open_to_read(dir: &DataDir) -> Result<Self, StoreError> {
        match database::open_to_read(&dir.file("journal.db"), MIGRATIONS.len()) {
            Ok(db) => Ok(Self::over(db, dir)),
            // Of an earlier version: first brought up to date.
            Err(StoreError::Content { .. }) => Self::create(dir),
            Err(e) => Err(e),
        }
    }

    /// Writes an event, down to the disk.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was written.
    pub fn append(&self, new: &NewEntry) -> Result<Entry, StoreError> {
        let record = &new.record;
        let entry = self.with(|db| {
            let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let (last, previous) = last(&tx)?;
            let seq = last + 1;
            let chain = event::chain(&previous, seq, record);
            tx.execute(
                "INSERT INTO event (seq, record, chain, at) VALUES (?1, ?2, ?3, ?4)",
                params![sql(seq), record, chain.0, new.at.as_millisecond()],
            )?;
            match &new.code {
                Some(CodeChange::Used(code, used)) => {
                    let row = params![code.0, used.at, used.lane];
                    tx.execute("INSERT OR REPLACE INTO code_use VALUES (?1, ?2, ?3)", row)?;
                    tx.execute("DELETE FROM code_use WHERE at < ?1", [Uses::worth_loading_from(used.at)])?;
                }
                Some(CodeChange::GivenBack(code)) => {
                    tx.execute("DELETE FROM code_use WHERE code = ?1", [code.0])?;
                }
                None => {}
            }
            tx.commit()?;
            Ok(Entry { seq, record: record.clone(), chain, handed_in: false, at: Some(new.at) })
        })?;
        self.intents().clear(record);
        Ok(entry)
    }

    /// Takes over what a program that was killed had begun (see [`super::intents`]). For the one gate that runs on this folder.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn take_over(&self) -> Result<Vec<Entry>, StoreError> {
        let (intents, left) = Intents::open(&self.dir)?;
        *self.intents() = intents;
        let mut taken = Vec::new();
        for new in left {
            if self.has(&new.record)? {
                self.intents().clear(&new.record);
            } else {
                taken.push(self.append(&new)?);
            }
        }
        Ok(taken)
    }

    /// Notes what the gate is about to do, so that it is in the journal even if the program is killed before it can say so.
    /// Costs no fsync.
    pub fn intend(&self, new: &NewEntry) {
        self.intents().put(new);
    }

    /// Whether the event of this record is among the last ones.
    fn has(&self, record: &[u8]) -> Result<bool, StoreError> {
        let id = record.get(..17).unwrap_or_default();
        self.with(|db| {
            let last =
                "SELECT 1 FROM (SELECT record FROM event ORDER BY seq DESC LIMIT ?1) WHERE substr(record, 1, 17) = ?2";
            db.query_row(last, params![sql(NEWEST), id], |_| Ok(())).optional().map(|found| found.is_some())
        })
    }

    fn intents(&self) -> MutexGuard<'_, Intents> {
        self.intents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The codes let in of late, as of `now` (Unix seconds).
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn uses(&self, now: i64) -> Result<Uses, StoreError> {
        self.with(|db| {
            let mut all = db.prepare("SELECT code, at, lane FROM code_use WHERE at >= ?1 ORDER BY at")?;
            let rows = all.query_map([Uses::worth_loading_from(now)], |row| {
                Ok((CodeId(row.get(0)?), Use { at: row.get(1)?, lane: row.get(2)? }))
            })?;
            let mut uses = Uses::default();
            for row in rows {
                let (code, used) = row?;
                uses.record(code, used);
            }
            Ok(uses)
        })
    }

    /// At most `limit` events after `seq`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn after(&self, seq: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.select("WHERE seq > ?1 ORDER BY seq LIMIT ?2", seq, limit)
    }

    /// The first events the registry does not have, at most `limit`, and the chain value before them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn waiting(&self, limit: usize) -> Result<(Sha256Hash, Vec<Entry>), StoreError> {
        self.waiting_after(0, limit)
    }

    /// How many events the registry does not have.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn waiting_count(&self) -> Result<u64, StoreError> {
        let count = |db: &mut Connection| {
            db.query_row("SELECT count(*) FROM event WHERE handed_in = 0", [], |row| row.get::<_, i64>(0))
        };
        self.with(count).map(i64::unsigned_abs)
    }

    pub(super) fn path(&self) -> std::path::PathBuf {
        self.dir.file("journal.db")
    }

    /// Lets the database grow no further, as a full disk does.
    #[cfg(test)]
    pub(crate) fn limit_pages(&self, pages: Option<i64>) -> Result<(), StoreError> {
        // SQLite takes the present size for a limit below it.
        self.with(|db| db.pragma_update_and_check(None, "max_page_count", pages.unwrap_or(1 << 30), |_| Ok(())))
    }

    pub(super) fn select(&self, rest: &str, seq: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.with(|db| {
            let mut rows = db.prepare(&format!("SELECT seq, record, chain, handed_in, at FROM event {rest}"))?;
            let entry = |row: &rusqlite::Row<'_>| {
                Ok(Entry {
                    seq: row.get::<_, i64>(0)?.unsigned_abs(),
                    record: row.get(1)?,
                    chain: Sha256Hash(row.get(2)?),
                    handed_in: row.get(3)?,
                    at: row.get::<_, Option<i64>>(4)?.and_then(|ms| Timestamp::from_millisecond(ms).ok()),
                })
            };
            rows.query_map(params![sql(seq), sql(limit as u64)], entry)?.collect()
        })
    }

    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        // A writer that panicked left no half transaction behind: it was rolled back when dropped.
        let mut db: MutexGuard<'_, Connection> = self.db.lock().unwrap_or_else(PoisonError::into_inner);
        act(&mut db).map_err(|source| StoreError::Database { path: self.dir.file("journal.db"), source })
    }
}

pub(super) fn last(db: &Connection) -> rusqlite::Result<(u64, Sha256Hash)> {
    let last = db.query_row("SELECT seq, chain FROM event ORDER BY seq DESC LIMIT 1", [], |row| {
        Ok((row.get::<_, i64>(0)?.unsigned_abs(), Sha256Hash(row.get(1)?)))
    });
    Ok(last.optional()?.unwrap_or((0, Sha256Hash([0; 32]))))
}

pub(super) fn sql(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_of_the_first_version_is_read_without_the_times_it_did_not_keep() {
        let folder = tempfile::tempdir().unwrap();
        let dir = DataDir(folder.path().to_owned());
        let first = database::open(&dir.file("journal.db"), &Migrations::from_slice(&MIGRATIONS[..1]), true).unwrap();
        first.execute("INSERT INTO event (seq, record, chain) VALUES (1, x'01', zeroblob(32))", []).unwrap();
        drop(first);
        let entries = Journal::open_to_read(&dir).unwrap().after(0, 10).unwrap();
        assert_eq!(entries.iter().map(|e| (e.seq, e.at)).collect::<Vec<_>>(), [(1, None)]);
    }
}
