//! Fetching the lists and checking them against each other and against what is known (SYNC 3 to 5, 8).

use tongguan_pass::{
    FileRef, Head, Keyset, ListError, Policy, Revocation, RevocationList, RevocationSet, Root, Sha256Hash, limits,
};

use super::{SyncError, Transport};
use crate::store::{Change, Trust, Update};

/// How many roots a checkpoint may be behind. An attacker's endless chain of roots ends here.
const ROOTS_BEHIND: usize = 32;

/// What the registry has that is newer than `known`; `None` if nothing is.
///
/// # Errors
/// [`SyncError`] naming the file and the failed check.
pub fn fetch(transport: &dyn Transport, known: &Trust) -> Result<Option<Update>, SyncError> {
    let head_file = transport
        .get_unless("v1/head", &known.head_file, limits::HEAD_BYTES)
        .map_err(|source| SyncError::Transport { what: "v1/head".into(), source })?;
    let Some(head_file) = head_file else { return Ok(None) };
    // SY 8.1: the head says which keys check it, and the root says whether they are the registry's.
    let peek = Head::peek_unverified(&head_file).map_err(refused("the head"))?;
    let (root_file, root) = follow_root(transport, known, &peek.root)?;
    let keyset_file = match &known.head {
        Some(head) if head.keyset == peek.keyset => known.keyset_file.clone(),
        _ => get_named(transport, &peek.keyset, "the keyset", limits::KEYSET_BYTES)?,
    };
    let keys = Keyset::open(&keyset_file, &root).map_err(refused("the keyset"))?;
    if keys.version != peek.keyset.version || keys.version < known.keys.version {
        return Err(SyncError::Rollback { got: keys.version, known: known.keys.version });
    }
    let head = Head::open(&head_file, &keys).map_err(refused("the head"))?;
    let mut bound = known.head.as_ref();
    if let Some(last) = bound
        // SY 4.2: never back.
        && !head.follows(last)
    {
        // SY 4.7: but for what a thief made up.
        if !head.follows_a_thiefs(last, &known.head_file, &keys) {
            return Err(SyncError::Rollback { got: head.version, known: last.version });
        }
        tracing::warn!(
            version = last.version,
            "the lists here were signed with a key that was taken away; starting over"
        );
        bound = None;
    }
    let (revocations, change) = revocations(transport, bound, &known.revocations, &head)?;
    let (policy_file, policy) = policy(transport, known, &head)?;
    let head = Some(head);
    let trust = Trust { root_file, root, keyset_file, keys, head_file, head, revocations, policy_file, policy };
    Ok(Some(Update { replaces: known.head_file.clone(), trust, change }))
}

/// SY 12: the policy the head names; without one, a policy with nothing in it.
fn policy(transport: &dyn Transport, known: &Trust, head: &Head) -> Result<(Vec<u8>, Policy), SyncError> {
    let Some(named) = head.policy() else { return Ok(Default::default()) };
    if known.head.as_ref().and_then(Head::policy) == Some(named) {
        return Ok((known.policy_file.clone(), known.policy.clone()));
    }
    let file = get_named(transport, named, "the policy", limits::POLICY_BYTES)?;
    let policy = Policy::decode(&file).map_err(refused("the policy"))?;
    Ok((file, policy))
}

/// SY 3.2: from the root that is known to the one the head names, each signed by the one before.
fn follow_root(transport: &dyn Transport, known: &Trust, newest: &FileRef) -> Result<(Vec<u8>, Root), SyncError> {
    let known_hash = Sha256Hash::of(&known.root_file);
    if newest.hash == known_hash {
        return Ok((known.root_file.clone(), known.root.clone()));
    }
    // A registry with another root of the same age is another registry, not a successor.
    if newest.version <= known.root.version {
        return Err(SyncError::OtherRegistry);
    }
    let mut chain = vec![get_named(transport, newest, "the root", limits::ROOT_BYTES)?];
    loop {
        let oldest = chain.last().map(|file| Root::open_pinned(file)).transpose().map_err(refused("the root"))?;
        match oldest.and_then(|root| root.previous) {
            Some(previous) if previous == known_hash => break,
            Some(previous) if chain.len() < ROOTS_BEHIND => {
                let file = get(transport, &format!("v1/files/{previous}"), limits::ROOT_BYTES)?;
                if Sha256Hash::of(&file) != previous {
                    return Err(SyncError::Refused { what: "the root", source: ListError::Hash });
                }
                chain.push(file);
            }
            _ => return Err(SyncError::OtherRegistry),
        }
    }
    let (mut file, mut root) = (known.root_file.clone(), known.root.clone());
    while let Some(next) = chain.pop() {
        root = root.open_successor(&file, &next).map_err(refused("the root"))?;
        file = next;
    }
    Ok((file, root))
}

/// SY 5.5: by deltas if there is a way from the set here, else from the snapshot.
fn revocations(
    transport: &dyn Transport,
    last: Option<&Head>,
    known: &RevocationSet,
    head: &Head,
) -> Result<(RevocationSet, Change), SyncError> {
    let oldest_day = head.revocations.oldest_day;
    if let Some(last) = last
        && last.epoch == head.epoch
        && let Some(path) = head.revocations.path_from(last.revocations.version)
    {
        let mut added = Vec::new();
        for delta in path {
            extend(&mut added, list(transport, head, &delta.file, Some(delta.from))?)?;
        }
        let set = known.after(&added, oldest_day).map_err(refused("a delta"))?;
        match matches_head(&set, head) {
            Ok(()) => return Ok((set, Change::Add(added, oldest_day))),
            // The set here may be the damaged one: the snapshot tells.
            Err(e) => tracing::warn!("the revocation list {e}; starting over from the snapshot"),
        }
    }
    let snapshot = &head.revocations.snapshot;
    let mut entries = list(transport, head, snapshot, None)?.entries;
    for delta in head.revocations.path_from(snapshot.version).unwrap_or(&[]) {
        extend(&mut entries, list(transport, head, &delta.file, Some(delta.from))?)?;
    }
    let set = RevocationSet::default().after(&entries, oldest_day).map_err(refused("the snapshot"))?;
    matches_head(&set, head).map_err(refused("the revocation list"))?;
    Ok((set, Change::Replace))
}

/// Endless data in small pieces: all files together hold no more than one may.
fn extend(entries: &mut Vec<Revocation>, list: RevocationList) -> Result<(), SyncError> {
    if entries.len() + list.entries.len() > limits::LIST_ENTRIES {
        return Err(SyncError::Refused { what: "the revocation list", source: ListError::Field("count") });
    }
    entries.extend(list.entries);
    Ok(())
}

fn list(
    transport: &dyn Transport,
    head: &Head,
    file: &FileRef,
    from: Option<u32>,
) -> Result<RevocationList, SyncError> {
    let what = if from.is_some() { "a delta" } else { "the snapshot" };
    let bytes = get_named(transport, file, what, limits::LIST_BYTES)?;
    let list = RevocationList::decode(&bytes).map_err(refused(what))?;
    if list.epoch != head.epoch {
        return Err(SyncError::Refused { what, source: ListError::Epoch });
    }
    // SY 5.7: the file must be the step that the head says it is.
    if list.from != from || list.to != file.version {
        let (from, at) = (list.from.unwrap_or(0), from.unwrap_or(0));
        return Err(SyncError::Refused { what, source: ListError::Gap { from, at } });
    }
    Ok(list)
}

/// SY 5.6: what was built is what the registry has.
fn matches_head(set: &RevocationSet, head: &Head) -> Result<(), ListError> {
    let same_count = u32::try_from(set.entries().len()) == Ok(head.revocations.count);
    if same_count && set.checksum() == head.revocations.checksum { Ok(()) } else { Err(ListError::Checksum) }
}

/// A file the head names: bounded by the size it states, believed only by its hash (SY 1.3).
pub(super) fn get_named(
    transport: &dyn Transport,
    file: &FileRef,
    what: &'static str,
    limit: usize,
) -> Result<Vec<u8>, SyncError> {
    let stated = usize::try_from(file.size).unwrap_or(usize::MAX);
    if stated > limit {
        return Err(SyncError::Refused { what, source: ListError::TooLong { got: stated, limit } });
    }
    let path = format!("v1/files/{}", file.hash);
    let bytes = transport.get(&path, stated).map_err(|source| match source {
        absent if absent.is_absent() => SyncError::Missing { what, place: transport.place(&path) },
        source => SyncError::Transport { what: format!("{what} ({path})"), source },
    })?;
    match file.check(&bytes) {
        Ok(()) => Ok(bytes),
        Err(source) => Err(SyncError::NotAsNamed {
            what,
            place: transport.place(&path),
            got: bytes.len(),
            stated: file.size,
            source,
        }),
    }
}

fn get(transport: &dyn Transport, path: &str, limit: usize) -> Result<Vec<u8>, SyncError> {
    transport.get(path, limit).map_err(|source| SyncError::Transport { what: path.to_owned(), source })
}

pub(super) fn refused(what: &'static str) -> impl FnOnce(ListError) -> SyncError {
    move |source| SyncError::Refused { what, source }
}
