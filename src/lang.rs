//! The languages people read, and sentences in each of them.

use std::path::Path;
use std::{fs, io};

use clap::ValueEnum as _;
use serde::{Deserialize, Serialize};

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

impl Language {
    /// The language kept in a file; `None` if there is none in it.
    pub fn kept(file: &Path) -> Option<Self> {
        let text = fs::read(file).ok().filter(|text| text.len() < 16)?;
        Self::from_str(std::str::from_utf8(&text).ok()?.trim(), false).ok()
    }

    /// Keeps it in a file.
    ///
    /// # Errors
    /// If it cannot be written; then what was there is as it was.
    pub fn keep(self, file: &Path) -> io::Result<()> {
        let beside = file.with_extension("new");
        let code = if self == Self::Zh { "zh" } else { "en" };
        fs::write(&beside, code).and_then(|()| fs::rename(&beside, file))
    }
}

/// A sentence in each language.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Text {
    /// A sentence in both languages.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    /// The sentence in one language.
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::Zh => &self.zh,
            Language::En => &self.en,
        }
    }

    /// A span of time as people say it, in the largest unit that fits.
    pub fn span(seconds: i64) -> Self {
        let s = seconds.unsigned_abs();
        let (n, zh, en) = match s {
            0..60 => (s, "秒", "second"),
            60..5_400 => ((s + 30) / 60, "分钟", "minute"),
            5_400..172_800 => ((s + 1_800) / 3_600, "小时", "hour"),
            _ => (s / 86_400, "天", "day"),
        };
        Self::new(format!("{n}{zh}"), format!("{n} {en}{}", if n == 1 { "" } else { "s" }))
    }

    /// This sentence with `{name}` replaced.
    #[must_use]
    pub fn with(&self, name: &str, value: &Self) -> Self {
        let slot = format!("{{{name}}}");
        Self::new(self.zh.replace(&slot, &value.zh), self.en.replace(&slot, &value.en))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_that_was_chosen_is_kept_and_nonsense_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("language");
        assert_eq!(Language::kept(&file), None);
        for language in [Language::En, Language::Zh] {
            language.keep(&file).unwrap();
            assert_eq!(Language::kept(&file), Some(language));
        }
        fs::write(&file, [0xff; 40]).unwrap();
        assert_eq!(Language::kept(&file), None);
    }

    #[test]
    fn spans_are_said_in_the_largest_unit_that_fits() {
        for (seconds, zh, en) in [
            (0, "0秒", "0 seconds"),
            (1, "1秒", "1 second"),
            (-840, "14分钟", "14 minutes"),
            (3_600, "60分钟", "60 minutes"),
            (7_200, "2小时", "2 hours"),
            (259_200, "3天", "3 days"),
            (i64::MIN, "106751991167300天", "106751991167300 days"),
        ] {
            assert_eq!(Text::span(seconds), Text::new(zh, en));
        }
    }
}
