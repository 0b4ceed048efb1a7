//! The support bundle: what is in it, and what never is.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::io::Read as _;
use std::path::Path;

use common::{Checkpoint, Registry, text};
use data_encoding::{BASE32_NOPAD, BASE64, HEXLOWER, HEXUPPER};
use tongguan::guards::{Pin, Role, Roster};
use tongguan::store::{DataDir, DeviceKey};

/// The files of a bundle by their names, and everything in one.
fn unpack(file: &Path) -> (Vec<String>, Vec<u8>) {
    let packed = std::fs::File::open(file).unwrap();
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(packed));
    let (mut names, mut all) = (Vec::new(), Vec::new());
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        all.extend_from_slice(name.as_bytes());
        names.push(name.rsplit('/').next().unwrap().to_owned());
        entry.read_to_end(&mut all).unwrap();
    }
    (names, all)
}

fn holds(all: &[u8], what: &[u8]) -> bool {
    all.windows(what.len()).any(|window| window == what)
}

#[test]
fn a_bundle_says_how_the_gate_is_and_nothing_of_anybody() {
    let registry = Registry::new();
    let person = registry.person("欧阳震华");
    let checkpoint = Checkpoint::synced(&registry);
    let code = registry.live(&person);
    let events = checkpoint.show_codes(&[&code]);
    let handle = u32::try_from(events[0]["handle"].as_u64().unwrap()).unwrap();
    checkpoint.follow("https://gate7:hunter2-secret@registry.example/city?token=s3cr3t-token");
    let dir = DataDir::open(Path::new(&checkpoint.data())).unwrap();
    let mut roster = Roster::default();
    roster.add("诸葛技术员", Role::Technician, &Pin::parse("83617429").unwrap()).unwrap();
    roster.write(&dir.guards_file()).unwrap();

    let file = checkpoint.dir.path().join("bundle.tar.gz");
    let said = checkpoint.command(&["support", "--json", "--to", &file.display().to_string()]).ok().one();
    assert_eq!(said["bytes"].as_u64().unwrap(), std::fs::metadata(&file).unwrap().len());
    let (names, all) = unpack(&file);
    for name in
        ["README.txt", "config.toml", "doctor.txt", "doctor.zh.txt", "figures.json", "history.txt", "versions.txt"]
    {
        assert!(names.iter().any(|there| there == name), "{names:?}");
    }
    // It is of use: the address without what is secret in it, the lists, the journal, the program.
    let device = DeviceKey::open(&dir).unwrap();
    let public = HEXLOWER.encode(device.public().as_bytes());
    for wanted in ["https://registry.example/city", "Lists", "1 events", env!("CARGO_PKG_VERSION"), "pulse_ms", &public]
    {
        assert!(holds(&all, wanted.as_bytes()), "{wanted}");
    }

    let guards = std::fs::read_to_string(dir.guards_file()).unwrap();
    let hash = guards.split('"').find(|part| part.starts_with("$argon2")).unwrap();
    let salt_and_hash: Vec<&str> = hash.rsplit('$').take(2).collect();
    let pem = std::fs::read_to_string(dir.path().join("device.pem")).unwrap();
    let pem_body = pem.lines().nth(1).unwrap();
    let mut never: Vec<Vec<u8>> = [
        "欧阳震华",
        "诸葛技术员",
        "83617429",
        "hunter2",
        "s3cr3t",
        hash,
        salt_and_hash[0],
        salt_and_hash[1],
        pem_body,
        &code,
        &person,
    ]
    .map(|text| text.as_bytes().to_vec())
    .into();
    never.push(handle.to_string().into_bytes());
    for secret in [&device.signing().to_bytes()[..], "欧阳震华".as_bytes(), "诸葛技术员".as_bytes(), b"83617429"]
    {
        never.push(secret.to_vec());
        for encoding in [&HEXLOWER, &HEXUPPER, &BASE32_NOPAD, &BASE64] {
            never.push(encoding.encode(secret).into_bytes());
        }
    }
    for encoding in [&HEXLOWER, &HEXUPPER, &BASE32_NOPAD] {
        never.push(encoding.encode(&handle.to_be_bytes()).into_bytes());
    }
    for secret in &never {
        assert!(!holds(&all, secret), "{}", String::from_utf8_lossy(secret));
    }
}

#[test]
fn a_bundle_goes_onto_the_stick_if_there_is_one_and_the_oldest_make_room() {
    let registry = Registry::new();
    let checkpoint = Checkpoint::new(&registry, "");
    let make = || text(&checkpoint.command(&["support", "--json"]).ok().one()["file"]);
    let folder = format!("{}/support/", checkpoint.data());
    assert!(make().starts_with(&folder));
    for n in 0..6 {
        std::fs::write(format!("{folder}tongguan-00000000-{n}.tar.gz"), "older").unwrap();
    }
    std::fs::write(format!("{folder}mine.txt"), "kept").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let newest = make();
    assert!(Path::new(&newest).exists() && Path::new(&format!("{folder}mine.txt")).exists());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 6);

    let stick = tempfile::tempdir().unwrap();
    checkpoint.configure("sync", &format!("stick = {:?}", stick.path().display().to_string()));
    assert!(make().starts_with(&folder), "an empty folder is no stick");
    std::fs::create_dir(stick.path().join("v1")).unwrap();
    let there = make();
    assert!(there.starts_with(&stick.path().join("support").display().to_string()), "{there}");
    unpack(Path::new(&there));
}
