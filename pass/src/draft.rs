//! Drafts: root and keyset files on their way from one signer to the next (SY 2.8).

use alloc::vec::Vec;

use ed25519_dalek::SigningKey;

use crate::file::Sha256Hash;
use crate::key::{self, KeyId};
use crate::keyset::Keyset;
use crate::root::Root;
use crate::signed::{self, FileType, ListError, Signed};

/// SY 2.8: "A draft is a root or keyset file that lacks signatures, perhaps all of them." Nothing but [`Root`] and
/// [`Keyset`] says whether the ones it has suffice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    content: Content,
    body: Vec<u8>,
    signatures: Vec<(KeyId, [u8; 64])>,
}

/// What a draft will be once it is signed. Not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A root.
    Root(Root),
    /// A keyset.
    Keyset(Keyset),
}

impl Content {
    fn file_type(&self) -> FileType {
        match self {
            Self::Root(_) => FileType::Root,
            Self::Keyset(_) => FileType::Keyset,
        }
    }
}

impl Draft {
    /// A draft that nobody has signed yet.
    pub fn new(content: Content) -> Self {
        let body = match &content {
            Content::Root(root) => root.body(),
            Content::Keyset(keyset) => keyset.body(),
        };
        Self { content, body, signatures: Vec::new() }
    }

    /// Reads a draft, or a file that is signed already.
    ///
    /// # Errors
    /// [`ListError`] naming the check of its form that failed; no signature is looked at.
    pub fn parse(bytes: &[u8]) -> Result<Self, ListError> {
        // The type byte stands after the magic; a file of neither type is refused as a keyset is.
        let kind = if bytes.get(4) == Some(&(FileType::Root as u8)) { FileType::Root } else { FileType::Keyset };
        let file = signed::open_draft(bytes, kind)?;
        let content = match kind {
            FileType::Root => Content::Root(Root::parse(file.body)?),
            _ => Content::Keyset(Keyset::parse(file.body)?),
        };
        Ok(Self { content, body: file.body.to_vec(), signatures: file.signatures })
    }

    /// What it will be.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// The ids under which it is signed so far, ascending. Whether the signatures are good, [`Draft::signed_by`] says.
    pub fn signers(&self) -> impl Iterator<Item = KeyId> + '_ {
        self.signatures.iter().map(|(id, _)| *id)
    }

    /// The SHA-256 of what is signed: two people who compare it sign the same.
    pub fn fingerprint(&self) -> Sha256Hash {
        Sha256Hash::of(&self.body)
    }

    /// Adds the signature of `key`, in place of one that has its id.
    pub fn sign(&mut self, id: KeyId, key: &SigningKey) {
        let signature = key::sign(key, self.content.file_type().context(), &self.body);
        self.add(id, signature);
    }

    /// Takes over the signatures of a copy that somebody else signed; `false` if it is not a copy.
    #[must_use]
    pub fn merge(&mut self, copy: &Self) -> bool {
        let same = self.content.file_type() == copy.content.file_type() && self.body == copy.body;
        if same {
            copy.signatures.iter().for_each(|(id, signature)| self.add(*id, *signature));
        }
        same
    }

    /// How many good signatures of `root`'s keys it has.
    ///
    /// # Errors
    /// [`ListError::Signature`] if one of them is wrong.
    pub fn signed_by(&self, root: &Root) -> Result<usize, ListError> {
        let find = |id| root.keys.iter().find(|(k, _)| *k == id).map(|(_, key)| key);
        let file = Signed { body: &self.body, signatures: self.signatures.clone() };
        file.good_signatures(self.content.file_type().context(), find)
    }

    /// The file, with the signatures it has.
    pub fn bytes(&self) -> Vec<u8> {
        signed::write(self.content.file_type(), &self.body, &self.signatures)
    }

    fn add(&mut self, id: KeyId, signature: [u8; 64]) {
        match self.signatures.binary_search_by_key(&id, |(known, _)| *known) {
            Ok(at) => {
                if let Some(place) = self.signatures.get_mut(at) {
                    place.1 = signature;
                }
            }
            Err(at) => self.signatures.insert(at, (id, signature)),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn root_of(keys: &[SigningKey], threshold: u8) -> Root {
        let keys = keys.iter().zip(1..).map(|(k, id)| (KeyId(id), k.verifying_key())).collect();
        Root { version: 1, issued_at: 7, previous: None, threshold, keys }
    }

    #[test]
    fn signatures_made_apart_add_up_to_the_file_that_all_signers_together_would_have_made() {
        let keys = [1, 2, 3].map(|n| SigningKey::from_bytes(&[n; 32]));
        let root = root_of(&keys, 2);
        let blank = Draft::new(Content::Root(root.clone()));
        let (mut a, mut b) = (blank.clone(), Draft::parse(&blank.bytes()).expect("reads back"));
        a.sign(KeyId(3), &keys[2]);
        b.sign(KeyId(1), &keys[0]);
        assert_eq!(a.signed_by(&root), Ok(1));
        assert_eq!(Root::open_pinned(&a.bytes()), Err(ListError::Threshold { got: 1, needed: 2 }));
        assert_eq!(Root::open_pinned(&blank.bytes()), Err(ListError::Field("signature count")));
        assert!(a.merge(&b));
        assert_eq!(a.bytes(), root.sign(&[(KeyId(1), &keys[0]), (KeyId(3), &keys[2])]));
        assert_eq!(Root::open_pinned(&a.bytes()), Ok(root));
        assert_eq!(a.fingerprint(), blank.fingerprint());
    }

    #[test]
    fn a_draft_of_something_else_gives_no_signatures() {
        let keys = [1, 2].map(|n| SigningKey::from_bytes(&[n; 32]));
        let mut one = Draft::new(Content::Root(root_of(&keys, 1)));
        let mut other = Draft::new(Content::Root(root_of(&keys, 2)));
        other.sign(KeyId(1), &keys[0]);
        assert!(!one.merge(&other));
        assert_eq!(one.signers().count(), 0);
        let keyset = Draft::new(Content::Keyset(Keyset::new(1, 7, vec![]).expect("a keyset")));
        assert!(!one.merge(&keyset));
        assert_eq!(Draft::parse(b"TGS1\x03"), Err(ListError::FileType { expected: 2, got: 3 }));
    }

    #[test]
    fn a_signature_under_anothers_id_is_wrong_and_not_merely_missing() {
        let keys = [1, 2].map(|n| SigningKey::from_bytes(&[n; 32]));
        let root = root_of(&keys, 1);
        let mut draft = Draft::new(Content::Root(root.clone()));
        draft.sign(KeyId(1), &keys[1]);
        assert_eq!(draft.signed_by(&root), Err(ListError::Signature));
    }
}
