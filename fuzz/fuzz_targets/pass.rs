//! Everything signed that comes from outside: parsing is total, what was changed is not believed, and what is read can be
//! written again.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tongguan_pass::head::{DeltaRef, Revocations};
use tongguan_pass::{
    Batch, Carried, Certificate, ClockSource, Event, FileRef, Flags, GateOutcome, Head, Interval, KeyId, Keyset, Live,
    Note, OutcomeCode, Printed, Purpose, Receipt, RegistryKey, Revocation, RevocationList, RevocationSet, Root,
    Sha256Hash, SigningKey, TimeReply, Unverified,
};

/// Good ones of each kind, for the input to spoil.
struct Good {
    root: Root,
    keys: Keyset,
    codes: Vec<String>,
    files: Vec<Vec<u8>>,
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn codes() -> Vec<String> {
    let (handle, category, community, flags) = (77, 1, 1, Flags::default());
    let [live, certificate, printed] = [Purpose::Live, Purpose::Certificate, Purpose::Printed];
    let holder = key(99).verifying_key();
    let certified = Certificate {
        key: KeyId(certificate as u16),
        handle,
        valid_from: 1000,
        hours: 24,
        category,
        community,
        flags,
        holder,
    };
    let live_code =
        Live { key: KeyId(live as u16), handle, issued_at: 1000, ttl_minutes: 10, category, community, flags };
    let printed_code = Printed {
        key: KeyId(printed as u16),
        handle,
        valid_from: 1000,
        valid_to: 9000,
        category,
        community,
        building: 3,
        entries: 1,
        flags,
    };
    vec![
        live_code.sign(&key(live as u8)),
        Carried::make(&certified.sign(&key(certificate as u8)), 2000, &key(99)),
        printed_code.sign(&key(printed as u8)),
    ]
}

fn event() -> Vec<u8> {
    let event = Event {
        id: [1; 16],
        earliest_ms: 1,
        latest_ms: 2,
        clock: ClockSource::Synced,
        lane: "north".into(),
        kind: 1,
        handle: 77,
        outcome: OutcomeCode::Pass,
        reason: "fresh".into(),
        gate: GateOutcome::Opened,
        latency_us: [1, 2, 3, 4],
    };
    event.encode()
}

static GOOD: LazyLock<Good> = LazyLock::new(|| {
    let keys = Purpose::ALL.map(|purpose| RegistryKey {
        id: KeyId(purpose as u16),
        purpose,
        not_before: 0,
        not_after: u32::MAX,
        key: key(purpose as u8).verifying_key(),
    });
    let keys = Keyset::new(1, 7, keys.to_vec()).expect("a good keyset");
    let root_keys = (1..=3).map(|id| (KeyId(id.into()), key(20 + id).verifying_key())).collect();
    let root = Root { version: 1, issued_at: 7, previous: None, threshold: 2, keys: root_keys };
    let (one, two) = (key(21), key(22));
    let by_root = [(KeyId(1), &one), (KeyId(2), &two)];
    let entries: Vec<_> = (0..40).map(|i| Revocation { handle: i * i * 31, reason: 1, expiry_day: 9 }).collect();
    let set = RevocationSet::new(entries.clone()).expect("a good set");
    let list = RevocationList { epoch: 1, from: Some(1), to: 2, entries }.encode();
    let none = FileRef::to(1, b"");
    let head = Head {
        epoch: 1,
        version: 2,
        issued_at: 7,
        expires_at: 9,
        root: none,
        keyset: none,
        revocations: Revocations {
            version: 2,
            oldest_day: 0,
            count: 40,
            checksum: set.checksum(),
            snapshot: none,
            deltas: vec![DeltaRef { from: 1, file: FileRef::to(2, &list) }],
        },
        files: vec![],
    };
    let batch = Batch {
        device: key(50).verifying_key(),
        first_seq: 1,
        previous: Sha256Hash([0; 32]),
        records: vec![event(), event()],
    };
    let notes_key = keys.notes_key(1).expect("a notes key").clone();
    let note = Note::seal([1; 16], &notes_key, b"a note", [7; 32]).expect("a good note").encode();
    let receipt = Receipt { device: key(50).verifying_key(), first_seq: 1, next_seq: 3, chain: Sha256Hash([4; 32]) };
    let files = vec![
        root.sign(&by_root),
        keys.sign(&by_root),
        head.sign(KeyId(Purpose::Lists as u16), &key(Purpose::Lists as u8)),
        TimeReply { nonce: [5; 16], at_ms: 7 }.sign(KeyId(Purpose::Time as u16), &key(Purpose::Time as u8)),
        batch.sign(&key(50)),
        list,
        event(),
        receipt.sign(KeyId(Purpose::Receipt as u16), &key(Purpose::Receipt as u8)),
        note,
    ];
    Good { root, keys, codes: codes(), files }
});

/// Overwrites, cuts or lengthens: three bytes a change.
fn spoil(good: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for &[a, b, value] in changes.as_chunks().0 {
        let at = usize::from(u16::from_le_bytes([a, b & 15]));
        match b >> 4 {
            0 => bytes.truncate(at),
            1 => bytes.resize((bytes.len() + at).min(1 << 16), value),
            _ if bytes.is_empty() => {}
            _ => {
                let length = bytes.len();
                bytes[at % length] = value;
            }
        }
    }
    bytes
}

fn read_text(text: &str) {
    let Ok(code) = Unverified::parse(text) else { return };
    let verified = code.verify(&GOOD.keys);
    if let Ok(code) = verified {
        assert!(GOOD.codes.iter().any(|good| good == text), "believed {text}");
        for at in [i64::MIN, -1, 0, 1500, i64::from(u32::MAX), i64::MAX] {
            code.freshness(Interval::exactly(at));
            code.freshness(Interval { earliest: at, latest: i64::MAX });
        }
    }
}

fn read_file(bytes: &[u8]) {
    Root::open_pinned(bytes).ok();
    GOOD.root.open_successor(&GOOD.files[0], bytes).ok();
    Keyset::open(bytes, &GOOD.root).ok();
    if let Ok(head) = Head::peek_unverified(bytes) {
        assert!(head.follows(&head));
        head.revocations.path_from(1);
    }
    let receipt = Receipt::open(bytes, &GOOD.keys, &key(50).verifying_key());
    let believed = Head::open(bytes, &GOOD.keys).is_ok()
        || TimeReply::open(bytes, &GOOD.keys, &[5; 16]).is_ok()
        || receipt.is_ok();
    assert!(!believed || GOOD.files.iter().any(|good| good == bytes), "a spoiled file is believed");
    if let Ok(batch) = Batch::open(bytes) {
        for (_, record, _) in batch.chained() {
            Event::decode(record).ok();
        }
    }
    if let Ok(list) = RevocationList::decode(bytes) {
        // SY 5.3: a reader takes any parameter, so another file may hold the same list.
        assert_eq!(RevocationList::decode(&list.encode()).as_ref(), Ok(&list));
        RevocationSet::new(list.entries.clone()).and_then(|set| set.after(&list.entries, 3)).ok();
    }
    if let Ok(Some(note)) = Note::decode(bytes) {
        assert_eq!(note.encode(), bytes);
        let opened = note.open(&key(Purpose::Notes as u8));
        // What it is about is for the batch to sign; what was sealed speaks for itself.
        let sealed = |file: &[u8]| file.get(19..).map(<[u8]>::to_vec);
        assert!(opened.is_err() || GOOD.files.iter().any(|good| sealed(good) == sealed(bytes)), "a spoiled note opens");
    }
    if let Ok(Some(event)) = Event::decode(bytes) {
        assert_eq!(event.encode(), bytes);
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((how, rest)) = data.split_first() else { return };
    match usize::from(how % 16) {
        0 => read_file(rest),
        1 => read_text(&String::from_utf8_lossy(rest)),
        2 => drop(Unverified::from_bytes(rest.to_vec()).map(|code| code.verify(&GOOD.keys).is_ok())),
        i @ 3..=5 => read_text(&String::from_utf8_lossy(&spoil(GOOD.codes[i - 3].as_bytes(), rest))),
        i => read_file(&spoil(&GOOD.files[(i - 6) % GOOD.files.len()], rest)),
    }
});
