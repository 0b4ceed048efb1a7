//! Identity documents: their kinds and the rules that a number can be held against without asking anybody.
//!
//! The number is personal: [`Document`] shows it to who asks for it and to no log. Two writings of one number are one
//! document: letters are upper case, spaces and dashes are left out, and an old 15-digit card has its 18 digits.

use alloc::string::String;
use core::fmt;

use crate::limits;

/// Kinds of documents (the wire numbers of SY 13.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DocumentKind {
    /// Resident identity card (GB 11643): 18 digits, the last may be X.
    ResidentId = 1,
    /// Military officer's card.
    MilitaryOfficer = 2,
    /// Passport, of whatever country.
    Passport = 3,
    /// Residence permit for people from Hong Kong, Macao and Taiwan: as a resident identity card, from 81, 82 or 83.
    ResidencePermit = 4,
    /// Taiwan's identity card: a letter and nine digits.
    TaiwanId = 5,
    /// Mainland travel permit for people from Hong Kong and Macao: H or M and eight digits; two more tell how often it was renewed.
    TravelPermitHkMacao = 6,
    /// Mainland travel permit for people from Taiwan: eight digits.
    TravelPermitTaiwan = 7,
    /// Foreigners' permanent residence card: 18 digits from 9, or three letters and twelve digits before 2023-12.
    PermanentResident = 8,
}

impl DocumentKind {
    /// All of them, the most frequent first.
    pub const ALL: [Self; 8] = [
        Self::ResidentId,
        Self::Passport,
        Self::ResidencePermit,
        Self::TravelPermitHkMacao,
        Self::TravelPermitTaiwan,
        Self::TaiwanId,
        Self::PermanentResident,
        Self::MilitaryOfficer,
    ];

    /// The name used in commands and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::ResidentId => "resident_id",
            Self::MilitaryOfficer => "military_officer",
            Self::Passport => "passport",
            Self::ResidencePermit => "residence_permit",
            Self::TaiwanId => "taiwan_id",
            Self::TravelPermitHkMacao => "travel_permit_hk_macao",
            Self::TravelPermitTaiwan => "travel_permit_taiwan",
            Self::PermanentResident => "permanent_resident",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether its numbers may have letters other than X.
    pub fn has_letters(self) -> bool {
        !matches!(self, Self::ResidentId | Self::ResidencePermit | Self::TravelPermitTaiwan)
    }
}

/// Why a number cannot be that document's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// As far as it goes it can.
    #[error("is not complete")]
    Incomplete,
    /// More than there are.
    #[error("is too long")]
    TooLong,
    /// A character that is not there in such a number, or not at that place.
    #[error("has a character that such a number does not have there")]
    Character,
    /// The first digits, which say where or for whom it was made.
    #[error("does not begin as such a number does")]
    Region,
    /// The date of birth in it is no date.
    #[error("has a date of birth that is no date")]
    Birth,
    /// The check digit: a digit is wrong, or two are exchanged.
    #[error("has a wrong check digit: one digit is mistyped")]
    Check,
}

impl DocumentError {
    /// The stable name (SY 14.2).
    pub fn name(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::TooLong => "too_long",
            Self::Character => "character",
            Self::Region => "region",
            Self::Birth => "birth",
            Self::Check => "check",
        }
    }
}

/// A document whose number keeps to the rules of its kind. Its Debug shows no number.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    kind: DocumentKind,
    number: String,
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({}, ..)", self.kind.name())
    }
}

impl Document {
    /// Reads a number as somebody typed it.
    ///
    /// # Errors
    /// [`DocumentError`]; of a number that is only begun [`DocumentError::Incomplete`], unless it is wrong already.
    pub fn parse(kind: DocumentKind, text: &str) -> Result<Self, DocumentError> {
        let mut number = String::new();
        for c in text.chars().filter(|c| !matches!(c, ' ' | '-' | '\u{3000}')) {
            if number.len() >= limits::DOCUMENT_NUMBER {
                return Err(DocumentError::TooLong);
            }
            match plain(c) {
                Some(c) => number.push(c.to_ascii_uppercase()),
                None => return Err(DocumentError::Character),
            }
        }
        let number = match kind {
            DocumentKind::ResidentId => resident(&number)?,
            DocumentKind::ResidencePermit => card(&number, |begin| {
                ["810000", "820000", "830000"].iter().any(|region| region.as_bytes().starts_with(begin))
            })?,
            DocumentKind::PermanentResident if number.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                shaped(&number, "AAA999999999999")?
            }
            DocumentKind::PermanentResident => card(&number, |begin| begin.starts_with(b"9"))?,
            DocumentKind::TaiwanId => taiwan_id(&number)?,
            DocumentKind::TravelPermitHkMacao => {
                if !number.is_empty() && !number.starts_with(['H', 'M']) {
                    return Err(DocumentError::Region);
                }
                match number.len() {
                    10 | 11 => shaped(&number, "A9999999999").map(|whole| whole[..9].into())?,
                    _ => shaped(&number, "A99999999")?,
                }
            }
            DocumentKind::TravelPermitTaiwan => shaped(&number, "99999999")?,
            // "Passports and military cards have no usable public checksum": the guard looks.
            DocumentKind::Passport | DocumentKind::MilitaryOfficer => match number.len() {
                0..5 => return Err(DocumentError::Incomplete),
                5..=16 => number,
                _ => return Err(DocumentError::TooLong),
            },
        };
        Ok(Self { kind, number })
    }

    /// Which kind.
    pub fn kind(&self) -> DocumentKind {
        self.kind
    }

    /// The number, in the one way of writing it.
    pub fn number(&self) -> &str {
        &self.number
    }
}

/// A letter or digit; those as wide as a hanzi too.
fn plain(c: char) -> Option<char> {
    let narrow = match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0)?,
        c => c,
    };
    narrow.is_ascii_alphanumeric().then_some(narrow)
}

/// A number of that shape: `A` is a letter, `9` a digit.
fn shaped(number: &str, shape: &str) -> Result<String, DocumentError> {
    let fits = |(c, shape): (u8, u8)| if shape == b'A' { c.is_ascii_uppercase() } else { c.is_ascii_digit() };
    if !number.bytes().zip(shape.bytes()).all(fits) {
        return Err(DocumentError::Character);
    }
    match number.len() {
        n if n < shape.len() => Err(DocumentError::Incomplete),
        n if n > shape.len() => Err(DocumentError::TooLong),
        _ => Ok(number.into()),
    }
}

/// A resident identity card: one of 18 digits, or an old one of 15, which has no century and no check digit.
fn resident(number: &str) -> Result<String, DocumentError> {
    let province = |begin: &[u8]| begin.len() < 2 || (b"11".as_slice()..=b"82").contains(&&begin[..2]);
    if number.len() == 15 && number.bytes().all(|b| b.is_ascii_digit()) {
        let mut whole = [&number[..6], "19", &number[6..]].concat();
        whole.push(check_digit(whole.as_bytes()));
        if let Ok(whole) = card(&whole, province) {
            return Ok(whole);
        }
    }
    card(number, province)
}

/// GB 11643: region 6, date of birth 8, serial 3, check digit by ISO 7064 MOD 11-2. `begins` is asked about the region as far
/// as it goes.
fn card(number: &str, begins: impl Fn(&[u8]) -> bool) -> Result<String, DocumentError> {
    let digits = number.as_bytes();
    if digits.iter().enumerate().any(|(at, b)| !(b.is_ascii_digit() || (at == 17 && *b == b'X'))) {
        return Err(DocumentError::Character);
    }
    if !digits.is_empty() && !begins(&digits[..digits.len().min(6)]) {
        return Err(DocumentError::Region);
    }
    if digits.get(6..14).is_some_and(|birth| !is_date(birth)) {
        return Err(DocumentError::Birth);
    }
    match digits.len() {
        0..18 => Err(DocumentError::Incomplete),
        18 if u32::from(digits[17]) == u32::from(check_digit(&digits[..17])) => Ok(number.into()),
        18 => Err(DocumentError::Check),
        _ => Err(DocumentError::TooLong),
    }
}

/// ISO 7064 MOD 11-2 over the first 17 digits.
fn check_digit(digits: &[u8]) -> char {
    const WEIGHTS: [usize; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: usize = digits.iter().zip(WEIGHTS).map(|(d, w)| usize::from(d - b'0') * w).sum();
    char::from(b"10X98765432"[sum % 11])
}

fn is_date(digits: &[u8]) -> bool {
    let number = |range: core::ops::Range<usize>| digits[range].iter().fold(0, |n, d| n * 10 + u32::from(d - b'0'));
    let (year, month, day) = (number(0..4), number(4..6), number(6..8));
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1850..2100).contains(&year) && (1..=days).contains(&day)
}

/// A letter, then nine digits of which the last is a check: the letter is two digits by the table, and with the weights
/// 1 9 8 7 6 5 4 3 2 1 1 all of them are a multiple of ten.
fn taiwan_id(number: &str) -> Result<String, DocumentError> {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVXYWZIO";
    let number = shaped(number, "A999999999")?;
    let digits = number.as_bytes();
    if !matches!(digits[1], b'1' | b'2' | b'8' | b'9') {
        return Err(DocumentError::Region);
    }
    let letter = LETTERS.iter().position(|l| *l == digits[0]).ok_or(DocumentError::Region)? + 10;
    let weights = [8, 7, 6, 5, 4, 3, 2, 1, 1];
    let sum: usize = digits[1..].iter().zip(weights).map(|(d, w)| usize::from(d - b'0') * w).sum();
    if (sum + letter / 10 + letter % 10 * 9).is_multiple_of(10) { Ok(number) } else { Err(DocumentError::Check) }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::DocumentError::{Birth, Character, Check, Incomplete, Region, TooLong};
    use super::*;

    fn number(kind: DocumentKind, text: &str) -> Result<String, DocumentError> {
        Document::parse(kind, text).map(|document| document.number().to_string())
    }

    #[test]
    fn the_specimens_are_taken_and_written_in_one_way() {
        use DocumentKind::*;
        for (kind, text, canonical) in [
            (ResidentId, "440308199901101512", "440308199901101512"),
            (ResidentId, " 11010519491231002x ", "11010519491231002X"),
            (ResidentId, "４４０３０８-19990110-1512", "440308199901101512"),
            (ResidentId, "610104620927690", "610104196209276908"),
            (ResidencePermit, "810000199408230021", "810000199408230021"),
            (ResidencePermit, "830000199201300022", "830000199201300022"),
            (PermanentResident, "932682198501010017", "932682198501010017"),
            (PermanentResident, "kaz110090123105", "KAZ110090123105"),
            (TravelPermitHkMacao, "H1234567801", "H12345678"),
            (TravelPermitHkMacao, "m12345678", "M12345678"),
            (TravelPermitTaiwan, "01234567", "01234567"),
            (TaiwanId, "A123456789", "A123456789"),
            (Passport, "e12345678", "E12345678"),
            (MilitaryOfficer, "0123456", "0123456"),
        ] {
            assert_eq!(number(kind, text).as_deref(), Ok(canonical), "{text}");
            assert_eq!(number(kind, canonical).as_deref(), Ok(canonical), "{text}");
        }
    }

    #[test]
    fn a_number_is_wrong_as_soon_as_it_cannot_become_right() {
        use DocumentKind::*;
        for (kind, text, wrong) in [
            (ResidentId, "", Incomplete),
            (ResidentId, "4403081999011015", Incomplete),
            (ResidentId, "440308199901101513", Check),
            (ResidentId, "440308199901105112", Check),
            (ResidentId, "4403081999011015123", TooLong),
            (ResidentId, "0", Incomplete),
            (ResidentId, "00", Region),
            (ResidentId, "91", Region),
            (ResidentId, "44030819990230", Birth),
            (ResidentId, "44030819000229", Birth),
            (ResidentId, "440308X", Character),
            (ResidentId, "44030819990110151A", Character),
            (ResidencePermit, "440308199901101512", Region),
            (ResidencePermit, "810001199408230021", Region),
            (PermanentResident, "832682198501010017", Region),
            (PermanentResident, "KAZ11009012310", Incomplete),
            (TravelPermitHkMacao, "X12345678", Region),
            (TravelPermitHkMacao, "H123456780", Incomplete),
            (TravelPermitHkMacao, "H12345678012", TooLong),
            (TaiwanId, "A123456788", Check),
            (TaiwanId, "A323456789", Region),
            (TravelPermitTaiwan, "0123456", Incomplete),
            (Passport, "护照", Character),
            (Passport, "E123", Incomplete),
            (Passport, "12345678901234567", TooLong),
            (MilitaryOfficer, "1234567890123456789012345", TooLong),
        ] {
            assert_eq!(number(kind, text), Err(wrong), "{text}");
        }
    }

    #[test]
    fn one_mistyped_digit_and_two_exchanged_ones_are_noticed() {
        let right = "440308199901101512";
        let taken = |digits: &[u8]| number(DocumentKind::ResidentId, core::str::from_utf8(digits).unwrap()).is_ok();
        assert!(taken(right.as_bytes()));
        for at in 0..18 {
            for digit in b'0'..=b'9' {
                let mut digits = right.as_bytes().to_vec();
                digits[at] = digit;
                assert_eq!(taken(&digits), digits == right.as_bytes(), "{at} {digit}");
            }
            let mut digits = right.as_bytes().to_vec();
            digits.swap(at, (at + 1) % 18);
            assert_eq!(taken(&digits), digits == right.as_bytes(), "{at}");
        }
    }

    #[test]
    fn a_document_is_not_debugged() {
        let document = Document::parse(DocumentKind::ResidentId, "440308199901101512").unwrap();
        assert_eq!(alloc::format!("{document:?}"), "Document(resident_id, ..)");
    }

    #[test]
    fn every_kind_has_its_name_and_its_number() {
        let mut numbers: alloc::vec::Vec<u8> = DocumentKind::ALL.iter().map(|kind| *kind as u8).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert!(DocumentKind::ALL.iter().all(|kind| DocumentKind::from_name(kind.name()) == Some(*kind)));
    }
}
