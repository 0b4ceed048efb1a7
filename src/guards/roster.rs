//! `guards.json`: the names of those who may log in, each with the argon2 hash of a PIN and perhaps the pseudonym of their code.

use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// As many as fit on the screen, and more than work at one gate.
const MOST: usize = 12;
/// Bytes of the file that are read.
const LIMIT: u64 = 64 * 1024;
/// Bytes of a name: it is in the journal (SY 6.10).
const NAME: usize = 32;

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Decide about people.
    Guard,
    /// That, and look after the device.
    Technician,
}

/// Somebody who may log in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// The name, as it is shown and journaled.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// A PHC string.
    pin: String,
    /// The pseudonym that their own code carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    handle: Option<u32>,
}

impl Guard {
    /// The pseudonym that their own code carries, if they log in with it.
    pub fn handle(&self) -> Option<u32> {
        self.handle
    }

    /// Whether that is the PIN. Takes a tenth of a second and more, on purpose.
    pub fn has_pin(&self, pin: &Pin) -> bool {
        let known = PasswordHash::new(&self.pin);
        known.is_ok_and(|known| Argon2::default().verify_password(pin.0.as_bytes(), &known).is_ok())
    }
}

/// Four to eight digits. Never shown.
#[derive(Clone)]
pub struct Pin(Zeroizing<String>);

impl Pin {
    /// The PIN in `text`, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = (4..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// Whether everybody would try it first: one digit repeated, or digits in a row.
    fn is_guessed_first(&self) -> bool {
        let steps: Vec<i16> = self.0.as_bytes().windows(2).map(|w| i16::from(w[1]) - i16::from(w[0])).collect();
        steps.iter().all(|step| *step == steps[0]) && (-1..=1).contains(&steps[0])
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(..)")
    }
}

/// Why the roster cannot be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RosterError {
    /// The file.
    #[error("cannot use {0}: {1}")]
    Io(PathBuf, io::Error),
    /// Not what this program wrote.
    #[error("{0} is damaged ({1}); remove it, and add the guards anew with `tongguan guard add`")]
    Damaged(PathBuf, String),
    /// A name that cannot be shown or journaled.
    #[error("a name has 1 to {NAME} bytes and no control characters")]
    Name,
    /// The name is taken.
    #[error("there is a guard {0} already; remove them first to give them another PIN")]
    Taken(String),
    /// Two guards with one code.
    #[error("that is the code of {0}")]
    CodeTaken(String),
    /// Nobody of that name.
    #[error("there is no guard {0}; `tongguan guard list` names them")]
    Nobody(String),
    /// Too many.
    #[error("a gate has at most {MOST} guards; remove one who does not work here any more")]
    Full,
    /// A PIN that is guessed first.
    #[error("that PIN is among the first anybody would try; take another")]
    Weak,
    /// The hash could not be made.
    #[error("the PIN cannot be hashed: {0}")]
    Hash(String),
}

/// Everybody who may log in at this gate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Roster(Vec<Guard>);

impl Roster {
    /// Reads the file; without one nobody logs in.
    ///
    /// # Errors
    /// [`RosterError`].
    pub fn read(path: &Path) -> Result<Self, RosterError> {
        let text = match fs::metadata(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Ok(m) if m.len() > LIMIT => return Err(RosterError::Damaged(path.into(), "it is too long".into())),
            Ok(_) => fs::read_to_string(path),
            Err(e) => Err(e),
        }
        .map_err(|e| RosterError::Io(path.into(), e))?;
        let roster: Self = serde_json::from_str(&text).map_err(|e| RosterError::Damaged(path.into(), e.to_string()))?;
        let sound = roster.0.len() <= MOST && roster.0.iter().all(|g| is_name(&g.name));
        if sound { Ok(roster) } else { Err(RosterError::Damaged(path.into(), "names or their number".into())) }
    }

    /// Writes the file whole, for its owner only.
    ///
    /// # Errors
    /// [`RosterError::Io`]; then it is as it was.
    pub fn write(&self, path: &Path) -> Result<(), RosterError> {
        let beside = path.with_extension("json.new");
        let write = || {
            fs::remove_file(&beside).or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) })?;
            let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
            file.write_all(serde_json::to_string_pretty(self).map_err(io::Error::other)?.as_bytes())?;
            file.sync_all()?;
            fs::rename(&beside, path)
        };
        write().map_err(|e| RosterError::Io(path.into(), e))
    }

    /// Adds somebody.
    ///
    /// # Errors
    /// [`RosterError`].
    pub fn add(&mut self, name: &str, role: Role, pin: &Pin) -> Result<(), RosterError> {
        if !is_name(name) {
            return Err(RosterError::Name);
        }
        if self.find(name).is_some() {
            return Err(RosterError::Taken(name.into()));
        }
        if self.0.len() >= MOST {
            return Err(RosterError::Full);
        }
        if pin.is_guessed_first() {
            return Err(RosterError::Weak);
        }
        let hash = Argon2::default().hash_password(pin.0.as_bytes());
        let pin = hash.map_err(|e| RosterError::Hash(e.to_string()))?.to_string();
        self.0.push(Guard { name: name.into(), role, pin, handle: None });
        Ok(())
    }

    /// Remembers by its pseudonym the code with which somebody may log in.
    ///
    /// # Errors
    /// [`RosterError`].
    pub fn know_code(&mut self, name: &str, handle: u32) -> Result<(), RosterError> {
        if let Some(other) = self.0.iter().find(|g| g.handle == Some(handle) && g.name != name) {
            return Err(RosterError::CodeTaken(other.name.clone()));
        }
        let guard = self.0.iter_mut().find(|g| g.name == name).ok_or_else(|| RosterError::Nobody(name.into()))?;
        guard.handle = Some(handle);
        Ok(())
    }

    /// Removes somebody.
    ///
    /// # Errors
    /// [`RosterError::Nobody`].
    pub fn remove(&mut self, name: &str) -> Result<(), RosterError> {
        let before = self.0.len();
        self.0.retain(|g| g.name != name);
        if self.0.len() < before { Ok(()) } else { Err(RosterError::Nobody(name.into())) }
    }

    /// Somebody by name.
    pub fn find(&self, name: &str) -> Option<&Guard> {
        self.0.iter().find(|g| g.name == name)
    }

    /// Everybody.
    pub fn guards(&self) -> &[Guard] {
        &self.0
    }
}

fn is_name(name: &str) -> bool {
    (1..=NAME).contains(&name.len()) && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn pin(text: &str) -> Pin {
        Pin::parse(text).unwrap()
    }

    #[test]
    fn a_pin_is_four_to_eight_digits_and_not_one_of_the_first_tried() {
        for wrong in ["", "123", "123456789", "12a4", "１２３４", " 1234"] {
            assert!(Pin::parse(wrong).is_none(), "{wrong}");
        }
        let mut roster = Roster::default();
        for weak in ["0000", "1234", "87654321", "9999"] {
            assert!(matches!(roster.add("王", Role::Guard, &pin(weak)), Err(RosterError::Weak)), "{weak}");
        }
        roster.add("王", Role::Guard, &pin("2580")).unwrap();
        assert_eq!(format!("{:?}", pin("2580")), "Pin(..)");
    }

    #[test]
    fn guards_are_kept_without_their_pins_for_the_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("guards.json");
        assert_eq!(Roster::read(&path).unwrap(), Roster::default());
        let mut roster = Roster::default();
        roster.add("王", Role::Guard, &pin("2580")).unwrap();
        roster.add("Li", Role::Technician, &pin("147036")).unwrap();
        roster.write(&path).unwrap();
        roster.write(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("2580") && !text.contains("147036"), "{text}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let read = Roster::read(&path).unwrap();
        assert_eq!(read, roster);
        assert!(read.find("王").unwrap().has_pin(&pin("2580")));
        assert!(!read.find("王").unwrap().has_pin(&pin("147036")));
        fs::write(&path, &text[..text.len() / 2]).unwrap();
        assert!(Roster::read(&path).unwrap_err().to_string().contains("guard add"));
    }

    #[test]
    fn a_code_is_one_guards_and_a_file_without_codes_is_read_as_before() {
        let mut roster = Roster::default();
        roster.add("王", Role::Guard, &pin("2580")).unwrap();
        roster.add("Li", Role::Technician, &pin("147036")).unwrap();
        assert!(!serde_json::to_string(&roster).unwrap().contains("handle"));
        roster.know_code("王", 7).unwrap();
        assert!(matches!(roster.know_code("Li", 7), Err(RosterError::CodeTaken(name)) if name == "王"));
        assert!(matches!(roster.know_code("张", 8), Err(RosterError::Nobody(_))));
        roster.know_code("王", 9).unwrap();
        let read: Roster = serde_json::from_str(&serde_json::to_string(&roster).unwrap()).unwrap();
        assert_eq!(read.guards().iter().map(Guard::handle).collect::<Vec<_>>(), [Some(9), None]);
    }

    #[test]
    fn names_are_short_unique_and_few() {
        let mut roster = Roster::default();
        let long = "a".repeat(NAME + 1);
        for wrong in ["", long.as_str(), "a\nb"] {
            assert!(matches!(roster.add(wrong, Role::Guard, &pin("2580")), Err(RosterError::Name)));
        }
        roster.0 = (0..MOST)
            .map(|n| Guard { name: n.to_string(), role: Role::Guard, pin: String::new(), handle: None })
            .collect();
        assert!(matches!(roster.add("3", Role::Guard, &pin("2580")), Err(RosterError::Taken(_))));
        assert!(matches!(roster.add("x", Role::Guard, &pin("2580")), Err(RosterError::Full)));
        roster.remove("3").unwrap();
        assert!(matches!(roster.remove("3"), Err(RosterError::Nobody(_))));
        assert!(!roster.guards()[0].has_pin(&pin("2580")), "no hash, no way in");
    }
}
