//! What a resident has told of themselves, beside their document. It is kept sealed, as one field.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::domain::person::{Home, Name};
use crate::domain::phone::Phone;
use crate::domain::plate::Plate;
use crate::lang::Text;

/// Characters of a unit or a door.
pub const PLACE_CHARS: usize = 20;
/// Vehicles of one person.
pub const PLATES: usize = 3;

/// As documents tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gender {
    /// 女
    Female,
    /// 男
    Male,
}

impl Gender {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Female, Self::Male];

    /// The name in forms and where it is kept.
    pub fn name(self) -> &'static str {
        match self {
            Self::Female => "female",
            Self::Male => "male",
        }
    }

    /// The gender of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|gender| gender.name() == name)
    }

    /// For people.
    pub fn text(self) -> Text {
        match self {
            Self::Female => Text::new("女", "Female"),
            Self::Male => Text::new("男", "Male"),
        }
    }
}

/// Whether a person may change their data and have codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// 正常
    Normal,
    /// Nothing can be changed; codes are issued as always.
    Frozen,
}

impl Status {
    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Frozen => "frozen",
        }
    }

    /// For people.
    pub fn text(self) -> Text {
        match self {
            Self::Normal => Text::new("正常", "In order"),
            Self::Frozen => Text::new("冻结", "Frozen"),
        }
    }
}

/// A unit or a door: a word or two. Its Debug shows nothing, so that no log does.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Place(String);

impl Place {
    /// Reads one.
    ///
    /// # Errors
    /// A sentence for whoever typed it.
    pub fn parse(text: &str) -> Result<Self, Text> {
        let place = text.trim();
        let fits = place.chars().count() <= PLACE_CHARS && !place.chars().any(char::is_control);
        fits.then(|| Self(place.to_owned())).ok_or(Text::new("最多 20 个字。", "At most 20 characters."))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Place(..)")
    }
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// See [`Name`].
    pub name: Name,
    /// As the document tells it; unknown of people whom an operator registered.
    pub gender: Option<Gender>,
    /// Where messages go, and by whose proof they get in.
    pub phone: Option<Phone>,
    /// The building.
    pub home: Home,
    /// The unit in it.
    pub unit: Place,
    /// The door in that.
    pub door: Place,
    /// Their vehicles.
    pub plates: Vec<Plate>,
}

/// A profile as it is sealed. A field that is added has a default.
#[derive(Serialize, Deserialize)]
struct Kept {
    name: String,
    #[serde(default)]
    gender: Option<String>,
    #[serde(default)]
    phone: Option<String>,
    #[serde(default)]
    home: String,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    door: String,
    #[serde(default)]
    plates: Vec<String>,
}

impl Profile {
    /// Somebody of whom nothing but name and building is known.
    pub fn new(name: Name, home: Home) -> Self {
        Self {
            name,
            gender: None,
            phone: None,
            home,
            unit: Place::default(),
            door: Place::default(),
            plates: Vec::new(),
        }
    }

    /// What is sealed.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let kept = Kept {
            name: self.name.as_str().into(),
            gender: self.gender.map(|gender| gender.name().into()),
            phone: self.phone.as_ref().map(|phone| phone.as_str().into()),
            home: self.home.as_str().into(),
            unit: self.unit.as_str().into(),
            door: self.door.as_str().into(),
            plates: self.plates.iter().map(|plate| plate.as_str().into()).collect(),
        };
        // Strings only: nothing in it can fail to be written.
        Zeroizing::new(serde_json::to_vec(&kept).unwrap_or_default())
    }

    /// What was sealed; `None` if it is no profile.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let kept: Kept = serde_json::from_slice(bytes).ok()?;
        Some(Self {
            name: Name::parse(&kept.name).ok()?,
            gender: kept.gender.as_deref().and_then(Gender::from_name),
            phone: kept.phone.as_deref().map(Phone::parse).transpose().ok()?,
            home: Home::parse(&kept.home).ok()?,
            unit: Place::parse(&kept.unit).ok()?,
            door: Place::parse(&kept.door).ok()?,
            plates: kept.plates.iter().map(|plate| Plate::parse(plate)).collect::<Result<_, _>>().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_reads_back_whatever_script_it_is_in_and_nothing_else_is_one() {
        let profile = Profile {
            name: Name::parse("O'Neil \"Jo\" \\ 周").expect("a name"),
            gender: Some(Gender::Female),
            phone: Phone::parse("+85291234567").ok(),
            home: Home::parse("3号楼").expect("a building"),
            unit: Place::parse("2单元").expect("a unit"),
            door: Place::parse("1204").expect("a door"),
            plates: vec![Plate::parse("陕AD12345").expect("a plate")],
        };
        assert_eq!(Profile::from_bytes(&profile.to_bytes()), Some(profile));
        let least = Profile::new(Name::parse("A").expect("a name"), Home::default());
        assert_eq!(Profile::from_bytes(b"{\"name\":\"A\"}"), Some(least));
        assert_eq!(Profile::from_bytes(b"{}"), None);
        assert_eq!(Profile::from_bytes(b""), None);
    }
}
