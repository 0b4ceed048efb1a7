//! The registry's own signing keys, each held to its purpose and to the validity the keyset gives it.

use std::fmt;

use tongguan_pass::{KeyId, Keyset, Purpose, RegistryKey, SigningKey};

use crate::domain::time::rfc3339;

/// Why a key could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The keyset has no key for this.
    #[error("the keyset has no key of purpose {0}")]
    Missing(&'static str),
    /// What would be signed reaches beyond the key's validity, so every gate would refuse it.
    #[error(
        "the {purpose} key is good from {} to {}; a code from {} to {} would be refused at every gate",
        rfc3339(.valid.0), rfc3339(.valid.1), rfc3339(.wanted.0), rfc3339(.wanted.1)
    )]
    Validity {
        /// The key's purpose.
        purpose: &'static str,
        /// Its first and last second.
        valid: (u32, u32),
        /// The first and last second of what was asked for.
        wanted: (u32, u32),
    },
}

/// The keys of a keyset together with their private halves.
pub struct Signers {
    keys: Vec<(RegistryKey, SigningKey)>,
}

impl fmt::Debug for Signers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|(public, _)| public.id)).finish()
    }
}

impl Signers {
    /// The private halves of `keyset`, each as `private` finds it.
    ///
    /// # Errors
    /// What `private` says.
    pub fn of<E>(keyset: &Keyset, mut private: impl FnMut(&RegistryKey) -> Result<SigningKey, E>) -> Result<Self, E> {
        let keys = keyset.keys().iter().map(|k| Ok((k.clone(), private(k)?))).collect::<Result<_, E>>()?;
        Ok(Self { keys })
    }

    /// The key of that purpose that is good from `from` to `until`; the newest where several are.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn find(&self, purpose: Purpose, from: u32, until: u32) -> Result<(KeyId, &SigningKey), KeyError> {
        let of_purpose = || self.keys.iter().filter(|(k, _)| k.purpose == purpose);
        let newest = of_purpose().max_by_key(|(k, _)| k.not_before).ok_or(KeyError::Missing(purpose.name()))?;
        let good = of_purpose().filter(|(k, _)| k.not_before <= from && until <= k.not_after);
        match good.max_by_key(|(k, _)| k.not_before) {
            Some((public, private)) => Ok((public.id, private)),
            None => Err(KeyError::Validity {
                purpose: purpose.name(),
                valid: (newest.0.not_before, newest.0.not_after),
                wanted: (from, until),
            }),
        }
    }
}
