//! What was exercised how often, and what happened last.

use std::collections::{BTreeMap, VecDeque};

/// Counts by name.
#[derive(Debug, Clone, Default)]
pub struct Tally(BTreeMap<String, u64>);

impl Tally {
    /// Once more.
    pub fn count(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        for (what, n) in &other.0 {
            *self.0.entry(what.clone()).or_default() += n;
        }
    }

    /// How often.
    pub fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    /// All, by name.
    pub fn all(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(what, n)| (what.as_str(), *n))
    }
}

/// Steps that a trace of a failed run shows.
const SHOWN: usize = 40;

/// The last steps of a run.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    lines: VecDeque<String>,
    hash: u64,
}

impl Trace {
    /// A step.
    pub fn say(&mut self, line: String) {
        // FNV-1a: whether two runs went the same way.
        self.hash = line
            .bytes()
            .fold(self.hash ^ 0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        if self.lines.len() == SHOWN {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// The last ones, in order.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    /// The same for two runs only if they took the same steps.
    pub fn hash(&self) -> u64 {
        self.hash
    }
}
