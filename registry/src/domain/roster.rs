//! What a roster says of a person, and when it must be made anew (SY 13).

use sha2::{Digest as _, Sha256};
use tongguan_pass::Resident;
use tongguan_pass::roster::NAME_BYTES;

use crate::domain::person::{Home, Name, PersonId};
use crate::domain::vault::SealedDocument;

/// Stars of a masked name, or of a word of one: so the length of a long name is not told.
const STARS: usize = 3;

/// What a slot is the slot of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A handle.
    Handle = 1,
    /// A document.
    Document = 2,
}

impl What {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Handle, Self::Document];
}

/// A slot as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSlot {
    /// What it depends on: [`Member::made_for`].
    pub made_for: [u8; 32],
    /// The slot, sealed.
    pub sealed: Vec<u8>,
}

/// A person of a community, as its roster needs them.
#[derive(Debug, Clone)]
pub struct Member {
    /// See [`PersonId`].
    pub id: PersonId,
    /// See [`Name`].
    pub name: Name,
    /// The category.
    pub category: u8,
    /// The building.
    pub home: Home,
    /// The current handle.
    pub handle: Option<u32>,
    /// The document.
    pub document: Option<SealedDocument>,
    /// The slots that are kept, as in [`What::ALL`].
    pub slots: [Option<KeptSlot>; 2],
}

impl Member {
    /// What a guard may know of them.
    pub fn resident(&self) -> Resident {
        let handle = self.handle.unwrap_or(0);
        Resident { handle, category: self.category, name: masked(self.name.as_str()), home: self.home.as_str().into() }
    }

    /// A digest of what the slot depends on, beside the roster's key; the key changes with the salt. `None` if they have none.
    pub fn made_for(&self, salt: &[u8; 16], what: What) -> Option<[u8; 32]> {
        let handle = self.handle.map(u32::to_be_bytes);
        let of = match what {
            What::Handle => handle.as_ref().map(<[u8; 4]>::as_slice),
            What::Document => self.document.as_ref().map(|document| document.lookup.as_slice()),
        };
        of.map(|of| Sha256::new_with_prefix(salt).chain_update([what as u8]).chain_update(of).finalize().into())
    }

    /// The kept slot, if it is still good.
    pub fn kept(&self, salt: &[u8; 16], what: What) -> Option<&KeptSlot> {
        let made_for = self.made_for(salt, what)?;
        self.slots[what as usize - 1].as_ref().filter(|slot| slot.made_for == made_for)
    }
}

/// A digest of everything that a roster is made of: while it is the same, the roster would be too.
pub fn inputs(salt: &[u8; 16], gates: &[[u8; 32]], members: &[Member]) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(salt);
    hash.update((gates.len() as u64).to_be_bytes());
    gates.iter().for_each(|gate| hash.update(gate));
    for member in members {
        let Resident { handle, category, name, home } = member.resident();
        let document = member.document.as_ref().map_or([0; 32], |document| document.lookup);
        hash.update(handle.to_be_bytes());
        hash.update([category]);
        hash.update(document);
        for text in [name, home] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
    }
    hash.finalize().into()
}

/// A name as a guard sees it: `周*`, `欧***`, `J*** S***`. Where words are written apart each has its first letter; elsewhere there
/// is a star for each further character, three at most.
pub fn masked(name: &str) -> String {
    let mut masked = String::new();
    // From here on scripts write no spaces between words, or a name is one word: hanzi, kana, hangul, bopomofo.
    if name.chars().any(|c| c >= '\u{2e80}' && c.is_alphabetic()) {
        let mut letters = name.chars().filter(|c| c.is_alphanumeric());
        masked.extend(letters.next());
        let stars = letters.take(STARS).count().max(1);
        masked.extend(std::iter::repeat_n('*', stars));
    } else {
        for word in name.split(|c: char| !c.is_alphanumeric() && !matches!(c, '\'' | '’')) {
            let Some(letter) = word.chars().find(|c| c.is_alphanumeric()) else { continue };
            if !masked.is_empty() {
                masked.push(' ');
            }
            masked.push(letter);
            masked.push_str("***");
        }
    }
    if masked.is_empty() {
        masked.push('*');
    }
    masked[..masked.floor_char_boundary(NAME_BYTES)].trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_first_letters_and_a_bounded_number_of_stars() {
        for (name, expected) in [
            ("周杰", "周*"),
            ("王小明", "王**"),
            ("欧阳娜娜", "欧***"),
            ("阿卜杜拉·买买提", "阿***"),
            ("周", "周*"),
            ("𠮷田太郎", "𠮷***"),
            ("Müller", "M***"),
            ("John Smith", "J*** S***"),
            ("Mary-Jane O'Neil", "M*** J*** O***"),
            ("Иван Петров", "И*** П***"),
            ("김철수", "김**"),
            ("John 周", "J***"),
            ("???", "*"),
            ("\u{202e}gnaW", "g***"),
            ("A B C D E", "A*** B*** C*** D***"),
            ("Я Я Я Я Я", "Я*** Я*** Я*** Я"),
        ] {
            assert_eq!(masked(name), expected, "{name}");
            assert!(masked(name).len() <= NAME_BYTES);
        }
        assert_eq!(masked(&"长".repeat(100)), "长***");
    }

    fn member() -> Member {
        Member {
            id: PersonId::from_random([1; 10]),
            name: Name::parse("王小明").expect("a name"),
            category: 1,
            home: Home::parse("3号楼").expect("a building"),
            handle: Some(7),
            document: Some(SealedDocument { lookup: [1; 32], sealed: vec![] }),
            slots: [None, None],
        }
    }

    #[test]
    fn a_roster_is_the_same_until_something_that_it_tells_changes() {
        let digest = |member: Member| inputs(&[1; 16], &[[1; 32]], &[member]);
        let before = digest(member());
        let name = |name| Name::parse(name).expect("a name");
        assert_eq!(digest(Member { name: name("王大力"), ..member() }), before, "it is masked to the same");
        let sealed_again = SealedDocument { lookup: [1; 32], sealed: vec![9] };
        assert_eq!(digest(Member { document: Some(sealed_again), ..member() }), before);
        for changed in [
            Member { name: name("李小明"), ..member() },
            Member { category: 2, ..member() },
            Member { home: Home::default(), ..member() },
            Member { handle: None, ..member() },
            Member { document: None, ..member() },
        ] {
            assert_ne!(digest(changed), before);
        }
        assert_ne!(inputs(&[2; 16], &[[1; 32]], &[member()]), before);
        assert_ne!(inputs(&[1; 16], &[], &[member()]), before);
        assert_ne!(inputs(&[1; 16], &[[1; 32]], &[]), before);
    }

    #[test]
    fn a_kept_slot_is_good_for_what_it_was_made_for() {
        let salt = [1; 16];
        let made_for = member().made_for(&salt, What::Handle).expect("there is a handle");
        let kept = KeptSlot { made_for, sealed: vec![] };
        let with = Member { slots: [Some(kept.clone()), None], ..member() };
        assert_eq!(with.kept(&salt, What::Handle), Some(&kept));
        assert_eq!(with.kept(&salt, What::Document), None);
        assert_eq!(with.kept(&[2; 16], What::Handle), None, "key and salt were drawn anew");
        assert_eq!(Member { handle: Some(8), ..with.clone() }.kept(&salt, What::Handle), None);
        assert_eq!(Member { handle: None, ..with.clone() }.kept(&salt, What::Handle), None);
        let crossed = Member { slots: [None, Some(kept)], ..member() };
        assert_eq!(crossed.kept(&salt, What::Document), None);
    }
}
