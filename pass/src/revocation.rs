//! The revoked handles (SY 5): as a set in memory, and as snapshot and delta files.

use alloc::vec::Vec;

use sha2::{Digest as _, Sha256};

use crate::file::Sha256Hash;
use crate::limits;
use crate::rice;
use crate::signed::ListError;
use crate::wire::{Reader, Writer};

const MAGIC: &[u8; 4] = b"TGL1";

/// A handle that is no longer good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revocation {
    /// The dropped handle.
    pub handle: u32,
    /// Why (SY 5.2): 0 unspecified, 1 lost or stolen, 2 replaced, 3 withdrawn by staff. Others may come.
    pub reason: u8,
    /// The last day (days since 1970-01-01 UTC) on which a code with this handle could still be good.
    pub expiry_day: u16,
}

/// The day a Unix time falls on, in days since 1970-01-01 UTC.
pub fn day_of(unix_seconds: u32) -> u16 {
    // 2^32 s are 49,710 days: it fits.
    u16::try_from(unix_seconds / 86_400).unwrap_or(u16::MAX)
}

/// A set of revoked handles, for asking about one in logarithmic time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RevocationSet {
    /// Ascending by handle, no handle twice.
    entries: Vec<Revocation>,
}

impl RevocationSet {
    /// The set of `entries`, in any order.
    ///
    /// # Errors
    /// [`ListError::Order`] if a handle is there twice.
    pub fn new(mut entries: Vec<Revocation>) -> Result<Self, ListError> {
        entries.sort_unstable_by_key(|e| e.handle);
        if entries.windows(2).any(|pair| matches!(pair, [a, b] if a.handle == b.handle)) {
            return Err(ListError::Order("handles"));
        }
        Ok(Self { entries })
    }

    /// The entry of `handle`, if it is revoked.
    pub fn get(&self, handle: u32) -> Option<&Revocation> {
        self.entries.binary_search_by_key(&handle, |e| e.handle).ok().and_then(|i| self.entries.get(i))
    }

    /// All entries, ascending by handle.
    pub fn entries(&self) -> &[Revocation] {
        &self.entries
    }

    /// SY 5.5: "The new set is the old one and the added entries, without those with an expiry day before oldest_day."
    ///
    /// # Errors
    /// [`ListError::Order`] if a handle is added that is already there.
    pub fn after(&self, added: &[Revocation], oldest_day: u16) -> Result<Self, ListError> {
        let mut entries = Vec::with_capacity(self.entries.len() + added.len());
        entries.extend(self.entries.iter().chain(added).filter(|e| e.expiry_day >= oldest_day));
        Self::new(entries)
    }

    /// SY 5.6: "SHA-256 over `tongguan/1/revocations` 0x00 and every entry (handle 4, reason 1, expiry day 2), ascending
    /// by handle."
    pub fn checksum(&self) -> Sha256Hash {
        let mut hash = Sha256::new_with_prefix(b"tongguan/1/revocations\0");
        for e in &self.entries {
            let mut entry = [0; 7];
            entry[..4].copy_from_slice(&e.handle.to_be_bytes());
            entry[4] = e.reason;
            entry[5..].copy_from_slice(&e.expiry_day.to_be_bytes());
            hash.update(entry);
        }
        Sha256Hash(hash.finalize().into())
    }
}

/// A revocation file: a snapshot holds a whole set, a delta what was added between two versions. It is not signed; the
/// head names it by its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationList {
    /// As in the head that names it.
    pub epoch: u32,
    /// The version a delta starts from; `None` for a snapshot.
    pub from: Option<u32>,
    /// The version it leads to.
    pub to: u32,
    /// The entries, ascending by handle.
    pub entries: Vec<Revocation>,
}

impl RevocationList {
    /// SY 5.1: "magic 4 | form 1 | epoch 4 | from 4 | to 4 | group count 2 | groups". A group (SY 5.2) holds the handles
    /// that share expiry day and reason: "day 2 | reason 1 | count 4 | k 1 | length 4 | Rice-coded gaps".
    pub fn encode(&self) -> Vec<u8> {
        let mut file = Writer::default();
        file.bytes(MAGIC).u8(if self.from.is_some() { 2 } else { 1 });
        file.u32(self.epoch).u32(self.from.unwrap_or(0)).u32(self.to);
        let mut entries = self.entries.clone();
        entries.sort_unstable_by_key(|e| (e.expiry_day, e.reason, e.handle));
        let groups: Vec<&[Revocation]> = entries.chunk_by(|a, b| group_of(a) == group_of(b)).collect();
        file.u16(u16::try_from(groups.len()).unwrap_or(u16::MAX));
        for group in groups {
            let Some(first) = group.first() else { continue };
            let handles: Vec<u32> = group.iter().map(|e| e.handle).collect();
            let (k, bits) = rice::encode(&handles);
            file.u16(first.expiry_day).u8(first.reason).size(handles.len()).u8(k).size(bits.len()).bytes(&bits);
        }
        file.0
    }

    /// Reads a snapshot or a delta whose hash has been checked ([`crate::FileRef::check`]).
    ///
    /// # Errors
    /// [`ListError`] naming the check that failed.
    pub fn decode(bytes: &[u8]) -> Result<Self, ListError> {
        // SY 10: endless data.
        if bytes.len() > limits::LIST_BYTES {
            return Err(ListError::TooLong { got: bytes.len(), limit: limits::LIST_BYTES });
        }
        let mut file = Reader::new(bytes);
        if file.take(4).ok() != Some(MAGIC.as_slice()) {
            return Err(ListError::Magic);
        }
        let form = file.u8()?;
        let (epoch, from, to) = (file.u32()?, file.u32()?, file.u32()?);
        // SY 5.1: "A snapshot has form 1 and from 0; a delta has form 2 and from < to."
        let from = match (form, from) {
            (1, 0) => None,
            (2, from) if from < to => Some(from),
            _ => return Err(ListError::Field("form, from or to")),
        };
        let mut entries: Vec<Revocation> = Vec::new();
        let mut last_group = None;
        for _ in 0..file.u16()? {
            let (expiry_day, reason) = (file.u16()?, file.u8()?);
            // SY 5.2: "Groups ascend by day, then reason; no group twice."
            if last_group >= Some((expiry_day, reason)) {
                return Err(ListError::Order("groups"));
            }
            last_group = Some((expiry_day, reason));
            let count = file.size()?;
            // SY 5.2: "A group is not empty, and a file has at most 4,194,304 entries."
            if count == 0 || count.saturating_add(entries.len()) > limits::LIST_ENTRIES {
                return Err(ListError::Field("count"));
            }
            let k = file.u8()?;
            let length = file.size()?;
            let handles = rice::decode(k, count, file.take(length)?)?;
            entries.extend(handles.into_iter().map(|handle| Revocation { handle, reason, expiry_day }));
        }
        file.end()?;
        // SY 5.4: "No handle is in a file twice."
        let set = RevocationSet::new(entries)?;
        Ok(Self { epoch, from, to, entries: set.entries })
    }
}

fn group_of(e: &Revocation) -> (u16, u8) {
    (e.expiry_day, e.reason)
}
