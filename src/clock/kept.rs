//! `clock.json`: what the clock must know after a restart of the program or of the machine.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::anchor::{Anchor, Span};

/// Bytes of the file: it has a few hundred.
const LARGEST: u64 = 16 * 1024;

/// What is kept. A file that cannot be read is as good as none: the clock then knows less, and says so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// This moment has passed.
    pub(super) floor: Option<Timestamp>,
    /// The start of the machine that the anchors belong to.
    pub(super) boot: String,
    /// What the registry signed.
    pub(super) signed: Option<Anchor>,
    /// What the kernel vouched for.
    pub(super) kernel: Option<Anchor>,
    /// How the battery clock went when the time was known.
    pub(super) rtc: Option<KeptRtc>,
}

/// The battery clock beside the true time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptRtc {
    /// What it showed.
    pub(super) showed: Timestamp,
    /// When that was.
    pub(super) span: Span,
}

impl KeptRtc {
    /// What it says now that it shows `shows`: it counts whole seconds, and may have gained or lost. `None` if it went back:
    /// its battery is empty.
    pub(super) fn at(&self, shows: Timestamp, drift_ppm: u32) -> Option<Span> {
        let age = Duration::try_from(shows.duration_since(self.showed)).ok()?;
        Some(self.span.later(age).wider(super::anchor::drift(age, drift_ppm) + Duration::from_secs(1)))
    }
}

/// The file in a data folder.
#[derive(Debug, Clone)]
pub(super) struct KeptFile(pub(super) PathBuf);

impl KeptFile {
    pub(super) fn read(&self) -> Kept {
        use std::io::Read as _;
        let mut bytes = Vec::new();
        let read = std::fs::File::open(&self.0).and_then(|file| file.take(LARGEST).read_to_end(&mut bytes));
        match read {
            Ok(_) => serde_json::from_slice(&bytes).unwrap_or_else(|problem| {
                tracing::warn!("{} is damaged ({problem}); the clock starts without it", self.0.display());
                Kept::default()
            }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Kept::default(),
            Err(e) => {
                tracing::warn!("cannot read {}: {e}; the clock starts without it", self.0.display());
                Kept::default()
            }
        }
    }

    /// Whole or not at all, whenever the power goes.
    pub(super) fn write(&self, kept: &Kept) -> std::io::Result<()> {
        use std::io::Write as _;
        let aside = self.0.with_extension("json.new");
        let mut file = std::fs::File::create(&aside)?;
        file.write_all(&serde_json::to_vec(kept)?)?;
        file.sync_data()?;
        std::fs::rename(&aside, &self.0)?;
        std::fs::File::open(self.0.parent().unwrap_or(Path::new(".")))?.sync_all()
    }
}
