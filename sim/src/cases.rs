//! The cases a walk-through shows, where each gets its code, and what the gate must say to it.

use crate::medium::Medium;

/// One visitor with one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Case {
    /// A live code just fetched.
    Fresh,
    /// A picture of a live code, taken twenty minutes ago.
    Expired,
    /// A phone that still makes codes after its owner's were revoked.
    Revoked,
    /// A live code somebody changed one bit of.
    Forged,
    /// A printed card.
    Printed,
    /// A code the phone made itself, without a network.
    Carried,
    /// A payment code, shown by mistake.
    Payment,
    /// A leaflet with a web address.
    WebAddress,
}

/// What the gate must answer: the stable codes of verdict and reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// `pass`, `confirm` or `deny`.
    pub verdict: &'static str,
    /// The reason's code.
    pub reason: &'static str,
}

/// Where codes come from: the registry's commands in the demo, keys in memory in a test.
pub trait Issuer {
    /// Why a code cannot be had.
    type Error;
    /// A live code issued now, for a resident in good standing.
    fn live(&mut self) -> Result<String, Self::Error>;
    /// A live code issued long enough ago to be over.
    fn expired(&mut self) -> Result<String, Self::Error>;
    /// A printed code.
    fn printed(&mut self) -> Result<String, Self::Error>;
    /// A carried code made now.
    fn carried(&mut self) -> Result<String, Self::Error>;
    /// A carried code made now, under a certificate of a handle that was revoked since.
    fn revoked(&mut self) -> Result<String, Self::Error>;
}

impl Case {
    /// In the order of the walk.
    pub const ALL: [Self; 8] = [
        Self::Fresh,
        Self::Expired,
        Self::Revoked,
        Self::Forged,
        Self::Printed,
        Self::Carried,
        Self::Payment,
        Self::WebAddress,
    ];

    /// Short name, for files.
    pub fn id(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Forged => "forged",
            Self::Printed => "printed",
            Self::Carried => "carried",
            Self::Payment => "payment",
            Self::WebAddress => "web",
        }
    }

    /// For people, in Chinese and in English.
    pub fn name(self) -> [&'static str; 2] {
        match self {
            Self::Fresh => ["刚刷新的动态码", "a live code, just fetched"],
            Self::Expired => ["二十分钟前的截图", "a screenshot, twenty minutes old"],
            Self::Revoked => ["已被撤销的人", "somebody whose codes were revoked"],
            Self::Forged => ["被改动过的码", "a code with one bit altered"],
            Self::Printed => ["纸质码", "a printed card"],
            Self::Carried => ["离线码(手机无网络)", "a carried code, the phone has no network"],
            Self::Payment => ["付款码", "a payment code"],
            Self::WebAddress => ["网址二维码", "a web address"],
        }
    }

    /// What it is shown on.
    pub fn medium(self) -> Medium {
        match self {
            Self::Printed | Self::WebAddress => Medium::Paper,
            _ => Medium::Phone,
        }
    }

    /// What the gate must answer.
    pub fn expected(self) -> Expected {
        let (verdict, reason) = match self {
            Self::Fresh | Self::Printed | Self::Carried => ("pass", "fresh"),
            Self::Expired => ("deny", "expired"),
            Self::Revoked => ("deny", "revoked"),
            Self::Forged => ("deny", "forged"),
            Self::Payment | Self::WebAddress => ("deny", "not_our_code"),
        };
        Expected { verdict, reason }
    }

    /// The text of its code, new each time.
    pub fn text<I: Issuer>(self, issuer: &mut I) -> Result<String, I::Error> {
        match self {
            Self::Fresh => issuer.live(),
            Self::Expired => issuer.expired(),
            Self::Revoked => issuer.revoked(),
            Self::Forged => issuer.live().map(|text| forged(&text)),
            Self::Printed => issuer.printed(),
            Self::Carried => issuer.carried(),
            // Of the form of a personal payment code, and nobody's.
            Self::Payment => Ok("wxp://f2f0TONGGUANSIMULATORxNOBODYxNOTHINGxTOxPAYxx".to_owned()),
            Self::WebAddress => Ok("https://example.com/notices/2022-01".to_owned()),
        }
    }
}

/// A code with one bit of its signed body altered and everything else as it was: canonical text, right length, a handle
/// that was never issued.
///
/// The handle is bytes 3 to 6 of every kind; the seventh base32 sign after `TG1:` stands for bits 30 to 34, all within it.
pub fn forged(text: &str) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let altered = "TG1:".len() + 6;
    text.bytes()
        .enumerate()
        .map(|(i, sign)| match ALPHABET.iter().position(|a| *a == sign) {
            Some(value) if i == altered => char::from(ALPHABET[value ^ 1]),
            _ => char::from(sign),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use tongguan_pass::{Body, Flags, KeyId, Live, SigningKey, Unverified};

    use super::*;

    #[test]
    fn a_forged_code_differs_in_one_bit_of_its_handle() -> Result<(), Box<dyn std::error::Error>> {
        let live = Live {
            key: KeyId(1),
            handle: 0x0102_0304,
            issued_at: 1_790_000_000,
            ttl_minutes: 10,
            category: 0,
            community: 1,
            flags: Flags::default(),
        };
        let text = forged(&live.sign(&SigningKey::from_bytes(&[1; 32])));
        let parsed = Unverified::parse(&text)?;
        let Body::Live(altered) = *parsed.claims() else { panic!("not a live code: {text}") };
        assert_eq!((altered.handle ^ live.handle).count_ones(), 1);
        assert_eq!(Live { handle: live.handle, ..altered }, live);
        Ok(())
    }
}
