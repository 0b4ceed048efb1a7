//! The root: the offline keys everything else hangs from (SY 3.1, 3.2).

use alloc::vec::Vec;

use ed25519_dalek::{SigningKey, VerifyingKey};

use crate::file::Sha256Hash;
use crate::key::{self, Context, KeyId};
use crate::limits;
use crate::signed::{self, FileType, ListError, Signed};
use crate::wire::{Reader, Writer};

/// The root keys, m of n. A checkpoint is given one root when it is installed and follows its successors from there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Counts up by one with each change.
    pub version: u32,
    /// Unix seconds.
    pub issued_at: u32,
    /// The hash of the root file before this one; `None` for version 1. With it a checkpoint that is several versions behind can
    /// walk back to the one it knows.
    pub previous: Option<Sha256Hash>,
    /// How many of the keys must sign.
    pub threshold: u8,
    /// The public keys, ascending by id.
    pub keys: Vec<(KeyId, VerifyingKey)>,
}

impl Root {
    /// The signed root file. A successor is signed by enough of the old keys and enough of its own.
    pub fn sign(&self, signers: &[(KeyId, &SigningKey)]) -> Vec<u8> {
        let mut body = Writer::default();
        body.u32(self.version).u32(self.issued_at);
        body.bytes(&self.previous.map_or([0; 32], |h| h.0));
        body.u8(self.threshold).u8(u8::try_from(self.keys.len()).unwrap_or(u8::MAX));
        for (id, key) in &self.keys {
            body.u16(id.0).bytes(key.as_bytes());
        }
        signed::sign(FileType::Root, Context::Root, &body.0, signers)
    }

    /// SY 3.1: reads a root that is trusted because of where it came from (the file given at installation). Its own keys
    /// must have signed it, which catches damage, not a wrong file.
    ///
    /// # Errors
    /// [`ListError`] naming the check that failed.
    pub fn open_pinned(bytes: &[u8]) -> Result<Self, ListError> {
        let file = signed::open(bytes, FileType::Root, limits::ROOT_BYTES)?;
        let root = Self::parse(file.body)?;
        root.endorses(Context::Root, &file)?;
        Ok(root)
    }

    /// SY 3.2: reads the root that follows this one: version + 1, naming this one's file, signed by enough of this
    /// one's keys and enough of its own.
    ///
    /// # Errors
    /// [`ListError::RootChain`] if it is not the next one, else as [`Root::open_pinned`].
    pub fn open_successor(&self, this_file: &[u8], bytes: &[u8]) -> Result<Self, ListError> {
        let file = signed::open(bytes, FileType::Root, limits::ROOT_BYTES)?;
        let next = Self::parse(file.body)?;
        let follows =
            Some(next.version) == self.version.checked_add(1) && next.previous == Some(Sha256Hash::of(this_file));
        if !follows {
            return Err(ListError::RootChain);
        }
        self.endorses(Context::Root, &file)?;
        next.endorses(Context::Root, &file)?;
        Ok(next)
    }

    /// Whether enough of the root keys signed `file`.
    pub(crate) fn endorses(&self, context: Context, file: &Signed<'_>) -> Result<(), ListError> {
        let find = |id| self.keys.iter().find(|(k, _)| *k == id).map(|(_, key)| key);
        let got = file.good_signatures(context, find)?;
        let needed = usize::from(self.threshold);
        if got < needed { Err(ListError::Threshold { got, needed }) } else { Ok(()) }
    }

    fn parse(body: &[u8]) -> Result<Self, ListError> {
        let mut body = Reader::new(body);
        let version = body.u32()?;
        let issued_at = body.u32()?;
        let previous: [u8; 32] = body.array()?;
        let previous = (previous != [0; 32]).then_some(Sha256Hash(previous));
        let threshold = body.u8()?;
        let count = body.u8()?;
        if version == 0 || (version == 1) != previous.is_none() {
            return Err(ListError::Field("version"));
        }
        if usize::from(count) > limits::KEYS {
            return Err(ListError::Field("key count"));
        }
        if threshold == 0 || threshold > count {
            return Err(ListError::Field("threshold"));
        }
        let mut keys: Vec<(KeyId, VerifyingKey)> = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            let id = KeyId(body.u16()?);
            if keys.last().is_some_and(|(last, _)| *last >= id) {
                return Err(ListError::Order("keys"));
            }
            let key = key::public_key(&body.array()?).ok_or(ListError::PublicKey)?;
            // One key under two ids would count twice towards the threshold.
            if keys.iter().any(|(_, known)| *known == key) {
                return Err(ListError::Order("keys"));
            }
            keys.push((id, key));
        }
        body.end()?;
        Ok(Self { version, issued_at, previous, threshold, keys })
    }
}
