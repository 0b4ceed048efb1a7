//! What a guard decided about an event, against or in place of the gate's own answer (SY 6.10).

use alloc::string::String;
use alloc::vec::Vec;

use crate::event::{GateOutcome, one_of, reason, short_str, text};
use crate::signed::ListError;
use crate::time::ClockSource;
use crate::wire::{Reader, Writer};

const RULING: u8 = 4;

/// A guard's two answers (wire numbers of SY 6.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The person was let in.
    LetIn = 1,
    /// The person was turned away.
    TurnedAway = 2,
}

impl Answer {
    const ALL: [Self; 2] = [Self::LetIn, Self::TurnedAway];

    /// The name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::LetIn => "let_in",
            Self::TurnedAway => "turned_away",
        }
    }
}

/// A guard's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// The id of the event it is about.
    pub id: [u8; 16],
    /// Milliseconds since the Unix epoch: not before this.
    pub earliest_ms: u64,
    /// Not after this; `u64::MAX` if unknown.
    pub latest_ms: u64,
    /// How the checkpoint knew the time.
    pub clock: ClockSource,
    /// Who, by the name the checkpoint knows them by, at most 32 bytes; empty where nobody logs in.
    pub guard: String,
    /// What.
    pub answer: Answer,
    /// Why: a stable code, at most 32 characters of `a-z0-9_`.
    pub reason: String,
    /// What the gate did.
    pub gate: GateOutcome,
}

impl Ruling {
    /// SY 6.10: the record of the ruling.
    pub fn encode(&self) -> Vec<u8> {
        let mut r = Writer::default();
        r.u8(RULING).bytes(&self.id).u64(self.earliest_ms).u64(self.latest_ms).u8(self.clock as u8);
        short_str(&mut r, &self.guard);
        r.u8(self.answer as u8);
        short_str(&mut r, &self.reason);
        r.u8(self.gate as u8);
        r.0
    }

    /// Reads a record; `None` for one of another type.
    ///
    /// # Errors
    /// [`ListError`] if it is malformed.
    pub fn decode(record: &[u8]) -> Result<Option<Self>, ListError> {
        let mut r = Reader::new(record);
        if r.u8()? != RULING {
            return Ok(None);
        }
        let id = r.array()?;
        let (earliest_ms, latest_ms) = (r.u64()?, r.u64()?);
        // SY 6.10: each check below is a row of the clause's table, in its order.
        if latest_ms < earliest_ms {
            return Err(ListError::Field("time"));
        }
        let clock = ClockSource::from_wire(r.u8()?).ok_or(ListError::Field("clock"))?;
        let guard = text(r.short_str()?, 32).ok_or(ListError::Field("guard"))?;
        let answer = one_of(Answer::ALL, r.u8()?, |a| a as u8).ok_or(ListError::Field("answer"))?;
        let reason = reason(r.short_str()?).ok_or(ListError::Field("reason"))?;
        let gate = GateOutcome::from_wire(r.u8()?).ok_or(ListError::Field("gate"))?;
        r.end()?;
        Ok(Some(Self { id, earliest_ms, latest_ms, clock, guard, answer, reason, gate }))
    }
}
