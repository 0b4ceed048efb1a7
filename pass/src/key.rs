//! Keys: their ids and purposes, and the one way anything is signed (PF 3).

use alloc::vec::Vec;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

/// Names a key inside a [`crate::Keyset`] or a [`crate::Root`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u16);

/// What a registry key may sign. A key has one purpose, so the key that signs codes by the thousand each second cannot
/// sign a list (SY 3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// Live codes.
    Live = 1,
    /// Day certificates of carried codes.
    Certificate = 2,
    /// Printed codes.
    Printed = 3,
    /// Heads.
    Lists = 4,
    /// Time replies.
    Time = 5,
    /// Nothing: what is written for the registry's eyes alone is sealed to it (SY 6.8).
    Notes = 6,
    /// Receipts for events (SY 6.6).
    Receipt = 7,
}

impl Purpose {
    /// Every purpose, in the order of its wire number.
    pub const ALL: [Self; 7] =
        [Self::Live, Self::Certificate, Self::Printed, Self::Lists, Self::Time, Self::Notes, Self::Receipt];

    pub(crate) fn from_wire(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|p| *p as u8 == byte)
    }

    /// The name used in JSON and in people's sight.
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Certificate => "certificate",
            Self::Printed => "printed",
            Self::Lists => "lists",
            Self::Time => "time",
            Self::Notes => "notes",
            Self::Receipt => "receipt",
        }
    }
}

/// The domain of a signature. PF 3.1: "A signature made for one thing is not good for another."
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Context {
    Live,
    Certificate,
    Carried,
    Printed,
    Root,
    Keyset,
    Head,
    Events,
    Time,
    Receipt,
}

impl Context {
    fn bytes(self) -> &'static [u8] {
        match self {
            Self::Live => b"tongguan/1/live",
            Self::Certificate => b"tongguan/1/certificate",
            Self::Carried => b"tongguan/1/carried",
            Self::Printed => b"tongguan/1/printed",
            Self::Root => b"tongguan/1/root",
            Self::Keyset => b"tongguan/1/keyset",
            Self::Head => b"tongguan/1/head",
            Self::Events => b"tongguan/1/events",
            Self::Time => b"tongguan/1/time",
            Self::Receipt => b"tongguan/1/receipt",
        }
    }
}

/// PF 3.1: "The signed bytes are context || 0x00 || body."
fn message(context: Context, body: &[u8]) -> Vec<u8> {
    let context = context.bytes();
    let mut message = Vec::with_capacity(context.len() + 1 + body.len());
    message.extend_from_slice(context);
    message.push(0);
    message.extend_from_slice(body);
    message
}

pub(crate) fn sign(key: &SigningKey, context: Context, body: &[u8]) -> [u8; 64] {
    key.sign(&message(context, body)).to_bytes()
}

/// PF 3.2: "Ed25519 as in RFC 8032, checked strictly: S canonical, neither the key nor R of small order, the equation
/// without the cofactor."
pub(crate) fn verifies(key: &VerifyingKey, context: Context, body: &[u8], signature: &[u8; 64]) -> bool {
    key.verify_strict(&message(context, body), &Signature::from_bytes(signature)).is_ok()
}

/// PF 3.3: "A public key is a canonical point that is not of small order." Under a small-order key one signature would
/// verify for every message.
pub(crate) fn public_key(bytes: &[u8; 32]) -> Option<VerifyingKey> {
    let key = VerifyingKey::from_bytes(bytes).ok()?;
    let canonical = key.to_edwards().compress().to_bytes() == *bytes;
    (canonical && !key.is_weak()).then_some(key)
}
