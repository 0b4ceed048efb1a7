//! Keys change under the gates' feet, with the real programs: rotated, revoked, the root replaced, the root keys with people.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{Checkpoint, Registry, Said, registry_program, run, text};
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use serde_json::Value;
use tongguan_pass::draft::Content;
use tongguan_pass::{Draft, FileRef, Head, KeyId, Sha256Hash, SigningKey};

fn keys(registry: &Registry, args: &[&str]) -> Said {
    registry.command(&[&["keys"], args].concat())
}

/// A ceremony's step on a machine that has no registry.
fn offline(args: &[&str]) -> Said {
    run(registry_program(), &[&["keys"], args, &["--json"]].concat())
}

/// The id of the key of that purpose and state.
fn id(registry: &Registry, purpose: &str, state: &str) -> u64 {
    let all = keys(registry, &["list"]).ok().json();
    all.iter().find(|k| k["purpose"] == purpose && k["state"] == state).unwrap()["id"].as_u64().unwrap()
}

fn sync(checkpoint: &Checkpoint, registry: &Registry) -> Said {
    checkpoint.sync_from(&registry.bundle().path().display().to_string())
}

fn pass() -> (String, String) {
    ("pass".into(), "fresh".into())
}

fn error(said: &Said) -> String {
    let line = if said.out.is_empty() { said.err.lines().last().unwrap() } else { said.out.lines().last().unwrap() };
    text(&serde_json::from_str::<Value>(line).unwrap()["error"])
}

/// The next key of a purpose starts in a moment.
fn rotate_soon(registry: &Registry, purpose: &str) -> Value {
    let soon = (common::now() + Duration::from_secs(8)).to_string();
    keys(registry, &["rotate", "--purpose", purpose, "--from", &soon]).ok().one()
}

#[test]
fn a_gate_that_synced_before_the_next_key_started_accepts_its_codes_offline_and_one_that_missed_it_asks_for_a_sync() {
    let registry = Registry::new();
    let person = registry.person("周某");
    let missed = Checkpoint::synced(&registry);
    let before = registry.live(&person);
    let made = rotate_soon(&registry, "live");
    assert_eq!((made["status"].as_str(), made["made"][0]["id"].as_u64()), (Some("published"), Some(8)));
    let again = keys(&registry, &["rotate", "--purpose", "live"]).ok().one();
    assert_eq!(again["status"], "nothing_due", "twice does nothing new");
    assert_eq!((id(&registry, "live", "current"), id(&registry, "live", "next")), (1, 8));
    let synced = Checkpoint::synced(&registry);

    std::thread::sleep(Duration::from_secs(9));
    let after = registry.live(&person);
    assert_eq!((id(&registry, "live", "retiring"), id(&registry, "live", "current")), (1, 8), "by itself");
    assert_eq!((synced.verdict(&before), synced.verdict(&after)), (pass(), pass()));
    assert_eq!(missed.verdict(&before), pass());
    assert_eq!(missed.verdict(&after).1, "unknown_key", "never forged");
    let words = missed.command(&["verify", &after]);
    assert!(words.out.contains("同步"), "{}", words.out);
    sync(&missed, &registry).ok();
    assert_eq!(missed.verdict(&after), pass());
}

#[test]
fn what_a_revoked_key_signed_is_refused_after_a_sync_and_its_replacement_signs_at_once_also_in_a_running_registry() {
    let mut registry = Registry::new();
    let person = registry.person("周某");
    let checkpoint = Checkpoint::synced(&registry);
    let (live, printed) = (registry.live(&person), registry.printed(&person));
    let refused = keys(&registry, &["revoke", "3"]).with_code(2);
    assert!(error(&refused).contains("add --yes"), "{}", refused.err);
    assert!(refused.err.contains("MUST BE REISSUED ON PAPER"), "{}", refused.err);
    assert!(error(&keys(&registry, &["revoke", "77", "--yes"]).with_code(1)).contains("no key 77"));

    let url = registry.serve();
    let done = keys(&registry, &["revoke", "3", "--yes"]).ok().one();
    assert_eq!((done["gone"][0]["id"].as_u64(), done["made"][0]["id"].as_u64()), (Some(3), Some(8)));
    assert!(!Path::new(&registry.data()).join("keys/printed-3.pem").exists(), "it signs nothing any more");
    assert_eq!(id(&registry, "printed", "revoked"), 3);
    assert_eq!(checkpoint.verdict(&printed), pass(), "offline, the gate cannot know");
    checkpoint.follow(&url);
    checkpoint.sync().ok();
    assert_eq!(checkpoint.verdict(&printed), ("deny".into(), "unknown_key".into()));
    assert_eq!(checkpoint.verdict(&live), pass());
    assert_eq!(checkpoint.verdict(&registry.printed(&person)), pass());
    // The server signs its next head with the keys of the new keyset too.
    keys(&registry, &["revoke", "4", "--yes"]).ok();
    registry.revoke(&person);
    checkpoint.sync().ok();
    assert_eq!(checkpoint.verdict(&live), ("deny".into(), "revoked".into()));
}

#[test]
fn a_head_or_a_keyset_signed_with_a_key_that_was_taken_away_is_refused() {
    let registry = Registry::new();
    let checkpoint = Checkpoint::synced(&registry);
    let secret = |name: &str| {
        let pem = fs::read_to_string(Path::new(&registry.data()).join("keys").join(name)).unwrap();
        SigningKey::from_pkcs8_pem(&pem).unwrap()
    };
    let (lists, old_root) = (secret("lists-4.pem"), secret("root-1.pem"));
    keys(&registry, &["revoke", "4", "--yes"]).ok();
    keys(&registry, &["root-rotate"]).ok();
    sync(&checkpoint, &registry).ok();

    let stick = registry.bundle();
    let (shelf, place) = (stick.path().join("v1/files"), stick.path().join("v1/head"));
    let good = fs::read(&place).unwrap();
    let mut head = Head::peek_unverified(&good).unwrap();
    head.version += 1;
    fs::write(&place, head.sign(KeyId(4), &lists)).unwrap();
    let source = stick.path().display().to_string();
    let said = checkpoint.sync_from(&source);
    assert!(error(&said).contains("not signed by a key known here"), "{}", said.out);

    // The old root's thief brings the revoked lists key back, under the old root's key alone.
    let keyset = fs::read(shelf.join(head.keyset.hash.to_string())).unwrap();
    let Content::Keyset(now) = Draft::parse(&keyset).unwrap().content().clone() else { panic!("no keyset") };
    let mut back = now.keys().to_vec();
    for key in &mut back {
        if key.purpose == tongguan_pass::Purpose::Lists {
            (key.id, key.key) = (KeyId(4), lists.verifying_key());
        }
    }
    let forged =
        tongguan_pass::Keyset::new(now.version + 1, now.issued_at, back).unwrap().sign(&[(KeyId(1), &old_root)]);
    head.keyset = FileRef::to(now.version + 1, &forged);
    fs::write(shelf.join(Sha256Hash::of(&forged).to_string()), &forged).unwrap();
    fs::write(&place, head.sign(KeyId(4), &lists)).unwrap();
    let said = checkpoint.sync_from(&source);
    assert!(error(&said).contains("0 good signatures of the 1 needed"), "{}", said.out);
    fs::write(&place, good).unwrap();
    checkpoint.sync_from(&source).ok();
}

#[test]
fn lists_that_a_thief_signed_far_ahead_are_overcome_once_the_root_has_taken_the_key_away() {
    let registry = Registry::new();
    let person = registry.person("周某");
    let code = registry.printed(&person);
    let checkpoint = Checkpoint::synced(&registry);
    let pem = fs::read_to_string(Path::new(&registry.data()).join("keys/lists-4.pem")).unwrap();
    let stolen = SigningKey::from_pkcs8_pem(&pem).unwrap();

    // The last version there is, and a time that is still to come: no true head comes after it.
    let stick = registry.bundle();
    let place = stick.path().join("v1/head");
    let mut head = Head::peek_unverified(&fs::read(&place).unwrap()).unwrap();
    head.version = u32::MAX;
    (head.issued_at, head.expires_at) = (head.issued_at + 30 * 86_400, head.expires_at + 60 * 86_400);
    fs::write(&place, head.sign(KeyId(4), &stolen)).unwrap();
    checkpoint.sync_from(&stick.path().display().to_string()).ok();

    registry.revoke(&person);
    let said = sync(&checkpoint, &registry);
    assert!(error(&said).contains("it goes back"), "the key is still good: {}", said.out);
    keys(&registry, &["revoke", "4", "--yes"]).ok();
    let report = sync(&checkpoint, &registry).ok().one();
    assert_eq!((&report["changed"], &report["revoked"]), (&true.into(), &1.into()), "{report}");
    assert_eq!(checkpoint.verdict(&code), ("deny".into(), "revoked".into()));
    // What the thief made does not come back, nor do the true lists from before.
    let said = checkpoint.sync_from(&stick.path().display().to_string());
    assert!(error(&said).contains("goes back"), "{}", said.out);
}

#[test]
fn a_running_registry_makes_the_keys_that_are_due_by_itself() {
    let mut registry = Registry::new();
    let ahead = "[keys]\nlife_days = 400\nahead_days = 399\n";
    fs::write(Path::new(&registry.data()).join("registry.toml"), ahead).unwrap();
    let before = keys(&registry, &["list"]).ok().json();
    assert!(before[0]["todo"].as_str().unwrap().contains("keys rotate"), "{}", before[0]);
    registry.serve();
    let made = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        keys(&registry, &["list"]).ok().json().iter().filter(|k| k["state"] == "next").count() == 7
    });
    assert!(made);
    fs::write(Path::new(&registry.data()).join("registry.toml"), "[keys]\nahead_days = 0\n").unwrap();
    assert!(error(&keys(&registry, &["rotate"]).with_code(1)).contains("registry.toml"));
}

#[test]
fn a_gate_that_was_away_while_the_root_was_rotated_twice_follows_both_steps_at_once() {
    let registry = Registry::new();
    let person = registry.person("周某");
    let checkpoint = Checkpoint::synced(&registry);
    let first = fs::read(registry.root()).unwrap();
    for version in [2, 3] {
        assert_eq!(keys(&registry, &["root-rotate"]).ok().one()["root"], version);
    }
    assert_ne!(fs::read(registry.root()).unwrap(), first, "root.pub is the new one");
    let left: Vec<_> = fs::read_dir(Path::new(&registry.data()).join("keys")).unwrap().flatten().collect();
    assert_eq!(left.iter().filter(|e| e.file_name().to_string_lossy().starts_with("root-")).count(), 1);
    assert_eq!(sync(&checkpoint, &registry).ok().one()["changed"], true);
    assert_eq!(checkpoint.verdict(&registry.live(&person)), pass());
    // A gate that is set up now is given the new root and needs none before it.
    assert_eq!(Checkpoint::synced(&registry).verdict(&registry.live(&person)), pass());
    // A registry with a root of its own is still another registry.
    let said = sync(&checkpoint, &Registry::new());
    assert!(error(&said).contains("another registry"), "{}", said.out);
}

/// The registry after the ceremony of docs/OPERATIONS.md: a root of 2 of 3, whose keys are with people.
struct OfflineRoot {
    registry: Registry,
    safe: PathBuf,
}

impl OfflineRoot {
    fn new() -> Self {
        let registry = Registry::new();
        let safe = registry.dir.path().join("safe");
        let (data, drafted) = (registry.data(), keys(&registry, &["root-rotate", "--draft"]).ok().one());
        let path = |p: &Path| p.display().to_string();
        let (new, keyset) = (path(&safe.join("root.draft")), text(&drafted["draft"]));
        let root = registry.root();
        offline(&["root-new", "--after", &root, "--keys", "3", "--threshold", "2", "--out", &path(&safe)]).ok();
        let import = || keys(&registry, &["import", &new, &keyset]);
        assert!(error(&import().with_code(1)).contains("the new root has 0 of the 1 signatures"));
        offline(&["sign", "--root", &root, "--root-key", &format!("{data}/keys/root-1.pem"), &new]).ok();
        let one = path(&safe.join("root-2.pem"));
        offline(&["sign", "--root", &root, "--root-key", &one, &new, &keyset]).ok();
        assert!(error(&import().with_code(1)).contains("the keyset has 1 of the 2 signatures"));
        let two = path(&safe.join("root-3.pem"));
        offline(&["sign", "--root", &root, "--root-key", &two, &new, &keyset]).ok();
        assert_eq!(import().ok().one()["root"], 2);
        Self { registry, safe }
    }

    fn sign(&self, key: u8, file: &str) -> Said {
        let key = self.safe.join(format!("root-{key}.pem")).display().to_string();
        offline(&["sign", "--root", &self.registry.root(), "--root-key", &key, file])
    }
}

#[test]
fn a_root_of_2_of_3_signs_with_one_key_lost_and_one_signature_is_not_enough() {
    let world = OfflineRoot::new();
    let registry = &world.registry;
    let person = registry.person("周某");
    let checkpoint = Checkpoint::synced(registry);
    let private = fs::read_dir(Path::new(&registry.data()).join("keys")).unwrap().flatten();
    assert!(!private.into_iter().any(|e| e.file_name().to_string_lossy().starts_with("root-")), "none is left here");
    assert!(error(&keys(registry, &["root-rotate"]).with_code(1)).contains("0 of the 2"));

    fs::remove_file(world.safe.join("root-3.pem")).unwrap();
    let printed = registry.printed(&person);
    let waiting = keys(registry, &["revoke", "3", "--yes"]).ok().one();
    assert_eq!((waiting["status"].as_str(), waiting["missing"].as_u64()), (Some("waiting"), Some(2)));
    assert_eq!(id(registry, "printed", "current"), 3, "nothing is published before");
    let twice = keys(registry, &["rotate"]).ok().one();
    assert_eq!((&twice["status"], &twice["fingerprint"]), (&waiting["status"], &waiting["fingerprint"]));

    // Each holder signs a copy of their own.
    let draft = text(&waiting["draft"]);
    let copies = ["a.draft", "b.draft"].map(|name| registry.dir.path().join(name).display().to_string());
    copies.iter().for_each(|copy| fs::copy(&draft, copy).map(|_| ()).unwrap());
    let signed = world.sign(2, &copies[0]).ok().one();
    assert_eq!((&signed["fingerprint"], &signed["signed_by"]), (&waiting["fingerprint"], &serde_json::json!([2])));
    let said = keys(registry, &["import", &copies[0]]).with_code(1);
    assert!(error(&said).contains("1 of the 2 signatures needed by keys of root 2; 1 more must sign"), "{}", said.err);
    sync(&checkpoint, registry).ok();
    assert_eq!(checkpoint.verdict(&printed), pass());

    world.sign(4, &copies[1]).ok();
    assert_eq!(keys(registry, &["import", &copies[1]]).ok().one()["gone"][0]["id"], 3, "signatures made apart add up");
    sync(&checkpoint, registry).ok();
    assert_eq!(checkpoint.verdict(&printed), ("deny".into(), "unknown_key".into()));
    assert_eq!(checkpoint.verdict(&registry.printed(&person)), pass());
}

#[test]
fn an_older_draft_cannot_bring_a_revoked_key_back_nor_a_stranger_sign() {
    let world = OfflineRoot::new();
    let registry = &world.registry;
    let older = text(&keys(registry, &["rotate", "--purpose", "live"]).ok().one()["draft"]);
    let kept = registry.dir.path().join("older.draft").display().to_string();
    fs::copy(&older, &kept).unwrap();
    world.sign(2, &kept).ok();
    world.sign(3, &kept).ok();
    keys(registry, &["revoke", "1", "--yes"]).ok();
    assert!(error(&keys(registry, &["import", &kept]).with_code(1)).contains("older draft"));

    let stranger = Registry::new();
    let key = format!("{}/keys/root-1.pem", stranger.data());
    let said = offline(&["sign", "--root", &registry.root(), "--root-key", &key, &older]).with_code(1);
    assert!(error(&said).contains("neither the root nor a new root"), "{}", said.err);
}

#[test]
fn a_root_whose_keys_are_with_people_is_replaced_by_them_and_gates_follow() {
    let world = OfflineRoot::new();
    let registry = &world.registry;
    let checkpoint = Checkpoint::synced(registry);
    let keyset = text(&keys(registry, &["root-rotate", "--draft"]).ok().one()["draft"]);
    let next = registry.dir.path().join("next");
    let path = |name: &str| next.join(name).display().to_string();
    let made = offline(&["root-new", "--after", &registry.root(), "--out", &next.display().to_string()]).ok().one();
    assert_eq!((made["version"].as_u64(), made["keys"].as_array().unwrap().len()), (Some(3), 3));
    world.sign(3, &path("root.draft")).ok();
    world.sign(4, &path("root.draft")).ok();
    let (a, b) = (path("root-5.pem"), path("root-7.pem"));
    let args = ["sign", "--root", &registry.root(), "--root-key", &a, "--root-key", &b, &path("root.draft"), &keyset];
    offline(&args).ok();
    assert_eq!(keys(registry, &["import", &path("root.draft"), &keyset]).ok().one()["root"], 3);
    sync(&checkpoint, registry).ok();
    let acts = keys(registry, &["list"]).ok().json();
    assert_eq!((&acts.last().unwrap()["root"], &acts.last().unwrap()["root_keys_here"]), (&3.into(), &0.into()));
}

#[test]
fn private_keys_are_for_their_owner_only_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = OfflineRoot::new();
    let mode = |p: &Path| fs::metadata(p).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&world.safe), 0o700);
    assert_eq!(rotate_soon(&world.registry, "certificate")["status"], "waiting");
    let folders = [world.safe.clone(), Path::new(&world.registry.data()).join("keys")];
    let files = folders.iter().flat_map(|f| fs::read_dir(f).unwrap().flatten()).map(|e| e.path());
    for key in files.filter(|p| p.extension().is_some_and(|e| e == "pem")) {
        assert_eq!(mode(&key), 0o600, "{}", key.display());
    }
    let safe = world.safe.display().to_string();
    let said = offline(&["root-new", "--after", &world.registry.root(), "--out", &safe]).with_code(2);
    assert!(error(&said).contains("cannot make the folder"), "{}", said.err);
}
