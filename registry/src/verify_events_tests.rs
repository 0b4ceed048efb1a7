//! What is handed in while the events are verified accuses nobody.

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

#[test]
fn batches_that_come_while_the_events_are_verified_accuse_nobody() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    Registry::init(&data).expect("set up");
    let registry = Registry::open(&data).expect("opens");
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
