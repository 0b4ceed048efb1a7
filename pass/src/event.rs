//! What happened at a gate, and how it is handed in (SY 6).

use alloc::string::String;
use alloc::vec::Vec;

use ed25519_dalek::{SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use crate::code::Kind;
use crate::document::DocumentKind;
use crate::file::Sha256Hash;
use crate::key::{self, Context, KeyId};
use crate::limits;
use crate::note::Note;
use crate::ruling::Ruling;
use crate::signed::{self, FileType, ListError};
use crate::time::ClockSource;
use crate::wire::{Reader, Writer};

/// The three answers of a gate (wire numbers of SY 6.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutcomeCode {
    /// Let in.
    Pass = 1,
    /// The guard looked and decided, or must.
    Confirm = 2,
    /// Turned away.
    Deny = 3,
}

impl OutcomeCode {
    const ALL: [Self; 3] = [Self::Pass, Self::Confirm, Self::Deny];

    /// The name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Confirm => "confirm",
            Self::Deny => "deny",
        }
    }
}

/// What the gate did (wire numbers of SY 6.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GateOutcome {
    /// It was not asked to open.
    Closed = 0,
    /// It was opened.
    Opened = 1,
    /// It was asked to open and could not.
    Fault = 2,
    /// It was asked to open, and the program ended before it could say what became of that.
    Unknown = 3,
}

impl GateOutcome {
    const ALL: [Self; 4] = [Self::Closed, Self::Opened, Self::Fault, Self::Unknown];

    pub(crate) fn from_wire(byte: u8) -> Option<Self> {
        one_of(Self::ALL, byte, |g| g as u8)
    }

    /// The name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Opened => "opened",
            Self::Fault => "fault",
            Self::Unknown => "unknown",
        }
    }
}

/// A code was presented and judged. It carries the handle, which is a pseudonym, and no more of the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Drawn at random by the checkpoint.
    pub id: [u8; 16],
    /// Milliseconds since the Unix epoch: not before this.
    pub earliest_ms: u64,
    /// Not after this; `u64::MAX` if unknown.
    pub latest_ms: u64,
    /// How the checkpoint knew the time.
    pub clock: ClockSource,
    /// The lane's name, at most 64 bytes.
    pub lane: String,
    /// The code's kind byte, 0 if it was none of ours; see also [`document_kind`].
    pub kind: u8,
    /// The handle of the code or of the document's holder, 0 if there is none.
    pub handle: u32,
    /// The answer.
    pub outcome: OutcomeCode,
    /// Its stable reason code, at most 32 characters of `a-z0-9_`.
    pub reason: String,
    /// What the gate did.
    pub gate: GateOutcome,
    /// Microseconds: frame to decoder, decoding, deciding, verdict to relay.
    pub latency_us: [u32; 4],
}

const PRESENTATION: u8 = 1;
const PASSAGE: u8 = 2;
/// Kind bytes from here on are documents'.
const DOCUMENT: u8 = 0x20;

impl Event {
    /// SY 6.4: the record of the event.
    pub fn encode(&self) -> Vec<u8> {
        let mut r = Writer::default();
        r.u8(PRESENTATION).bytes(&self.id).u64(self.earliest_ms).u64(self.latest_ms).u8(self.clock as u8);
        short_str(&mut r, &self.lane);
        r.u8(self.kind).u32(self.handle).u8(self.outcome as u8);
        short_str(&mut r, &self.reason);
        r.u8(self.gate as u8);
        for us in self.latency_us {
            r.u32(us);
        }
        r.0
    }

    /// Reads a record; `None` for a type of event that this version does not know (SY 6.3), which is kept as it is.
    ///
    /// # Errors
    /// [`ListError`] if a record of a known type is malformed.
    pub fn decode(record: &[u8]) -> Result<Option<Self>, ListError> {
        let mut r = Reader::new(record);
        // SY 6.3: "A record of an unknown type is kept as it is."
        if r.u8()? != PRESENTATION {
            return Ok(None);
        }
        let id = r.array()?;
        let (earliest_ms, latest_ms) = (r.u64()?, r.u64()?);
        // SY 6.4: each check below is a row of the clause's table, in its order.
        if latest_ms < earliest_ms {
            return Err(ListError::Field("time"));
        }
        let clock = ClockSource::from_wire(r.u8()?).ok_or(ListError::Field("clock"))?;
        let lane = text(r.short_str()?, 64).ok_or(ListError::Field("lane"))?;
        let (kind, handle) = (r.u8()?, r.u32()?);
        let outcome = one_of(OutcomeCode::ALL, r.u8()?, |o| o as u8).ok_or(ListError::Field("outcome"))?;
        let reason = reason(r.short_str()?).ok_or(ListError::Field("reason"))?;
        let gate = GateOutcome::from_wire(r.u8()?).ok_or(ListError::Field("gate"))?;
        let latency_us = [r.u32()?, r.u32()?, r.u32()?, r.u32()?];
        r.end()?;
        Ok(Some(Self { id, earliest_ms, latest_ms, clock, lane, kind, handle, outcome, reason, gate, latency_us }))
    }
}

/// SY 6.4: the kind byte of an event about a document of that kind; `None` if somebody came with neither code nor document.
pub fn document_kind(kind: Option<DocumentKind>) -> u8 {
    DOCUMENT + kind.map_or(0, |kind| kind as u8)
}

/// The name of an event's kind byte, as used in JSON; `None` for 0 and for kinds to come.
pub fn kind_name(kind: u8) -> Option<&'static str> {
    let document = || DocumentKind::ALL.into_iter().find(|known| document_kind(Some(*known)) == kind);
    match Kind::from_wire(kind) {
        Some(code) => Some(code.name()),
        None if kind == DOCUMENT => Some("no_document"),
        None => document().map(DocumentKind::name),
    }
}

/// How many went through after the gate had opened for a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passage {
    /// The id of the event that opened the gate.
    pub id: [u8; 16],
    /// How many people the code lets in at once: at least 1.
    pub of: u8,
    /// How many went through: at most `of`.
    pub passed: u8,
}

impl Passage {
    /// SY 6.9: the record of the passage.
    pub fn encode(&self) -> Vec<u8> {
        let mut r = Writer::default();
        r.u8(PASSAGE).bytes(&self.id).u8(self.of).u8(self.passed);
        r.0
    }

    /// Reads a record; `None` for one of another type.
    ///
    /// # Errors
    /// [`ListError`] if it is malformed.
    pub fn decode(record: &[u8]) -> Result<Option<Self>, ListError> {
        let mut r = Reader::new(record);
        if r.u8()? != PASSAGE {
            return Ok(None);
        }
        let (id, of, passed) = (r.array()?, r.u8()?, r.u8()?);
        // SY 6.9: "Of is at least 1, and passed at most of."
        if of == 0 {
            return Err(ListError::Field("of"));
        }
        if passed > of {
            return Err(ListError::Field("passed"));
        }
        r.end()?;
        Ok(Some(Self { id, of, passed }))
    }
}

pub(crate) fn one_of<T: Copy, const N: usize>(all: [T; N], byte: u8, wire: impl Fn(T) -> u8) -> Option<T> {
    all.into_iter().find(|v| wire(*v) == byte)
}

pub(crate) fn text(bytes: &[u8], most: usize) -> Option<String> {
    let s = core::str::from_utf8(bytes).ok()?;
    (s.len() <= most && !s.chars().any(char::is_control)).then(|| s.into())
}

/// A stable code, as in a reason.
pub(crate) fn reason(bytes: &[u8]) -> Option<String> {
    text(bytes, 32).filter(|s| s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'))
}

pub(crate) fn short_str(w: &mut Writer, s: &str) {
    let mut n = s.len().min(64);
    while !s.is_char_boundary(n) {
        n -= 1;
    }
    w.u8(u8::try_from(n).unwrap_or(0)).bytes(&s.as_bytes()[..n]);
}

/// SY 6.2: "h(n) = SHA-256(`tongguan/1/event` || 0x00 || h(n-1) || seq 8 || record); h(0) is 32 zero bytes and the first
/// seq is 1."
pub fn chain(previous: &Sha256Hash, seq: u64, record: &[u8]) -> Sha256Hash {
    let mut hash = Sha256::new_with_prefix(b"tongguan/1/event\0");
    hash.update(previous.0);
    hash.update(seq.to_be_bytes());
    hash.update(record);
    Sha256Hash(hash.finalize().into())
}

/// Consecutive records of one device, signed by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The device's key, which is also its name.
    pub device: VerifyingKey,
    /// The sequence number of the first record.
    pub first_seq: u64,
    /// The chain value before the first record.
    pub previous: Sha256Hash,
    /// The records, at most [`limits::BATCH_EVENTS`] of at most [`limits::EVENT_BYTES`] each.
    pub records: Vec<Vec<u8>>,
}

impl Batch {
    /// The signed batch (SY 6.1). The key must be that of `device`.
    pub fn sign(&self, key: &SigningKey) -> Vec<u8> {
        signed::sign(FileType::Events, Context::Events, &self.body(), &[(KeyId(0), key)])
    }

    /// Whether that is the device's signature of this batch: whoever keeps it beside the records can show later that none
    /// of them was changed.
    pub fn is_signed(&self, signature: &[u8; 64]) -> bool {
        key::verifies(&self.device, Context::Events, &self.body(), signature)
    }

    fn body(&self) -> Vec<u8> {
        let mut body = Writer::default();
        body.bytes(self.device.as_bytes()).u64(self.first_seq).bytes(&self.previous.0);
        body.u16(u16::try_from(self.records.len()).unwrap_or(u16::MAX));
        for record in &self.records {
            body.u16(u16::try_from(record.len()).unwrap_or(u16::MAX)).bytes(record);
        }
        body.0
    }

    /// SY 6.1: "A batch is signed by the device key it names, under key id 0." Whether that device is one of ours, the
    /// registry knows.
    ///
    /// # Errors
    /// [`ListError`] naming the check that failed.
    pub fn open(bytes: &[u8]) -> Result<Self, ListError> {
        Self::open_signed(bytes).map(|(batch, _)| batch)
    }

    /// The same, with the device's signature.
    ///
    /// # Errors
    /// [`ListError`] naming the check that failed.
    pub fn open_signed(bytes: &[u8]) -> Result<(Self, [u8; 64]), ListError> {
        let file = signed::open(bytes, FileType::Events, limits::BATCH_BYTES)?;
        let mut body = Reader::new(file.body);
        // PF 3.3: "A public key is a canonical point that is not of small order."
        let device = key::public_key(&body.array()?).ok_or(ListError::PublicKey)?;
        let first_seq = body.u64()?;
        let previous = Sha256Hash(body.array()?);
        // SY 6.2: "A batch that begins at 1 has a previous of zeros."
        if first_seq == 1 && previous != Sha256Hash([0; 32]) {
            return Err(ListError::Chain);
        }
        let count = usize::from(body.u16()?);
        // SY 6.1: "A batch has 1 to 500 records of 1 to 1,024 bytes."
        if count == 0 || count > limits::BATCH_EVENTS {
            return Err(ListError::Field("event count"));
        }
        // SY 6.1: "first_seq is 1 to 2^63 - 1 - count." So every number fits a database's signed integer.
        if first_seq == 0 || first_seq > i64::MAX as u64 - count as u64 {
            return Err(ListError::Field("first_seq"));
        }
        let mut records = Vec::with_capacity(count);
        for _ in 0..count {
            let length = usize::from(body.u16()?);
            if length == 0 || length > limits::EVENT_BYTES {
                return Err(ListError::Field("event length"));
            }
            let record = body.take(length)?;
            Event::decode(record)?;
            Passage::decode(record)?;
            Note::decode(record)?;
            Ruling::decode(record)?;
            records.push(record.to_vec());
        }
        body.end()?;
        file.verify_by_one(Context::Events, |id| (id == KeyId(0)).then_some(&device))?;
        let signature = file.signatures.iter().find(|(id, _)| *id == KeyId(0)).ok_or(ListError::UnknownKey)?.1;
        Ok((Self { device, first_seq, previous, records }, signature))
    }

    /// The records with their sequence number and their chain value.
    pub fn chained(&self) -> impl Iterator<Item = (u64, &[u8], Sha256Hash)> {
        let mut previous = self.previous;
        self.records.iter().zip(self.first_seq..).map(move |(record, seq)| {
            previous = chain(&previous, seq, record);
            (seq, record.as_slice(), previous)
        })
    }
}
