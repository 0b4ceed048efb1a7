//! What people hold in front of a camera, with where it really comes from.

use rand::{Rng, RngExt as _};
use tongguan_pass::{
    Body, Carried, Certificate, CodeError, Flags, KeyId, Live, Printed, Purpose, SigningKey, Unverified,
};
use tongguan_registry::data::{DataFolder, read_key_file};

use crate::city::{City, body};

/// Where a text comes from. Only the simulation knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Our registry signed it, and for a carried code the phone that it certified.
    Ours,
    /// It looks like one of ours; somebody without the right key made or changed it.
    Forged,
    /// One of ours that cannot be read whole, or of a later format.
    Spoiled,
    /// Something else.
    Foreign,
}

/// A text.
#[derive(Debug, Clone)]
pub struct Shown {
    /// As the scanner reads it.
    pub text: String,
    /// Where it comes from.
    pub origin: Origin,
    /// In words.
    pub what: &'static str,
}

impl Shown {
    fn new(what: &'static str, origin: Origin, text: impl Into<String>) -> Self {
        Self { text: text.into(), origin, what }
    }

    /// One of ours.
    pub fn ours(what: &'static str, text: String) -> Self {
        Self::new(what, Origin::Ours, text)
    }

    /// Its fields, if it is in form.
    pub fn body(&self) -> Option<Body> {
        body(&self.text)
    }
}

/// Something that must not open any gate. `like` is a genuine code, if there is one.
pub fn forgery(city: &City, like: Option<&Shown>, dice: &mut dyn Rng) -> anyhow::Result<Shown> {
    let now = city.registry().now();
    let stranger = SigningKey::from_bytes(&dice.random());
    let keys = &city.current()?.keys;
    let id = |purpose: Purpose| keys.iter().rfind(|k| k.purpose == purpose).map_or(KeyId(1), |k| k.id);
    let live = |key: KeyId| Live {
        key,
        handle: 7,
        issued_at: now,
        ttl_minutes: 10,
        category: 1,
        community: 1,
        flags: Flags::default(),
    };
    Ok(match dice.random_range(0..9) {
        0 => Shown::new("live code of a stranger's key under our key's id", Origin::Forged, {
            live(id(Purpose::Live)).sign(&stranger)
        }),
        1 => Shown::new("live code of another registry, whose key id we do not have", Origin::Forged, {
            live(KeyId(dice.random_range(50_000..60_000))).sign(&stranger)
        }),
        2 => {
            // Really one of our keys, and not for this.
            let purpose = Purpose::ALL[dice.random_range(1..5)];
            let id = id(purpose);
            let file = DataFolder::at(city.folder()).key_file(&format!("{}-{}", purpose.name(), id.0));
            Shown::new("live code by a key of another purpose", Origin::Forged, live(id).sign(&read_key_file(&file)?))
        }
        3 => {
            let printed = Printed {
                key: id(Purpose::Printed),
                handle: 7,
                valid_from: now - 60,
                valid_to: now + 86_400,
                category: 1,
                community: 1,
                building: 0,
                entries: 1,
                flags: Flags::default(),
            };
            Shown::new("printed code of a stranger's key under our key's id", Origin::Forged, printed.sign(&stranger))
        }
        4 => match city.people.iter().find_map(|p| p.certificate.as_ref()) {
            Some(certificate) => {
                let text = Carried::make(certificate, now, &stranger);
                Shown::new("carried code by a phone that has only copied the certificate", Origin::Forged, text)
            }
            None => Shown::new("carried code under a certificate of a stranger's", Origin::Forged, {
                let certificate = Certificate {
                    key: id(Purpose::Certificate),
                    handle: 7,
                    valid_from: now - 60,
                    hours: 24,
                    category: 1,
                    community: 1,
                    flags: Flags::default(),
                    holder: stranger.verifying_key(),
                };
                Carried::make(&certificate.sign(&stranger), now, &stranger)
            }),
        },
        5 | 6 => match like {
            Some(like) => altered(like, dice),
            None => Shown::new("half a code", Origin::Spoiled, "TG1:CEAAC"),
        },
        7 => Shown::new("code of a later format", Origin::Spoiled, "TG2:CEAACAAA"),
        _ => {
            let texts = ["wxp://f2f0pay", "https://example.org/", "", "6901028075831", "\u{0}\u{ff}"];
            Shown::new("something else", Origin::Foreign, texts[dice.random_range(0..texts.len())])
        }
    })
}

/// A genuine code with one bit or character changed, or cut off.
fn altered(like: &Shown, dice: &mut dyn Rng) -> Shown {
    let text = &like.text;
    let encoded = text.strip_prefix("TG1:").and_then(|t| data_encoding::BASE32_NOPAD.decode(t.as_bytes()).ok());
    let Some(mut bytes) = encoded.filter(|_| dice.random_bool(0.8)) else {
        return Shown::new("code that was cut off", Origin::Spoiled, &text[..dice.random_range(4..text.len().max(5))]);
    };
    let at = dice.random_range(0..bytes.len());
    bytes[at] ^= 1 << dice.random_range(0..8);
    let text = format!("TG1:{}", data_encoding::BASE32_NOPAD.encode(&bytes));
    let origin = match Unverified::parse(&text) {
        // A holder key that is none is a forgery too.
        Ok(_) | Err(CodeError::HolderKey) => Origin::Forged,
        Err(_) => Origin::Spoiled,
    };
    Shown::new("code with one bit changed", origin, text)
}

/// A live code by the registry's own key that the registry has not issued: a specimen for a poster, or a thief's.
///
/// # Errors
/// If there is no such key.
pub fn live_by_our_key(city: &City, what: &'static str, issued_at: u32, flags: Flags) -> anyhow::Result<Shown> {
    let now = city.registry().now();
    let keys = &city.current()?.keys;
    let signing = keys.iter().filter(|k| k.purpose == Purpose::Live && k.not_before <= now);
    let key = signing.max_by_key(|k| k.not_before).ok_or_else(|| anyhow::anyhow!("no live key"))?.id;
    let private = read_key_file(&DataFolder::at(city.folder()).key_file(&format!("live-{}", key.0)))?;
    let live = Live { key, handle: 7, issued_at, ttl_minutes: 10, category: 1, community: 1, flags };
    Ok(Shown::ours(what, live.sign(&private)))
}
