//! The personal codes: their fields, their text, and making them (PF 1, 2, 4 to 6).

use alloc::string::String;
use alloc::vec::Vec;

use data_encoding::BASE32_NOPAD;
use ed25519_dalek::{SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use crate::key::{self, Context, KeyId};
use crate::limits;
use crate::wire::{Reader, Writer, WrongLength};

const PREFIX: &str = "TG1:";
const CERTIFICATE_BODY: usize = 50;
/// Bytes of a certificate with its signature (PF 5.1).
pub const CERTIFICATE_BYTES: usize = CERTIFICATE_BODY + 64;

/// Why a code was refused before its freshness was even asked for: the check that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodeError {
    /// Not a Tongguan code.
    #[error("not a Tongguan code")]
    NotOurs,
    /// A Tongguan code of a format this version does not know.
    #[error("a Tongguan code of a later format")]
    UnknownFormat,
    /// A kind this version does not know.
    #[error("a code of unknown kind 0x{0:02x}")]
    UnknownKind(u8),
    /// Longer than any code.
    #[error("too long for a code")]
    TooLong,
    /// Not canonical base32.
    #[error("not canonical base32")]
    Encoding,
    /// Truncated, or with bytes after its end.
    #[error("truncated or with trailing bytes")]
    Length,
    /// A reserved flag is set.
    #[error("a reserved flag is set")]
    ReservedFlags,
    /// A field has a value the format does not allow.
    #[error("{0} is out of range")]
    Field(&'static str),
    /// The holder key is not a valid point, or of small order.
    #[error("the holder key is unusable")]
    HolderKey,
    /// No key of that id is known here. It may be newer than our keyset.
    #[error("signed with key {0:?}, which is not known here")]
    UnknownKey(KeyId),
    /// The key is known, but not for codes of this kind.
    #[error("signed with key {0:?}, which may not sign this kind")]
    WrongPurpose(KeyId),
    /// The registry's signature does not verify.
    #[error("the registry's signature is wrong")]
    RegistrySignature,
    /// The holder's signature does not verify.
    #[error("the holder's signature is wrong")]
    HolderSignature,
}

impl CodeError {
    /// A stable name for the failed check, as used in `vectors/`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotOurs => "not_ours",
            Self::UnknownFormat => "unknown_format",
            Self::UnknownKind(_) => "unknown_kind",
            Self::TooLong => "too_long",
            Self::Encoding => "encoding",
            Self::Length => "length",
            Self::ReservedFlags => "reserved_flags",
            Self::Field(_) => "field",
            Self::HolderKey => "holder_key",
            Self::UnknownKey(_) => "unknown_key",
            Self::WrongPurpose(_) => "wrong_purpose",
            Self::RegistrySignature => "registry_signature",
            Self::HolderSignature => "holder_signature",
        }
    }
}

impl From<WrongLength> for CodeError {
    fn from(_: WrongLength) -> Self {
        Self::Length
    }
}

/// The kind of a code: its first byte (PF 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Issued by the registry, good for minutes.
    Live = 0x11,
    /// Made by the phone under a day certificate, with no network.
    Carried = 0x12,
    /// On paper.
    Printed = 0x13,
}

impl Kind {
    /// The name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Carried => "carried",
            Self::Printed => "printed",
        }
    }

    /// Bytes of a code of this kind, signatures included (PF 2.4).
    pub fn bytes(self) -> usize {
        match self {
            Self::Live => 82,
            Self::Carried => 182,
            Self::Printed => 88,
        }
    }

    /// The kind of that wire number.
    pub fn from_wire(byte: u8) -> Option<Self> {
        [Self::Live, Self::Carried, Self::Printed].into_iter().find(|k| *k as u8 == byte)
    }
}

/// PF 2.5: "Bit 0 marks a specimen. All other bits are reserved and zero."
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags {
    /// A specimen for training and posters: correctly signed, never let in.
    pub specimen: bool,
}

impl Flags {
    fn to_wire(self) -> u8 {
        u8::from(self.specimen)
    }

    fn from_wire(byte: u8) -> Result<Self, CodeError> {
        // PF 2.5: "All other bits are reserved and zero."
        if byte & !1 != 0 { Err(CodeError::ReservedFlags) } else { Ok(Self { specimen: byte & 1 == 1 }) }
    }
}

/// PF 4.1: a live code. Signed by a key of purpose live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Live {
    /// The signing key.
    pub key: KeyId,
    /// The person's pseudonym.
    pub handle: u32,
    /// Unix seconds.
    pub issued_at: u32,
    /// Minutes it is good for, 1 to 60; the registry's default is 10.
    pub ttl_minutes: u8,
    /// What the policy distinguishes people by (PF 2.6).
    pub category: u8,
    /// Where the person lives.
    pub community: u32,
    /// See [`Flags`].
    pub flags: Flags,
}

/// PF 5.1: the registry's word that a phone may make codes for a day. Signed by a key of purpose certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Certificate {
    /// The signing key.
    pub key: KeyId,
    /// The person's pseudonym.
    pub handle: u32,
    /// Unix seconds.
    pub valid_from: u32,
    /// Hours it is good for, 1 to 36.
    pub hours: u8,
    /// See [`Live::category`].
    pub category: u8,
    /// See [`Live::community`].
    pub community: u32,
    /// See [`Flags`].
    pub flags: Flags,
    /// The phone's key.
    pub holder: VerifyingKey,
}

/// PF 5.2: a carried code, made by a phone under its certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    /// What the registry signed.
    pub certificate: Certificate,
    /// When the phone made it by its own clock, Unix seconds.
    pub made_at: u32,
}

/// PF 6.1: a printed code. Signed by a key of purpose printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Printed {
    /// The signing key.
    pub key: KeyId,
    /// The person's or the visit's pseudonym.
    pub handle: u32,
    /// Unix seconds.
    pub valid_from: u32,
    /// Unix seconds.
    pub valid_to: u32,
    /// See [`Live::category`].
    pub category: u8,
    /// See [`Live::community`].
    pub community: u32,
    /// The building it is for, 0 for any.
    pub building: u16,
    /// How many people may enter on it at once, at least 1.
    pub entries: u8,
    /// See [`Flags`].
    pub flags: Flags,
}

/// The fields of a code of any kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// See [`Live`].
    Live(Live),
    /// See [`Carried`].
    Carried(Carried),
    /// See [`Printed`].
    Printed(Printed),
}

impl Body {
    /// The kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Live(_) => Kind::Live,
            Self::Carried(_) => Kind::Carried,
            Self::Printed(_) => Kind::Printed,
        }
    }

    /// The pseudonym.
    pub fn handle(&self) -> u32 {
        match self {
            Self::Live(c) => c.handle,
            Self::Carried(c) => c.certificate.handle,
            Self::Printed(c) => c.handle,
        }
    }

    /// The category.
    pub fn category(&self) -> u8 {
        match self {
            Self::Live(c) => c.category,
            Self::Carried(c) => c.certificate.category,
            Self::Printed(c) => c.category,
        }
    }

    /// The community.
    pub fn community(&self) -> u32 {
        match self {
            Self::Live(c) => c.community,
            Self::Carried(c) => c.certificate.community,
            Self::Printed(c) => c.community,
        }
    }

    /// The flags.
    pub fn flags(&self) -> Flags {
        match self {
            Self::Live(c) => c.flags,
            Self::Carried(c) => c.certificate.flags,
            Self::Printed(c) => c.flags,
        }
    }
}

impl Live {
    /// The text of the signed code.
    pub fn sign(&self, key: &SigningKey) -> String {
        let mut b = Writer::default();
        b.u8(Kind::Live as u8).u16(self.key.0).u32(self.handle).u32(self.issued_at).u8(self.ttl_minutes);
        b.u8(self.category).u32(self.community).u8(self.flags.to_wire());
        let signature = key::sign(key, Context::Live, &b.0);
        to_text(b.bytes(&signature))
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, CodeError> {
        let live = Self {
            key: KeyId(r.u16()?),
            handle: r.u32()?,
            issued_at: r.u32()?,
            ttl_minutes: r.u8()?,
            category: r.u8()?,
            community: r.u32()?,
            flags: Flags::from_wire(r.u8()?)?,
        };
        // PF 4.2: "ttl is 1 to 60 minutes."
        if !(1..=60).contains(&live.ttl_minutes) {
            return Err(CodeError::Field("ttl"));
        }
        Ok(live)
    }
}

impl Certificate {
    /// The signed certificate, as the phone keeps it.
    pub fn sign(&self, key: &SigningKey) -> [u8; CERTIFICATE_BYTES] {
        let mut b = Writer::default();
        b.u8(Kind::Carried as u8).u16(self.key.0).u32(self.handle).u32(self.valid_from).u8(self.hours);
        b.u8(self.category).u32(self.community).u8(self.flags.to_wire()).bytes(self.holder.as_bytes());
        let signature = key::sign(key, Context::Certificate, &b.0);
        let mut certificate = [0; CERTIFICATE_BYTES];
        let (body, rest) = certificate.split_at_mut(CERTIFICATE_BODY);
        body.copy_from_slice(&b.0);
        rest.copy_from_slice(&signature);
        certificate
    }

    /// Reads a holder key given from outside.
    ///
    /// # Errors
    /// [`CodeError::HolderKey`] if it is not a canonical point of large order (PF 3.3).
    pub fn holder_key(bytes: &[u8; 32]) -> Result<VerifyingKey, CodeError> {
        key::public_key(bytes).ok_or(CodeError::HolderKey)
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, CodeError> {
        let key = KeyId(r.u16()?);
        let (handle, valid_from, hours) = (r.u32()?, r.u32()?, r.u8()?);
        let (category, community) = (r.u8()?, r.u32()?);
        let flags = Flags::from_wire(r.u8()?)?;
        // PF 5.3: "hours is 1 to 36."
        if !(1..=36).contains(&hours) {
            return Err(CodeError::Field("hours"));
        }
        // PF 3.3: "A public key is a canonical point that is not of small order."
        let holder = Self::holder_key(&r.array()?)?;
        Ok(Self { key, handle, valid_from, hours, category, community, flags, holder })
    }
}

impl Carried {
    /// What a phone does, with no network: the text of a code made at `made_at` under its certificate.
    pub fn make(certificate: &[u8; CERTIFICATE_BYTES], made_at: u32, holder: &SigningKey) -> String {
        let signature = key::sign(holder, Context::Carried, &carried_message(certificate, made_at));
        let mut b = Writer::default();
        to_text(b.bytes(certificate).u32(made_at).bytes(&signature))
    }
}

impl Printed {
    /// The text of the signed code.
    pub fn sign(&self, key: &SigningKey) -> String {
        let mut b = Writer::default();
        b.u8(Kind::Printed as u8).u16(self.key.0).u32(self.handle).u32(self.valid_from).u32(self.valid_to);
        b.u8(self.category).u32(self.community).u16(self.building).u8(self.entries).u8(self.flags.to_wire());
        let signature = key::sign(key, Context::Printed, &b.0);
        to_text(b.bytes(&signature))
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, CodeError> {
        let printed = Self {
            key: KeyId(r.u16()?),
            handle: r.u32()?,
            valid_from: r.u32()?,
            valid_to: r.u32()?,
            category: r.u8()?,
            community: r.u32()?,
            building: r.u16()?,
            entries: r.u8()?,
            flags: Flags::from_wire(r.u8()?)?,
        };
        // PF 6.2: "valid_to is after valid_from, and entries is at least 1."
        if printed.valid_to <= printed.valid_from {
            return Err(CodeError::Field("valid_to"));
        }
        if printed.entries == 0 {
            return Err(CodeError::Field("entries"));
        }
        Ok(printed)
    }
}

/// A well-formed code. Nothing in it is believed: [`Unverified::verify`] makes it a [`crate::Verified`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unverified {
    pub(crate) body: Body,
    pub(crate) bytes: Vec<u8>,
}

impl Unverified {
    /// Reads the text of a code as a scanner gives it.
    ///
    /// # Errors
    /// [`CodeError`] naming the check that failed.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        // PF 2.1: "The text is `TG1:` and base32." Whatever does not start like that is not ours, and not damaged either.
        let start = text.as_bytes().get(..PREFIX.len()).ok_or(CodeError::NotOurs)?;
        let encoded = match start {
            b"TG1:" => &text[PREFIX.len()..],
            _ if start.eq_ignore_ascii_case(b"TG1:") => return Err(CodeError::Encoding),
            [b'T', b'G', b'0'..=b'9', b':'] => return Err(CodeError::UnknownFormat),
            _ => return Err(CodeError::NotOurs),
        };
        // PF 2.7: "A text is at most 512 bytes long." Nothing longer is decoded.
        if text.len() > limits::CODE_TEXT {
            return Err(CodeError::TooLong);
        }
        // PF 2.2: "Upper case, no padding, no white space, the unused bits of the last character zero."
        let bytes = BASE32_NOPAD.decode(encoded.as_bytes()).map_err(|_| CodeError::Encoding)?;
        Self::from_bytes(bytes)
    }

    /// Reads the bytes of a code.
    ///
    /// # Errors
    /// [`CodeError`] naming the check that failed.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, CodeError> {
        let mut r = Reader::new(&bytes);
        let kind = r.u8()?;
        // PF 2.3: "The first byte is the kind. A kind not known to the reader is `unknown_kind`."
        let kind = Kind::from_wire(kind).ok_or(CodeError::UnknownKind(kind))?;
        // PF 2.4: "Every kind has one length."
        if bytes.len() != kind.bytes() {
            return Err(CodeError::Length);
        }
        let body = match kind {
            Kind::Live => Body::Live(Live::read(&mut r)?),
            Kind::Printed => Body::Printed(Printed::read(&mut r)?),
            Kind::Carried => {
                let certificate = Certificate::read(&mut r)?;
                r.take(64)?;
                Body::Carried(Carried { certificate, made_at: r.u32()? })
            }
        };
        debug_assert_eq!(r.remaining(), 64, "all but the last signature is read");
        Ok(Self { body, bytes })
    }

    /// What the code claims.
    pub fn claims(&self) -> &Body {
        &self.body
    }
}

/// PF 5.4: "The holder signs SHA-256 of the certificate with its signature, then made_at."
pub(crate) fn carried_message(certificate: &[u8], made_at: u32) -> [u8; 36] {
    let mut message = [0; 36];
    message[..32].copy_from_slice(&Sha256::digest(certificate));
    message[32..].copy_from_slice(&made_at.to_be_bytes());
    message
}

fn to_text(bytes: &Writer) -> String {
    let mut text = String::with_capacity(PREFIX.len() + bytes.0.len().div_ceil(5) * 8);
    text.push_str(PREFIX);
    BASE32_NOPAD.encode_append(&bytes.0, &mut text);
    text
}
