//! A gate without its camera and its threads: the real stores, clock, sync and decision, joined as `tongguan::lane` joins them.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use jiff::Timestamp;
use rand::{Rng, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tongguan::clock::{Believed, By, Clock as _, Reading, Settings, TrustedClock};
use tongguan::config::{Config, PolicyConfig};
use tongguan::decide::Decision;
use tongguan::gate::{GateError, Opening};
use tongguan::lane::{Draw, Judge, Timing};
use tongguan::store::{DataDir, DeviceKey, Entry, Journal, StoreError, Trust, TrustStore};
use tongguan::sync::{self, Report, SyncError, Transport};
use tongguan_pass::{GateOutcome, SigningKey};

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
    pub policy: PolicyConfig,
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
    /// Where the ids of events come from.
    dice: Arc<Mutex<ChaCha8Rng>>,
    running: Option<Running>,
}

struct Running {
    store: TrustStore,
    journal: Arc<Journal>,
    device: DeviceKey,
    clock: Arc<TrustedClock<FakeMachine>>,
    trust: Arc<RwLock<Arc<Trust>>>,
    judge: Judge,
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
        let dice = Arc::new(Mutex::new(ChaCha8Rng::from_seed(dice.random())));
        Ok(Self { standing, machine, watched, folder: folder.to_owned(), dice, running: None })
    }

    /// Its card.
    pub fn disk(&self) -> &Disk {
        self.watched.disk()
    }

    /// Its data folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts the program as `tongguan run` does; what the last run had begun and not journaled.
    ///
    /// # Errors
    /// What the stores say.
    pub fn start(&mut self) -> Result<Vec<Entry>, StoreError> {
        let dir = &DataDir::open(&self.folder)?;
        let store = TrustStore::open(dir)?;
        let loaded = store.load()?;
        let journal = Arc::new(Journal::open(dir)?);
        let taken = journal.take_over()?;
        let clock = Arc::new(TrustedClock::new(self.machine.clone(), self.standing.clock, Some(dir.clock_file())));
        loaded.issued_at().into_iter().for_each(|at| clock.raise_floor(at));
        let (lane, policy) = (self.standing.name.clone(), self.standing.policy.clone());
        let config = Config { lane, policy, ..Config::default() };
        let dice = Arc::clone(&self.dice);
        let draw: Draw = Box::new(move || dice.lock().unwrap_or_else(PoisonError::into_inner).random());
        let trust = Arc::new(RwLock::new(loaded));
        let judge = Judge::new(&config, Arc::clone(&trust), clock.clone(), Arc::clone(&journal), draw)?;
        let device = DeviceKey::open(dir)?;
        self.running = Some(Running { store, journal, device, clock, trust, judge });
        Ok(taken)
    }

    /// Whether the program runs.
    pub fn runs(&self) -> bool {
        self.running.is_some()
    }

    /// Ends the program in order; what could not be journaled is lost to the journal (the program prints it).
    pub fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.judge.forget_waiting();
        }
    }

    /// The power goes, or only the program; `left` says what of its writes is on the card.
    ///
    /// # Errors
    /// What the file system says.
    pub fn cut_off(&mut self, left: Left, dice: &mut dyn Rng) -> std::io::Result<()> {
        if self.disk().cut_at().is_none() {
            self.disk().cut_in(0);
        }
        self.stop();
        // Its notes are not synced: a power cut may take them.
        if left != Left::All && dice.random() {
            std::fs::remove_file(self.folder.join("intents"))?;
        }
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
    pub fn trust(&self) -> Option<Arc<Trust>> {
        self.running.as_ref().map(Running::trust)
    }

    /// Its journal.
    pub fn journal(&self) -> Option<&Journal> {
        self.running.as_ref().map(|r| r.journal.as_ref())
    }

    /// Its key's public half.
    pub fn device(&self) -> Option<[u8; 32]> {
        self.running.as_ref().map(|r| r.device.public().to_bytes())
    }

    /// What is done each second; the events that were journaled by it.
    pub fn tick(&mut self) -> Vec<[u8; 16]> {
        let Some(running) = &mut self.running else { return Vec::new() };
        running.clock.keep();
        let before: Vec<[u8; 16]> = running.judge.waiting().filter_map(event_id).collect();
        running.judge.tidy();
        let left: Vec<[u8; 16]> = running.judge.waiting().filter_map(event_id).collect();
        before.into_iter().filter(|id| !left.contains(id)).collect()
    }

    /// One sync, and what the sync thread does after it.
    ///
    /// # Errors
    /// What it says.
    pub fn sync(&mut self, transport: &dyn Transport) -> Option<Result<Report, SyncError>> {
        let running = self.running.as_mut()?;
        let known = running.trust();
        let Running { store, journal, device, clock, .. } = running;
        let report = sync::sync(transport, store, journal, device, clock.as_ref());
        if store.head_file().is_ok_and(|head| head != known.head_file)
            && let Ok(trust) = store.load()
        {
            trust.issued_at().into_iter().for_each(|at| clock.raise_floor(at));
            *running.trust.write().unwrap_or_else(PoisonError::into_inner) = trust;
        }
        Some(report)
    }

    /// Somebody shows a text.
    pub fn present(&mut self, text: &str, relay: Relay) -> Option<Presented> {
        let running = self.running.as_mut()?;
        let reading = running.clock.now();
        let timing = Timing { capture: Duration::ZERO, decode: Duration::ZERO, decoded_at: Instant::now() };
        let presented = running.judge.present(text, timing, |_| match relay {
            Relay::Works => Ok(Opening(0)),
            Relay::Broken => Err(GateError::TimerDied),
        });
        let (decision, gate, id) = (presented.decision.clone(), presented.gate, presented.id);
        running.judge.remember(presented);
        let journaled = !running.judge.waiting().filter_map(event_id).any(|waiting| waiting == id);
        Some(Presented { reading, decision, gate, id, journaled })
    }
}

fn event_id(record: &[u8]) -> Option<[u8; 16]> {
    record.get(1..17)?.try_into().ok()
}

impl Running {
    fn trust(&self) -> Arc<Trust> {
        Arc::clone(&self.trust.read().unwrap_or_else(PoisonError::into_inner))
    }
}
