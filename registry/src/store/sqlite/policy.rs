//! The policy and its versions.

use rusqlite::{OptionalExtension as _, Transaction, params};
use tongguan_pass::{FileRef, Policy};

use super::audit;
use super::lists::keep;
use crate::domain::audit::Act;
use crate::domain::policy::empty;
use crate::domain::publish::PublishError;
use crate::store::{By, NewPolicy, Redraft, StoreError};

pub(super) fn current(tx: &Transaction<'_>) -> Result<Option<(u32, Policy)>, StoreError> {
    let Some((version, bytes)) = newest(tx)? else { return Ok(None) };
    let policy = Policy::decode(&bytes).map_err(|e| StoreError::Damaged(format!("its policy {e}")))?;
    Ok(Some((version, policy)))
}

pub(super) fn change(tx: &Transaction<'_>, redraft: Redraft<'_>, act: Act, by: &By) -> Result<NewPolicy, StoreError> {
    let current = current(tx)?;
    let (version, before) = current.clone().unwrap_or_else(|| (0, empty()));
    let after = redraft(&before)?;
    if current.is_some() && after == before {
        return Ok(NewPolicy { before, after, version });
    }
    let version = version.checked_add(1).ok_or(PublishError::Versions)?;
    let hash = keep(tx, &after.encode(), by.at)?;
    tx.execute("INSERT INTO policies (version, sha256) VALUES (?1, ?2)", params![version, hash.0])?;
    audit(tx, by, act, &format!("policy:{version}"))?;
    Ok(NewPolicy { before, after, version })
}

/// The policy as a head names it.
pub(super) fn named(tx: &Transaction<'_>) -> Result<Option<FileRef>, StoreError> {
    Ok(newest(tx)?.map(|(version, bytes)| FileRef::to(version, &bytes)))
}

fn newest(tx: &Transaction<'_>) -> Result<Option<(u32, Vec<u8>)>, StoreError> {
    let row = tx
        .prepare_cached("SELECT version, bytes FROM policies JOIN files USING (sha256) ORDER BY version DESC LIMIT 1")?
        .query_row([], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    Ok(row)
}
