//! `tongguan support`: the support bundle of the service page, made on the command line.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tongguan::clock::Clock as _;
use tongguan::service::{Bundle, Findings, History};
use tongguan::store::TrustStore;

use super::{Answer, Place, clock, print_json, print_line, show};

#[derive(Debug, Args)]
pub(super) struct SupportArgs {
    #[command(flatten)]
    place: Place,
    /// The file to write [default: a new one in the folder support/ of the USB stick, if it is there, else of the data folder]
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

impl SupportArgs {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        let (config, dir) = self.place.open()?;
        let clock = clock(&config, &dir);
        TrustStore::open_to_read(&dir)?.load()?.issued_at().into_iter().for_each(|at| clock.raise_floor(at));
        let now = clock.now();
        let found = Findings::look(&dir, &config, &now)?;
        let bundle = Bundle::of(&config, &found, &History::default(), &now)?;
        let written = match self.to {
            Some(file) => bundle.write(&file).map(|()| file)?,
            None => bundle.keep(&config, &dir)?,
        };
        let bytes = bundle.bytes();
        if self.json {
            print_json(&json!({ "file": show(&written), "bytes": bytes }))?;
        } else {
            print_line(&format!("{} ({bytes} bytes): no names, codes, keys or PINs are in it", show(&written)))?;
        }
        Ok(Answer::Yes)
    }
}
