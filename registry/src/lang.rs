//! The two languages that people are spoken to in. A sentence stands in both, side by side, where it is said.

use std::borrow::Cow;

/// A language.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lang {
    /// Chinese, simplified.
    #[default]
    Zh,
    /// English.
    En,
}

impl Lang {
    /// The name in an address, a cookie and a file name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }

    /// The tag of BCP 47.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// The language of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Zh, Self::En].into_iter().find(|lang| lang.name() == name)
    }

    /// The first language of an `Accept-Language` that is one of ours. Its weights are left aside: browsers write the best first.
    pub fn accepted(header: &str) -> Option<Self> {
        header.split(',').take(20).find_map(|range| {
            let range = range.trim();
            let begins = |tag: &str| range.get(..2).is_some_and(|begin| begin.eq_ignore_ascii_case(tag));
            if begins("zh") { Some(Self::Zh) } else { begins("en").then_some(Self::En) }
        })
    }

    /// The one of the two sentences.
    pub fn t<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    /// A sentence in this language.
    pub fn say(self, text: &Text) -> &str {
        self.t(&text.zh, &text.en)
    }
}

/// A sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// In Chinese.
    pub zh: Cow<'static, str>,
    /// In English.
    pub en: Cow<'static, str>,
}

impl Text {
    /// A sentence that is always the same.
    pub const fn new(zh: &'static str, en: &'static str) -> Self {
        Self { zh: Cow::Borrowed(zh), en: Cow::Borrowed(en) }
    }

    /// A sentence with something of its own in it.
    pub fn of(zh: String, en: String) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_we_speak_is_taken_and_nonsense_is_none() {
        assert_eq!(Lang::accepted("zh-CN,zh;q=0.9,en;q=0.8"), Some(Lang::Zh));
        assert_eq!(Lang::accepted("fr-FR, EN-gb;q=0.5, zh;q=0.1"), Some(Lang::En));
        assert_eq!(Lang::accepted("de"), None);
        assert_eq!(Lang::accepted(",,,;;;\u{4e2d}"), None);
    }
}
