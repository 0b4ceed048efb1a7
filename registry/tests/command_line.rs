//! The command line: what an operator asks for is done, or refused with nothing changed.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Folder, keyset, run};
use data_encoding::HEXLOWER;
use tongguan_pass::revocation::day_of;
use tongguan_pass::{
    Body, Carried, Freshness, Head, Interval, Keyset, RevocationList, RevocationSet, Sha256Hash, SigningKey, Unverified,
};

fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            all.extend(contents(&entry.path()));
        } else {
            all.insert(entry.path().display().to_string(), fs::read(entry.path()).unwrap());
        }
    }
    all
}

/// The bundle's head, believed from the root down as a checkpoint does.
fn bundled(folder: &Folder) -> (Head, Keyset) {
    let stick = folder.path("stick");
    let head = fs::read(stick.join("v1/head")).unwrap();
    let named = Head::peek_unverified(&head).unwrap().keyset;
    let file = fs::read(stick.join("v1/files").join(named.hash.to_string())).unwrap();
    named.check(&file).unwrap();
    let keys = keyset(&folder.root(), &file);
    (Head::open(&head, &keys).unwrap(), keys)
}

fn publish_and_bundle(folder: &Folder) -> (Head, Keyset) {
    folder.run("publish").json();
    let bundle = folder.run(&format!("bundle {}", folder.path("stick").display())).json();
    let (head, keys) = bundled(folder);
    assert_eq!(bundle["version"], head.version);
    (head, keys)
}

fn revoked(folder: &Folder, head: &Head) -> RevocationSet {
    let list = |hash: Sha256Hash| {
        RevocationList::decode(&fs::read(folder.path("stick").join("v1/files").join(hash.to_string())).unwrap())
            .unwrap()
    };
    let r = &head.revocations;
    let snapshot = list(r.snapshot.hash);
    let mut set = RevocationSet::new(snapshot.entries).unwrap();
    for delta in r.path_from(snapshot.to).unwrap() {
        set = set.after(&list(delta.file.hash).entries, r.oldest_day).unwrap();
    }
    assert_eq!(set.checksum(), r.checksum);
    set
}

fn now() -> i64 {
    let since = fs::metadata(tempfile::NamedTempFile::new().unwrap().path()).unwrap().modified().unwrap();
    i64::try_from(since.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

#[test]
fn init_makes_a_registry_whose_private_keys_only_the_owner_reads() {
    let folder = Folder::new();
    let made = folder.run("init").json();
    let data = folder.data();
    let root = fs::read(data.join("root.pub")).unwrap();
    assert_eq!(made["root"], data.join("root.pub").display().to_string());
    assert_eq!(made["fingerprint"], Sha256Hash::of(&root).to_string());
    assert_eq!(made["version"], 1);
    let mode = |p: &Path| fs::metadata(p).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data.join("keys")), 0o700);
    assert_eq!(mode(&data.join("root.pub")), 0o644);
    assert_eq!(mode(&data.join("registry.db")), 0o600);
    let keys: Vec<_> = fs::read_dir(data.join("keys")).unwrap().map(|e| e.unwrap()).collect();
    assert_eq!(keys.len(), 9);
    for key in keys {
        assert_eq!(mode(&key.path()), 0o600, "{key:?}");
        if key.file_name() == "data.key" {
            assert_eq!(key.metadata().unwrap().len(), 32);
            continue;
        }
        assert!(fs::read_to_string(key.path()).unwrap().starts_with("-----BEGIN PRIVATE KEY-----"));
    }
}

#[test]
fn init_over_a_registry_is_refused_and_changes_nothing() {
    let folder = Folder::initialised();
    let before = contents(&folder.data());
    assert!(folder.run("init").error(1).contains("already holds a registry"));
    assert_eq!(contents(&folder.data()), before);
    // Nor over a part of one: the keys may be all that is left.
    for file in ["registry.db", "root.pub"] {
        fs::remove_file(folder.data().join(file)).unwrap();
        let said = folder.run("init").error(2);
        assert!(said.contains("unfinished registry") && said.contains("nothing was changed"), "{said}");
    }
    assert!(folder.run("publish").error(2).contains("unfinished registry"));
}

#[test]
fn an_init_that_cannot_finish_leaves_nothing_behind() {
    let folder = Folder::new();
    fs::write(folder.data(), "a file where the folder should be").unwrap();
    assert!(folder.run("init").error(2).contains("cannot make the folder"));
    assert_eq!(fs::read_to_string(folder.data()).unwrap(), "a file where the folder should be");
}

/// An `init` that was cut off with these moved already, out of a whole registry.
fn cut_off(folder: &Folder, moved: &[&str]) {
    let (data, part) = (folder.data(), folder.data().join("init.part"));
    fs::create_dir(&part).unwrap();
    for name in ["keys", "root.pub", "registry.db"].iter().filter(|name| !moved.contains(name)) {
        fs::rename(data.join(name), part.join(name)).unwrap();
    }
}

#[test]
fn an_init_that_was_cut_off_is_completed_by_the_next_one() {
    for moved in [["keys"].as_slice(), &["keys", "root.pub"]] {
        let folder = Folder::initialised();
        let before = contents(&folder.data());
        cut_off(&folder, moved);
        assert!(folder.run("publish").error(2).contains("run `tongguan-registry init"));
        let made = folder.run("init").json();
        let root = &before[&folder.data().join("root.pub").display().to_string()];
        assert_eq!(made["fingerprint"], Sha256Hash::of(root).to_string());
        assert_eq!(contents(&folder.data()), before);
        assert!(!folder.data().join("init.part").exists());
        assert!(folder.run("init").error(1).contains("already holds a registry"));
    }
    // Before anything is moved it is begun anew.
    let folder = Folder::initialised();
    let root = fs::read(folder.data().join("root.pub")).unwrap();
    cut_off(&folder, &[]);
    folder.run("init").json();
    assert_ne!(fs::read(folder.data().join("root.pub")).unwrap(), root);
    // Keys that somebody put there since are not of this registry, and stay.
    let folder = Folder::initialised();
    cut_off(&folder, &["keys"]);
    fs::copy(folder.data().join("keys/root-1.pem"), folder.data().join("keys/live-1.pem")).unwrap();
    let before = contents(&folder.data());
    assert!(folder.run("init").error(2).contains("is not the key that the keyset names"));
    assert_eq!(contents(&folder.data()), before);
}

#[test]
fn an_init_killed_at_any_moment_is_followed_by_one_that_works_and_two_at_once_do_not_meet() {
    for ms in (0..120).step_by(6) {
        let folder = Folder::new();
        let data = folder.data().display().to_string();
        let start = || {
            let mut init = Command::new(env!("CARGO_BIN_EXE_tongguan-registry"));
            init.args(["init", "--data", &data]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        };
        let (mut first, mut second) = (start(), start());
        std::thread::sleep(Duration::from_millis(ms));
        for init in [&mut first, &mut second] {
            init.kill().unwrap();
            init.wait().unwrap();
        }
        let said = folder.run("init");
        if said.code != 0 {
            assert!(said.error(1).contains("already holds a registry"), "after {ms} ms");
        }
        folder.person();
        folder.run("publish").json();
        assert!(!folder.data().join("init.part/keys").exists());
    }
    let folder = Folder::new();
    let part = folder.data().join("init.part");
    fs::create_dir_all(&part).unwrap();
    let busy = fs::File::open(&part).unwrap();
    busy.lock().unwrap();
    assert!(folder.run("init").error(2).contains("is at work"));
}

#[test]
fn codes_of_every_kind_verify_from_the_root_and_carry_one_handle_and_no_name() {
    let folder = Folder::initialised();
    let (person, _) = folder.person();
    let (_, keys) = publish_and_bundle(&folder);
    let live = folder.run(&format!("code live --person {person}")).json();
    let printed = folder.run(&format!("code printed --person {person} --building 3 --entries 2")).json();
    let now = Interval::exactly(now());
    let phone = SigningKey::from_bytes(&[5; 32]);
    let hex = HEXLOWER.encode(phone.verifying_key().as_bytes());
    let certificate = folder.run(&format!("certificate --person {person} --holder-key {hex}")).json();
    let certificate = HEXLOWER.decode(certificate["certificate"].as_str().unwrap().as_bytes()).unwrap();
    let made_at = u32::try_from(now.earliest).unwrap();
    let carried = Carried::make(&certificate.try_into().unwrap(), made_at, &phone);
    let mut handles = Vec::new();
    for text in [live["code"].as_str().unwrap(), printed["code"].as_str().unwrap(), &carried] {
        let code = Unverified::parse(text).unwrap().verify(&keys).unwrap();
        assert_eq!(code.freshness(now), Freshness::Fresh, "{:?}", code.body());
        assert_eq!(code.body().community(), 1);
        handles.push(code.body().handle());
    }
    handles.dedup();
    assert_eq!(handles.len(), 1);
    assert!(!live["code"].as_str().unwrap().contains("王"));
}

#[test]
fn a_code_can_be_issued_as_of_another_time_within_its_keys_validity() {
    let folder = Folder::initialised();
    let (person, _) = folder.person();
    let (_, keys) = publish_and_bundle(&folder);
    let now = now();
    let at = |seconds: i64| {
        let t = tongguan_registry::domain::time::rfc3339(u32::try_from(now + seconds).unwrap());
        folder.run(&format!("code live --person {person} --at {t}"))
    };
    let old = Unverified::parse(at(-1200).json()["code"].as_str().unwrap()).unwrap().verify(&keys).unwrap();
    assert!(matches!(old.freshness(Interval::exactly(now)), Freshness::Expired { ago: 595..=605 }));
    assert!(at(-10 * 86_400).error(1).contains("refused at every gate"));
    assert!(folder.run(&format!("code live --person {person} --at yesterday")).error(2).contains("not a time"));
    assert!(folder.run(&format!("code printed --person {person} --days 0")).error(2).contains("1..=366"));
}

#[test]
fn a_revoked_person_is_in_the_next_lists_and_their_next_code_has_another_handle() {
    let folder = Folder::initialised();
    let (person, _) = folder.person();
    let handle = |command: &str| {
        let code = folder.run(&format!("{command} --person {person}")).json();
        let code = Unverified::parse(code["code"].as_str().unwrap()).unwrap();
        (code.claims().handle(), *code.claims())
    };
    let (first, printed) = handle("code printed --days 7");
    let done = folder.run(&format!("revoke --person {person} --reason lost")).json();
    assert_eq!((&done["person"], &done["dropped"]), (&person.clone().into(), &1.into()));
    assert_eq!(folder.run(&format!("revoke --person {person}")).json()["dropped"], 0);
    let (second, _) = handle("code live");
    assert_ne!(first, second);
    let (head, _) = publish_and_bundle(&folder);
    let set = revoked(&folder, &head);
    assert_eq!(set.entries().len(), 1);
    let entry = set.get(first).unwrap();
    let Body::Printed(printed) = printed else { panic!("{printed:?}") };
    assert_eq!((entry.reason, entry.expiry_day), (1, day_of(printed.valid_to)));
    // The next publish repeats the set.
    let (next, _) = publish_and_bundle(&folder);
    assert_eq!((next.version, next.revocations.version), (head.version + 1, head.revocations.version));
    assert!(next.follows(&head));
}

#[test]
fn a_bundle_that_fails_leaves_nothing_half_made() {
    let folder = Folder::initialised();
    let bundle = |to: &Path| folder.run(&format!("bundle {}", to.display()));
    // The head, which is written last, cannot be.
    let stick = folder.path("stick");
    fs::create_dir_all(stick.join("v1/head")).unwrap();
    fs::write(stick.join("v1/head/mine"), "").unwrap();
    let before = contents(&stick);
    assert!(bundle(&stick).error(2).contains("v1/head"));
    assert_eq!(contents(&stick), before);
    assert!(!stick.join("v1/files").exists());
    // A folder inside a file.
    assert!(bundle(&stick.join("v1/head/mine/new")).error(2).contains("cannot write"));
    assert_eq!(contents(&stick), before);
}

#[test]
fn a_bundle_holds_what_its_head_names_and_nothing_that_none_has_named_for_days() {
    let folder = Folder::initialised();
    let (head, _) = publish_and_bundle(&folder);
    let shelf = folder.path("stick").join("v1/files");
    let stale = shelf.join("0".repeat(64));
    fs::write(&stale, "left from long ago").unwrap();
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    fs::File::open(&stale).unwrap().set_modified(long_ago).unwrap();
    fs::write(shelf.join("holiday.jpg"), "somebody's").unwrap();
    let snapshot = shelf.join(head.revocations.snapshot.hash.to_string());
    fs::write(&snapshot, "damaged").unwrap();
    let (head, _) = publish_and_bundle(&folder);
    head.revocations.snapshot.check(&fs::read(snapshot).unwrap()).unwrap();
    assert!(!stale.exists());
    assert!(shelf.join("holiday.jpg").exists());
    assert_eq!(fs::read_dir(&shelf).unwrap().count(), 4);
}

#[test]
fn misuse_and_bad_input_are_told_in_words_and_change_nothing() {
    let folder = Folder::initialised();
    let before = contents(&folder.data());
    assert!(folder.run("code live --person nobody").error(1).contains("no such person"));
    assert!(folder.run("code live --person aaaaaaaaaaaaaaaa").error(1).contains("no such person"));
    assert!(folder.run("person add --name x --community 99").error(1).contains("no community 99"));
    assert!(folder.run(&format!("person add --name {}", "长".repeat(101))).error(2).contains("at most 100"));
    assert!(folder.run("person add --name a\nb").error(2).contains("control characters"));
    assert!(folder.run("certificate --person x --holder-key 00").error(2).contains("64 hex digits"));
    let small_order = format!("certificate --person x --holder-key 01{}", "0".repeat(62));
    assert!(folder.run(&small_order).error(2).contains("not a usable"));
    assert!(folder.run("juggle").error(2).contains("juggle"));
    assert!(run(&["publish".into(), "--json".into()]).error(2).contains("--data"));
    assert_eq!(contents(&folder.data()), before);
    assert!(Folder::new().run("publish").error(2).contains("holds no registry"));
}

#[test]
fn a_missing_or_wrong_private_key_is_named_and_registering_people_goes_on() {
    let folder = Folder::initialised();
    let (person, _) = folder.person();
    let live = folder.data().join("keys/live-1.pem");
    fs::rename(folder.data().join("keys/time-5.pem"), &live).unwrap();
    let wrong = folder.run(&format!("code live --person {person}")).error(2);
    assert!(wrong.contains("live-1.pem is not the key"), "{wrong}");
    fs::write(&live, "not a key").unwrap();
    assert!(folder.run("publish").error(2).contains("not a PKCS#8 PEM file"));
    fs::remove_file(&live).unwrap();
    let missing = folder.run("serve --listen 127.0.0.1:0").error(2);
    assert!(missing.contains("live-1.pem is missing") && missing.contains("backup"), "{missing}");
    folder.person();
}

#[test]
fn without_the_offline_root_key_everything_but_new_keys_works() {
    let folder = Folder::initialised();
    fs::rename(folder.data().join("keys/root-1.pem"), folder.path("safe.pem")).unwrap();
    let (person, _) = folder.person();
    folder.run(&format!("code live --person {person}")).json();
    folder.run("publish").json();
}

#[test]
fn a_database_of_a_newer_program_or_a_damaged_one_is_refused() {
    let folder = Folder::initialised();
    let database = folder.data().join("registry.db");
    rusqlite::Connection::open(&database).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(folder.run("publish").error(2).contains("newer program"));
    fs::write(&database, vec![7; 100_000]).unwrap();
    assert!(folder.run("publish").error(2).contains("damaged"));
}

#[test]
fn every_act_is_audited_without_names_or_secrets() {
    let folder = Folder::initialised();
    let (person, token) = folder.person();
    folder.run(&format!("code live --person {person}")).json();
    folder.run(&format!("revoke --person {person}")).json();
    folder.run("publish").json();
    let database = rusqlite::Connection::open(folder.data().join("registry.db")).unwrap();
    let mut rows = database.prepare("SELECT act, actor, subject FROM audit ORDER BY number").unwrap();
    let rows: Vec<(String, String, String)> =
        rows.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).unwrap().map(Result::unwrap).collect();
    let acts: Vec<&str> = rows.iter().map(|(act, ..)| act.as_str()).collect();
    assert_eq!(acts, ["initialised", "published", "person_added", "live_code_issued", "handle_dropped", "published"]);
    let all = format!("{rows:?}");
    assert!(all.contains(&person) && !all.contains("王小明") && !all.contains(&token), "{all}");
}

#[test]
fn help_and_version_are_there_for_every_command() {
    for command in [
        "",
        "init",
        "serve",
        "person add",
        "person set",
        "community add",
        "roster publish",
        "roster list",
        "device enrol",
        "code live",
        "code printed",
        "certificate",
        "revoke",
        "bundle",
        "events",
        "keys list",
        "keys sign",
    ] {
        let mut words: Vec<String> = command.split(' ').filter(|w| !w.is_empty()).map(str::to_owned).collect();
        words.push("--help".to_owned());
        let help = run(&words);
        assert_eq!(help.code, 0, "{command}");
        assert!(help.out.contains("Usage: tongguan-registry"), "{command}");
    }
    assert!(run(&["--version".to_owned()]).out.starts_with("tongguan-registry 0."));
}
