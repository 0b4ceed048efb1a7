//! A registry's lists made up, mixed and set back by somebody who has its lists key, served to a gate: what is refused
//! changes nothing, and what is true is taken.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use common::server::{Fault, Server};
use tempfile::TempDir;
use tongguan::clock::{Clock as _, Stated};
use tongguan::config::Config;
use tongguan::decide::Level;
use tongguan::lane;
use tongguan::store::{DataDir, DeviceKey, Journal, Trust, TrustStore};
use tongguan::sync::{self, Report, SyncError};
use tongguan_pass::head::{DeltaRef, Revocations};
use tongguan_pass::{
    FileRef, Head, KeyId, Keyset, ListError, Purpose, RegistryKey, Revocation, RevocationList, RevocationSet, Root,
    Sha256Hash, SigningKey,
};

const NOW: u32 = 1_800_000_000;
const DAY: u16 = 20_833;

/// A registry's keys, and the shelf with its files.
struct City {
    shelf: TempDir,
    root: Root,
    root_file: FileRef,
    keyset: FileRef,
}

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

fn entry(handle: u32) -> Revocation {
    Revocation { handle, reason: 1, expiry_day: DAY }
}

fn set(handles: &[u32]) -> RevocationSet {
    RevocationSet::new(handles.iter().copied().map(entry).collect()).unwrap()
}

/// A list from a version, or a snapshot.
fn list(epoch: u32, from: Option<u32>, to: u32, handles: &[u32]) -> Vec<u8> {
    RevocationList { epoch, from, to, entries: handles.iter().copied().map(entry).collect() }.encode()
}

impl City {
    fn new() -> Self {
        let shelf = tempfile::tempdir().unwrap();
        fs::create_dir_all(shelf.path().join("v1/files")).unwrap();
        let keys = vec![(KeyId(1), key(1).verifying_key())];
        let root = Root { version: 1, issued_at: NOW, previous: None, threshold: 1, keys };
        let nothing = FileRef::to(1, b"");
        let mut city = Self { shelf, root, root_file: nothing, keyset: nothing };
        city.root_file = city.put(1, &city.root.sign(&[(KeyId(1), &key(1))]));
        city.keyset = city.keyset(1);
        city
    }

    fn put(&self, version: u32, bytes: &[u8]) -> FileRef {
        fs::write(self.shelf.path().join(format!("v1/files/{}", Sha256Hash::of(bytes))), bytes).unwrap();
        FileRef::to(version, bytes)
    }

    fn keyset(&self, version: u32) -> FileRef {
        let lists = RegistryKey {
            id: KeyId(4),
            purpose: Purpose::Lists,
            not_before: 1,
            not_after: u32::MAX,
            key: key(4).verifying_key(),
        };
        let live = RegistryKey { id: KeyId(5), purpose: Purpose::Live, key: key(5).verifying_key(), ..lists };
        self.put(version, &Keyset::new(version, NOW, vec![lists, live]).unwrap().sign(&[(KeyId(1), &key(1))]))
    }

    /// A true head: three revoked handles at version 5 of the set, by a snapshot at 3 and two deltas.
    fn head(&self) -> Head {
        let snapshot = self.put(3, &list(1, None, 3, &[10]));
        let (fourth, fifth) = (self.put(4, &list(1, Some(3), 4, &[20])), self.put(5, &list(1, Some(4), 5, &[30])));
        let revocations = Revocations {
            version: 5,
            oldest_day: DAY - 10,
            count: 3,
            checksum: set(&[10, 20, 30]).checksum(),
            snapshot,
            deltas: vec![DeltaRef { from: 3, file: fourth }, DeltaRef { from: 4, file: fifth }],
        };
        Head {
            epoch: 1,
            version: 50,
            issued_at: NOW,
            expires_at: NOW + 86_400,
            root: self.root_file,
            keyset: self.keyset,
            revocations,
            files: Vec::new(),
        }
    }

    /// The next head, with one more handle.
    fn next(&self) -> Head {
        let mut head = self.head();
        let sixth = self.put(6, &list(1, Some(5), 6, &[40]));
        (head.version, head.issued_at) = (51, NOW + 60);
        let r = &mut head.revocations;
        (r.version, r.count, r.checksum) = (6, 4, set(&[10, 20, 30, 40]).checksum());
        r.deltas.push(DeltaRef { from: 5, file: sixth });
        head
    }

    fn publish(&self, head: &Head) {
        fs::write(self.shelf.path().join("v1/head"), head.sign(KeyId(4), &key(4))).unwrap();
    }

    fn serve(&self) -> Server {
        Server::new(self.shelf.path(), |_| Fault::None)
    }
}

type Change<'a> = &'a dyn Fn(&mut Head);

struct Gate {
    _folder: TempDir,
    dir: DataDir,
}

impl Gate {
    fn new(city: &City) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::read(city.shelf.path().join(format!("v1/files/{}", city.root_file.hash))).unwrap();
        let dir = DataDir::init(&folder.path().join("gate"), &root).unwrap();
        Self { _folder: folder, dir }
    }

    /// A gate that knows the true head.
    fn synced(city: &City) -> Self {
        let gate = Self::new(city);
        city.publish(&city.head());
        gate.sync(&city.serve()).unwrap();
        assert_eq!(gate.trust().revocations, set(&[10, 20, 30]));
        gate
    }

    fn sync(&self, server: &Server) -> Result<Report, SyncError> {
        let clock = Stated(jiff::Timestamp::from_second(i64::from(NOW)).unwrap());
        let transport = sync::open(&server.url, self.dir.partial_file());
        let mut store = TrustStore::open(&self.dir).unwrap();
        let (journal, device) = (Journal::open(&self.dir).unwrap(), DeviceKey::open(&self.dir).unwrap());
        sync::sync(transport.as_ref(), &mut store, &journal, &device, &clock)
    }

    fn trust(&self) -> Arc<Trust> {
        TrustStore::open(&self.dir).unwrap().load().unwrap()
    }

    /// What the city publishes now is refused, and everything is as it was.
    #[track_caller]
    fn refuses(&self, city: &City, head: &Head) -> SyncError {
        city.publish(head);
        self.refuses_of(&city.serve())
    }

    #[track_caller]
    fn refuses_of(&self, server: &Server) -> SyncError {
        let before = self.trust();
        let error = self.sync(server).expect_err("it was taken");
        let after = self.trust();
        assert_eq!((&after.head_file, &after.revocations), (&before.head_file, &before.revocations));
        error
    }

    #[track_caller]
    fn accepts(&self, city: &City, head: &Head) {
        city.publish(head);
        assert!(self.sync(&city.serve()).unwrap().changed);
        assert_eq!(self.trust().head.as_ref(), Some(head));
    }
}

#[test]
fn nothing_goes_back() {
    let mut city = City::new();
    city.keyset = city.keyset(2);
    let gate = Gate::synced(&city);
    let older_keyset = city.keyset(1);
    let changes: [(&str, Change<'_>); 7] = [
        ("version", &|h| h.version = 49),
        ("the same version with another content", &|h| (h.version, h.issued_at) = (50, NOW + 1)),
        ("issued_at", &|h| h.issued_at = NOW - 1),
        ("keyset", &|h| h.keyset = older_keyset),
        ("oldest_day", &|h| h.revocations.oldest_day -= 1),
        ("epoch", &|h| h.epoch = 0),
        ("the set's version", &|h| {
            let r = &mut h.revocations;
            r.deltas.truncate(1);
            (r.version, r.count, r.checksum) = (4, 2, set(&[10, 20]).checksum());
        }),
    ];
    for (what, change) in changes {
        let mut head = city.next();
        change(&mut head);
        assert!(matches!(gate.refuses(&city, &head), SyncError::Rollback { .. }), "{what}");
    }
    gate.accepts(&city, &city.next());
}

#[test]
fn lists_that_are_frozen_are_said_to_be_old_while_every_sync_succeeds() {
    let city = City::new();
    let gate = Gate::synced(&city);
    let server = city.serve();
    let level = |after: u32| {
        assert!(!gate.sync(&server).unwrap().changed);
        let clock = Stated(jiff::Timestamp::from_second(i64::from(NOW + after)).unwrap());
        lane::standing(&gate.trust(), &clock.now(), &Config::default()).lists.level()
    };
    assert_eq!([3_600, 86_401, 8 * 86_400 + 1].map(level), [Level::Green, Level::Amber, Level::Red]);
}

#[test]
fn files_of_different_heads_do_not_mix() {
    let city = City::new();
    let gate = Gate::synced(&city);
    let true_next = city.next();
    // One is served instead of the other.
    city.publish(&true_next);
    let (wanted, other) = (true_next.revocations.deltas[2].file, true_next.revocations.deltas[1].file);
    let other: &'static str = format!("v1/files/{}", other.hash).leak();
    let path = format!("v1/files/{}", wanted.hash);
    let server =
        Server::new(city.shelf.path(), move |asked| if asked == path { Fault::Instead(other) } else { Fault::None });
    assert!(matches!(gate.refuses_of(&server), SyncError::NotAsNamed { .. }));
    // The head itself names a file that is not the step it says.
    for (file, expected) in [
        (list(1, Some(4), 6, &[40]), ListError::Gap { from: 4, at: 5 }),
        (list(1, Some(5), 7, &[40]), ListError::Gap { from: 5, at: 5 }),
        (list(1, None, 6, &[40]), ListError::Gap { from: 0, at: 5 }),
        (list(2, Some(5), 6, &[40]), ListError::Epoch),
        (list(1, Some(5), 6, &[40])[..20].to_vec(), ListError::Length),
    ] {
        let mut head = city.next();
        head.revocations.deltas[2].file = city.put(6, &file);
        match gate.refuses(&city, &head) {
            SyncError::Refused { source, .. } => assert_eq!(source, expected),
            other => panic!("{other}"),
        }
    }
    // A keyset that the head does not name.
    let mut head = city.next();
    head.keyset.version += 1;
    gate.refuses(&city, &head);
    // A set that is not the registry's: neither by deltas nor from the snapshot.
    let mut head = city.next();
    head.revocations.checksum = set(&[10, 20, 30, 41]).checksum();
    assert!(matches!(gate.refuses(&city, &head), SyncError::Refused { source: ListError::Checksum, .. }));
    gate.accepts(&city, &true_next);
}

#[test]
fn deltas_that_are_not_in_order_are_refused_before_any_is_fetched() {
    let city = City::new();
    let gate = Gate::synced(&city);
    let orders: [fn(&mut Vec<DeltaRef>); 4] =
        [|d| d.reverse(), |d| d.swap(0, 1), |d| _ = d.remove(1), |d| d.push(d[2])];
    for order in orders {
        let mut head = city.next();
        order(&mut head.revocations.deltas);
        assert!(matches!(gate.refuses(&city, &head), SyncError::Refused { source: ListError::Order(_), .. }));
    }
    gate.accepts(&city, &city.next());
}

#[test]
fn a_gate_fetches_what_it_lacks_and_one_that_is_too_far_behind_begins_with_the_snapshot() {
    let city = City::new();
    let gate = Gate::synced(&city);
    let fetched = |head: &Head| {
        city.publish(head);
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let server = Server::new(city.shelf.path(), move |path| {
            log.lock().unwrap().push(path.to_owned());
            Fault::None
        });
        gate.sync(&server).unwrap();
        drop(server);
        let name = |file: &FileRef| format!("v1/files/{}", file.hash);
        let r = &head.revocations;
        let asked = asked.lock().unwrap().clone();
        let deltas = r.deltas.iter().filter(|d| asked.contains(&name(&d.file))).map(|d| d.from).collect::<Vec<_>>();
        (asked.contains(&name(&r.snapshot)), deltas)
    };
    assert_eq!(fetched(&city.next()), (false, vec![5]));
    assert_eq!(gate.trust().revocations, set(&[10, 20, 30, 40]));
    // The deltas from where this gate is are named no longer.
    let mut head = city.next();
    (head.version, head.issued_at) = (99, NOW + 3_600);
    let all: Vec<u32> = (10..200).collect();
    let r = &mut head.revocations;
    r.snapshot = city.put(80, &list(1, None, 80, &all[..150]));
    r.deltas = vec![DeltaRef { from: 80, file: city.put(81, &list(1, Some(80), 81, &all[150..])) }];
    (r.version, r.count, r.checksum) = (81, 190, set(&all).checksum());
    assert_eq!(fetched(&head), (true, vec![80]));
    assert_eq!(gate.trust().revocations, set(&all));
}

#[test]
fn a_new_epoch_starts_over_and_the_old_one_does_not_come_back() {
    let city = City::new();
    let gate = Gate::synced(&city);
    let mut head = city.next();
    (head.epoch, head.version) = (2, 1);
    let r = &mut head.revocations;
    r.snapshot = city.put(1, &list(2, None, 1, &[77]));
    r.deltas.clear();
    (r.version, r.count, r.checksum) = (1, 1, set(&[77]).checksum());
    // Lists of the old epoch under the new one's name.
    let mut mixed = head.clone();
    mixed.revocations.snapshot = city.put(1, &list(1, None, 1, &[77]));
    assert!(matches!(gate.refuses(&city, &mixed), SyncError::Refused { source: ListError::Epoch, .. }));
    gate.accepts(&city, &head);
    assert_eq!(gate.trust().revocations, set(&[77]));
    let mut old = city.next();
    (old.version, old.issued_at) = (1_000, NOW + 7_200);
    assert!(matches!(gate.refuses(&city, &old), SyncError::Rollback { .. }));
}

#[test]
fn a_keyset_or_a_root_that_the_root_did_not_sign_is_refused() {
    let city = City::new();
    let gate = Gate::synced(&city);
    let put = |bytes: &[u8]| city.put(2, bytes);
    let file = fs::read(Path::new(&city.shelf.path()).join(format!("v1/files/{}", city.keyset.hash))).unwrap();
    let keys = Keyset::open(&file, &city.root).unwrap().keys().to_vec();
    let forged = Keyset::new(2, NOW, keys).unwrap().sign(&[(KeyId(1), &key(66))]);
    let mut head = city.next();
    head.keyset = put(&forged);
    assert!(matches!(gate.refuses(&city, &head), SyncError::Refused { source: ListError::Signature, .. }));
    // A root of somebody's own, which says that it follows ours.
    let previous = Some(city.root_file.hash);
    let root = Root { version: 2, previous, keys: vec![(KeyId(2), key(66).verifying_key())], ..city.root.clone() };
    let mut head = city.next();
    head.root = put(&root.sign(&[(KeyId(2), &key(66))]));
    assert!(matches!(gate.refuses(&city, &head), SyncError::Refused { source: ListError::Threshold { .. }, .. }));
    let unrelated = Root { previous: Some(Sha256Hash([9; 32])), ..root };
    head.root = put(&unrelated.sign(&[(KeyId(2), &key(66))]));
    gate.refuses(&city, &head);
    gate.accepts(&city, &city.next());
}
