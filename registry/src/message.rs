//! Messages to people's phones: what they say, in which language, to whom. On the way out they wait in the store, sealed.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::domain::phone::Phone;
use crate::domain::proof::CODE_LIFE;
use crate::lang::Lang;

/// A message. Its Debug shows neither number nor content.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// To whom.
    pub phone: Phone,
    /// In which language.
    pub lang: Lang,
    /// What it says.
    pub content: Content,
}

/// What a message says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "with", rename_all = "snake_case")]
pub enum Content {
    /// A code of six digits that proves that the phone is at hand.
    Code(String),
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Message(..)")
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind())
    }
}

impl Content {
    /// The stable name of its kind, by which a provider's template is chosen.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Code(_) => "code",
        }
    }

    /// Seconds after which nobody can use it any more.
    pub fn life(&self) -> u32 {
        match self {
            Self::Code(_) => CODE_LIFE,
        }
    }

    /// The whole text.
    pub fn text(&self, lang: Lang) -> Zeroizing<String> {
        let minutes = CODE_LIFE / 60;
        Zeroizing::new(match (self, lang) {
            (Self::Code(code), Lang::Zh) => {
                format!("【通关】验证码 {code}，{minutes} 分钟内有效。工作人员不会向您索要，请勿告诉他人。")
            }
            (Self::Code(code), Lang::En) => {
                format!(
                    "[Tongguan] Your code is {code}, good for {minutes} minutes. No official asks for it: tell it to nobody."
                )
            }
        })
    }

    /// What is put into a provider's template.
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Code(code) => vec![("code", code.clone())],
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Kept {
    phone: String,
    lang: String,
    content: Content,
}

impl Message {
    /// What is sealed.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let (phone, lang) = (self.phone.as_str().to_owned(), self.lang.name().to_owned());
        let kept = Kept { phone, lang, content: self.content.clone() };
        // Strings only: nothing in it can fail to be written.
        Zeroizing::new(serde_json::to_vec(&kept).unwrap_or_default())
    }

    /// What was sealed; `None` if it is no message.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let Kept { phone, lang, content } = serde_json::from_slice(bytes).ok()?;
        Some(Self { phone: Phone::parse(&phone).ok()?, lang: Lang::from_name(&lang)?, content })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_reads_back_and_says_its_code_in_both_languages_and_in_no_log() {
        let phone = Phone::parse("15312345678").expect("a number");
        let message = Message { phone, lang: Lang::En, content: Content::Code("012345".into()) };
        assert_eq!(Message::from_bytes(&message.to_bytes()), Some(message.clone()));
        for lang in [Lang::Zh, Lang::En] {
            assert!(message.content.text(lang).contains("012345"));
        }
        assert_eq!(format!("{message:?} {:?}", message.content), "Message(..) code");
        assert_eq!(Message::from_bytes(b"{}"), None);
    }
}
