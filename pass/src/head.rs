//! The head: the one small file that says what is current (SY 4).

use alloc::vec::Vec;

use ed25519_dalek::SigningKey;

use crate::file::{FileRef, Sha256Hash};
use crate::key::{Context, KeyId, Purpose};
use crate::keyset::Keyset;
use crate::limits;
use crate::signed::{self, FileType, ListError};
use crate::wire::{Reader, Writer};

/// What is current, signed anew with every change and before it expires. Everything else is named here by its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Changes when the registry starts its lists over; versions compare only within one epoch.
    pub epoch: u32,
    /// Counts up with each head of the epoch.
    pub version: u32,
    /// Unix seconds. Proof that this moment has passed.
    pub issued_at: u32,
    /// Unix seconds; after this the head still counts, but the gate says that its lists are old.
    pub expires_at: u32,
    /// The current root.
    pub root: FileRef,
    /// The current keyset.
    pub keyset: FileRef,
    /// The revoked handles.
    pub revocations: Revocations,
    /// Further files by type (SY 4.4): 1 policy, 2 rosters. A reader does not fetch the types it does not know.
    pub files: Vec<(u8, FileRef)>,
}

/// The set of revoked handles, and the files it can be built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocations {
    /// The version of the set.
    pub version: u32,
    /// Entries with an expiry day before this one (days since 1970-01-01 UTC) are no longer in the set.
    pub oldest_day: u16,
    /// Entries in the set.
    pub count: u32,
    /// [`crate::RevocationSet::checksum`] of the set.
    pub checksum: Sha256Hash,
    /// A whole set, at this version or an earlier one.
    pub snapshot: FileRef,
    /// Deltas, each starting where the one before ends; the last ends at `version`.
    pub deltas: Vec<DeltaRef>,
}

/// A delta as the head names it: from version `from` to version `file.version`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeltaRef {
    /// The version it starts from.
    pub from: u32,
    /// The file; its version is the one the delta leads to.
    pub file: FileRef,
}

/// SY 4.4: "Type 1 is the policy (SY 12), type 2 the index of the rosters (SY 13)."
const POLICY: u8 = 1;
const ROSTERS: u8 = 2;

impl Head {
    /// The policy, if the registry has one.
    pub fn policy(&self) -> Option<&FileRef> {
        self.further_file(POLICY)
    }

    /// The index of the rosters, if the registry has any.
    pub fn rosters(&self) -> Option<&FileRef> {
        self.further_file(ROSTERS)
    }

    /// Further files of a head: the policy and the index of the rosters, if there are such.
    pub fn further(policy: Option<FileRef>, rosters: Option<FileRef>) -> Vec<(u8, FileRef)> {
        let policy = policy.map(|file| (POLICY, file));
        policy.into_iter().chain(rosters.map(|file| (ROSTERS, file))).collect()
    }

    fn further_file(&self, kind: u8) -> Option<&FileRef> {
        self.files.iter().find(|(known, _)| *known == kind).map(|(_, file)| file)
    }
}

impl Revocations {
    /// SY 4.3: the deltas that lead from `version` to the head's version, or `None` if there is no way but the snapshot.
    pub fn path_from(&self, version: u32) -> Option<&[DeltaRef]> {
        if version == self.version {
            return Some(&[]);
        }
        let start = self.deltas.iter().position(|d| d.from == version)?;
        self.deltas.get(start..)
    }
}

impl Head {
    /// The signed head, by a key of purpose [`Purpose::Lists`].
    pub fn sign(&self, id: KeyId, key: &SigningKey) -> Vec<u8> {
        let mut body = Writer::default();
        body.u32(self.epoch).u32(self.version).u32(self.issued_at).u32(self.expires_at);
        self.root.write(&mut body);
        self.keyset.write(&mut body);
        let r = &self.revocations;
        body.u32(r.version).u16(r.oldest_day).u32(r.count).bytes(&r.checksum.0);
        r.snapshot.write(&mut body);
        body.u8(u8::try_from(r.deltas.len()).unwrap_or(u8::MAX));
        for delta in &r.deltas {
            body.u32(delta.from);
            delta.file.write(&mut body);
        }
        body.u8(u8::try_from(self.files.len()).unwrap_or(u8::MAX));
        for (kind, file) in &self.files {
            body.u8(*kind);
            file.write(&mut body);
        }
        signed::sign(FileType::Head, Context::Head, &body.0, &[(id, key)])
    }

    /// Reads a head **without** checking its signature, to learn which keyset must be fetched to check it.
    ///
    /// # Errors
    /// [`ListError`] if it is malformed.
    pub fn peek_unverified(bytes: &[u8]) -> Result<Self, ListError> {
        Self::parse(signed::open(bytes, FileType::Head, limits::HEAD_BYTES)?.body)
    }

    /// SY 4.1: "A head is believed if a lists key of the keyset signed it and was valid at issued_at." Whether it goes
    /// forward (SY 4.2) is for the caller, who knows the last one: [`Head::follows`].
    ///
    /// # Errors
    /// [`ListError`] naming the check that failed.
    pub fn open(bytes: &[u8], keys: &Keyset) -> Result<Self, ListError> {
        let file = signed::open(bytes, FileType::Head, limits::HEAD_BYTES)?;
        let head = Self::parse(file.body)?;
        file.verify_by_one(Context::Head, |id| keys.valid_at(id, Purpose::Lists, u64::from(head.issued_at)))?;
        Ok(head)
    }

    /// SY 4.2: "A head replaces the known one only if nothing in it goes back." This stops rollback.
    pub fn follows(&self, known: &Self) -> bool {
        // SY 4.2: "Time, root and keyset do not go back in a new epoch either." An epoch is the word of a lists key, which
        // must not be enough to bring back a signing key that the root has taken away.
        let forward = self.issued_at >= known.issued_at
            && self.root.version >= known.root.version
            && self.keyset.version >= known.keyset.version;
        if self.epoch != known.epoch {
            return forward && self.epoch > known.epoch;
        }
        forward
            && self.version >= known.version
            && self.revocations.version >= known.revocations.version
            && self.revocations.oldest_day >= known.revocations.oldest_day
            // SY 4.2: "One version has one content."
            && (self.version != known.version || self == known)
    }

    /// SY 4.7: "The known head does not bind its successor once the successor's keyset is newer and the key that signed the
    /// known head is not known in it." `known_file` is the known head as it was signed, `keys` the keyset of this one.
    pub fn follows_a_thiefs(&self, known: &Self, known_file: &[u8], keys: &Keyset) -> bool {
        self.root.version >= known.root.version
            && self.keyset.version > known.keyset.version
            && matches!(Self::open(known_file, keys), Err(ListError::UnknownKey))
    }

    fn parse(body: &[u8]) -> Result<Self, ListError> {
        let mut body = Reader::new(body);
        let (epoch, version) = (body.u32()?, body.u32()?);
        let (issued_at, expires_at) = (body.u32()?, body.u32()?);
        // SY 4.5: "expires_at is after issued_at."
        if expires_at <= issued_at {
            return Err(ListError::Field("expires_at"));
        }
        let root = FileRef::read(&mut body)?;
        let keyset = FileRef::read(&mut body)?;
        let revocations = Revocations::read(&mut body)?;
        let count = body.u8()?;
        // SY 4.4: "At most 16 further files, ascending by type, no type twice." Unknown types are like any other here.
        if usize::from(count) > limits::HEAD_FILES {
            return Err(ListError::Field("file count"));
        }
        let mut files: Vec<(u8, FileRef)> = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            let kind = body.u8()?;
            if files.last().is_some_and(|(last, _)| *last >= kind) {
                return Err(ListError::Order("files"));
            }
            files.push((kind, FileRef::read(&mut body)?));
        }
        body.end()?;
        Ok(Self { epoch, version, issued_at, expires_at, root, keyset, revocations, files })
    }
}

impl Revocations {
    fn read(body: &mut Reader<'_>) -> Result<Self, ListError> {
        let version = body.u32()?;
        let oldest_day = body.u16()?;
        let count = body.u32()?;
        let checksum = Sha256Hash(body.array()?);
        let snapshot = FileRef::read(body)?;
        let n = body.u8()?;
        // SY 4.3: "At most 128 deltas; each leads forward and starts where the one before ends."
        if usize::from(n) > limits::DELTAS {
            return Err(ListError::Field("delta count"));
        }
        let mut deltas: Vec<DeltaRef> = Vec::with_capacity(usize::from(n));
        for _ in 0..n {
            let delta = DeltaRef { from: body.u32()?, file: FileRef::read(body)? };
            let joined = deltas.last().is_none_or(|last| last.file.version == delta.from);
            if !joined || delta.file.version <= delta.from {
                return Err(ListError::Order("deltas"));
            }
            deltas.push(delta);
        }
        let revocations = Self { version, oldest_day, count, checksum, snapshot, deltas };
        // SY 4.3: "The last delta ends at the set's version, and from the snapshot there is always a way to it."
        let ends_here = revocations.deltas.last().is_none_or(|d| d.file.version == version);
        if !ends_here || revocations.path_from(snapshot.version).is_none() {
            return Err(ListError::Order("deltas"));
        }
        Ok(revocations)
    }
}
