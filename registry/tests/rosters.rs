//! Rosters: what a gate finds of whom it sees, and what nobody finds anywhere.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod common;

use std::fs;
use std::num::NonZeroUsize;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use common::{Folder, Ran};
use data_encoding::HEXLOWER;
use tongguan_pass::{
    Document, DocumentKind, FileRef, Head, Resident, Roster, RosterIndex, RosterKey, SigningKey, Unverified,
};
use tongguan_registry::Registry;
use tongguan_registry::domain::audit::Actor;
use tongguan_registry::domain::person::Name;
use tongguan_registry::registry::Particulars;
use tongguan_registry::roster::{Effort, Outcome};

const NUMBER: &str = "440308199901101512";
const PASSPORT: &str = "E12345678";

fn gate(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

fn enrol(folder: &Folder, gate: &SigningKey, communities: &str) -> Ran {
    let key = HEXLOWER.encode(gate.verifying_key().as_bytes());
    folder.run(format!("device enrol {key} {communities}").trim_end())
}

fn retire(folder: &Folder, gate: &SigningKey) {
    folder.run(&format!("device retire {}", HEXLOWER.encode(gate.verifying_key().as_bytes()))).json();
}

fn person(folder: &Folder, words: &str, number: &str) -> String {
    let added = folder.run_with(&format!("person add {words}"), number).json();
    added["person"].as_str().unwrap().to_owned()
}

fn handle(folder: &Folder, person: &str) -> u32 {
    let code = folder.run(&format!("code live --person {person}")).json();
    Unverified::parse(code["code"].as_str().unwrap()).unwrap().claims().handle()
}

fn document(kind: DocumentKind, number: &str) -> Document {
    Document::parse(kind, number).unwrap()
}

/// Everything of community 1's roster that a folder's head leads to.
struct Found {
    index: FileRef,
    roster: Roster,
    file: FileRef,
}

fn read(v1: &Path) -> Option<Found> {
    let head = Head::peek_unverified(&fs::read(v1.join("head")).unwrap()).unwrap();
    let of = |file: &FileRef| {
        let bytes = fs::read(v1.join("files").join(file.hash.to_string())).unwrap();
        file.check(&bytes).unwrap();
        bytes
    };
    let index = *head.rosters()?;
    let file = *RosterIndex::decode(&of(&index)).unwrap().of(1)?;
    let roster = Roster::decode(&of(&file)).unwrap();
    assert_eq!(roster.community, 1);
    Some(Found { index, roster, file })
}

fn bundled(folder: &Folder) -> Option<Found> {
    let stick = folder.path("stick");
    folder.run(&format!("bundle {}", stick.display())).json();
    read(&stick.join("v1"))
}

fn by_handle(found: &Found, key: &RosterKey, handle: u32) -> Option<Resident> {
    found.roster.find(&key.slot_of_handle(&found.roster.salt, handle))
}

fn by_document(found: &Found, key: &RosterKey, document: &Document) -> Option<Resident> {
    found.roster.find(&key.slot_of_document(&found.roster.salt, document))
}

/// The lines of `roster publish`.
fn publish(folder: &Folder) -> Vec<serde_json::Value> {
    let ran = folder.run("roster publish");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_gate_finds_whom_it_sees_by_handle_and_by_document_until_the_handle_is_dropped() {
    let folder = Folder::initialised();
    enrol(&folder, &gate(1), "--community 1").json();
    let wang =
        person(&folder, "--name 王小明 --category 3 --building 3号楼 --document resident_id", "440308 19990110 1512\n");
    person(&folder, "--name John_Smith --document passport", "e12345678");
    person(&folder, "--name 周杰", "");
    let given = handle(&folder, &wang);
    let lines = publish(&folder);
    assert_eq!(
        (&lines[0]["outcome"], &lines[0]["entries"], &lines[0]["gates"]),
        (&"made".into(), &3.into(), &1.into())
    );
    assert_eq!(lines[0]["slots"], 3);

    let found = bundled(&folder).unwrap();
    assert_eq!(lines[0]["bytes"], found.file.size);
    assert!(found.roster.unlock(&gate(2)).is_none());
    let key = found.roster.unlock(&gate(1)).unwrap();
    let resident = Resident { handle: given, category: 3, name: "王**".into(), home: "3号楼".into() };
    assert_eq!(by_handle(&found, &key, given), Some(resident.clone()));
    let number = document(DocumentKind::ResidentId, NUMBER);
    assert_eq!(by_document(&found, &key, &number), Some(resident.clone()));
    let john = by_document(&found, &key, &document(DocumentKind::Passport, PASSPORT)).unwrap();
    assert_eq!((john.handle, john.name.as_str(), john.home.as_str()), (0, "J*** S***", ""));
    assert_eq!(by_document(&found, &key, &document(DocumentKind::MilitaryOfficer, PASSPORT)), None);
    assert_eq!(by_handle(&found, &key, 0), None);

    folder.run(&format!("revoke --person {wang}")).json();
    let lines = publish(&folder);
    assert_eq!((&lines[0]["entries"], &lines[0]["slots"]), (&2.into(), &0.into()), "the slots are kept");
    let found = bundled(&folder).unwrap();
    let key = found.roster.unlock(&gate(1)).unwrap();
    assert_eq!(by_handle(&found, &key, given), None);
    assert_eq!(by_document(&found, &key, &number), Some(Resident { handle: 0, ..resident }));
}

#[test]
fn what_has_not_changed_is_neither_made_nor_published_again() {
    let folder = Folder::initialised();
    assert_eq!(publish(&folder), [serde_json::json!({ "made": 0, "failed": 0, "version": null })]);
    assert!(bundled(&folder).is_none(), "a head without rosters names no index");
    assert!(folder.run("roster list").out.is_empty());
    assert!(folder.run("roster publish --community 7").error(1).contains("no community 7"));
    let lines = folder.run("roster publish --community 1").out;
    assert!(lines.contains("no_gate"), "{lines}");
    enrol(&folder, &gate(1), "--community 1").json();
    let id = person(&folder, "--name 王小明 --document passport", PASSPORT);
    publish(&folder);
    let first = bundled(&folder).unwrap();
    let lines = publish(&folder);
    assert_eq!((&lines[0]["outcome"], &lines[1]["version"]), (&"same".into(), &serde_json::Value::Null));
    folder.run("publish").json();
    let again = bundled(&folder).unwrap();
    assert_eq!((again.index, again.file), (first.index, first.file), "gates need not fetch the index again");

    folder.run(&format!("person set {id} --building 5")).json();
    assert_eq!(publish(&folder)[0]["version"], 2);
    let second = bundled(&folder).unwrap();
    assert_eq!((second.index.version, second.file.version), (2, 2));
    assert_eq!(second.roster.salt, first.roster.salt);
    let listed = folder.run("roster list").json();
    for (field, value) in [("community", 1), ("version", 2), ("entries", 1), ("gates", 1)] {
        assert_eq!(listed[field], value, "{listed}");
    }
    assert_eq!((&listed["bytes"], &listed["published"]), (&second.file.size.into(), &true.into()));
    // Whoever reads the folder may be on the way with the head before.
    assert!(folder.path("stick").join("v1/files").join(first.file.hash.to_string()).exists());
}

#[test]
fn a_gate_that_is_taken_away_opens_no_roster_made_since() {
    let folder = Folder::initialised();
    enrol(&folder, &gate(1), "--community 1").json();
    enrol(&folder, &gate(2), "--community 1").json();
    person(&folder, "--name 王小明 --document passport", PASSPORT);
    publish(&folder);
    let before = bundled(&folder).unwrap();
    let old = before.roster.unlock(&gate(1)).unwrap();
    retire(&folder, &gate(1));
    let lines = publish(&folder);
    assert_eq!((&lines[0]["gates"], &lines[0]["slots"]), (&1.into(), &1.into()));
    let after = bundled(&folder).unwrap();
    assert!(after.roster.unlock(&gate(1)).is_none());
    assert_ne!(after.roster.salt, before.roster.salt);
    let passport = document(DocumentKind::Passport, PASSPORT);
    assert_eq!(by_document(&after, &old, &passport), None, "nor with the key it had");
    let new = after.roster.unlock(&gate(2)).unwrap();
    assert!(by_document(&after, &new, &passport).is_some());

    // One that comes needs no other key; one that is enrolled without the community goes.
    enrol(&folder, &gate(3), "--community 1").json();
    assert_eq!(publish(&folder)[0]["slots"], 0);
    let with_third = bundled(&folder).unwrap();
    assert_eq!(with_third.roster.salt, after.roster.salt);
    assert!(with_third.roster.unlock(&gate(3)).is_some());
    let listed = folder.run("device list").out;
    assert_eq!(listed.matches("\"communities\":[1]").count(), 2, "{listed}");
    enrol(&folder, &gate(3), "").json();
    publish(&folder);
    assert!(bundled(&folder).unwrap().roster.unlock(&gate(3)).is_none());

    retire(&folder, &gate(2));
    assert_eq!(publish(&folder)[0]["outcome"], "ended");
    assert!(bundled(&folder).is_none());
    assert!(folder.run("roster list").out.is_empty());
    assert!(enrol(&folder, &gate(1), "--community 9").error(1).contains("no community 9"));
}

#[test]
fn a_document_belongs_to_one_person_and_who_that_is_is_not_told() {
    let folder = Folder::initialised();
    let first = person(&folder, "--name 王小明 --document passport", PASSPORT);
    let refused = folder.run_with("person add --name 李四 --document passport", " e1234-5678 \n").error(1);
    assert!(refused.contains("already") && !refused.contains(&first) && !refused.contains("王"), "{refused}");
    // The same characters as another kind are another document.
    let second = person(&folder, "--name 李四 --document military_officer", PASSPORT);
    let set = |words: &str, number: &str| folder.run_with(&format!("person set {words}"), number);
    assert!(set(&format!("{second} --document passport"), PASSPORT).error(1).contains("already"));
    set(&format!("{first} --document passport"), PASSPORT).json();
    set(&format!("{first} --no-document"), "").json();
    set(&format!("{second} --document passport --name 李五 --category 4 --community 1"), PASSPORT).json();
    assert!(set("aaaaaaaaaaaaaaaa --category 1", "").error(1).contains("no such person"));
    assert!(set(&format!("{first} --community 9"), "").error(1).contains("no community 9"));
    assert!(set(&first, "").error(2).contains("say what to change"));
    let wrong = set(&format!("{first} --document resident_id"), "440308199901101513").error(2);
    assert!(wrong.contains("check digit") && !wrong.contains("4403"), "{wrong}");
    assert!(set(&format!("{first} --document resident_id"), "").error(2).contains("not complete"));
    assert!(set(&format!("{first} --document library_card"), "").error(2).contains("not a kind of document"));
    let long = "楼".repeat(9);
    assert!(set(&format!("{first} --building {long}"), "").error(2).contains("at most 25 bytes"));
}

#[test]
fn a_community_is_added_once_and_has_a_roster_of_its_own() {
    let folder = Folder::initialised();
    folder.run("community add 2 东苑").json();
    assert!(folder.run("community add 2 西苑").error(1).contains("already"));
    assert!(folder.run("community add 0 x").error(2).contains("1.."));
    let listed = folder.run("community list").out;
    assert!(listed.contains("示例社区") && listed.contains("东苑") && !listed.contains("西苑"), "{listed}");
    enrol(&folder, &gate(1), "--community 1 --community 2").json();
    enrol(&folder, &gate(2), "--community 2").json();
    person(&folder, "--name 王小明 --community 2 --document passport", PASSPORT);
    let lines = publish(&folder);
    assert_eq!((&lines[0]["entries"], &lines[1]["entries"]), (&0.into(), &1.into()));
    let one = bundled(&folder).unwrap();
    assert!(one.roster.unlock(&gate(1)).is_some() && one.roster.unlock(&gate(2)).is_none());
    // Whoever moves is in the other roster.
    let id = person(&folder, "--name 李四 --document passport", "E1234567");
    folder.run(&format!("person set {id} --community 2")).json();
    let lines = publish(&folder);
    assert_eq!((&lines[0]["outcome"], &lines[1]["entries"]), (&"same".into(), &2.into()));
}

#[test]
fn a_number_is_nowhere_in_clear() {
    let folder = Folder::initialised();
    enrol(&folder, &gate(1), "--community 1").json();
    let all = |command: &str, number: &str| {
        let ran = folder.run_traced(command, number);
        let said = ran.out.clone() + &ran.err;
        for part in [NUMBER, &NUMBER[..6], PASSPORT, "12345678"] {
            assert!(!said.contains(part), "{command} says {part}: {said}");
        }
        ran
    };
    all("person add --name 王小明 --document resident_id", NUMBER).json();
    all("person add --name 李四 --document passport", PASSPORT).json();
    all("person add --name 王小明 --document resident_id", NUMBER).error(1);
    all("person add --name 王小明 --document resident_id", "440308199901101511").error(2);
    all("roster publish", "");
    all("roster list", "");
    let server = folder.serve();
    assert_eq!(server.get("/v1/head").status, 200);
    let (_, log) = server.stop();
    bundled(&folder).unwrap();
    let mut looked_at = 0;
    let contains = |bytes: &[u8], part: &str| bytes.windows(part.len()).any(|w| w == part.as_bytes());
    let mut look = |path: &Path, bytes: &[u8]| {
        // Six digits are also there by chance; a birthday with the region is not.
        for part in [NUMBER, &NUMBER[..10], &NUMBER[6..], PASSPORT, &PASSPORT[1..], "王小明"] {
            assert!(!contains(bytes, part), "{} has {part}", path.display());
        }
        looked_at += 1;
    };
    look(Path::new("the log"), log.as_bytes());
    let mut folders = vec![folder.data(), folder.path("stick")];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().map(Result::unwrap) {
            match entry.path().is_dir() {
                true => folders.push(entry.path()),
                false => look(&entry.path(), &fs::read(entry.path()).unwrap()),
            }
        }
    }
    assert!(looked_at > 10);
    let database = fs::read(folder.data().join("registry.db")).unwrap();
    assert!(contains(&database, "person_added"), "the test looks at what the registry keeps");
    // Nor is a keyed hash told by a plain one.
    let key = fs::read(folder.data().join("keys/data.key")).unwrap();
    assert!(!database.windows(key.len()).any(|w| w == key));
}

#[test]
fn the_data_key_is_made_when_it_is_first_needed_and_never_in_the_place_of_one_that_is_missing() {
    let folder = Folder::initialised();
    let file = folder.data().join("keys/data.key");
    let mode = || fs::metadata(&file).unwrap().permissions().mode() & 0o777;
    assert_eq!((fs::read(&file).unwrap().len(), mode()), (32, 0o600));
    // As a registry of an earlier version has it.
    fs::remove_file(&file).unwrap();
    folder.run("community add 2 西苑").json();
    assert!(!file.exists(), "nothing needs it");
    person(&folder, "--name 王小明 --document passport", PASSPORT);
    assert_eq!((fs::read(&file).unwrap().len(), mode()), (32, 0o600));
    let names = fs::read_dir(folder.data().join("keys")).unwrap().map(|e| e.unwrap().file_name());
    assert_eq!(names.filter(|name| name.to_str().unwrap().contains("data")).count(), 1);

    let kept = fs::read(&file).unwrap();
    let add = |number: &str| folder.run_with("person add --name 李四 --document passport", number);
    fs::remove_file(&file).unwrap();
    let missing = add("E7654321").error(2);
    assert!(missing.contains("data.key is missing") && missing.contains("backup"), "{missing}");
    assert!(!file.exists());
    fs::write(&file, &kept[..31]).unwrap();
    assert!(add("E7654321").error(2).contains("not a data key"));
    fs::write(&file, [7; 32]).unwrap();
    let other = add("E7654321").error(2);
    assert!(other.contains("does not open with") && other.contains("data.key"), "another key seals nothing: {other}");
    enrol(&folder, &gate(1), "--community 1").json();
    let ran = folder.run("roster publish");
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("does not open with") && ran.out.contains("data.key"), "{}", ran.out);
    fs::write(&file, kept).unwrap();
    assert!(add(PASSPORT).error(1).contains("already"));
}

#[test]
fn a_running_server_makes_rosters_and_publishes_them() {
    let folder = Folder::initialised();
    enrol(&folder, &gate(1), "--community 1").json();
    person(&folder, "--name 王小明 --document passport", PASSPORT);
    let server = folder.serve();
    let until = Instant::now() + Duration::from_secs(30);
    let index = loop {
        let head = Head::peek_unverified(&server.get("/v1/head").body).unwrap();
        if let Some(index) = head.rosters() {
            break *index;
        }
        assert!(Instant::now() < until, "no head names rosters");
        std::thread::sleep(Duration::from_millis(100));
    };
    let index = RosterIndex::decode(&server.get(&format!("/v1/files/{}", index.hash)).body).unwrap();
    let file = server.get(&format!("/v1/files/{}", index.of(1).unwrap().hash)).body;
    index.of(1).unwrap().check(&file).unwrap();
    assert!(Roster::decode(&file).unwrap().unlock(&gate(1)).is_some());
    let (code, log) = server.stop();
    assert_eq!(code, 0);
    assert!(log.contains("made a roster") && !log.contains("王"), "{log}");
}

#[test]
fn one_communitys_too_many_gates_do_not_keep_anothers_roster() {
    let folder = Folder::initialised();
    let registry = Registry::open(&folder.data()).unwrap();
    registry.add_community(2, &Name::parse("东苑").unwrap()).unwrap();
    let mut seed = [9; 32];
    let mut gates = Vec::new();
    for n in 0..=256_u16 {
        seed[..2].copy_from_slice(&n.to_be_bytes());
        gates.push(SigningKey::from_bytes(&seed).verifying_key());
        registry.enrol(&gates[usize::from(n)], &[1]).unwrap();
    }
    registry.enrol(&gate(1).verifying_key(), &[2]).unwrap();
    let make = || {
        let mut effort = Effort { threads: NonZeroUsize::MIN, go_on: &mut |_, _, _| true };
        registry.make_rosters(None, &Actor::Operator, &mut effort).unwrap()
    };
    let outcomes = make();
    let refused = outcomes[0].1.as_ref().unwrap_err().to_string();
    assert!(refused.contains("257 gates") && refused.contains("256"), "{refused}");
    assert!(matches!(outcomes[1], (2, Ok(Outcome::Made { gates: 1, .. }))), "{outcomes:?}");
    let ran = folder.run("roster publish");
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("257 gates") && ran.out.contains("\"version\":"), "{}", ran.out);
    registry.retire(&gates[0]).unwrap();
    assert!(matches!(make()[0], (1, Ok(Outcome::Made { gates: 256, .. }))));
}

#[test]
fn what_was_made_before_a_stop_is_not_made_again() {
    let folder = Folder::initialised();
    let registry = Registry::open(&folder.data()).unwrap();
    registry.enrol(&gate(1).verifying_key(), &[1]).unwrap();
    for n in 0..40 {
        let name = Name::parse(&format!("Person {n}")).unwrap();
        let document = Some(document(DocumentKind::Passport, &format!("E{n:07}")));
        registry.add_person(Particulars { document, ..Particulars::new(name, 1, 0) }).unwrap();
    }
    let make = |go_on: &mut dyn FnMut(u32, usize, usize) -> bool| {
        let mut effort = Effort { threads: NonZeroUsize::MIN, go_on };
        registry.make_rosters(None, &Actor::Operator, &mut effort).unwrap().remove(0).1.unwrap()
    };
    let mut told = Vec::new();
    let stopped = make(&mut |community, done, of| {
        told.push((community, done, of));
        done == 0
    });
    assert_eq!((stopped, told), (Outcome::Stopped, vec![(1, 0, 40), (1, 32, 40)]));
    assert!(registry.store().rosters().unwrap().is_empty());
    assert!(matches!(make(&mut |_, _, _| true), Outcome::Made { entries: 40, slots: 8, .. }));
}

#[test]
fn acts_on_rosters_and_people_are_audited_without_names_or_numbers() {
    let folder = Folder::initialised();
    enrol(&folder, &gate(1), "--community 1").json();
    folder.run("community add 2 东苑").json();
    let id = person(&folder, "--name 王小明 --document passport", PASSPORT);
    folder.run(&format!("person set {id} --building 5")).json();
    publish(&folder);
    retire(&folder, &gate(1));
    publish(&folder);
    let database = rusqlite::Connection::open(folder.data().join("registry.db")).unwrap();
    let mut rows = database.prepare("SELECT act || ' ' || subject FROM audit ORDER BY number").unwrap();
    let rows: Vec<String> = rows.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect();
    let device = format!("device:{}", HEXLOWER.encode(gate(1).verifying_key().as_bytes()));
    assert_eq!(
        rows[2..],
        [
            format!("device_enrolled {device}"),
            "community_added community:2".to_owned(),
            format!("person_added {id}"),
            format!("person_changed {id}"),
            "roster_key_drawn community:1".to_owned(),
            "roster_made roster:1:1".to_owned(),
            "published head:2".to_owned(),
            format!("device_retired {device}"),
            "roster_ended community:1".to_owned(),
            "published head:3".to_owned(),
        ]
    );
}
