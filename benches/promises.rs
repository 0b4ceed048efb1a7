//! What the checkpoint promises about cost, each as a ratio to its bare minimum measured in the same run.
//!
//! `make bench` runs it; the table at the end is what counts, the times above it are for the curious.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints its results")]

use std::hint::black_box;
use std::path::Path;

use criterion::{BatchSize, Criterion};
use ed25519_dalek::Signature;
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};
use tongguan::decide::{Dates, Inputs, Ladder, Reason, Uses, Verdict, decide};
use tongguan::store::{Change, DataDir, TrustStore, Update};
use tongguan_pass::{
    Carried, Certificate, ClockSource, Flags, Head, Interval, KeyId, Keyset, Live, Place, Policy, Printed, Purpose,
    RegistryKey, Revocation, RevocationList, RevocationSet, Root, SigningKey,
    file::FileRef,
    head::Revocations,
    policy::{Edition, Rule, Surge},
};

const NOW: u32 = 1_800_000_000;
const REVOKED: usize = 100_000;

fn key(purpose: Purpose) -> SigningKey {
    SigningKey::from_bytes(&[purpose as u8; 32])
}

fn keyset() -> Keyset {
    let keys = Purpose::ALL.map(|purpose| RegistryKey {
        id: KeyId(purpose as u16),
        purpose,
        not_before: NOW - 100_000,
        not_after: NOW + 10_000_000,
        key: key(purpose).verifying_key(),
    });
    Keyset::new(1, NOW, keys.to_vec()).unwrap()
}

/// Random handles, all revoked on one day for one reason; handle 77, which the codes here carry, is not among them.
fn random_entries(count: usize, seed: u64) -> Vec<Revocation> {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut handles = std::collections::BTreeSet::new();
    while handles.len() < count {
        handles.insert(dice.random_range(1000..u32::MAX));
    }
    handles.into_iter().map(|handle| Revocation { handle, reason: 1, expiry_day: 30_000 }).collect()
}

/// A code of each kind with the bytes its signatures cover, for the bare verification.
fn codes() -> Vec<(&'static str, String, usize, usize)> {
    let (category, community, flags) = (1, 1, Flags::default());
    let live = Live { key: KeyId(1), handle: 77, issued_at: NOW - 5, ttl_minutes: 10, category, community, flags };
    let printed = Printed {
        key: KeyId(3),
        handle: 77,
        valid_from: NOW - 60,
        valid_to: NOW + 60,
        category,
        community,
        building: 0,
        entries: 1,
        flags,
    };
    let holder = SigningKey::from_bytes(&[9; 32]);
    let certificate = Certificate {
        key: KeyId(2),
        handle: 77,
        valid_from: NOW - 60,
        hours: 24,
        category,
        community,
        flags,
        holder: holder.verifying_key(),
    };
    let carried = Carried::make(&certificate.sign(&key(Purpose::Certificate)), NOW - 5, &holder);
    // Context, zero byte and body.
    vec![
        ("live", live.sign(&key(Purpose::Live)), "tongguan/1/live".len() + 1 + 18, 1),
        ("printed", printed.sign(&key(Purpose::Printed)), "tongguan/1/printed".len() + 1 + 24, 1),
        ("carried", carried, "tongguan/1/certificate".len() + 1 + 50, 2),
    ]
}

fn decisions(c: &mut Criterion) {
    let keys = keyset();
    let revocations = RevocationSet::new(random_entries(REVOKED, 1)).unwrap();
    let uses = Uses::default();
    // As a city's may be: the gate's community has as much to look at as it may have.
    let rules = [Rule::OWN; 32].map(|rule| Rule { first: 2, ..rule });
    let edition = |n| Edition { community: 1, effective_from: n, rules: rules.to_vec(), ..Edition::built_in() };
    let mut editions: Vec<Edition> = (0..15).map(edition).collect();
    editions.push(Edition { rules: [&rules[..31], &[Rule::OWN]].concat(), ..edition(15) });
    let surges = vec![Surge { from: NOW - 60, until: NOW + 60, minutes: 60 }];
    let policy = Policy::new(480, surges, editions).unwrap();
    let place = Place { communities: vec![1], otherwise: Edition::built_in() };
    let (now, dates) =
        (Interval::exactly(i64::from(NOW)), Dates { issued_at: i64::from(NOW), expires_at: i64::from(NOW) });
    let inputs = Inputs {
        now,
        keys: &keys,
        revocations: &revocations,
        ladder: Ladder::of(now, ClockSource::Synced, Some(dates), &keys, policy.list_limits(&place, now)),
        uses: &uses,
        policy: &policy,
        place: &place,
    };
    for (kind, text, length, signatures) in codes() {
        let verdict = decide(&text, &inputs);
        assert_eq!((verdict.verdict, verdict.reason), (Verdict::Pass, Reason::Fresh), "{kind}");
        let signer = key(Purpose::Live);
        let (message, public) = (vec![7; length], signer.verifying_key());
        let signature: Signature = ed25519_dalek::Signer::sign(&signer, &message);
        let mut group = c.benchmark_group(format!("decide-{kind}"));
        group.bench_function("bare", |b| {
            b.iter(|| {
                (0..signatures).all(|_| public.verify_strict(black_box(&message), black_box(&signature)).is_ok())
            });
        });
        group.bench_function("ours", |b| b.iter(|| decide(black_box(&text), black_box(&inputs))));
        group.finish();
    }
}

/// A store that has synced an empty list, what it believes, and the delta of 100,000 entries that comes next.
fn store(dir: &Path) -> (TrustStore, Vec<u8>, Root, Keyset) {
    let root_key = SigningKey::from_bytes(&[42; 32]);
    let keys = vec![(KeyId(1), root_key.verifying_key())];
    let root = Root { version: 1, issued_at: NOW, previous: None, threshold: 1, keys };
    let file = root.sign(&[(KeyId(1), &root_key)]);
    let data = DataDir::init(dir, &file).unwrap();
    (TrustStore::open(&data).unwrap(), file, root, keyset())
}

fn head(set: &RevocationSet, version: u32) -> Head {
    let none = FileRef::to(version, b"");
    let revocations = Revocations {
        version,
        oldest_day: 0,
        count: u32::try_from(set.entries().len()).unwrap(),
        checksum: set.checksum(),
        snapshot: none,
        deltas: vec![],
    };
    Head {
        epoch: 1,
        version,
        issued_at: NOW,
        expires_at: NOW + 1,
        root: none,
        keyset: none,
        revocations,
        files: vec![],
    }
}

fn apply(c: &mut Criterion) {
    let delta = RevocationList { epoch: 1, from: Some(1), to: 2, entries: random_entries(REVOKED, 2) }.encode();
    let after = head(&RevocationSet::new(random_entries(REVOKED, 2)).unwrap(), 2);
    let mut group = c.benchmark_group("apply-100k-delta");
    group.sample_size(20);
    group.bench_function("bare", |b| {
        b.iter_batched(
            || {
                let dir = tempfile::tempdir().unwrap();
                let db = rusqlite::Connection::open(dir.path().join("bare.db")).unwrap();
                db.execute_batch(
                    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                     CREATE TABLE revocation (handle INTEGER PRIMARY KEY, reason INTEGER NOT NULL, expiry_day INTEGER NOT NULL) STRICT;",
                )
                .unwrap();
                (dir, db, random_entries(REVOKED, 2))
            },
            |(dir, mut db, entries)| {
                let tx = db.transaction().unwrap();
                let mut row = tx.prepare("INSERT INTO revocation VALUES (?1, ?2, ?3)").unwrap();
                for e in entries {
                    row.execute(rusqlite::params![e.handle, e.reason, e.expiry_day]).unwrap();
                }
                drop(row);
                tx.commit().unwrap();
                (dir, db)
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function("ours", |b| {
        b.iter_batched(
            || {
                let dir = tempfile::tempdir().unwrap();
                let (store, root_file, root, keys) = store(&dir.path().join("data"));
                let trust = tongguan::store::Trust {
                    root_file,
                    root,
                    keyset_file: vec![],
                    keys,
                    head_file: vec![],
                    head: None,
                    revocations: RevocationSet::default(),
                    policy_file: vec![],
                    policy: Policy::default(),
                };
                (dir, store, trust)
            },
            // Everything from the file's bytes to the committed transaction: decoding, the set, its checksum, the rows.
            |(dir, mut store, trust)| {
                let list = RevocationList::decode(black_box(&delta)).unwrap();
                let set = trust.revocations.after(&list.entries, 0).unwrap();
                assert_eq!(set.checksum(), after.revocations.checksum);
                let trust = tongguan::store::Trust { revocations: set, ..trust };
                store.apply(&Update { replaces: vec![], trust, change: Change::Add(list.entries, 0) }).unwrap();
                (dir, store)
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// log2 of the number of sets of `n` out of 2^32.
fn entropy_bits(n: u32) -> f64 {
    (0..n).map(|i| ((4_294_967_296.0 - f64::from(i)) / f64::from(n - i)).log2()).sum()
}

/// Criterion's median of a benchmark that just ran, in nanoseconds.
fn median(name: &str) -> f64 {
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into());
    let path = format!("{target}/criterion/{name}/new/estimates.json");
    let estimates: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    estimates["median"]["point_estimate"].as_f64().unwrap()
}

fn main() {
    let mut c = Criterion::default().configure_from_args();
    decisions(&mut c);
    apply(&mut c);
    c.final_summary();

    println!("\n{:<46} {:>10} {:>10} {:>7} {:>9}", "promise (medians of this run)", "ours", "bare", "ratio", "at most");
    for (what, group, most) in [
        ("live: text to verdict / one verify_strict", "decide-live", 1.3),
        ("printed: text to verdict / one verify_strict", "decide-printed", 1.3),
        ("carried: text to verdict / two verify_strict", "decide-carried", 1.3),
        ("100,000-entry delta / bare SQLite insertion", "apply-100k-delta", 2.0),
    ] {
        let (ours, bare) = (median(&format!("{group}/ours")), median(&format!("{group}/bare")));
        let us = |ns: f64| format!("{:.1} us", ns / 1000.0);
        println!("{what:<46} {:>10} {:>10} {:>7.3} {most:>9.2}", us(ours), us(bare), ours / bare);
    }
    let snapshot = RevocationList { epoch: 1, from: None, to: 1, entries: random_entries(13_000, 3) }.encode();
    let (bytes, bound) = (f64::from(u32::try_from(snapshot.len()).unwrap()), entropy_bits(13_000) / 8.0);
    println!(
        "{:<46} {:>8} B {:>8.0} B {:>7.3} {:>9.2}",
        "snapshot of 13,000 random handles / entropy",
        snapshot.len(),
        bound,
        bytes / bound,
        1.05
    );
}
