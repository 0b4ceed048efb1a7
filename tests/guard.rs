//! A guard at the screen: what they touch, as far as the gate and the journal.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use common::{Checkpoint, Registry, picture, text};
use crossbeam_channel::Sender;
use data_encoding::HEXLOWER;
use serde_json::Value;
use tongguan::clock::{Clock, Linux, Settings, TrustedClock};
use tongguan::config::{CameraSource, Config, ScreenKind};
use tongguan::gate::{Gate, Output, Relay, Signals, Simulated};
use tongguan::guards::{Pin, Role, Roster};
use tongguan::lane::{Lane, Parts};
use tongguan::lang::Language;
use tongguan::roster::StoredRosters;
use tongguan::screen::{self, Backend, Page, Request, Visit, Wish};
use tongguan::sound::Sound;
use tongguan::store::{DataDir, DeviceKey, Journal, TrustStore};
use tongguan::sync::SyncState;
use tongguan_pass::{Answer, Document, DocumentKind, Resident, RosterKey};

/// A running lane before whose camera one code is held, over and over.
struct Gatehouse {
    checkpoint: Checkpoint,
    relay: Simulated,
    lamp: Simulated,
    buzzer: Simulated,
    touch: Sender<Request>,
    stop: Box<dyn Fn() + Send>,
    lane: Option<std::thread::JoinHandle<()>>,
    _pictures: tempfile::TempDir,
}

impl Gatehouse {
    fn open(checkpoint: Checkpoint, code: &str, change: impl FnOnce(&mut Config)) -> Self {
        Self::showing(checkpoint, &[code], Page::Lane, change)
    }

    /// The same with several codes, one after the other, and the screen at a page.
    fn showing(checkpoint: Checkpoint, codes: &[&str], page: Page, change: impl FnOnce(&mut Config)) -> Self {
        let pictures = tempfile::tempdir().unwrap();
        for (code, number) in codes.iter().zip(1..) {
            picture(code, &pictures.path().join(format!("{number}.png")));
        }
        let dir = DataDir::open(Path::new(&checkpoint.data())).unwrap();
        let mut config = Config {
            camera: format!("replay:{}?fps=20", pictures.path().display()).parse::<CameraSource>().unwrap(),
            screen: ScreenKind::None,
            data_dir: dir.path().to_owned(),
            ..Config::default()
        };
        change(&mut config);
        let settings = Settings { drift_ppm: 100, rtc_drift_ppm: 100, unsynced_error: Duration::from_secs(60) };
        let clock: Arc<dyn Clock> = Arc::new(TrustedClock::new(Linux { rtc: None }, settings, None));
        let trust = Arc::new(RwLock::new(TrustStore::open(&dir).unwrap().load().unwrap()));
        let journal = Arc::new(Journal::open(&dir).unwrap());
        journal.take_over().unwrap();
        let relay = Simulated::default();
        let gate = Gate::new(Box::new(relay.clone()), Duration::from_millis(50)).unwrap();
        let (lamp, buzzer) = (Simulated::called("deny lamp"), Simulated::called("buzzer"));
        let driven = |output: &Simulated| Box::new(output.clone()) as Box<dyn Relay>;
        let outputs = vec![(Output::DenyLamp, driven(&lamp)), (Output::Buzzer, driven(&buzzer))];
        let signals = Signals::new(outputs, true, Duration::from_secs(60));
        let (touch, requests) = crossbeam_channel::unbounded();
        touch.send(Request::At(page)).unwrap();
        let (tell, started) = crossbeam_channel::bounded(1);
        let (sync, guards) = (Arc::new(Mutex::new(SyncState::default())), dir.guards_file());
        let rosters = StoredRosters::open(&dir).ok();
        let lane = std::thread::spawn(move || {
            let options = screen::Options { backend: Backend::None, ..screen::Options::default() };
            let lane = screen::run(options, |screen, _| {
                let lane = Lane::start(Parts {
                    config,
                    trust,
                    journal,
                    clock,
                    gate,
                    signals,
                    torch: None,
                    readers: tongguan::scan::Readers::start(&[]).unwrap(),
                    screen,
                    sound: Sound::default(),
                    events: None,
                    requests,
                    guards,
                    sync,
                    rosters,
                })?;
                tell.send(Box::new(lane.stopper()) as Box<dyn Fn() + Send>).ok();
                Ok(lane)
            });
            lane.unwrap().join().unwrap();
        });
        let stop = started.recv().unwrap();
        Self { checkpoint, relay, lamp, buzzer, touch, stop, lane: Some(lane), _pictures: pictures }
    }

    /// The journal, once it has so many entries.
    fn journal(&self, count: usize) -> Vec<Value> {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let entries = self.checkpoint.journal();
            if entries.len() >= count {
                return entries;
            }
            assert!(Instant::now() < end, "{entries:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn rule(&self, token: u64, answer: Answer) {
        self.touch.send(Request::Rule { token, answer, reason: screen::reasons(answer)[0] }).unwrap();
    }

    /// Rules as soon as the guard is on duty, whenever their PIN has been looked at.
    fn rule_on_duty(&self, token: u64, answer: Answer) {
        let end = Instant::now() + Duration::from_secs(20);
        while self.checkpoint.journal().len() < 2 {
            assert!(Instant::now() < end, "nobody is on duty");
            self.rule(token, answer);
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn pulses(&self) -> usize {
        self.relay.history().iter().filter(|s| s.energised).count()
    }

    /// Whether the buzzer was tried: it sounds for longer than any verdict's beep.
    fn buzzed(&self) -> bool {
        let history = self.buzzer.history();
        history.windows(2).any(|two| two[0].energised && two[1].at - two[0].at > Duration::from_millis(600))
    }

    fn close(mut self) -> Vec<Value> {
        (self.stop)();
        self.lane.take().unwrap().join().unwrap();
        self.checkpoint.journal()
    }
}

/// A gate that never synced has to ask the guard about every code.
fn asking() -> (Checkpoint, String) {
    let registry = Registry::new();
    let code = registry.live(&registry.person("周某"));
    (Checkpoint::new(&registry, ""), code)
}

/// Such a gate with 王 as its guard, and their PIN.
fn asking_with_a_guard() -> (Gatehouse, fn() -> Pin) {
    let (checkpoint, code) = asking();
    let file = DataDir::open(Path::new(&checkpoint.data())).unwrap().guards_file();
    let mut roster = Roster::default();
    let pin: fn() -> Pin = || Pin::parse("2580").unwrap();
    roster.add("王", Role::Guard, &pin()).unwrap();
    roster.write(&file).unwrap();
    let gate = Gatehouse::open(checkpoint, &code, |_| {});
    gate.journal(1);
    (gate, pin)
}

#[test]
fn where_nobody_has_a_pin_whoever_stands_there_decides_once_about_the_code_that_is_there() {
    let (checkpoint, code) = asking();
    let gate = Gatehouse::open(checkpoint, &code, |_| {});
    let first = gate.journal(1);
    assert_eq!((text(&first[0]["verdict"]), gate.pulses()), ("confirm".into(), 0));
    gate.rule(7, Answer::LetIn);
    gate.rule(1, Answer::LetIn);
    gate.rule(1, Answer::LetIn);
    gate.journal(2);
    let pulses = gate.pulses();
    let journal = gate.close();
    assert_eq!((journal.len(), pulses), (2, 1), "{journal:?}");
    let ruling = &journal[1];
    assert_eq!(ruling["about"], journal[0]["id"]);
    assert_eq!((text(&ruling["answer"]), text(&ruling["gate"])), ("let_in".into(), "opened".into()));
    assert_eq!((text(&ruling["reason"]), text(&ruling["guard"])), ("document_seen".into(), String::new()));
}

#[test]
fn where_guards_have_pins_only_one_on_duty_decides_and_is_named() {
    let (gate, pin) = asking_with_a_guard();
    gate.rule(1, Answer::TurnedAway);
    gate.touch.send(Request::LogIn { name: "王".into(), pin: Pin::parse("2581").unwrap() }).unwrap();
    std::thread::sleep(Duration::from_secs(2));
    gate.rule(1, Answer::TurnedAway);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(gate.checkpoint.journal().len(), 1, "nobody is on duty");
    gate.touch.send(Request::LogIn { name: "王".into(), pin: pin() }).unwrap();
    gate.rule_on_duty(1, Answer::TurnedAway);
    assert_eq!(gate.pulses(), 0);
    let journal = gate.close();
    assert_eq!((text(&journal[1]["answer"]), text(&journal[1]["guard"])), ("turned_away".into(), "王".into()));
}

#[test]
fn a_refusal_is_overridden_by_a_guard_on_duty_only_and_an_unattended_gate_obeys_nobody() {
    let registry = Registry::new();
    let person = registry.person("周某");
    let code = registry.printed(&person);
    let refusing = || {
        registry.command(&["revoke", "--person", &person]).ok();
        registry.publish();
        Checkpoint::synced(&registry)
    };
    let pin = || Pin::parse("2580").unwrap();
    let gate = Gatehouse::open(refusing(), &code, |_| {});
    assert_eq!(text(&gate.journal(1)[0]["reason"]), "revoked");
    gate.rule(1, Answer::LetIn);
    std::thread::sleep(Duration::from_millis(500));
    assert!(gate.lamp.history().last().unwrap().energised, "the lamp says that it was refused");
    let lamp = gate.lamp.clone();
    assert_eq!(gate.close().len(), 1, "nobody is on duty");
    assert!(!lamp.history().last().unwrap().energised, "it goes out with the lane");

    let checkpoint = refusing();
    let file = DataDir::open(Path::new(&checkpoint.data())).unwrap().guards_file();
    let mut roster = Roster::default();
    roster.add("Li", Role::Technician, &pin()).unwrap();
    roster.write(&file).unwrap();
    let gate = Gatehouse::open(checkpoint, &code, |_| {});
    gate.journal(1);
    gate.touch.send(Request::LogIn { name: "Li".into(), pin: pin() }).unwrap();
    gate.rule_on_duty(1, Answer::LetIn);
    assert_eq!(gate.pulses(), 1);
    assert_eq!(text(&gate.close()[1]["guard"]), "Li");

    let (checkpoint, code) = asking();
    let gate = Gatehouse::open(checkpoint, &code, |config| config.attended = false);
    gate.journal(1);
    gate.rule(1, Answer::LetIn);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!((gate.pulses(), gate.close().len()), (0, 1));
}

#[test]
fn somebody_without_a_phone_is_looked_up_and_their_number_is_for_the_registry_alone() {
    let registry = Registry::new();
    let daughter = registry.printed(&registry.person("周某"));
    registry.publish();
    let checkpoint = Checkpoint::synced(&registry);
    let dir = DataDir::open(Path::new(&checkpoint.data())).unwrap();
    let card = |number| Document::parse(DocumentKind::ResidentId, number).ok();
    let device = DeviceKey::open(&dir).unwrap().public();
    registry.command(&["device", "enrol", &HEXLOWER.encode(device.as_bytes()), "--community", "1"]).ok();
    let mother = registry.resident("吴秀英", "11010519491231002X");
    registry.printed(&mother);
    registry.command(&["roster", "publish"]).ok();
    registry.publish();
    let stick = registry.bundle();
    checkpoint.sync_from(&stick.path().display().to_string()).ok();
    forge_roster(&dir, card("440308199901101512").as_ref().unwrap());

    let gate = Gatehouse::open(checkpoint, &daughter, |_| {});
    assert_eq!(text(&gate.journal(1)[0]["verdict"]), "pass");
    gate.touch.send(Request::At(Page::Visitor)).unwrap();
    gate.touch.send(Request::Companion(true)).unwrap();
    std::thread::sleep(Duration::from_secs(1));
    gate.touch.send(Request::Visit(Visit { document: card("11010519491231002X"), people: 2 })).unwrap();
    let journal = gate.journal(3);
    let listed = &journal[1];
    assert_eq!(
        (text(&listed["kind"]), text(&listed["reason"]), text(&listed["gate"])),
        ("resident_id".into(), "listed".into(), "opened".into())
    );
    assert_ne!(listed["handle"], Value::Null);

    gate.touch.send(Request::Visit(Visit { document: card("440308199901101512"), people: 1 })).unwrap();
    gate.journal(5);
    gate.touch.send(Request::Visit(Visit { document: None, people: 1 })).unwrap();
    let journal = gate.journal(7);
    assert_eq!(text(&journal[3]["reason"]), "not_listed");
    assert_eq!((text(&journal[5]["kind"]), text(&journal[5]["verdict"])), ("no_document".into(), "confirm".into()));
    assert_eq!(gate.pulses(), 2);
    gate.rule(4, Answer::LetIn);
    let ruling = &gate.journal(8)[7];
    assert_eq!((&ruling["about"], gate.pulses()), (&journal[5]["id"], 3));

    for file in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap_or_default();
        assert!(!bytes.windows(18).any(|w| w == b"11010519491231002X" || w == b"440308199901101512"));
    }
    gate.close();
}

/// A roster that no registry made, put into the database by somebody who holds the card.
fn forge_roster(dir: &DataDir, document: &Document) {
    let (key, salt) = (RosterKey::from_random([7; 32]), [3; 16]);
    let resident = Resident { handle: 4711, category: 0, name: "王*".into(), home: "3号楼".into() };
    let entry = key.slot_of_document(&salt, document).seal(&resident).unwrap();
    let sealed = key.seal_to(&DeviceKey::open(dir).unwrap().public(), [5; 32]).unwrap();
    let roster = tongguan_pass::Roster::new(1, salt, vec![sealed], vec![entry]).unwrap();
    let mut store = TrustStore::open(dir).unwrap();
    let (index, mut rosters) = (store.roster_index().unwrap(), store.stored_rosters().unwrap());
    assert_eq!(rosters.len(), 1, "the registry's own");
    rosters.push(roster.encode());
    store.keep_rosters(&index, &rosters).unwrap();
}

#[test]
fn a_guards_own_code_logs_them_in_while_their_page_is_open_and_only_a_phones_does() {
    const WEB: &str = "https://example.com/a-web-page";
    let registry = Registry::new();
    let person = registry.person("王某");
    let checkpoint = Checkpoint::synced(&registry);
    let data = checkpoint.data();
    let add = |name: &str, code: &str, pin: &str| {
        let input = format!(
            "{code}
{pin}
"
        );
        common::pipe(&["guard", "add", name, "--code", "-", "--data", &data], input.as_bytes())
    };
    assert!(add("Li", &registry.printed(&person), "2580").with_code(2).err.contains("paper pass"));
    add("王", &registry.live(&person), "2580").ok();
    assert!(add("Li", &registry.live(&person), "1470").with_code(2).err.contains("the code of 王"));
    let guards = |checkpoint: &Checkpoint| DataDir::open(Path::new(&checkpoint.data())).unwrap().guards_file();
    let file = std::fs::read_to_string(guards(&checkpoint)).unwrap();
    assert!(file.contains("handle") && !file.contains("TG1:"), "{file}");
    let another = || {
        let another = Checkpoint::synced(&registry);
        std::fs::write(guards(&another), &file).unwrap();
        another
    };

    // At the lane it is a resident's code like any other; on the guard's page a paper is judged as always.
    for (code, page) in [(registry.live(&person), Page::Lane), (registry.printed(&person), Page::Guard)] {
        let gate = Gatehouse::showing(another(), &[&code, WEB], page, |_| {});
        assert_eq!(text(&gate.journal(2)[0]["verdict"]), "pass");
        gate.rule(2, Answer::LetIn);
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(gate.close().len(), 2, "nobody is on duty");
    }

    // The phone's: nothing is opened or journaled for it, and 王 is on duty and may set the next refusal aside.
    let gate = Gatehouse::showing(checkpoint, &[&registry.live(&person), WEB], Page::Guard, |_| {});
    assert_eq!(text(&gate.journal(1)[0]["verdict"]), "deny");
    assert_eq!(gate.pulses(), 0);
    gate.rule(1, Answer::LetIn);
    assert_eq!(text(&gate.journal(2)[1]["guard"]), "王");
    gate.close();
}

#[test]
fn a_guard_on_duty_holds_the_gate_open_until_a_guard_lets_it_close_and_both_are_journaled() {
    let (gate, pin) = asking_with_a_guard();
    let hold = |held| gate.touch.send(Request::Hold(held)).unwrap();
    hold(true);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(gate.pulses(), 0, "nobody is on duty");
    gate.touch.send(Request::LogIn { name: "王".into(), pin: pin() }).unwrap();
    gate.rule_on_duty(1, Answer::TurnedAway);
    hold(true);
    hold(true);
    let journal = gate.journal(4);
    gate.touch.send(Request::LogOut).unwrap();
    // Longer than any pulse here.
    std::thread::sleep(Duration::from_millis(500));
    assert!(gate.relay.history().last().unwrap().energised, "a shift that ends does not close it");
    assert_eq!((text(&journal[2]["reason"]), &journal[2]["handle"]), ("held_open".into(), &Value::Null));
    assert_eq!((text(&journal[3]["guard"]), text(&journal[3]["gate"])), ("王".into(), "opened".into()));
    hold(false);
    std::thread::sleep(Duration::from_millis(300));
    assert!(gate.relay.history().last().unwrap().energised, "nobody is on duty");
    gate.touch.send(Request::LogIn { name: "王".into(), pin: pin() }).unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    while gate.relay.history().last().unwrap().energised {
        assert!(Instant::now() < end);
        hold(false);
        std::thread::sleep(Duration::from_millis(100));
    }
    let last = gate.journal(6);
    assert_eq!((text(&last[5]["reason"]), text(&last[5]["answer"])), ("held_over".into(), "turned_away".into()));
    assert_eq!((gate.pulses(), gate.close().len()), (1, 6));
}

#[test]
fn the_gate_is_tried_by_a_technician_at_the_service_page_only_and_their_name_is_in_the_journal() {
    let (checkpoint, code) = asking();
    let dir = DataDir::open(Path::new(&checkpoint.data())).unwrap();
    let mut roster = Roster::default();
    let pin = || Pin::parse("2580").unwrap();
    roster.add("王", Role::Guard, &pin()).unwrap();
    roster.add("Li", Role::Technician, &pin()).unwrap();
    roster.write(&dir.guards_file()).unwrap();
    let gate = Gatehouse::open(checkpoint, &code, |_| {});
    gate.journal(1);
    let wish = |wish| gate.touch.send(Request::Service(wish)).unwrap();
    let all = || {
        gate.touch.send(Request::At(Page::Service)).unwrap();
        for one in [Wish::OpenGate, Wish::TryOut(Output::Buzzer), Wish::Pack, Wish::Speak(Language::En)] {
            wish(one);
        }
        std::thread::sleep(Duration::from_millis(1500));
    };
    let nothing = || {
        let untouched = gate.pulses() == 0 && !gate.buzzed();
        untouched && !dir.language_file().exists() && !dir.path().join("support").exists()
    };
    all();
    assert!(nothing(), "nobody is on duty");
    gate.touch.send(Request::LogIn { name: "王".into(), pin: pin() }).unwrap();
    gate.rule_on_duty(1, Answer::TurnedAway);
    all();
    assert!(nothing(), "a guard is no technician");
    assert_eq!(gate.checkpoint.journal().len(), 2);

    gate.touch.send(Request::LogIn { name: "Li".into(), pin: pin() }).unwrap();
    std::thread::sleep(Duration::from_secs(2));
    gate.touch.send(Request::At(Page::Lane)).unwrap();
    wish(Wish::OpenGate);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(gate.pulses(), 0, "not from another page");
    all();
    let journal = gate.journal(4);
    assert_eq!(gate.pulses(), 1);
    let (event, ruling) = (&journal[2], &journal[3]);
    assert_eq!((text(&event["reason"]), text(&event["gate"])), ("gate_test".into(), "closed".into()));
    assert_eq!(event["handle"], Value::Null, "it is about nobody");
    assert_eq!(ruling["about"], event["id"]);
    assert_eq!((text(&ruling["guard"]), text(&ruling["reason"])), ("Li".into(), "gate_test".into()));
    assert_eq!((text(&ruling["answer"]), text(&ruling["gate"])), ("let_in".into(), "opened".into()));
    let end = Instant::now() + Duration::from_secs(15);
    while std::fs::read_dir(dir.path().join("support")).map_or(0, Iterator::count) == 0 {
        assert!(Instant::now() < end, "no bundle");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(gate.buzzed());
    assert_eq!(Language::kept(&dir.language_file()), Some(Language::En));
    assert_eq!(gate.close().len(), 4);
}
