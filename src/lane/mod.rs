//! One lane wired together: `capture -> decode -> decide -> gate`, with journal and screen told after the relay.
//!
//! Three threads, each with one thing to wait for: frames from the camera, the newest frame, a sighting of codes. Between
//! a decoded text and the relay there is a channel and the decision, nothing else: the journal's fsync, the screen and
//! the network come after, or in other threads.

mod presentation;
mod printer;
mod recorder;
mod status;

pub use recorder::event_json;

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tongguan_pass::{Event, GateOutcome};

use crate::capture::{self, CaptureError, Frame, Mailbox, Spares};
use crate::clock::{Clock, Reading};
use crate::config::{CameraSource, Config};
use crate::decide::{CodeId, Decision, Inputs, Ladder, Policy, Use, Uses, Verdict, decide, words};
use crate::decode::{Decoder, Settings};
use crate::gate::Gate;
use crate::lang::Text;
use crate::screen::{Outcome, Screen, Shown};
use crate::store::{Journal, NewEntry, Trust};
use crate::sync::SyncState;
use presentation::Presentations;
use printer::Printer;
use recorder::Recorder;

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
    /// The screen.
    pub screen: Screen,
    /// Where each event is printed as it is journaled; nobody waits for its reader.
    pub events: Option<Box<dyn Write + Send>>,
    /// How syncing goes.
    pub sync: Arc<Mutex<SyncState>>,
}

/// A running lane.
pub struct Lane {
    stop: Arc<AtomicBool>,
    mailbox: Arc<Mailbox<Frame>>,
    /// How the source ended.
    ended: Receiver<Result<(), CaptureError>>,
    decode: JoinHandle<()>,
    judge: JoinHandle<anyhow::Result<()>>,
}

/// The texts of one frame, on their way to the decision.
struct Sighting {
    texts: Vec<String>,
    /// Since the frame's arrival.
    capture: Duration,
    decode: Duration,
    decoded_at: Instant,
}

impl Lane {
    /// Starts the lane. It ends by itself when its source does, and then asks the screen to quit.
    ///
    /// # Errors
    /// If the journal cannot be read, or no thread can be started.
    pub fn start(mut parts: Parts) -> anyhow::Result<Self> {
        let recorded = matches!(parts.config.camera, CameraSource::Replay(_));
        let printer = parts.events.take().map(|out| Printer::start(out, recorded)).transpose()?;
        let uses = parts.journal.uses(parts.clock.now().interval().earliest)?;
        let stop = Arc::new(AtomicBool::new(false));
        let (mailbox, spares) = (Arc::new(Mailbox::default()), Arc::new(Spares::default()));
        // One sighting may wait: an older one is of no use to anybody.
        let (sightings, judged) = sync_channel(1);
        let (ending, ended) = sync_channel(1);
        let (source, screen) = (parts.config.camera.clone(), parts.screen.clone());
        // Without a camera the lane lives on for its screen, its clock and its sync.
        let idle_until_stopped = source == CameraSource::None;

        let camera = Arc::new(Camera::default());
        {
            let (mailbox, spares) = (Arc::clone(&mailbox), Arc::clone(&spares));
            let (stop, camera) = (Arc::clone(&stop), Arc::clone(&camera));
            spawn("capture", move || {
                // However this thread ends, whoever waits for frames is told, and after that how it ended.
                let closer = mailbox.closer();
                if idle_until_stopped {
                    mailbox.wait_closed(Duration::MAX);
                }
                let report = |p| *camera.problem.lock().unwrap_or_else(PoisonError::into_inner) = p;
                ending.send(capture::run(&source, &mailbox, &spares, &stop, &report)).ok();
                drop(closer);
            })?;
        }
        let (frames, seen) = (Arc::clone(&mailbox), Arc::clone(&camera));
        let decode = spawn("decode", move || look(&frames, &spares, &sightings, &screen, &seen))?;
        let judge = Judge::new(parts, printer, uses, camera);
        let judge = spawn("judge", move || judge.run(&judged))?;
        Ok(Self { stop, mailbox, ended, decode, judge })
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
fn look(mailbox: &Mailbox<Frame>, spares: &Spares, sightings: &SyncSender<Sighting>, screen: &Screen, camera: &Camera) {
    let _close = mailbox.closer();
    let mut decoder = Decoder::new(Settings::default());
    while let Ok(frame) = mailbox.take() {
        let started = Instant::now();
        *camera.last_frame.lock().unwrap_or_else(PoisonError::into_inner) = Some(frame.at);
        let seen = decoder.look(&frame.luma);
        let decoded_at = Instant::now();
        if !seen.codes.is_empty() {
            let sighting = Sighting {
                texts: seen.codes.iter().map(|f| f.text().into_owned()).collect(),
                capture: started - frame.at,
                decode: decoded_at - started,
                decoded_at,
            };
            if sightings.send(sighting).is_err() {
                return;
            }
        }
        let size = (u32::try_from(frame.luma.width()), u32::try_from(frame.luma.height()));
        if let (Ok(width), Ok(height)) = size {
            screen.preview(width, height, frame.luma.pixels());
        }
        spares.give(frame.luma);
    }
}

/// How often what waits is written and the status is looked at.
const TIDY: Duration = Duration::from_secs(1);

/// The thread that decides and acts.
struct Judge {
    config: Config,
    policy: Policy,
    trust: Arc<RwLock<Arc<Trust>>>,
    clock: Arc<dyn Clock>,
    gate: Gate,
    screen: Screen,
    sync: Arc<Mutex<SyncState>>,
    camera: Arc<Camera>,
    uses: Uses,
    presentations: Presentations,
    recorder: Recorder,
    shown_status: Vec<crate::screen::StatusLine>,
}

impl Judge {
    fn new(parts: Parts, printer: Option<Printer>, uses: Uses, camera: Arc<Camera>) -> Self {
        Self {
            policy: policy(&parts.config),
            config: parts.config,
            trust: parts.trust,
            clock: parts.clock,
            gate: parts.gate,
            screen: parts.screen,
            sync: parts.sync,
            camera,
            uses,
            presentations: Presentations::default(),
            recorder: Recorder::new(parts.journal, printer),
            shown_status: Vec::new(),
        }
    }

    fn run(mut self, sightings: &Receiver<Sighting>) -> anyhow::Result<()> {
        // However the judge ends, the screen must not stand there as if all were well.
        let _quit = QuitOnExit(self.screen.clone());
        self.show_status();
        let mut tidied = Instant::now();
        loop {
            match sightings.recv_timeout(TIDY) {
                Ok(sighting) => self.judge(&sighting),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            // Not only when nothing is in view: a poster with a code may stand there all day.
            if tidied.elapsed() >= TIDY {
                tidied = Instant::now();
                self.recorder.flush();
                self.show_status();
            }
        }
        self.gate.wait_closed();
        self.recorder.finish()
    }

    fn judge(&mut self, sighting: &Sighting) {
        // The nearest is the one being shown; the next person's phone may be in view behind it. A payment code beside ours
        // is not what the person is showing.
        let ours = sighting.texts.iter().find(|t| t.starts_with("TG1:"));
        let Some(text) = ours.or(sighting.texts.first()) else { return };
        let code = CodeId::of(text);
        if self.presentations.is_new(code, Instant::now()) {
            self.present(text, code, sighting);
        }
    }

    /// One presentation of one code: the decision, the relay, and only then everything slow.
    fn present(&mut self, text: &str, code: CodeId, sighting: &Sighting) {
        let now = self.clock.now();
        let trust = Arc::clone(&self.trust.read().unwrap_or_else(PoisonError::into_inner));
        let decision = decide(text, &inputs(&trust, &now, &self.uses, &self.policy));
        let decided_at = Instant::now();
        let gate = self.act(&decision);
        let latency = [
            sighting.capture,
            sighting.decode,
            decided_at - sighting.decoded_at,
            if gate == GateOutcome::Closed { Duration::ZERO } else { decided_at.elapsed() },
        ];

        // A gate that did not open has let nobody in.
        let used = (gate == GateOutcome::Opened)
            .then(|| (code, Use { at: now.best_guess().as_second(), lane: self.config.lane.clone() }));
        if let Some((code, used)) = &used {
            self.uses.record(*code, used.clone());
        }
        self.screen.verdict(shown(&decision, gate));
        let event = self.event(&decision, &now, gate, latency);
        self.recorder.record(NewEntry { event, at: now.best_guess(), used });
        self.show_status();
        self.learn_time(&decision, &now, &trust);
    }

    /// Our own registry's newest code shows that its moment has passed. Not one of a time to come, and none beyond the lists'
    /// end: a stolen key must not be able to move the gate into the future.
    fn learn_time(&self, decision: &Decision, now: &Reading, trust: &Trust) {
        let Some((issued_at, head)) = decision.facts.and_then(|f| f.issued_at).zip(trust.head.as_ref()) else { return };
        if let Ok(at) = jiff::Timestamp::from_second(i64::from(issued_at.min(head.expires_at)))
            && now.latest.is_none_or(|latest| at <= latest)
        {
            self.clock.raise_floor(at);
        }
    }

    fn act(&self, decision: &Decision) -> GateOutcome {
        if decision.verdict != Verdict::Pass {
            return GateOutcome::Closed;
        }
        match self.gate.open() {
            Ok(()) => GateOutcome::Opened,
            Err(error) => {
                tracing::error!("the gate does not open: {error}");
                GateOutcome::Fault
            }
        }
    }

    fn event(&self, decision: &Decision, now: &Reading, gate: GateOutcome, latency: [Duration; 4]) -> Event {
        let mut id = [0; 16];
        // Without randomness the journal's own number still tells events apart.
        getrandom::fill(&mut id).ok();
        let ms = |t: jiff::Timestamp| u64::try_from(t.as_millisecond()).unwrap_or(0);
        Event {
            id,
            earliest_ms: ms(now.earliest),
            latest_ms: now.latest.map_or(u64::MAX, ms),
            clock: now.source,
            lane: self.config.lane.clone(),
            kind: decision.kind.map_or(0, |k| k as u8),
            handle: decision.facts.map_or(0, |f| f.handle),
            outcome: decision.verdict,
            reason: decision.reason.code().to_owned(),
            gate,
            latency_us: latency.map(|d| u32::try_from(d.as_micros()).unwrap_or(u32::MAX)),
        }
    }

    fn show_status(&mut self) {
        let trust = Arc::clone(&self.trust.read().unwrap_or_else(PoisonError::into_inner));
        let sync = self.sync.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // A replay may pause as long as it likes.
        let camera = self.camera.problem(matches!(self.config.camera, CameraSource::Nokhwa(_)));
        let lines = status::lines(&status::State {
            ladder: ladder(&trust, &self.clock.now(), &self.policy),
            sync: &sync,
            camera: camera.as_ref(),
            gate: self.gate.fault().as_ref(),
            journal: self.recorder.problem().as_ref(),
        });
        if lines != self.shown_status {
            self.shown_status.clone_from(&lines);
            self.screen.status(lines);
        }
    }
}

struct QuitOnExit(Screen);

impl Drop for QuitOnExit {
    fn drop(&mut self) {
        self.0.quit();
    }
}

fn shown(decision: &Decision, gate: GateOutcome) -> Shown {
    let said = words(decision);
    let outcome = match decision.verdict {
        Verdict::Pass => Outcome::Pass,
        Verdict::Confirm => Outcome::Confirm,
        Verdict::Deny => Outcome::Deny,
    };
    let guard = if gate == GateOutcome::Fault {
        Text::new("闸机打不开，请手动放行", "The gate does not open: let in by hand")
    } else {
        said.guard
    };
    Shown {
        outcome,
        title: said.title,
        guard,
        resident: said.resident,
        reason: decision.reason.code().to_owned(),
        gate_open: gate == GateOutcome::Opened,
    }
}

/// What this gate would say to a text, given the codes it has let in.
pub fn ask(text: &str, trust: &Trust, uses: &Uses, now: &Reading, config: &Config) -> Decision {
    decide(text, &inputs(trust, now, uses, &policy(config)))
}

fn inputs<'a>(trust: &'a Trust, now: &Reading, uses: &'a Uses, policy: &'a Policy) -> Inputs<'a> {
    Inputs {
        now: now.interval(),
        keys: &trust.keys,
        revocations: &trust.revocations,
        ladder: ladder(trust, now, policy),
        uses,
        policy,
    }
}

/// Where a gate with this trust stands now.
pub fn standing(trust: &Trust, now: &Reading, config: &Config) -> Ladder {
    ladder(trust, now, &policy(config))
}

fn ladder(trust: &Trust, now: &Reading, policy: &Policy) -> Ladder {
    Ladder::of(now.interval(), now.source, trust.head.as_ref().map(Into::into), &trust.keys, policy)
}

fn policy(config: &Config) -> Policy {
    Policy {
        communities: config.policy.communities.clone(),
        stale_lists_confirm_after: i64::from(config.policy.stale_lists_confirm_after_h) * 3600,
    }
}
