//! One lane wired together: `capture -> decode -> decide -> gate`, with journal and screen told after the relay.
//!
//! Three threads, each with one thing to wait for: frames from the camera, the newest frame, a sighting of codes. Between
//! a decoded text and the relay there is a channel and the decision, nothing else: the journal's fsync, the screen and
//! the network come after, or in other threads.

mod aim;
mod attendant;
mod clerk;
mod coach;
mod duty;
mod inspect;
mod judge;
mod past;
mod presentation;
mod printer;
mod recorder;
mod status;
mod torch;
mod visit;
mod workshop;

pub use judge::{Draw, Judge, Presented, Ruled, Timing, Visitor, Word};
pub use recorder::event_json;

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use attendant::Attendant;
use clerk::Clerk;
use crossbeam_channel::Sender;
use tongguan_pass::Place;
use tongguan_pass::policy::{Edition, ListLimits};

use crate::capture::{self, CaptureError, Frame, Mailbox, Spares};
use crate::clock::{Clock, Reading};
use crate::config::{CameraSource, Config};
use crate::decide::{Decision, Inputs, Ladder, Uses, decide, surge_words};
use crate::decode::{Decoder, Settings};
use crate::gate::{Gate, Relay, Signals};
use crate::lang::Text;
use crate::roster::StoredRosters;
use crate::screen::{Request, Screen};
use crate::sound::Sound;
use crate::store::{Journal, Trust};
use crate::sync::SyncState;
use crate::watchdog::{Hearts, TURN};
use printer::Printer;
use torch::Torch;
use workshop::Workshop;

/// What a lane needs.
pub struct Parts {
    /// The configuration.
    pub config: Config,
    /// What is believed; the sync thread replaces it.
    pub trust: Arc<RwLock<Arc<Trust>>>,
    /// Where events go.
    pub journal: Arc<Journal>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The gate.
    pub gate: Gate,
    /// Its buzzer and lamps.
    pub signals: Signals,
    /// A white lamp for the dark; none if there is none.
    pub torch: Option<Box<dyn Relay>>,
    /// The screen.
    pub screen: Screen,
    /// What the queue hears.
    pub sound: Sound,
    /// Where each event is printed as it is journaled; nobody waits for its reader.
    pub events: Option<Box<dyn Write + Send>>,
    /// What people touch on the screen.
    pub requests: crossbeam_channel::Receiver<Request>,
    /// The file of those who may log in.
    pub guards: PathBuf,
    /// How syncing goes.
    pub sync: Arc<Mutex<SyncState>>,
    /// Who people are; none if nobody is looked up.
    pub rosters: Option<StoredRosters>,
}

/// A running lane.
pub struct Lane {
    stop: Arc<AtomicBool>,
    hearts: Arc<Hearts>,
    mailbox: Arc<Mailbox<Frame>>,
    /// How the source ended.
    ended: Receiver<Result<(), CaptureError>>,
    decode: JoinHandle<()>,
    judge: JoinHandle<anyhow::Result<()>>,
}

/// The texts of one frame, on their way to the decision.
struct Sighting {
    texts: Vec<String>,
    timing: Timing,
}

impl Lane {
    /// Starts the lane. It ends by itself when its source does, and then asks the screen to quit.
    ///
    /// # Errors
    /// If the journal cannot be read, or no thread can be started.
    pub fn start(mut parts: Parts) -> anyhow::Result<Self> {
        let recorded = matches!(parts.config.camera, CameraSource::Replay(_));
        let printer = parts.events.take().map(|out| Printer::start(out, recorded)).transpose()?;
        let (trust, clock) = (Arc::clone(&parts.trust), Arc::clone(&parts.clock));
        let judge =
            Judge::new(&parts.config, trust, clock, Arc::clone(&parts.journal), Box::new(random_id))?.printing(printer);
        let stop = Arc::new(AtomicBool::new(false));
        let (mailbox, spares) = (Arc::new(Mailbox::default()), Arc::new(Spares::default()));
        // One sighting may wait: an older one is of no use to anybody.
        let (sightings, judged) = crossbeam_channel::bounded(1);
        let (ending, ended) = sync_channel(1);
        let (source, screen) = (parts.config.camera.clone(), parts.screen.clone());
        // Without a camera the lane lives on for its screen, its clock and its sync.
        let idle_until_stopped = source == CameraSource::None;

        let (camera, hearts) = (Arc::new(Camera::default()), Arc::new(Hearts::default()));
        {
            let (mailbox, spares) = (Arc::clone(&mailbox), Arc::clone(&spares));
            let (stop, camera, hearts) = (Arc::clone(&stop), Arc::clone(&camera), Arc::clone(&hearts));
            spawn("capture", move || {
                // However this thread ends, whoever waits for frames is told, and after that how it ended.
                let closer = mailbox.closer();
                if idle_until_stopped {
                    mailbox.wait_closed(Duration::MAX);
                }
                let report = |p| *camera.problem.lock().unwrap_or_else(PoisonError::into_inner) = p;
                ending.send(capture::run(&source, &mailbox, &spares, &stop, &report, &hearts.capture)).ok();
                hearts.capture.rest();
                drop(closer);
            })?;
        }
        let watched = Arc::new(AtomicBool::new(false));
        let eye = Eye {
            mailbox: Arc::clone(&mailbox),
            spares,
            sightings,
            screen,
            camera: Arc::clone(&camera),
            watched: Arc::clone(&watched),
            hearts: Arc::clone(&hearts),
            torch: Torch::new(parts.torch.take()),
        };
        let decode = spawn("decode", move || eye.look())?;
        let clerk = Clerk::start(parts.rosters.take())?;
        let workshop = Workshop::start(parts.config.clone(), Arc::clone(&parts.clock), watched)?;
        let attendant = Attendant::new(parts, judge, camera, clerk, workshop, Arc::clone(&hearts));
        let judge = spawn("judge", move || attendant.run(&judged))?;
        Ok(Self { stop, hearts, mailbox, ended, decode, judge })
    }

    /// Which of its parts turn.
    pub fn hearts(&self) -> Arc<Hearts> {
        Arc::clone(&self.hearts)
    }

    /// A way to stop the lane from elsewhere.
    pub fn stopper(&self) -> impl Fn() + Send + 'static {
        let (stop, mailbox) = (Arc::clone(&self.stop), Arc::clone(&self.mailbox));
        move || {
            stop.store(true, Ordering::Relaxed);
            mailbox.close();
        }
    }

    /// Waits until every frame is judged, every event journaled and the gate closed.
    ///
    /// # Errors
    /// If a thread died, the recorded frames cannot be played, or events could not be journaled.
    pub fn join(self) -> anyhow::Result<()> {
        self.judge.join().map_err(|_| anyhow::anyhow!("the lane's judging thread died; see the log"))??;
        self.decode.join().map_err(|_| anyhow::anyhow!("the lane's decoding thread died; see the log"))?;
        match self.ended.recv_timeout(Duration::from_secs(1)) {
            Ok(ended) => Ok(ended?),
            // A driver that never returns has been told to stop, and ends with the process.
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Err(RecvTimeoutError::Disconnected) => anyhow::bail!("the camera's thread died; see the log"),
        }
    }
}

/// What is known of the camera beside its frames.
#[derive(Debug, Default)]
struct Camera {
    problem: Mutex<Option<Text>>,
    last_frame: Mutex<Option<Instant>>,
}

impl Camera {
    /// Longer without a frame than this is a camera that hangs: its driver may never say so.
    const PATIENCE: Duration = Duration::from_secs(3);

    fn problem(&self, expected: bool) -> Option<Text> {
        let said = self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let last = *self.last_frame.lock().unwrap_or_else(PoisonError::into_inner);
        let silent = last.filter(|at| expected && at.elapsed() > Self::PATIENCE);
        said.or_else(|| {
            let text = Text::new("{time}没有画面，请重新插拔", "no picture for {time}; unplug it and plug it in again");
            silent.map(|at| text.with("time", &Text::span(at.elapsed().as_secs().cast_signed())))
        })
    }
}

fn spawn<T: Send + 'static>(name: &str, run: impl FnOnce() -> T + Send + 'static) -> anyhow::Result<JoinHandle<T>> {
    std::thread::Builder::new().name(name.into()).spawn(run).with_context(|| format!("cannot start the thread {name}"))
}

/// The decode thread: the newest frame in, what was seen out.
struct Eye {
    mailbox: Arc<Mailbox<Frame>>,
    spares: Arc<Spares>,
    sightings: Sender<Sighting>,
    screen: Screen,
    camera: Arc<Camera>,
    /// Whether a technician looks over its shoulder.
    watched: Arc<AtomicBool>,
    hearts: Arc<Hearts>,
    torch: Torch,
}

impl Eye {
    fn look(mut self) {
        let _close = self.mailbox.closer();
        let mut decoder = Decoder::new(Settings::default());
        let mut coach = coach::Coach::default();
        let mut inspector = inspect::Inspector::default();
        while let Ok(frame) = self.mailbox.take_within(TURN) {
            self.hearts.decode.beat();
            let Some(frame) = frame else { continue };
            let started = Instant::now();
            *self.camera.last_frame.lock().unwrap_or_else(PoisonError::into_inner) = Some(frame.at);
            self.torch.see(&frame.luma, started);
            let seen = decoder.look(&frame.luma);
            let decoded_at = Instant::now();
            let size = (frame.luma.width(), frame.luma.height());
            if let Some(hint) = coach.see(!seen.codes.is_empty(), &seen.hints, size, decoded_at) {
                self.screen.coach(hint);
            }
            if !seen.codes.is_empty() {
                let sighting = Sighting {
                    texts: seen.codes.iter().map(|f| f.text().into_owned()).collect(),
                    timing: Timing { capture: started - frame.at, decode: decoded_at - started, decoded_at },
                };
                if self.sightings.send(sighting).is_err() {
                    break;
                }
            }
            let size = (u32::try_from(frame.luma.width()), u32::try_from(frame.luma.height()));
            if let (Ok(width), Ok(height)) = size {
                self.screen.preview(width, height, frame.luma.pixels(), aim::at(seen, (width, height)));
            }
            if self.watched.load(Ordering::Relaxed) {
                inspector.look(&frame, &decoder, decoded_at - started, &self.screen);
            } else {
                inspector.rest();
            }
            self.spares.give(frame.luma);
        }
        self.hearts.decode.rest();
    }
}

fn random_id() -> [u8; 16] {
    let mut id = [0; 16];
    // Without randomness the journal's own number still tells events apart.
    getrandom::fill(&mut id).ok();
    id
}

/// What this gate would say to a text, given the codes it has let in.
pub fn ask(text: &str, trust: &Trust, uses: &Uses, now: &Reading, config: &Config) -> Decision {
    decide(text, &inputs(trust, now, uses, &place(config)))
}

fn inputs<'a>(trust: &'a Trust, now: &Reading, uses: &'a Uses, place: &'a Place) -> Inputs<'a> {
    Inputs {
        now: now.interval(),
        keys: &trust.keys,
        revocations: &trust.revocations,
        ladder: ladder(trust, now, place),
        uses,
        policy: &trust.policy,
        place,
    }
}

/// Where a gate with this trust stands now.
pub fn standing(trust: &Trust, now: &Reading, config: &Config) -> Ladder {
    ladder(trust, now, &place(config))
}

fn ladder(trust: &Trust, now: &Reading, place: &Place) -> Ladder {
    let (now, source) = (now.interval(), now.source);
    let limits = trust.policy.list_limits(place, now);
    Ladder::of(now, source, trust.head.as_ref().map(Into::into), &trust.keys, limits)
}

/// The surge that is certainly in force, in words.
pub fn surge(trust: &Trust, now: &Reading) -> Option<Text> {
    let now = now.interval();
    trust.policy.surge(now).map(|surge| surge_words(surge, now.earliest, trust.policy.utc_offset()))
}

/// Where a gate is, and what holds there until the registry's policy says something: its own residents are let in.
pub fn place(config: &Config) -> Place {
    let hours = config.policy.stale_lists_confirm_after_h.try_into().unwrap_or(ListLimits::NEVER);
    let lists = ListLimits { confirm_after: hours, deny_after: ListLimits::NEVER };
    Place { communities: config.policy.communities.clone(), otherwise: Edition { lists, ..Edition::built_in() } }
}
