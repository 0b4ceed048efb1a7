//! The device's own key: made here, never leaves.

use std::fmt;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use tongguan_pass::{SigningKey, VerifyingKey};

use super::{DataDir, StoreError, write_new};

/// The private key of this checkpoint; signs the event batches.
pub struct DeviceKey(SigningKey);

impl DeviceKey {
    /// Sets the key aside, if there is one, and makes another.
    pub(super) fn renew(dir: &DataDir) -> Result<(), StoreError> {
        let path = dir.file("device.pem");
        match std::fs::rename(&path, dir.file("device-before.pem")) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(StoreError::io(&path)(e)),
            _ => Self::create(dir),
        }
    }

    /// Makes a key, readable by the owner only (PKCS#8 PEM), unless there is one: a set-up that was cut short goes on.
    pub(super) fn create(dir: &DataDir) -> Result<(), StoreError> {
        let path = dir.file("device.pem");
        if path.exists() {
            return Ok(());
        }
        let problem = |problem: String| StoreError::Content { path: path.clone(), problem };
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|e| problem(format!("cannot be made: {e}")))?;
        let key = SigningKey::from_bytes(&seed);
        let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|e| problem(format!("cannot be written: {e}")))?;
        write_new(&path, pem.as_bytes(), 0o600)
    }

    /// Reads the key.
    ///
    /// # Errors
    /// [`StoreError`] if it is missing or not a key.
    pub fn open(dir: &DataDir) -> Result<Self, StoreError> {
        let path = dir.file("device.pem");
        let pem = std::fs::read_to_string(&path).map_err(StoreError::io(&path))?;
        let key = SigningKey::from_pkcs8_pem(&pem)
            .map_err(|_| StoreError::Content { path, problem: "is not an Ed25519 private key".into() })?;
        Ok(Self(key))
    }

    /// The key itself, for signing.
    pub fn signing(&self) -> &SigningKey {
        &self.0
    }

    /// The public key, which is also the device's name.
    pub fn public(&self) -> VerifyingKey {
        self.0.verifying_key()
    }
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceKey(secret)")
    }
}
