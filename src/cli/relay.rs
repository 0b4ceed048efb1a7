//! `tongguan release`, and the relay's keeper that `tongguan run` starts beside itself.

use clap::Args;
use tongguan::gate;

use super::{Answer, Place};

#[derive(Debug, Args)]
pub(super) struct ReleaseArgs {
    #[command(flatten)]
    place: Place,
}

impl ReleaseArgs {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        let config = self.place.config()?;
        gate::release_all(&config.gate, &config.signals)?;
        Ok(Answer::Yes)
    }
}

/// What the keeper keeps comes over its standard input.
pub(super) fn keep() -> anyhow::Result<Answer> {
    gate::keep()?;
    Ok(Answer::Yes)
}
