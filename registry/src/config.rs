//! The registry's configuration: `registry.toml` in the data folder, which may be missing.
//!
//! ```toml
//! [keys]
//! life_days = 365   # how long a key signs
//! ahead_days = 30   # how long the next key is in the keyset before it signs
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::domain::rotation::KeyTerms;
use crate::domain::time::DAY;

/// What is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {wrong}; correct it, or remove the file to use the defaults")]
pub struct ConfigError {
    path: PathBuf,
    wrong: String,
}

/// See the module.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    keys: Keys,
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
}
