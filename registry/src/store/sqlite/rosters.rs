//! Communities and their rosters.

use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use tongguan_pass::{FileRef, Head, RosterIndex, Sha256Hash};

use super::lists::{file, keep};
use super::{audit, signed};
use crate::domain::audit::Act;
use crate::domain::person::{Name, PersonId};
use crate::domain::publish::PublishError;
use crate::domain::roster::{KeptSlot, What};
use crate::domain::vault::{SealedDocument, Specimen};
use crate::store::{
    By, Community, ImportedCommunities, KeptKey, KeptMember, NewRoster, RosterInfo, RosterStock, StoreError,
};

pub(super) fn expect_community(tx: &Transaction<'_>, id: u32) -> Result<(), StoreError> {
    let known: bool =
        tx.prepare_cached("SELECT EXISTS (SELECT 1 FROM communities WHERE id = ?1)")?.query_row([id], |r| r.get(0))?;
    if known { Ok(()) } else { Err(StoreError::UnknownCommunity(id)) }
}

pub(super) fn add_community(tx: &Transaction<'_>, id: u32, name: &Name, by: &By) -> Result<(), StoreError> {
    if expect_community(tx, id).is_ok() {
        return Err(StoreError::CommunityTaken(id));
    }
    tx.execute(
        "INSERT INTO communities (id, name, created_at) VALUES (?1, ?2, ?3)",
        params![id, name.as_str(), by.at],
    )?;
    audit(tx, by, Act::CommunityAdded, &subject(id))
}

pub(super) fn communities(tx: &Transaction<'_>) -> Result<Vec<Community>, StoreError> {
    let mut rows = tx.prepare_cached("SELECT id, name, region, aliases FROM communities ORDER BY id")?;
    let rows = rows.query_map([], |r| {
        let aliases: String = r.get(3)?;
        let aliases = aliases.split('|').filter(|alias| !alias.is_empty()).map(str::to_owned).collect();
        Ok(Community { id: r.get(0)?, name: r.get(1)?, region: r.get(2)?, aliases })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn import_communities(
    tx: &Transaction<'_>,
    communities: &[Community],
    by: &By,
) -> Result<ImportedCommunities, StoreError> {
    let mut imported = ImportedCommunities::default();
    let mut add = tx.prepare_cached(
        "INSERT INTO communities (id, name, region, aliases, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO NOTHING",
    )?;
    let mut change = tx.prepare_cached(
        "UPDATE communities SET name = ?2, region = ?3, aliases = ?4
         WHERE id = ?1 AND (name, region, aliases) <> (?2, ?3, ?4)",
    )?;
    for Community { id, name, region, aliases } in communities {
        let aliases = aliases.join("|");
        if add.execute(params![id, name, region, aliases, by.at])? == 1 {
            imported.added += 1;
        } else {
            imported.changed += u32::try_from(change.execute(params![id, name, region, aliases])?).unwrap_or(0);
        }
    }
    audit(tx, by, Act::CommunitiesImported, &format!("communities:{}:{}", imported.added, imported.changed))?;
    Ok(imported)
}

/// Which communities' people a gate may look up, from now on. One that it is taken away from needs another key.
pub(super) fn set_served(tx: &Transaction<'_>, device: i64, communities: &[u32]) -> Result<(), StoreError> {
    communities.iter().try_for_each(|id| expect_community(tx, *id))?;
    for before in served(tx, device)?.into_iter().filter(|id| !communities.contains(id)) {
        tx.execute("DELETE FROM serves WHERE device = ?1 AND community = ?2", params![device, before])?;
        tx.execute("UPDATE rosters SET renew = 1 WHERE community = ?1", [before])?;
    }
    let mut insert =
        tx.prepare_cached("INSERT INTO serves (device, community) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
    for community in communities {
        insert.execute(params![device, community])?;
    }
    Ok(())
}

pub(super) fn served(tx: &Transaction<'_>, device: i64) -> Result<Vec<u32>, StoreError> {
    let mut rows = tx.prepare_cached("SELECT community FROM serves WHERE device = ?1 ORDER BY community")?;
    Ok(rows.query_map([device], |r| r.get(0))?.collect::<Result<_, _>>()?)
}

pub(super) fn specimen(tx: &Transaction<'_>) -> Result<Option<Specimen>, StoreError> {
    let roster = "SELECT community, sealed_key FROM rosters ORDER BY community LIMIT 1";
    let roster = tx.query_row(roster, [], |r| Ok(Specimen::RosterKey(r.get(0)?, r.get(1)?))).optional()?;
    if roster.is_some() {
        return Ok(roster);
    }
    let document = "SELECT person, sealed FROM documents ORDER BY person LIMIT 1";
    let document = tx.query_row(document, [], |r| Ok(Specimen::Document(r.get(0)?, r.get(1)?))).optional()?;
    if document.is_some() {
        return Ok(document);
    }
    let profile = "SELECT id, profile FROM people WHERE profile IS NOT NULL ORDER BY id LIMIT 1";
    Ok(tx.query_row(profile, [], |r| Ok(Specimen::Profile(r.get(0)?, r.get(1)?))).optional()?)
}

pub(super) fn stock(tx: &Transaction<'_>, community: u32) -> Result<RosterStock, StoreError> {
    expect_community(tx, community)?;
    let row = tx
        .prepare_cached("SELECT salt, sealed_key, renew, inputs FROM rosters WHERE community = ?1")?
        .query_row([community], |r| Ok((KeptKey { salt: r.get(0)?, sealed: r.get(1)?, renew: r.get(2)? }, r.get(3)?)))
        .optional()?;
    let (key, inputs) = row.map_or((None, None), |(key, inputs)| (Some(key), inputs));
    let gates = gates(tx, community)?;
    let members = if gates.is_empty() { Vec::new() } else { members(tx, community)? };
    Ok(RosterStock { key, inputs, gates, members })
}

fn gates(tx: &Transaction<'_>, community: u32) -> Result<Vec<[u8; 32]>, StoreError> {
    let mut rows = tx.prepare_cached(
        "SELECT key FROM serves JOIN devices ON devices.id = serves.device WHERE community = ?1 ORDER BY key",
    )?;
    Ok(rows.query_map([community], |r| r.get(0))?.collect::<Result<_, _>>()?)
}

fn members(tx: &Transaction<'_>, community: u32) -> Result<Vec<KeptMember>, StoreError> {
    let mut rows = tx.prepare_cached(
        "SELECT people.id, profile, category, handle, lookup, documents.sealed,
                h.made_for, h.sealed, d.made_for, d.sealed
         FROM people
         LEFT JOIN handles ON handles.person = people.id AND dropped_at IS NULL
         LEFT JOIN documents ON documents.person = people.id
         LEFT JOIN slots AS h ON h.person = people.id AND h.what = 1
         LEFT JOIN slots AS d ON d.person = people.id AND d.what = 2
         WHERE community = ?1 ORDER BY people.id",
    )?;
    let mut rows = rows.query([community])?;
    let mut members = Vec::new();
    while let Some(row) = rows.next()? {
        members.push(member(row)?);
    }
    Ok(members)
}

fn member(row: &Row<'_>) -> Result<KeptMember, StoreError> {
    let damaged = |what: &str| StoreError::Damaged(format!("it holds a {what} that is none"));
    let id = row.get_ref(0)?.as_str().ok().and_then(PersonId::parse).ok_or_else(|| damaged("person's id"))?;
    let profile: Option<Vec<u8>> = row.get(1)?;
    let lookup: Option<[u8; 32]> = row.get(4)?;
    let slot = |at: usize| -> Result<Option<KeptSlot>, StoreError> {
        let made_for: Option<[u8; 32]> = row.get(at)?;
        made_for.map(|made_for| Ok(KeptSlot { made_for, sealed: row.get(at + 1)? })).transpose()
    };
    Ok(KeptMember {
        id,
        profile: profile.ok_or_else(|| damaged("profile"))?,
        category: row.get(2)?,
        handle: row.get(3)?,
        document: match lookup {
            Some(lookup) => Some(SealedDocument { lookup, sealed: row.get(5)? }),
            None => None,
        },
        slots: [slot(6)?, slot(8)?],
    })
}

/// A new key in the place of `before`. What was made with the old one is forgotten.
pub(super) fn renew_key(
    tx: &Transaction<'_>,
    community: u32,
    before: Option<[u8; 16]>,
    (salt, sealed): (&[u8; 16], &[u8]),
    by: &By,
) -> Result<(), StoreError> {
    if salt_of(tx, community)? != before {
        return Err(StoreError::RosterChanged);
    }
    tx.execute(
        "INSERT INTO rosters (community, salt, sealed_key, renew, version) VALUES (?1, ?2, ?3, 0, 0)
         ON CONFLICT (community) DO UPDATE SET salt = excluded.salt, sealed_key = excluded.sealed_key, renew = 0",
        params![community, salt, sealed],
    )?;
    forget_slots(tx, community)?;
    audit(tx, by, Act::RosterKeyDrawn, &subject(community))
}

fn salt_of(tx: &Transaction<'_>, community: u32) -> Result<Option<[u8; 16]>, StoreError> {
    let salt = tx
        .prepare_cached("SELECT salt FROM rosters WHERE community = ?1")?
        .query_row([community], |r| r.get(0))
        .optional()?;
    Ok(salt)
}

fn forget_slots(tx: &Transaction<'_>, community: u32) -> Result<(), StoreError> {
    tx.execute("DELETE FROM slots WHERE person IN (SELECT id FROM people WHERE community = ?1)", [community])?;
    Ok(())
}

pub(super) fn keep_slots(tx: &Transaction<'_>, slots: &[(PersonId, What, KeptSlot)]) -> Result<(), StoreError> {
    let mut insert =
        tx.prepare_cached("INSERT OR REPLACE INTO slots (person, what, made_for, sealed) VALUES (?1, ?2, ?3, ?4)")?;
    for (person, what, slot) in slots {
        insert.execute(params![person.as_str(), *what as u8, slot.made_for, slot.sealed])?;
    }
    Ok(())
}

pub(super) fn keep_roster(tx: &Transaction<'_>, new: &NewRoster<'_>, by: &By) -> Result<u32, StoreError> {
    // It took long to make. A gate that was taken away meanwhile must not be in it.
    let renew: Option<bool> = tx
        .query_row(
            "SELECT renew FROM rosters WHERE community = ?1 AND salt = ?2",
            params![new.community, new.salt],
            |r| r.get(0),
        )
        .optional()?;
    if renew != Some(false) || gates(tx, new.community)? != new.gates {
        return Err(StoreError::RosterChanged);
    }
    let hash = keep(tx, new.bytes, by.at)?;
    let version: u32 =
        tx.query_row("SELECT version FROM rosters WHERE community = ?1", [new.community], |r| r.get(0))?;
    let version = version.checked_add(1).ok_or(PublishError::Versions)?;
    tx.execute(
        "UPDATE rosters SET version = ?2, sha256 = ?3, inputs = ?4, entries = ?5, gates = ?6, made_at = ?7
         WHERE community = ?1",
        params![
            new.community,
            version,
            hash.0,
            new.inputs,
            signed(new.entries as u64),
            signed(new.gates.len() as u64),
            by.at
        ],
    )?;
    keep_index(tx, by)?;
    audit(tx, by, Act::RosterMade, &format!("roster:{}:{version}", new.community))?;
    Ok(version)
}

/// A community that no gate serves any more has no roster; if one did again, it would be made with another key.
pub(super) fn end_roster(tx: &Transaction<'_>, community: u32, by: &By) -> Result<(), StoreError> {
    if !gates(tx, community)?.is_empty() {
        return Err(StoreError::RosterChanged);
    }
    tx.execute(
        "UPDATE rosters SET sha256 = NULL, inputs = NULL, entries = 0, gates = 0, renew = 1 WHERE community = ?1",
        [community],
    )?;
    forget_slots(tx, community)?;
    keep_index(tx, by)?;
    audit(tx, by, Act::RosterEnded, &subject(community))
}

/// The index anew, if it is another one: gates fetch it whenever its hash changes. Only the newest is kept.
fn keep_index(tx: &Transaction<'_>, by: &By) -> Result<(), StoreError> {
    let mut rows = tx.prepare_cached(
        "SELECT community, version, length(bytes), sha256 FROM rosters JOIN files USING (sha256) ORDER BY community",
    )?;
    let rows = rows.query_map([], |r| {
        Ok((r.get(0)?, FileRef { version: r.get(1)?, size: r.get(2)?, hash: Sha256Hash(r.get(3)?) }))
    })?;
    let bytes = RosterIndex(rows.collect::<Result<_, _>>()?).encode();
    RosterIndex::decode(&bytes).map_err(PublishError::SelfCheck)?;
    let before = named(tx)?;
    if before.is_some_and(|file| file.hash == Sha256Hash::of(&bytes)) {
        return Ok(());
    }
    let version = before.map_or(0, |file| file.version).checked_add(1).ok_or(PublishError::Versions)?;
    let hash = keep(tx, &bytes, by.at)?;
    tx.execute("DELETE FROM roster_index", [])?;
    tx.execute("INSERT INTO roster_index (version, sha256) VALUES (?1, ?2)", params![version, hash.0])?;
    Ok(())
}

/// The index as a head names it.
pub(super) fn named(tx: &Transaction<'_>) -> Result<Option<FileRef>, StoreError> {
    let row = tx
        .prepare_cached("SELECT version, length(bytes), sha256 FROM roster_index JOIN files USING (sha256)")?
        .query_row([], |r| Ok(FileRef { version: r.get(0)?, size: r.get(1)?, hash: Sha256Hash(r.get(2)?) }))
        .optional()?;
    Ok(row)
}

/// The rosters that a head leads to, by its index.
pub(super) fn of_head(tx: &Transaction<'_>, head: &Head) -> Result<Vec<(u32, FileRef)>, StoreError> {
    let Some(index) = head.rosters() else { return Ok(Vec::new()) };
    let bytes = file(tx, &index.hash)?.unwrap_or_default();
    let index = RosterIndex::decode(&bytes).map_err(|e| StoreError::Damaged(format!("its index of rosters {e}")))?;
    Ok(index.0)
}

pub(super) fn list(tx: &Transaction<'_>, head: Option<&Head>) -> Result<Vec<RosterInfo>, StoreError> {
    let published = head.map_or_else(|| Ok(Vec::new()), |head| of_head(tx, head))?;
    let mut rows = tx.prepare_cached(
        "SELECT community, version, entries, gates, length(bytes), made_at, sha256
         FROM rosters JOIN files USING (sha256) ORDER BY community",
    )?;
    let rows = rows.query_map([], |r| {
        let (community, hash) = (r.get(0)?, Sha256Hash(r.get(6)?));
        Ok(RosterInfo {
            community,
            version: r.get(1)?,
            entries: r.get(2)?,
            gates: r.get(3)?,
            size: r.get(4)?,
            made_at: r.get(5)?,
            published: published.iter().any(|(of, file)| *of == community && file.hash == hash),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn subject(community: u32) -> String {
    format!("community:{community}")
}
