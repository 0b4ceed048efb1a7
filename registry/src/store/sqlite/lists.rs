//! The signed files, and the editions made of them.

use rusqlite::types::Value;
use rusqlite::{OptionalExtension as _, Transaction, params};
use tongguan_pass::revocation::day_of;
use tongguan_pass::{FileRef, Head, Sha256Hash};

use super::audit;
use crate::domain::audit::Act;
use crate::domain::genesis::{COMMUNITY, COMMUNITY_NAME, Genesis};
use crate::domain::handle::Dropped;
use crate::domain::publish::{Edition, FIRST_EPOCH, Stock, named_files};
use crate::domain::time::DAY;
use crate::store::{Author, By, Standing, StoreError, Successor, Trust, TrustHistory};

pub(super) fn begin(tx: &Transaction<'_>, genesis: &Genesis, by: &By) -> Result<(), StoreError> {
    for (kind, bytes) in [("root", &genesis.root), ("keyset", &genesis.keyset)] {
        let hash = keep(tx, bytes, by.at)?;
        tx.execute("INSERT INTO trust (kind, version, sha256) VALUES (?1, 1, ?2)", params![kind, hash.0])?;
    }
    tx.execute(
        "INSERT INTO communities (id, name, created_at) VALUES (?1, ?2, ?3)",
        params![COMMUNITY, COMMUNITY_NAME, by.at],
    )?;
    audit(tx, by, Act::Initialised, "registry")
}

pub(super) fn trust(tx: &Transaction<'_>) -> Result<Trust, StoreError> {
    Ok(Trust { root: newest(tx, "root")?.1, keyset: newest(tx, "keyset")?.1 })
}

pub(super) fn keyset(tx: &Transaction<'_>) -> Result<Sha256Hash, StoreError> {
    tx.prepare_cached("SELECT sha256 FROM trust WHERE kind = 'keyset' ORDER BY version DESC LIMIT 1")?
        .query_row([], |r| r.get(0))
        .optional()?
        .map(Sha256Hash)
        .ok_or_else(|| StoreError::Damaged("it holds no keyset".to_owned()))
}

pub(super) fn trust_history(tx: &Transaction<'_>) -> Result<TrustHistory, StoreError> {
    let mut rows =
        tx.prepare_cached("SELECT bytes FROM trust JOIN files USING (sha256) WHERE kind = ?1 ORDER BY version")?;
    let mut every = |kind| -> Result<Vec<Vec<u8>>, StoreError> {
        Ok(rows.query_map([kind], |r| r.get(0))?.collect::<Result<_, _>>()?)
    };
    Ok(TrustHistory { roots: every("root")?, keysets: every("keyset")? })
}

pub(super) fn succeed(tx: &Transaction<'_>, successor: &Successor, by: &By) -> Result<(), StoreError> {
    // Two rotations at once would each leave out what the other made.
    if keyset(tx)? != successor.replaces {
        return Err(StoreError::KeysChanged);
    }
    let root = successor.root.iter().map(|r| ("root", r));
    for (kind, (version, bytes)) in root.chain([("keyset", &successor.keyset)]) {
        let hash = keep(tx, bytes, by.at)?;
        tx.execute("INSERT INTO trust (kind, version, sha256) VALUES (?1, ?2, ?3)", params![kind, version, hash.0])?;
    }
    successor.acts.iter().try_for_each(|(act, subject)| audit(tx, by, *act, subject))
}

fn newest(tx: &Transaction<'_>, kind: &str) -> Result<(u32, Vec<u8>), StoreError> {
    tx.query_row(
        "SELECT version, bytes FROM trust JOIN files USING (sha256) WHERE kind = ?1 ORDER BY version DESC LIMIT 1",
        [kind],
        |r| Ok((r.get(0)?, r.get(1)?)),
    )
    .optional()?
    .ok_or_else(|| StoreError::Damaged(format!("it holds no {kind}")))
}

fn newest_ref(tx: &Transaction<'_>, kind: &str) -> Result<FileRef, StoreError> {
    let (version, bytes) = newest(tx, kind)?;
    Ok(FileRef::to(version, &bytes))
}

pub(super) fn publish(tx: &Transaction<'_>, author: Author<'_>, by: &By) -> Result<Edition, StoreError> {
    let last = current(tx)?;
    let oldest_day = last.as_ref().map_or(0, |l| l.head.revocations.oldest_day);
    let stock = Stock {
        root: newest_ref(tx, "root")?,
        keyset: newest_ref(tx, "keyset")?,
        policy: super::policy::named(tx)?,
        rosters: super::rosters::named(tx)?,
        published: dropped(tx, Lists::Published, oldest_day)?,
        waiting: dropped(tx, Lists::Waiting, oldest_day)?,
        last,
    };
    let before = stock.last.as_ref().map(|l| l.head.clone());
    let epoch = before.as_ref().map(|head| head.epoch);
    let publication = author(stock)?;
    let edition = publication.edition;
    if epoch.is_some_and(|epoch| epoch != edition.head.epoch) {
        // Versions start over, and the highest is the current one.
        tx.execute("DELETE FROM heads", [])?;
    }
    for bytes in &publication.files {
        keep(tx, bytes, edition.head.issued_at)?;
    }
    let revocations = edition.head.revocations.version;
    let mut enter = tx.prepare_cached("UPDATE handles SET published_in = ?2 WHERE handle = ?1")?;
    for handle in &publication.entered {
        enter.execute([*handle, revocations])?;
    }
    insert_head(tx, &edition)?;
    forget_old(tx, &edition, before.as_ref())?;
    let Head { epoch, version, .. } = edition.head;
    let which = if epoch == FIRST_EPOCH { format!("head:{version}") } else { format!("head:{version}:epoch:{epoch}") };
    audit(tx, by, Act::Published, &which)?;
    Ok(edition)
}

fn insert_head(tx: &Transaction<'_>, e: &Edition) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO heads (version, issued_at, bytes, snapshot_at, snapshot_checksum) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![e.head.version, e.head.issued_at, e.bytes, e.snapshot_at, e.snapshot_checksum.0],
    )?;
    Ok(())
}

/// A file stays a day after the last head that named it: somebody may be on the way with that head.
fn forget_old(tx: &Transaction<'_>, edition: &Edition, before: Option<&Head>) -> Result<(), StoreError> {
    let now = edition.head.issued_at;
    let mut touch = tx.prepare_cached("UPDATE files SET last_named_at = ?2 WHERE sha256 = ?1")?;
    let gone = before.map_or_else(|| Ok(Vec::new()), |before| replaced_rosters(tx, &edition.head, before))?;
    for file in edition.names().chain(before.into_iter().flat_map(named_files)).chain(gone) {
        let rows = touch.execute(params![file.hash.0, now])?;
        if rows == 0 {
            return Err(StoreError::Damaged("a file that the head names is missing".to_owned()));
        }
    }
    let day_ago = now.saturating_sub(DAY);
    tx.execute(
        "DELETE FROM files WHERE last_named_at < ?1
             AND sha256 NOT IN (SELECT sha256 FROM trust) AND sha256 NOT IN (SELECT sha256 FROM policies)
             AND sha256 NOT IN (SELECT sha256 FROM rosters WHERE sha256 IS NOT NULL)
             AND sha256 NOT IN (SELECT sha256 FROM roster_index)",
        [day_ago],
    )?;
    tx.execute("DELETE FROM heads WHERE issued_at < ?1 AND version < ?2", [day_ago, edition.head.version])?;
    Ok(())
}

/// The rosters to which a head led and the next one does not. Those of the newest index stay as they are: to mark a file is
/// to write all of it again, and a city's rosters are large.
fn replaced_rosters(tx: &Transaction<'_>, head: &Head, before: &Head) -> Result<Vec<FileRef>, StoreError> {
    if head.rosters() == before.rosters() {
        return Ok(Vec::new());
    }
    let now = super::rosters::of_head(tx, head)?;
    let gone = super::rosters::of_head(tx, before)?.into_iter().filter(|roster| !now.contains(roster));
    Ok(gone.map(|(_, file)| file).collect())
}

pub(super) fn keep(tx: &Transaction<'_>, bytes: &[u8], at: u32) -> Result<Sha256Hash, StoreError> {
    let hash = Sha256Hash::of(bytes);
    tx.execute(
        "INSERT INTO files (sha256, bytes, last_named_at) VALUES (?1, ?2, ?3) ON CONFLICT (sha256) DO NOTHING",
        params![hash.0, bytes, at],
    )?;
    Ok(hash)
}

enum Lists {
    Published,
    Waiting,
}

/// Dropped handles of which a code may be alive on `oldest_day` or later.
fn dropped(tx: &Transaction<'_>, which: Lists, oldest_day: u16) -> Result<Vec<Dropped>, StoreError> {
    let sql = match which {
        Lists::Published => {
            "SELECT handle, reason, alive_until FROM handles WHERE published_in IS NOT NULL AND alive_until >= ?1"
        }
        Lists::Waiting => {
            "SELECT handle, reason, alive_until FROM handles
             WHERE dropped_at IS NOT NULL AND published_in IS NULL AND alive_until >= ?1"
        }
    };
    let mut rows = tx.prepare_cached(sql)?;
    let rows = rows.query_map([u32::from(oldest_day) * DAY], |r| {
        Ok(Dropped { handle: r.get(0)?, reason: r.get(1)?, alive_until: r.get(2)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn standing(tx: &Transaction<'_>, now: u32) -> Result<Standing, StoreError> {
    let head: Option<(u32, u32)> = tx
        .prepare_cached("SELECT version, issued_at FROM heads ORDER BY version DESC LIMIT 1")?
        .query_row([], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    // As the next head will see it: its time never goes back.
    let now = head.map_or(now, |(_, issued_at)| now.max(issued_at));
    let yesterday = u32::from(day_of(now).saturating_sub(1));
    let waiting = tx
        .prepare_cached(
            "SELECT count(*) FROM handles
             WHERE dropped_at IS NOT NULL AND published_in IS NULL AND alive_until >= ?1",
        )?
        .query_row([yesterday * DAY], |r| r.get(0))?;
    let named = super::rosters::named(tx)?;
    let rosters = current_head(tx)?.is_some_and(|head| head.rosters() != named.as_ref());
    Ok(Standing { head, waiting, rosters })
}

pub(super) fn head(tx: &Transaction<'_>) -> Result<Vec<u8>, StoreError> {
    tx.prepare_cached("SELECT bytes FROM heads ORDER BY version DESC LIMIT 1")?
        .query_row([], |r| r.get(0))
        .optional()?
        .ok_or(StoreError::NothingPublished)
}

pub(super) fn file(tx: &Transaction<'_>, hash: &Sha256Hash) -> Result<Option<Vec<u8>>, StoreError> {
    let row = tx
        .prepare_cached("SELECT bytes FROM files WHERE sha256 = ?1")?
        .query_row([Value::Blob(hash.0.to_vec())], |r| r.get(0))
        .optional()?;
    Ok(row)
}

pub(super) fn edition(tx: &Transaction<'_>) -> Result<(Edition, Vec<Vec<u8>>), StoreError> {
    let edition = current(tx)?.ok_or(StoreError::NothingPublished)?;
    let missing = || StoreError::Damaged("a file that the head names is missing".to_owned());
    let rosters = super::rosters::of_head(tx, &edition.head)?.into_iter().map(|(_, file)| file);
    let all = edition.names().chain(rosters);
    let mut files: Vec<Vec<u8>> = all.map(|f| file(tx, &f.hash)?.ok_or_else(missing)).collect::<Result<_, _>>()?;
    let named = edition.head.root.hash;
    files.extend(trust_history(tx)?.roots.into_iter().filter(|root| Sha256Hash::of(root) != named));
    Ok((edition, files))
}

pub(super) fn current_head(tx: &Transaction<'_>) -> Result<Option<Head>, StoreError> {
    Ok(current(tx)?.map(|edition| edition.head))
}

fn current(tx: &Transaction<'_>) -> Result<Option<Edition>, StoreError> {
    let row: Option<(Vec<u8>, u32, [u8; 32])> = tx
        .query_row("SELECT bytes, snapshot_at, snapshot_checksum FROM heads ORDER BY version DESC LIMIT 1", [], |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?))
        })
        .optional()?;
    let Some((bytes, snapshot_at, checksum)) = row else { return Ok(None) };
    let head = Head::peek_unverified(&bytes).map_err(|e| StoreError::Damaged(format!("its head {e}")))?;
    Ok(Some(Edition { head, bytes, snapshot_at, snapshot_checksum: Sha256Hash(checksum) }))
}
