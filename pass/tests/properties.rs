//! What holds for every code and every list, whatever is in it.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;
use tongguan_pass::head::{DeltaRef, Revocations};
use tongguan_pass::{
    Batch, Body, Carried, Certificate, ClockSource, Event, FileRef, Flags, Freshness, GateOutcome, Head, Interval,
    KeyId, Keyset, Live, OutcomeCode, Printed, Purpose, RegistryKey, Revocation, RevocationList, RevocationSet, Root,
    Sha256Hash, SigningKey, TimeReply, Unverified, Verified, limits,
};

const LIVE: KeyId = KeyId(1);
const CERTIFICATE: KeyId = KeyId(2);
const PRINTED: KeyId = KeyId(3);
const LISTS: KeyId = KeyId(4);
const TIME: KeyId = KeyId(5);

/// Test keys: their seeds are one byte repeated.
fn key(n: u16) -> SigningKey {
    SigningKey::from_bytes(&[u8::try_from(n).expect("few keys"); 32])
}

fn holder() -> SigningKey {
    key(99)
}

fn keyset(not_before: u32, not_after: u32) -> Keyset {
    let keys = [LIVE, CERTIFICATE, PRINTED, LISTS, TIME].into_iter().zip(Purpose::ALL);
    let keys =
        keys.map(|(id, purpose)| RegistryKey { id, purpose, not_before, not_after, key: key(id.0).verifying_key() });
    Keyset::new(1, 0, keys.collect()).expect("a good keyset")
}

fn root() -> Root {
    let keys = (1..=3).map(|id| (KeyId(id), key(20 + id).verifying_key())).collect();
    Root { version: 1, issued_at: 7, previous: None, threshold: 2, keys }
}

/// Signed by as many root keys as are needed and no more, so that none of the signatures could be missed.
fn by_root(sign: impl Fn(&[(KeyId, &SigningKey)]) -> Vec<u8>) -> Vec<u8> {
    sign(&[(KeyId(1), &key(21)), (KeyId(2), &key(22))])
}

prop_compose! {
    fn live()(
        handle: u32, issued_at: u32, ttl_minutes in 1..=60_u8, category: u8, community: u32, specimen: bool,
    ) -> (String, Body) {
        let flags = Flags { specimen };
        let code = Live { key: LIVE, handle, issued_at, ttl_minutes, category, community, flags };
        (code.sign(&key(LIVE.0)), Body::Live(code))
    }
}

prop_compose! {
    fn carried()(
        handle: u32, valid_from: u32, hours in 1..=36_u8, category: u8, community: u32, specimen: bool,
        after in -4000..140_000_i64,
    ) -> (String, Body) {
        let certificate = Certificate {
            key: CERTIFICATE, handle, valid_from, hours, category, community, flags: Flags { specimen },
            holder: holder().verifying_key(),
        };
        let made_at = u32::try_from(i64::from(valid_from) + after).unwrap_or(valid_from);
        let text = Carried::make(&certificate.sign(&key(CERTIFICATE.0)), made_at, &holder());
        (text, Body::Carried(Carried { certificate, made_at }))
    }
}

prop_compose! {
    fn printed()(
        handle: u32, valid_from in 0..u32::MAX, seconds in 1..10_000_000_u32, category: u8, community: u32, building: u16,
        entries in 1..=255_u8, specimen: bool,
    ) -> (String, Body) {
        let code = Printed {
            key: PRINTED, handle, valid_from, valid_to: valid_from.saturating_add(seconds), category, community, building,
            entries, flags: Flags { specimen },
        };
        (code.sign(&key(PRINTED.0)), Body::Printed(code))
    }
}

fn any_code() -> impl Strategy<Value = (String, Body)> {
    prop_oneof![live(), carried(), printed()]
}

fn verify(text: &str, keys: &Keyset) -> Verified {
    Unverified::parse(text).expect("well-formed").verify(keys).expect("signed")
}

proptest! {
    #[test]
    fn a_code_comes_back_as_it_was_signed((text, body) in any_code()) {
        let code = Unverified::parse(&text).expect("well-formed");
        prop_assert_eq!(code.claims(), &body);
        let code = code.verify(&keyset(0, u32::MAX)).expect("signed");
        prop_assert_eq!(code.body(), &body);
        prop_assert_eq!(text.len(), 4 + (body.kind().bytes() * 8).div_ceil(5));
    }

    #[test]
    fn a_code_with_any_bit_flipped_is_refused((text, _) in any_code(), at: Index, bit in 0..8_u8) {
        let mut bytes = data_encoding::BASE32_NOPAD.decode(&text.as_bytes()[4..]).expect("base32");
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let flipped = Unverified::from_bytes(bytes).and_then(|code| code.verify(&keyset(0, u32::MAX)));
        prop_assert!(flipped.is_err());
    }

    #[test]
    fn a_text_with_any_bit_flipped_is_refused((text, _) in any_code(), at: Index, bit in 0..8_u8) {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let text = String::from_utf8_lossy(&bytes);
        prop_assert!(Unverified::parse(&text).and_then(|code| code.verify(&keyset(0, u32::MAX))).is_err());
    }

    #[test]
    fn no_text_is_too_odd_to_be_refused(text in any::<String>(), code in "TG1:[A-Z2-7]{0,300}") {
        for text in [text.clone(), format!("TG1:{text}"), code] {
            if let Ok(code) = Unverified::parse(&text) {
                prop_assert!(code.verify(&keyset(0, u32::MAX)).is_err());
            }
        }
    }

    #[test]
    fn no_bytes_are_too_odd_to_be_refused(
        mut bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            prop::collection::vec(any::<u8>(), 82),
            prop::collection::vec(any::<u8>(), 182),
            prop::collection::vec(any::<u8>(), 88),
        ],
        kind in 0x10..0x15_u8,
    ) {
        if let Some(first) = bytes.first_mut() {
            *first = kind;
        }
        if let Ok(code) = Unverified::from_bytes(bytes) {
            prop_assert!(code.verify(&keyset(0, u32::MAX)).is_err());
        }
    }

    #[test]
    fn what_is_certain_over_an_interval_holds_at_every_moment_of_it(
        (text, body) in any_code(),
        key_from in prop_oneof![Just(0), any::<u32>()],
        key_for in prop_oneof![Just(u32::MAX), 0..200_000_u32],
        near in -200_000..200_000_i64,
        width in prop_oneof![Just(0), 0..1300_i64, 0..200_000_i64],
        inside in prop::collection::vec(any::<Index>(), 8),
    ) {
        let verified = verify(&text, &keyset(key_from, key_from.saturating_add(key_for)));
        let start = match body {
            Body::Live(c) => c.issued_at,
            Body::Carried(c) => c.made_at,
            Body::Printed(c) => c.valid_from,
        };
        let earliest = i64::from(start) + near;
        let whole = verified.freshness(Interval { earliest, latest: earliest + width });
        let steps = usize::try_from(width + 1).expect("not negative");
        let moments = inside.iter().map(|i| earliest + i64::try_from(i.index(steps)).expect("small"));
        for moment in moments.chain([earliest, earliest + width]) {
            let exact = verified.freshness(Interval::exactly(moment));
            prop_assert_ne!(exact, Freshness::Uncertain, "a clock that is exact is good enough");
            match whole {
                // PF 7.4: the start of a live code needs no clock of ours.
                Freshness::Fresh if matches!(body, Body::Live(_)) => {
                    let early = matches!(exact, Freshness::NotYetValid { .. });
                    prop_assert_eq!(exact == Freshness::Fresh, !early);
                    prop_assert_eq!(early, moment < i64::from(start.max(key_from)));
                }
                Freshness::Fresh => prop_assert_eq!(exact, Freshness::Fresh),
                Freshness::Uncertain => {}
                Freshness::Expired { .. } | Freshness::NotYetValid { .. } | Freshness::PhoneClock { .. } => {
                    prop_assert_ne!(exact, Freshness::Fresh);
                }
            }
        }
    }

    #[test]
    fn a_lower_bound_alone_never_proves_a_code_fresh((text, _) in any_code(), earliest: i64) {
        let verified = verify(&text, &keyset(0, u32::MAX));
        for earliest in [earliest, earliest >> 31, i64::MIN] {
            prop_assert_ne!(verified.freshness(Interval { earliest, latest: i64::MAX }), Freshness::Fresh);
        }
    }

    #[test]
    fn no_interval_is_too_odd_to_be_judged((text, _) in any_code(), a: i64, b: i64) {
        let verified = verify(&text, &keyset(0, u32::MAX));
        for (earliest, latest) in [(a, b), (b, a), (i64::MIN, a), (i64::MAX, i64::MIN), (i64::MAX, i64::MAX)] {
            let _ = verified.freshness(Interval { earliest, latest });
        }
    }
}

fn entries() -> impl Strategy<Value = Vec<Revocation>> {
    let attributes = (0..4_u8, 20_000..20_004_u16);
    let handles = prop_oneof![any::<u32>(), 0..50_u32, u32::MAX - 50..=u32::MAX];
    prop::collection::btree_map(handles, attributes, 0..60).prop_map(|map| {
        map.into_iter().map(|(handle, (reason, expiry_day))| Revocation { handle, reason, expiry_day }).collect()
    })
}

prop_compose! {
    fn file_ref()(version: u32, size: u32, hash: [u8; 32]) -> FileRef {
        FileRef { version, size, hash: Sha256Hash(hash) }
    }
}

prop_compose! {
    fn head()(
        (epoch, version, issued_at, life) in (any::<u32>(), any::<u32>(), any::<u32>(), 1..100_000_u32),
        root in file_ref(), keyset in file_ref(), snapshot in file_ref(),
        (oldest_day, count, checksum) in (any::<u16>(), any::<u32>(), any::<[u8; 32]>()),
        steps in prop::collection::vec((1..1000_u32, file_ref()), 0..6),
        start in 0..1000_u32,
        files in prop::collection::btree_map(any::<u8>(), file_ref(), 0..5),
        sealed: Index,
    ) -> Head {
        let mut at = start;
        let deltas: Vec<DeltaRef> = steps.into_iter().map(|(step, file)| {
            let from = at;
            at += step;
            DeltaRef { from, file: FileRef { version: at, ..file } }
        }).collect();
        let known: Vec<u32> = deltas.iter().map(|d| d.from).chain([at]).collect();
        let snapshot = FileRef { version: known[sealed.index(known.len())], ..snapshot };
        let issued_at = issued_at.min(u32::MAX - life);
        let revocations = Revocations { version: at, oldest_day, count, checksum: Sha256Hash(checksum), snapshot, deltas };
        let files = files.into_iter().collect();
        Head { epoch, version, issued_at, expires_at: issued_at + life, root, keyset, revocations, files }
    }
}

prop_compose! {
    fn event()(
        id: [u8; 16], (at, width) in (any::<u32>(), any::<u32>()),
        lane in "[a-z0-9 东门]{0,16}", reason in "[a-z0-9_]{0,32}",
        kind: u8, handle: u32, latency_us: [u32; 4],
        clock in prop::sample::select(vec![ClockSource::Synced, ClockSource::Floor, ClockSource::Stated]),
        outcome in prop::sample::select(vec![OutcomeCode::Pass, OutcomeCode::Confirm, OutcomeCode::Deny]),
        gate in prop::sample::select(vec![GateOutcome::Closed, GateOutcome::Opened, GateOutcome::Fault]),
    ) -> Event {
        let earliest_ms = u64::from(at);
        let latest_ms = earliest_ms + u64::from(width);
        Event { id, earliest_ms, latest_ms, clock, lane, kind, handle, outcome, reason, gate, latency_us }
    }
}

fn batch() -> impl Strategy<Value = Batch> {
    let records = prop::collection::vec(event(), 1..6);
    (records, 2..u64::from(u32::MAX), any::<[u8; 32]>()).prop_map(|(events, first_seq, previous)| Batch {
        device: holder().verifying_key(),
        first_seq,
        previous: Sha256Hash(previous),
        records: events.iter().map(Event::encode).collect(),
    })
}

/// The file with one bit flipped.
fn flipped(file: &[u8], at: &Index) -> Vec<u8> {
    let bit = at.index(file.len() * 8);
    let mut file = file.to_vec();
    file[bit / 8] ^= 1 << (bit % 8);
    file
}

proptest! {
    #[test]
    fn a_root_comes_back_and_no_bit_of_it_can_change(version in 2..u32::MAX, issued_at: u32, previous: [u8; 32], at: Index) {
        prop_assume!(previous != [0; 32]);
        let root = Root { version, issued_at, previous: Some(Sha256Hash(previous)), ..root() };
        let file = by_root(|keys| root.sign(keys));
        prop_assert_eq!(Root::open_pinned(&file), Ok(root));
        prop_assert!(Root::open_pinned(&flipped(&file, &at)).is_err());
    }

    #[test]
    fn a_keyset_comes_back_and_no_bit_of_it_can_change(from: u32, until: u32, at: Index) {
        let keyset = keyset(from.min(until), from.max(until));
        let file = by_root(|keys| keyset.sign(keys));
        prop_assert_eq!(Keyset::open(&file, &root()), Ok(keyset));
        prop_assert!(Keyset::open(&flipped(&file, &at), &root()).is_err());
    }

    #[test]
    fn a_head_comes_back_and_no_bit_of_it_can_change(head in head(), at: Index) {
        let keys = keyset(0, u32::MAX);
        let file = head.sign(LISTS, &key(LISTS.0));
        prop_assert_eq!(Head::peek_unverified(&file), Ok(head.clone()));
        prop_assert_eq!(Head::open(&file, &keys), Ok(head.clone()));
        prop_assert!(Head::open(&flipped(&file, &at), &keys).is_err());
        prop_assert!(head.follows(&head));
    }

    #[test]
    fn of_two_heads_at_most_one_follows_the_other(a in head(), b in head()) {
        prop_assert!(a == b || !(a.follows(&b) && b.follows(&a)));
    }

    #[test]
    fn a_batch_comes_back_and_no_bit_of_it_can_change(batch in batch(), at: Index) {
        let file = batch.sign(&holder());
        prop_assert_eq!(Batch::open(&file), Ok(batch.clone()));
        prop_assert!(Batch::open(&flipped(&file, &at)).is_err());
        for (_, record, _) in batch.chained() {
            let event = Event::decode(record).expect("well-formed").expect("of a known type");
            prop_assert_eq!(event.encode(), record);
        }
    }

    #[test]
    fn a_time_reply_comes_back_and_no_bit_of_it_can_change(nonce: [u8; 16], at_ms in 0..4_000_000_000_000_u64, at: Index) {
        let keys = keyset(0, u32::MAX);
        let reply = TimeReply { nonce, at_ms };
        let file = reply.sign(TIME, &key(TIME.0));
        prop_assert_eq!(TimeReply::open(&file, &keys, &nonce), Ok(reply));
        prop_assert!(TimeReply::open(&flipped(&file, &at), &keys, &nonce).is_err());
    }

    #[test]
    fn no_file_is_too_odd_to_be_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), kind in 0..6_u8) {
        let keys = keyset(0, u32::MAX);
        let framed = [b"TGS1".as_slice(), &[kind, 0, 0, 0, u8::try_from(bytes.len() / 2).expect("short")], &bytes].concat();
        for file in [&bytes, &framed] {
            prop_assert!(Root::open_pinned(file).is_err());
            prop_assert!(root().open_successor(file, file).is_err());
            prop_assert!(Keyset::open(file, &root()).is_err());
            prop_assert!(Head::open(file, &keys).is_err());
            prop_assert!(Batch::open(file).is_err());
            prop_assert!(TimeReply::open(file, &keys, &[0; 16]).is_err());
            let _ = Event::decode(file);
        }
    }

    #[test]
    fn a_revocation_list_comes_back(entries in entries(), epoch: u32, from: Option<u32>, step in 1..1000_u32) {
        let from = from.map(|f| f.min(u32::MAX - step));
        let list = RevocationList { epoch, from, to: from.unwrap_or(0) + step, entries };
        prop_assert_eq!(RevocationList::decode(&list.encode()), Ok(list));
    }

    #[test]
    fn any_bytes_as_rice_code_give_a_list_no_longer_than_their_bits_or_are_refused(
        gaps in prop::collection::vec(any::<u8>(), 0..64),
        k in prop_oneof![0..4_u8, 0..34_u8],
        count in prop_oneof![1..200_u32, any::<u32>()],
    ) {
        let mut file = b"TGL1\x01\0\0\0\x01\0\0\0\0\0\0\0\x05\0\x01\x50\xed\x01".to_vec();
        file.extend(count.to_be_bytes());
        file.push(k);
        file.extend(u32::try_from(gaps.len()).expect("short").to_be_bytes());
        file.extend(&gaps);
        if let Ok(list) = RevocationList::decode(&file) {
            prop_assert!(list.entries.len() <= gaps.len() * 8);
            prop_assert_eq!(u32::try_from(list.entries.len()), Ok(count));
            let again = RevocationList::decode(&list.encode());
            prop_assert_eq!(again, Ok(list));
        }
    }

    #[test]
    fn any_bytes_as_a_revocation_list_are_judged(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = RevocationList::decode(&bytes);
        let _ = RevocationList::decode(&[b"TGL1\x01\0\0\0\x01\0\0\0\0\0\0\0\x05".as_slice(), &bytes].concat());
    }

    /// Each day some handles are revoked, some that expired are given out and revoked anew, and a delta is sealed.
    #[test]
    fn snapshot_and_deltas_add_up_to_the_registrys_set(
        days in prop::collection::vec((prop::collection::vec((0..40_u32, 0..3_u8, 0..4_u16), 0..8), 0..3_u16), 1..10),
        sealed: Index,
        joined: Index,
    ) {
        let mut today = 20_000;
        let mut set = BTreeMap::new();
        let mut deltas = Vec::new();
        let mut sets = vec![(today, set.clone())];
        for (revoked, passed) in days {
            today += passed;
            set.retain(|_, e: &mut Revocation| e.expiry_day >= today);
            let mut added = BTreeMap::new();
            for (handle, reason, life) in revoked {
                if !set.contains_key(&handle) {
                    added.insert(handle, Revocation { handle, reason, expiry_day: today + life });
                }
            }
            set.extend(added.clone());
            deltas.push(added.into_values().collect::<Vec<_>>());
            sets.push((today, set.clone()));
        }
        let whole = |set: &BTreeMap<u32, Revocation>| RevocationSet::new(set.values().copied().collect()).expect("a set");
        let wanted = whole(&set);

        // A new checkpoint begins with a snapshot; an old one goes on from what it has.
        for from in [sealed.index(sets.len()), joined.index(sets.len())] {
            let snapshot = RevocationList {
                epoch: 1,
                from: None,
                to: u32::try_from(from).expect("few"),
                entries: whole(&sets[from].1).entries().to_vec(),
            };
            let snapshot = RevocationList::decode(&snapshot.encode()).expect("well-formed");
            let mut here = RevocationSet::new(snapshot.entries).expect("a set").after(&[], today).expect("a set");
            for (version, entries) in (0_u32..).zip(&deltas).skip(from) {
                let delta =
                    RevocationList { epoch: 1, from: Some(version), to: version + 1, entries: entries.clone() };
                let delta = RevocationList::decode(&delta.encode()).expect("well-formed");
                here = here.after(&delta.entries, today).expect("no handle twice");
            }
            prop_assert_eq!(here.checksum(), wanted.checksum());
            prop_assert_eq!(&here, &wanted);
        }
        for handle in 0..40 {
            prop_assert_eq!(wanted.get(handle), set.get(&handle));
        }
    }
}

#[test]
fn every_single_bit_of_each_signed_file_counts() {
    let keys = keyset(0, u32::MAX);
    let keyset_file = by_root(|signers| keys.sign(signers));
    let reply = TimeReply { nonce: [7; 16], at_ms: 1_790_000_000_000 }.sign(TIME, &key(TIME.0));
    for (file, opens) in [
        (by_root(|signers| root().sign(signers)), (|f| Root::open_pinned(f).is_ok()) as fn(&[u8]) -> bool),
        (keyset_file, |f| Keyset::open(f, &root()).is_ok()),
        (reply, |f| TimeReply::open(f, &keyset(0, u32::MAX), &[7; 16]).is_ok()),
    ] {
        assert!(opens(&file));
        for bit in 0..file.len() * 8 {
            let mut file = file.clone();
            file[bit / 8] ^= 1 << (bit % 8);
            assert!(!opens(&file), "bit {bit} does not count");
        }
    }
}

#[test]
fn a_snapshot_of_13_000_random_handles_is_within_5_percent_of_the_entropy_bound() {
    let entries: Vec<_> = random_handles(13_000).map(|handle| entry(handle, 1, 20_717)).collect();
    let bits = wire_bits(entries);
    let bound = entropy_of_handles(13_000);
    assert!(bits <= bound * 1.05, "{bits} bits where {bound:.0} are the bound: {:.4}", bits / bound);
}

#[test]
fn a_snapshot_of_13_000_handles_over_30_days_and_3_reasons_is_within_5_percent_of_its_bound() {
    let attributes = (0..30_u16).flat_map(|day| (0..3_u8).map(move |reason| (day, reason))).cycle();
    let entries: Vec<_> = random_handles(13_000)
        .zip(attributes)
        .map(|(handle, (day, reason))| entry(handle, reason, 20_717 + day))
        .collect();
    let bits = wire_bits(entries);
    // To know which handles are revoked, and of each its day and reason.
    let bound = entropy_of_handles(13_000) + 13_000.0 * 90_f64.log2();
    assert!(bits <= bound * 1.05, "{bits} bits where {bound:.0} are the bound: {:.4}", bits / bound);
}

#[test]
fn a_short_file_cannot_claim_to_hold_many_entries() {
    let mut file = b"TGL1\x01\0\0\0\x01\0\0\0\0\0\0\0\x05\0\x01\x50\xed\x01".to_vec();
    file.extend(u32::try_from(limits::LIST_ENTRIES).expect("it fits").to_be_bytes());
    file.extend([0, 0, 0, 0, 1, 0]);
    assert_eq!(RevocationList::decode(&file).map_err(|e| e.name()), Err("length"));
}

fn entry(handle: u32, reason: u8, expiry_day: u16) -> Revocation {
    Revocation { handle, reason, expiry_day }
}

/// Different handles from a fixed seed (SplitMix64).
fn random_handles(n: usize) -> impl Iterator<Item = u32> {
    let mut seen = std::collections::BTreeSet::new();
    let mut state = 20_211_220_u64;
    let draws = std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((z ^ z >> 31) >> 32).expect("32 bits")
    });
    draws.filter(move |handle| seen.insert(*handle)).take(n)
}

fn wire_bits(mut entries: Vec<Revocation>) -> f64 {
    entries.sort_by_key(|e| e.handle);
    let list = RevocationList { epoch: 1, from: None, to: 1, entries };
    let file = list.encode();
    assert_eq!(RevocationList::decode(&file), Ok(list));
    f64::from(u32::try_from(file.len() * 8).expect("short"))
}

/// log2 C(2^32, n).
fn entropy_of_handles(n: u32) -> f64 {
    (0..n).map(|i| ((f64::from(u32::MAX) + 1.0 - f64::from(i)) / f64::from(n - i)).log2()).sum()
}
