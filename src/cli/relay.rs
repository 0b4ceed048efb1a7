//! `tongguan release`, and the relay's keeper that `tongguan run` starts beside itself.

use anyhow::bail;
use clap::Args;
use tongguan::gate::{self, Outputs};
use tongguan::store::{DataDir, StoreError};

use super::{Answer, Place, owner, print_line};

#[derive(Debug, Args)]
pub(super) struct ReleaseArgs {
    #[command(flatten)]
    place: Place,
}

impl ReleaseArgs {
    /// What the last run drove comes first: the configuration may have been changed since, or be faulty now.
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        let config = self.place.config();
        let folder = match (&self.place.data, &config) {
            (Some(data), _) => Some(data.clone()),
            (None, Ok(config)) => Some(config.data_dir.clone()),
            (None, Err(_)) => None,
        };
        if let Some(folder) = &folder {
            owner::become_owner(folder)?;
        }
        let dir = folder.and_then(|folder| DataDir::open(&folder).ok());
        // Held while the pins are touched: what a gate at work holds open, a fire may have opened.
        let lock = dir.as_ref().map(DataDir::lock);
        if let Some(Err(StoreError::InUse(folder))) = &lock {
            bail!("a gate is running on {}; stop it first, and it releases its outputs itself", folder.display());
        }
        let driven = dir.as_ref().and_then(|dir| Outputs::read(&dir.outputs_file()));
        let configured = match config {
            Ok(config) if self.place.file().is_some() => Ok(Outputs::new(&config.gate, &config.signals)),
            Ok(_) => {
                Err(anyhow::anyhow!("there is no configuration; name it with --config, or the data folder with --data"))
            }
            Err(error) => Err(error),
        };
        let mut done = Ok(());
        if let Some(driven) = &driven {
            done = driven.release();
        }
        match configured {
            Ok(configured) if driven.as_ref() != Some(&configured) => done = done.and(configured.release()),
            Err(error) if driven.is_none() => return Err(error),
            Err(error) => tracing::warn!("{error}; the outputs of the last run are released"),
            Ok(_) => {}
        }
        done?;
        print_line("Released: relay, lamps and buzzer are off.")?;
        Ok(Answer::Yes)
    }
}

/// What the keeper keeps comes over its standard input.
pub(super) fn keep() -> anyhow::Result<Answer> {
    gate::keep()?;
    Ok(Answer::Yes)
}
