//! Content-addressed files (SY 1.2): a file is named by the SHA-256 of its bytes.

use core::fmt;

use sha2::{Digest as _, Sha256};

use crate::signed::ListError;
use crate::wire::{Reader, Writer, WrongLength};

/// A SHA-256 hash; prints as lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sha256Hash(pub [u8; 32]);

impl Sha256Hash {
    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Sha256Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for Sha256Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A file as the head names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileRef {
    /// The version of its content.
    pub version: u32,
    /// Its length in bytes: a download stops there.
    pub size: u32,
    /// Its name and its checksum.
    pub hash: Sha256Hash,
}

impl FileRef {
    /// The reference to `bytes` as `version`.
    pub fn to(version: u32, bytes: &[u8]) -> Self {
        Self { version, size: u32::try_from(bytes.len()).unwrap_or(u32::MAX), hash: Sha256Hash::of(bytes) }
    }

    /// SY 1.3: "A file is believed only if its size and hash are those in the head." This stops mix and match.
    ///
    /// # Errors
    /// [`ListError::Hash`].
    pub fn check(&self, bytes: &[u8]) -> Result<(), ListError> {
        let same = u32::try_from(bytes.len()) == Ok(self.size) && Sha256Hash::of(bytes) == self.hash;
        if same { Ok(()) } else { Err(ListError::Hash) }
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, WrongLength> {
        Ok(Self { version: r.u32()?, size: r.u32()?, hash: Sha256Hash(r.array()?) })
    }

    pub(crate) fn write(&self, w: &mut Writer) {
        w.u32(self.version).u32(self.size).bytes(&self.hash.0);
    }
}
