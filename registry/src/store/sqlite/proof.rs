//! What shows that the stored events are what devices signed, without a gap.

use rusqlite::{OptionalExtension as _, Transaction, params};
use tongguan_pass::Sha256Hash;

use super::{signed, unsigned};
use crate::store::{Device, History, KeptBatch, KeptRecord, Reader, Run, Signed, StoreError};

/// Keeps the signature of a batch that brought something new.
pub(super) fn keep(tx: &Transaction<'_>, device: i64, whole: &Signed) -> Result<(), StoreError> {
    let Signed { batch, signature } = whole;
    let count = i64::try_from(batch.records.len()).unwrap_or(i64::MAX);
    tx.prepare_cached("INSERT OR REPLACE INTO batches VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
        device,
        signed(batch.first_seq),
        count,
        batch.previous.0,
        signature
    ])?;
    Ok(())
}

/// The records without a gap around the stored record `seq`.
pub(super) fn run_with(tx: &Transaction<'_>, device: i64, seq: u64) -> Result<Run, StoreError> {
    let one = |sql: &str| -> rusqlite::Result<Option<i64>> {
        tx.prepare_cached(sql)?.query_row([device, signed(seq)], |r| r.get(0))
    };
    let first = one("SELECT max(seq) FROM events WHERE device = ?1 AND seq <= ?2 AND after_gap = 1")?.unwrap_or(1);
    let gap = one("SELECT min(seq) FROM events WHERE device = ?1 AND seq > ?2 AND after_gap = 1")?;
    let (last, chain): (i64, [u8; 32]) = tx
        .prepare_cached("SELECT seq, chain FROM events WHERE device = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT 1")?
        .query_row([device, gap.unwrap_or(i64::MAX)], |r| Ok((r.get(0)?, r.get(1)?)))?;
    Ok(Run { first_seq: unsigned(first), next_seq: unsigned(last) + 1, chain: Sha256Hash(chain) })
}

pub(super) fn newest_run(tx: &Transaction<'_>, key: &[u8; 32]) -> Result<Option<Run>, StoreError> {
    let newest: Option<(i64, i64)> = tx
        .prepare_cached(
            "SELECT id, max(seq) FROM devices JOIN events ON events.device = devices.id WHERE key = ?1 GROUP BY id",
        )?
        .query_row([key], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    newest.map(|(device, seq)| run_with(tx, device, unsigned(seq))).transpose()
}

/// Every device, or the one of a key.
pub(super) fn devices(tx: &Transaction<'_>, only: Option<&[u8; 32]>) -> Result<Vec<Device>, StoreError> {
    let sql = "SELECT key, status, unsigned_to,
            (SELECT coalesce(max(seq), 0) FROM events WHERE device = devices.id),
            (SELECT count(*) FROM events WHERE device = devices.id),
            (SELECT count(*) FROM audit WHERE act = 'chain_conflict' AND actor = 'device:' || lower(hex(key))), id
         FROM devices WHERE ?1 IS NULL OR key = ?1 ORDER BY id";
    let mut rows = tx.prepare(sql)?;
    let mut rows = rows.query([only])?;
    let mut all = Vec::new();
    while let Some(r) = rows.next()? {
        all.push(Device {
            key: r.get(0)?,
            status: r.get(1)?,
            unsigned_to: unsigned(r.get(2)?),
            highest: unsigned(r.get(3)?),
            stored: unsigned(r.get(4)?),
            conflicts: r.get(5)?,
            communities: super::rosters::served(tx, r.get(6)?)?,
        });
    }
    Ok(all)
}

pub(super) fn records(
    tx: &Transaction<'_>,
    key: &[u8; 32],
    after: u64,
    limit: u32,
) -> Result<Vec<KeptRecord>, StoreError> {
    let mut rows = tx.prepare_cached(
        "SELECT seq, record, chain, after_gap FROM events
         WHERE device = (SELECT id FROM devices WHERE key = ?1) AND seq > ?2 ORDER BY seq LIMIT ?3",
    )?;
    let rows = rows.query_map(params![key, signed(after), limit], |r| {
        let chain = Sha256Hash(r.get(2)?);
        Ok(KeptRecord { seq: unsigned(r.get(0)?), record: r.get(1)?, chain, after_gap: r.get(3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One device in one transaction.
struct Still<'a> {
    tx: &'a Transaction<'a>,
    key: &'a [u8; 32],
}

impl History for Still<'_> {
    fn records(&self, after: u64, limit: u32) -> Result<Vec<KeptRecord>, StoreError> {
        records(self.tx, self.key, after, limit)
    }

    fn batches(&self, after: (u64, u16), limit: u32) -> Result<Vec<KeptBatch>, StoreError> {
        batches(self.tx, self.key, after, limit)
    }
}

pub(super) fn history(tx: &Transaction<'_>, key: &[u8; 32], read: Reader<'_>) -> Result<(), StoreError> {
    match devices(tx, Some(key))?.pop() {
        Some(device) => read(device, &Still { tx, key }),
        None => Ok(()),
    }
}

fn batches(tx: &Transaction<'_>, key: &[u8; 32], after: (u64, u16), limit: u32) -> Result<Vec<KeptBatch>, StoreError> {
    let mut rows = tx.prepare_cached(
        "SELECT first_seq, count, previous, signature FROM batches
         WHERE device = (SELECT id FROM devices WHERE key = ?1) AND (first_seq, count) > (?2, ?3)
         ORDER BY first_seq, count LIMIT ?4",
    )?;
    let rows = rows.query_map(params![key, signed(after.0), after.1, limit], |r| {
        let (previous, signature) = (Sha256Hash(r.get(2)?), r.get(3)?);
        Ok(KeptBatch { first_seq: unsigned(r.get(0)?), count: r.get(1)?, previous, signature })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;
    use rusqlite_migration::Migrations;

    use super::super::{MIGRATIONS, SqliteStore};
    use crate::store::{Run, Store as _};

    #[test]
    fn events_from_before_signatures_were_kept_are_known_as_such_and_marks_of_filled_gaps_go() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("registry.db");
        let mut old = Connection::open(&path).expect("made");
        Migrations::from_slice(&MIGRATIONS[..1]).to_latest(&mut old).expect("the first schema");
        old.execute_batch(
            "INSERT INTO devices VALUES (1, zeroblob(32), 'pending', 0, 0), (2, randomblob(32), 'pending', 0, 0);
             INSERT INTO events (device, seq, chain, record, received_at, after_gap)
             VALUES (1, 1, zeroblob(32), x'09', 0, 0), (1, 2, zeroblob(32), x'09', 0, 1), (1, 4, zeroblob(32), x'09', 0, 1);",
        )
        .expect("filled");
        drop(old);
        let store = SqliteStore::open(&path).expect("migrated");
        let devices = store.devices().expect("read");
        assert_eq!(devices.iter().map(|d| (d.unsigned_to, d.highest)).collect::<Vec<_>>(), [(4, 4), (0, 0)]);
        let marks = store.records(&[0; 32], 0, 10).expect("read");
        assert_eq!(marks.iter().map(|r| r.after_gap).collect::<Vec<_>>(), [false, false, true]);
        let run = store.run(&[0; 32]).expect("read").expect("there are events");
        assert!(matches!(run, Run { first_seq: 4, next_seq: 5, .. }), "{run:?}");
        assert_eq!(store.run(&devices[1].key).expect("read"), None);
    }
}
