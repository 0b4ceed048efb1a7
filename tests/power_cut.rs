//! A gate killed at random moments while it scans, opens and syncs: nothing that opened the gate is missing from the journal,
//! no store is damaged, no list goes back, and the registry has every event once.
//!
//! `cargo test --test power_cut` kills a few times; `make power-cut` five hundred (`KILLS=500 SEED=1`). The gate is this same
//! program started with a folder as its argument: the whole lane, with a relay that writes down each switching as it happens.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod common;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use common::{Checkpoint, Registry, picture, text};
use rand::{RngExt as _, SeedableRng as _};
use tongguan::clock::{Clock, Linux, Settings, TrustedClock};
use tongguan::config::Config;
use tongguan::gate::{Gate, GateError, Relay, Signals};
use tongguan::lane::{Lane, Parts};
use tongguan::screen::{self, Backend};
use tongguan::sound::Sound;
use tongguan::store::{DataDir, DeviceKey, Entry, Journal, TrustStore};
use tongguan::sync::{self, Housekeeping, Limits, Schedule, SyncState, Syncer};
use tongguan_pass::{Event, GateOutcome, event};

const CODES: usize = 150;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args.get(1).filter(|arg| !arg.starts_with('-')) {
        Some(folder) if Path::new(folder).is_dir() => gate(Path::new(folder)),
        // A filter of `cargo test` that is not for this test.
        Some(name) if !"power_cut".contains(name.as_str()) => {}
        _ if args.iter().any(|arg| arg == "--list") => println!("power_cut: test"),
        _ => kill_again_and_again(),
    }
}

/// A relay whose every switching is in a file before anything else happens.
struct Noted(File);

impl Relay for Noted {
    fn set(&mut self, energised: bool) -> Result<(), GateError> {
        let noted = self.0.write_all(if energised { b"+" } else { b"-" });
        noted.map_err(|e| GateError::Driver { driver: "noted", problem: e.to_string() })
    }

    fn describe(&self) -> String {
        "a relay that writes down what it does".into()
    }
}

/// The child: a gate before which code after code is shown, and which syncs without a pause, until it is killed.
fn gate(folder: &Path) {
    let config = Config::read(&folder.join("gate.toml")).unwrap();
    let dir = DataDir::open(&config.data_dir).unwrap();
    let _lock = dir.lock().unwrap();
    let store = TrustStore::open(&dir).unwrap();
    let trust = Arc::new(RwLock::new(store.load().unwrap()));
    let journal = Arc::new(Journal::open(&dir).unwrap());
    journal.take_over().unwrap();
    let settings = Settings { drift_ppm: 100, rtc_drift_ppm: 100, unsynced_error: Duration::from_secs(60) };
    let clock: Arc<dyn Clock> = Arc::new(TrustedClock::new(Linux { rtc: None }, settings, Some(dir.clock_file())));
    let relay = File::options().create(true).append(true).open(folder.join("relay")).unwrap();
    let gate = Gate::new(Box::new(Noted(relay)), Duration::from_millis(50)).unwrap();
    let state = Arc::new(Mutex::new(SyncState::default()));
    let syncer = Syncer {
        transport: Some(sync::open(&config.registry, dir.partial_file())),
        store,
        journal: Arc::clone(&journal),
        device: DeviceKey::open(&dir).unwrap(),
        clock: Arc::clone(&clock),
        trust: Arc::clone(&trust),
        state: Arc::clone(&state),
        schedule: Schedule { every: Duration::from_secs(5) },
        housekeeping: Housekeeping::new(
            Arc::clone(&journal),
            dir.path().to_owned(),
            Limits { keep: Duration::from_secs(86_400), space_low_mb: 0 },
        ),
    };
    let (_stop, stopped) = std::sync::mpsc::channel();
    std::thread::spawn(move || syncer.run(&stopped));
    {
        // As another program may do it at the same time: over and over.
        let (registry, journal, clock) = (config.registry.clone(), Arc::clone(&journal), Arc::clone(&clock));
        let (dir, device) = (dir.clone(), DeviceKey::open(&dir).unwrap());
        std::thread::spawn(move || {
            let mut store = TrustStore::open(&dir).unwrap();
            let transport = sync::open(&registry, dir.partial_file());
            loop {
                // The lists may be overtaken by the other sync, which is what this is about.
                sync::sync(transport.as_ref(), &mut store, &journal, &device, clock.as_ref()).ok();
            }
        });
    }
    let options = screen::Options { backend: Backend::None, ..screen::Options::default() };
    let guards = dir.guards_file();
    let lane = screen::run(options, |screen, requests| {
        Lane::start(Parts {
            config,
            trust,
            journal,
            clock,
            gate,
            signals: Signals::new(Vec::new(), true, Duration::ZERO),
            torch: None,
            screen,
            sound: Sound::default(),
            events: None,
            requests,
            guards,
            sync: state,
            rosters: None,
        })
    });
    lane.unwrap().join().unwrap();
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

fn kill_again_and_again() {
    let (kills, seed) = (number("KILLS", 12), number("SEED", 1));
    let mut dice = rand::rngs::ChaCha8Rng::seed_from_u64(seed);
    let mut registry = Registry::new();
    let url = registry.serve();
    let checkpoint = Checkpoint::synced(&registry);
    checkpoint.follow(&url);
    let folder = checkpoint.dir.path().to_owned();
    let frames = folder.join("frames");
    fs::create_dir(&frames).unwrap();
    // Paper codes of one person, each for another number of days: they open the gate each time they are shown.
    let person = registry.person("周某");
    for i in 0..CODES {
        let code = registry.command(&["code", "printed", "--person", &person, "--days", &(i + 1).to_string()]);
        picture(&text(&code.ok().one()["code"]), &frames.join(format!("{i:04}.png")));
    }
    let config = format!(
        "data_dir = {:?}\nregistry = {url:?}\ncamera = \"replay:{}?fps=0\"\nscreen = \"none\"\n",
        checkpoint.data(),
        frames.display()
    );
    fs::write(folder.join("gate.toml"), config).unwrap();

    let mut after = After { data: checkpoint.data().into(), relay: folder.join("relay"), version: 0, checked: 0 };
    let (mut in_flight, mut opened) = (0, 0);
    for kill in 1..=kills {
        if kill % 3 == 0 {
            registry.command(&["revoke", "--person", &registry.person("王某")]).ok();
        }
        registry.publish();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg(&folder)
            .env("TONGGUAN_LOG", "error")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Every other time while it is at work, however long this computer takes to start it.
        if kill % 2 == 0 {
            wait_for_an_opening(&after.relay);
        }
        std::thread::sleep(Duration::from_millis(dice.random_range(5..400)));
        child.kill().unwrap();
        assert!(child.wait().unwrap().code().is_none(), "the gate ended by itself; SEED={seed}, kill {kill}");
        let seen = after.check(seed, kill);
        (in_flight, opened) = (in_flight + seen.0, opened + seen.1);
        if kill % 25 == 0 || kill == kills {
            println!(
                "{kill} of {kills} kills: {opened} openings, of {in_flight} the journal was told by the next start"
            );
        }
    }
    assert!(opened >= kills / 2, "the gate was hardly at work: {opened} openings");

    // At the end the registry has all of it, once.
    while checkpoint.sync().ok().one()["events_waiting"] != 0 {}
    let here = checkpoint.journal();
    let there = registry.command(&["events"]).ok().json();
    assert!(there.iter().all(|e| e["after_gap"] == false));
    let numbers = |events: &[serde_json::Value]| events.iter().map(|e| e["seq"].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!(numbers(&here), (1..=here.len() as u64).collect::<Vec<_>>());
    assert_eq!(numbers(&there), numbers(&here));
    println!("the registry has all {} events, each once", there.len());
}

fn wait_for_an_opening(relay: &Path) {
    let size = || fs::metadata(relay).map_or(0, |m| m.len());
    let (before, end) = (size(), Instant::now() + Duration::from_secs(30));
    while size() == before {
        assert!(Instant::now() < end, "the gate does not open");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What must be true after each kill.
struct After {
    data: PathBuf,
    relay: PathBuf,
    version: u32,
    checked: u64,
}

impl After {
    /// How many events the next start found, and how many openings there were in all since the last look.
    fn check(&mut self, seed: u64, kill: u64) -> (u64, u64) {
        let at = format!("SEED={seed}, kill {kill}");
        for name in ["trust.db", "journal.db"] {
            let db = rusqlite::Connection::open(self.data.join(name)).unwrap();
            let sound: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!(sound, "ok", "{name}, {at}");
        }
        let dir = DataDir::open(&self.data).unwrap();
        let trust = TrustStore::open(&dir).unwrap().load().unwrap();
        let version = trust.head.as_ref().unwrap().version;
        assert!(version >= self.version, "the lists went back from {} to {version}, {at}", self.version);
        self.version = version;
        let journal = Journal::open(&dir).unwrap();
        let taken = journal.take_over().unwrap();
        assert!(taken.len() <= 1, "one opening at a time is in flight, not {}, {at}", taken.len());
        assert!(!self.data.join("device-before.pem").exists(), "the journal was given up, {at}");
        let new = self.chained(&journal, &at);
        let opened = new.iter().filter(|e| moved_the_relay(e)).count() as u64;
        // The relay may not have moved yet when the event in flight was noted.
        let pulses = fs::read(&self.relay).unwrap_or_default().iter().filter(|b| **b == b'+').count() as u64;
        fs::remove_file(&self.relay).ok();
        assert!(
            pulses <= opened && opened <= pulses + taken.len() as u64,
            "{pulses} pulses and {opened} openings in the journal, {at}"
        );
        (taken.len() as u64, opened)
    }

    /// The events since the last look, which must follow from what was before.
    fn chained(&mut self, journal: &Journal, at: &str) -> Vec<Entry> {
        let from = self.checked.saturating_sub(1);
        let mut all = journal.after(from, 100_000).unwrap();
        for pair in all.windows(2) {
            assert_eq!(pair[1].seq, pair[0].seq + 1, "{at}");
            assert_eq!(event::chain(&pair[0].chain, pair[1].seq, &pair[1].record), pair[1].chain, "{at}");
        }
        let new = all.split_off(usize::from(self.checked > 0));
        self.checked = new.last().map_or(self.checked, |e| e.seq);
        new
    }
}

fn moved_the_relay(entry: &Entry) -> bool {
    let event = Event::decode(&entry.record).unwrap();
    event.is_some_and(|e| matches!(e.gate, GateOutcome::Opened | GateOutcome::Unknown))
}
