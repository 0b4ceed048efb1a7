//! Devices and the events they hand in.

use rusqlite::{OptionalExtension as _, Transaction, params};
use tongguan_pass::{Batch, Sha256Hash};

use super::{audit, proof, rosters, signed, unsigned};
use crate::domain::audit::Act;
use crate::domain::events::{Judgement, Neighbours, judge};
use crate::store::{
    By, DeviceStatus, PENDING_CONFLICTS, PENDING_DEVICES, PENDING_RECORDS, Receipt, Signed, StoreError, StoredEvent,
};

/// The inner result is the answer to the device. An inner error is committed with its audit row; an outer one is rolled back.
pub(super) fn accept(tx: &Transaction<'_>, whole: &Signed, by: &By) -> Result<Result<Receipt, StoreError>, StoreError> {
    let batch = &whole.batch;
    let key = batch.device.as_bytes();
    let known: Option<(i64, bool)> = tx
        .prepare_cached("SELECT id, status <> 'enrolled' FROM devices WHERE key = ?1")?
        .query_row([key], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    let (known, pending) = (known.map(|(id, _)| id), known.is_none_or(|(_, pending)| pending));
    let neighbours = known.map_or_else(|| Ok(Neighbours::default()), |id| neighbours(tx, id, batch))?;
    let (new, duplicate, closes, next_seq) = match judge(batch, &neighbours) {
        Err(error) => return Ok(Err(StoreError::Batch(error))),
        Ok(Judgement::Conflict { seq }) => {
            if !pending || conflicts(tx, by)? < PENDING_CONFLICTS {
                audit(tx, by, Act::ChainConflict, &format!("event:{seq}"))?;
            }
            return Ok(Err(StoreError::ChainConflict { seq }));
        }
        Ok(Judgement::Accept { new, duplicate, closes, next_seq }) => (new, duplicate, closes, next_seq),
    };
    let device = match known {
        Some(id) if pending && !new.is_empty() && stored(tx, id)? + new.len() as u64 > PENDING_RECORDS => {
            return Ok(Err(StoreError::PendingFull));
        }
        Some(id) => id,
        None => add_pending(tx, key, by)?,
    };
    let mut insert = tx.prepare_cached(
        "INSERT INTO events (device, seq, chain, record, received_at, after_gap) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for e in &new {
        insert.execute(params![device, signed(e.seq), e.chain.0, e.record, by.at, e.after_gap])?;
    }
    let (first, last) = (batch.first_seq, batch.first_seq + batch.records.len() as u64 - 1);
    // A batch may fill several gaps: nothing in it follows one any more, but perhaps its own first record.
    tx.prepare_cached(
        "UPDATE events SET after_gap = 0 WHERE device = ?1 AND seq > ?2 AND seq <= ?3 AND after_gap = 1",
    )?
    .execute([device, signed(first), signed(closes.unwrap_or(last))])?;
    if !new.is_empty() {
        proof::keep(tx, device, whole)?;
    }
    let run = proof::run_with(tx, device, last)?;
    tx.prepare_cached("UPDATE devices SET last_seen = max(last_seen, ?2) WHERE id = ?1")?
        .execute(params![device, by.at])?;
    Ok(Ok(Receipt { stored: new.len(), duplicate, next_seq, run }))
}

/// What the operator says of a device.
pub(super) fn set_device(
    tx: &Transaction<'_>,
    key: &[u8; 32],
    status: DeviceStatus,
    communities: &[u32],
    by: &By,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO devices (key, status, first_seen, last_seen) VALUES (?1, ?2, ?3, ?3)
         ON CONFLICT (key) DO UPDATE SET status = excluded.status",
        params![key, status.name(), by.at],
    )?;
    let id = tx.query_row("SELECT id FROM devices WHERE key = ?1", [key], |r| r.get(0))?;
    rosters::set_served(tx, id, communities)?;
    let act = match status {
        DeviceStatus::Enrolled => Act::DeviceEnrolled,
        DeviceStatus::Retired => Act::DeviceRetired,
    };
    audit(tx, by, act, &format!("device:{}", data_encoding::HEXLOWER.encode(key)))
}

fn stored(tx: &Transaction<'_>, device: i64) -> Result<u64, StoreError> {
    let count = tx
        .prepare_cached("SELECT count(*) FROM events WHERE device = ?1")?
        .query_row([device], |r| Ok(unsigned(r.get(0)?)))?;
    Ok(count)
}

fn conflicts(tx: &Transaction<'_>, by: &By) -> Result<u64, StoreError> {
    // The act as the index has it, or it is not used.
    let count = tx
        .prepare_cached("SELECT count(*) FROM audit WHERE act = 'chain_conflict' AND actor = ?1")?
        .query_row([by.actor.to_string()], |r| Ok(unsigned(r.get(0)?)))?;
    Ok(count)
}

fn add_pending(tx: &Transaction<'_>, key: &[u8; 32], by: &By) -> Result<i64, StoreError> {
    let pending: u32 = tx.query_row("SELECT count(*) FROM devices WHERE status = 'pending'", [], |r| r.get(0))?;
    if pending >= PENDING_DEVICES {
        return Err(StoreError::TooManyPending);
    }
    tx.execute(
        "INSERT INTO devices (key, status, first_seen, last_seen) VALUES (?1, 'pending', ?2, ?2)",
        params![key, by.at],
    )?;
    let id = tx.last_insert_rowid();
    audit(tx, by, Act::DevicePending, &format!("device:{}", data_encoding::HEXLOWER.encode(key)))?;
    Ok(id)
}

fn neighbours(tx: &Transaction<'_>, device: i64, batch: &Batch) -> Result<Neighbours, StoreError> {
    let first = signed(batch.first_seq);
    let end = first.saturating_add(i64::try_from(batch.records.len()).unwrap_or(i64::MAX));
    let mut chain_at = tx.prepare_cached("SELECT chain FROM events WHERE device = ?1 AND seq = ?2")?;
    let before: Option<[u8; 32]> = chain_at.query_row([device, first - 1], |r| r.get(0)).optional()?;
    let after: Option<(Vec<u8>, [u8; 32])> = tx
        .prepare_cached("SELECT record, chain FROM events WHERE device = ?1 AND seq = ?2")?
        .query_row([device, end], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    let mut within = tx.prepare_cached("SELECT seq, chain FROM events WHERE device = ?1 AND seq >= ?2 AND seq < ?3")?;
    let within = within
        .query_map([device, first, end], |r| Ok((unsigned(r.get(0)?), Sha256Hash(r.get(1)?))))?
        .collect::<Result<_, _>>()?;
    let highest: Option<i64> =
        tx.prepare_cached("SELECT max(seq) FROM events WHERE device = ?1")?.query_row([device], |r| r.get(0))?;
    Ok(Neighbours {
        before: before.map(Sha256Hash),
        within,
        after: after.map(|(record, chain)| (record, Sha256Hash(chain))),
        highest: highest.map_or(0, unsigned),
    })
}

pub(super) fn list(
    tx: &Transaction<'_>,
    since: u64,
    device: Option<&[u8; 32]>,
    limit: u32,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut rows = tx.prepare_cached(
        "SELECT number, key, status, seq, record, received_at, after_gap
         FROM events JOIN devices ON devices.id = events.device
         WHERE number > ?1 AND (?2 IS NULL OR key = ?2) ORDER BY number LIMIT ?3",
    )?;
    let rows = rows.query_map(params![signed(since), device, limit], |r| {
        Ok(StoredEvent {
            number: unsigned(r.get(0)?),
            device: r.get(1)?,
            device_status: r.get(2)?,
            seq: unsigned(r.get(3)?),
            record: r.get(4)?,
            received_at: r.get(5)?,
            after_gap: r.get(6)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
