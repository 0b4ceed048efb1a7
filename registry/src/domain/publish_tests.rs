//! Whatever happens over the days, every gate that follows the head ends with exactly the head's set.

use std::collections::{BTreeMap, BTreeSet};

use tongguan_pass::{KeyId, Keyset, Purpose, RegistryKey, SigningKey};

use super::*;

const START: u32 = 1_790_000_000;

fn signers() -> Signers {
    let key = SigningKey::from_bytes(&[4; 32]);
    let public = RegistryKey {
        id: KeyId(4),
        purpose: Purpose::Lists,
        not_before: START - DAY,
        not_after: START + 400 * DAY,
        key: key.verifying_key(),
    };
    let keyset = Keyset::new(1, START, vec![public]).expect("one key");
    Signers::of(&keyset, |_| Ok::<_, ()>(key.clone())).expect("its key")
}

/// A registry's lists over time, with the gates that follow them.
struct World {
    now: u32,
    last: Option<Edition>,
    published: Vec<Dropped>,
    waiting: Vec<Dropped>,
    files: BTreeMap<Sha256Hash, Vec<u8>>,
    /// What a gate holds that stopped at each list version.
    gates: BTreeMap<u32, RevocationSet>,
    next_handle: u32,
    signers: Signers,
}

impl World {
    fn new() -> Self {
        Self {
            now: START,
            last: None,
            published: Vec::new(),
            waiting: Vec::new(),
            files: BTreeMap::new(),
            gates: BTreeMap::new(),
            next_handle: 7,
            signers: signers(),
        }
    }

    fn revoke(&mut self, alive_for: u32) {
        self.next_handle = self.next_handle.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let reason = u8::try_from(self.next_handle % 4).expect("below 4");
        self.waiting.push(Dropped { handle: self.next_handle, reason, alive_until: self.now + alive_for });
    }

    fn publish(&mut self) -> Head {
        self.publish_in(Start::Next)
    }

    fn publish_in(&mut self, start: Start) -> Head {
        let nothing = FileRef::to(1, b"");
        let stock = Stock {
            last: self.last.clone(),
            root: nothing,
            keyset: nothing,
            policy: None,
            rosters: None,
            published: self.published.clone(),
            waiting: self.waiting.clone(),
        };
        let publication = next(stock, start, self.now, &self.signers).expect("can be published");
        for file in publication.files {
            self.files.insert(Sha256Hash::of(&file), file);
        }
        let names: BTreeSet<u32> = publication.entered.iter().copied().collect();
        let (entered, waiting) = self.waiting.drain(..).partition(|d| names.contains(&d.handle));
        self.published.extend::<Vec<_>>(entered);
        self.waiting = waiting;
        let head = publication.edition.head.clone();
        if let Some(last) = &self.last {
            assert!(head.follows(&last.head), "{head:?}\ndoes not follow\n{:?}", last.head);
            let version = if start == Start::Next { last.head.version + 1 } else { 1 };
            assert_eq!(head.version, version);
        }
        self.last = Some(publication.edition);
        head
    }

    fn list(&self, file: &FileRef) -> RevocationList {
        let bytes = self.files.get(&file.hash).expect("every named file is there");
        file.check(bytes).expect("as named");
        RevocationList::decode(bytes).expect("decodes")
    }

    /// What a gate at `version` with `set` does with `head`: the deltas from there, as SY 4.3 and 5.5 say.
    fn follow(&self, head: &Head, version: u32, set: &RevocationSet) -> Option<RevocationSet> {
        let r = &head.revocations;
        let mut set = set.after(&[], r.oldest_day).expect("only removes");
        for delta in r.path_from(version)? {
            set = set.after(&self.list(&delta.file).entries, r.oldest_day).expect("no handle twice");
        }
        Some(set)
    }

    /// Every gate, old and new, syncs; all must agree with the head.
    fn everybody_follows(&mut self, head: &Head) {
        let r = &head.revocations;
        let snapshot = self.list(&r.snapshot);
        let fresh = RevocationSet::new(snapshot.entries).expect("a set");
        let fresh = self.follow(head, snapshot.to, &fresh).expect("from the snapshot there is a way");
        assert_eq!((fresh.checksum(), count(&fresh)), (r.checksum, r.count));
        let versions: Vec<u32> = self.gates.keys().copied().collect();
        for version in versions {
            let behind = self.follow(head, version, &self.gates[&version]);
            let listed = (r.version - version) as usize <= named_deltas(r);
            assert_eq!(behind.is_some(), listed, "version {version} of {}", r.version);
            if let Some(set) = behind {
                assert_eq!(set.checksum(), r.checksum, "from version {version}");
            } else {
                self.gates.remove(&version);
            }
        }
        self.gates.entry(r.version).or_insert(fresh);
    }
}

/// Numbers that look random and are the same each time.
fn dice(seed: &mut u64, sides: u32) -> u32 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    u32::try_from((*seed >> 33) % u64::from(sides)).expect("below sides")
}

#[test]
fn a_gate_of_any_age_ends_with_the_heads_set_over_any_history() {
    for seed in 0..5 {
        let mut seed_state = seed;
        let mut world = World::new();
        for _ in 0..160 {
            for _ in 0..dice(&mut seed_state, 6) {
                // Some codes are over already, some live minutes, some weeks.
                let life = [0, 600, DAY, 10 * DAY][dice(&mut seed_state, 4) as usize];
                world.revoke(life);
            }
            let head = world.publish();
            world.everybody_follows(&head);
            // Minutes, hours or days pass; sometimes the clock is set back.
            match dice(&mut seed_state, 8) {
                0 => world.now -= 7_200,
                1 => world.now += DAY,
                2 => world.now += 3_600,
                _ => world.now += 60,
            }
        }
    }
}

#[test]
fn a_head_without_news_repeats_the_lists_and_counts_on() {
    let mut world = World::new();
    let first = world.publish();
    world.now += 3_600;
    let second = world.publish();
    assert_eq!((second.version, second.issued_at), (first.version + 1, world.now));
    assert_eq!(second.revocations, first.revocations);
    assert_eq!(second.expires_at, world.now + HEAD_SECONDS);
}

#[test]
fn a_revoked_handle_with_no_code_alive_never_enters_the_lists() {
    let mut world = World::new();
    world.publish();
    world.revoke(600);
    world.now += 3 * DAY;
    let head = world.publish();
    assert_eq!((head.revocations.version, head.revocations.count), (1, 0));
}

#[test]
fn an_entry_leaves_the_set_by_itself_a_day_after_its_last_code() {
    let mut world = World::new();
    world.publish();
    world.revoke(600);
    assert_eq!(world.publish().revocations.count, 1);
    world.now += DAY;
    assert_eq!(world.publish().revocations.count, 1, "a day of grace for slow clocks");
    world.now += DAY;
    assert_eq!(world.publish().revocations.count, 0);
}

#[test]
fn a_clock_set_back_takes_nothing_back() {
    let mut world = World::new();
    let before = world.publish();
    world.now -= 10 * DAY - 3_600;
    world.revoke(30 * DAY);
    let after = world.publish();
    assert!(after.follows(&before));
    assert_eq!(after.issued_at, before.issued_at);
    assert_eq!(after.revocations.count, 1);
}

#[test]
fn a_new_gate_never_fetches_more_than_a_few_deltas_nor_more_than_a_snapshots_worth() {
    let mut world = World::new();
    world.publish();
    for _ in 0..150 {
        world.revoke(30 * DAY);
        world.now += 60;
        let head = world.publish();
        let r = &head.revocations;
        assert!(r.path_from(r.snapshot.version).expect("a way").len() <= DELTAS.start() / 2);
        assert!(r.deltas.len() <= *DELTAS.start(), "a snapshot of so few handles is cheaper than more deltas");
    }
    for _ in 0..40_000 {
        world.revoke(30 * DAY);
    }
    let head = world.publish();
    assert_eq!(head.revocations.snapshot.version, head.revocations.version, "a heavy delta brings a new snapshot");
    assert_eq!(named_deltas(&head.revocations), head.revocations.snapshot.size as usize / 8192);
    for _ in 0..20 {
        world.revoke(30 * DAY);
        world.now += 60;
        world.publish();
    }
    let head = world.publish();
    assert!(head.revocations.deltas.len() > *DELTAS.start(), "a large snapshot is worth more deltas");
}

#[test]
fn a_sealed_delta_is_named_by_the_same_hash_as_long_as_it_is_named() {
    let mut world = World::new();
    world.publish();
    let mut seen = BTreeMap::new();
    for _ in 0..50 {
        world.revoke(DAY);
        world.now += 1_800;
        for delta in world.publish().revocations.deltas {
            assert_eq!(*seen.entry(delta.from).or_insert(delta.file), delta.file);
        }
    }
}

#[test]
fn a_gate_at_any_state_follows_a_restored_registry_into_its_new_epoch() {
    let mut world = World::new();
    let mut seen = Vec::new();
    let mut backup = None;
    for day in 0..20 {
        world.revoke(30 * DAY);
        world.now += DAY;
        seen.push(world.publish());
        if day == 10 {
            backup = Some((world.last.clone(), world.published.clone()));
        }
    }
    // The registry forgets half of it; its clock has gone on.
    (world.last, world.published) = backup.expect("a copy");
    world.waiting.clear();
    world.now += 3_600;
    let refused = world.publish();
    assert!(!refused.follows(&seen[19]), "why there must be a new epoch");
    world.revoke(30 * DAY);
    let head = world.publish_in(Start::NewEpoch);
    for known in &seen {
        assert!(head.follows(known), "{head:?}\ndoes not follow\n{known:?}");
    }
    let r = &head.revocations;
    assert_eq!((head.epoch, head.version, r.version, r.count, r.deltas.len()), (2, 1, 1, 12, 0));
    assert!(head.issued_at >= world.now);
    // SY 5.7: a set of another epoch counts as none.
    world.gates.clear();
    world.everybody_follows(&head);
    for _ in 0..3 {
        world.revoke(DAY);
        world.now += 60;
        let head = world.publish();
        assert_eq!(head.epoch, 2);
        world.everybody_follows(&head);
    }
}

#[test]
fn a_new_epoch_does_not_set_the_time_back() {
    let mut world = World::new();
    let before = world.publish();
    world.now -= DAY / 2;
    let head = world.publish_in(Start::NewEpoch);
    assert!(head.follows(&before));
    assert_eq!(head.issued_at, before.issued_at);
}

#[test]
fn when_versions_have_run_out_a_new_epoch_goes_on() {
    let mut world = World::new();
    world.publish();
    if let Some(last) = &mut world.last {
        last.head.version = u32::MAX;
    }
    let nothing = FileRef::to(1, b"");
    let stock = Stock {
        last: world.last.clone(),
        root: nothing,
        keyset: nothing,
        policy: None,
        rosters: None,
        published: Vec::new(),
        waiting: Vec::new(),
    };
    let refused = next(stock, Start::Next, world.now, &world.signers).expect_err("no version left");
    assert!(refused.to_string().contains("publish --new-epoch"), "{refused}");
    assert_eq!(world.publish_in(Start::NewEpoch).version, 1);
}

#[test]
fn without_a_key_that_is_good_now_nothing_is_published() {
    let mut world = World::new();
    world.now += 500 * DAY;
    let nothing = FileRef::to(1, b"");
    let (root, keyset) = (nothing, nothing);
    let stock =
        Stock { last: None, root, keyset, policy: None, rosters: None, published: Vec::new(), waiting: Vec::new() };
    assert!(matches!(
        next(stock, Start::Next, world.now, &world.signers),
        Err(PublishError::Key(KeyError::Validity { .. }))
    ));
}
