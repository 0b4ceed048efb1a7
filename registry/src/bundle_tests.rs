//! How long files stay that no head names any more.

use std::num::NonZeroUsize;

use tongguan_pass::SigningKey;

use super::*;
use crate::domain::audit::Actor;
use crate::registry::Registry;
use crate::roster::Effort;

const NOW: u32 = 1_790_000_000;

/// A registry, and the folder that a web server serves.
fn begin() -> (tempfile::TempDir, Registry, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    Registry::init(&data).expect("set up");
    let registry = Registry::open(&data).expect("opens");
    let shelf = folder.path().join("web");
    (folder, registry, shelf)
}

/// Bundles a head whose snapshot no other head names, and gives the snapshot's place.
fn bundle(registry: &Registry, web: &Path, now: u32) -> PathBuf {
    registry.publish_new_epoch().expect("published");
    let (edition, files) = registry.store().edition().expect("there");
    write(web, &edition, &files, now).expect("written");
    let snapshot = web.join("v1/files").join(edition.head.revocations.snapshot.hash.to_string());
    assert!(snapshot.exists());
    snapshot
}

#[test]
fn files_stay_for_two_days_after_the_next_head_however_long_theirs_was_current() {
    let (_folder, registry, web) = begin();
    let first = bundle(&registry, &web, NOW);
    // Weekly, say: the time at which the file was written is long ago, but a moment ago its head was current.
    let second = bundle(&registry, &web, NOW + 10 * DAY);
    assert!(first.exists());
    let third = bundle(&registry, &web, NOW + 11 * DAY);
    assert!(first.exists() && second.exists());
    let left = web.join("v1/files").join(format!("{}.part", "0".repeat(64)));
    fs::write(&left, "cut off").expect("written");
    bundle(&registry, &web, NOW + 12 * DAY);
    assert!(!first.exists() && second.exists() && third.exists() && !left.exists());
}

#[test]
fn a_wrong_clocks_file_does_not_stay_for_ever() {
    let (_folder, registry, web) = begin();
    let first = bundle(&registry, &web, NOW + 1_000 * DAY);
    bundle(&registry, &web, NOW + 1_000 * DAY);
    bundle(&registry, &web, NOW);
    assert!(!first.exists());
}

#[test]
fn on_a_full_medium_everything_goes_but_what_the_heads_name() {
    let (_folder, registry, web) = begin();
    let (first, second) = (bundle(&registry, &web, NOW), bundle(&registry, &web, NOW + 1));
    let needed: Vec<String> = named_by_the_head_in(&web);
    assert_eq!(needed.len(), 3, "root, keyset and snapshot");
    remove_unneeded(&web.join("v1/files"), &needed, None);
    assert!(!first.exists() && second.exists());
    assert_eq!(fs::read_dir(web.join("v1/files")).expect("there").count(), 3);
}

#[test]
fn the_rosters_of_the_head_before_stay_for_two_days_too() {
    let (_folder, registry, web) = begin();
    let roster = |gate: u8, now: u32| {
        registry.enrol(&SigningKey::from_bytes(&[gate; 32]).verifying_key(), &[1]).expect("enrolled");
        let mut effort = Effort { threads: NonZeroUsize::MIN, go_on: &mut |_, _, _| true };
        registry.make_rosters(None, &Actor::Operator, &mut effort).expect("made");
        registry.publish(Actor::Operator).expect("published");
        let (edition, files) = registry.store().edition().expect("there");
        write(&web, &edition, &files, now).expect("written");
        let shelf = web.join("v1/files");
        let index = edition.head.rosters().expect("an index").hash.to_string();
        let index = RosterIndex::decode(&fs::read(shelf.join(index)).expect("read")).expect("an index");
        let roster = shelf.join(index.of(1).expect("a roster").hash.to_string());
        assert!(roster.exists());
        roster
    };
    let first = roster(1, NOW);
    // A moment ago its head was current, however long ago it was written.
    let second = roster(2, NOW + 10 * DAY);
    assert!(first != second && first.exists());
    let third = roster(3, NOW + 13 * DAY);
    assert!(!first.exists() && second.exists() && third.exists());
}
