//! Where frames come from.
//!
//! A source gives grey pictures. A camera's newest frame wins: what was not looked at in time is dropped, never queued.
//! A replay waits instead, so that every recorded frame is judged. Pictures that were looked at come back as [`Spares`], so
//! a camera that has warmed up takes no new memory.

mod camera;
mod complaint;
mod luma;
mod mailbox;
mod replay;
mod spares;
mod y4m;
pub mod yuv;

pub use camera::{Offer, offers};
pub use luma::Luma;
pub use mailbox::{Closed, Mailbox};
pub use spares::Spares;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::config::CameraSource;
use crate::lang::Text;
use crate::watchdog::Heart;
use complaint::Complaint;

/// A picture and when it arrived.
#[derive(Debug)]
pub struct Frame {
    /// The picture.
    pub luma: Luma,
    /// When the source had it.
    pub at: Instant,
}

/// Why there is no frame.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// The source cannot be opened, or has gone.
    #[error("{0}")]
    Source(String),
    /// The camera is there and sends nothing.
    #[error("the camera has stalled: it sends no frames")]
    Stalled,
    /// One picture is unusable; there may be more.
    #[error("{}: {problem}", .path.display())]
    Picture {
        /// Which.
        path: PathBuf,
        /// Why.
        problem: String,
    },
}

impl CaptureError {
    /// What the guard reads; the log has the rest.
    fn words(&self) -> Text {
        match self {
            Self::Source(_) => Text::new("已断开，请检查插头", "has gone; check its plug"),
            Self::Stalled => Text::new("没有画面，正在重新打开", "sends no picture; it is being opened anew"),
            Self::Picture { .. } => Text::new("画面损坏，请检查连线", "sends broken pictures; check the cable"),
        }
    }
}

fn does_not_open(source: &CameraSource) -> Text {
    match source {
        CameraSource::Replay(_) => Text::new("录像无法播放", "the recorded frames cannot be played"),
        _ => Text::new("打不开，请检查连线", "does not open; check the cable"),
    }
}

/// Gives frames one after the other. Lives in the thread that opened it: not every camera may be moved.
pub trait Source {
    /// Writes the next frame over a picture; `false` at the end.
    ///
    /// # Errors
    /// [`CaptureError::Picture`] if only this one is unusable, else the source is to be opened anew. What is in the picture
    /// then is no frame.
    fn next(&mut self, into: &mut Luma) -> Result<bool, CaptureError>;

    /// Whether frames may be dropped to stay with the newest.
    fn is_live(&self) -> bool;
}

/// Opens the source of the configuration.
///
/// # Errors
/// [`CaptureError::Source`], saying what to do.
pub fn open(source: &CameraSource) -> Result<Option<Box<dyn Source>>, CaptureError> {
    match source {
        CameraSource::None => Ok(None),
        CameraSource::Camera(camera) => camera::open(camera).map(Some),
        CameraSource::Replay(replay) => Ok(Some(replay::open(replay)?)),
    }
}

/// The first pause before a camera that has gone is tried again.
const SHORTEST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause before a camera that has gone is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// Keeps `mailbox` filled until the source ends or `stop` is set, writing over what comes back as `spares`. A camera that
/// fails is opened anew, for ever; `report` is told of each problem and of its end, and `heart` of each turn of a camera.
///
/// # Errors
/// [`CaptureError`] if recorded frames cannot be played: they will not be there later either.
pub fn run(
    source: &CameraSource,
    mailbox: &Mailbox<Frame>,
    spares: &Spares,
    stop: &AtomicBool,
    report: &dyn Fn(Option<Text>),
    heart: &Heart,
) -> Result<(), CaptureError> {
    let mut pause = SHORTEST_PAUSE;
    let mut log = Log::default();
    // A camera is waited for with a limit; a recording may be a pipe to which nobody writes.
    let turn = || {
        if !matches!(source, CameraSource::Replay(_)) {
            heart.beat()
        }
    };
    while !stop.load(Ordering::Relaxed) {
        turn();
        let (problem, words) = match guarded(|| open(source)) {
            Ok(None) => return Ok(()),
            Ok(Some(mut opened)) => {
                let started = Instant::now();
                match guarded(|| feed(opened.as_mut(), mailbox, spares, stop, report, &turn, &mut log)) {
                    Ok(()) => return Ok(()),
                    Err(gone) => {
                        // One that worked for a while is worth trying again at once.
                        if started.elapsed() > LONGEST_PAUSE {
                            pause = SHORTEST_PAUSE;
                        }
                        (gone, None)
                    }
                }
            }
            Err(e) => (e, Some(does_not_open(source))),
        };
        log.failed(&problem);
        report(Some(words.unwrap_or_else(|| problem.words())));
        if matches!(source, CameraSource::Replay(_)) {
            return Err(problem);
        }
        mailbox.wait_closed(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Ok(())
}

/// What the log is told.
#[derive(Debug, Default)]
struct Log {
    source: Complaint,
    pictures: Complaint,
}

impl Log {
    fn failed(&mut self, problem: &CaptureError) {
        match self.source.failed(&problem.to_string(), Instant::now()) {
            None => {}
            Some(1) => tracing::error!("{problem}"),
            Some(tries) => tracing::error!("{problem}; tried {tries} times so far"),
        }
    }

    /// One bad picture between good ones is no end of the trouble, so its complaint stays open.
    fn skipped(&mut self, problem: &CaptureError) {
        match self.pictures.failed(&problem.to_string(), Instant::now()) {
            None => {}
            Some(1) => tracing::warn!("skipped a picture: {problem}"),
            Some(skipped) => tracing::warn!("skipped a picture, {skipped} so far: {problem}"),
        }
    }

    fn well(&mut self) {
        if let Some(tries) = self.source.over() {
            tracing::info!("the camera is well again, after {tries} failed tries");
        }
    }
}

/// A driver that panics is a camera that fails.
fn guarded<T>(run: impl FnOnce() -> Result<T, CaptureError>) -> Result<T, CaptureError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err(CaptureError::Source("the camera's driver panicked".into())))
}

fn feed(
    source: &mut dyn Source,
    mailbox: &Mailbox<Frame>,
    spares: &Spares,
    stop: &AtomicBool,
    report: &dyn Fn(Option<Text>),
    turn: &dyn Fn(),
    log: &mut Log,
) -> Result<(), CaptureError> {
    let mut well = false;
    let mut luma = spares.take();
    while !stop.load(Ordering::Relaxed) {
        turn();
        match source.next(&mut luma) {
            Ok(false) => return Ok(()),
            Ok(true) => {
                if !std::mem::replace(&mut well, true) {
                    log.well();
                    report(None);
                }
                let frame = Frame { luma, at: Instant::now() };
                let displaced = if source.is_live() {
                    mailbox.put_newest(frame)
                } else {
                    mailbox.put_when_free(frame).map(|()| None)
                };
                let Ok(displaced) = displaced else { return Ok(()) };
                luma = displaced.map_or_else(|| spares.take(), |frame| frame.luma);
            }
            Err(problem @ CaptureError::Picture { .. }) => {
                log.skipped(&problem);
                report(Some(problem.words()));
                well = false;
            }
            Err(gone) => return Err(gone),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts up in the first pixel, and counts the pictures it got without memory.
    struct Counter {
        shown: u8,
        new: usize,
        live: bool,
    }

    impl Source for Counter {
        fn next(&mut self, into: &mut Luma) -> Result<bool, CaptureError> {
            let more = self.shown < 200;
            if more {
                self.shown += 1;
                self.new += usize::from(into.pixels().is_empty());
                into.resize(64, 48)[0] = self.shown;
            }
            Ok(more)
        }

        fn is_live(&self) -> bool {
            self.live
        }
    }

    /// What came through, and how many pictures it took.
    fn fed(live: bool) -> (Vec<u8>, usize) {
        let (mailbox, spares, stop) = (Mailbox::default(), Spares::default(), AtomicBool::new(false));
        let (mut seen, mut source) = (Vec::new(), Counter { shown: 0, new: 0, live });
        std::thread::scope(|threads| {
            threads.spawn(|| {
                let _close = mailbox.closer();
                feed(&mut source, &mailbox, &spares, &stop, &|_| {}, &|| {}, &mut Log::default())
            });
            while let Ok(frame) = mailbox.take() {
                seen.push(frame.luma.pixels()[0]);
                spares.give(frame.luma);
            }
        });
        (seen, source.new)
    }

    #[test]
    fn three_pictures_are_enough_for_a_recording_and_none_is_lost() {
        let (seen, pictures) = fed(false);
        assert_eq!(seen, (1..=200).collect::<Vec<u8>>());
        assert!(pictures <= 3, "{pictures}");
    }

    #[test]
    fn three_pictures_are_enough_for_a_camera_and_the_newest_wins() {
        let (seen, pictures) = fed(true);
        assert!(seen.is_sorted() && seen.last() == Some(&200), "{seen:?}");
        assert!(pictures <= 3, "{pictures}");
    }
}
