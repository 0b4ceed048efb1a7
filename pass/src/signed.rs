//! The envelope of every signed file (SY 2), and the names of what can be wrong with a file (SY 9).

use alloc::vec::Vec;

use ed25519_dalek::{SigningKey, VerifyingKey};

use crate::key::{self, Context, KeyId};
use crate::limits;
use crate::wire::{Reader, Writer, WrongLength};

const MAGIC: &[u8; 4] = b"TGS1";

/// Why a list, a batch, a receipt or a time reply was not accepted: the check that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// Longer than the limit for its type.
    #[error("is {got} bytes long; at most {limit} are allowed")]
    TooLong {
        /// Bytes received.
        got: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Does not start as a Tongguan file does.
    #[error("is not a Tongguan file")]
    Magic,
    /// A file of another type.
    #[error("is a file of another type (type {got} where {expected} is expected)")]
    FileType {
        /// The type that was asked for.
        expected: u8,
        /// The type that came.
        got: u8,
    },
    /// Truncated, or with bytes after its end.
    #[error("is truncated or has trailing bytes")]
    Length,
    /// A field has a value the format does not allow.
    #[error("has a field out of range: {0}")]
    Field(&'static str),
    /// Entries are unordered or repeated.
    #[error("is not in canonical order: {0}")]
    Order(&'static str),
    /// A public key is not usable.
    #[error("holds a public key that is not a valid point or of small order")]
    PublicKey,
    /// None of the signatures is by a key known for this purpose.
    #[error("is not signed by a key known here for this purpose")]
    UnknownKey,
    /// A signature by a known key does not verify.
    #[error("has a wrong signature")]
    Signature,
    /// Fewer good signatures than the root asks for.
    #[error("has {got} good signatures of the {needed} needed")]
    Threshold {
        /// Good signatures found.
        got: usize,
        /// Signatures needed.
        needed: usize,
    },
    /// Its bytes are not the ones the head names.
    #[error("does not match the hash or size in the head")]
    Hash,
    /// A delta that does not start where the set is.
    #[error("continues version {from}, but the set here is at version {at}")]
    Gap {
        /// Where the delta starts.
        from: u32,
        /// Where the set is.
        at: u32,
    },
    /// A list of another epoch.
    #[error("belongs to another epoch")]
    Epoch,
    /// The set after applying everything is not the one the head describes.
    #[error("does not add up to the set the head describes")]
    Checksum,
    /// Somebody else's time reply.
    #[error("answers another question (nonce)")]
    Nonce,
    /// A root that does not follow the one known here.
    #[error("does not follow the root known here")]
    RootChain,
    /// Not sealed to this key, or changed.
    #[error("is not sealed to this key, or was changed")]
    Seal,
    /// A receipt for another device's events.
    #[error("is about another device")]
    Device,
    /// An event batch whose hash chain does not hold.
    #[error("has a broken hash chain")]
    Chain,
}

impl ListError {
    /// A stable name for the failed check, as used in `vectors/`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "too_long",
            Self::Magic => "magic",
            Self::FileType { .. } => "file_type",
            Self::Length => "length",
            Self::Field(_) => "field",
            Self::Order(_) => "order",
            Self::PublicKey => "public_key",
            Self::UnknownKey => "unknown_key",
            Self::Signature => "signature",
            Self::Threshold { .. } => "threshold",
            Self::Hash => "hash",
            Self::Gap { .. } => "gap",
            Self::Epoch => "epoch",
            Self::Checksum => "checksum",
            Self::Nonce => "nonce",
            Self::RootChain => "root_chain",
            Self::Seal => "seal",
            Self::Device => "device",
            Self::Chain => "chain",
        }
    }
}

impl From<WrongLength> for ListError {
    fn from(_: WrongLength) -> Self {
        Self::Length
    }
}

/// SY 2.2: "The type byte says what the body is."
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileType {
    Root = 1,
    Keyset = 2,
    Head = 3,
    Events = 4,
    Time = 5,
    Receipt = 6,
}

impl FileType {
    /// SY 2.2: "Each signature is over the body in the context of the type."
    pub(crate) fn context(self) -> Context {
        match self {
            Self::Root => Context::Root,
            Self::Keyset => Context::Keyset,
            Self::Head => Context::Head,
            Self::Events => Context::Events,
            Self::Time => Context::Time,
            Self::Receipt => Context::Receipt,
        }
    }

    /// SY 10: how long a file of the types that travel as drafts may be.
    fn draft_limit(self) -> usize {
        if self == Self::Root { limits::ROOT_BYTES } else { limits::KEYSET_BYTES }
    }
}

/// An envelope taken apart; nothing in it is believed yet.
pub(crate) struct Signed<'a> {
    pub(crate) body: &'a [u8],
    pub(crate) signatures: Vec<(KeyId, [u8; 64])>,
}

/// A file with the signatures it must have.
///
/// SY 2.3: "A file has 1 to 64 signatures."
pub(crate) fn open(bytes: &[u8], expected: FileType, limit: usize) -> Result<Signed<'_>, ListError> {
    take_apart(bytes, expected, limit, 1)
}

/// SY 2.8: "A draft has 0 to 64 signatures."
pub(crate) fn open_draft(bytes: &[u8], expected: FileType) -> Result<Signed<'_>, ListError> {
    take_apart(bytes, expected, expected.draft_limit(), 0)
}

/// SY 2.1: "magic 4 | type 1 | body length 4 | body | count 1 | count x (key id 2 | signature 64)".
fn take_apart(bytes: &[u8], expected: FileType, limit: usize, least: u8) -> Result<Signed<'_>, ListError> {
    // SY 2.7: "The size limit is checked before anything else is looked at." This stops endless data.
    if bytes.len() > limit {
        return Err(ListError::TooLong { got: bytes.len(), limit });
    }
    let mut file = Reader::new(bytes);
    if file.take(4).ok() != Some(MAGIC.as_slice()) {
        return Err(ListError::Magic);
    }
    let got = file.u8()?;
    // SY 2.2: "A file of another type than the one asked for is `file_type`."
    if got != expected as u8 {
        return Err(ListError::FileType { expected: expected as u8, got });
    }
    let length = file.size()?;
    let body = file.take(length)?;
    let count = file.u8()?;
    if count < least || usize::from(count) > limits::KEYS {
        return Err(ListError::Field("signature count"));
    }
    let mut signatures: Vec<(KeyId, [u8; 64])> = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let id = KeyId(file.u16()?);
        // SY 2.4: "Signatures ascend by key id." So one key cannot be counted twice towards a threshold.
        if signatures.last().is_some_and(|(last, _)| *last >= id) {
            return Err(ListError::Order("signatures"));
        }
        signatures.push((id, file.array()?));
    }
    file.end()?;
    Ok(Signed { body, signatures })
}

pub(crate) fn sign(kind: FileType, context: Context, body: &[u8], signers: &[(KeyId, &SigningKey)]) -> Vec<u8> {
    let mut signers = signers.to_vec();
    signers.sort_by_key(|(id, _)| *id);
    let signatures: Vec<_> = signers.iter().map(|(id, key)| (*id, key::sign(key, context, body))).collect();
    write(kind, body, &signatures)
}

/// The envelope; the signatures ascend by id.
pub(crate) fn write(kind: FileType, body: &[u8], signatures: &[(KeyId, [u8; 64])]) -> Vec<u8> {
    let mut file = Writer::default();
    file.bytes(MAGIC).u8(kind as u8).size(body.len()).bytes(body);
    file.u8(u8::try_from(signatures.len()).unwrap_or(u8::MAX));
    for (id, signature) in signatures {
        file.u16(id.0).bytes(signature);
    }
    file.0
}

impl Signed<'_> {
    /// SY 2.5: "One signature by a known key suffices; signatures by unknown keys are skipped; a wrong signature by a
    /// known key spoils the file."
    pub(crate) fn verify_by_one<'k>(
        &self,
        context: Context,
        find: impl Fn(KeyId) -> Option<&'k VerifyingKey>,
    ) -> Result<(), ListError> {
        match self.good_signatures(context, find)? {
            0 => Err(ListError::UnknownKey),
            _ => Ok(()),
        }
    }

    /// The number of signatures by known keys, all of which must verify (SY 2.5, 2.6).
    pub(crate) fn good_signatures<'k>(
        &self,
        context: Context,
        find: impl Fn(KeyId) -> Option<&'k VerifyingKey>,
    ) -> Result<usize, ListError> {
        let mut good = 0;
        for (id, signature) in &self.signatures {
            if let Some(key) = find(*id) {
                if !key::verifies(key, context, self.body, signature) {
                    return Err(ListError::Signature);
                }
                good += 1;
            }
        }
        Ok(good)
    }
}
