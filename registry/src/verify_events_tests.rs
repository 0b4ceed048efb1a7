//! What devices may hand in, and when, without the verification accusing anybody or failing.

use tongguan_pass::event::chain;
use tongguan_pass::{Batch, Sha256Hash, SigningKey};

use super::*;

/// The signed batch of a device's records `from` to `to`.
fn batch(key: &SigningKey, from: u64, to: u64) -> Vec<u8> {
    let record = |seq: u64| [&[200][..], &seq.to_be_bytes()].concat();
    let previous = (1..from).fold(Sha256Hash([0; 32]), |value, seq| chain(&value, seq, &record(seq)));
    let records = (from..=to).map(record).collect();
    Batch { device: key.verifying_key(), first_seq: from, previous, records }.sign(key)
}

fn registry() -> (tempfile::TempDir, Registry) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    Registry::init(&data).expect("set up");
    let registry = Registry::open(&data).expect("opens");
    (folder, registry)
}

#[test]
fn batches_that_come_while_the_events_are_verified_accuse_nobody() {
    let (_folder, registry) = registry();
    let gate = SigningKey::from_bytes(&[1; 32]);
    for (from, to) in [(1, 500), (501, 990), (1_001, 1_020)] {
        registry.accept(&batch(&gate, from, to)).expect("taken");
    }
    // Progress is told when a page of records has been read: the batches come after it.
    let mut came = false;
    let found = registry.verify_events(None, &mut |_, _| {
        if !came {
            came = true;
            registry.accept(&batch(&gate, 991, 1_000)).expect("fills the gap");
            registry.accept(&batch(&gate, 1_021, 1_070)).expect("goes on");
        }
    });
    let found = found.expect("read");
    assert!(came);
    let missing = Finding { fault: Fault::Missing, from: 991, to: 1_000 };
    assert_eq!((found[0].records, &found[0].findings[..]), (1_010, &[missing][..]));
    let found = registry.verify_events(None, &mut |_, _| {}).expect("read");
    assert!(found[0].is_sound(), "{:?}", found[0].findings);
    assert_eq!(found[0].records, 1_070);
}

#[test]
fn the_count_of_records_is_of_those_stored_whatever_numbers_devices_give_them() {
    let (_folder, registry) = registry();
    for n in 1..=5 {
        let stranger = SigningKey::from_bytes(&[n; 32]);
        let (first_seq, previous) = ((1 << 62) - 2, Sha256Hash([n; 32]));
        let batch = Batch { device: stranger.verifying_key(), first_seq, previous, records: vec![vec![200]] };
        registry.accept(&batch.sign(&stranger)).expect("taken");
    }
    let mut last = (0, 0);
    let found = registry.verify_events(None, &mut |done, of| last = (done, of)).expect("read");
    assert_eq!(last, (5, 5));
    assert!(found.iter().all(|v| v.findings == [Finding { fault: Fault::Missing, from: 1, to: (1 << 62) - 3 }]));
}
