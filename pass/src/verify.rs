//! From a well-formed code to one the registry stands for, and whether it is good now (PF 3, 7).

use crate::code::{self, Body, Carried, CodeError, Kind, Live, Unverified};
use crate::key::{self, Context, KeyId, Purpose};
use crate::keyset::Keyset;
use crate::policy::Surge;
use crate::time::Interval;

/// PF 7.3: "at most 600 s from now, both ways".
const PHONE_CLOCK_TOLERANCE: i64 = 600;

/// A code that our registry signed. Only [`Unverified::verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    body: Body,
    /// PF 7.1: the validity of the key that signed, in Unix seconds.
    key_from: i64,
    key_until: i64,
}

/// Whether a code is good at a time known as an interval (PF 7). All figures are seconds, as PF 7.1 to 7.3 define them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Certainly good.
    Fresh,
    /// Certainly over, for at least `ago`.
    Expired {
        /// Seconds since its end, at least.
        ago: i64,
    },
    /// Certainly not yet good, for at least `ahead`.
    NotYetValid {
        /// Seconds to its start, at least.
        ahead: i64,
    },
    /// The phone that made it has a wrong clock: `ahead` of ours if positive, behind if negative.
    PhoneClock {
        /// Seconds between the phone's clock and ours.
        ahead: i64,
    },
    /// Our own clock is not good enough to tell.
    Uncertain,
}

impl Freshness {
    /// A stable name, as used in `vectors/`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Expired { .. } => "expired",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::PhoneClock { .. } => "phone_clock_wrong",
            Self::Uncertain => "clock_uncertain",
        }
    }
}

impl Unverified {
    /// Checks every signature of the code.
    ///
    /// # Errors
    /// [`CodeError::UnknownKey`] if the keyset may simply be too old, else the check that failed.
    pub fn verify(&self, keys: &Keyset) -> Result<Verified, CodeError> {
        let (id, purpose, context) = match &self.body {
            Body::Live(c) => (c.key, Purpose::Live, Context::Live),
            Body::Carried(c) => (c.certificate.key, Purpose::Certificate, Context::Certificate),
            Body::Printed(c) => (c.key, Purpose::Printed, Context::Printed),
        };
        let key = registry_key(keys, id, purpose)?;
        let signed = match self.body.kind() {
            Kind::Carried => code::CERTIFICATE_BYTES,
            Kind::Live | Kind::Printed => self.bytes.len(),
        };
        // PF 3.4: "The registry's signature covers every byte before it."
        let (signed, rest) = self.bytes.split_at_checked(signed).ok_or(CodeError::Length)?;
        let (body, signature) = signed.split_last_chunk::<64>().ok_or(CodeError::Length)?;
        if !key::verifies(&key.key, context, body, signature) {
            return Err(CodeError::RegistrySignature);
        }
        if let Body::Carried(carried) = &self.body {
            // PF 5.4: "The holder signs SHA-256 of the certificate with its signature, then made_at."
            let (_, signature) = rest.split_last_chunk::<64>().ok_or(CodeError::Length)?;
            let message = code::carried_message(signed, carried.made_at);
            if !key::verifies(&carried.certificate.holder, Context::Carried, &message, signature) {
                return Err(CodeError::HolderSignature);
            }
        }
        Ok(Verified { body: self.body, key_from: i64::from(key.not_before), key_until: i64::from(key.not_after) })
    }
}

/// PF 3.5: "A key id that the keyset lacks is `unknown_key`: the reader must sync. A key of another purpose is
/// `wrong_purpose`: a forgery."
fn registry_key(keys: &Keyset, id: KeyId, purpose: Purpose) -> Result<&crate::RegistryKey, CodeError> {
    let key = keys.by_id(id).ok_or(CodeError::UnknownKey(id))?;
    if key.purpose == purpose { Ok(key) } else { Err(CodeError::WrongPurpose(id)) }
}

impl Verified {
    /// What the registry signed.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// Whether the code is good at `now`. What is certain is said as certain; the rest is [`Freshness::Uncertain`].
    pub fn freshness(&self, now: Interval) -> Freshness {
        self.freshness_in(now, &[])
    }

    /// The same where the registry has declared these surges, which are in order and apart ([`crate::Policy::surges`]).
    pub fn freshness_in(&self, now: Interval, surges: &[Surge]) -> Freshness {
        let (from, until) = self.window();
        let (until, good_again) = match &self.body {
            Body::Live(live) => self.lengthened(live, until, now, surges),
            Body::Carried(_) | Body::Printed(_) => (until, false),
        };
        // PF 7.1: "Expired if earliest > until."
        if now.earliest > until && !good_again {
            return Freshness::Expired { ago: now.earliest.saturating_sub(until) };
        }
        // PF 7.2: "Not yet valid if latest < from."
        if now.latest < from {
            return Freshness::NotYetValid { ahead: from.saturating_sub(now.latest) };
        }
        match &self.body {
            // PF 7.4: "A live code that exists has begun: it is fresh if latest <= until."
            Body::Live(_) => certain(now.latest <= until),
            // PF 7.5: "A printed code is fresh if from <= earliest and latest <= until."
            Body::Printed(_) => certain(from <= now.earliest && now.latest <= until),
            Body::Carried(c) => carried_freshness(c, now, from, until),
        }
    }

    /// PF 7.7: how long a live code is good that is good at `now.earliest`, or was last; and whether it may be good again
    /// before `now.latest`, because a surge begins.
    fn lengthened(&self, live: &Live, until: i64, now: Interval, surges: &[Surge]) -> (i64, bool) {
        let (mut until, mut good_again) = (until, false);
        for surge in surges {
            // PF 7.7: "from begins to the earlier of ends and issued_at + 60 minutes, cut to the key's not_after".
            let begins = i64::from(surge.from);
            let most = i64::from(live.issued_at) + i64::from(surge.minutes) * 60;
            let ends = i64::from(surge.until).min(most).min(self.key_until);
            if ends < begins {
                continue;
            }
            if begins <= now.earliest.max(until + 1) {
                until = until.max(ends);
            } else {
                good_again |= begins <= now.latest;
            }
        }
        (until, good_again)
    }

    /// PF 7.1: "The window is what the registry signed, cut to the validity of its key."
    fn window(&self) -> (i64, i64) {
        let (from, until) = match &self.body {
            Body::Live(c) => (c.issued_at, i64::from(c.issued_at) + i64::from(c.ttl_minutes) * 60),
            Body::Carried(Carried { certificate: c, .. }) => {
                (c.valid_from, i64::from(c.valid_from) + i64::from(c.hours) * 3600)
            }
            Body::Printed(c) => (c.valid_from, i64::from(c.valid_to)),
        };
        (i64::from(from).max(self.key_from), until.min(self.key_until))
    }
}

/// PF 7.3: "A carried code is made inside the window and at most 600 s from now, both ways."
fn carried_freshness(c: &Carried, now: Interval, from: i64, until: i64) -> Freshness {
    let made_at = i64::from(c.made_at);
    let (ahead_least, ahead_most) = (made_at.saturating_sub(now.latest), made_at.saturating_sub(now.earliest));
    // A certificate cannot be used before it is made: such a phone's clock is slow, whatever ours says.
    if made_at < from {
        return Freshness::PhoneClock { ahead: if now.latest == i64::MAX { made_at - from } else { ahead_least } };
    }
    if made_at > until || ahead_least > PHONE_CLOCK_TOLERANCE {
        return Freshness::PhoneClock { ahead: ahead_least.max(made_at - until) };
    }
    // A slow phone and an old picture of a code look alike; the safe reading is the old picture.
    if ahead_most < -PHONE_CLOCK_TOLERANCE {
        return Freshness::Expired { ago: -ahead_most - PHONE_CLOCK_TOLERANCE };
    }
    certain(
        ahead_most <= PHONE_CLOCK_TOLERANCE
            && ahead_least >= -PHONE_CLOCK_TOLERANCE
            && from <= now.earliest
            && now.latest <= until,
    )
}

/// PF 7.6: "What is not certain is `clock_uncertain`."
fn certain(good: bool) -> Freshness {
    if good { Freshness::Fresh } else { Freshness::Uncertain }
}
