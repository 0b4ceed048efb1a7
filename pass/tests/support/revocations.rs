//! Vectors of revocation files, and of the set that comes of applying them (SY 5).

use super::lists::{Head, Lists, error, field, named_as, with_keyset};
use super::make::{TODAY, hex, sha256};
use super::schema::{Check, Delta, Entry, Given, HeldSet, ListExpect, ListVector, Revoked};

pub(crate) fn all() -> Vec<ListVector> {
    let mut lists = Lists::default();
    files(&mut lists);
    broken_files(&mut lists);
    sets(&mut lists);
    lists.0
}

/// SY 5.3, written bit by bit as text.
fn rice(k: u32, handles: &[u32]) -> Vec<u8> {
    let mut bits = String::new();
    let mut next = 0_u64;
    for handle in handles {
        let gap = u64::from(*handle) - next;
        bits.extend(std::iter::repeat_n('1', usize::try_from(gap >> k).expect("short")));
        bits.push('0');
        for i in (0..k).rev() {
            bits.push(if gap >> i & 1 == 1 { '1' } else { '0' });
        }
        next = u64::from(*handle) + 1;
    }
    packed(&bits)
}

/// Bits, the high one first, with zeros at the end of the last byte.
fn packed(bits: &str) -> Vec<u8> {
    let byte = |eight: &[u8]| (0..8).fold(0, |b, i| b << 1 | u8::from(eight.get(i) == Some(&b'1')));
    bits.as_bytes().chunks(8).map(byte).collect()
}

/// SY 5.2, with the coded gaps as they are given.
fn group(day: u16, reason: u8, count: u32, k: u8, gaps: &[u8]) -> Vec<u8> {
    let mut b = day.to_be_bytes().to_vec();
    b.push(reason);
    b.extend(count.to_be_bytes());
    b.push(k);
    b.extend(u32::try_from(gaps.len()).expect("short").to_be_bytes());
    b.extend(gaps);
    b
}

fn coded(day: u16, reason: u8, k: u8, handles: &[u32]) -> Vec<u8> {
    group(day, reason, u32::try_from(handles.len()).expect("few"), k, &rice(u32::from(k), handles))
}

/// SY 5.1.
fn list(form: u8, epoch: u32, from: u32, to: u32, groups: &[Vec<u8>]) -> Vec<u8> {
    let mut b = b"TGL1".to_vec();
    b.push(form);
    for v in [epoch, from, to] {
        b.extend(v.to_be_bytes());
    }
    b.extend(u16::try_from(groups.len()).expect("few").to_be_bytes());
    b.extend(groups.concat());
    b
}

fn snapshot(groups: &[Vec<u8>]) -> Vec<u8> {
    list(1, 1, 0, 5, groups)
}

fn read(from: Option<u32>, to: u32, entries: &[Entry]) -> ListExpect {
    ListExpect::List { epoch: 1, from, to, entries: entries.to_vec() }
}

fn files(v: &mut Lists) {
    let mut file = |name: &str, clause: &str, about: &str, file: &[u8], expect: ListExpect| {
        v.push(Check::Revocations, &format!("revocations-{name}"), clause, about, Given::default(), file, expect);
    };
    file("snapshot-empty", "SY 5.1", "Nothing is revoked.", &snapshot(&[]), read(None, 5, &[]));
    let example = snapshot(&[coded(TODAY, 1, 1, &[3, 4, 10])]);
    let entries = [(3, 1, TODAY), (4, 1, TODAY), (10, 1, TODAY)];
    file(
        "worked-example",
        "SY 5.3",
        "Handles 3, 4 and 10 with k = 1, as in the document.",
        &example,
        read(None, 5, &entries),
    );
    let other_k = snapshot(&[coded(TODAY, 1, 2, &[3, 4, 10])]);
    let about = "The same set with k = 2: a reader takes any k.";
    file("other-k", "SY 5.3", about, &other_k, read(None, 5, &entries));
    let unary = snapshot(&[coded(TODAY, 1, 0, &[3, 4, 10])]);
    file("k-0", "SY 5.3", "The same set with k = 0: gaps in unary.", &unary, read(None, 5, &entries));
    let ends = snapshot(&[coded(TODAY, 0, 31, &[0, u32::MAX])]);
    let entries = [(0, 0, TODAY), (u32::MAX, 0, TODAY)];
    file(
        "first-and-last-handle",
        "SY 5.3",
        "The smallest handle and the largest, with the largest k.",
        &ends,
        read(None, 5, &entries),
    );
    let groups =
        snapshot(&[coded(TODAY, 1, 4, &[100, 300]), coded(TODAY, 2, 4, &[50]), coded(TODAY + 1, 0, 4, &[200])]);
    let entries = [(50, 2, TODAY), (100, 1, TODAY), (200, 0, TODAY + 1), (300, 1, TODAY)];
    let about = "Three groups; the entries come out ascending by handle.";
    file("groups", "SY 5.2", about, &groups, read(None, 5, &entries));
    let reason = snapshot(&[coded(TODAY, 200, 4, &[100])]);
    let about = "A reason that this version does not know is a reason.";
    file("unknown-reason", "SY 5.2", about, &reason, read(None, 5, &[(100, 200, TODAY)]));
    let delta = list(2, 1, 5, 6, &[coded(TODAY, 1, 4, &[100])]);
    file("delta", "SY 5.1", "A delta from version 5 to 6.", &delta, read(Some(5), 6, &[(100, 1, TODAY)]));
    let delta = list(2, 1, 0, 6, &[]);
    file("delta-from-0", "SY 5.1", "A delta may start at version 0, and may be empty.", &delta, read(Some(0), 6, &[]));
}

fn broken_files(v: &mut Lists) {
    let mut file = |name: &str, clause: &str, about: &str, file: &[u8], expect: ListExpect| {
        v.push(Check::Revocations, &format!("revocations-{name}"), clause, about, Given::default(), file, expect);
    };
    let form = "form, from or to";
    let good = snapshot(&[coded(TODAY, 1, 1, &[3, 4, 10])]);
    file("magic", "SY 5.1", "An envelope where a list is expected.", &super::lists::keyset_file(), error("magic"));
    file("empty-file", "SY 5.1", "Nothing at all.", b"", error("magic"));
    file("form-0", "SY 5.1", "A form that there is not.", &list(0, 1, 0, 5, &[]), field(form));
    file("form-3", "SY 5.1", "A form that there is not.", &list(3, 1, 4, 5, &[]), field(form));
    file("snapshot-with-from", "SY 5.1", "A snapshot starts nowhere.", &list(1, 1, 4, 5, &[]), field(form));
    file("delta-to-itself", "SY 5.1", "A delta from 5 to 5.", &list(2, 1, 5, 5, &[]), field(form));
    file("delta-backward", "SY 5.1", "A delta from 6 to 5.", &list(2, 1, 6, 5, &[]), field(form));
    file("truncated", "SY 5.1", "The last byte is lost.", &good[..good.len() - 1], error("length"));
    file("trailing-byte", "SY 5.1", "A byte follows.", &[good.as_slice(), &[0]].concat(), error("length"));
    let mut missing = good.clone();
    missing[18] = 2;
    file("group-missing", "SY 5.1", "Two groups are said to be there.", &missing, error("length"));
    let (a, b) = (coded(TODAY, 1, 4, &[100]), coded(TODAY, 2, 4, &[200]));
    let groups = snapshot(&[b.clone(), a.clone()]);
    file("groups-unordered", "SY 5.2", "Reasons descend within a day.", &groups, error("order"));
    let groups = snapshot(&[coded(TODAY + 1, 1, 4, &[100]), coded(TODAY, 2, 4, &[200])]);
    file("days-unordered", "SY 5.2", "Days descend.", &groups, error("order"));
    let groups = snapshot(&[a.clone(), coded(TODAY, 1, 4, &[200])]);
    file("group-twice", "SY 5.2", "Two groups of one day and reason.", &groups, error("order"));
    file("group-empty", "SY 5.2", "A group without handles.", &snapshot(&[group(TODAY, 1, 0, 4, &[])]), field("count"));
    let many = snapshot(&[group(TODAY, 1, 4 * 1024 * 1024 + 1, 0, &[0])]);
    file("too-many-entries", "SY 5.2", "More entries than allowed.", &many, field("count"));
    let large = snapshot(&[group(TODAY, 1, u32::MAX, 0, &[0])]);
    file("count-largest", "SY 5.2", "4 thousand million entries in one byte.", &large, field("count"));
    let more = snapshot(&[group(TODAY, 1, 9, 0, &[0])]);
    file("count-above-bits", "SY 5.3", "Nine entries in eight bits.", &more, error("length"));
    let k = snapshot(&[group(TODAY, 1, 1, 32, &[0; 5])]);
    file("k-32", "SY 5.3", "A parameter out of range.", &k, field("rice parameter"));
    let unary = snapshot(&[group(TODAY, 1, 1, 0, &[0xff, 0xff])]);
    file("unary-never-ends", "SY 5.3", "Ones to the end.", &unary, error("length"));
    let short = snapshot(&[group(TODAY, 1, 2, 4, &packed("00001"))]);
    file("bits-run-out", "SY 5.3", "The second entry is not whole.", &short, error("length"));
    let spare = snapshot(&[group(TODAY, 1, 1, 1, &[0, 0])]);
    file("spare-byte", "SY 5.3", "A byte more than the bits need.", &spare, error("length"));
    let padding = snapshot(&[group(TODAY, 1, 1, 1, &packed("00000001"))]);
    file("padding-not-zero", "SY 5.3", "A one among the bits that pad the last byte.", &padding, field("padding"));
    let over = snapshot(&[group(TODAY, 1, 1, 31, &packed(&format!("110{}", "0".repeat(31))))]);
    file("handle-2-to-32", "SY 5.3", "The smallest number that is no handle.", &over, field("handle"));
    let after = format!("10{}00000000{}", "1".repeat(31), "0".repeat(24));
    let after = snapshot(&[group(TODAY, 1, 2, 31, &packed(&after))]);
    file("handle-after-last", "SY 5.3", "Another handle after the largest one.", &after, field("handle"));
    let cut = snapshot(&[[group(TODAY, 1, 9, 32, &[])[..8].to_vec(), vec![0, 0, 0, 2, 0]].concat()]);
    let about = "The group ends early: that is looked at before the parameter.";
    file("length-before-k", "SY 5.3", about, &cut, error("length"));
    let k = snapshot(&[group(TODAY, 1, 9, 32, &[0])]);
    let about = "The parameter is looked at before the number of bits.";
    file("k-before-bits", "SY 5.3", about, &k, field("rice parameter"));
    let early = format!("110{}1", "0".repeat(31));
    let early = snapshot(&[group(TODAY, 1, 2, 31, &packed(&early))]);
    let about = "Each value is looked at before the next entry is read, of which there is no end.";
    file("handle-before-length", "SY 5.3", about, &early, field("handle"));
    let padding = snapshot(&[group(TODAY, 1, 1, 1, &[0x20, 0])]);
    let about = "A byte more than the bits need, after a one: the length is looked at first.";
    file("spare-byte-before-padding", "SY 5.3", about, &padding, error("length"));
    let longer = [snapshot(&[a.clone(), coded(TODAY, 2, 4, &[100])]).as_slice(), &[0]].concat();
    let about = "A byte follows, and a handle is there twice: that is looked at when all is read.";
    file("length-before-handle-twice", "SY 5.4", about, &longer, error("length"));
    let (gone, here) = (coded(TODAY - 400, 1, 4, &[100]), coded(TODAY, 1, 4, &[100]));
    let about = "A handle is not there twice in a file, even if one of the two has long expired.";
    file("handle-twice-and-expired", "SY 5.4", about, &snapshot(&[gone, here]), error("order"));
    let twice = snapshot(&[a, coded(TODAY, 2, 4, &[100])]);
    file("handle-twice", "SY 5.4", "One handle for two reasons.", &twice, error("order"));
}

/// SY 5.6, from entries that ascend by handle.
fn checksum(entries: &[Entry]) -> String {
    let mut b = b"tongguan/1/revocations\0".to_vec();
    for (handle, reason, day) in entries {
        b.extend(handle.to_be_bytes());
        b.push(*reason);
        b.extend(day.to_be_bytes());
    }
    hex(&sha256(&b))
}

/// A registry's history: a snapshot of version 5, and deltas to 6 and 7.
struct History {
    snapshot: Vec<u8>,
    deltas: [Vec<u8>; 2],
    oldest_day: u16,
    entries: Vec<Entry>,
}

impl History {
    fn new() -> Self {
        let old = TODAY - 1;
        let snapshot =
            snapshot(&[coded(old, 1, 4, &[10, 20]), coded(TODAY, 1, 4, &[30, 500]), coded(TODAY + 2, 2, 4, &[40])]);
        // Handle 20 had expired, was given out anew, and is revoked again.
        let first = list(2, 1, 5, 6, &[coded(TODAY + 1, 3, 4, &[20, 60])]);
        let second = list(2, 1, 6, 7, &[coded(TODAY + 1, 1, 4, &[70])]);
        let entries = vec![
            (20, 3, TODAY + 1),
            (30, 1, TODAY),
            (40, 2, TODAY + 2),
            (60, 3, TODAY + 1),
            (70, 1, TODAY + 1),
            (500, 1, TODAY),
        ];
        Self { snapshot, deltas: [first, second], oldest_day: TODAY, entries }
    }

    fn head(&self) -> Head {
        let delta = |from, to, file: &[u8]| {
            let file = named_as(to, file);
            Delta { from, to, size: file.size, sha256: file.sha256 }
        };
        Head {
            revocations: Revoked {
                version: 7,
                oldest_day: self.oldest_day,
                count: u32::try_from(self.entries.len()).expect("few"),
                checksum: checksum(&self.entries),
                snapshot: named_as(5, &self.snapshot),
                deltas: vec![delta(5, 6, &self.deltas[0]), delta(6, 7, &self.deltas[1])],
            },
            ..Head::default()
        }
    }

    fn files(&self) -> Vec<Vec<u8>> {
        vec![self.snapshot.clone(), self.deltas[0].clone(), self.deltas[1].clone()]
    }

    fn expect(&self) -> ListExpect {
        ListExpect::Set { version: 7, checksum: checksum(&self.entries), entries: self.entries.clone() }
    }
}

fn sets(v: &mut Lists) {
    let mut apply =
        |name: &str, clause: &str, about: &str, head: &Head, set: Option<HeldSet>, fetched: &[Vec<u8>], expect| {
            let fetched = fetched.iter().map(|f| hex(f)).collect();
            let given = Given { set, fetched: Some(fetched), ..with_keyset() };
            v.push(Check::Apply, &format!("apply-{name}"), clause, about, given, &head.file(), expect);
        };
    let held = |epoch, version, entries: &[Entry]| Some(HeldSet { epoch, version, entries: entries.to_vec() });
    let history = History::new();
    let (head, files) = (history.head(), history.files());
    let at_6: Vec<Entry> = history.entries.iter().copied().filter(|e| e.0 != 70).collect();

    let about = "From nothing: the snapshot, then both deltas; what has expired is dropped.";
    apply("from-nothing", "SY 5.5", about, &head, None, &files, history.expect());
    let about = "From version 6: the last delta is enough.";
    apply("from-version-6", "SY 4.3", about, &head, held(1, 6, &at_6), &files[2..], history.expect());
    let about = "Already there: nothing to fetch.";
    apply("up-to-date", "SY 4.3", about, &head, held(1, 7, &history.entries), &[], history.expect());
    let about = "From a version that no delta starts at: from the snapshot.";
    apply("from-too-old", "SY 4.3", about, &head, held(1, 2, &[(1, 1, TODAY)]), &files, history.expect());
    let about = "A set of another epoch counts as none.";
    apply("from-other-epoch", "SY 5.7", about, &head, held(9, 6, &at_6), &files, history.expect());

    let about = "A set newer than the head's begins with the snapshot; SY 4.2 has refused such a head before.";
    apply("from-newer", "SY 4.3", about, &head, held(1, 8, &at_6), &files, history.expect());

    let mut later = History::new();
    later.oldest_day = TODAY + 1;
    later.entries.retain(|e| e.2 > TODAY);
    let about = "The day has changed and nothing else: what expired is dropped from the set that is there.";
    let held_before = held(1, 7, &history.entries);
    apply("day-changed", "SY 5.5", about, &later.head(), held_before, &[], later.expect());

    let mut expired = History::new();
    expired.deltas[1] = list(2, 1, 6, 7, &[coded(TODAY - 1, 1, 4, &[60]), coded(TODAY + 1, 1, 4, &[70])]);
    let about = "A delta adds a handle that is there with a day that is over: left out before handles are compared.";
    let fetched = &expired.files()[2..];
    apply("expired-addition", "SY 5.5", about, &expired.head(), held(1, 6, &at_6), fetched, expired.expect());

    let about = "A set that was damaged here does not add up.";
    apply("set-damaged", "SY 5.6", about, &head, held(1, 6, &at_6[1..]), &files[2..], error("checksum"));
    let mut other_reason = at_6.clone();
    other_reason[0].1 = 1;
    let about = "The handles are right and a reason is not.";
    apply("set-reason-differs", "SY 5.6", about, &head, held(1, 6, &other_reason), &files[2..], error("checksum"));
    let mut wrong = head.clone();
    wrong.revocations.checksum = hex(&sha256(b"something else"));
    let about = "The head describes another set.";
    apply("checksum-differs", "SY 5.6", about, &wrong, None, &files, error("checksum"));
    let mut wrong = head.clone();
    wrong.revocations.count += 1;
    let about = "The checksum is right and the count is not.";
    apply("count-differs", "SY 5.6", about, &wrong, None, &files, error("checksum"));
    let mixed = [files[0].clone(), files[2].clone(), files[1].clone()];
    apply("deltas-swapped", "SY 1.3", "Each delta in the other's place.", &head, None, &mixed, error("hash"));
    let mut damaged = files.clone();
    damaged[0][25] ^= 1;
    apply("snapshot-damaged", "SY 1.3", "One bit of the snapshot.", &head, None, &damaged, error("hash"));

    let mut other = History::new();
    other.snapshot[8] = 2;
    let about = "The head names a snapshot of another epoch.";
    apply("snapshot-of-other-epoch", "SY 5.7", about, &other.head(), None, &other.files(), error("epoch"));
    let mut other = History::new();
    other.deltas[1][8] = 2;
    let about = "The head names a delta of another epoch.";
    apply(
        "delta-of-other-epoch",
        "SY 5.7",
        about,
        &other.head(),
        held(1, 6, &at_6),
        &other.files()[2..],
        error("epoch"),
    );
    let mut other = History::new();
    other.deltas[1] = list(2, 1, 5, 7, &[coded(TODAY + 1, 1, 4, &[70])]);
    let about = "The head says that the delta starts at 6, and the delta says 5.";
    apply("delta-from-differs", "SY 5.7", about, &other.head(), held(1, 6, &at_6), &other.files()[2..], error("gap"));
    let mut other = History::new();
    other.deltas[1] = list(2, 1, 6, 8, &[coded(TODAY + 1, 1, 4, &[70])]);
    let about = "The head says that the delta leads to 7, and the delta says 8.";
    apply("delta-to-differs", "SY 5.7", about, &other.head(), held(1, 6, &at_6), &other.files()[2..], error("gap"));
    let mut other = History::new();
    other.snapshot = list(2, 1, 0, 5, &[]);
    let about = "A delta where the head names a snapshot.";
    apply("delta-as-snapshot", "SY 5.7", about, &other.head(), None, &other.files(), error("gap"));
    let mut other = History::new();
    other.deltas[1] = list(2, 2, 5, 7, &[]);
    let about = "Epoch and start both differ: the epoch is looked at first.";
    apply("epoch-before-gap", "SY 5.7", about, &other.head(), held(1, 6, &at_6), &other.files()[2..], error("epoch"));
    let mut other = History::new();
    other.deltas[1] = list(1, 1, 0, 7, &[]);
    let about = "A snapshot where the head names a delta.";
    apply("snapshot-as-delta", "SY 5.7", about, &other.head(), held(1, 6, &at_6), &other.files()[2..], error("gap"));
    let mut other = History::new();
    other.deltas[1] = list(2, 1, 6, 7, &[coded(TODAY + 1, 1, 4, &[60])]);
    let about = "A delta adds a handle that is already revoked.";
    apply("handle-added-twice", "SY 5.5", about, &other.head(), held(1, 6, &at_6), &other.files()[2..], error("order"));
}
