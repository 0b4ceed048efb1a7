//! What somebody typed at a gate, sealed to the registry (SY 6.7, 6.8): the gate itself cannot read it again.

use alloc::vec::Vec;

use ed25519_dalek::SigningKey;

use crate::key::{KeyId, Purpose};
use crate::keyset::RegistryKey;
use crate::limits;
use crate::seal;
use crate::signed::ListError;
use crate::wire::{Reader, Writer};

const NOTE: u8 = 3;

/// A sealed note about an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The id of the event it is about.
    pub about: [u8; 16],
    /// The notes key it is sealed to.
    pub key: KeyId,
    /// What only the registry can open.
    sealed: Vec<u8>,
}

impl Note {
    /// Seals `content` to `key`. `seed` is 32 fresh random bytes: with them, and only with them, it could be opened here.
    /// `None` if the key is not for notes, or the content is empty or longer than [`limits::NOTE_TEXT`].
    pub fn seal(about: [u8; 16], key: &RegistryKey, content: &[u8], seed: [u8; 32]) -> Option<Self> {
        if key.purpose != Purpose::Notes || content.is_empty() || content.len() > limits::NOTE_TEXT {
            return None;
        }
        let sealed = seal::seal(&key.key, content, seed)?;
        Some(Self { about, key: key.id, sealed })
    }

    /// The content, for who has the private half of the key.
    ///
    /// # Errors
    /// [`ListError::Seal`] if it is not sealed to that key, or was changed.
    pub fn open(&self, key: &SigningKey) -> Result<Vec<u8>, ListError> {
        seal::open(key, &self.sealed)
    }

    /// SY 6.7: the record of the note.
    pub fn encode(&self) -> Vec<u8> {
        let mut r = Writer::default();
        r.u8(NOTE).bytes(&self.about).u16(self.key.0).bytes(&self.sealed);
        r.0
    }

    /// Reads a record; `None` if it is of another type.
    ///
    /// # Errors
    /// [`ListError::Length`] if a note is too short to hold anything.
    pub fn decode(record: &[u8]) -> Result<Option<Self>, ListError> {
        let mut r = Reader::new(record);
        if r.u8()? != NOTE {
            return Ok(None);
        }
        let (about, key) = (r.array()?, KeyId(r.u16()?));
        let sealed = r.take(r.remaining())?;
        // SY 6.7: "At least 49 bytes are sealed, and the record has at most 1,024: else length."
        if sealed.len() <= seal::SEAL_BYTES || record.len() > limits::EVENT_BYTES {
            return Err(ListError::Length);
        }
        Ok(Some(Self { about, key, sealed: sealed.to_vec() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_by_the_registry_alone() {
        let (key, other) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
        let of = |purpose| RegistryKey { id: KeyId(6), purpose, not_before: 0, not_after: 9, key: key.verifying_key() };
        let seal = |content: &[u8]| Note::seal([7; 16], &of(Purpose::Notes), content, [3; 32]);
        let note = seal("身份证 110101".as_bytes()).unwrap();
        let read = Note::decode(&note.encode()).unwrap().unwrap();
        assert_eq!(read, note);
        assert_eq!(read.open(&key).unwrap(), "身份证 110101".as_bytes());
        assert_eq!(read.open(&other), Err(ListError::Seal));
        let mut changed = note.clone();
        changed.sealed[40] ^= 1;
        assert_eq!(changed.open(&key), Err(ListError::Seal));
        assert!(!note.encode().windows(6).any(|w| w == b"110101"));
        assert_eq!(seal(&[b'x'; limits::NOTE_TEXT]).unwrap().encode().len(), limits::EVENT_BYTES);
        assert_eq!((seal(&[b'x'; limits::NOTE_TEXT + 1]), seal(b"")), (None, None));
        assert_eq!(Note::seal([7; 16], &of(Purpose::Live), b"x", [3; 32]), None);
    }
}
