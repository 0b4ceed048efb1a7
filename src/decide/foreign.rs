//! What a code that is not ours seems to be, so that the guard can say it in a word.

/// A guess from the text's first characters; never a judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// A payment code.
    Payment,
    /// A web address.
    Web,
    /// Something else.
    Other,
}

/// Prefixes of the payment codes in use, lower case. A shop's or a person's code; a bare 18-digit number is a till code.
const PAYMENT: [&str; 8] = [
    "wxp://",
    "weixin://wxpay",
    "https://qr.alipay.com/",
    "https://wx.tenpay.com/",
    "https://payapp.weixin.qq.com/",
    "https://qr.95516.com/",
    "https://ecny.",
    "alipays://",
];

impl Foreign {
    /// What `text` seems to be. Looks at its first 64 bytes, however long it is.
    pub fn of(text: &str) -> Self {
        let start: String = text.chars().take(64).map(|c| c.to_ascii_lowercase()).collect();
        let till_code = (18..=24).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_digit())
            && ["10", "11", "12", "13", "14", "15", "25", "26", "27", "28", "29", "30", "62"]
                .iter()
                .any(|p| text.starts_with(p));
        if till_code || PAYMENT.iter().any(|p| start.starts_with(p)) {
            Self::Payment
        } else if start.starts_with("http://") || start.starts_with("https://") || start.starts_with("www.") {
            Self::Web
        } else {
            Self::Other
        }
    }

    /// The name used in JSON and in `ui/lang/reasons.toml`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Web => "web",
            Self::Other => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payment_codes_and_web_addresses_are_told_apart() {
        for (text, what) in [
            ("wxp://f2f0AbCdEf", Foreign::Payment),
            ("HTTPS://QR.ALIPAY.COM/FKX0123", Foreign::Payment),
            ("134567890123456789", Foreign::Payment),
            ("https://example.org/", Foreign::Web),
            ("www.example.org", Foreign::Web),
            ("", Foreign::Other),
            ("HC1:6BF", Foreign::Other),
            ("你好", Foreign::Other),
        ] {
            assert_eq!(Foreign::of(text), what, "{text}");
        }
    }
}
