//! Vectors of rosters (SY 13.1 to 13.4).

use crypto_box::aead::{Aead as _, KeyInit as _};
use crypto_secretbox::XSalsa20Poly1305;

use super::lists::{Lists, error, field, named_as};
use super::make::{hex, key, sha256};
use super::receipts::Drawn;
use super::schema::{Check, Find, Given, Indexed, ListExpect, ListVector, ShownResident};

const COMMUNITY: u32 = 7;
const SALT: [u8; 16] = [0x5a; 16];
/// SY 13.3.
const RESIDENT_ID: u8 = 1;
const MILITARY_OFFICER: u8 = 2;
const PASSPORT: u8 = 3;
const NUMBER: &str = "440308199901101512";
const HANDLE: u32 = 0x1234_5678;

/// The roster's key.
fn roster_key() -> [u8; 32] {
    sha256(b"tongguan test roster key")
}

/// What a slot is the slot of.
#[derive(Clone, Copy)]
enum What<'a> {
    Handle(u32),
    Document(u8, &'a str),
}

impl What<'_> {
    fn find(self) -> Find {
        match self {
            Self::Handle(handle) => Find { handle: Some(handle), kind: None, number: None },
            Self::Document(kind, number) => Find { handle: None, kind: Some(kind), number: Some(number.into()) },
        }
    }

    /// SY 13.3.
    fn slot(self, key: &[u8; 32], salt: &[u8; 16]) -> [u8; 40] {
        let what = match self {
            Self::Handle(handle) => [[1].as_slice(), &handle.to_be_bytes()].concat(),
            Self::Document(kind, number) => [[2, kind].as_slice(), number.as_bytes()].concat(),
        };
        let mut out = [0; 40];
        let params = scrypt::Params::new(13, 8, 1).expect("parameters");
        scrypt::scrypt(&[key.as_slice(), &what].concat(), salt, &params, &mut out).expect("40 bytes");
        out
    }

    fn slot_here(self) -> [u8; 40] {
        self.slot(&roster_key(), &SALT)
    }
}

/// SY 13.4, with the lengths as they are given.
#[derive(Clone)]
struct Content {
    handle: u32,
    category: u8,
    name: (u8, Vec<u8>),
    home: (u8, Vec<u8>),
}

fn text(text: &str) -> (u8, Vec<u8>) {
    (u8::try_from(text.len()).expect("short"), text.as_bytes().to_vec())
}

impl Content {
    fn zhou() -> Self {
        Self { handle: HANDLE, category: 1, name: text("周*"), home: text("3号楼") }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut b = self.handle.to_be_bytes().to_vec();
        b.push(self.category);
        for ((length, bytes), room) in [(&self.name, 20), (&self.home, 25)] {
            b.push(*length);
            b.extend(bytes);
            b.extend(vec![0; room - bytes.len()]);
        }
        assert_eq!(b.len(), 52);
        b
    }

    fn shown(&self) -> ShownResident {
        let text = |(_, bytes): &(u8, Vec<u8>)| String::from_utf8(bytes.clone()).expect("UTF-8");
        ShownResident { handle: self.handle, category: self.category, name: text(&self.name), home: text(&self.home) }
    }
}

/// SY 13.4: locator, nonce, and what is sealed.
fn sealed_with(slot: &[u8; 40], nonce: [u8; 8], content: &[u8]) -> Vec<u8> {
    let cipher = XSalsa20Poly1305::new_from_slice(&slot[8..]).expect("32 bytes");
    let long = [nonce.as_slice(), &[0; 16]].concat();
    let sealed = cipher.encrypt(long.as_slice().into(), content).expect("it can be sealed");
    [&slot[..8], &nonce, &sealed].concat()
}

fn entry(what: What<'_>, content: &Content) -> Vec<u8> {
    let (slot, content) = (what.slot_here(), content.bytes());
    let hash = sha256(&[&slot[8..], &content].concat());
    sealed_with(&slot, hash[..8].try_into().expect("8 bytes"), &content)
}

/// SY 13.2, 6.8.
fn sealed_to(gate: &str) -> Vec<u8> {
    let to = crypto_box::PublicKey::from(key(gate).verifying_key().to_montgomery().to_bytes());
    to.seal(&mut Drawn, &roster_key()).expect("it can be sealed")
}

/// SY 13.2, with everything as it is given.
fn roster(boxes: &[Vec<u8>], entries: &[Vec<u8>]) -> Vec<u8> {
    let mut b = b"TGR1".to_vec();
    b.extend(COMMUNITY.to_be_bytes());
    b.extend(SALT);
    b.extend(u16::try_from(boxes.len()).expect("few").to_be_bytes());
    boxes.iter().for_each(|sealed| b.extend(sealed));
    b.extend(u32::try_from(entries.len()).expect("few").to_be_bytes());
    entries.iter().for_each(|entry| b.extend(entry));
    b
}

pub(crate) fn all() -> Vec<ListVector> {
    let mut lists = Lists::default();
    indexes(&mut lists);
    files(&mut lists);
    residents(&mut lists);
    contents(&mut lists);
    lists.0
}

/// SY 13.1.
fn indexes(v: &mut Lists) {
    let of = |communities: &[u32]| {
        let mut b = b"TGI1".to_vec();
        b.extend(u32::try_from(communities.len()).expect("few").to_be_bytes());
        for community in communities {
            b.extend(community.to_be_bytes());
            b.extend(9_u32.to_be_bytes());
            b.extend(3_u32.to_be_bytes());
            b.extend(sha256(b"abc"));
        }
        b
    };
    let shown = |communities: &[u32]| {
        let file = named_as(9, b"abc");
        let (version, size, sha256) = (file.version, file.size, &file.sha256);
        let of = |community: &u32| Indexed { community: *community, version, size, sha256: sha256.clone() };
        ListExpect::Index { communities: communities.iter().map(of).collect() }
    };
    let mut index = |name: &str, about: &str, file: &[u8], expect: ListExpect| {
        v.push(Check::RosterIndex, &format!("rosters-{name}"), "SY 13.1", about, Given::default(), file, expect);
    };
    let all = [0, 1, 7, u32::MAX];
    index("good", "The rosters of four communities.", &of(&all), shown(&all));
    index("empty", "No community has a roster.", &of(&[]), shown(&[]));
    index("twice", "One community twice.", &of(&[1, 1]), error("order"));
    index("swapped", "The later community first.", &of(&[2, 1]), error("order"));
    index("no-bytes", "Not even a magic.", &[], error("magic"));
    let good = of(&all);
    index("magic", "The magic of a roster.", &[b"TGR1", &good[4..]].concat(), error("magic"));
    index("cut", "The last byte is missing.", &good[..good.len() - 1], error("length"));
    index("longer", "A byte after the last community.", &[&good[..], &[0]].concat(), error("length"));
    let mut many = good;
    many[4..8].copy_from_slice(&[0xff; 4]);
    index("count", "It counts more communities than there are.", &many, error("length"));
}

/// SY 13.2.
fn files(v: &mut Lists) {
    let mut file = |name: &str, about: &str, file: &[u8], expect: ListExpect| {
        v.push(Check::Roster, &format!("roster-{name}"), "SY 13.2", about, Given::default(), file, expect);
    };
    let shown =
        |gates: u16, entries: u32| ListExpect::Roster { community: COMMUNITY, salt: hex(&SALT), gates, entries };
    // What is in boxes and entries is looked at only by who opens them.
    let (sealed, entry) = (vec![7; 80], |n: u8| [[n; 8].as_slice(), &[0; 76]].concat());
    let good = roster(&[sealed.clone(), sealed.clone()], &[entry(0), entry(1), entry(255)]);
    file("good", "Two gates, three entries.", &good, shown(2, 3));
    file("empty", "For nobody, about nobody.", &roster(&[], &[]), shown(0, 0));
    file("gates-256", "As many gates as there may be.", &roster(&vec![vec![0; 80]; 256], &[]), shown(256, 0));
    let many = roster(&vec![vec![0; 80]; 257], &[]);
    file("gates-257", "One gate too many.", &many, field("gate count"));
    file("gates-257-cut", "One gate too many, and none is there.", &many[..30], field("gate count"));
    file("entry-twice", "Two entries have one locator.", &roster(&[], &[entry(1), entry(1)]), error("order"));
    let same = [[1; 8].as_slice(), &[9; 76]].concat();
    let about = "Two entries have one locator, and ascend by what follows it.";
    file("locator-twice", about, &roster(&[], &[entry(1), same]), error("order"));
    file("entries-swapped", "The later entry first.", &roster(&[], &[entry(2), entry(1)]), error("order"));
    file("no-bytes", "Not even a magic.", &[], error("magic"));
    file("magic", "The magic of an index.", &[b"TGI1", &good[4..]].concat(), error("magic"));
    file("cut", "The last byte is missing.", &good[..good.len() - 1], error("length"));
    file("longer", "A byte after the last entry.", &[&good[..], &[0]].concat(), error("length"));
    file("cut-in-salt", "It ends inside the salt.", &good[..20], error("length"));
    file("cut-in-box", "It ends inside a box.", &good[..100], error("length"));
    file("cut-in-entry", "It ends inside an entry.", &good[..300], error("length"));
    let mut endless = good;
    endless[186..190].copy_from_slice(&[0xff; 4]);
    file("count", "It counts more entries than there are.", &endless, error("length"));
}

fn given(gate: &str, what: What<'_>) -> Given {
    Given { private_key: Some(hex(key(gate).as_bytes())), find: Some(what.find()), ..Given::default() }
}

/// Who is found in a slot of this roster.
fn found(what: What<'_>, resident: Option<&Content>) -> ListExpect {
    ListExpect::Resident { slot: Some(hex(&what.slot_here())), resident: resident.map(Content::shown) }
}

/// SY 13.2 to 13.4: by whom somebody is found, and by whom not.
fn residents(v: &mut Lists) {
    let mut resident = |name: &str, clause: &str, about: &str, given: Given, file: &[u8], expect: ListExpect| {
        v.push(Check::Resident, &format!("resident-{name}"), clause, about, given, file, expect);
    };
    let (handle, document) = (What::Handle(HANDLE), What::Document(RESIDENT_ID, NUMBER));
    let officer = What::Document(MILITARY_OFFICER, "12345678");
    let zhou = Content::zhou();
    let sorted = |mut entries: Vec<Vec<u8>>| {
        entries.sort();
        entries
    };
    let entries = sorted(vec![entry(handle, &zhou), entry(document, &zhou), entry(officer, &zhou)]);
    let good = roster(&[sealed_to("stranger"), sealed_to("device")], &entries);
    let about = "A gate finds whom a handle belongs to; its box is the second one.";
    resident("by-handle", "SY 13.3", about, given("device", handle), &good, found(handle, Some(&zhou)));
    let about = "A gate finds whom a document belongs to.";
    resident("by-document", "SY 13.3", about, given("device", document), &good, found(document, Some(&zhou)));
    let about = "Nobody has this handle.";
    let other = What::Handle(HANDLE + 1);
    resident("other-handle", "SY 13.3", about, given("device", other), &good, found(other, None));
    let about = "The same number is another document if its kind is another.";
    let other = What::Document(PASSPORT, "12345678");
    resident("other-kind", "SY 13.3", about, given("device", other), &good, found(other, None));
    let about = "Nobody has this document.";
    let other = What::Document(RESIDENT_ID, "11010519491231002X");
    resident("other-number", "SY 13.3", about, given("device", other), &good, found(other, None));
    let about = "A gate to which nothing is sealed looks nobody up.";
    let nobody = ListExpect::Resident { slot: None, resident: None };
    resident("other-gate", "SY 13.2", about, given("thief", handle), &good, nobody.clone());
    let about = "Nor does one whose box was changed.";
    let mut changed = sealed_to("device");
    changed[70] ^= 1;
    let altered = roster(&[changed], &entries);
    resident("altered-box", "SY 13.2", about, given("device", handle), &altered, nobody.clone());
    let about = "A roster for no gate.";
    resident("no-gate", "SY 13.2", about, given("device", handle), &roster(&[], &entries), nobody);
    let about = "With another salt the slots are others.";
    let mut salted = good.clone();
    salted[8] ^= 1;
    let salt = salted[8..24].try_into().expect("16 bytes");
    let expect = ListExpect::Resident { slot: Some(hex(&handle.slot(&roster_key(), &salt))), resident: None };
    resident("other-salt", "SY 13.3", about, given("device", handle), &salted, expect);
    let one = |entry: Vec<u8>| roster(&[sealed_to("device")], &[entry]);
    let altered = |at: usize| {
        let mut altered = entry(handle, &zhou);
        altered[at] ^= 1;
        one(altered)
    };
    for (name, about, at) in [
        ("altered-locator", "It is not where its key leads to.", 7),
        ("altered-nonce", "A bit of the nonce was changed.", 15),
        ("altered-tag", "A bit of the tag was changed.", 16),
        ("altered-content", "A bit of what is sealed was changed.", 83),
    ] {
        resident(name, "SY 13.4", about, given("device", handle), &altered(at), found(handle, None));
    }
    let about = "Another nonce opens as well: it is in the entry.";
    let nonce = sealed_with(&handle.slot_here(), [1; 8], &zhou.bytes());
    resident("other-nonce", "SY 13.4", about, given("device", handle), &one(nonce), found(handle, Some(&zhou)));
    let about = "An entry moved under another's locator does not open there.";
    let mut moved = entry(document, &zhou);
    moved[..8].copy_from_slice(&handle.slot_here()[..8]);
    resident("moved", "SY 13.4", about, given("device", handle), &one(moved), found(handle, None));
}

/// SY 13.4: contents that are so, and that are not.
fn contents(v: &mut Lists) {
    let what = What::Document(RESIDENT_ID, NUMBER);
    let zhou = Content::zhou();
    let mut content = |name: &str, about: &str, content: &Content, good: bool| {
        let file = roster(&[sealed_to("device")], &[entry(what, content)]);
        let expect = found(what, good.then_some(content));
        v.push(Check::Resident, &format!("content-{name}"), "SY 13.4", about, given("device", what), &file, expect);
    };
    content("no-handle", "Somebody who has no handle.", &Content { handle: 0, ..zhou.clone() }, true);
    let largest = Content { handle: u32::MAX, category: 255, ..zhou.clone() };
    content("largest", "The largest handle and category.", &largest, true);
    let nothing = Content { name: text(""), home: text(""), ..zhou.clone() };
    content("no-texts", "No name and no building.", &nothing, true);
    let longest =
        Content { name: text("J*** S*** K*** L***X"), home: text("Building 3, Entrance 2, 1"), ..zhou.clone() };
    content("longest", "Texts that fill their room.", &longest, true);
    let name = |name: (u8, Vec<u8>)| Content { name, ..zhou.clone() };
    let home = |home: (u8, Vec<u8>)| Content { home, ..zhou.clone() };
    content("name-21", "A name longer than its room.", &name((21, vec![b'a'; 20])), false);
    content("name-255", "A name longer than everything.", &name((255, vec![b'a'; 20])), false);
    content("building-26", "A building longer than its room.", &home((26, vec![b'a'; 25])), false);
    content("filler", "After the name there is something.", &name((1, b"ab".to_vec())), false);
    content("filler-last", "The last byte is no zero.", &home((1, [b"a".as_slice(), &[0; 23], &[1]].concat())), false);
    content("not-utf-8", "A name that is cut inside a character.", &name((2, "周".as_bytes()[..2].to_vec())), false);
    content("control", "A name with a control character.", &name(text("a\u{1b}")), false);
    content("c1-control", "A building with a control character of two bytes.", &home(text("a\u{9b}")), false);
    content("zero", "A name with a zero byte in it.", &name(text("a\0b")), false);
    let about = "What is sealed is a byte short, and so is the entry: the next byte is part of none.";
    let short = sealed_with(&what.slot_here(), [0; 8], &zhou.bytes()[..51]);
    let file = roster(&[sealed_to("device")], &[short]);
    v.push(Check::Resident, "content-short", "SY 13.2", about, given("device", what), &file, error("length"));
}
