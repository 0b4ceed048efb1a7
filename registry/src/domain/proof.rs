//! Proving that a phone is at hand: a code of six digits is sent to it, and typed in.

use std::fmt;

use zeroize::Zeroizing;

use crate::domain::phone::Phone;
use crate::domain::vault::DataKey;
use crate::lang::Text;

/// Seconds for which a code can be typed in.
pub const CODE_LIFE: u32 = 600;
/// Times a code may be typed wrongly. Each code then is guessed once in 200,000 times.
pub const TRIES: u32 = 5;
/// Seconds for which a phone that was proven stays so, for the form around it to be finished.
pub const PROVEN_LIFE: u32 = 3600;

/// What a phone is proven for. A code for one is none for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Registering.
    Register,
    /// Logging in.
    Enter,
}

impl Purpose {
    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Enter => "enter",
        }
    }
}

/// A code of six digits. Its Debug shows none.
pub struct SmsCode(Zeroizing<String>);

impl SmsCode {
    /// Eight random bytes make it: the bias is less than 10^-12.
    pub fn from_random(bytes: [u8; 8]) -> Self {
        Self(Zeroizing::new(format!("{:06}", u64::from_be_bytes(bytes) % 1_000_000)))
    }

    /// Reads a code as somebody typed it; any other text is none.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: Zeroizing<String> = Zeroizing::new(text.trim().to_owned());
        (digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit())).then_some(Self(digits))
    }

    /// The digits, for the message.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it, for this session, phone and purpose alone.
    pub fn hash(&self, key: &DataKey, session: &[u8; 32], purpose: Purpose, phone: &Phone) -> [u8; 32] {
        let content = format!("{}\0{}\0{}", purpose.name(), phone.as_str(), *self.0);
        key.keyed_hash(b"tongguan/1/data/sms-code\0", &[session.as_slice(), content.as_bytes()].concat())
    }
}

impl fmt::Debug for SmsCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmsCode(..)")
    }
}

/// What a code that was typed in proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The phone is at hand.
    Proven,
    /// It was another code.
    Wrong,
    /// There is no code to hold it against: none was asked for, it is too old, or it was tried too often.
    None,
}

impl Answer {
    /// For whoever typed it. Nothing is told if it was right.
    pub fn problem(self) -> Option<Text> {
        match self {
            Self::Proven => None,
            Self::Wrong => {
                Some(Text::new("验证码不对，请核对短信。", "This is not the code of the message. Check it."))
            }
            Self::None => {
                Some(Text::new("验证码已失效，请重新获取。", "This code is no longer good. Ask for a new one."))
            }
        }
    }
}

/// At most so many in so many seconds, of one subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Whom it is counted for: a keyed hash of a phone, an address, a device.
    pub subject: [u8; 32],
    /// How many.
    pub count: u32,
    /// In how many seconds.
    pub within: u32,
}

/// How often messages with codes may be asked for, as (count, seconds).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeLimits {
    /// To one phone.
    pub phone: Vec<(u32, u32)>,
    /// From one network address. Whole villages share one.
    pub address: Vec<(u32, u32)>,
    /// From one browser.
    pub device: Vec<(u32, u32)>,
    /// By all browsers that could not do the work that is asked of a bot, since they run no script.
    pub without_work: Vec<(u32, u32)>,
}

impl Default for CodeLimits {
    fn default() -> Self {
        Self {
            phone: vec![(1, 60), (5, 3600), (10, 86_400)],
            address: vec![(60, 3600), (300, 86_400)],
            device: vec![(6, 3600), (15, 86_400)],
            without_work: vec![(20, 60), (300, 3600)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_six_digits_and_is_good_for_its_session_phone_and_purpose_only() {
        assert_eq!(SmsCode::from_random(7_u64.to_be_bytes()).reveal(), "000007");
        assert_eq!(SmsCode::from_random(u64::MAX.to_be_bytes()).reveal().len(), 6);
        for bad in ["", "12345", "1234567", "12345x", "１２３４５６"] {
            assert!(SmsCode::parse(bad).is_none(), "{bad}");
        }
        let key = DataKey::from_bytes(Zeroizing::new([1; 32]));
        let phone = |number| Phone::parse(number).expect("a number");
        let hash = |code: &str, session, purpose, number| {
            SmsCode::parse(code).expect("a code").hash(&key, &[session; 32], purpose, &phone(number))
        };
        let one = hash("123456", 1, Purpose::Enter, "15312345678");
        assert_eq!(one, hash(" 123456 ", 1, Purpose::Enter, "+8615312345678"));
        for other in [
            hash("123457", 1, Purpose::Enter, "15312345678"),
            hash("123456", 2, Purpose::Enter, "15312345678"),
            hash("123456", 1, Purpose::Register, "15312345678"),
            hash("123456", 1, Purpose::Enter, "15312345679"),
        ] {
            assert_ne!(one, other);
        }
        assert_eq!(format!("{:?}", SmsCode::parse("123456")), "Some(SmsCode(..))");
    }
}
