//! Vectors of receipts (SY 6.6) and notes (SY 6.7, 6.8).

use crypto_box::aead::rand_core::{CryptoRng, Error, RngCore};

use super::forge;
use super::lists::{EVENTS, Lists, RECEIPT_FILE, envelope, error, field, keyset_of, padded, root_file, signed};
use super::make::{KEYS_FROM, LISTS, NOW, hex, key, public, registry_key, registry_keys, sha256, sign};
use super::schema::{Check, Given, Key, ListExpect, ListVector, Record};

const NOTES: u16 = 13;
const RECEIPT: u16 = 14;
const RECEIPT_OVER: u16 = 15;

pub(crate) fn all() -> Vec<ListVector> {
    let mut lists = Lists::default();
    receipts(&mut lists);
    notes(&mut lists);
    notes_in_batches(&mut lists);
    lists.0
}

/// The other vectors' keyset and a key for each of the later purposes.
fn keys() -> Vec<Key> {
    let key = |id: u16, name: &str, purpose: &str, not_after: u32| Key {
        id,
        purpose: purpose.into(),
        not_before: KEYS_FROM,
        not_after,
        public_key: hex(&public(name)),
    };
    let mut keys = registry_keys();
    keys.push(key(NOTES, "notes", "notes", NOW + 1_000_000));
    keys.push(key(RECEIPT, "receipt", "receipt", NOW + 1_000_000));
    keys.push(key(RECEIPT_OVER, "receipt-over", "receipt", NOW - 1));
    keys
}

/// SY 6.6.
fn body(device: &[u8; 32], first_seq: u64, next_seq: u64, chain: [u8; 32]) -> Vec<u8> {
    [device.as_slice(), &first_seq.to_be_bytes(), &next_seq.to_be_bytes(), &chain].concat()
}

fn receipts(v: &mut Lists) {
    let given = Given {
        root: Some(hex(&root_file())),
        keyset: Some(hex(&keyset_of(&keys()))),
        device: Some(hex(&public("device"))),
        ..Given::default()
    };
    let mut receipt = |name: &str, clause: &str, about: &str, file: &[u8], expect: ListExpect| {
        v.push(Check::Receipt, &format!("receipt-{name}"), clause, about, given.clone(), file, expect);
    };
    let (device, chain) = (public("device"), sha256(b"a chain value"));
    let expect = |first_seq: u64, next_seq: u64| ListExpect::Receipt {
        device: hex(&device),
        first_seq,
        next_seq,
        chain: hex(&chain),
    };
    let by = |id: u16, name: &str, body: &[u8]| signed(RECEIPT_FILE, body, &[(id, &key(name))]);
    let of = |first_seq: u64, next_seq: u64| by(RECEIPT, "receipt", &body(&device, first_seq, next_seq, chain));
    let good = body(&device, 1, 201, chain);
    receipt("good", "SY 6.6", "Records 1 to 200 are stored.", &of(1, 201), expect(1, 201));
    let about = "Earlier records are missing, those from 7 on are stored.";
    receipt("after-gap", "SY 6.6", about, &of(7, 201), expect(7, 201));
    receipt("one", "SY 6.6", "A single record.", &of(1, 2), expect(1, 2));
    receipt("first-seq-0", "SY 6.6", "Numbers start at 1.", &of(0, 2), field("first_seq"));
    receipt("empty", "SY 6.6", "A receipt for nothing.", &of(5, 5), field("next_seq"));
    receipt("backward", "SY 6.6", "It ends before it begins.", &of(5, 4), field("next_seq"));
    let largest = (1 << 63) - 1;
    receipt(
        "next-seq-largest",
        "SY 6.6",
        "The largest number.",
        &of(largest - 1, largest),
        expect(largest - 1, largest),
    );
    receipt("next-seq-too-large", "SY 6.6", "One number more.", &of(1, largest + 1), field("next_seq"));
    let about = "The key's validity is over, and it is in the keyset: a receipt has no time.";
    receipt("key-over", "SY 6.6", about, &by(RECEIPT_OVER, "receipt-over", &good), expect(1, 201));
    let about = "A lists key gives no receipts.";
    let lists = signed(RECEIPT_FILE, &good, &[(LISTS, &registry_key(LISTS))]);
    receipt("by-lists-key", "SY 6.6", about, &lists, error("unknown_key"));
    let about = "Nor does a notes key: it signs nothing.";
    receipt("by-notes-key", "SY 6.8", about, &by(NOTES, "notes", &good), error("unknown_key"));
    let about = "The device cannot give itself a receipt.";
    receipt("by-device", "SY 6.6", about, &signed(RECEIPT_FILE, &good, &[(0, &key("device"))]), error("unknown_key"));
    let about = "A stranger's signature under the receipt key's id.";
    receipt("forged", "SY 2.5", about, &by(RECEIPT, "stranger", &good), error("signature"));
    let mut altered = of(1, 201);
    altered[56] ^= 1;
    receipt("altered", "SY 2.5", "It was made to cover more.", &altered, error("signature"));
    let as_batch = envelope(RECEIPT_FILE, &good, &[(RECEIPT, sign(&key("receipt"), "tongguan/1/events", &good))]);
    receipt("wrong-context", "PF 3.1", "Signed as a batch.", &as_batch, error("signature"));
    let as_batch = signed(EVENTS, &good, &[(RECEIPT, &key("receipt"))]);
    receipt("file-type", "SY 2.2", "A file of another type.", &as_batch, error("file_type"));
    let other = body(&public("stranger"), 1, 201, chain);
    let about = "A good receipt, for another device.";
    receipt("other-device", "SY 6.6", about, &by(RECEIPT, "receipt", &other), error("device"));
    let about = "For another device, and forged: the signature is looked at first.";
    receipt("other-device-forged", "SY 6.6", about, &by(RECEIPT, "stranger", &other), error("signature"));
    let weak = body(&forge::small_order()[1], 1, 201, chain);
    let about = "A device key of small order.";
    receipt("small-order-device", "PF 3.3", about, &by(RECEIPT, "receipt", &weak), error("public_key"));
    let short = by(RECEIPT, "receipt", &good[..good.len() - 1]);
    receipt("short", "SY 6.6", "The chain value has 31 bytes.", &short, error("length"));
    let longer = [good.as_slice(), &[0]].concat();
    receipt("long", "SY 6.6", "A byte follows it.", &by(RECEIPT, "receipt", &longer), error("length"));
    let of_size = |size: usize| padded(size, RECEIPT_FILE, &good, &[(RECEIPT, &key("receipt"))]);
    let about = "As long as a receipt may be: read, and there are bytes after the chain value.";
    receipt("256-bytes", "SY 10", about, &of_size(256), error("length"));
    receipt("257-bytes", "SY 10", "A byte longer.", &of_size(257), error("too_long"));
}

/// The bytes of a key named `ephemeral`, as if they had been drawn.
pub(crate) struct Drawn;

impl RngCore for Drawn {
    fn next_u32(&mut self) -> u32 {
        unreachable!("a key is drawn whole")
    }

    fn next_u64(&mut self) -> u64 {
        unreachable!("a key is drawn whole")
    }

    fn fill_bytes(&mut self, into: &mut [u8]) {
        into.copy_from_slice(key("ephemeral").as_bytes());
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(into);
        Ok(())
    }
}

impl CryptoRng for Drawn {}

const ABOUT: [u8; 16] = [0xab; 16];

/// SY 6.7.
fn record(sealed: &[u8]) -> Vec<u8> {
    [[3].as_slice(), &ABOUT, &NOTES.to_be_bytes(), sealed].concat()
}

/// SY 6.8.
fn sealed(text: &[u8]) -> Vec<u8> {
    let to = crypto_box::PublicKey::from(key("notes").verifying_key().to_montgomery().to_bytes());
    to.seal(&mut Drawn, text).expect("it can be sealed")
}

fn notes(v: &mut Lists) {
    let mut note = |name: &str, clause: &str, about: &str, private: &str, file: &[u8], expect: ListExpect| {
        let given = Given { private_key: Some(hex(key(private).as_bytes())), ..Given::default() };
        v.push(Check::Note, &format!("note-{name}"), clause, about, given, file, expect);
    };
    let expect = |text: &str| ListExpect::Note { about: hex(&ABOUT), key: NOTES, text: text.into() };
    let text = "张三，证件 110101，来访 3 号楼";
    let good = record(&sealed(text.as_bytes()));
    note("good", "SY 6.7", "A note, read with the private notes key.", "notes", &good, expect(text));
    let most = "x".repeat(957);
    let longest = record(&sealed(most.as_bytes()));
    note("longest", "SY 6.7", "A note that fills its record.", "notes", &longest, expect(&most));
    let long = record(&sealed("x".repeat(958).as_bytes()));
    note("too-long", "SY 6.7", "A byte longer.", "notes", &long, error("length"));
    note("one-byte", "SY 6.7", "The shortest note.", "notes", &record(&sealed(b"x")), expect("x"));
    note("empty", "SY 6.7", "A note of nothing.", "notes", &record(&sealed(b"")), error("length"));
    note("short", "SY 6.7", "Less than sealing adds.", "notes", &record(&[7; 20]), error("length"));
    note("other-key", "SY 6.8", "Another key opens nothing.", "stranger", &good, error("seal"));
    let altered = |at: usize| {
        let mut altered = good.clone();
        altered[at] ^= 1;
        altered
    };
    note("altered", "SY 6.8", "A bit of the text was changed.", "notes", &altered(80), error("seal"));
    note(
        "altered-ephemeral",
        "SY 6.8",
        "A bit of the ephemeral key was changed.",
        "notes",
        &altered(20),
        error("seal"),
    );
    note("altered-tag", "SY 6.8", "A bit of the tag was changed.", "notes", &altered(55), error("seal"));
}

fn notes_in_batches(v: &mut Lists) {
    let device = public("device");
    let batch = |record: &[u8]| {
        let length = u16::try_from(record.len()).expect("short").to_be_bytes();
        let body = [&device, 1_u64.to_be_bytes().as_slice(), &[0; 32], &[0, 1], &length, record].concat();
        signed(EVENTS, &body, &[(0, &key("device"))])
    };
    let good = record(&sealed(b"a note"));
    let chain = sha256(&[b"tongguan/1/event\0".as_slice(), &[0; 32], &1_u64.to_be_bytes(), &good].concat());
    let expect = ListExpect::Batch {
        device: hex(&device),
        first_seq: 1,
        previous: hex(&[0; 32]),
        records: vec![Record { seq: 1, chain: hex(&chain), event: None, passage: None, ruling: None }],
    };
    let about = "A note is a record like any other; whoever has no private key reads no more of it.";
    v.push(Check::Events, "events-note", "SY 6.7", about, Given::default(), &batch(&good), expect);
    let about = "A malformed note spoils its batch.";
    let short = batch(&record(&[7; 48]));
    v.push(Check::Events, "events-note-too-short", "SY 6.7", about, Given::default(), &short, error("length"));
}
