//! Publishing: from what is current and what waits to the next head and the files it names (SY 4, 5).

use tongguan_pass::head::{DeltaRef, Revocations};
use tongguan_pass::revocation::day_of;
use tongguan_pass::{FileRef, Head, ListError, Purpose, Revocation, RevocationList, RevocationSet, Sha256Hash, limits};

use crate::domain::handle::Dropped;
use crate::domain::signers::{KeyError, Signers};
use crate::domain::time::DAY;

/// Seconds a head is current.
pub const HEAD_SECONDS: u32 = DAY;
/// Deltas that a head names at the least and at the most, and the snapshot's bytes that are worth one of them.
const DELTAS: std::ops::RangeInclusive<usize> = 8..=100;
const SNAPSHOT_BYTES_PER_DELTA: usize = 8 * 1024;
/// Below this, deltas larger than their snapshot cost less than a new snapshot's churn.
const SMALL_DELTAS: u64 = 64 * 1024;
/// Entries of one delta; what is over waits for the next publish.
const DELTA_ENTRIES: usize = 1_000_000;
/// The epoch of a registry that never had to start its lists over.
pub const FIRST_EPOCH: u32 = 1;

/// Why nothing could be published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// No key to sign the head.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// More revoked handles than a list can hold.
    #[error("the revocation list is full: {0} handles, and a list holds at most {max}", max = limits::LIST_ENTRIES)]
    Full(usize),
    /// The keyset to be named is not the one the signing keys are from: it was changed a moment ago.
    #[error("the keys have just been changed; publish again")]
    KeysChanged,
    /// A version counter ran out.
    #[error("version numbers have run out; the lists must start over: `tongguan-registry publish --new-epoch`")]
    Versions,
    /// An epoch counter ran out.
    #[error("epoch numbers have run out; set up a new registry")]
    Epochs,
    /// What was made is not what a gate would accept. Nothing is published then.
    #[error("the new lists would not be accepted by a gate: they {0}")]
    SelfCheck(#[from] ListError),
}

/// A head with its bytes, and what must be remembered of its snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    /// The head.
    pub head: Head,
    /// The signed bytes.
    pub bytes: Vec<u8>,
    /// When its snapshot was made.
    pub snapshot_at: u32,
    /// The checksum of the set its snapshot holds.
    pub snapshot_checksum: Sha256Hash,
}

/// What a new edition is made from.
#[derive(Debug, Clone)]
pub struct Stock {
    /// The current edition; `None` before the first.
    pub last: Option<Edition>,
    /// The current root.
    pub root: FileRef,
    /// The current keyset.
    pub keyset: FileRef,
    /// The current policy, if there is one.
    pub policy: Option<FileRef>,
    /// The current index of the rosters, if there is one.
    pub rosters: Option<FileRef>,
    /// Every published handle of which a code may be alive.
    pub published: Vec<Dropped>,
    /// Dropped handles not yet published.
    pub waiting: Vec<Dropped>,
}

/// A new edition with its new files.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The edition.
    pub edition: Edition,
    /// Files that the last edition did not name.
    pub files: Vec<Vec<u8>>,
    /// The handles that entered the lists, at `edition.head.revocations.version`.
    pub entered: Vec<u32>,
}

impl Edition {
    /// Every file the head names.
    pub fn names(&self) -> impl Iterator<Item = FileRef> + '_ {
        named_files(&self.head)
    }
}

/// Every file a head names.
pub fn named_files(head: &Head) -> impl Iterator<Item = FileRef> + '_ {
    let deltas = head.revocations.deltas.iter().map(|d| d.file);
    let three = [head.root, head.keyset, head.revocations.snapshot];
    three.into_iter().chain(deltas).chain(head.files.iter().map(|(_, f)| *f))
}

/// Where an edition stands among those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// After the last one.
    Next,
    /// In a new epoch, in which version, set and oldest day start over (SY 4.2): every gate follows, whatever it has seen of
    /// the epochs before.
    NewEpoch,
}

/// The next edition as of `now`. Neither its time nor, in one epoch, its oldest day goes back, whatever the clock does (SY 4.2).
///
/// # Errors
/// [`PublishError`]; then nothing changes.
pub fn next(stock: Stock, start: Start, now: u32, signers: &Signers) -> Result<Publication, PublishError> {
    let before = stock.last.as_ref();
    // Of the same epoch.
    let last = before.filter(|_| start == Start::Next);
    let issued_at = before.map_or(now, |l| now.max(l.head.issued_at));
    let expires_at = issued_at.saturating_add(HEAD_SECONDS);
    // A day of grace: a gate with a slow clock still refuses what ended yesterday.
    let yesterday = day_of(issued_at).saturating_sub(1);
    let oldest_day = last.map_or(yesterday, |l| yesterday.max(l.head.revocations.oldest_day));

    let mut added: Vec<Revocation> = stock.waiting.iter().map(Dropped::entry).collect();
    added.retain(|e| e.expiry_day >= oldest_day);
    added.sort_unstable_by_key(|e| e.handle);
    added.truncate(DELTA_ENTRIES);
    let set = RevocationSet::new(stock.published.iter().map(Dropped::entry).collect())?.after(&added, oldest_day)?;
    if set.entries().len() > limits::LIST_ENTRIES {
        return Err(PublishError::Full(set.entries().len()));
    }

    let epoch = match (before, start) {
        (None, _) => FIRST_EPOCH,
        (Some(l), Start::Next) => l.head.epoch,
        (Some(l), Start::NewEpoch) => l.head.epoch.checked_add(1).ok_or(PublishError::Epochs)?,
    };
    let mut files = Vec::new();
    let revocations = match last {
        None => first_lists(epoch, &set, oldest_day, &mut files),
        Some(last) => next_lists(last, &set, &added, oldest_day, issued_at, &mut files)?,
    };
    let fresh_snapshot = last.is_none_or(|l| l.head.revocations.snapshot != revocations.snapshot);
    let (snapshot_at, snapshot_checksum) = match last {
        Some(last) if !fresh_snapshot => (last.snapshot_at, last.snapshot_checksum),
        _ => (issued_at, set.checksum()),
    };
    let version = last.map_or(Some(1), |l| l.head.version.checked_add(1)).ok_or(PublishError::Versions)?;
    let head = Head {
        epoch,
        version,
        issued_at,
        expires_at,
        root: stock.root,
        keyset: stock.keyset,
        revocations,
        files: Head::further(stock.policy, stock.rosters),
    };
    // The key must be good now; the head may outlive it, for a gate checks a head when it fetches it.
    let (id, key) = signers.find(Purpose::Lists, issued_at, issued_at)?;
    let bytes = head.sign(id, key);
    self_check(&head, &bytes, &files)?;
    let entered = added.iter().map(|e| e.handle).collect();
    Ok(Publication { edition: Edition { head, bytes, snapshot_at, snapshot_checksum }, files, entered })
}

fn first_lists(epoch: u32, set: &RevocationSet, oldest_day: u16, files: &mut Vec<Vec<u8>>) -> Revocations {
    let version = 1;
    let snapshot = snapshot(epoch, version, set, files);
    Revocations { version, oldest_day, count: count(set), checksum: set.checksum(), snapshot, deltas: Vec::new() }
}

fn next_lists(
    last: &Edition,
    set: &RevocationSet,
    added: &[Revocation],
    oldest_day: u16,
    now: u32,
    files: &mut Vec<Vec<u8>>,
) -> Result<Revocations, PublishError> {
    let epoch = last.head.epoch;
    let mut r = last.head.revocations.clone();
    if !added.is_empty() {
        let (from, to) = (r.version, r.version.checked_add(1).ok_or(PublishError::Versions)?);
        let delta = RevocationList { epoch, from: Some(from), to, entries: added.to_vec() }.encode();
        r.deltas.push(DeltaRef { from, file: FileRef::to(to, &delta) });
        r.version = to;
        files.push(delta);
    }
    r.oldest_day = oldest_day;
    r.count = count(set);
    r.checksum = set.checksum();
    if wants_snapshot(&r, last, now) {
        r.snapshot = snapshot(epoch, r.version, set, files);
    }
    let surplus = r.deltas.len().saturating_sub(named_deltas(&r));
    r.deltas.drain(..surplus);
    Ok(r)
}

/// How many versions a gate may be behind and still catch up by deltas. Each delta costs every gate 44 bytes with every head,
/// and saves one that was away the snapshot: while that is small, few are worth it.
fn named_deltas(r: &Revocations) -> usize {
    let worth = r.snapshot.size as usize / SNAPSHOT_BYTES_PER_DELTA;
    worth.clamp(*DELTAS.start(), *DELTAS.end())
}

/// A new snapshot is worth its bytes when the way from the old one has become long, or a day has changed the set.
fn wants_snapshot(r: &Revocations, last: &Edition, now: u32) -> bool {
    let Some(way) = r.path_from(r.snapshot.version) else { return true };
    let bytes: u64 = way.iter().map(|d| u64::from(d.file.size)).sum();
    let heavy = bytes > SMALL_DELTAS && bytes > u64::from(r.snapshot.size);
    let old = now.saturating_sub(last.snapshot_at) > DAY && r.checksum != last.snapshot_checksum;
    way.len() > named_deltas(r) / 2 || heavy || old
}

fn snapshot(epoch: u32, to: u32, set: &RevocationSet, files: &mut Vec<Vec<u8>>) -> FileRef {
    let file = RevocationList { epoch, from: None, to, entries: set.entries().to_vec() }.encode();
    let named = FileRef::to(to, &file);
    files.push(file);
    named
}

/// A head that a gate would refuse must never be signed over a good one: read back what was written.
fn self_check(head: &Head, bytes: &[u8], files: &[Vec<u8>]) -> Result<(), PublishError> {
    if Head::peek_unverified(bytes)? != *head {
        return Err(ListError::Checksum.into());
    }
    files.iter().try_for_each(|file| RevocationList::decode(file).map(|_| ()))?;
    Ok(())
}

fn count(set: &RevocationSet) -> u32 {
    u32::try_from(set.entries().len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[path = "publish_tests.rs"]
mod tests;
