//! A journal and its events, for tests.

use tongguan_pass::{ClockSource, Event, GateOutcome, KeyId, OutcomeCode, Root, SigningKey};

use super::{DataDir, Journal, NewEntry};

pub(crate) fn data(dir: &tempfile::TempDir) -> DataDir {
    let key = SigningKey::from_bytes(&[1; 32]);
    let keys = vec![(KeyId(1), key.verifying_key())];
    let root = Root { version: 1, issued_at: 1, previous: None, threshold: 1, keys };
    DataDir::init(&dir.path().join("d"), &root.sign(&[(KeyId(1), &key)])).unwrap()
}

pub(crate) fn journal(dir: &tempfile::TempDir) -> Journal {
    Journal::open(&data(dir)).unwrap()
}

pub(crate) fn entry(id: u8) -> NewEntry {
    let event = Event {
        id: [id; 16],
        earliest_ms: 1,
        latest_ms: 2,
        clock: ClockSource::Synced,
        lane: "1".into(),
        kind: 0,
        handle: 0,
        outcome: OutcomeCode::Deny,
        reason: "damaged".into(),
        gate: GateOutcome::Closed,
        latency_us: [0; 4],
    };
    NewEntry { record: event.encode(), at: jiff::Timestamp::UNIX_EPOCH, code: None }
}
