//! A person as the registry knows one: an id, a name, where they live, and a token of their own.

use std::fmt;

use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tongguan_pass::roster::HOME_BYTES;
use zeroize::Zeroizing;

use crate::domain::vault::SealedDocument;

/// Characters of a name: enough for any real one, and no essay fits.
pub const NAME_CHARS: usize = 100;

/// The registry's own name for a person: random, short, safe in a path and on a command line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PersonId(String);

impl PersonId {
    /// Ten random bytes make sixteen characters.
    pub fn from_random(bytes: [u8; 10]) -> Self {
        Self(BASE32_NOPAD.encode(&bytes).to_ascii_lowercase())
    }

    /// Reads an id somebody typed: any other text cannot be one, and is nobody's.
    pub fn parse(text: &str) -> Option<Self> {
        let letters = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'));
        (text.len() == 16 && letters).then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name of 1 to 100 characters on one line. Its Debug shows nothing, so that no log does.
#[derive(Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Reads a name.
    ///
    /// # Errors
    /// A sentence saying what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let name = text.trim();
        if name.is_empty() {
            return Err("a name must not be empty");
        }
        if name.chars().count() > NAME_CHARS {
            return Err("a name has at most 100 characters");
        }
        if name.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
            return Err("a name must not contain control characters or line breaks");
        }
        Ok(Self(name.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Name(..)")
    }
}

/// A building as a guard reads it, such as `3号楼`; empty if it is not known. Its Debug shows nothing, so that no log does.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Home(String);

impl Home {
    /// Reads a building.
    ///
    /// # Errors
    /// A sentence saying what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let home = text.trim();
        if home.len() > HOME_BYTES {
            return Err("a building has at most 25 bytes: 25 Latin letters or 8 Chinese characters");
        }
        if home.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
            return Err("a building must not contain control characters or line breaks");
        }
        Ok(Self(home.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Home(..)")
    }
}

/// The secret by which a person asks for their codes: 32 random bytes, shown once, stored as its hash.
#[derive(Clone)]
pub struct Token(Zeroizing<[u8; 32]>);

impl Token {
    /// A new token.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads a token as it was shown.
    pub fn parse(text: &str) -> Option<Self> {
        // 43 characters are 32 bytes; anything else is not looked at.
        if text.len() != 43 {
            return None;
        }
        let bytes = Zeroizing::new(BASE64URL_NOPAD.decode(text.as_bytes()).ok()?);
        bytes.as_slice().try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// The token as its owner keeps it. Deliberately not `Display`: it is said in exactly two places.
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64URL_NOPAD.encode(self.0.as_slice()))
    }

    /// What is stored and looked up. The token has 256 random bits, so a plain hash is enough.
    pub fn hash(&self) -> TokenHash {
        let mut hash = Sha256::new_with_prefix(b"tongguan/1/token\0");
        hash.update(self.0.as_slice());
        TokenHash(hash.finalize().into())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// The hash of a [`Token`], compared in constant time.
#[derive(Clone, Copy)]
pub struct TokenHash(pub [u8; 32]);

impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TokenHash {}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(..)")
    }
}

/// A person to be registered.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// See [`PersonId`].
    pub id: PersonId,
    /// Where they live.
    pub community: u32,
    /// What policies distinguish people by.
    pub category: u8,
    /// Their profile, sealed.
    pub profile: Vec<u8>,
    /// The keyed hash of their phone.
    pub phone: Option<[u8; 32]>,
    /// Their document.
    pub document: Option<SealedDocument>,
    /// The hash of their token.
    pub token: TokenHash,
    /// The version of the notice they agreed to; 0 if an operator registered them.
    pub notice: u32,
}

/// What is to change about a person.
#[derive(Debug, Clone, Default)]
pub struct PersonChange {
    /// The revision of their data that it was made from, where that matters.
    pub revision: Option<u32>,
    /// A new profile, sealed.
    pub profile: Option<Vec<u8>>,
    /// A new community.
    pub community: Option<u32>,
    /// A new category.
    pub category: Option<u8>,
    /// Another document, or none.
    pub document: Option<Option<SealedDocument>>,
    /// What the history of their data says of it, sealed.
    pub entry: Option<Vec<u8>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_any_script_is_kept_and_one_that_is_no_name_is_refused() {
        assert_eq!(Name::parse(" 王小明 ").map(|n| n.as_str().to_owned()), Ok("王小明".to_owned()));
        assert!(Name::parse(&"长".repeat(100)).is_ok());
        for bad in ["", "  ", "a\nb", "a\u{7}", "a\u{2028}b", &"x".repeat(101)] {
            assert!(Name::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_building_fits_a_roster() {
        assert_eq!(Home::parse(" 3号楼 ").map(|h| h.as_str().to_owned()), Ok("3号楼".to_owned()));
        assert_eq!(Home::parse(""), Ok(Home::default()));
        assert!(Home::parse(&"x".repeat(HOME_BYTES)).is_ok());
        for bad in ["a\nb", &"x".repeat(HOME_BYTES + 1), &"楼".repeat(9)] {
            assert!(Home::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(format!("{:?}", Home::parse("3号楼")), "Ok(Home(..))");
    }

    #[test]
    fn a_token_reads_back_and_never_shows_in_debug() {
        let token = Token::from_random([7; 32]);
        let again = Token::parse(&token.reveal()).expect("its own text");
        assert_eq!(token.hash(), again.hash());
        assert_eq!(format!("{token:?} {:?}", token.hash()), "Token(..) TokenHash(..)");
        for bad in ["", "x", &"=".repeat(43), &"A".repeat(10_000)] {
            assert!(Token::parse(bad).is_none(), "{bad:.20}");
        }
    }

    #[test]
    fn a_person_id_survives_typing_and_nothing_else_is_one() {
        let id = PersonId::from_random([200; 10]);
        assert_eq!(PersonId::parse(id.as_str()), Some(id));
        for bad in ["", "../../etc/passwd", "ABCDEFGHIJKLMNOP", "abcdefghijklmno1"] {
            assert_eq!(PersonId::parse(bad), None);
        }
    }
}
