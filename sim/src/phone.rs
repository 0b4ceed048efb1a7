//! A resident's phone without a network: a key of its own, a day's certificate, and the codes it makes from both.

use std::fmt;

use tongguan_pass::{Carried, SigningKey};

/// Bytes of a signed certificate.
const CERTIFICATE: usize = 114;

/// A phone that makes carried codes.
pub struct Phone {
    holder: SigningKey,
    certificate: Option<[u8; CERTIFICATE]>,
}

/// Why a phone cannot do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneError {
    /// A certificate is 114 bytes in hex.
    NotACertificate,
    /// A carried code needs a certificate first.
    NoCertificate,
}

impl fmt::Display for PhoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotACertificate => "a certificate is 114 bytes in hex",
            Self::NoCertificate => "the phone has no certificate yet",
        })
    }
}

impl std::error::Error for PhoneError {}

impl fmt::Debug for Phone {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Phone").field("certificate", &self.certificate.is_some()).finish_non_exhaustive()
    }
}

impl Phone {
    /// A phone whose key comes from these random bytes.
    pub fn new(secret: [u8; 32]) -> Self {
        Self { holder: SigningKey::from_bytes(&secret), certificate: None }
    }

    /// The public half of its key, hex: what it sends to the registry to get a certificate.
    pub fn holder_key(&self) -> String {
        self.holder.verifying_key().as_bytes().iter().map(|b| format!("{b:02x}")).collect()
    }

    /// Keeps the registry's certificate, hex.
    ///
    /// # Errors
    /// [`PhoneError::NotACertificate`] if it is not one by its form; the phone does not check more.
    pub fn keep(&mut self, certificate: &str) -> Result<(), PhoneError> {
        let hex = certificate.as_bytes().as_chunks::<2>();
        let bytes: Option<Vec<u8>> = hex
            .0
            .iter()
            .map(|pair| str::from_utf8(pair).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok()))
            .collect();
        let bytes = bytes.filter(|_| hex.1.is_empty()).ok_or(PhoneError::NotACertificate)?;
        self.certificate = Some(bytes.try_into().map_err(|_| PhoneError::NotACertificate)?);
        Ok(())
    }

    /// The code it shows at a moment (Unix seconds, by its own clock).
    ///
    /// # Errors
    /// [`PhoneError::NoCertificate`] before [`Phone::keep`].
    pub fn code(&self, at: u32) -> Result<String, PhoneError> {
        let certificate = self.certificate.as_ref().ok_or(PhoneError::NoCertificate)?;
        Ok(Carried::make(certificate, at, &self.holder))
    }
}

#[cfg(test)]
mod tests {
    use tongguan_pass::{Body, Certificate, Flags, KeyId, Unverified};

    use super::*;

    #[test]
    fn a_phone_makes_codes_from_its_certificate_alone() -> Result<(), Box<dyn std::error::Error>> {
        let registry = SigningKey::from_bytes(&[1; 32]);
        let mut phone = Phone::new([2; 32]);
        assert_eq!(phone.code(0), Err(PhoneError::NoCertificate));

        let certificate = Certificate {
            key: KeyId(7),
            handle: 99,
            valid_from: 1_790_000_000,
            hours: 24,
            category: 0,
            community: 1,
            flags: Flags::default(),
            holder: SigningKey::from_bytes(&[2; 32]).verifying_key(),
        };
        let hex: String = certificate.sign(&registry).iter().map(|b| format!("{b:02x}")).collect();
        phone.keep(&hex)?;

        let code = phone.code(1_790_000_100)?;
        let parsed = Unverified::parse(&code)?;
        let Body::Carried(carried) = parsed.claims() else { panic!("not a carried code: {code}") };
        assert_eq!((carried.certificate, carried.made_at), (certificate, 1_790_000_100));
        Ok(())
    }

    #[test]
    fn what_is_not_a_certificate_is_refused() {
        let mut phone = Phone::new([2; 32]);
        for wrong in ["", "00", "zz", "000", &"0".repeat(227), &"0g".repeat(114), &"é".repeat(114)] {
            assert_eq!(phone.keep(wrong), Err(PhoneError::NotACertificate), "{wrong}");
        }
    }
}
