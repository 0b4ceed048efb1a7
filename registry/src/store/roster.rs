//! What is kept of rosters.

use crate::domain::person::PersonId;
use crate::domain::roster::KeptSlot;
use crate::domain::vault::SealedDocument;

/// A community.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Community {
    /// Its number.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// The code of the district or zone that it is listed under, or empty.
    pub region: String,
    /// What it was called before.
    pub aliases: Vec<String>,
}

/// What became of communities that were imported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportedCommunities {
    /// New ones.
    pub added: u32,
    /// Those of which something else is said now.
    pub changed: u32,
}

/// What a community's slots are made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptKey {
    /// The salt.
    pub salt: [u8; 16],
    /// The key, sealed.
    pub sealed: Vec<u8>,
    /// Whether a gate was taken away since it was drawn.
    pub renew: bool,
}

/// What a community's roster is made from, as of one moment.
#[derive(Debug, Clone)]
pub struct RosterStock {
    /// The key, if one was drawn.
    pub key: Option<KeptKey>,
    /// [`crate::domain::roster::inputs`] of the newest roster, if there is one.
    pub inputs: Option<[u8; 32]>,
    /// The gates that are to read it, ascending.
    pub gates: Vec<[u8; 32]>,
    /// Its people, in the order of their ids. None where there is no gate.
    pub members: Vec<KeptMember>,
}

/// A person of a community as kept.
#[derive(Debug, Clone)]
pub struct KeptMember {
    /// See [`PersonId`].
    pub id: PersonId,
    /// Their profile, sealed.
    pub profile: Vec<u8>,
    /// The category.
    pub category: u8,
    /// The current handle.
    pub handle: Option<u32>,
    /// The document.
    pub document: Option<SealedDocument>,
    /// The slots that are kept, as in [`crate::domain::roster::What::ALL`].
    pub slots: [Option<KeptSlot>; 2],
}

/// A roster that was made.
#[derive(Debug)]
pub struct NewRoster<'a> {
    /// Whose.
    pub community: u32,
    /// What its slots were made with.
    pub salt: [u8; 16],
    /// The gates it is sealed to, ascending.
    pub gates: &'a [[u8; 32]],
    /// See [`RosterStock::inputs`].
    pub inputs: [u8; 32],
    /// The file.
    pub bytes: &'a [u8],
    /// How many entries are in it.
    pub entries: usize,
}

/// The newest roster of a community.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RosterInfo {
    /// Whose.
    pub community: u32,
    /// Its version.
    pub version: u32,
    /// How many entries are in it.
    pub entries: u32,
    /// How many gates read it.
    pub gates: u32,
    /// Bytes of the file.
    pub size: u32,
    /// Unix seconds.
    pub made_at: u32,
    /// Whether a head names it.
    pub published: bool,
}
