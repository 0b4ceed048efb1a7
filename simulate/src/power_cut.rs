//! The power goes at every step that a gate's databases take to the disk, and the gate is started from what is left.
//!
//! One life of a gate is played once and its steps are written down ([`rehearse`]). Then, for every step, the folder is made
//! as a power cut after it can leave it, and opened with the product's own code ([`Rehearsal::cut_everywhere`]).

use std::cell::RefCell;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;
use tongguan::decide::CodeId;
use tongguan::store::{DataDir, Journal, TrustStore};
use tongguan_pass::{Event, GateOutcome, Purpose, Sha256Hash, event};

use crate::city::City;
use crate::disk::{Image, Left, Model, Op, Syncs, restore};
use crate::gate::{Gate, Relay, Standing};
use crate::network::{Fault, Memory, Network};
use crate::tally::Tally;
use crate::vfs::Watched;
use crate::world::{FakeMachine, MachineState, Ntp, SECOND, World};

/// A throw-away folder, in memory where there is such a place: nothing in it must outlive a real power cut.
///
/// # Errors
/// What the file system says.
pub fn scratch() -> std::io::Result<TempDir> {
    let memory = Path::new("/dev/shm");
    let mut name = tempfile::Builder::new();
    let name = name.prefix("tongguan-simulate-");
    name.tempdir_in(memory).or_else(|_| name.tempdir())
}

/// How thoroughly.
#[derive(Debug, Clone, Copy)]
pub struct Thoroughness {
    /// Every so manieth step.
    pub every: usize,
    /// Draws of what is left of the writes that were not synced.
    pub draws: u64,
}

/// A part of the gate's life, with what was true in it.
#[derive(Debug)]
struct Chapter {
    name: &'static str,
    before: Model,
    steps: Vec<Op>,
    /// The heads that may be stored: the old and the new one.
    heads: [Vec<u8>; 2],
    /// Events that were journaled before.
    events: usize,
}

/// A gate's life, written down.
pub struct Rehearsal {
    city: City,
    /// What is in the folder beside the databases.
    beside: Image,
    chapters: Vec<Chapter>,
    /// The events in the order in which they were to be journaled, and the code of each that opened.
    events: Vec<([u8; 16], Option<CodeId>)>,
    /// The events that the registry has.
    handed_in: Vec<[u8; 16]>,
    _folder: TempDir,
}

/// What came of cutting the power.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Steps after which the power was cut.
    pub steps: usize,
    /// Folders that were opened.
    pub folders: usize,
    /// By chapter and step.
    pub tally: Tally,
    /// What went wrong, in words.
    pub failures: Vec<String>,
}

const START: i128 = 1_830_000_000 * SECOND;

/// Plays the gate's life on a disk whose syncs are `syncs`; `long` with enough events for SQLite to tidy up in between.
///
/// # Errors
/// If the life cannot be lived even with the power on.
pub fn rehearse(syncs: Syncs, long: bool) -> anyhow::Result<Rehearsal> {
    let folder = scratch()?;
    let ntp = Ntp::Good { off: 0, error: std::time::Duration::from_millis(10) };
    let machine = MachineState { elapsed: 0, boot: 1, wall: START, ntp, off_ppb: 0, rtc: None };
    let world = World::new(START, vec![machine]);
    let city = City::found(&folder.path().join("registry"), world.clone(), 1, "", 3)?;
    let mut life = Life::begin(folder.path(), city, world, syncs)?;
    // Some pages full.
    for _ in 0..300 {
        life.city.printed(0, 30, None)?;
        life.city.revoke(0)?;
    }
    life.city.publish()?;
    life.chapter("first sync", Life::sync)?;
    life.chapter("events", |life| life.present(20))?;
    for _ in 0..50 {
        life.city.printed(1, 30, None)?;
        life.city.revoke(1)?;
    }
    life.city.rotate(Purpose::Live, life.city.registry().now() + 86_400)?;
    life.city.rotate_root()?;
    life.chapter("sync by a delta, new root and keys, events handed in", Life::sync)?;
    life.chapter("the program ends in order", |life| {
        life.gate.stop();
        Ok(())
    })?;
    life.chapter("the program starts", |life| {
        life.gate.start()?;
        Ok(())
    })?;
    // So far behind that no delta leads on.
    for _ in 0..101 {
        life.city.printed(1, 30, None)?;
        life.city.revoke(1)?;
        life.city.publish()?;
    }
    life.chapter("sync by a snapshot", Life::sync)?;
    if long {
        life.chapter("many events", |life| life.present(650))?;
        life.chapter("hand them in", Life::sync)?;
    }
    Ok(life.end(folder))
}

struct Life {
    city: City,
    gate: Gate,
    dice: ChaCha8Rng,
    memory: RefCell<Memory>,
    tally: RefCell<Tally>,
    chapters: Vec<Chapter>,
    events: Vec<([u8; 16], Option<CodeId>)>,
}

impl Life {
    fn begin(folder: &Path, city: City, world: World, syncs: Syncs) -> anyhow::Result<Self> {
        let mut dice = ChaCha8Rng::seed_from_u64(7);
        let root = city.registry().store().trust()?.root;
        let clock =
            tongguan::clock::Settings { drift_ppm: 100, rtc_drift_ppm: 100, unsynced_error: Default::default() };
        let standing = Standing { name: "1".into(), clock, policy: Default::default() };
        let machine = FakeMachine { world, number: 0 };
        let mut gate = Gate::set_up(&folder.join("gate"), &root, standing, machine, &mut dice)?;
        gate.start()?;
        gate.disk().turn(syncs);
        Ok(Self {
            city,
            gate,
            dice,
            memory: RefCell::default(),
            tally: RefCell::default(),
            chapters: Vec::new(),
            events: Vec::new(),
        })
    }

    fn chapter(&mut self, name: &'static str, live: fn(&mut Self) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let head = |gate: &Gate| gate.trust().map(|t| t.head_file.clone());
        let old = head(&self.gate).or_else(|| self.chapters.last().map(|c| c.heads[1].clone())).unwrap_or_default();
        let (before, events) = (self.gate.disk().model(), self.events.len());
        self.gate.disk().record();
        live(self)?;
        let steps = self.gate.disk().recorded();
        let new = head(&self.gate).unwrap_or_else(|| old.clone());
        self.chapters.push(Chapter { name, before, steps, heads: [old, new], events });
        Ok(())
    }

    fn sync(&mut self) -> anyhow::Result<()> {
        let dice = ChaCha8Rng::seed_from_u64(self.dice.random());
        let network = Network::new(&self.city, Fault::None, &self.memory, dice, &self.tally);
        match self.gate.sync(&network) {
            Some(Ok(report)) if report.upload_error.is_none() => Ok(()),
            Some(Ok(report)) => anyhow::bail!("events were not handed in: {:?}", report.upload_error),
            Some(Err(e)) => Err(e.into()),
            None => anyhow::bail!("the gate does not run"),
        }
    }

    fn present(&mut self, count: usize) -> anyhow::Result<()> {
        for n in 0..count {
            let text = self.city.live(2, Some(self.city.registry().now() - u32::try_from(n % 500)?))?;
            let shown = self.gate.present(&text, Relay::Works);
            let shown = shown.ok_or_else(|| anyhow::anyhow!("the gate does not run"))?;
            self.events.push((shown.id, (shown.gate == GateOutcome::Opened).then(|| CodeId::of(&text))));
            anyhow::ensure!(shown.journaled, "an event could not be journaled");
            self.gate.disk().mark(self.events.len());
            self.city.world.pass(SECOND);
        }
        Ok(())
    }

    fn end(mut self, folder: TempDir) -> Rehearsal {
        let beside = ["device.pem", "root.pub"];
        let read = |name: &str| Some((name.to_owned(), std::fs::read(self.gate.folder().join(name)).ok()?));
        let beside = beside.into_iter().filter_map(read).collect();
        let stored = self.city.registry().store().events(0, None, u32::MAX).unwrap_or_default();
        let handed_in = stored.iter().filter_map(|e| Some(Event::decode(&e.record).ok()??.id)).collect();
        self.gate.stop();
        let Self { city, chapters, events, .. } = self;
        Rehearsal { city, beside, chapters, events, handed_in, _folder: folder }
    }
}

/// Where the power is cut, and what is left.
#[derive(Clone, Copy)]
struct Cut<'a> {
    chapter: &'a Chapter,
    left: Left,
    /// Events of which the journal had said that it has them.
    journaled: usize,
}

impl Rehearsal {
    /// Cuts the power after every step, in as many threads as there are cores.
    ///
    /// # Errors
    /// If no folder can be made.
    pub fn cut_everywhere(&self, how: Thoroughness) -> anyhow::Result<Outcome> {
        let places = self.places(how.every);
        let (next, outcome) = (AtomicUsize::new(0), Mutex::new(Outcome::default()));
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            let work = || -> anyhow::Result<()> {
                let folder = scratch()?;
                while let Some((chapter, after)) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let here = self.cut_here(&self.chapters[*chapter], *after, how.draws, folder.path())?;
                    let mut all = outcome.lock().unwrap_or_else(PoisonError::into_inner);
                    all.steps += 1;
                    all.folders += here.folders;
                    all.tally.add(&here.tally);
                    all.failures.extend(here.failures);
                }
                Ok(())
            };
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            workers.into_iter().try_for_each(|w| w.join().map_err(|_| anyhow::anyhow!("a worker died"))?)
        })?;
        let mut outcome = outcome.into_inner().unwrap_or_else(PoisonError::into_inner);
        outcome.failures.sort();
        Ok(outcome)
    }

    fn places(&self, every: usize) -> Vec<(usize, usize)> {
        let mut places = Vec::new();
        for (index, chapter) in self.chapters.iter().enumerate() {
            let is_step = |after: &usize| *after == 0 || !matches!(chapter.steps[after - 1], Op::Mark(_));
            places.extend((0..=chapter.steps.len()).filter(is_step).step_by(every).map(|after| (index, after)));
        }
        places
    }

    fn cut_here(&self, chapter: &Chapter, after: usize, draws: u64, folder: &Path) -> anyhow::Result<Outcome> {
        let mut model = chapter.before.clone();
        chapter.steps[..after].iter().for_each(|step| model.apply(step));
        // What was said between this step and the next one was said.
        let said = chapter.steps[..after].iter().chain(chapter.steps[after..].iter().take(1));
        let journaled = said.filter_map(|s| if let Op::Mark(n) = s { Some(*n) } else { None }).max();
        let journaled = journaled.unwrap_or(chapter.events);
        let mut outcome = Outcome::default();
        let step = after.checked_sub(1).map_or_else(|| "before the first step".into(), |n| chapter.steps[n].name());
        outcome.tally.count(format!("{}: {step}", chapter.name));
        let some = (0..draws).map(|seed| (Left::Some, seed));
        for (left, seed) in [(Left::All, 0), (Left::Synced, 0)].into_iter().chain(some) {
            let cut = Cut { chapter, left, journaled };
            let mut dice = ChaCha8Rng::seed_from_u64(seed ^ (after as u64) << 8);
            let image = model.after_power_cut(left, &mut dice);
            outcome.folders += 1;
            if let Err(problem) = self.open(cut, &image, folder, &mut dice) {
                let name = chapter.name;
                outcome.failures.push(format!(
                    "power cut in {name:?} after step {after} of {} ({step}), left {left:?} (draw {seed}): {problem:#}",
                    chapter.steps.len()
                ));
            }
        }
        Ok(outcome)
    }

    /// Starts a gate from what is left, and for some draws cuts the power once more while it starts.
    fn open(&self, cut: Cut<'_>, image: &Image, folder: &Path, dice: &mut ChaCha8Rng) -> anyhow::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            std::fs::remove_file(entry?.path())?;
        }
        restore(folder, image)?;
        for (name, bytes) in &self.beside {
            std::fs::write(folder.join(name), bytes)?;
        }
        if cut.left == Left::Some && dice.random() {
            let watched = Watched::new(folder, image)?;
            watched.disk().cut_in(dice.random_range(0..12));
            let dir = DataDir::open(folder)?;
            drop((TrustStore::open(&dir), Journal::open(&dir)));
            let image = watched.disk().power_cycle(Left::Some, dice);
            drop(watched);
            restore(folder, &image)?;
        }
        self.check(cut, folder)
    }

    fn check(&self, cut: Cut<'_>, folder: &Path) -> anyhow::Result<()> {
        let dir = DataDir::open(folder)?;
        let store = TrustStore::open(&dir)?;
        let journal = Journal::open(&dir)?;
        for entry in std::fs::read_dir(folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            anyhow::ensure!(!name.contains("damaged") && !name.contains("before"), "{name} was set aside");
        }
        for name in ["trust.db", "journal.db"] {
            let db = rusqlite::Connection::open(folder.join(name))?;
            let answer: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
            anyhow::ensure!(answer == "ok", "{name}: {answer}");
        }
        match (self.check_lists(cut, &store), self.check_journal(cut, &journal)) {
            (Err(lists), Err(events)) => Err(anyhow::anyhow!("{lists}; {events}")),
            (lists, events) => lists.and(events),
        }
    }

    fn check_lists(&self, cut: Cut<'_>, store: &TrustStore) -> anyhow::Result<()> {
        let trust = store.load()?;
        anyhow::ensure!(cut.chapter.heads.contains(&trust.head_file), "the lists are neither the old nor the new ones");
        let Some(head) = &trust.head else { return Ok(()) };
        let known = self.city.known(&trust.head_file).ok_or_else(|| anyhow::anyhow!("a head nobody published"))?;
        anyhow::ensure!(trust.revocations.checksum() == head.revocations.checksum, "not the set of its head");
        let revoked = trust.revocations.entries().iter().map(|e| e.handle).collect();
        anyhow::ensure!(known.revoked == revoked, "not the handles that were revoked");
        Ok(())
    }

    fn check_journal(&self, cut: Cut<'_>, journal: &Journal) -> anyhow::Result<()> {
        let entries = journal.after(0, usize::MAX)?;
        anyhow::ensure!(entries.len() >= cut.journaled, "{} of {} events are left", entries.len(), cut.journaled);
        anyhow::ensure!(entries.len() <= cut.journaled + 1, "{} events where {} were", entries.len(), cut.journaled);
        // Everything is worth loading.
        let uses = journal.uses(0)?;
        let mut chain = Sha256Hash([0; 32]);
        for ((entry, seq), (id, code)) in entries.iter().zip(1..).zip(&self.events) {
            chain = event::chain(&chain, seq, &entry.record);
            anyhow::ensure!(entry.seq == seq && entry.chain == chain, "the chain breaks at {seq}");
            let got = Event::decode(&entry.record)?.map(|e| e.id);
            anyhow::ensure!(got == Some(*id), "another event than was written at {seq}");
            anyhow::ensure!(code.is_none_or(|code| uses.of(&code).is_some()), "event {seq} lacks its code's use");
            anyhow::ensure!(!entry.handed_in || self.handed_in.contains(id), "event {seq} was never handed in");
        }
        Ok(())
    }
}

/// Cuts the power at every step of a gate's setting up, and sets it up again.
///
/// # Errors
/// The first thing that goes wrong.
pub fn cut_set_up(how: Thoroughness) -> anyhow::Result<usize> {
    let folder = scratch()?;
    let world = World::new(START, Vec::new());
    let city = City::found(&folder.path().join("registry"), world, 1, "", 0)?;
    let root = city.registry().store().trust()?.root;
    let at = folder.path().join("first");
    std::fs::create_dir(&at)?;
    let watched = Watched::new(&at, &Image::new())?;
    watched.disk().record();
    DataDir::init(&at, &root)?;
    let steps = watched.disk().recorded();
    let key = std::fs::read(at.join("device.pem"))?;
    drop(watched);
    let mut folders = 0;
    for after in (0..=steps.len()).rev().step_by(how.every).collect::<Vec<_>>() {
        let mut model = Model::default();
        steps[..after].iter().for_each(|step| model.apply(step));
        for draw in 0..how.draws + 2 {
            let left = [Left::All, Left::Synced].get(usize::try_from(draw)?).copied().unwrap_or(Left::Some);
            let mut dice = ChaCha8Rng::seed_from_u64(draw ^ (after as u64) << 8);
            let again = folder.path().join(format!("again-{after}-{draw}"));
            std::fs::create_dir(&again)?;
            restore(&again, &model.after_power_cut(left, &mut dice))?;
            // At the end all was done, and `init` had said so; before, it is run again.
            let tried = if after == steps.len() {
                std::fs::write(again.join("device.pem"), &key)?;
                std::fs::write(again.join("root.pub"), &root)?;
                DataDir::open(&again)
            } else {
                DataDir::init(&again, &root)
            };
            let opened = tried.and_then(|dir| {
                let trust = TrustStore::open(&dir)?.load()?;
                let journal = Journal::open(&dir)?;
                Ok((trust, journal.after(0, 10)?.len()))
            });
            let place =
                || format!("set up: power cut after step {after} of {}, left {left:?} (draw {draw})", steps.len());
            let (trust, events) = opened.map_err(|e| anyhow::anyhow!("{}: {e}", place()))?;
            anyhow::ensure!(trust.root_file == root && events == 0, "{}: not as set up", place());
            let renewed = again.join("device-before.pem").exists();
            anyhow::ensure!(!renewed, "{}: the journal was taken for lost", place());
            folders += 1;
            std::fs::remove_dir_all(&again)?;
        }
    }
    Ok(folders)
}
