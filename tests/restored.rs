//! A registry that was lost and put back from a copy: gates that have seen what it no longer knows follow it again.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;

use common::{Checkpoint, Registry};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &to) } else { fs::copy(entry.path(), to).map(drop).unwrap() }
    }
}

#[test]
fn gates_follow_a_registry_restored_from_a_backup_into_its_new_epoch() {
    let registry = Registry::new();
    let (kept, revoked) = (registry.person("王小明"), registry.person("李小红"));
    let (good, bad) = (registry.printed(&kept), registry.printed(&revoked));
    let (data, backup) = (registry.dir.path().join("registry"), registry.dir.path().join("backup"));
    copy(&data, &backup);
    let early = Checkpoint::synced(&registry);
    for _ in 0..3 {
        registry.publish();
    }
    let late = Checkpoint::synced(&registry);

    fs::remove_dir_all(&data).unwrap();
    copy(&backup, &data);
    registry.revoke(&revoked);
    let sync = |gate: &Checkpoint| {
        let stick = registry.bundle();
        gate.sync_from(&stick.path().display().to_string())
    };
    // Without a new epoch the registry has no way back.
    let refused = sync(&late);
    assert_ne!(refused.code, Some(0), "{}", refused.out);
    assert_eq!(late.verdict(&bad).0, "pass", "the revocation is not heard of");

    let published = registry.command(&["publish", "--new-epoch"]).ok().one();
    assert_eq!((published["epoch"].as_u64(), published["version"].as_u64()), (Some(2), Some(1)));
    for gate in [&early, &late] {
        sync(gate).ok();
        assert_eq!(gate.verdict(&good).0, "pass");
        assert_eq!(gate.verdict(&bad), ("deny".to_owned(), "revoked".to_owned()));
    }
    // And on from there, by deltas.
    registry.revoke(&kept);
    for gate in [&early, &late] {
        sync(gate).ok();
        assert_eq!(gate.verdict(&good), ("deny".to_owned(), "revoked".to_owned()));
    }
}
