//! Scan engines: devices that read codes themselves, and type them as a keyboard or send them over a serial line. Further sources
//! of texts for a lane, beside its camera or in its place.
//!
//! Each has a thread of its own, which waits for the device and opens it anew when it has gone. What it reads is bounded in length
//! and in how often it is handed on, so that a hostile engine keeps nobody waiting.

mod hid;
mod line;
mod serial;

use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::config::Reader;
use crate::lang::Text;
use line::Line;

/// How long a device is waited for at a time, so that whoever stops the lane is heard; and after how long a text without an end is one.
const TURN: Duration = Duration::from_millis(200);
/// The pause before a device that is not there is looked for again.
const RETRY: Duration = Duration::from_secs(1);
/// Texts that come faster than this after one another are not somebody's codes.
const APART: Duration = Duration::from_millis(100);

/// A text, and when it was whole.
#[derive(Debug)]
pub struct Scanned {
    /// The text.
    pub text: String,
    /// When.
    pub at: Instant,
}

/// The scan engines of a lane. Dropping them stops them.
#[derive(Debug)]
pub struct Readers {
    scanned: Receiver<Scanned>,
    problems: Arc<Mutex<Vec<Option<Text>>>>,
    stop: Arc<AtomicBool>,
}

impl Readers {
    /// Starts those of the configuration.
    ///
    /// # Errors
    /// If there is no thread for one of them.
    pub fn start(readers: &[Reader]) -> std::io::Result<Self> {
        let (tell, scanned) = bounded(1);
        let problems = Arc::new(Mutex::new(vec![None; readers.len()]));
        let stop = Arc::new(AtomicBool::new(false));
        for (number, reader) in readers.iter().enumerate() {
            let (reader, tell) = (reader.clone(), tell.clone());
            let (problems, stop) = (Arc::clone(&problems), Arc::clone(&stop));
            let report = move |problem| {
                if let Some(slot) = problems.lock().unwrap_or_else(PoisonError::into_inner).get_mut(number) {
                    *slot = problem;
                }
            };
            std::thread::Builder::new().name("reader".into()).spawn(move || run(&reader, &tell, &stop, &report))?;
        }
        Ok(Self { scanned, problems, stop })
    }

    /// What they read.
    pub fn scanned(&self) -> Receiver<Scanned> {
        self.scanned.clone()
    }

    /// The first that does not work.
    pub fn problem(&self) -> Option<Text> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).iter().flatten().next().cloned()
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// A device that is open.
trait Engine: AsFd {
    /// Reads what is there into the line, and gives each text that is whole.
    fn read(&mut self, line: &mut Line, whole: &mut dyn FnMut(String)) -> std::io::Result<()>;
}

fn open(reader: &Reader) -> std::io::Result<Box<dyn Engine>> {
    Ok(match reader {
        Reader::Hid(path) => Box::new(hid::Keyboard::open(path)?),
        Reader::Serial { path, baud } => Box::new(serial::Port::open(path, *baud)?),
    })
}

/// Whether a scan engine can be had.
///
/// # Errors
/// Why not.
pub fn probe(reader: &Reader) -> std::io::Result<()> {
    open(reader).map(drop)
}

fn run(reader: &Reader, tell: &Sender<Scanned>, stop: &AtomicBool, report: &dyn Fn(Option<Text>)) {
    let mut said = false;
    while !stop.load(Ordering::Relaxed) {
        let ended = open(reader).and_then(|mut engine| {
            report(None);
            said = false;
            tracing::info!("reader {reader}");
            serve(engine.as_mut(), tell, stop)
        });
        let Err(error) = ended else { return };
        if !std::mem::replace(&mut said, true) {
            tracing::error!(
                "reader {reader}: {error} (is it plugged in, and may this user open it? groups input and dialout)"
            );
        }
        report(Some(Text::new("没有连接，请检查插头", "is not there; check its plug")));
        std::thread::sleep(RETRY);
    }
}

/// Reads until the device has gone, which is an error, or nobody listens any more.
fn serve(engine: &mut dyn Engine, tell: &Sender<Scanned>, stop: &AtomicBool) -> std::io::Result<()> {
    let mut line = Line::default();
    let mut last: Option<Instant> = None;
    let turn = Timespec::try_from(TURN).unwrap_or_default();
    while !stop.load(Ordering::Relaxed) {
        let ready = match poll(&mut [PollFd::new(&engine.as_fd(), PollFlags::IN)], Some(&turn)) {
            Ok(count) => count > 0,
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        };
        let mut texts = Vec::new();
        if ready {
            engine.read(&mut line, &mut |text| texts.push(text))?;
        } else {
            texts.extend(line.pause());
        }
        for text in texts {
            let at = Instant::now();
            if last.is_some_and(|last| at.saturating_duration_since(last) < APART) {
                continue;
            }
            last = Some(at);
            if tell.send(Scanned { text, at }).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}
