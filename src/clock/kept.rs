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
#[serde(default)]
pub(super) struct Kept {
    /// This moment has passed.
    pub(super) floor: Option<Timestamp>,
    /// Floors up to this one were wrong.
    pub(super) overruled: Option<Timestamp>,
    /// The machine.
    pub(super) machine: String,
    /// The start of the machine that the anchors belong to.
    pub(super) boot: String,
    /// What the registry signed.
    pub(super) signed: Option<Anchor>,
    /// What the kernel vouched for.
    pub(super) kernel: Option<Anchor>,
    /// Whether the kernel contradicted itself in that run.
    pub(super) kernel_contradicted_itself: bool,
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
    /// Since when it has gone right.
    pub(super) since: Timestamp,
}

/// How long the battery clock must have gone right to be believed after a restart: one look shows nothing.
const PROBATION: Duration = Duration::from_secs(600);

impl KeptRtc {
    /// Compares it once more: `before` is what was kept. `None` if it shows a time that cannot be.
    pub(super) fn compare(before: Option<Self>, showed: Timestamp, span: Span, drift_ppm: u32) -> Option<Self> {
        let went_right = before.filter(|b| b.at(showed, drift_ppm).is_some_and(|said| said.meet(span).is_some()));
        let since = went_right.map_or(span.latest, |b| b.since);
        (showed >= super::trusted::RELEASED).then_some(Self { showed, span, since })
    }

    /// Whether it was seen to go right for a while.
    pub(super) fn is_proven(&self) -> bool {
        self.span.earliest.duration_since(self.since) >= PROBATION.try_into().unwrap_or_default()
    }

    /// What it says now that it shows `shows`: it counts whole seconds, and may have gained or lost. `None` if it went back:
    /// its battery is empty.
    pub(super) fn at(&self, shows: Timestamp, drift_ppm: u32) -> Option<Span> {
        let age = Duration::try_from(shows.duration_since(self.showed)).ok()?;
        Some(self.span.later(age).wider(super::anchor::drift(age, drift_ppm) + Duration::from_secs(1)))
    }
}

impl Kept {
    fn is_sound(&self) -> bool {
        let anchors = [self.signed, self.kernel].into_iter().flatten().map(|a| a.span);
        anchors.chain(self.rtc.map(|rtc| rtc.span)).all(|span| span.earliest <= span.latest)
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
            Ok(_) => {
                let kept: Result<Kept, _> = serde_json::from_slice(&bytes);
                let problem = match kept {
                    Ok(kept) if kept.is_sound() => return kept,
                    Ok(_) => "a span ends before it begins".to_owned(),
                    Err(problem) => problem.to_string(),
                };
                tracing::warn!("{} is damaged ({problem}); the clock starts without it", self.0.display());
                Kept::default()
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Kept::default(),
            Err(e) => {
                tracing::warn!("cannot read {}: {e}; the clock starts without it", self.0.display());
                Kept::default()
            }
        }
    }

    /// When it was last written, to see whether another program did.
    pub(super) fn written(&self) -> Option<std::time::SystemTime> {
        std::fs::metadata(&self.0).and_then(|file| file.modified()).ok()
    }

    /// Keeps other programs from writing for as long as it lives; `None` while another one does.
    pub(super) fn lock(&self) -> std::io::Result<Option<std::fs::File>> {
        let file = std::fs::File::create(self.0.with_extension("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(problem)) => Err(problem),
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
