//! What is sealed before it gets into the database: documents, and what rosters are made with. The data key is a file beside
//! the private keys, so a copy of the database alone tells no number.

use crypto_secretbox::aead::{Aead as _, KeyInit as _};
use crypto_secretbox::{Nonce, XSalsa20Poly1305};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use tongguan_pass::{Document, DocumentKind};
use zeroize::Zeroizing;

/// Bytes of the data key's file.
pub const DATA_KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// The fields that are sealed. Each has keys of its own, and so has each of its rows: what is moved elsewhere does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// A person's document.
    Document,
    /// A community's roster key.
    RosterKey,
    /// A slot of a roster.
    Slot,
    /// What a person has told of themselves.
    Profile,
    /// An entry of the history of a person's data.
    History,
    /// What somebody has typed so far, in a session.
    Draft,
    /// A message that is to go out.
    Message,
}

impl Field {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Document => b"tongguan/1/data/document\0",
            Self::RosterKey => b"tongguan/1/data/roster-key\0",
            Self::Slot => b"tongguan/1/data/slot\0",
            Self::Profile => b"tongguan/1/data/profile\0",
            Self::History => b"tongguan/1/data/history\0",
            Self::Draft => b"tongguan/1/data/draft\0",
            Self::Message => b"tongguan/1/data/message\0",
        }
    }
}

/// A document as the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedDocument {
    /// The keyed hash of kind and number, by which it is found.
    pub lookup: [u8; 32],
    /// Kind and number, sealed.
    pub sealed: Vec<u8>,
}

/// Something sealed that is in the database, for a data key to be tried on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Specimen {
    /// A community's roster key.
    RosterKey(u32, Vec<u8>),
    /// A person's document.
    Document(String, Vec<u8>),
    /// A person's profile.
    Profile(String, Vec<u8>),
}

/// The registry's data key.
pub struct DataKey(Zeroizing<[u8; DATA_KEY_BYTES]>);

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey(..)")
    }
}

impl DataKey {
    /// The key of these bytes.
    pub fn from_bytes(bytes: Zeroizing<[u8; DATA_KEY_BYTES]>) -> Self {
        Self(bytes)
    }

    /// Seals `content`, which belongs to `whose`. `nonce` is drawn anew each time. `None` if the content is too long for the
    /// cipher.
    pub fn seal(&self, field: Field, whose: &[u8], nonce: [u8; NONCE_BYTES], content: &[u8]) -> Option<Vec<u8>> {
        let sealed = self.cipher(field, whose).encrypt(&Nonce::from(nonce), content).ok()?;
        Some([nonce.as_slice(), &sealed].concat())
    }

    /// What was sealed. `None` if it was sealed with another key, for another field or row, or was changed.
    pub fn open(&self, field: Field, whose: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        self.cipher(field, whose).decrypt(&Nonce::from(*nonce), sealed).ok().map(Zeroizing::new)
    }

    /// Whether it is the key that the database was written with: another one must seal nothing there.
    pub fn opens(&self, specimen: &Specimen) -> bool {
        match specimen {
            Specimen::RosterKey(community, sealed) => {
                self.open(Field::RosterKey, &community.to_be_bytes(), sealed).is_some()
            }
            Specimen::Document(person, sealed) => self.open(Field::Document, person.as_bytes(), sealed).is_some(),
            Specimen::Profile(person, sealed) => self.open(Field::Profile, person.as_bytes(), sealed).is_some(),
        }
    }

    /// A person's document as it is stored.
    pub fn seal_document(&self, person: &str, document: &Document, nonce: [u8; NONCE_BYTES]) -> Option<SealedDocument> {
        let content = Zeroizing::new([&[document.kind() as u8], document.number().as_bytes()].concat());
        let sealed = self.seal(Field::Document, person.as_bytes(), nonce, &content)?;
        Some(SealedDocument { lookup: self.hash(b"tongguan/1/data/lookup\0", &content), sealed })
    }

    /// The document of a person. `None` if it does not open, or is none.
    pub fn open_document(&self, person: &str, stored: &SealedDocument) -> Option<Document> {
        let content = self.open(Field::Document, person.as_bytes(), &stored.sealed)?;
        let (kind, number) = content.split_first()?;
        let kind = DocumentKind::ALL.into_iter().find(|known| *known as u8 == *kind)?;
        Document::parse(kind, std::str::from_utf8(number).ok()?).ok()
    }

    /// A keyed hash, by which something is found or counted that is not to be read. `label` ends in a zero byte.
    pub fn keyed_hash(&self, label: &'static [u8], content: &[u8]) -> [u8; 32] {
        self.hash(label, content)
    }

    fn cipher(&self, field: Field, whose: &[u8]) -> XSalsa20Poly1305 {
        let key = Zeroizing::new(self.hash(field.label(), whose));
        XSalsa20Poly1305::new((&*key).into())
    }

    /// HMAC-SHA256 over label and content. The labels end in a zero byte, so no two are the same message.
    fn hash(&self, label: &[u8], content: &[u8]) -> [u8; 32] {
        // RFC 2104: a short key is filled with zeros.
        let mut block = Zeroizing::new([0; 64]);
        block[..DATA_KEY_BYTES].copy_from_slice(self.0.as_slice());
        let mac = <Hmac<Sha256> as hmac::KeyInit>::new((&*block).into());
        mac.chain_update(label).chain_update(content).finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> DataKey {
        DataKey::from_bytes(Zeroizing::new([n; 32]))
    }

    fn document(kind: DocumentKind, number: &str) -> Document {
        Document::parse(kind, number).expect("a number")
    }

    #[test]
    fn a_document_opens_for_its_person_and_its_key_only_and_is_found_whatever_its_nonce() {
        let document = document(DocumentKind::ResidentId, "440308199901101512");
        let one = key(1).seal_document("a", &document, [1; 24]).expect("sealed");
        let two = key(1).seal_document("b", &document, [2; 24]).expect("sealed");
        assert_eq!(one.lookup, two.lookup);
        assert_ne!(one.sealed, two.sealed);
        assert_eq!(key(1).open_document("a", &one), Some(document.clone()));
        assert_eq!(key(1).open_document("b", &one), None);
        assert_eq!(key(2).open_document("a", &one), None);
        assert_ne!(key(2).seal_document("a", &document, [1; 24]).expect("sealed").lookup, one.lookup);
        assert!(!one.sealed.windows(6).any(|w| w == b"440308"));
        let changed = |at: usize| {
            let mut changed = one.clone();
            changed.sealed[at] ^= 1;
            key(1).open_document("a", &changed)
        };
        assert!((0..one.sealed.len()).all(|at| changed(at).is_none()));
    }

    #[test]
    fn one_number_of_two_kinds_is_two_documents_and_a_field_does_not_open_as_another() {
        let lookup = |kind| key(1).seal_document("a", &document(kind, "12345678"), [0; 24]).expect("sealed").lookup;
        assert_ne!(lookup(DocumentKind::Passport), lookup(DocumentKind::TravelPermitTaiwan));
        let sealed = key(1).seal(Field::Slot, b"x", [0; 24], b"content").expect("sealed");
        assert_eq!(key(1).open(Field::Slot, b"x", &sealed).as_deref().map(Vec::as_slice), Some(b"content".as_slice()));
        assert!(key(1).open(Field::RosterKey, b"x", &sealed).is_none());
        assert!(key(1).open(Field::Slot, b"x", &sealed[..20]).is_none());
    }

    #[test]
    fn the_hash_is_hmac_as_others_compute_it() {
        // hmac.new(bytes([7] * 32), b"label\0content", "sha256").hexdigest()
        let expected = "636b7ea1cf26990167f324d63684caaf495780cad5548ae5d5d2b56e07ceff46";
        assert_eq!(data_encoding::HEXLOWER.encode(&key(7).hash(b"label\0", b"content")), expected);
        assert_eq!(format!("{:?}", key(7)), "DataKey(..)");
    }
}
