//! The outcome as a page to read, a file for programs and a plot a factor.

mod goals;
mod instructions;
mod page;
mod plots;
mod results;

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::corpora::Kind;
use crate::readers::Which;
use crate::run::Outcome;
use crate::tally::Tally;

pub(crate) use instructions::{Instructions, instructions};

/// All corpora of one run, and what it takes to repeat it.
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) frames: u64,
    pub(crate) only: Vec<String>,
    pub(crate) readers: Vec<Which>,
    pub(crate) outcomes: Vec<Outcome>,
    /// `None` where nobody counted them.
    pub(crate) instructions: Option<Instructions>,
}

impl Report {
    /// Writes README.md, results.json and the plots into a folder.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let goals = goals::goals(self);
        let plots = plots::draw(self, folder)?;
        let remarks = std::fs::read_to_string(folder.join("remarks.md")).ok();
        write(&folder.join("README.md"), page::page(self, &goals, &plots, remarks.as_deref()).as_bytes())?;
        write(&folder.join("results.json"), results::results(self, &goals)?.as_bytes())
    }

    fn of(&self, kind: Kind) -> Option<&Outcome> {
        self.outcomes.iter().find(|outcome| outcome.kind == kind)
    }

    /// One reader over one or several kinds; `None` unless all of them are in this run.
    fn total(&self, kinds: &[Kind], which: Which) -> Option<Tally> {
        let mut total = Tally::default();
        for kind in kinds {
            total.add(&self.of(*kind)?.total(which)?);
        }
        Some(total)
    }

    /// The command that gives the same frames again.
    fn command(&self) -> String {
        let mut command = format!("compare --seed {} --frames {}", self.seed, self.frames);
        if self.readers != Which::ALL {
            let names: Vec<_> = self.readers.iter().map(|which| which.name()).collect();
            command += &format!(" --readers {}", names.join(","));
        }
        if !self.only.is_empty() {
            command += &format!(" --only {}", self.only.join(","));
        }
        command
    }
}

/// Kind of machine, for CPU figures that are compared later.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{}, {cores} cores", std::env::consts::ARCH.replace('_', "-"))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("{} cannot be written", path.display()))
}
