//! The life of signing keys: next, current, retiring, gone; and what must be done for each purpose to have a key tomorrow.
//!
//! A key signs for `life`; then the next one, which gates have known for `ahead`, signs, and the old one stays in the keyset
//! until the last thing it signed has ended. No message starts the next key: it begins at its own not_before, for the
//! registry ([`crate::domain::signers`]) and for every gate alike.

use tongguan_pass::{KeyId, Keyset, Purpose, RegistryKey};

use crate::domain::time::{DAY, rfc3339};

/// How long keys sign and how long ahead the next one is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyTerms {
    /// Seconds a key signs.
    pub life: u32,
    /// Seconds the next key is in the keyset before it signs: longer than the gates that sync most rarely take.
    pub ahead: u32,
}

impl Default for KeyTerms {
    fn default() -> Self {
        Self { life: 365 * DAY, ahead: 30 * DAY }
    }
}

/// What a key of a keyset is for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Published ahead; it does not sign yet.
    Next,
    /// It signs.
    Current,
    /// It no longer signs, but something it signed may still be good.
    Retiring,
    /// Nothing it signed is good any more.
    Ended,
}

impl State {
    /// The name as shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Retiring => "retiring",
            Self::Ended => "ended",
        }
    }
}

/// Which keys to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// The ones that are due.
    Due,
    /// The next one of this purpose, due or not, to sign from `from` or after the usual time ahead.
    Next {
        /// The purpose.
        purpose: Purpose,
        /// Unix seconds.
        from: Option<u32>,
    },
}

/// A key to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vacancy {
    /// The id it will have.
    pub id: KeyId,
    /// Its purpose.
    pub purpose: Purpose,
    /// Unix seconds.
    pub not_before: u32,
    /// Unix seconds.
    pub not_after: u32,
}

/// What changes in a keyset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Keys to make.
    pub make: Vec<Vacancy>,
    /// Keys that have ended and go.
    pub drop: Vec<KeyId>,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RotationError {
    /// The current key would stop before the next one starts.
    #[error("the current {purpose} key signs only until {}; let the next one start by then", rfc3339(*.until))]
    TooLate {
        /// The purpose.
        purpose: &'static str,
        /// Until when the current key signs.
        until: u32,
    },
    /// All 65,535 ids were given out.
    #[error("key ids have run out; a new registry must be set up")]
    Ids,
}

/// Seconds the longest thing signed with a key of that purpose is good for, and a day for slow clocks.
pub fn tail(purpose: Purpose) -> u32 {
    match purpose {
        // 36 hours are the most a certificate may have (PF 5), 366 days the most `code printed` gives.
        Purpose::Certificate => 3 * DAY,
        Purpose::Printed => 367 * DAY,
        // A gate without a network goes on sealing to the notes key it knows, and a receipt may be on its way on a stick.
        Purpose::Notes | Purpose::Receipt => 92 * DAY,
        // Live codes, heads, time replies: used as soon as they are made.
        _ => DAY,
    }
}

/// The validity of a key that signs from `start`.
pub fn validity(purpose: Purpose, start: u32, terms: KeyTerms) -> (u32, u32) {
    (start, start.saturating_add(terms.life).saturating_add(tail(purpose)))
}

/// Until when the key may sign even the longest thing of its purpose.
pub fn signs_until(key: &RegistryKey) -> u32 {
    key.not_after.saturating_sub(tail(key.purpose)).max(key.not_before)
}

/// The state of `key` among `keys` at `now`.
pub fn state(key: &RegistryKey, keys: &[RegistryKey], now: u32) -> State {
    if key.not_before > now {
        State::Next
    } else if now > ends(key, keys) {
        State::Ended
    } else if heir(key, keys).is_some_and(|heir| heir.not_before <= now) {
        State::Retiring
    } else {
        State::Current
    }
}

/// What is to be made and dropped at `now`. `highest` is the highest id ever given: one that was revoked must not come back.
///
/// # Errors
/// [`RotationError`].
pub fn plan(
    keys: &[RegistryKey],
    highest: KeyId,
    want: Want,
    now: u32,
    terms: KeyTerms,
) -> Result<Plan, RotationError> {
    let drop: Vec<KeyId> = keys.iter().filter(|k| state(k, keys, now) == State::Ended).map(|k| k.id).collect();
    let mut make = Vec::new();
    let mut id = highest.0;
    for purpose in Purpose::ALL {
        let Some((not_before, not_after)) = wanted(keys, purpose, want, now, terms)? else { continue };
        id = id.checked_add(1).ok_or(RotationError::Ids)?;
        make.push(Vacancy { id: KeyId(id), purpose, not_before, not_after });
    }
    Ok(Plan { make, drop })
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.make.is_empty() && self.drop.is_empty()
    }
}

/// The keys that were taken out of a keyset before their time, each with the moment of the keyset that lacks it. `history`
/// is every keyset of the registry, in order.
pub fn revoked(history: &[Keyset]) -> Vec<(RegistryKey, u32)> {
    let steps = history.iter().zip(history.iter().skip(1));
    let gone = steps.flat_map(|(before, after)| {
        let missing = before.keys().iter().filter(|k| after.by_id(k.id).is_none());
        missing.filter(|k| after.issued_at <= ends(k, before.keys())).map(|k| (k.clone(), after.issued_at))
    });
    gone.collect()
}

/// The window of the key this purpose lacks, if it lacks one.
fn wanted(
    keys: &[RegistryKey],
    purpose: Purpose,
    want: Want,
    now: u32,
    terms: KeyTerms,
) -> Result<Option<(u32, u32)>, RotationError> {
    let of_purpose = || keys.iter().filter(|k| k.purpose == purpose);
    // One that was relieved by a key with a shorter life, and dropped, does not come back when that one has ended.
    let signs = |k: &&RegistryKey| k.not_before <= now && now < signs_until(k) && state(k, keys, now) != State::Ended;
    let signing = of_purpose().filter(signs).max_by_key(|k| k.not_before);
    let Some(current) = signing else {
        // Good at once, and a day back as the first keys were: for gates with slow clocks.
        let (_, not_after) = validity(purpose, now, terms);
        return Ok(Some((now.saturating_sub(DAY), not_after)));
    };
    if of_purpose().any(|k| k.not_before > now) {
        return Ok(None);
    }
    let until = signs_until(current);
    let start = match want {
        Want::Next { purpose: wanted, from } if wanted == purpose => match from {
            Some(from) if from > until => return Err(RotationError::TooLate { purpose: purpose.name(), until }),
            Some(from) => from.max(now),
            None => now.saturating_add(terms.ahead).min(until),
        },
        _ if until.saturating_sub(now) <= terms.ahead => until,
        _ => return Ok(None),
    };
    Ok(Some(validity(purpose, start, terms)))
}

/// The key that signs after `key`.
pub fn heir<'k>(key: &RegistryKey, keys: &'k [RegistryKey]) -> Option<&'k RegistryKey> {
    let later = |k: &&RegistryKey| k.purpose == key.purpose && (k.not_before, k.id) > (key.not_before, key.id);
    keys.iter().filter(later).min_by_key(|k| (k.not_before, k.id))
}

/// When nothing that `key` signed can be good any more: an heir ends its signing early.
pub fn ends(key: &RegistryKey, keys: &[RegistryKey]) -> u32 {
    heir(key, keys).map_or(key.not_after, |h| key.not_after.min(h.not_before.saturating_add(tail(key.purpose))))
}

#[cfg(test)]
#[path = "rotation_tests.rs"]
mod tests;
