//! The root: the offline keys everything else hangs from (SY 3.1, 3.2, 3.4).

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
        signed::sign(FileType::Root, Context::Root, &self.body(), signers)
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        let mut body = Writer::default();
        body.u32(self.version).u32(self.issued_at);
        body.bytes(&self.previous.map_or([0; 32], |h| h.0));
        body.u8(self.threshold).u8(u8::try_from(self.keys.len()).unwrap_or(u8::MAX));
        for (id, key) in &self.keys {
            body.u16(id.0).bytes(key.as_bytes());
        }
        body.0
    }

    /// SY 3.1: "The pinned root is trusted because of where it came from; enough of its own keys must have signed it." That
    /// catches damage, not a wrong file.
    ///
    /// # Errors
    /// [`ListError`] naming the check that failed.
    pub fn open_pinned(bytes: &[u8]) -> Result<Self, ListError> {
        let file = signed::open(bytes, FileType::Root, limits::ROOT_BYTES)?;
        let root = Self::parse(file.body)?;
        root.endorses(Context::Root, &file)?;
        Ok(root)
    }

    /// SY 3.2: "A successor has the next version, names the hash of the file before it, and is signed by enough of the
    /// old keys and enough of its own."
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

    /// SY 2.6: "Signed by the root means: at least threshold signatures by its keys, and none of them wrong."
    pub(crate) fn endorses(&self, context: Context, file: &Signed<'_>) -> Result<(), ListError> {
        let find = |id| self.keys.iter().find(|(k, _)| *k == id).map(|(_, key)| key);
        let got = file.good_signatures(context, find)?;
        let needed = usize::from(self.threshold);
        if got < needed { Err(ListError::Threshold { got, needed }) } else { Ok(()) }
    }

    pub(crate) fn parse(body: &[u8]) -> Result<Self, ListError> {
        let mut body = Reader::new(body);
        let version = body.u32()?;
        let issued_at = body.u32()?;
        let previous: [u8; 32] = body.array()?;
        let previous = (previous != [0; 32]).then_some(Sha256Hash(previous));
        let threshold = body.u8()?;
        let count = body.u8()?;
        // SY 3.4: "Versions start at 1; previous is zero in version 1 and in no other."
        if version == 0 || (version == 1) != previous.is_none() {
            return Err(ListError::Field("version"));
        }
        // SY 3.4: "At most 64 keys.", "The threshold is 1 to the number of keys."
        if usize::from(count) > limits::KEYS {
            return Err(ListError::Field("key count"));
        }
        if threshold == 0 || threshold > count {
            return Err(ListError::Field("threshold"));
        }
        let mut keys: Vec<(KeyId, VerifyingKey)> = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            let id = KeyId(body.u16()?);
            // SY 3.4: "Keys ascend by id; no id and no public key is there twice."
            if keys.last().is_some_and(|(last, _)| *last >= id) {
                return Err(ListError::Order("keys"));
            }
            // PF 3.3: "A public key is a canonical point that is not of small order."
            let key = key::public_key(&body.array()?).ok_or(ListError::PublicKey)?;
            // SY 3.4: One key under two ids would count twice towards the threshold.
            if keys.iter().any(|(_, known)| *known == key) {
                return Err(ListError::Order("keys"));
            }
            keys.push((id, key));
        }
        body.end()?;
        Ok(Self { version, issued_at, previous, threshold, keys })
    }
}
