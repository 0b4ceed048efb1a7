//! A gate without its camera and its threads: the real stores, clock, sync and decision, joined as `tongguan::lane` joins them.

use std::collections::VecDeque;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use jiff::Timestamp;
use rand::{Rng, RngExt as _};
use tongguan::clock::{Believed, By, Clock as _, Reading, Settings, TrustedClock};
use tongguan::decide::{CodeId, Decision, Inputs, Ladder, Policy, Use, Uses, Verdict, decide};
use tongguan::store::{DataDir, DeviceKey, Journal, NewEntry, StoreError, Trust, TrustStore};
use tongguan::sync::{self, Report, SyncError, Transport};
use tongguan_pass::{Event, GateOutcome, SigningKey};

use crate::disk::{Disk, Image, Left, restore};
use crate::vfs::Watched;
use crate::world::FakeMachine;

/// What does not change while a gate stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The lane's name.
    pub name: String,
    /// How far its clocks are believed.
    pub clock: Settings,
    /// What it lets in.
    pub policy: Policy,
}

/// A gate, running or not.
pub struct Gate {
    /// See there.
    pub standing: Standing,
    /// Its computer.
    pub machine: FakeMachine,
    /// Its card.
    watched: Watched,
    folder: PathBuf,
    running: Option<Running>,
}

struct Running {
    store: TrustStore,
    journal: Journal,
    device: DeviceKey,
    clock: TrustedClock<FakeMachine>,
    trust: Arc<Trust>,
    uses: Uses,
    /// Events that could not be journaled yet.
    waiting: VecDeque<NewEntry>,
}

/// What came of one presentation.
#[derive(Debug)]
pub struct Presented {
    /// The time as the gate knew it.
    pub reading: Reading,
    /// The answer.
    pub decision: Decision,
    /// What the gate did.
    pub gate: GateOutcome,
    /// The event.
    pub id: [u8; 16],
    /// Whether the journal said that it has it.
    pub journaled: bool,
}

/// Whether the relay works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relay {
    /// It does.
    Works,
    /// It does not.
    Broken,
}

impl Gate {
    /// Sets a gate up, which then stands there switched off. Its key comes from `dice`.
    ///
    /// # Errors
    /// What the stores say.
    pub fn set_up(
        folder: &Path,
        root: &[u8],
        standing: Standing,
        machine: FakeMachine,
        dice: &mut dyn Rng,
    ) -> anyhow::Result<Self> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        // A set-up that was cut short goes on with the key that is there.
        let pem = SigningKey::from_bytes(&dice.random()).to_pkcs8_pem(LineEnding::LF)?;
        std::fs::write(folder.join("device.pem"), pem.as_bytes())?;
        let watched = Watched::new(folder, &Image::new())?;
        DataDir::init(folder, root)?;
        Ok(Self { standing, machine, watched, folder: folder.to_owned(), running: None })
    }

    /// Its card.
    pub fn disk(&self) -> &Disk {
        self.watched.disk()
    }

    /// Its data folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts the program as `tongguan run` does.
    ///
    /// # Errors
    /// What the stores say.
    pub fn start(&mut self) -> Result<(), StoreError> {
        let dir = &DataDir::open(&self.folder)?;
        let store = TrustStore::open(dir)?;
        let trust = store.load()?;
        let journal = Journal::open(dir)?;
        let clock = TrustedClock::new(self.machine.clone(), self.standing.clock, Some(dir.clock_file()));
        trust.issued_at().into_iter().for_each(|at| clock.raise_floor(at));
        let uses = journal.uses(clock.now().interval().earliest)?;
        let device = DeviceKey::open(dir)?;
        self.running = Some(Running { store, journal, device, clock, trust, uses, waiting: VecDeque::new() });
        Ok(())
    }

    /// Whether the program runs.
    pub fn runs(&self) -> bool {
        self.running.is_some()
    }

    /// Ends the program in order; what could not be journaled is lost to the journal (the program prints it).
    pub fn stop(&mut self) -> Vec<[u8; 16]> {
        self.running.take().map_or_else(Vec::new, |r| r.waiting.iter().map(|e| e.event.id).collect())
    }

    /// The power goes, or only the program; `left` says what of its writes is on the card.
    ///
    /// # Errors
    /// What the file system says.
    pub fn cut_off(&mut self, left: Left, dice: &mut dyn Rng) -> std::io::Result<()> {
        if self.disk().cut_at().is_none() {
            self.disk().cut_in(0);
        }
        drop(self.running.take());
        restore(&self.folder, &self.disk().power_cycle(left, dice))
    }

    /// The time as the gate knows it.
    pub fn reading(&self) -> Option<Reading> {
        self.running.as_ref().map(|r| r.clock.now())
    }

    /// Whether somebody who forges the time can be told from the truth: the clock has heard it in this run of the machine.
    pub fn can_tell_forgers(&self) -> bool {
        let witnesses = self.running.as_ref().map(|r| r.clock.witnesses().all).unwrap_or_default();
        witnesses.iter().any(|w| matches!(w.by, By::Signed | By::Kernel) && w.believed == Believed::Yes)
    }

    /// What it holds to have certainly passed.
    pub fn floor(&self) -> Option<Timestamp> {
        self.running.as_ref().map(|r| r.clock.witnesses().floor)
    }

    /// What it believes.
    pub fn trust(&self) -> Option<&Trust> {
        self.running.as_ref().map(|r| r.trust.as_ref())
    }

    /// Its journal.
    pub fn journal(&self) -> Option<&Journal> {
        self.running.as_ref().map(|r| &r.journal)
    }

    /// Its key's public half.
    pub fn device(&self) -> Option<[u8; 32]> {
        self.running.as_ref().map(|r| r.device.public().to_bytes())
    }

    /// What is done each second.
    pub fn tick(&mut self) -> Vec<[u8; 16]> {
        let Some(running) = &mut self.running else { return Vec::new() };
        running.clock.keep();
        running.flush()
    }

    /// One sync, and what the sync thread does after it.
    ///
    /// # Errors
    /// What it says.
    pub fn sync(&mut self, transport: &dyn Transport) -> Option<Result<Report, SyncError>> {
        let running = self.running.as_mut()?;
        let Running { store, journal, device, clock, .. } = running;
        let report = sync::sync(transport, store, journal, device, clock);
        if store.head_file().is_ok_and(|head| head != running.trust.head_file)
            && let Ok(trust) = store.load()
        {
            trust.issued_at().into_iter().for_each(|at| clock.raise_floor(at));
            running.trust = trust;
        }
        Some(report)
    }

    /// Somebody shows a text: as `lane::Judge::present` takes it, but for the screen.
    pub fn present(&mut self, text: &str, relay: Relay, dice: &mut dyn Rng) -> Option<Presented> {
        let Self { standing, running, .. } = self;
        let running = running.as_mut()?;
        let reading = running.clock.now();
        let trust = Arc::clone(&running.trust);
        let dates = trust.head.as_ref().map(Into::into);
        let decision = decide(
            text,
            &Inputs {
                now: reading.interval(),
                keys: &trust.keys,
                revocations: &trust.revocations,
                ladder: Ladder::of(reading.interval(), reading.source, dates, &trust.keys, &standing.policy),
                uses: &running.uses,
                policy: &standing.policy,
            },
        );
        let gate = match (decision.verdict, relay) {
            (Verdict::Pass, Relay::Works) => GateOutcome::Opened,
            (Verdict::Pass, Relay::Broken) => GateOutcome::Fault,
            _ => GateOutcome::Closed,
        };
        let code = CodeId::of(text);
        let used = (gate == GateOutcome::Opened)
            .then(|| (code, Use { at: reading.best_guess().as_second(), lane: standing.name.clone() }));
        if let Some((code, used)) = &used {
            running.uses.record(*code, used.clone());
        }
        let id = dice.random();
        let event = event(id, &standing.name, &decision, &reading, gate);
        running.waiting.push_back(NewEntry { event, at: reading.best_guess(), used });
        let journaled = running.flush().contains(&id);
        learn_time(&running.clock, &decision, &reading, &trust);
        Some(Presented { reading, decision, gate, id, journaled })
    }
}

/// `lane::Judge::learn_time`.
fn learn_time(clock: &TrustedClock<FakeMachine>, decision: &Decision, now: &Reading, trust: &Trust) {
    let Some((issued_at, head)) = decision.facts.and_then(|f| f.issued_at).zip(trust.head.as_ref()) else { return };
    if let Ok(at) = Timestamp::from_second(i64::from(issued_at.min(head.expires_at)))
        && now.latest.is_none_or(|latest| at <= latest)
    {
        clock.raise_floor(at);
    }
}

impl Running {
    /// Journals what waits, in order; what was journaled.
    fn flush(&mut self) -> Vec<[u8; 16]> {
        let mut done = Vec::new();
        while let Some(next) = self.waiting.front() {
            if self.journal.append(next).is_err() {
                break;
            }
            done.push(next.event.id);
            self.waiting.pop_front();
        }
        done
    }
}

fn event(id: [u8; 16], lane: &str, decision: &Decision, now: &Reading, gate: GateOutcome) -> Event {
    let ms = |t: Timestamp| u64::try_from(t.as_millisecond()).unwrap_or(0);
    Event {
        id,
        earliest_ms: ms(now.earliest),
        latest_ms: now.latest.map_or(u64::MAX, ms),
        clock: now.source,
        lane: lane.to_owned(),
        kind: decision.kind.map_or(0, |k| k as u8),
        handle: decision.facts.map_or(0, |f| f.handle),
        outcome: decision.verdict,
        reason: decision.reason.code().to_owned(),
        gate,
        latency_us: [0; 4],
    }
}
