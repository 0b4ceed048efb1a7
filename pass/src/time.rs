//! Time as an interval, and the registry's signed time (SY 7).

use alloc::vec::Vec;

use crate::key::{Context, Purpose};
use crate::keyset::Keyset;
use crate::limits;
use crate::signed::{self, FileType, ListError};
use crate::wire::{Reader, Writer};
use ed25519_dalek::SigningKey;

/// Where the true time lies: somewhere from `earliest` to `latest`, both inclusive, in Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// It is certainly not before this.
    pub earliest: i64,
    /// It is certainly not after this. `i64::MAX` if only a lower bound is known.
    pub latest: i64,
}

impl Interval {
    /// A time known to the second.
    pub fn exactly(at: i64) -> Self {
        Self { earliest: at, latest: at }
    }
}

/// How a checkpoint knew the time of an event. DESIGN's clock model; the wire numbers are SY 6.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClockSource {
    /// Disciplined by NTP or a signed time reply.
    Synced = 1,
    /// Elapsed time since the last anchor.
    Holdover = 2,
    /// The system clock, with nobody vouching for it.
    System = 3,
    /// Only a lower bound is known.
    Floor = 4,
    /// Given by a person, for a question about another time.
    Stated = 5,
}

impl ClockSource {
    const ALL: [Self; 5] = [Self::Synced, Self::Holdover, Self::System, Self::Floor, Self::Stated];

    pub(crate) fn from_wire(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|s| *s as u8 == byte)
    }

    /// The name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Synced => "synced",
            Self::Holdover => "holdover",
            Self::System => "system",
            Self::Floor => "floor",
            Self::Stated => "stated",
        }
    }
}

/// SY 7.1: the registry's answer to "what time is it", bound to the asker's nonce so that it cannot be replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeReply {
    /// The asker's nonce.
    pub nonce: [u8; 16],
    /// Milliseconds since the Unix epoch, when the reply was signed.
    pub at_ms: u64,
}

impl TimeReply {
    /// The signed reply, by a key of purpose [`Purpose::Time`].
    pub fn sign(&self, id: crate::KeyId, key: &SigningKey) -> Vec<u8> {
        let mut body = Writer::default();
        body.bytes(&self.nonce).u64(self.at_ms);
        signed::sign(FileType::Time, Context::Time, &body.0, &[(id, key)])
    }

    /// SY 7.2: "A reply is believed if a time key of the keyset signed it and was valid at its time, and it carries the
    /// nonce that was sent."
    ///
    /// # Errors
    /// [`ListError`] naming the check that failed; [`ListError::Nonce`] for somebody else's reply.
    pub fn open(bytes: &[u8], keys: &Keyset, nonce: &[u8; 16]) -> Result<Self, ListError> {
        let file = signed::open(bytes, FileType::Time, limits::TIME_REPLY_BYTES)?;
        let mut body = Reader::new(file.body);
        let reply = Self { nonce: body.array()?, at_ms: body.u64()? };
        body.end()?;
        file.verify_by_one(Context::Time, |id| keys.valid_at(id, Purpose::Time, reply.at_ms / 1000))?;
        if reply.nonce != *nonce {
            return Err(ListError::Nonce);
        }
        Ok(reply)
    }
}
