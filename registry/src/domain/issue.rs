//! Issuing: what a code of each kind will say, for how long its handle must then be remembered, and signing it.
//!
//! In two steps, because the order matters: first the handle's life is extended in the store, then the code is signed. A
//! code whose end the store does not know could be dropped from the lists while it is still good.

use tongguan_pass::code::CERTIFICATE_BYTES;
use tongguan_pass::{Certificate, Flags, Live, Printed, Purpose, VerifyingKey};

use crate::domain::audit::Act;
use crate::domain::handle::Holder;
use crate::domain::signers::{KeyError, Signers};
use crate::domain::time::DAY;

/// Minutes a live code is good for.
pub const LIVE_MINUTES: u8 = 10;
/// Hours a certificate is good for where nobody says otherwise.
pub const CERTIFICATE_HOURS: u8 = 24;
/// A certificate starts this much earlier, so that a phone whose clock is slow within its tolerance can use it at once.
const PHONE_CLOCK_SECONDS: u32 = 600;
/// A printed code starts this much earlier, so that a gate whose clock is a little slow does not refuse it.
const GATE_CLOCK_SECONDS: u32 = 300;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub enum Order {
    /// A live code.
    Live,
    /// A certificate for the phone's key.
    Certificate {
        /// The phone's key.
        holder: VerifyingKey,
        /// 1 to 36.
        hours: u8,
    },
    /// A code for paper.
    Printed {
        /// Whole days, at least 1.
        days: u16,
        /// The building it is for, 0 for any.
        building: u16,
        /// How many may enter at once, at least 1.
        entries: u8,
    },
}

/// An order with its window: from when to when it will be good.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// What is asked for.
    pub order: Order,
    /// Unix seconds.
    pub from: u32,
    /// Unix seconds.
    pub until: u32,
}

/// What is given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// The text of a code.
    Code(String),
    /// A certificate.
    Certificate(Box<[u8; CERTIFICATE_BYTES]>),
}

impl Order {
    /// The terms of this order as of `at`.
    ///
    /// # Errors
    /// A sentence for whoever asked.
    pub fn terms(self, at: u32) -> Result<Terms, &'static str> {
        let (from, length) = match self {
            Self::Live => (at, u32::from(LIVE_MINUTES) * 60),
            Self::Certificate { hours, .. } => {
                if !(1..=36).contains(&hours) {
                    return Err("a certificate is good for 1 to 36 hours");
                }
                (at.saturating_sub(PHONE_CLOCK_SECONDS), u32::from(hours) * 3600)
            }
            Self::Printed { days, entries, .. } => {
                if days == 0 {
                    return Err("a printed code is good for at least 1 day");
                }
                if entries == 0 {
                    return Err("a printed code lets in at least 1 person");
                }
                (at.saturating_sub(GATE_CLOCK_SECONDS), GATE_CLOCK_SECONDS + u32::from(days) * DAY)
            }
        };
        let until =
            from.checked_add(length).ok_or("the code would end after the year 2106, which no code can carry")?;
        Ok(Terms { order: self, from, until })
    }
}

impl Terms {
    /// The purpose of the key that signs it.
    pub fn purpose(&self) -> Purpose {
        match self.order {
            Order::Live => Purpose::Live,
            Order::Certificate { .. } => Purpose::Certificate,
            Order::Printed { .. } => Purpose::Printed,
        }
    }

    /// The act as audited.
    pub fn act(&self) -> Act {
        match self.order {
            Order::Live => Act::LiveCodeIssued,
            Order::Certificate { .. } => Act::CertificateIssued,
            Order::Printed { .. } => Act::PrintedCodeIssued,
        }
    }

    /// Whether a key is there to sign it; asked before anything is stored.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn check(&self, signers: &Signers) -> Result<(), KeyError> {
        signers.find(self.purpose(), self.from, self.until).map(|_| ())
    }

    /// The signed document for `holder`.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn sign(&self, holder: &Holder, signers: &Signers) -> Result<Document, KeyError> {
        let (key, private) = signers.find(self.purpose(), self.from, self.until)?;
        let Holder { handle, category, community } = *holder;
        let flags = Flags::default();
        Ok(match self.order {
            Order::Live => {
                let live =
                    Live { key, handle, issued_at: self.from, ttl_minutes: LIVE_MINUTES, category, community, flags };
                Document::Code(live.sign(private))
            }
            Order::Certificate { holder, hours } => {
                let certificate =
                    Certificate { key, handle, valid_from: self.from, hours, category, community, flags, holder };
                Document::Certificate(Box::new(certificate.sign(private)))
            }
            Order::Printed { building, entries, .. } => {
                let (valid_from, valid_to) = (self.from, self.until);
                let printed =
                    Printed { key, handle, valid_from, valid_to, category, community, building, entries, flags };
                Document::Code(printed.sign(private))
            }
        })
    }
}
