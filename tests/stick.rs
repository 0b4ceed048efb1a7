//! A stick carries lists in and events out, with the real programs and no network at all.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{Checkpoint, Registry, Said, start, text};
use tempfile::TempDir;

/// A registry, a gate that never sees it, the stick that goes between them, and a pass that is revoked meanwhile.
struct Journey {
    registry: Registry,
    gate: Checkpoint,
    stick: TempDir,
}

impl Journey {
    fn new() -> Self {
        let registry = Registry::new();
        let stick = registry.bundle();
        let gate = Checkpoint::new(&registry, "");
        let journey = Self { registry, gate, stick };
        journey.visit().ok();
        journey
    }

    fn path(&self, name: &str) -> PathBuf {
        self.stick.path().join(name)
    }

    /// The stick at the gate.
    fn visit(&self) -> Said {
        self.gate.sync_from(&self.stick.path().display().to_string())
    }

    /// The stick at the registry.
    fn import(&self) -> Said {
        self.registry.command(&["import", &self.stick.path().display().to_string()])
    }

    fn scans(&self, n: usize) {
        let codes: Vec<String> = (0..n).map(|i| format!("https://{i}.example")).collect();
        self.gate.show_codes(&codes.iter().map(String::as_str).collect::<Vec<_>>());
    }

    /// The gate's own folder of batches.
    fn batches(&self) -> PathBuf {
        let devices: Vec<PathBuf> = fs::read_dir(self.path("v1/events")).unwrap().flatten().map(|e| e.path()).collect();
        assert_eq!(devices.len(), 1);
        devices[0].clone()
    }

    fn stored(&self) -> Vec<u64> {
        self.registry.command(&["events"]).ok().json().iter().map(|e| e["seq"].as_u64().unwrap()).collect()
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn stick(said: &Said) -> (u64, u64, u64) {
    let stick = &said.one()["stick"];
    let number = |key: &str| stick[key].as_u64().unwrap_or_else(|| panic!("{key}: {stick}"));
    (number("written"), number("on_stick"), number("acknowledged"))
}

#[test]
fn lists_come_in_and_events_go_out_and_the_gate_learns_that_they_arrived() {
    let journey = Journey::new();
    let person = journey.registry.person("周某");
    let code = journey.registry.printed(&person);
    journey.scans(3);
    assert_eq!(stick(&journey.visit().ok()), (3, 3, 0));
    assert_eq!(stick(&journey.visit().ok()), (0, 3, 0), "nothing is written twice");
    journey.scans(2);
    assert_eq!(stick(&journey.visit().ok()), (2, 5, 0));
    assert_eq!(names(&journey.batches()), ["1", "4"]);
    let sent = journey.visit().ok().one();
    assert_eq!(sent["events_waiting"], 5, "being on a stick is not being handed in");

    journey.registry.revoke(&person);
    let done = journey.import().ok().json();
    let device = &done[0];
    assert_eq!((&device["stored"], &device["duplicate"], &device["removed"]), (&5.into(), &0.into(), &2.into()));
    assert_eq!(device["receipt"]["next_seq"], 6);
    assert_eq!(done.last().unwrap()["stored"], 5);
    assert_eq!(journey.stored(), [1, 2, 3, 4, 5]);
    assert_eq!(names(&journey.batches()), [""; 0], "what the receipt covers is gone from the stick");
    assert!(journey.import().ok().json()[0]["stored"] == 0, "twice does no harm");

    let home = journey.visit().ok();
    assert_eq!(stick(&home), (0, 0, 5));
    assert_eq!((&home.one()["events_waiting"], &home.one()["changed"]), (&0.into(), &true.into()));
    assert!(journey.gate.journal().iter().all(|e| e["handed_in"] == true));
    assert_eq!(journey.gate.verdict(&code), ("deny".into(), "revoked".into()));
    journey.registry.command(&["events", "verify"]).ok();
}

#[test]
fn a_stick_pulled_while_it_was_written_loses_nothing_and_is_mended_by_the_next_visit() {
    let journey = Journey::new();
    journey.scans(3);
    journey.visit().ok();
    journey.scans(2);
    journey.visit().ok();
    // The first batch broke off in the middle, and of the second only the beginning of the temporary file is there.
    let (first, second) = (journey.batches().join("1"), journey.batches().join("4"));
    let (one, two) = (fs::read(&first).unwrap(), fs::read(&second).unwrap());
    fs::write(&first, &one[..one.len() / 2]).unwrap();
    fs::write(second.with_extension("part"), &two[..two.len() / 2]).unwrap();
    let verify = journey.registry.command(&["events", "verify", "--from", &journey.stick.path().display().to_string()]);
    assert!(verify.with_code(1).out.contains("truncated"));

    let said = journey.import().with_code(1);
    for (name, why) in [("/1\"", "truncated or has trailing bytes"), ("/4.part\"", "when the stick was pulled")] {
        let line = said.out.lines().find(|l| l.contains(name)).unwrap_or_else(|| panic!("{name}: {}", said.out));
        assert!(line.contains(why), "{line}");
    }
    assert_eq!(journey.stored(), [4, 5]);
    let missing = journey.registry.command(&["events", "verify"]).with_code(1).json();
    assert_eq!((&missing[0]["findings"][0]["fault"], &missing[0]["findings"][0]["to"]), (&"missing".into(), &3.into()));
    assert!(first.exists(), "what could not be taken in stays");

    // The receipt says 4 and 5; the gate still has 1 to 3, and writes them anew over the broken file.
    assert_eq!(stick(&journey.visit().ok()), (3, 3, 2));
    assert_eq!(fs::read(&first).unwrap(), one);
    fs::remove_file(second.with_extension("part")).unwrap();
    journey.import().ok();
    assert_eq!(stick(&journey.visit().ok()), (0, 0, 3));
    let mut all = journey.stored();
    all.sort_unstable();
    assert_eq!(all, [1, 2, 3, 4, 5]);
    journey.registry.command(&["events", "verify"]).ok();
}

#[test]
fn a_hostile_stick_is_named_bit_by_bit_and_harms_nothing() {
    let journey = Journey::new();
    journey.scans(2);
    journey.visit().ok();
    let batch = fs::read(journey.batches().join("1")).unwrap();
    let outside = journey.registry.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("precious"), "precious").unwrap();
    let own = journey.batches();
    let events = journey.path("v1/events");
    let put = |name: &str, bytes: &[u8]| fs::write(own.join(name), bytes).unwrap();
    put("01", &batch);
    put("-1", &batch);
    put("99999999999999999999999", &batch);
    put("na\u{7}me", b"x");
    put("50", &vec![0; 300_000]);
    put("51", b"");
    put("52", b"<html>");
    let mut forged = batch.clone();
    let middle = forged.len() - 80;
    forged[middle] ^= 1;
    put("53", &forged);
    symlink("/dev/zero", own.join("54")).unwrap();
    fs::create_dir(own.join("55")).unwrap();
    let fifo = own.join("56");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    fs::create_dir(events.join("not-a-device")).unwrap();
    symlink(&own, events.join("ab".repeat(32))).unwrap();
    fs::create_dir(events.join("cd".repeat(32))).unwrap();
    fs::write(events.join("cd".repeat(32)).join("1"), &batch).unwrap();
    fs::create_dir(journey.path("v1/receipts")).unwrap();
    let device = own.file_name().unwrap().to_string_lossy().into_owned();
    symlink(outside.join("precious"), journey.path("v1/receipts").join(&device)).unwrap();
    symlink(outside.join("precious"), journey.path("v1/receipts").join(format!("{device}.part"))).unwrap();
    symlink(outside.join("precious"), journey.path("v1/head.part")).unwrap();

    let said = journey.import().with_code(1);
    let skipped = said.json().iter().filter(|l| l.get("why").is_some()).count();
    assert_eq!(skipped, 14, "{}", said.out);
    for why in [
        "longer than",
        "plain file",
        "wrong signature",
        "another device's folder",
        "not a Tongguan file",
        "not the name",
    ] {
        assert!(said.out.contains(why), "{why}: {}", said.out);
    }
    assert!(!said.out.contains('\u{7}'));
    assert_eq!(journey.stored(), [1, 2]);
    assert_eq!(fs::read_to_string(outside.join("precious")).unwrap(), "precious");
    assert_eq!(stick(&journey.visit().ok()), (0, 0, 2), "the receipt is there all the same");

    // A folder that leads elsewhere is not written into.
    fs::remove_dir_all(journey.path("v1/receipts")).unwrap();
    symlink(&outside, journey.path("v1/receipts")).unwrap();
    let said = journey.import();
    assert_eq!(said.code, Some(2), "{}", said.out);
    assert!(said.err.contains("the events are in, but the stick could not be written"), "{}", said.err);
    assert_eq!(names(&outside), ["precious"]);
    let nowhere = journey.registry.command(&["import", "/nowhere"]).with_code(2);
    assert!(nowhere.err.contains("cannot read /nowhere"), "{}", nowhere.err);
}

#[test]
fn a_stick_that_takes_nothing_more_says_so_and_its_lists_count_all_the_same() {
    let journey = Journey::new();
    let person = journey.registry.person("周某");
    let code = journey.registry.printed(&person);
    journey.scans(2);
    journey.registry.revoke(&person);
    let stick = journey.registry.bundle();
    fs::write(stick.path().join("v1/events"), "in the way").unwrap();
    let said = journey.gate.sync_from(&stick.path().display().to_string()).with_code(2);
    assert!(said.err.contains("the lists are in, but not all events could be written"), "{}", said.err);
    assert_eq!((&said.one()["changed"], &said.one()["events_waiting"]), (&true.into(), &2.into()));
    assert_eq!(journey.gate.verdict(&code), ("deny".into(), "revoked".into()));
    assert!(journey.gate.journal().iter().all(|e| e["handed_in"] == false));
}

#[test]
fn a_false_receipt_on_a_stick_is_not_believed_and_the_events_still_travel() {
    let (journey, other) = (Journey::new(), Journey::new());
    journey.scans(2);
    journey.visit().ok();
    other.scans(2);
    other.visit().ok();
    other.import().ok();
    let device = journey.batches().file_name().unwrap().to_string_lossy().into_owned();
    let foreign = fs::read_dir(other.path("v1/receipts")).unwrap().flatten().next().unwrap().path();
    fs::create_dir(journey.path("v1/receipts")).unwrap();
    for false_receipt in [fs::read(&foreign).unwrap(), b"TGS1".to_vec(), vec![], vec![0; 100_000]] {
        fs::write(journey.path("v1/receipts").join(&device), &false_receipt).unwrap();
        let said = journey.visit();
        // One that is far too long is not even read.
        assert_eq!(said.code, Some(if false_receipt.len() > 256 { 0 } else { 1 }), "{}", said.err);
        assert_eq!(said.one()["events_waiting"], 2);
        assert!(journey.gate.journal().iter().all(|e| e["handed_in"] == false));
    }
    // The registry puts a good one in its place.
    journey.import().ok();
    assert_eq!(stick(&journey.visit().ok()), (0, 0, 2));
    // Nothing goes onto a stick of another registry.
    journey.scans(1);
    let said = journey.gate.sync_from(&other.stick.path().display().to_string()).with_code(1);
    assert!(said.err.contains("another registry") && said.one()["stick"].is_null(), "{}", said.err);
    assert_eq!(names(&other.path("v1/events")).len(), 1);
}

#[test]
fn two_sticks_on_their_way_at_once_and_an_old_one_that_comes_back_are_no_trouble() {
    let journey = Journey::new();
    let late = journey.registry.bundle();
    let late_path = late.path().display().to_string();
    journey.scans(2);
    journey.gate.sync_from(&late_path).ok();
    journey.visit().ok();
    journey.scans(2);
    journey.visit().ok();
    journey.import().ok();
    journey.registry.publish();
    let news = journey.registry.bundle();
    journey.gate.sync_from(&news.path().display().to_string()).ok();
    assert_eq!(stick(&journey.visit()), (0, 0, 4), "its lists are older by now, its receipt counts");
    // The late stick brings what is known, and gets a receipt for all.
    let done = journey.registry.command(&["import", &late_path]).ok().json();
    assert_eq!((&done[0]["stored"], &done[0]["duplicate"]), (&0.into(), &2.into()));
    assert_eq!(done[0]["receipt"]["next_seq"], 5);
    assert_eq!(journey.stored(), [1, 2, 3, 4]);
}

/// Waits until `done`, at most ten seconds.
#[track_caller]
fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..100 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{what} did not happen");
}

#[test]
fn a_running_gate_syncs_with_a_stick_that_is_plugged_in_once_each_time() {
    let journey = Journey::new();
    journey.scans(2);
    let place = journey.gate.dir.path().join("mount");
    journey.gate.configure("sync", &format!("stick = {:?}", place.display().to_string()));
    let data = journey.gate.data();
    let gate = start(&["run", "--data", &data, "--camera", "none", "--gate", "sim", "--screen", "none"]);
    // Plugged in: a mount makes the whole tree appear at once, as a rename does.
    let plugged = journey.gate.dir.path().join("stick");
    copy(journey.stick.path(), &plugged);
    fs::rename(&plugged, &place).unwrap();
    let own = journey.gate_folder(&place);
    wait_for("the batch on the stick", || own.join("1").exists());
    std::thread::sleep(Duration::from_millis(2500));
    fs::rename(&place, &plugged).unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    let imported = journey.registry.command(&["import", &plugged.display().to_string()]).ok().json();
    assert_eq!(imported[0]["stored"], 2);
    fs::rename(&plugged, &place).unwrap();
    let waiting = || journey.gate.command(&["doctor", "--json"]).one()["journal"]["waiting"].clone();
    wait_for("the receipt", || waiting() == 0);
    std::process::Command::new("kill").arg(gate.id().to_string()).status().unwrap();
    let said = Said::of(gate.wait_with_output().unwrap()).ok();
    let count = |words: &str| said.err.matches(words).count();
    assert_eq!((count("a stick is plugged in"), count("the stick is gone")), (2, 1), "{}", said.err);
    assert!(said.err.contains("written=2") && said.err.contains("acknowledged=2"), "{}", said.err);
}

impl Journey {
    fn gate_folder(&self, stick: &Path) -> PathBuf {
        use ed25519_dalek::pkcs8::DecodePrivateKey as _;
        let pem = fs::read_to_string(Path::new(&self.gate.data()).join("device.pem")).unwrap();
        let key = tongguan_pass::SigningKey::from_pkcs8_pem(&pem).unwrap().verifying_key();
        stick.join("v1/events").join(data_encoding::HEXLOWER.encode(key.as_bytes()))
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn progress_and_results_are_said_in_words_too() {
    let journey = Journey::new();
    journey.scans(1);
    journey.visit().ok();
    let (data, folder) = (journey.registry.data(), journey.stick.path().display().to_string());
    let said = common::run(common::registry_program(), &["--data", &data, "import", &folder]).ok();
    assert!(said.out.contains("1 new events") && said.out.contains("receipt for all up to 1"), "{}", said.out);
    assert!(said.out.contains("1 batches removed from the stick, which the receipt covers"), "{}", said.out);
    let said = common::run(common::registry_program(), &["--data", &data, "events", "verify"]).ok();
    assert!(said.out.contains("all sound: 1 events of 1 devices"), "{}", said.out);
    let journey_words = journey.gate.command(&["sync", "--from", &folder]).ok();
    assert!(journey_words.out.contains("1 acknowledged by its receipt"), "{}", journey_words.out);
    assert_eq!(text(&journey.gate.journal()[0]["reason"]), "not_our_code");
}

#[test]
fn what_a_restored_registry_lost_comes_back_over_the_stick() {
    let registry = Registry::new();
    let checkpoint = Checkpoint::synced(&registry);
    let stick = registry.bundle();
    let folder = stick.path().display().to_string();
    let (visit, import) =
        (|| drop(checkpoint.sync_from(&folder).ok()), || drop(registry.command(&["import", &folder]).ok()));
    let copy = registry.dir.path().join("copy");
    let status = std::process::Command::new("cp").arg("-r").arg(registry.data()).arg(&copy).status().unwrap();
    assert!(status.success());
    checkpoint.show_codes(&["https://a.example"]);
    visit();
    import();
    visit();
    assert_eq!(checkpoint.journal()[0]["handed_in"], true);
    // The event, and the receipt for it, are not in the backup.
    fs::remove_dir_all(registry.data()).unwrap();
    fs::rename(copy, registry.data()).unwrap();
    checkpoint.show_codes(&["https://b.example"]);
    visit();
    import();
    visit();
    import();
    let stored: Vec<u64> =
        registry.command(&["events"]).ok().json().iter().map(|e| e["seq"].as_u64().unwrap()).collect();
    assert_eq!(stored.len(), 2, "{stored:?}");
    registry.command(&["events", "verify"]).ok();
    visit();
    assert!(checkpoint.journal().iter().all(|e| e["handed_in"] == true));
}
