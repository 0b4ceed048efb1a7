//! The roster of a community (SY 13): who a handle or a document belongs to, as far as a guard must know: a masked name and
//! a building. Each entry is sealed under a key made from the handle or the document that it is about, so that a gate can look
//! up whom it sees and cannot list whom it does not.

use alloc::string::String;
use alloc::vec::Vec;

use crypto_box::aead::{Aead as _, KeyInit as _};
use ed25519_dalek::{SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use crate::document::Document;
use crate::event::text;
use crate::file::FileRef;
use crate::limits;
use crate::seal;
use crate::signed::ListError;
use crate::wire::{Reader, Writer};

const ROSTER_MAGIC: &[u8; 4] = b"TGR1";
const INDEX_MAGIC: &[u8; 4] = b"TGI1";
/// A key sealed to a gate.
const BOX_BYTES: usize = 32 + seal::SEAL_BYTES;
/// Locator 8, nonce 8, and what is sealed with its tag 16.
const ENTRY_BYTES: usize = 8 + 8 + RESIDENT_BYTES + 16;
const RESIDENT_BYTES: usize = 4 + 1 + 1 + NAME_BYTES + 1 + HOME_BYTES;
/// Bytes of a masked name.
pub const NAME_BYTES: usize = 20;
/// Bytes of a building.
pub const HOME_BYTES: usize = 25;

/// Which roster is current in each community.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RosterIndex(
    /// Community and file, ascending by community.
    pub Vec<(u32, FileRef)>,
);

impl RosterIndex {
    /// SY 13.1: the file.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.bytes(INDEX_MAGIC).size(self.0.len());
        for (community, file) in &self.0 {
            w.u32(*community);
            file.write(&mut w);
        }
        w.0
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`ListError`] naming the check that failed.
    pub fn decode(bytes: &[u8]) -> Result<Self, ListError> {
        let mut r = begin(bytes, limits::ROSTER_INDEX_BYTES, INDEX_MAGIC)?;
        let count = r.size()?;
        let mut all: Vec<(u32, FileRef)> = Vec::new();
        for _ in 0..count {
            let (community, file) = (r.u32()?, FileRef::read(&mut r)?);
            // SY 13.1: "Communities ascend."
            if all.last().is_some_and(|(before, _)| *before >= community) {
                return Err(ListError::Order("communities"));
            }
            all.push((community, file));
        }
        r.end()?;
        Ok(Self(all))
    }

    /// The roster of a community.
    pub fn of(&self, community: u32) -> Option<&FileRef> {
        self.0.binary_search_by_key(&community, |(known, _)| *known).ok().map(|at| &self.0[at].1)
    }
}

/// Who a handle or a document belongs to. Its Debug shows nothing, so that no log does.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Resident {
    /// The person's handle; 0 while they have none.
    pub handle: u32,
    /// The category.
    pub category: u8,
    /// The masked name, at most [`NAME_BYTES`].
    pub name: String,
    /// Building, at most [`HOME_BYTES`]; empty if it is not known.
    pub home: String,
}

impl core::fmt::Debug for Resident {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Resident(..)")
    }
}

impl Resident {
    /// SY 13.4: handle 4, category 1, name 1 + 20, building 1 + 25; filled with zeros. `None` if a text is too long.
    fn encode(&self) -> Option<[u8; RESIDENT_BYTES]> {
        let mut w = Writer::default();
        w.u32(self.handle).u8(self.category);
        for (text, room) in [(&self.name, NAME_BYTES), (&self.home, HOME_BYTES)] {
            let filler = room.checked_sub(text.len())?;
            w.u8(u8::try_from(text.len()).ok()?).bytes(text.as_bytes()).bytes(&[0; HOME_BYTES][..filler]);
        }
        w.0.try_into().ok()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut r = Reader::new(bytes);
        let (handle, category) = (r.u32().ok()?, r.u8().ok()?);
        let mut field = |room: usize| {
            let length = usize::from(r.u8().ok()?);
            let (used, filler) = r.take(room).ok()?.split_at_checked(length)?;
            if filler.iter().all(|b| *b == 0) { text(used, room) } else { None }
        };
        let (name, home) = (field(NAME_BYTES)?, field(HOME_BYTES)?);
        r.end().ok()?;
        Some(Self { handle, category, name, home })
    }
}

/// What opens a roster's entries, together with the handle or the document. Only the registry and the community's gates have it.
#[derive(Clone)]
pub struct RosterKey([u8; 32]);

impl core::fmt::Debug for RosterKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("RosterKey(..)")
    }
}

impl RosterKey {
    /// A key of 32 random bytes.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key's bytes, for who keeps it.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// SY 13.2: seals it to a gate. `seed` is 32 fresh random bytes.
    pub fn seal_to(&self, gate: &VerifyingKey, seed: [u8; 32]) -> Option<Vec<u8>> {
        seal::seal(gate, &self.0, seed)
    }

    /// Where a handle's entry is, and what opens it. Takes 8 MiB and some hundredths of a second, on purpose: handles have
    /// only 32 bits.
    pub fn slot_of_handle(&self, salt: &[u8; 16], handle: u32) -> Slot {
        self.slot(salt, &[&[1], handle.to_be_bytes().as_slice()])
    }

    /// The same of a document.
    pub fn slot_of_document(&self, salt: &[u8; 16], document: &Document) -> Slot {
        self.slot(salt, &[&[2, document.kind() as u8], document.number().as_bytes()])
    }

    fn slot(&self, salt: &[u8; 16], what: &[&[u8]]) -> Slot {
        let secret = [&self.0, what.concat().as_slice()].concat();
        let mut out = [0; 40];
        // SY 13.3: N 8,192, r 8, p 1. These are within what scrypt takes, and so is the output's length.
        if let Ok(params) = scrypt::Params::new(13, 8, 1) {
            let done = scrypt::scrypt(&secret, salt, &params, &mut out);
            debug_assert!(done.is_ok(), "the length of the output is right");
        }
        let (mut locator, mut key) = ([0; 8], [0; 32]);
        locator.copy_from_slice(&out[..8]);
        key.copy_from_slice(&out[8..]);
        Slot { locator, key }
    }
}

/// The place of an entry and its key.
#[derive(Clone)]
pub struct Slot {
    locator: [u8; 8],
    key: [u8; 32],
}

impl core::fmt::Debug for Slot {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Slot(..)")
    }
}

impl Slot {
    /// A slot that was kept as [`Slot::to_bytes`].
    pub fn from_bytes(bytes: &[u8; 40]) -> Self {
        let (mut locator, mut key) = ([0; 8], [0; 32]);
        locator.copy_from_slice(&bytes[..8]);
        key.copy_from_slice(&bytes[8..]);
        Self { locator, key }
    }

    /// Locator 8, key 32: to make it once only.
    pub fn to_bytes(&self) -> [u8; 40] {
        let mut bytes = [0; 40];
        bytes[..8].copy_from_slice(&self.locator);
        bytes[8..].copy_from_slice(&self.key);
        bytes
    }

    /// SY 13.4: the entry of a resident. `None` if a text is too long.
    pub fn seal(&self, resident: &Resident) -> Option<[u8; ENTRY_BYTES]> {
        let content = resident.encode()?;
        // The same key may seal another content after a change, so the nonce is made from the content.
        let hash = Sha256::new_with_prefix(self.key).chain_update(content).finalize();
        let sealed = self.cipher().encrypt(&nonce(&hash[..8]), content.as_slice()).ok()?;
        [self.locator.as_slice(), &hash[..8], &sealed].concat().try_into().ok()
    }

    fn open(&self, entry: &[u8]) -> Option<Resident> {
        let (nonce_bytes, sealed) = entry.get(8..)?.split_at_checked(8)?;
        Resident::decode(&self.cipher().decrypt(&nonce(nonce_bytes), sealed).ok()?)
    }

    fn cipher(&self) -> crypto_secretbox::XSalsa20Poly1305 {
        crypto_secretbox::XSalsa20Poly1305::new(&self.key.into())
    }
}

fn nonce(bytes: &[u8]) -> crypto_secretbox::Nonce {
    let mut nonce = crypto_secretbox::Nonce::default();
    nonce[..8].copy_from_slice(bytes);
    nonce
}

/// The roster of one community.
#[derive(Clone, PartialEq, Eq)]
pub struct Roster {
    /// Whose.
    pub community: u32,
    /// Drawn anew with each new key.
    pub salt: [u8; 16],
    /// The key, sealed to each gate: at most [`limits::ROSTER_GATES`] of 80 bytes.
    boxes: Vec<Vec<u8>>,
    /// Entries, ascending by locator.
    entries: Vec<[u8; ENTRY_BYTES]>,
}

impl core::fmt::Debug for Roster {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Roster({}, {} entries)", self.community, self.entries.len())
    }
}

impl Roster {
    /// A roster with the key sealed to its gates ([`RosterKey::seal_to`]) and its entries ([`Slot::seal`]), in any order.
    ///
    /// # Errors
    /// [`ListError`] if it is more than a reader takes, or two entries have one locator.
    pub fn new(
        community: u32,
        salt: [u8; 16],
        boxes: Vec<Vec<u8>>,
        mut entries: Vec<[u8; ENTRY_BYTES]>,
    ) -> Result<Self, ListError> {
        entries.sort_unstable();
        Self::decode(&Self { community, salt, boxes, entries }.encode())
    }

    /// SY 13.2: the file.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.bytes(ROSTER_MAGIC).u32(self.community).bytes(&self.salt);
        w.u16(u16::try_from(self.boxes.len()).unwrap_or(u16::MAX));
        self.boxes.iter().for_each(|sealed| _ = w.bytes(sealed));
        w.size(self.entries.len());
        self.entries.iter().for_each(|entry| _ = w.bytes(entry));
        w.0
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`ListError`] naming the check that failed.
    pub fn decode(bytes: &[u8]) -> Result<Self, ListError> {
        let mut r = begin(bytes, limits::ROSTER_BYTES, ROSTER_MAGIC)?;
        let (community, salt) = (r.u32()?, r.array()?);
        let gates = usize::from(r.u16()?);
        if gates > limits::ROSTER_GATES {
            return Err(ListError::Field("gate count"));
        }
        let boxes = r.take(gates * BOX_BYTES)?.chunks_exact(BOX_BYTES).map(<[u8]>::to_vec).collect();
        let count = r.size()?;
        let all = r.take(count.checked_mul(ENTRY_BYTES).ok_or(ListError::Length)?)?;
        r.end()?;
        let entries = all.as_chunks().0.to_vec();
        // SY 13.2: "Entries ascend by locator, none is there twice."
        if !entries.is_sorted_by(|a: &[u8; ENTRY_BYTES], b| a[..8] < b[..8]) {
            return Err(ListError::Order("entries"));
        }
        Ok(Self { community, salt, boxes, entries })
    }

    /// The key, if it is sealed to this gate.
    pub fn unlock(&self, gate: &SigningKey) -> Option<RosterKey> {
        let keys = self.boxes.iter().filter_map(|sealed| seal::open(gate, sealed).ok());
        keys.filter_map(|key| key.try_into().ok()).map(RosterKey).next()
    }

    /// Who is in a slot. `None` if nobody is, or the entry does not open.
    pub fn find(&self, slot: &Slot) -> Option<Resident> {
        let at = self.entries.binary_search_by(|entry| entry[..8].cmp(&slot.locator)).ok()?;
        slot.open(&self.entries[at])
    }

    /// How many entries there are: up to two for each resident.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// The size limit comes first, then the magic.
fn begin<'a>(bytes: &'a [u8], limit: usize, magic: &[u8; 4]) -> Result<Reader<'a>, ListError> {
    if bytes.len() > limit {
        return Err(ListError::TooLong { limit, got: bytes.len() });
    }
    let mut r = Reader::new(bytes);
    if r.array::<4>().ok() != Some(*magic) {
        return Err(ListError::Magic);
    }
    Ok(r)
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::document::DocumentKind;

    fn zhou() -> Resident {
        Resident { handle: 77, category: 1, name: "周*".into(), home: "3号楼".into() }
    }

    fn document(number: &str) -> Document {
        Document::parse(DocumentKind::ResidentId, number).unwrap()
    }

    #[test]
    fn a_gate_finds_whom_it_sees_by_handle_and_by_document_and_nobody_else_finds_anything() {
        let (gate, other) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
        let (key, salt) = (RosterKey::from_random([9; 32]), [5; 16]);
        let slots = [key.slot_of_handle(&salt, 77), key.slot_of_document(&salt, &document("440308199901101512"))];
        let entries = slots.iter().map(|slot| slot.seal(&zhou()).unwrap()).collect();
        let boxes = vec![key.seal_to(&gate.verifying_key(), [3; 32]).unwrap()];
        let roster = Roster::decode(&Roster::new(1, salt, boxes, entries).unwrap().encode()).unwrap();
        assert_eq!(roster.len(), 2);
        let found = roster.unlock(&gate).unwrap();
        assert_eq!(roster.find(&found.slot_of_handle(&salt, 77)), Some(zhou()));
        assert_eq!(roster.find(&found.slot_of_document(&salt, &document("440308199901101512"))), Some(zhou()));
        assert_eq!(roster.find(&found.slot_of_handle(&salt, 78)), None);
        assert_eq!(roster.find(&found.slot_of_document(&salt, &document("11010519491231002X"))), None);
        assert_eq!(roster.find(&RosterKey::from_random([8; 32]).slot_of_handle(&salt, 77)), None);
        assert!(roster.unlock(&other).is_none());
        let file = roster.encode();
        assert!(!file.windows("周".len()).any(|w| w == "周".as_bytes()));
        let kept = Slot::from_bytes(&slots[0].to_bytes());
        assert_eq!(roster.find(&kept), Some(zhou()));
    }

    #[test]
    fn what_is_not_a_roster_is_refused_by_name() {
        let slot = |n| RosterKey::from_random([9; 32]).slot_of_handle(&[5; 16], n);
        let (one, two) = (slot(1).seal(&zhou()).unwrap(), slot(2).seal(&zhou()).unwrap());
        let file = Roster::new(1, [5; 16], vec![vec![0; BOX_BYTES]], vec![one, two]).unwrap().encode();
        assert_eq!(Roster::new(1, [5; 16], vec![], vec![one, one]), Err(ListError::Order("entries")));
        for end in 0..file.len() {
            let expected = if end < 4 { ListError::Magic } else { ListError::Length };
            assert_eq!(Roster::decode(&file[..end]), Err(expected));
        }
        assert_eq!(Roster::decode(&[&file[..], &[0]].concat()), Err(ListError::Length));
        let mut many = file.clone();
        many[24..26].copy_from_slice(&257_u16.to_be_bytes());
        assert_eq!(Roster::decode(&many), Err(ListError::Field("gate count")));
        let mut endless = file.clone();
        endless[26 + BOX_BYTES..30 + BOX_BYTES].copy_from_slice(&[0xff; 4]);
        assert_eq!(Roster::decode(&endless), Err(ListError::Length));
        let limit = limits::ROSTER_BYTES;
        assert!(matches!(Roster::decode(&vec![0; limit + 1]), Err(ListError::TooLong { .. })));
    }

    #[test]
    fn a_name_that_does_not_fit_is_not_sealed() {
        let slot = RosterKey::from_random([9; 32]).slot_of_handle(&[5; 16], 1);
        let name = |n: usize| Resident { name: "a".repeat(n), ..zhou() };
        assert!(slot.seal(&name(NAME_BYTES)).is_some());
        assert!(slot.seal(&name(NAME_BYTES + 1)).is_none());
    }

    #[test]
    fn an_index_has_each_community_once() {
        let file = FileRef::to(1, b"x");
        let index = RosterIndex(vec![(1, file), (7, file)]);
        assert_eq!(RosterIndex::decode(&index.encode()), Ok(index.clone()));
        assert_eq!((index.of(7), index.of(2)), (Some(&file), None));
        let twice = RosterIndex(vec![(1, file), (1, file)]).encode();
        assert_eq!(RosterIndex::decode(&twice), Err(ListError::Order("communities")));
        assert_eq!(RosterIndex::decode(b"TGR1"), Err(ListError::Magic));
        assert_eq!(RosterIndex::decode(&index.encode()[..20]), Err(ListError::Length));
    }
}
