//! The registry's signed word that it has a device's events (SY 6.6). Only with it may a device forget them.

use alloc::vec::Vec;

use ed25519_dalek::{SigningKey, VerifyingKey};

use crate::file::Sha256Hash;
use crate::key::{self, Context, KeyId, Purpose};
use crate::keyset::Keyset;
use crate::limits;
use crate::signed::{self, FileType, ListError};
use crate::wire::{Reader, Writer};

/// Every record from `first_seq` to the one before `next_seq` is stored, without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Whose records.
    pub device: VerifyingKey,
    /// The first record; 1 unless the registry lacks earlier ones.
    pub first_seq: u64,
    /// One more than the last record.
    pub next_seq: u64,
    /// The chain value of the last record. It stands for the content of all.
    pub chain: Sha256Hash,
}

impl Receipt {
    /// The signed receipt, by a key of purpose [`Purpose::Receipt`].
    pub fn sign(&self, id: KeyId, key: &SigningKey) -> Vec<u8> {
        let mut body = Writer::default();
        body.bytes(self.device.as_bytes()).u64(self.first_seq).u64(self.next_seq).bytes(&self.chain.0);
        signed::sign(FileType::Receipt, Context::Receipt, &body.0, &[(id, key)])
    }

    /// SY 6.6: "A receipt is believed if a receipt key of the keyset signed it, and it is about the device that asks."
    ///
    /// # Errors
    /// [`ListError`] naming the check that failed; [`ListError::Device`] for another device's receipt.
    pub fn open(bytes: &[u8], keys: &Keyset, device: &VerifyingKey) -> Result<Self, ListError> {
        let file = signed::open(bytes, FileType::Receipt, limits::RECEIPT_BYTES)?;
        let mut body = Reader::new(file.body);
        // PF 3.3: "A public key is a canonical point that is not of small order."
        let about = key::public_key(&body.array()?).ok_or(ListError::PublicKey)?;
        let receipt =
            Self { device: about, first_seq: body.u64()?, next_seq: body.u64()?, chain: Sha256Hash(body.array()?) };
        // SY 6.6: "first_seq is at least 1, and next_seq is after it and below 2^63."
        if receipt.first_seq == 0 {
            return Err(ListError::Field("first_seq"));
        }
        if receipt.next_seq <= receipt.first_seq || receipt.next_seq > i64::MAX as u64 {
            return Err(ListError::Field("next_seq"));
        }
        body.end()?;
        // SY 6.6: "A receipt has no time, so its key is known whatever its validity." It may be weeks on its way, on a stick.
        file.verify_by_one(Context::Receipt, |id| keys.find(id, Purpose::Receipt).map(|k| &k.key))?;
        if receipt.device != *device {
            return Err(ListError::Device);
        }
        Ok(receipt)
    }
}
