//! Telephone numbers, in the one way of writing them (E.164).

use std::fmt;

use crate::lang::Text;

/// Digits of a number with its country's (E.164: at most 15).
const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// A telephone number that can be called. Its Debug shows none, so that no log does.
#[derive(Clone, PartialEq, Eq)]
pub struct Phone(String);

impl Phone {
    /// Reads a number as somebody typed it: a mobile of the mainland with or without 86, any other with its country's after + or 00.
    ///
    /// # Errors
    /// A sentence for whoever typed it.
    pub fn parse(text: &str) -> Result<Self, Text> {
        const MAINLAND: Text = Text::new(
            "手机号应为 11 位，以 1 开头；境外号码请以 + 和国家（地区）代码开头，如 +852。",
            "A mainland mobile number has 11 digits and begins with 1. Write any other with + and its country's code, such as +852.",
        );
        const OTHER: Text = Text::new(
            "请检查号码：+ 之后是国家（地区）代码和号码，共 8 至 15 位数字。",
            "Check the number: + and 8 to 15 digits, the country's code first.",
        );
        let typed: String =
            text.chars().filter(|c| !matches!(c, ' ' | '\u{3000}' | '-' | '(' | ')' | '（' | '）')).collect();
        // Digits as wide as a hanzi are digits.
        let typed: String = typed.chars().map(|c| if ('０'..='９').contains(&c) { narrow(c) } else { c }).collect();
        let abroad = typed.strip_prefix('+').or_else(|| typed.strip_prefix('＋')).or_else(|| typed.strip_prefix("00"));
        let digits = abroad.unwrap_or(&typed);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(if abroad.is_some() { OTHER } else { MAINLAND });
        }
        let mainland = match (abroad, digits.strip_prefix("86")) {
            (_, Some(number)) if is_mobile(number) => Some(number),
            (None, _) if is_mobile(digits) => Some(digits),
            (Some(_), Some(_)) | (None, _) => return Err(MAINLAND),
            (Some(_), None) => None,
        };
        match mainland {
            Some(number) => Ok(Self(format!("+86{number}"))),
            // No country's code begins with 0 (ITU E.164).
            None if DIGITS.contains(&digits.len()) && !digits.starts_with('0') => Ok(Self(format!("+{digits}"))),
            None => Err(OTHER),
        }
    }

    /// The number, with + and its country's code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As much as may stand on a page: `153****`, `+852 ****`.
    pub fn masked(&self) -> String {
        match self.0.strip_prefix("+86") {
            Some(number) => format!("{}****", &number[..3]),
            None => format!("{} ****", &self.0[..4]),
        }
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(..)")
    }
}

/// Mobile numbers of the mainland: 1, 3 to 9, and nine digits more.
fn is_mobile(digits: &str) -> bool {
    digits.len() == 11 && digits.starts_with('1') && matches!(digits.as_bytes()[1], b'3'..=b'9')
}

fn narrow(c: char) -> char {
    char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_is_one_number_however_it_is_typed() {
        for typed in [
            "15312345678",
            "153 1234 5678",
            "+86 153-1234-5678",
            "0086 15312345678",
            "8615312345678",
            "１５３１２３４５６７８",
        ] {
            assert_eq!(Phone::parse(typed).map(|p| p.as_str().to_owned()), Ok("+8615312345678".to_owned()), "{typed}");
        }
        assert_eq!(Phone::parse("+852 9123 4567").map(|p| p.as_str().to_owned()), Ok("+85291234567".to_owned()));
        assert_eq!(Phone::parse("+1 (415) 555-0100").map(|p| p.masked()), Ok("+141 ****".to_owned()));
        assert_eq!(Phone::parse("15312345678").map(|p| p.masked()), Ok("153****".to_owned()));
    }

    #[test]
    fn what_is_no_number_is_told_so_and_never_panics() {
        for bad in [
            "",
            "+",
            "00",
            "12312345678",
            "1531234567",
            "153123456789",
            "+861231234567",
            "+012345678",
            "+1234567",
            "+1234567890123456",
            "call me",
            "１５３",
            "９+8615312345678",
            "é",
        ] {
            assert!(Phone::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(format!("{:?}", Phone::parse("15312345678")), "Ok(Phone(..))");
    }
}
