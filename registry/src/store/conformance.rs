//! What every store must keep, whatever its engine: one suite, run on each.

mod residents;

use tongguan_pass::policy::Surge;
use tongguan_pass::{FileRef, Head, Policy, Purpose, RosterIndex, Sha256Hash, SigningKey};

use super::{
    By, Community, DeviceStatus, HistoryEntry, ImportedCommunities, KeptKey, KeptMember, Lease, NewRoster, Store,
    StoreError, Successor,
};
use crate::domain::audit::{Act, Actor};
use crate::domain::genesis::{self, Genesis};
use crate::domain::handle::DropReason;
use crate::domain::person::{Name, NewPerson, PersonChange, PersonId, Token};
use crate::domain::policy::{empty, with_surge};
use crate::domain::publish::{self, Edition};
use crate::domain::roster::{KeptSlot, What};
use crate::domain::signers::Signers;
use crate::domain::time::DAY;
use crate::domain::vault::{SealedDocument, Specimen};

const START: u32 = 1_790_000_000;

pub(super) fn run<S: Store, G>(make: impl Fn() -> (G, S)) {
    let tests: [fn(&dyn Store); 13] = [
        a_handle_is_never_zero_nor_one_that_was_ever_given,
        the_life_of_a_handle_only_grows_and_its_end_is_what_the_lists_say,
        a_person_is_found_by_their_token_only,
        every_named_file_is_there_and_unnamed_ones_go_after_a_day,
        an_author_who_refuses_changes_nothing,
        a_new_epoch_starts_the_versions_over_and_takes_along_what_is_revoked,
        trust_files_follow_only_the_ones_they_were_made_from_and_earlier_roots_stay,
        a_policy_is_named_by_the_next_edition_and_stays_as_long_as_it_is_current,
        a_document_belongs_to_one_person_at_a_time,
        a_refused_change_of_a_person_changes_nothing,
        a_gate_serves_what_was_said_last_and_one_taken_away_asks_for_another_key,
        a_roster_is_kept_only_for_the_gates_and_the_key_it_was_made_for,
        rosters_are_led_to_by_the_next_edition_and_stay_a_day_after_the_last,
    ];
    for test in tests.into_iter().chain(residents::TESTS) {
        let (_guard, store) = make();
        begin(&store);
        test(&store);
    }
}

fn keys() -> (SigningKey, SigningKey) {
    (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]))
}

fn signers(genesis: &Genesis) -> Signers {
    let root = tongguan_pass::Root::open_pinned(&genesis.root).expect("a root");
    let keyset = tongguan_pass::Keyset::open(&genesis.keyset, &root).expect("a keyset");
    Signers::of(&keyset, |_| Ok::<_, ()>(keys().1)).expect("its key")
}

fn made() -> Genesis {
    let (root, lists) = keys();
    genesis::begin(&root, &[(Purpose::Lists, &lists)], START).expect("a beginning")
}

pub(super) fn begin(store: &dyn Store) {
    store.begin(&made(), &by(0)).expect("an empty store");
}

pub(super) fn by(seconds: u32) -> By {
    By { at: START + seconds, actor: Actor::Operator }
}

pub(super) fn person(n: u8) -> NewPerson {
    let token = Token::from_random([n; 32]).hash();
    NewPerson {
        id: PersonId::from_random([n; 10]),
        community: 1,
        category: 2,
        profile: vec![n; 9],
        phone: None,
        document: None,
        token,
        notice: 0,
    }
}

fn publish(store: &dyn Store, seconds: u32) -> Edition {
    let (signers, by) = (signers(&made()), by(seconds));
    store.publish(&|stock| publish::next(stock, publish::Start::Next, by.at, &signers), &by).expect("published")
}

fn hold(store: &dyn Store, who: &NewPerson, until: u32, draws: &[u32]) -> Result<u32, StoreError> {
    let mut draws = draws.iter().copied().cycle();
    let lease = Lease { until: START + until, act: Act::LiveCodeIssued };
    let mut draw = || Ok(draws.next().unwrap_or_default());
    store.hold(&who.id, lease, &mut draw, &by(0)).map(|h| h.handle)
}

fn a_policy_is_named_by_the_next_edition_and_stays_as_long_as_it_is_current(store: &dyn Store) {
    assert_eq!(store.policy().expect("read"), None);
    assert_eq!(publish(store, 1).head.policy(), None);
    let surge =
        |minutes| move |before: &Policy| with_surge(before, Surge { from: START, until: START + 60, minutes }, START);
    let first = store.change_policy(&surge(60), Act::SurgeDeclared, &by(2)).expect("changed");
    assert_eq!((first.version, &first.before), (1, &empty()));
    assert_eq!(store.policy().expect("read"), Some((1, first.after.clone())));
    let same = store.change_policy(&surge(60), Act::SurgeDeclared, &by(3)).expect("the same");
    assert_eq!(same.version, 1);
    assert!(store.change_policy(&surge(9), Act::SurgeDeclared, &by(4)).is_err());
    let head = publish(store, 5).head;
    let named = *head.policy().expect("a policy");
    assert_eq!(named, FileRef::to(1, &first.after.encode()));
    // Heads come and go; the file is there as long as the policy is current, be it for months.
    for day in 1..100 {
        assert_eq!(publish(store, day * DAY).head.policy(), Some(&named));
    }
    assert_eq!(store.file(&named.hash).expect("read"), Some(first.after.encode()));
    assert!(store.edition().expect("whole").1.contains(&first.after.encode()));
    assert!(store.change_policy(&surge(30), Act::SurgeDeclared, &by(5)).is_err(), "it overlaps");
    let other = |before: &Policy| {
        let (from, until) = (START + 100, START + 160);
        with_surge(before, Surge { from, until, minutes: 30 }, START)
    };
    let second = store.change_policy(&other, Act::SurgeDeclared, &by(100 * DAY)).expect("changed");
    assert_eq!((second.version, &second.before), (2, &first.after));
    assert_eq!(publish(store, 100 * DAY).head.policy().map(|f| f.version), Some(2));
}

fn a_handle_is_never_zero_nor_one_that_was_ever_given(store: &dyn Store) {
    let (a, b) = (person(1), person(2));
    store.add_person(&a, &by(0)).expect("added");
    store.add_person(&b, &by(0)).expect("added");
    assert_eq!(hold(store, &a, 600, &[0, 7]).expect("held"), 7);
    assert_eq!(hold(store, &a, 600, &[9]).expect("held"), 7, "a person keeps their handle");
    assert_eq!(store.drop_handle(&a.id, DropReason::Lost, &by(1)).expect("dropped"), 1);
    assert_eq!(hold(store, &b, 600, &[7, 0, u32::MAX]).expect("held"), u32::MAX);
    assert_eq!(hold(store, &a, 600, &[7, u32::MAX, 8]).expect("held"), 8);
    assert!(matches!(hold(store, &person(3), 600, &[5]), Err(StoreError::UnknownPerson)));
    store.drop_handle(&a.id, DropReason::Lost, &by(2)).expect("dropped");
    assert!(matches!(hold(store, &a, 600, &[7, 8]), Err(StoreError::NoFreeHandle)));
    assert!(matches!(store.drop_handle(&person(3).id, DropReason::Lost, &by(2)), Err(StoreError::UnknownPerson)));
}

fn the_life_of_a_handle_only_grows_and_its_end_is_what_the_lists_say(store: &dyn Store) {
    let a = person(1);
    store.add_person(&a, &by(0)).expect("added");
    for until in [600, 7 * DAY, 900] {
        hold(store, &a, until, &[7]).expect("held");
    }
    publish(store, 0);
    store.drop_handle(&a.id, DropReason::Withdrawn, &by(1)).expect("dropped");
    let waiting = |seconds| store.standing(START + seconds).expect("stands").waiting;
    assert_eq!((waiting(1), waiting(7 * DAY), waiting(10 * DAY)), (1, 1, 0));
    let edition = publish(store, 2);
    assert_eq!((edition.head.version, edition.head.revocations.count), (2, 1));
    assert_eq!(waiting(3), 0);
    assert_eq!(publish(store, 7 * DAY).head.revocations.count, 1);
    assert_eq!(publish(store, 9 * DAY).head.revocations.count, 0);
}

fn a_person_is_found_by_their_token_only(store: &dyn Store) {
    let a = person(1);
    store.add_person(&a, &by(0)).expect("added");
    assert_eq!(store.person_by_token(&a.token).expect("asked"), Some(a.id.clone()));
    assert_eq!(store.person_by_token(&person(2).token).expect("asked"), None);
    let elsewhere = NewPerson { community: 9, ..person(2) };
    assert!(matches!(store.add_person(&elsewhere, &by(0)), Err(StoreError::UnknownCommunity(9))));
    assert_eq!(store.person_by_token(&elsewhere.token).expect("asked"), None);
}

fn every_named_file_is_there_and_unnamed_ones_go_after_a_day(store: &dyn Store) {
    assert!(matches!(store.head(), Err(StoreError::NothingPublished)));
    let a = person(1);
    store.add_person(&a, &by(0)).expect("added");
    let first = publish(store, 0);
    let there = |file: FileRef| store.file(&file.hash).expect("asked").is_some();
    // Enough versions that the first snapshot and the first deltas are no longer named.
    let mut seen = vec![first.head.revocations.snapshot];
    let mut before = first.clone();
    for n in 1..150 {
        hold(store, &a, 90 * DAY, &[1000 + n]).expect("held");
        store.drop_handle(&a.id, DropReason::Lost, &by(n)).expect("dropped");
        before = publish(store, n);
        seen.extend(before.names());
    }
    assert!(seen.iter().all(|f| there(*f)), "all were named within the last day");
    let last = publish(store, 3 * DAY);
    assert!(before.names().all(there), "a gate may still be on the way with the head before");
    let now = publish(store, 5 * DAY);
    assert!(!there(first.head.revocations.snapshot));
    assert!(last.names().chain(now.names()).all(there));
    let (edition, files) = store.edition().expect("published");
    assert_eq!(Head::peek_unverified(&store.head().expect("published")), Ok(edition.head.clone()));
    for (named, bytes) in edition.names().zip(&files) {
        assert_eq!(named.check(bytes), Ok(()));
    }
}

fn a_new_epoch_starts_the_versions_over_and_takes_along_what_is_revoked(store: &dyn Store) {
    let a = person(1);
    store.add_person(&a, &by(0)).expect("added");
    let revoke = |handle, at| {
        hold(store, &a, 90 * DAY, &[handle]).expect("held");
        store.drop_handle(&a.id, DropReason::Lost, &by(at)).expect("dropped");
    };
    publish(store, 0);
    revoke(7, 1);
    let before = publish(store, 2);
    revoke(8, 3);
    let (signers, now) = (signers(&made()), by(4));
    let author = |stock| publish::next(stock, publish::Start::NewEpoch, now.at, &signers);
    let head = store.publish(&author, &now).expect("published").head;
    assert_eq!((head.epoch, head.version, head.revocations.version, head.revocations.count), (2, 1, 1, 2));
    assert_eq!((before.head.epoch, before.head.version), (1, 2));
    assert_eq!(Head::peek_unverified(&store.head().expect("published")), Ok(head.clone()));
    assert_eq!(store.standing(now.at).expect("stands").waiting, 0);
    let gone = |file: FileRef| store.file(&file.hash).expect("asked").is_none();
    assert!(!before.names().any(gone), "somebody may be on the way with the head before");
    let next = publish(store, 5).head;
    assert_eq!((next.epoch, next.version, next.revocations.count), (2, 2, 2));
}

fn an_author_who_refuses_changes_nothing(store: &dyn Store) {
    let first = publish(store, 0);
    let refused = store.publish(&|_| Err(publish::PublishError::Versions), &by(1));
    assert!(matches!(refused, Err(StoreError::Publish(_))));
    assert_eq!(store.edition().expect("published").0, first);
}

fn trust_files_follow_only_the_ones_they_were_made_from_and_earlier_roots_stay(store: &dyn Store) {
    publish(store, 0);
    let before = store.trust().expect("there");
    let replaces = store.keyset().expect("there");
    assert_eq!(replaces, Sha256Hash::of(&before.keyset));
    let acts = vec![(Act::RootRotated, "root:2".to_owned())];
    let successor =
        Successor { replaces, root: Some((2, b"root 2".to_vec())), keyset: (2, b"keyset 2".to_vec()), acts };
    store.succeed(&successor, &by(1)).expect("follows");
    let again = store.succeed(&Successor { keyset: (3, b"keyset 3".to_vec()), ..successor }, &by(2));
    assert!(matches!(again, Err(StoreError::KeysChanged)), "{again:?}");
    let now = store.trust().expect("there");
    assert_eq!((now.root.as_slice(), now.keyset.as_slice()), (b"root 2".as_slice(), b"keyset 2".as_slice()));
    let history = store.trust_history().expect("there");
    assert_eq!(history.roots, [before.root.clone(), now.root.clone()]);
    assert_eq!(history.keysets, [before.keyset, now.keyset]);
    publish(store, 10 * DAY);
    let (edition, files) = store.edition().expect("published");
    assert_eq!((edition.head.root.version, edition.head.keyset.version), (2, 2));
    assert!(files.contains(&before.root), "a gate that is a root behind needs it");
}

fn sealed(n: u8) -> SealedDocument {
    SealedDocument { lookup: [n; 32], sealed: vec![n; 9] }
}

fn member(store: &dyn Store, who: &NewPerson) -> KeptMember {
    let stock = store.roster_stock(1).expect("there");
    stock.members.into_iter().find(|member| member.id == who.id).expect("one of them")
}

fn a_document_belongs_to_one_person_at_a_time(store: &dyn Store) {
    store.set_device(&[1; 32], DeviceStatus::Enrolled, &[1], &by(0)).expect("enrolled");
    assert_eq!(store.specimen().expect("asked"), None);
    store.add_person(&person(9), &by(0)).expect("added");
    let specimen = Specimen::Profile(person(9).id.as_str().to_owned(), person(9).profile);
    assert_eq!(store.specimen().expect("asked"), Some(specimen));
    let a = NewPerson { document: Some(sealed(1)), ..person(1) };
    store.add_person(&a, &by(0)).expect("added");
    let specimen = Specimen::Document(a.id.as_str().to_owned(), sealed(1).sealed);
    assert_eq!(store.specimen().expect("asked"), Some(specimen));
    let b = NewPerson { document: Some(sealed(1)), ..person(2) };
    assert!(matches!(store.add_person(&b, &by(0)), Err(StoreError::DocumentTaken)));
    assert_eq!(store.person_by_token(&b.token).expect("asked"), None, "nothing of it is kept");
    store.add_person(&person(2), &by(0)).expect("added");
    let change = |who: &NewPerson, document| {
        let change = PersonChange { document: Some(document), ..PersonChange::default() };
        store.change_person(&who.id, &change, &by(1))
    };
    assert!(matches!(change(&b, Some(sealed(1))), Err(StoreError::DocumentTaken)));
    assert_eq!(member(store, &b).document, None);
    change(&a, Some(sealed(1))).expect("their own once more");
    change(&a, Some(sealed(2))).expect("another");
    assert_eq!(member(store, &a).document, Some(sealed(2)));
    change(&b, Some(sealed(1))).expect("it is free");
    change(&a, None).expect("none");
    assert_eq!((member(store, &a).document, member(store, &b).document), (None, Some(sealed(1))));
}

fn a_refused_change_of_a_person_changes_nothing(store: &dyn Store) {
    store.set_device(&[1; 32], DeviceStatus::Enrolled, &[1], &by(0)).expect("enrolled");
    let a = person(1);
    store.add_person(&a, &by(0)).expect("added");
    let change = PersonChange {
        revision: Some(0),
        profile: Some(b"another".to_vec()),
        category: Some(9),
        entry: Some(b"changed".to_vec()),
        ..PersonChange::default()
    };
    let elsewhere = PersonChange { community: Some(9), ..change.clone() };
    assert!(matches!(store.change_person(&a.id, &elsewhere, &by(1)), Err(StoreError::UnknownCommunity(9))));
    assert!(matches!(store.change_person(&person(2).id, &change, &by(1)), Err(StoreError::UnknownPerson)));
    assert_eq!((member(store, &a).profile, member(store, &a).category), (a.profile.clone(), 2));
    assert_eq!(store.history_of(&a.id, 9).expect("read"), []);
    store.change_person(&a.id, &change, &by(1)).expect("changed");
    let after = member(store, &a);
    assert_eq!((after.profile.as_slice(), after.category, after.handle), (b"another".as_slice(), 9, None));
    assert!(matches!(store.change_person(&a.id, &change, &by(2)), Err(StoreError::Outdated)));
    let history = store.history_of(&a.id, 9).expect("read");
    assert_eq!(history, [HistoryEntry { at: START + 1, entry: b"changed".to_vec() }]);
    let name = Name::parse("西苑").expect("a name");
    store.add_community(2, &name, &by(2)).expect("added");
    assert!(matches!(store.add_community(2, &name, &by(2)), Err(StoreError::CommunityTaken(2))));
    assert_eq!(store.communities().expect("read").iter().map(|c| c.id).collect::<Vec<_>>(), [1, 2]);
    let told =
        |region: &str| Community {
            id: 3, name: "东苑".into(), region: region.into(), aliases: vec!["东村".into()]
        };
    let import = |all: &[Community]| store.import_communities(all, &by(2)).expect("imported");
    assert_eq!(import(&[told("")]), ImportedCommunities { added: 1, changed: 0 });
    assert_eq!(import(&[told("610113")]), ImportedCommunities { added: 0, changed: 1 });
    assert_eq!(import(&[told("610113")]), ImportedCommunities::default());
    assert_eq!(store.communities().expect("read")[2], told("610113"));
    let moved = PersonChange { community: Some(2), ..PersonChange::default() };
    store.change_person(&a.id, &moved, &by(3)).expect("moved");
    assert!(store.roster_stock(1).expect("there").members.is_empty());
    assert_eq!(hold(store, &a, 600, &[7]).expect("held"), 7);
}

fn a_gate_serves_what_was_said_last_and_one_taken_away_asks_for_another_key(store: &dyn Store) {
    store.add_community(2, &Name::parse("西苑").expect("a name"), &by(0)).expect("added");
    let enrol = |n: u8, communities: &[u32]| store.set_device(&[n; 32], DeviceStatus::Enrolled, communities, &by(1));
    let gates = |community| store.roster_stock(community).expect("there").gates;
    let renew = || [1, 2].map(|community| store.roster_stock(community).expect("there").key.expect("a key").renew);
    enrol(2, &[1]).expect("enrolled");
    enrol(1, &[2, 1, 1]).expect("enrolled");
    assert_eq!((gates(1), gates(2)), (vec![[1; 32], [2; 32]], vec![[1; 32]]));
    assert!(matches!(enrol(1, &[2, 9]), Err(StoreError::UnknownCommunity(9))));
    assert!(matches!(store.roster_stock(9), Err(StoreError::UnknownCommunity(9))));
    assert_eq!(store.devices().expect("read")[1].communities, [1, 2]);
    for community in [1, 2] {
        assert_eq!(store.roster_stock(community).expect("there").key, None);
        store.renew_roster_key(community, None, (&[1; 16], b"sealed"), &by(2)).expect("the first");
    }
    enrol(3, &[1]).expect("enrolled");
    assert_eq!(renew(), [false, false], "one that comes needs no other key");
    enrol(1, &[2]).expect("enrolled");
    assert_eq!((renew(), gates(1)), ([true, false], vec![[2; 32], [3; 32]]));
    store.set_device(&[1; 32], DeviceStatus::Retired, &[], &by(3)).expect("retired");
    assert_eq!((renew(), gates(2)), ([true, true], vec![]));
    let stale = store.renew_roster_key(1, None, (&[2; 16], b"sealed"), &by(4));
    assert!(matches!(stale, Err(StoreError::RosterChanged)));
    store.renew_roster_key(1, Some([1; 16]), (&[2; 16], b"anew"), &by(4)).expect("the next");
    let key = store.roster_stock(1).expect("there").key.expect("a key");
    assert_eq!(key, KeptKey { salt: [2; 16], sealed: b"anew".to_vec(), renew: false });
}

/// A community 1 with a gate, a key, and nobody in it.
fn begin_roster(store: &dyn Store) {
    store.set_device(&[1; 32], DeviceStatus::Enrolled, &[1], &by(0)).expect("enrolled");
    store.renew_roster_key(1, None, (&[1; 16], b"sealed"), &by(0)).expect("drawn");
}

fn roster<'a>(gates: &'a [[u8; 32]], bytes: &'a [u8]) -> NewRoster<'a> {
    NewRoster { community: 1, salt: [1; 16], gates, inputs: [bytes[0]; 32], bytes, entries: 3 }
}

fn a_roster_is_kept_only_for_the_gates_and_the_key_it_was_made_for(store: &dyn Store) {
    begin_roster(store);
    let gates = [[1; 32]];
    let keep = |new: &NewRoster<'_>| store.keep_roster(new, &by(1));
    let changed = |done| matches!(done, Err(StoreError::RosterChanged));
    assert!(changed(keep(&roster(&[], b"a"))));
    assert!(changed(keep(&NewRoster { salt: [2; 16], ..roster(&gates, b"a") })));
    assert!(changed(keep(&NewRoster { community: 2, ..roster(&gates, b"a") })));
    assert_eq!(store.roster_stock(1).expect("there").inputs, None);
    assert_eq!(keep(&roster(&gates, b"a")).expect("kept"), 1);
    assert_eq!(store.roster_stock(1).expect("there").inputs, Some([b'a'; 32]));

    // Slots outlive rosters, and go with their key.
    let a = person(1);
    store.add_person(&a, &by(0)).expect("added");
    let slot = KeptSlot { made_for: [5; 32], sealed: vec![1] };
    store.keep_slots(&[(a.id.clone(), What::Document, slot.clone())]).expect("kept");
    let later = KeptSlot { made_for: [6; 32], sealed: vec![2] };
    store
        .keep_slots(&[(a.id.clone(), What::Handle, slot), (a.id.clone(), What::Document, later.clone())])
        .expect("kept");
    assert_eq!(member(store, &a).slots[1], Some(later));
    assert!(member(store, &a).slots[0].is_some());
    assert!(changed(store.end_roster(1, &by(2)).map(|()| 0)), "a gate serves it");
    store.set_device(&[2; 32], DeviceStatus::Enrolled, &[1], &by(2)).expect("enrolled");
    store.set_device(&[1; 32], DeviceStatus::Retired, &[], &by(2)).expect("retired");
    assert!(changed(keep(&roster(&[[2; 32]], b"b"))), "another key is due");
    store.renew_roster_key(1, Some([1; 16]), (&[3; 16], b"sealed"), &by(3)).expect("drawn");
    assert_eq!(member(store, &a).slots, [None, None]);
    assert_eq!(keep(&NewRoster { salt: [3; 16], ..roster(&[[2; 32]], b"b") }).expect("kept"), 2);
    let of = store.rosters().expect("read");
    assert_eq!((of.len(), of[0].version, of[0].entries, of[0].gates, of[0].size), (1, 2, 3, 1, 1));
}

fn rosters_are_led_to_by_the_next_edition_and_stay_a_day_after_the_last(store: &dyn Store) {
    begin_roster(store);
    let waits = || store.standing(START).expect("stands").rosters;
    assert_eq!((publish(store, 1).head.rosters(), waits()), (None, false));
    let keep = |bytes: &[u8], at| store.keep_roster(&roster(&[[1; 32]], bytes), &by(at)).expect("kept");
    let there = |bytes: &[u8]| store.file(&Sha256Hash::of(bytes)).expect("asked").is_some();
    let published = || store.rosters().expect("read")[0].published;
    keep(b"a", 2);
    assert!(waits() && !published());
    let first = publish(store, 3).head;
    assert!(!waits() && published());
    let named = *first.rosters().expect("an index");
    let index = RosterIndex::decode(&store.file(&named.hash).expect("asked").expect("there")).expect("an index");
    assert_eq!((named.version, index.of(1)), (1, Some(&FileRef::to(1, b"a"))));
    let (_, files) = store.edition().expect("published");
    assert!(files.contains(&index.encode()) && files.contains(&b"a".to_vec()), "a stick holds both");
    // However long nothing changes, the index is the same file, and all of it stays.
    for day in 1..10 {
        assert_eq!(publish(store, day * DAY).head.rosters(), Some(&named));
    }
    assert!(there(b"a"));
    // One that no head ever named goes after a day; one that a head named stays for a day after it.
    keep(b"b", 10 * DAY);
    keep(b"c", 10 * DAY + 1);
    assert!(there(b"a"), "the head still leads to it");
    let edition = publish(store, 12 * DAY).head;
    assert_eq!(edition.rosters().map(|file| file.version), Some(3));
    assert!(there(b"a") && !there(b"b") && there(b"c"));
    publish(store, 12 * DAY + DAY / 2);
    assert!(there(b"a"));
    publish(store, 14 * DAY);
    assert!(!there(b"a") && there(b"c"));

    store.set_device(&[1; 32], DeviceStatus::Retired, &[], &by(14 * DAY)).expect("retired");
    store.end_roster(1, &by(14 * DAY)).expect("ended");
    assert!(store.rosters().expect("read").is_empty() && waits());
    let last = *publish(store, 15 * DAY).head.rosters().expect("an index of nothing");
    assert_eq!(store.file(&last.hash).expect("asked"), Some(RosterIndex::default().encode()));
    publish(store, 17 * DAY);
    assert!(!there(b"c"));
}
