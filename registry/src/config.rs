//! The registry's configuration: `registry.toml` in the data folder, which may be missing.
//!
//! ```toml
//! [keys]
//! life_days = 365   # how long a key signs
//! ahead_days = 30   # how long the next key is in the keyset before it signs
//!
//! [workdays]
//! holidays = "holidays.csv"   # a table of this city, in the data folder: lines such as 2027-10-01,off or 2027-10-09,work
//! ```
//!
//! `[sms]` says who sends messages to phones: [`crate::sms::config`].

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::domain::rotation::KeyTerms;
use crate::domain::time::DAY;
use crate::domain::workdays::Calendar;
use crate::sms::config::SmsConfig;

/// What is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {wrong}; correct it, or remove the file to use the defaults")]
pub struct ConfigError {
    path: PathBuf,
    wrong: String,
}

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    keys: Keys,
    sms: Option<SmsConfig>,
    workdays: Workdays,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Workdays {
    holidays: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Keys {
    life_days: u32,
    ahead_days: u32,
}

impl Default for Keys {
    fn default() -> Self {
        let KeyTerms { life, ahead } = KeyTerms::default();
        Self { life_days: life / DAY, ahead_days: ahead / DAY }
    }
}

impl Config {
    /// Reads `registry.toml` of a data folder.
    ///
    /// # Errors
    /// [`ConfigError`] naming the file and what is wrong.
    pub fn of(folder: &Path) -> Result<Self, ConfigError> {
        let path = folder.join("registry.toml");
        match fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text).map_err(|wrong| ConfigError { path, wrong }),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(e) => Err(ConfigError { wrong: crate::data::explain(&e), path }),
        }
    }

    /// How long keys sign.
    pub fn key_terms(&self) -> KeyTerms {
        KeyTerms { life: self.keys.life_days * DAY, ahead: self.keys.ahead_days * DAY }
    }

    /// Who sends messages to phones; `None` if the file does not say.
    pub fn sms(&self) -> Option<&SmsConfig> {
        self.sms.as_ref()
    }

    /// The working days: as announced, and as the city's own table says, which is looked for in the data folder `folder`.
    ///
    /// # Errors
    /// [`ConfigError`] naming the table and what is wrong with it.
    pub fn calendar(&self, folder: &Path) -> Result<Calendar, ConfigError> {
        let Some(table) = &self.workdays.holidays else { return Ok(Calendar::announced()) };
        let path = folder.join(table);
        let text = fs::read_to_string(&path).map_err(|e| crate::data::explain(&e));
        let calendar = text.and_then(|text| Calendar::announced().with(&text).map_err(|e| e.to_string()));
        calendar.map_err(|wrong| ConfigError { path, wrong })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|e| e.message().to_owned())?;
        let Keys { life_days, ahead_days } = config.keys;
        // Ten years: no key should outlive those who know where it is.
        if !(7..=3650).contains(&life_days) {
            return Err("keys.life_days must be 7 to 3650".to_owned());
        }
        if ahead_days == 0 || ahead_days >= life_days {
            return Err("keys.ahead_days must be at least 1 and less than keys.life_days".to_owned());
        }
        config.sms.iter().try_for_each(SmsConfig::check).map_err(|e| e.to_string())?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_the_default_and_what_makes_no_sense_is_refused() {
        assert_eq!(Config::parse("").map(|c| c.key_terms()), Ok(KeyTerms::default()));
        let terms = Config::parse("[keys]\nlife_days = 90").expect("is one").key_terms();
        assert_eq!((terms.life, terms.ahead), (90 * DAY, 30 * DAY));
        for wrong in ["keys.life_days = 6", "keys.life_days = 30", "keys.ahead_days = 0", "keys.ahead = 3", "x"] {
            assert!(Config::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn who_sends_messages_is_read_and_checked_with_the_rest() {
        assert_eq!(Config::parse("").map(|c| c.sms().cloned()), Ok(None));
        assert_eq!(Config::parse("[sms]\ndriver = 'log'").map(|c| c.sms().cloned()), Ok(Some(SmsConfig::Log {})));
        let wrong = Config::parse("[sms]\ndriver = 'webhook'\nurl = 'http://sms.example'\nsecret_file = 's'");
        assert!(wrong.as_ref().is_err_and(|e| e.starts_with("[sms] url: ")), "{wrong:?}");
    }

    #[test]
    fn the_citys_own_holidays_are_read_from_the_data_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(Config::default().calendar(folder.path()).ok(), Some(Calendar::announced()));
        let config = Config::parse("[workdays]\nholidays = 'own.csv'").expect("is one");
        let said = |config: &Config| config.calendar(folder.path()).map(drop).expect_err("refused").to_string();
        assert!(said(&config).contains("own.csv"));
        fs::write(folder.path().join("own.csv"), "2027-10-01,free").expect("written");
        assert!(said(&config).contains("line 1"), "{}", said(&config));
        fs::write(folder.path().join("own.csv"), "2027-10-01,off").expect("written");
        let years = config.calendar(folder.path()).map(|calendar| calendar.known_years());
        assert_eq!(years.ok(), Some(vec![2025, 2026, 2027]));
    }
}
