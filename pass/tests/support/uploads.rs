//! Vectors of event batches (SY 6) and time replies (SY 7).

use super::forge;
use super::lists::{EVENTS, Lists, TIME_REPLY, envelope, error, field, padded, signed, with_keyset};
use super::make::{KEYS_FROM, LISTS, LIVE, NOW, TIME, TIME_OVER, hex, key, public, registry_key, sha256, sign};
use super::schema::{Check, Event, Given, ListExpect, ListVector, Passage, Record, Ruling, Stored};

pub(crate) fn all() -> Vec<ListVector> {
    let mut lists = Lists::default();
    batches(&mut lists);
    records(&mut lists);
    passages(&mut lists);
    rulings(&mut lists);
    chains(&mut lists);
    time_replies(&mut lists);
    lists.0
}

/// SY 6.4, from its parts, so that each can be wrong.
#[derive(Clone)]
struct Parts {
    earliest_ms: u64,
    latest_ms: u64,
    clock: u8,
    lane: Vec<u8>,
    outcome: u8,
    reason: Vec<u8>,
    gate: u8,
}

impl Default for Parts {
    fn default() -> Self {
        let at = u64::from(NOW) * 1000;
        Self {
            earliest_ms: at - 20,
            latest_ms: at + 20,
            clock: 1,
            lane: "东门 1".into(),
            outcome: 1,
            reason: b"fresh".to_vec(),
            gate: 1,
        }
    }
}

const LATENCY: [u32; 4] = [31_000, 12_345, 210, 95];

impl Parts {
    fn record(&self, id: u8) -> Vec<u8> {
        let mut b = vec![1];
        b.extend([id; 16]);
        b.extend(self.earliest_ms.to_be_bytes());
        b.extend(self.latest_ms.to_be_bytes());
        b.push(self.clock);
        b.push(u8::try_from(self.lane.len()).expect("short"));
        b.extend(&self.lane);
        b.push(0x11);
        b.extend(0x1234_5678_u32.to_be_bytes());
        b.push(self.outcome);
        b.push(u8::try_from(self.reason.len()).expect("short"));
        b.extend(&self.reason);
        b.push(self.gate);
        for us in LATENCY {
            b.extend(us.to_be_bytes());
        }
        b
    }

    fn expect(&self, id: u8) -> Event {
        Event {
            id: hex(&[id; 16]),
            earliest_ms: self.earliest_ms,
            latest_ms: (self.latest_ms != u64::MAX).then_some(self.latest_ms),
            clock: ["synced", "holdover", "system", "floor", "stated"][usize::from(self.clock) - 1].into(),
            lane: String::from_utf8(self.lane.clone()).expect("text"),
            kind: 0x11,
            handle: 0x1234_5678,
            outcome: ["pass", "confirm", "deny"][usize::from(self.outcome) - 1].into(),
            reason: String::from_utf8(self.reason.clone()).expect("text"),
            gate: ["closed", "opened", "fault", "unknown"][usize::from(self.gate)].into(),
            latency_us: LATENCY,
        }
    }
}

/// SY 6.1.
fn body(device: &[u8; 32], first_seq: u64, previous: [u8; 32], records: &[Vec<u8>]) -> Vec<u8> {
    let mut b = device.to_vec();
    b.extend(first_seq.to_be_bytes());
    b.extend(previous);
    b.extend(u16::try_from(records.len()).expect("few").to_be_bytes());
    for record in records {
        b.extend(u16::try_from(record.len()).expect("short").to_be_bytes());
        b.extend(record);
    }
    b
}

fn batch(first_seq: u64, previous: [u8; 32], records: &[Vec<u8>]) -> Vec<u8> {
    signed(EVENTS, &body(&public("device"), first_seq, previous, records), &[(0, &key("device"))])
}

/// SY 6.2.
fn chain(previous: [u8; 32], seq: u64, record: &[u8]) -> [u8; 32] {
    sha256(&[b"tongguan/1/event\0".as_slice(), &previous, &seq.to_be_bytes(), record].concat())
}

/// Three records, the second of a type that nobody knows yet, and what a reader makes of them.
fn three() -> (Vec<Vec<u8>>, Vec<Record>) {
    let deny =
        Parts { outcome: 3, gate: 0, reason: b"expired".to_vec(), latest_ms: u64::MAX, clock: 4, ..Parts::default() };
    let records = vec![Parts::default().record(1), b"\x07a record of a type to come".to_vec(), deny.record(3)];
    let events = [Some(Parts::default().expect(1)), None, Some(deny.expect(3))];
    let mut previous = [0; 32];
    let expect = (1..).zip(&records).zip(events);
    let expect = expect.map(|((seq, record), event)| {
        previous = chain(previous, seq, record);
        Record { seq, chain: hex(&previous), event, passage: None, ruling: None }
    });
    let expect = expect.collect();
    (records, expect)
}

fn believed(first_seq: u64, previous: [u8; 32], records: &[Record]) -> ListExpect {
    let device = hex(&public("device"));
    ListExpect::Batch { device, first_seq, previous: hex(&previous), records: records.to_vec() }
}

fn batches(v: &mut Lists) {
    let mut batches = |name: &str, clause: &str, about: &str, file: &[u8], expect: ListExpect| {
        v.push(Check::Events, &format!("events-{name}"), clause, about, Given::default(), file, expect);
    };
    let (records, expect) = three();
    let one = &records[..1];
    let device = public("device");
    let good = believed(1, [0; 32], &expect);
    let about = "Three records and their chain; one of a type to come is kept as it is.";
    batches("three", "SY 6.3", about, &batch(1, [0; 32], &records), good);
    batches("one", "SY 6.1", "A single record.", &batch(1, [0; 32], one), believed(1, [0; 32], &expect[..1]));
    batches("none", "SY 6.1", "A batch without records.", &batch(1, [0; 32], &[]), field("event count"));
    let zero = batch(0, [0; 32], &[]);
    let about = "No records, and numbers from 0: the count is looked at first.";
    batches("count-before-first-seq", "SY 6.1", about, &zero, field("event count"));
    let about = "Nothing stands before the first record, so that is what is named.";
    batches("first-previous-not-zero", "SY 6.2", about, &batch(1, [1; 32], one), error("chain"));
    let about = "The same without records: the chain is looked at before the count.";
    batches("chain-before-count", "SY 6.1", about, &batch(1, [1; 32], &[]), error("chain"));
    let most = vec![vec![9]; 500];
    let mut value = [0; 32];
    let chained = (1..=500).map(|seq| {
        value = chain(value, seq, &[9]);
        Record { seq, chain: hex(&value), event: None, passage: None, ruling: None }
    });
    let chained: Vec<Record> = chained.collect();
    let about = "As many records as allowed.";
    batches("500", "SY 6.1", about, &batch(1, [0; 32], &most), believed(1, [0; 32], &chained));
    let many = vec![vec![9]; 501];
    batches("501", "SY 6.1", "More records than allowed.", &batch(1, [0; 32], &many), field("event count"));
    batches("first-seq-0", "SY 6.1", "Sequence numbers start at 1.", &batch(0, [0; 32], one), field("first_seq"));
    let about = "The numbers would not fit a database's signed integer.";
    batches("first-seq-too-large", "SY 6.1", about, &batch(1 << 63, [0; 32], one), field("first_seq"));
    let largest = (1 << 63) - 2;
    let last =
        Record { seq: largest, chain: hex(&chain([2; 32], largest, &[9])), event: None, passage: None, ruling: None };
    let file = batch(largest, [2; 32], &[vec![9]]);
    batches(
        "first-seq-largest",
        "SY 6.1",
        "The largest number for one record.",
        &file,
        believed(largest, [2; 32], &[last]),
    );
    let file = batch(largest + 1, [2; 32], &[vec![9]]);
    batches("first-seq-above-largest", "SY 6.1", "One number more.", &file, field("first_seq"));
    let file = batch(largest, [2; 32], &[vec![9], vec![9]]);
    batches("first-seq-largest-for-one", "SY 6.1", "That number for two records.", &file, field("first_seq"));
    let empty = batch(1, [0; 32], &[vec![]]);
    batches("record-empty", "SY 6.1", "A record without bytes.", &empty, field("event length"));
    let long = batch(1, [0; 32], &[vec![9; 1025]]);
    batches("record-too-long", "SY 6.1", "A record over the limit.", &long, field("event length"));
    let longest = batch(1, [0; 32], &[vec![9; 1024]]);
    let value = hex(&chain([0; 32], 1, &[9; 1024]));
    let record = Record { seq: 1, chain: value, event: None, passage: None, ruling: None };
    batches("record-longest", "SY 6.1", "A record at the limit.", &longest, believed(1, [0; 32], &[record]));
    let stranger = signed(EVENTS, &body(&device, 1, [0; 32], one), &[(0, &key("stranger"))]);
    batches("signed-by-another", "SY 6.1", "Another device's signature.", &stranger, error("signature"));
    let id = signed(EVENTS, &body(&device, 1, [0; 32], one), &[(1, &key("device"))]);
    batches("key-id-1", "SY 6.1", "The device's key has id 0 here, and no other.", &id, error("unknown_key"));
    let weak = forge::small_order()[1];
    let weak = signed(EVENTS, &body(&weak, 1, [0; 32], one), &[(0, &key("device"))]);
    batches("small-order-device", "PF 3.3", "A device key of small order.", &weak, error("public_key"));
    let context = body(&device, 1, [0; 32], one);
    let context = envelope(EVENTS, &context, &[(0, sign(&key("device"), "tongguan/1/head", &context))]);
    batches("wrong-context", "PF 3.1", "Signed as a head.", &context, error("signature"));
    let mut altered = batch(1, [0; 32], &records);
    altered[120] ^= 1;
    batches("altered", "SY 6.1", "One bit of a record was changed.", &altered, error("signature"));
    let longer = [body(&device, 1, [0; 32], one).as_slice(), &[0]].concat();
    let longer = signed(EVENTS, &longer, &[(0, &key("device"))]);
    batches("body-trailing-byte", "SY 6.1", "A byte follows the last record.", &longer, error("length"));
}

fn records(v: &mut Lists) {
    let good = Parts::default();
    let text = |n: usize| vec![b'a'; n];
    for (name, about, parts, expect) in [
        ("time-backward", "latest is before earliest.", Parts { latest_ms: 1, ..good.clone() }, Err("time")),
        ("time-exact", "Latest equals earliest.", Parts { latest_ms: good.earliest_ms, ..good.clone() }, Ok(())),
        ("clock-0", "A clock source that there is not.", Parts { clock: 0, ..good.clone() }, Err("clock")),
        ("clock-6", "A clock source that there is not.", Parts { clock: 6, ..good.clone() }, Err("clock")),
        ("lane-longest", "A lane's name of 64 bytes.", Parts { lane: text(64), ..good.clone() }, Ok(())),
        ("lane-too-long", "A lane's name of 65 bytes.", Parts { lane: text(65), ..good.clone() }, Err("lane")),
        (
            "lane-control",
            "A line feed in a lane's name.",
            Parts { lane: b"a\nb".to_vec(), ..good.clone() },
            Err("lane"),
        ),
        ("lane-empty", "A lane without a name.", Parts { lane: vec![], ..good.clone() }, Ok(())),
        ("lane-delete", "U+007F is a control character.", Parts { lane: vec![0x7f], ..good.clone() }, Err("lane")),
        (
            "lane-last-control",
            "U+009F is the last control character.",
            Parts { lane: "\u{9f}".into(), ..good.clone() },
            Err("lane"),
        ),
        (
            "lane-no-control",
            "U+0020, U+007E, U+00A0 and U+2028 are not control characters.",
            Parts { lane: " ~\u{a0}\u{2028}".into(), ..good.clone() },
            Ok(()),
        ),
        ("lane-not-utf-8", "A lane's name is UTF-8.", Parts { lane: vec![0xff], ..good.clone() }, Err("lane")),
        ("outcome-0", "An outcome that there is not.", Parts { outcome: 0, ..good.clone() }, Err("outcome")),
        ("outcome-4", "An outcome that there is not.", Parts { outcome: 4, ..good.clone() }, Err("outcome")),
        ("reason-empty", "No reason.", Parts { reason: vec![], ..good.clone() }, Ok(())),
        ("reason-longest", "A reason of 32 characters.", Parts { reason: text(32), ..good.clone() }, Ok(())),
        ("reason-too-long", "A reason of 33 characters.", Parts { reason: text(33), ..good.clone() }, Err("reason")),
        (
            "reason-upper-case",
            "A reason is of a-z, 0-9 and _.",
            Parts { reason: b"Fresh".to_vec(), ..good.clone() },
            Err("reason"),
        ),
        ("gate-4", "A gate outcome that there is not.", Parts { gate: 4, ..good.clone() }, Err("gate")),
        ("gate-unknown", "What became of the opening is not known.", Parts { gate: 3, ..good.clone() }, Ok(())),
        ("gate-fault", "The gate was asked to open and could not.", Parts { gate: 2, ..good.clone() }, Ok(())),
    ] {
        let record = parts.record(1);
        let expect = match expect {
            Err(name) => field(name),
            Ok(()) => {
                let value = hex(&chain([0; 32], 1, &record));
                believed(
                    1,
                    [0; 32],
                    &[Record { seq: 1, chain: value, event: Some(parts.expect(1)), passage: None, ruling: None }],
                )
            }
        };
        let file = batch(1, [0; 32], &[record]);
        v.push(Check::Events, &format!("event-{name}"), "SY 6.4", about, Given::default(), &file, expect);
    }
    let record = good.record(1);
    let longer = batch(1, [0; 32], &[[record.as_slice(), &[0]].concat()]);
    let about = "A byte follows the last field.";
    v.push(Check::Events, "event-trailing-byte", "SY 6.4", about, Given::default(), &longer, error("length"));
    let shorter = batch(1, [0; 32], &[record[..record.len() - 1].to_vec()]);
    let about = "The last byte is missing.";
    v.push(Check::Events, "event-truncated", "SY 6.4", about, Given::default(), &shorter, error("length"));
}

fn passages(v: &mut Lists) {
    let record = |of: u8, passed: u8| [[2].as_slice(), &[7; 16], &[of, passed]].concat();
    for (name, about, record, expect) in [
        ("one", "The one whom the code let in went through.", record(1, 1), Ok((1, 1))),
        ("none", "Nobody went through: the use is given back.", record(1, 0), Ok((1, 0))),
        ("group", "Of a group of 255 some went through.", record(255, 200), Ok((255, 200))),
        ("of-nobody", "A code lets in at least one.", record(0, 0), Err(field("of"))),
        ("more-than-of", "More than the code lets in.", record(2, 3), Err(field("passed"))),
        ("truncated", "The last byte is missing.", record(1, 1)[..18].to_vec(), Err(error("length"))),
        ("trailing-byte", "A byte follows the last field.", [record(1, 1), vec![0]].concat(), Err(error("length"))),
    ] {
        let file = batch(1, [0; 32], std::slice::from_ref(&record));
        let expect = expect.map_or_else(
            |refused| refused,
            |(of, passed)| {
                let passage = Some(Passage { id: hex(&[7; 16]), of, passed });
                let chain = hex(&chain([0; 32], 1, &record));
                believed(1, [0; 32], &[Record { seq: 1, chain, event: None, passage, ruling: None }])
            },
        );
        v.push(Check::Events, &format!("passage-{name}"), "SY 6.9", about, Given::default(), &file, expect);
    }
}

fn rulings(v: &mut Lists) {
    let at = u64::from(NOW) * 1000;
    let good = Ruling {
        id: hex(&[7; 16]),
        earliest_ms: at,
        latest_ms: Some(at + 40),
        clock: "synced".into(),
        guard: "王".into(),
        answer: "let_in".into(),
        reason: "document_seen".into(),
        gate: "opened".into(),
    };
    let encode = |guard: &[u8], latest: u64, clock: u8, answer: u8, reason: &str, gate: u8| {
        let mut b = [[4].as_slice(), &[7; 16], &at.to_be_bytes(), &latest.to_be_bytes(), &[clock]].concat();
        b.push(u8::try_from(guard.len()).expect("short"));
        b.extend(guard);
        b.push(answer);
        b.push(u8::try_from(reason.len()).expect("short"));
        b.extend(reason.as_bytes());
        b.push(gate);
        b
    };
    let seen = "document_seen";
    let record = encode("王".as_bytes(), at + 40, 1, 1, seen, 1);
    let mut rulings = |name: &str, about: &str, record: &[u8], expect: Result<Ruling, ListExpect>| {
        let file = batch(1, [0; 32], &[record.to_vec()]);
        let expect = expect.map_or_else(
            |refused| refused,
            |ruling| {
                let chain = hex(&chain([0; 32], 1, record));
                believed(1, [0; 32], &[Record { seq: 1, chain, event: None, passage: None, ruling: Some(ruling) }])
            },
        );
        v.push(Check::Events, &format!("ruling-{name}"), "SY 6.10", about, Given::default(), &file, expect);
    };
    rulings("let-in", "A guard has seen a document and lets in.", &record, Ok(good.clone()));
    let away = encode(b"", u64::MAX, 4, 2, "", 0);
    let (latest_ms, clock, answer, gate) = (None, "floor".into(), "turned_away".into(), "closed".into());
    let turned = Ruling { latest_ms, clock, guard: String::new(), answer, reason: String::new(), gate, ..good.clone() };
    rulings("turned-away", "Nobody is logged in, no reason is given, the time is not known.", &away, Ok(turned));
    let longest = "a".repeat(32);
    let record = encode(longest.as_bytes(), at + 40, 1, 1, seen, 1);
    rulings("guard-longest", "A name of 32 bytes.", &record, Ok(Ruling { guard: longest, ..good }));
    for (name, about, record, expect) in [
        ("guard-too-long", "A name of 33 bytes.", encode(&[b'a'; 33], at, 1, 1, seen, 1), field("guard")),
        ("guard-control", "A line feed in a name.", encode(b"a\nb", at, 1, 1, seen, 1), field("guard")),
        ("time-backward", "latest is before earliest.", encode(b"", at - 1, 1, 1, seen, 1), field("time")),
        ("clock-0", "A clock source that there is not.", encode(b"", at, 0, 1, seen, 1), field("clock")),
        ("answer-0", "An answer that there is not.", encode(b"", at, 1, 0, seen, 1), field("answer")),
        ("answer-3", "An answer that there is not.", encode(b"", at, 1, 3, seen, 1), field("answer")),
        ("reason-upper-case", "A reason is of a-z, 0-9 and _.", encode(b"", at, 1, 1, "Seen", 1), field("reason")),
        ("gate-4", "A gate outcome that there is not.", encode(b"", at, 1, 1, seen, 4), field("gate")),
    ] {
        rulings(name, about, &record, Err(expect));
    }
    let record = encode(b"", at, 1, 1, seen, 1);
    rulings("truncated", "The last byte is missing.", &record[..record.len() - 1], Err(error("length")));
    let longer = [record, vec![0]].concat();
    rulings("trailing-byte", "A byte follows the last field.", &longer, Err(error("length")));
}

fn chains(v: &mut Lists) {
    let (records, expect) = three();
    let mut chains = |name: &str, about: &str, stored: Option<Stored>, file: &[u8], expect: ListExpect| {
        let given = Given { stored, ..Given::default() };
        v.push(Check::Events, &format!("chain-{name}"), "SY 6.5", about, given, file, expect);
    };
    let values: Vec<[u8; 32]> = (1..)
        .zip(&records)
        .scan([0; 32], |previous, (seq, record)| {
            *previous = chain(*previous, seq, record);
            Some(*previous)
        })
        .collect();
    let stored = |seq: u64, value: [u8; 32]| Some(Stored { seq, chain: hex(&value) });
    let last = batch(3, values[1], &records[2..]);
    let about = "The batch goes on where the registry is.";
    chains("continues", about, stored(2, values[1]), &last, believed(3, values[1], &expect[2..]));
    let about = "Two of the three are stored already: the third is new, and nothing is stored twice.";
    let all = batch(1, [0; 32], &records);
    chains("sent-again", about, stored(2, values[1]), &all, believed(1, [0; 32], &expect));
    chains("all-stored", "All three are stored already.", stored(3, values[2]), &all, believed(1, [0; 32], &expect));
    let about = "The batch starts after a record that the registry does not have: stored, and marked as after a gap.";
    chains("gap", about, stored(1, values[0]), &last, believed(3, values[1], &expect[2..]));
    let about = "The chain value before the batch is not the one the registry has: history was changed.";
    chains("previous-differs", about, stored(2, values[0]), &last, error("chain"));
    let about = "A record that is stored already comes with another content.";
    let mut changed = records.clone();
    changed[0] = Parts { outcome: 2, ..Parts::default() }.record(1);
    chains("record-changed", about, stored(2, values[1]), &batch(1, [0; 32], &changed), error("chain"));
    let about = "The batch ends before the record after a gap: there is nothing to compare it with.";
    chains("ends-in-gap", about, stored(5, [9; 32]), &all, believed(1, [0; 32], &expect));
    let about = "The first record of a device has 32 zero bytes before it.";
    chains("first-previous-not-zero", about, stored(0, [0; 32]), &batch(1, [1; 32], &records), error("chain"));
}

fn time_replies(v: &mut Lists) {
    let nonce: [u8; 16] = sha256(b"a nonce")[..16].try_into().expect("16 bytes");
    let given = Given { nonce: Some(hex(&nonce)), ..with_keyset() };
    let mut time = |name: &str, clause: &str, about: &str, file: &[u8], expect: ListExpect| {
        v.push(Check::Time, &format!("time-{name}"), clause, about, given.clone(), file, expect);
    };
    let at_ms = u64::from(NOW) * 1000 + 123;
    let body = |nonce: &[u8; 16], at_ms: u64| [nonce.as_slice(), &at_ms.to_be_bytes()].concat();
    let by = |id: u16, body: &[u8]| signed(TIME_REPLY, body, &[(id, &registry_key(id))]);
    let good = body(&nonce, at_ms);
    time("good", "SY 7.2", "A reply to our nonce.", &by(TIME, &good), ListExpect::Time { at_ms });
    let other = body(&[1; 16], at_ms);
    time("other-nonce", "SY 7.2", "Somebody else's reply, or an old one.", &by(TIME, &other), error("nonce"));
    time("by-lists-key", "SY 7.2", "A lists key does not tell the time.", &by(LISTS, &good), error("unknown_key"));
    time("by-live-key", "SY 7.2", "A live key does not tell the time.", &by(LIVE, &good), error("unknown_key"));
    let about = "The key was over when the reply says it was made.";
    time("key-over", "SY 7.2", about, &by(TIME_OVER, &good), error("unknown_key"));
    let last = u64::from(NOW - 1) * 1000 + 999;
    let about = "The last millisecond of the key's last second.";
    time("key-last-second", "SY 7.2", about, &by(TIME_OVER, &body(&nonce, last)), ListExpect::Time { at_ms: last });
    let first = u64::from(KEYS_FROM) * 1000;
    let about = "The first millisecond of the key.";
    time("key-first-second", "SY 7.2", about, &by(TIME, &body(&nonce, first)), ListExpect::Time { at_ms: first });
    let about = "A millisecond before the key begins.";
    time("key-not-begun", "SY 7.2", about, &by(TIME, &body(&nonce, first - 1)), error("unknown_key"));
    let forged = signed(TIME_REPLY, &good, &[(TIME, &key("stranger"))]);
    time("forged", "SY 2.5", "A stranger's signature under the time key's id.", &forged, error("signature"));
    let context = envelope(TIME_REPLY, &good, &[(TIME, sign(&registry_key(TIME), "tongguan/1/head", &good))]);
    time("wrong-context", "PF 3.1", "Signed as a head.", &context, error("signature"));
    time("short", "SY 7.1", "The time has seven bytes.", &by(TIME, &good[..23]), error("length"));
    let longer = [good.as_slice(), &[0]].concat();
    time("long", "SY 7.1", "A byte follows the time.", &by(TIME, &longer), error("length"));
    let endless = envelope(TIME_REPLY, &[0; 256], &[(TIME, [0; 64])]);
    time("too-long", "SY 10", "Longer than a reply may be.", &endless, error("too_long"));
    let of_size = |size: usize| padded(size, TIME_REPLY, &good, &[(TIME, &registry_key(TIME))]);
    let about = "As long as a reply may be: read, and there are bytes after the time.";
    time("256-bytes", "SY 10", about, &of_size(256), error("length"));
    time("257-bytes", "SY 10", "A byte longer.", &of_size(257), error("too_long"));
}
