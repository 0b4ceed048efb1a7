//! The keyset: the registry's signing keys (SY 3.3, 3.5).

use alloc::vec::Vec;

use ed25519_dalek::{SigningKey, VerifyingKey};

use crate::key::{self, Context, KeyId, Purpose};
use crate::limits;
use crate::root::Root;
use crate::signed::{self, FileType, ListError};
use crate::wire::{Reader, Writer};

/// One key of the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryKey {
    /// The id codes carry.
    pub id: KeyId,
    /// What it may sign.
    pub purpose: Purpose,
    /// What it signed is good from here, Unix seconds.
    pub not_before: u32,
    /// What it signed is good until here, Unix seconds.
    pub not_after: u32,
    /// The key.
    pub key: VerifyingKey,
}

/// The registry's keys, signed by the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyset {
    /// Counts up with each change.
    pub version: u32,
    /// Unix seconds.
    pub issued_at: u32,
    /// Ascending by id.
    keys: Vec<RegistryKey>,
}

impl Keyset {
    /// A keyset of `keys`, in any order.
    ///
    /// # Errors
    /// [`ListError::Order`] if two keys have one id or one public key, [`ListError::Field`] if there are too many or a
    /// validity is empty.
    pub fn new(version: u32, issued_at: u32, mut keys: Vec<RegistryKey>) -> Result<Self, ListError> {
        keys.sort_by_key(|k| k.id);
        let set = Self { version, issued_at, keys };
        Self::parse(&set.body())
    }

    /// All keys, ascending by id.
    pub fn keys(&self) -> &[RegistryKey] {
        &self.keys
    }

    /// The key of that id, whatever its purpose.
    pub fn by_id(&self, id: KeyId) -> Option<&RegistryKey> {
        self.keys.binary_search_by_key(&id, |k| k.id).ok().and_then(|i| self.keys.get(i))
    }

    /// The key of that id, if it has that purpose.
    pub fn find(&self, id: KeyId, purpose: Purpose) -> Option<&RegistryKey> {
        self.by_id(id).filter(|k| k.purpose == purpose)
    }

    /// The key of that id and purpose, if it was valid at that Unix time (SY 4.1, 7.2).
    pub(crate) fn valid_at(&self, id: KeyId, purpose: Purpose, at: u64) -> Option<&VerifyingKey> {
        let key = self.find(id, purpose)?;
        (u64::from(key.not_before)..=u64::from(key.not_after)).contains(&at).then_some(&key.key)
    }

    /// The key that notes are sealed to at that Unix time: the newest that has begun. One that has ended is better than
    /// none, for the registry can read with it for ever.
    pub fn notes_key(&self, at: i64) -> Option<&RegistryKey> {
        let begun = |k: &&RegistryKey| i64::from(k.not_before) <= at;
        let notes = || self.keys.iter().filter(|k| k.purpose == Purpose::Notes);
        notes().filter(begun).max_by_key(|k| (k.not_before, k.id)).or_else(|| notes().min_by_key(|k| k.not_before))
    }

    /// The signed keyset file.
    pub fn sign(&self, signers: &[(KeyId, &SigningKey)]) -> Vec<u8> {
        signed::sign(FileType::Keyset, Context::Keyset, &self.body(), signers)
    }

    /// SY 3.3: "A keyset is believed if the root signed it (SY 2.6)."
    ///
    /// # Errors
    /// [`ListError`] naming the check that failed.
    pub fn open(bytes: &[u8], root: &Root) -> Result<Self, ListError> {
        let file = signed::open(bytes, FileType::Keyset, limits::KEYSET_BYTES)?;
        let keyset = Self::parse(file.body)?;
        root.endorses(Context::Keyset, &file)?;
        Ok(keyset)
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        let mut body = Writer::default();
        body.u32(self.version).u32(self.issued_at);
        body.u8(u8::try_from(self.keys.len()).unwrap_or(u8::MAX));
        for k in &self.keys {
            body.u16(k.id.0).u8(k.purpose as u8).u32(k.not_before).u32(k.not_after).bytes(k.key.as_bytes());
        }
        body.0
    }

    pub(crate) fn parse(body: &[u8]) -> Result<Self, ListError> {
        let mut body = Reader::new(body);
        let version = body.u32()?;
        let issued_at = body.u32()?;
        let count = body.u8()?;
        // SY 3.5: "At most 64 keys, ascending by id."
        if usize::from(count) > limits::KEYS {
            return Err(ListError::Field("key count"));
        }
        let mut keys: Vec<RegistryKey> = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            let id = KeyId(body.u16()?);
            if keys.last().is_some_and(|last| last.id >= id) {
                return Err(ListError::Order("keys"));
            }
            // SY 3.5: "The purpose is 1 to 7, and not_after is not before not_before."
            let purpose = Purpose::from_wire(body.u8()?).ok_or(ListError::Field("purpose"))?;
            let (not_before, not_after) = (body.u32()?, body.u32()?);
            if not_after < not_before {
                return Err(ListError::Field("validity"));
            }
            // PF 3.3: "A public key is a canonical point that is not of small order."
            let key = key::public_key(&body.array()?).ok_or(ListError::PublicKey)?;
            // SY 3.5: "No public key is there twice." A key has one purpose, under whatever id.
            if keys.iter().any(|known| known.key == key) {
                return Err(ListError::Order("keys"));
            }
            keys.push(RegistryKey { id, purpose, not_before, not_after, key });
        }
        body.end()?;
        Ok(Self { version, issued_at, keys })
    }
}
