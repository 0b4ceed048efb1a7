//! People and their handles.

use rusqlite::{OptionalExtension as _, Transaction, params};

use super::audit;
use super::rosters::expect_community;
use crate::domain::audit::{Act, Actor};
use crate::domain::handle::{DropReason, Holder};
use crate::domain::person::{NewPerson, PersonChange, PersonId, TokenHash};
use crate::domain::profile::Status;
use crate::domain::vault::SealedDocument;
use crate::store::{By, Draw, Lease, StoreError};

/// Draws before giving up. With half of all handles in use the chance to need more is 2^-64.
const DRAWS: usize = 64;

pub(super) fn add(tx: &Transaction<'_>, person: &NewPerson, by: &By) -> Result<(), StoreError> {
    expect_community(tx, person.community)?;
    if let Some(phone) = &person.phone
        && by_phone(tx, phone)?.is_some()
    {
        return Err(StoreError::PhoneTaken);
    }
    tx.execute(
        "INSERT INTO people (id, name, community, category, profile, phone, token_hash, notice, created_at)
         VALUES (?1, '', ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            person.id.as_str(),
            person.community,
            person.category,
            person.profile,
            person.phone,
            person.token.0,
            person.notice,
            by.at
        ],
    )?;
    if let Some(document) = &person.document {
        set_document(tx, &person.id, document)?;
    }
    audit(tx, by, Act::PersonAdded, person.id.as_str())
}

pub(super) fn change(tx: &Transaction<'_>, person: &PersonId, new: &PersonChange, by: &By) -> Result<(), StoreError> {
    let (status, revision): (String, u32) = tx
        .prepare_cached("SELECT status, revision FROM people WHERE id = ?1")?
        .query_row([person.as_str()], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?
        .ok_or(StoreError::UnknownPerson)?;
    if matches!(by.actor, Actor::Person(_)) && status != Status::Normal.name() {
        return Err(StoreError::Frozen);
    }
    if new.revision.is_some_and(|made_from| made_from != revision) {
        return Err(StoreError::Outdated);
    }
    if let Some(community) = new.community {
        expect_community(tx, community)?;
    }
    tx.execute(
        "UPDATE people SET profile = coalesce(?2, profile), community = coalesce(?3, community),
             category = coalesce(?4, category), revision = revision + 1 WHERE id = ?1",
        params![person.as_str(), new.profile, new.community, new.category],
    )?;
    if let Some(entry) = &new.entry {
        tx.prepare_cached("INSERT INTO history (person, at, entry) VALUES (?1, ?2, ?3)")?.execute(params![
            person.as_str(),
            by.at,
            entry
        ])?;
    }
    match &new.document {
        Some(Some(document)) => set_document(tx, person, document)?,
        Some(None) => _ = tx.execute("DELETE FROM documents WHERE person = ?1", [person.as_str()])?,
        None => {}
    }
    audit(tx, by, Act::PersonChanged, person.as_str())
}

fn set_document(tx: &Transaction<'_>, person: &PersonId, document: &SealedDocument) -> Result<(), StoreError> {
    let taken: bool = tx
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM documents WHERE lookup = ?1 AND person <> ?2)")?
        .query_row(params![document.lookup, person.as_str()], |r| r.get(0))?;
    if taken {
        return Err(StoreError::DocumentTaken);
    }
    tx.prepare_cached("INSERT OR REPLACE INTO documents (person, lookup, sealed) VALUES (?1, ?2, ?3)")?
        .execute(params![person.as_str(), document.lookup, document.sealed])?;
    Ok(())
}

fn expect_person(tx: &Transaction<'_>, person: &PersonId) -> Result<(), StoreError> {
    let known: bool =
        tx.query_row("SELECT EXISTS (SELECT 1 FROM people WHERE id = ?1)", [person.as_str()], |r| r.get(0))?;
    if known { Ok(()) } else { Err(StoreError::UnknownPerson) }
}

pub(super) fn by_token(tx: &Transaction<'_>, token: &TokenHash) -> Result<Option<PersonId>, StoreError> {
    let row: Option<(String, [u8; 32])> = tx
        .prepare_cached("SELECT id, token_hash FROM people WHERE token_hash = ?1")?
        .query_row([token.0], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    Ok(row.filter(|(_, stored)| TokenHash(*stored) == *token).and_then(|(id, _)| PersonId::parse(&id)))
}

pub(super) fn by_phone(tx: &Transaction<'_>, phone: &[u8; 32]) -> Result<Option<PersonId>, StoreError> {
    let id: Option<String> =
        tx.prepare_cached("SELECT id FROM people WHERE phone = ?1")?.query_row([phone], |r| r.get(0)).optional()?;
    Ok(id.and_then(|id| PersonId::parse(&id)))
}

pub(super) fn hold(
    tx: &Transaction<'_>,
    person: &PersonId,
    lease: Lease,
    draw: Draw<'_>,
    by: &By,
) -> Result<Holder, StoreError> {
    let (community, category): (u32, u8) = tx
        .prepare_cached("SELECT community, category FROM people WHERE id = ?1")?
        .query_row([person.as_str()], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?
        .ok_or(StoreError::UnknownPerson)?;
    let current: Option<u32> = tx
        .prepare_cached("SELECT handle FROM handles WHERE person = ?1 AND dropped_at IS NULL")?
        .query_row([person.as_str()], |r| r.get(0))
        .optional()?;
    let handle = match current {
        Some(handle) => {
            tx.prepare_cached("UPDATE handles SET alive_until = max(alive_until, ?2) WHERE handle = ?1")?
                .execute([handle, lease.until])?;
            handle
        }
        None => draw_new(tx, person, lease, draw, by)?,
    };
    audit(tx, by, lease.act, person.as_str())?;
    Ok(Holder { handle, category, community })
}

/// Unique among all handles ever given, which is more than "among those alive": an old event never points at two people.
fn draw_new(tx: &Transaction<'_>, person: &PersonId, lease: Lease, draw: Draw<'_>, by: &By) -> Result<u32, StoreError> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO handles (handle, person, created_at, alive_until) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (handle) DO NOTHING",
    )?;
    for _ in 0..DRAWS {
        let handle = draw().map_err(StoreError::Entropy)?;
        // 0 means "no handle" in an event (SY 6.4).
        if handle != 0 && insert.execute(params![handle, person.as_str(), by.at, lease.until])? == 1 {
            return Ok(handle);
        }
    }
    Err(StoreError::NoFreeHandle)
}

pub(super) fn drop_handle(
    tx: &Transaction<'_>,
    person: &PersonId,
    reason: DropReason,
    by: &By,
) -> Result<u32, StoreError> {
    expect_person(tx, person)?;
    let dropped = tx.execute(
        "UPDATE handles SET dropped_at = ?2, reason = ?3 WHERE person = ?1 AND dropped_at IS NULL",
        params![person.as_str(), by.at, reason as u8],
    )?;
    audit(tx, by, Act::HandleDropped, person.as_str())?;
    Ok(u32::try_from(dropped).unwrap_or(u32::MAX))
}
