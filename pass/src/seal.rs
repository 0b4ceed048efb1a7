//! Sealing to one holder of an Ed25519 key (SY 6.8): libsodium's `crypto_box_seal`, the key converted to X25519.

use alloc::vec::Vec;

use crypto_box::aead::rand_core::{CryptoRng, Error, RngCore};
use ed25519_dalek::{SigningKey, VerifyingKey};

use crate::signed::ListError;

/// What sealing adds: an ephemeral public key and a tag.
pub(crate) const SEAL_BYTES: usize = 32 + 16;

/// Seals `content` to the holder of `to`. `seed` is 32 fresh random bytes: with them, and only with them, it could be opened
/// here. `None` if the content is too long for the cipher.
pub(crate) fn seal(to: &VerifyingKey, content: &[u8], seed: [u8; 32]) -> Option<Vec<u8>> {
    // SY 6.8: "the public key by the birational map from edwards25519 to curve25519"
    crypto_box::PublicKey::from(to.to_montgomery().to_bytes()).seal(&mut Once(seed), content).ok()
}

/// What is sealed to `key`.
///
/// # Errors
/// [`ListError::Seal`] if it is sealed to another key, or was changed.
pub(crate) fn open(key: &SigningKey, sealed: &[u8]) -> Result<Vec<u8>, ListError> {
    crypto_box::SecretKey::from(key.to_scalar_bytes()).unseal(sealed).map_err(|_| ListError::Seal)
}

/// A source of randomness that gives what the caller drew: this crate has none of its own.
struct Once([u8; 32]);

impl RngCore for Once {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, into: &mut [u8]) {
        for (to, from) in into.iter_mut().zip(self.0) {
            *to = from;
        }
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(into);
        Ok(())
    }
}

impl CryptoRng for Once {}
