//! What happened at a gate until the registry has it, with the real programs: receipts, notes, and a journal that stays small.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;
use std::time::Duration;

use common::server::{Fault, Server};
use common::{Checkpoint, Registry, pipe, start, text};
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use serde_json::Value;
use tongguan::store::{DataDir, Journal, NewEntry};
use tongguan_pass::draft::Content;
use tongguan_pass::{Draft, KeyId, Keyset, Purpose, Receipt, Sha256Hash, SigningKey, VerifyingKey};

fn private_key(registry: &Registry, name: &str) -> SigningKey {
    let pem = fs::read_to_string(Path::new(&registry.data()).join(format!("keys/{name}.pem"))).unwrap();
    SigningKey::from_pkcs8_pem(&pem).unwrap()
}

fn device(checkpoint: &Checkpoint) -> VerifyingKey {
    let pem = fs::read_to_string(Path::new(&checkpoint.data()).join("device.pem")).unwrap();
    SigningKey::from_pkcs8_pem(&pem).unwrap().verifying_key()
}

fn chain_at(checkpoint: &Checkpoint, seq: u64) -> Sha256Hash {
    let db = rusqlite::Connection::open(Path::new(&checkpoint.data()).join("journal.db")).unwrap();
    let seq = i64::try_from(seq).unwrap();
    Sha256Hash(db.query_row("SELECT chain FROM event WHERE seq = ?1", [seq], |row| row.get(0)).unwrap())
}

fn handed_in(checkpoint: &Checkpoint) -> Vec<bool> {
    checkpoint.journal().iter().map(|e| e["handed_in"] == true).collect()
}

/// What a server answers to a batch.
fn answer(receipt: Option<&[u8]>) -> &'static str {
    let receipt = receipt.map_or(Value::Null, |bytes| data_encoding::BASE64.encode(bytes).into());
    let answer = serde_json::json!({ "stored": 2, "duplicate": 0, "next_seq": 3, "receipt": receipt });
    Box::leak(answer.to_string().into_boxed_str())
}

#[test]
fn events_are_kept_until_the_registry_itself_has_signed_that_it_has_these_very_events() {
    let registry = Registry::new();
    let checkpoint = Checkpoint::synced(&registry);
    checkpoint.show_codes(&["https://a.example", "https://b.example"]);
    let stick = registry.bundle();
    let (key, stranger) = (private_key(&registry, "receipt-7"), SigningKey::from_bytes(&[9; 32]));
    let (device, other) = (device(&checkpoint), stranger.verifying_key());
    let good = Receipt { device, first_seq: 1, next_seq: 3, chain: chain_at(&checkpoint, 2) };
    let by_key = |receipt: Receipt| receipt.sign(KeyId(7), &key);
    let lists = private_key(&registry, "lists-4");

    for (receipt, why) in [
        (None, "gives no signed receipt"),
        (Some(good.sign(KeyId(7), &stranger)), "wrong signature"),
        (Some(good.sign(KeyId(4), &lists)), "not signed by a key known here"),
        (Some(by_key(Receipt { device: other, ..good })), "is about another device"),
        (Some(by_key(Receipt { chain: chain_at(&checkpoint, 1), ..good })), "for other events than this gate's"),
        (Some(by_key(Receipt { next_seq: 9, ..good })), "this journal ends at 2"),
        (Some(by_key(good)[..100].to_vec()), "truncated"),
        (Some(vec![0; 5000]), "at most 256 are allowed"),
    ] {
        let answer = answer(receipt.as_deref());
        let server = Server::new(stick.path(), move |path| match path {
            "v1/events" => Fault::Answer(200, answer),
            _ => Fault::None,
        });
        checkpoint.follow(&server.url);
        let said = checkpoint.sync().with_code(2);
        assert!(text(&said.one()["error"]).contains(why), "{why}: {}", said.out);
        assert_eq!(said.one()["events_waiting"], 2, "{why}");
        assert_eq!(handed_in(&checkpoint), [false, false], "{why}");
    }
    for page in ["<html>Welcome to the hotel Wi-Fi</html>", "{}", "[]", r#"{"receipt":"!!"}"#, r#"{"receipt":7}"#] {
        let server = Server::new(stick.path(), move |path| match path {
            "v1/events" => Fault::Answer(200, page),
            _ => Fault::None,
        });
        checkpoint.follow(&server.url);
        checkpoint.sync().with_code(2);
        assert_eq!(handed_in(&checkpoint), [false, false], "{page}");
    }

    // A true receipt of yesterday, sent again: what it covers is in, the rest is kept.
    let old = answer(Some(&by_key(Receipt { next_seq: 2, chain: chain_at(&checkpoint, 1), ..good })));
    let server = Server::new(stick.path(), move |path| match path {
        "v1/events" => Fault::Answer(200, old),
        _ => Fault::None,
    });
    checkpoint.follow(&server.url);
    let said = checkpoint.sync().with_code(2);
    assert!(text(&said.one()["error"]).contains("an old answer"), "{}", said.out);
    assert_eq!(handed_in(&checkpoint), [true, false]);
    drop(server);

    let whole = answer(Some(&by_key(good)));
    let server = Server::new(stick.path(), move |path| match path {
        "v1/events" => Fault::Answer(200, whole),
        _ => Fault::None,
    });
    checkpoint.follow(&server.url);
    assert_eq!(checkpoint.sync().ok().one()["events_sent"], 1);
    assert_eq!(handed_in(&checkpoint), [true, true]);
}

#[test]
fn what_a_guard_types_is_read_by_the_registry_alone_and_whoever_reads_it_is_on_record() {
    let mut registry = Registry::new();
    let checkpoint = Checkpoint::synced(&registry);
    let data = checkpoint.data();
    let note =
        |about: &str, words: &str| pipe(&["note", "--data", &data, "--json", "--about", about], words.as_bytes());
    assert!(note("latest", "x").with_code(2).err.contains("no event at all"));
    checkpoint.show_codes(&["https://a.example", "https://b.example"]);
    let words = "张三，证件 110101199003070000，来访 3 号楼";
    assert_eq!(note("latest", &format!("{words}\n")).ok().one(), serde_json::json!({ "seq": 3, "about": 2 }));
    assert_eq!(note("1", "second note").ok().one()["about"], 1);
    for (about, words, why) in [
        ("latest", "", "is empty"),
        ("latest", "\n", "is empty"),
        ("3", "about a note", "no event 3"),
        ("99", "x", "no event 99"),
        ("never", "x", "or latest"),
        ("latest", &"长".repeat(400), "more than the 957 bytes"),
    ] {
        let said = note(about, words).with_code(2);
        assert!(said.err.contains(why), "{why}: {}", said.err);
    }
    let binary = pipe(&["note", "--data", &data, "--about", "latest"], b"\xff\xfe").with_code(2);
    assert!(binary.err.contains("UTF-8"), "{}", binary.err);
    assert_eq!(checkpoint.journal().len(), 4, "what was refused was not stored");

    checkpoint.follow(&registry.serve());
    checkpoint.sync().ok();
    let sealed = registry.command(&["events"]).ok();
    assert!(!sealed.out.contains("110101"), "{}", sealed.out);
    let read = registry.command(&["events", "--notes"]).ok().json();
    let notes: Vec<&Value> = read.iter().filter(|e| e.get("note").is_some()).collect();
    assert_eq!(notes.iter().map(|n| text(&n["note"])).collect::<Vec<_>>(), [words, "second note"]);
    assert_eq!(notes[0]["about"], read[1]["id"]);
    registry.stop();

    let audited = |registry: &Registry| -> i64 {
        let db = rusqlite::Connection::open(Path::new(&registry.data()).join("registry.db")).unwrap();
        db.query_row("SELECT count(*) FROM audit WHERE act = 'notes_read'", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(audited(&registry), 1);
    for folder in [checkpoint.dir.path(), registry.dir.path()] {
        for file in files_under(folder) {
            let bytes = fs::read(&file).unwrap();
            assert!(!bytes.windows(6).any(|w| w == b"110101"), "{} holds it in clear", file.display());
        }
    }
    // The next key takes over; what was sealed to the old one is still read.
    registry.command(&["keys", "revoke", "6", "--yes"]).ok();
    let read = registry.command(&["events", "--notes"]).ok().json();
    assert_eq!(read.iter().filter(|e| e["note"].is_string()).count(), 2);
    checkpoint.sync_from(&registry.bundle().path().display().to_string()).ok();
    assert_eq!(note("latest", "sealed to the next key").ok().one()["seq"], 5);
}

/// A registry as it was before there were keys for notes and receipts.
fn aged(registry: &Registry) {
    let folder = registry.data();
    let db = rusqlite::Connection::open(Path::new(&folder).join("registry.db")).unwrap();
    let file: Vec<u8> = db
        .query_row("SELECT bytes FROM trust JOIN files USING (sha256) WHERE kind = 'keyset'", [], |row| row.get(0))
        .unwrap();
    let Content::Keyset(keyset) = Draft::parse(&file).unwrap().content().clone() else { panic!("not a keyset") };
    let old =
        keyset.keys().iter().filter(|k| !matches!(k.purpose, Purpose::Notes | Purpose::Receipt)).cloned().collect();
    let old = Keyset::new(1, keyset.issued_at, old).unwrap().sign(&[(KeyId(1), &private_key(registry, "root-1"))]);
    let hash = Sha256Hash::of(&old).0;
    db.execute("INSERT INTO files VALUES (?1, ?2, 4000000000)", rusqlite::params![hash, old]).unwrap();
    db.execute("UPDATE trust SET sha256 = ?1 WHERE kind = 'keyset'", [hash]).unwrap();
    for key in ["notes-6", "receipt-7"] {
        fs::remove_file(Path::new(&folder).join(format!("keys/{key}.pem"))).unwrap();
    }
    registry.publish();
}

#[test]
fn a_registry_from_before_receipts_and_notes_gets_their_keys_with_its_next_rotation() {
    let mut registry = Registry::new();
    aged(&registry);
    let checkpoint = Checkpoint::synced(&registry);
    checkpoint.show_codes(&["https://a.example"]);
    let data = checkpoint.data();
    let note = || pipe(&["note", "--data", &data, "--about", "latest"], b"a note");
    assert!(note().with_code(2).err.contains("no key for notes"));
    assert_eq!(checkpoint.journal().len(), 1);
    // Nothing but a rotation needs the new keys.
    registry.command(&["keys", "root-rotate"]).ok();
    let made = registry.command(&["keys", "rotate"]).ok().one();
    let purposes: Vec<String> = made["made"].as_array().unwrap().iter().map(|k| text(&k["purpose"])).collect();
    assert_eq!(purposes, ["notes", "receipt"]);
    checkpoint.follow(&registry.serve());
    assert_eq!(checkpoint.sync().ok().one()["events_sent"], 1);
    note().ok();
}

#[test]
fn a_running_gate_forgets_what_was_handed_in_and_its_chain_goes_on() {
    let mut registry = Registry::new();
    let checkpoint = Checkpoint::synced(&registry);
    checkpoint.configure("journal", "keep_days = 0\nspace_low_mb = 0");
    let write = |count: u8| {
        let journal = Journal::open(&DataDir::open(Path::new(&checkpoint.data())).unwrap()).unwrap();
        for n in 0..count {
            // A record of a type to come is kept like any other.
            let entry = NewEntry { record: vec![9, n], at: common::now(), code: None };
            journal.append(&entry).unwrap();
        }
    };
    (0..3).for_each(|_| write(100));
    checkpoint.follow(&registry.serve());
    checkpoint.sync().ok();
    registry.stop();
    let run = || {
        let data = checkpoint.data();
        let gate = start(&["run", "--data", &data, "--camera", "none", "--gate", "sim", "--screen", "none"]);
        std::thread::sleep(Duration::from_secs(4));
        std::process::Command::new("kill").arg(gate.id().to_string()).status().unwrap();
        common::Said::of(gate.wait_with_output().unwrap()).ok();
        let seqs: Vec<u64> = checkpoint.journal().iter().map(|e| e["seq"].as_u64().unwrap()).collect();
        (seqs[0], seqs[seqs.len() - 1], seqs.len())
    };
    assert_eq!(run(), (45, 300, 256), "the newest stay, for the chain and for what a power cut brings back");
    (0..3).for_each(|_| write(100));
    assert_eq!(run(), (300, 600, 301), "what was not handed in stays, and the one before it");
    checkpoint.follow(&registry.serve());
    assert_eq!(checkpoint.sync().ok().one()["events_sent"], 300);
    assert_eq!(run(), (345, 600, 256));
    registry.command(&["events", "verify"]).ok();
    assert_eq!(registry.command(&["events"]).ok().json().len(), 600);
}

#[test]
fn a_registry_restored_from_a_backup_gets_back_what_the_gate_still_has() {
    let mut registry = Registry::new();
    let checkpoint = Checkpoint::synced(&registry);
    let scan_and_sync = |registry: &mut Registry, codes: &[&str]| {
        checkpoint.show_codes(codes);
        checkpoint.follow(&registry.serve());
        let report = checkpoint.sync().ok().one();
        registry.stop();
        (report["events_sent"].as_u64().unwrap(), report["events_waiting"].as_u64().unwrap())
    };
    assert_eq!(scan_and_sync(&mut registry, &["https://a.example"]), (1, 0));
    let place = Path::new(&registry.data()).join("registry.db");
    let files = ["", "-wal", "-shm"].map(|suffix| format!("{}{suffix}", place.display()));
    let backup = files.each_ref().map(|file| fs::read(file).ok());
    assert_eq!(scan_and_sync(&mut registry, &["https://b.example", "https://c.example"]), (2, 0));
    for (file, bytes) in files.iter().zip(backup) {
        fs::remove_file(file).ok();
        if let Some(bytes) = bytes {
            fs::write(file, bytes).unwrap();
        }
    }
    assert_eq!(registry.command(&["events"]).ok().json().len(), 1);
    // The next event comes after a gap; what is missing follows in the same sync.
    assert_eq!(scan_and_sync(&mut registry, &["https://d.example"]), (4, 0));
    assert_eq!(registry.command(&["events"]).ok().json().len(), 4);
    registry.command(&["events", "verify"]).ok();
    assert_eq!(handed_in(&checkpoint), [true; 4]);
}

#[test]
fn doctor_says_what_the_journal_holds_and_when_space_is_low() {
    let registry = Registry::new();
    let checkpoint = Checkpoint::synced(&registry);
    checkpoint.show_codes(&["https://a.example", "https://b.example"]);
    let known = checkpoint.command(&["doctor", "--json"]).one();
    let journal = &known["journal"];
    assert_eq!((&journal["events"], &journal["waiting"], &journal["keep_days"]), (&2.into(), &2.into(), &30.into()));
    assert!(journal["bytes"].as_u64().unwrap() > 4096 && journal["free_bytes"].as_u64().unwrap() > 0, "{journal}");
    let oldest: jiff::Timestamp = text(&journal["oldest_waiting"]).parse().unwrap();
    assert!(common::now().duration_since(oldest).as_secs() < 60, "{journal}");
    assert_eq!(known["ladder"]["journal"], "green");
    checkpoint.configure("journal", "space_low_mb = 1000000");
    assert_eq!(checkpoint.command(&["doctor", "--json"]).one()["ladder"]["journal"], "amber");
    let said = checkpoint.command(&["doctor", "--language", "en"]);
    assert!(
        said.out.contains("[amber] Journal: 2 events") && said.out.contains("2 wait to be handed in"),
        "{}",
        said.out
    );
}

fn files_under(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().flatten().map(|e| e.path());
    entries.flat_map(|path| if path.is_dir() { files_under(&path) } else { vec![path] }).collect()
}

#[test]
fn lists_that_are_refused_keep_neither_the_time_nor_the_events_from_travelling() {
    let mut registry = Registry::new();
    let copy = registry.dir.path().join("copy");
    std::process::Command::new("cp").arg("-r").arg(registry.data()).arg(&copy).status().unwrap();
    registry.publish();
    registry.publish();
    let checkpoint = Checkpoint::doubting(&registry, "");
    checkpoint.sync_from(&registry.bundle().path().display().to_string()).ok();
    checkpoint.show_codes(&["https://a.example"]);
    fs::remove_dir_all(registry.data()).unwrap();
    fs::rename(copy, registry.data()).unwrap();
    checkpoint.follow(&registry.serve());
    let said = checkpoint.sync().with_code(1);
    assert!(text(&said.one()["error"]).contains("goes back"), "{}", said.out);
    assert_eq!(checkpoint.journal()[0]["handed_in"], true);
    let known = checkpoint.command(&["doctor", "--clock", "--json"]).one();
    assert_eq!(known["clock"]["witnesses"][0]["by"], "registry", "{known}");
}
