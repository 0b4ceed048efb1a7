//! Test keys and an encoder of its own, written from the documents alone: where it and the crate differ, a vector fails.
//!
//! The private keys are test keys. Anyone can derive them from the names below; nothing real may ever trust them.

use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};

use super::schema::{Fields, Key};

/// When the vectors play: 2026-09-21 14:13:20 UTC.
pub(crate) const NOW: u32 = 1_790_000_000;
/// The day of [`NOW`], in days since 1970-01-01.
pub(crate) const TODAY: u16 = 20_717;
pub(crate) const KEYS_FROM: u32 = 1_780_000_000;
const KEYS_UNTIL: u32 = 1_800_000_000;

pub(crate) const LIVE: u16 = 1;
pub(crate) const CERTIFICATE: u16 = 2;
pub(crate) const PRINTED: u16 = 3;
pub(crate) const LISTS: u16 = 4;
pub(crate) const TIME: u16 = 5;
/// Live keys that are over soon, not begun, and good for as long as 32 bits can say.
pub(crate) const LIVE_ENDING: u16 = 6;
pub(crate) const LIVE_NEXT: u16 = 7;
pub(crate) const LIVE_LONG: u16 = 8;
pub(crate) const CERTIFICATE_ENDING: u16 = 9;
pub(crate) const PRINTED_LONG: u16 = 10;
/// Lists and time keys that were over before [`NOW`].
pub(crate) const LISTS_OVER: u16 = 11;
pub(crate) const TIME_OVER: u16 = 12;

const REGISTRY_KEYS: [(u16, &str, &str, u32, u32); 12] = [
    (LIVE, "live", "live", KEYS_FROM, KEYS_UNTIL),
    (CERTIFICATE, "certificate", "certificate", KEYS_FROM, KEYS_UNTIL),
    (PRINTED, "printed", "printed", KEYS_FROM, KEYS_UNTIL),
    (LISTS, "lists", "lists", KEYS_FROM, KEYS_UNTIL),
    (TIME, "time", "time", KEYS_FROM, KEYS_UNTIL),
    (LIVE_ENDING, "live-ending", "live", KEYS_FROM, NOW + 300),
    (LIVE_NEXT, "live-next", "live", NOW + 300, KEYS_UNTIL),
    (LIVE_LONG, "live-long", "live", 0, u32::MAX),
    (CERTIFICATE_ENDING, "certificate-ending", "certificate", KEYS_FROM, NOW + 300),
    (PRINTED_LONG, "printed-long", "printed", 0, u32::MAX),
    (LISTS_OVER, "lists-over", "lists", KEYS_FROM, NOW - 1),
    (TIME_OVER, "time-over", "time", KEYS_FROM, NOW - 1),
];

/// The test key of that name: its seed is SHA-256 of `tongguan test key: NAME`.
pub(crate) fn key(name: &str) -> SigningKey {
    SigningKey::from_bytes(&Sha256::digest(format!("tongguan test key: {name}")).into())
}

/// The registry key of that id.
pub(crate) fn registry_key(id: u16) -> SigningKey {
    let name = REGISTRY_KEYS.iter().find(|k| k.0 == id).map(|k| k.1);
    key(name.expect("a key of the table"))
}

/// The registry's keys as a vector gives them.
pub(crate) fn registry_keys() -> Vec<Key> {
    REGISTRY_KEYS
        .iter()
        .map(|(id, name, purpose, not_before, not_after)| Key {
            id: *id,
            purpose: (*purpose).into(),
            not_before: *not_before,
            not_after: *not_after,
            public_key: hex(&public(name)),
        })
        .collect()
}

pub(crate) fn public(name: &str) -> [u8; 32] {
    key(name).verifying_key().to_bytes()
}

/// PF 3.1.
pub(crate) fn message(context: &str, body: &[u8]) -> Vec<u8> {
    [context.as_bytes(), &[0], body].concat()
}

pub(crate) fn sign(key: &SigningKey, context: &str, body: &[u8]) -> [u8; 64] {
    key.sign(&message(context, body)).to_bytes()
}

/// PF 2.1, 2.2.
pub(crate) fn text(bytes: &[u8]) -> String {
    let mut text = String::from("TG1:");
    for five in bytes.chunks(5) {
        let mut block = [0; 8];
        block[3..3 + five.len()].copy_from_slice(five);
        let bits = u64::from_be_bytes(block);
        for i in 0..(five.len() * 8).div_ceil(5) {
            let index = usize::try_from(bits >> (35 - 5 * i) & 31).expect("below 32");
            text.push(char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[index]));
        }
    }
    text
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// PF 4.1.
#[derive(Clone, Copy)]
pub(crate) struct Live {
    pub(crate) key: u16,
    pub(crate) handle: u32,
    pub(crate) issued_at: u32,
    pub(crate) ttl: u8,
    pub(crate) category: u8,
    pub(crate) community: u32,
    pub(crate) flags: u8,
}

impl Default for Live {
    fn default() -> Self {
        Self { key: LIVE, handle: 0x1234_5678, issued_at: NOW, ttl: 10, category: 1, community: 1, flags: 0 }
    }
}

impl Live {
    pub(crate) fn body(&self) -> Vec<u8> {
        let mut b = vec![0x11];
        b.extend(self.key.to_be_bytes());
        b.extend(self.handle.to_be_bytes());
        b.extend(self.issued_at.to_be_bytes());
        b.extend([self.ttl, self.category]);
        b.extend(self.community.to_be_bytes());
        b.push(self.flags);
        assert_eq!(b.len(), 18);
        b
    }

    pub(crate) fn signed_with(&self, key: &SigningKey, context: &str) -> Vec<u8> {
        let body = self.body();
        let signature = sign(key, context, &body);
        [body.as_slice(), &signature].concat()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.signed_with(&registry_key(self.key), "tongguan/1/live")
    }

    pub(crate) fn text(&self) -> String {
        text(&self.bytes())
    }

    pub(crate) fn fields(&self) -> Fields {
        Fields::Live {
            key: self.key,
            handle: self.handle,
            issued_at: self.issued_at,
            ttl_minutes: self.ttl,
            category: self.category,
            community: self.community,
            specimen: self.flags == 1,
        }
    }
}

/// PF 5.1, 5.2.
#[derive(Clone, Copy)]
pub(crate) struct Carried {
    pub(crate) key: u16,
    pub(crate) handle: u32,
    pub(crate) valid_from: u32,
    pub(crate) hours: u8,
    pub(crate) category: u8,
    pub(crate) community: u32,
    pub(crate) flags: u8,
    pub(crate) holder: [u8; 32],
    pub(crate) made_at: u32,
}

impl Default for Carried {
    fn default() -> Self {
        Self {
            key: CERTIFICATE,
            handle: 0x2345_6789,
            valid_from: NOW - 7200,
            hours: 24,
            category: 1,
            community: 1,
            flags: 0,
            holder: public("holder"),
            made_at: NOW,
        }
    }
}

impl Carried {
    pub(crate) fn certificate_body(&self) -> Vec<u8> {
        let mut b = vec![0x12];
        b.extend(self.key.to_be_bytes());
        b.extend(self.handle.to_be_bytes());
        b.extend(self.valid_from.to_be_bytes());
        b.extend([self.hours, self.category]);
        b.extend(self.community.to_be_bytes());
        b.push(self.flags);
        b.extend(self.holder);
        assert_eq!(b.len(), 50);
        b
    }

    pub(crate) fn certificate_with(&self, key: &SigningKey, context: &str) -> Vec<u8> {
        let body = self.certificate_body();
        let signature = sign(key, context, &body);
        [body.as_slice(), &signature].concat()
    }

    pub(crate) fn certificate(&self) -> Vec<u8> {
        self.certificate_with(&registry_key(self.key), "tongguan/1/certificate")
    }

    /// PF 5.4: what the holder signs.
    pub(crate) fn holder_body(certificate: &[u8], made_at: u32) -> Vec<u8> {
        [sha256(certificate).as_slice(), &made_at.to_be_bytes()].concat()
    }

    pub(crate) fn bytes_with(&self, certificate: &[u8], holder: &SigningKey, context: &str) -> Vec<u8> {
        let signature = sign(holder, context, &Self::holder_body(certificate, self.made_at));
        [certificate, &self.made_at.to_be_bytes(), &signature].concat()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.bytes_with(&self.certificate(), &key("holder"), "tongguan/1/carried")
    }

    pub(crate) fn text(&self) -> String {
        text(&self.bytes())
    }

    pub(crate) fn fields(&self) -> Fields {
        Fields::Carried {
            key: self.key,
            handle: self.handle,
            valid_from: self.valid_from,
            hours: self.hours,
            category: self.category,
            community: self.community,
            specimen: self.flags == 1,
            holder: hex(&self.holder),
            made_at: self.made_at,
        }
    }
}

/// PF 6.1.
#[derive(Clone, Copy)]
pub(crate) struct Printed {
    pub(crate) key: u16,
    pub(crate) handle: u32,
    pub(crate) valid_from: u32,
    pub(crate) valid_to: u32,
    pub(crate) category: u8,
    pub(crate) community: u32,
    pub(crate) building: u16,
    pub(crate) entries: u8,
    pub(crate) flags: u8,
}

impl Default for Printed {
    fn default() -> Self {
        Self {
            key: PRINTED,
            handle: 0x3456_789a,
            valid_from: NOW - 86_400,
            valid_to: NOW + 86_400,
            category: 2,
            community: 1,
            building: 7,
            entries: 1,
            flags: 0,
        }
    }
}

impl Printed {
    pub(crate) fn body(&self) -> Vec<u8> {
        let mut b = vec![0x13];
        b.extend(self.key.to_be_bytes());
        b.extend(self.handle.to_be_bytes());
        b.extend(self.valid_from.to_be_bytes());
        b.extend(self.valid_to.to_be_bytes());
        b.push(self.category);
        b.extend(self.community.to_be_bytes());
        b.extend(self.building.to_be_bytes());
        b.extend([self.entries, self.flags]);
        assert_eq!(b.len(), 24);
        b
    }

    pub(crate) fn signed_with(&self, key: &SigningKey, context: &str) -> Vec<u8> {
        let body = self.body();
        let signature = sign(key, context, &body);
        [body.as_slice(), &signature].concat()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.signed_with(&registry_key(self.key), "tongguan/1/printed")
    }

    pub(crate) fn text(&self) -> String {
        text(&self.bytes())
    }

    pub(crate) fn fields(&self) -> Fields {
        Fields::Printed {
            key: self.key,
            handle: self.handle,
            valid_from: self.valid_from,
            valid_to: self.valid_to,
            category: self.category,
            community: self.community,
            building: self.building,
            entries: self.entries,
            specimen: self.flags == 1,
        }
    }
}
