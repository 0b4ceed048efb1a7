//! The readers, behind one small trait: a grey picture in, the contents of its codes out.

mod guard;
mod ours;
mod rqrr;
mod rxing;
mod zxing;

use std::time::Duration;

use clap::ValueEnum;
use tongguan::capture::Luma;

pub(crate) use guard::{guarded, keep_quiet};
pub(crate) use ours::measured_look;

/// Reads the codes of one frame after the other.
pub(crate) trait Reader {
    /// The contents of the codes in the frame.
    fn read(&mut self, frame: &Luma) -> Vec<Vec<u8>>;

    /// The next frame has nothing to do with the ones before.
    fn forget(&mut self) {}
}

/// Which reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Which {
    /// The checkpoint's, with the CPU budget of a gate.
    Ours,
    /// The checkpoint's, with the budget for a still picture.
    Thorough,
    /// zxing-cpp, all aids on.
    Zxing,
    /// rxing, all aids on.
    Rxing,
    /// rqrr alone.
    Rqrr,
}

impl Which {
    /// In the order of the tables.
    pub(crate) const ALL: [Self; 5] = [Self::Ours, Self::Thorough, Self::Zxing, Self::Rxing, Self::Rqrr];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Thorough => "thorough",
            Self::Zxing => "zxing",
            Self::Rxing => "rxing",
            Self::Rqrr => "rqrr",
        }
    }

    /// Whether two readers share code that turns a grid into text, so that they are no witnesses for each other.
    pub(crate) fn is_kin(self, other: Self) -> bool {
        let house = |w| matches!(w, Self::Ours | Self::Thorough | Self::Rqrr);
        self == other || house(self) && house(other)
    }

    fn open(self) -> Box<dyn Reader> {
        match self {
            Self::Ours => Box::new(ours::Ours::at_a_gate()),
            Self::Thorough => Box::new(ours::Ours::thorough()),
            Self::Zxing => Box::new(zxing::Zxing::new()),
            Self::Rxing => Box::new(rxing::Rxing::new()),
            Self::Rqrr => Box::new(rqrr::Rqrr),
        }
    }
}

/// What a reader said about a frame.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reading {
    /// Contents, each once.
    pub(crate) texts: Vec<Vec<u8>>,
    pub(crate) panicked: bool,
    pub(crate) cpu: Duration,
}

/// A reader that is timed, and that is opened anew after a panic.
pub(crate) struct Lane {
    pub(crate) which: Which,
    reader: Box<dyn Reader>,
}

impl Lane {
    pub(crate) fn open(which: Which) -> Self {
        Self { which, reader: which.open() }
    }

    pub(crate) fn forget(&mut self) {
        self.reader.forget();
    }

    pub(crate) fn read(&mut self, frame: &Luma) -> Reading {
        let reader = &mut self.reader;
        let (outcome, cpu) = crate::cpu::timed(|| guarded(|| reader.read(frame)));
        let panicked = outcome.is_none();
        if panicked {
            self.reader = self.which.open();
        }
        let mut texts = outcome.unwrap_or_default();
        let mut seen = std::collections::HashSet::new();
        texts.retain(|t| seen.insert(t.clone()));
        Reading { texts, panicked, cpu }
    }
}
