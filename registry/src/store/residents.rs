//! What is kept of residents who look after their data themselves: sessions, proofs of phones, profiles with their history, and
//! the messages that are to go out.

use super::{By, StoreError};
use crate::domain::person::{Home, Name, NewPerson, PersonId, TokenHash};
use crate::domain::profile::Status;
use crate::domain::proof::{Answer, Purpose, Quota};
use crate::domain::session::Session;
use crate::domain::vault::SealedDocument;

/// A code that is to be sent to a phone, and what is kept of it.
#[derive(Debug)]
pub struct NewProof<'a> {
    /// Whose browser asks.
    pub session: TokenHash,
    /// What for.
    pub purpose: Purpose,
    /// The keyed hash of the phone.
    pub phone: [u8; 32],
    /// What the code is held against.
    pub code: [u8; 32],
    /// The message, sealed.
    pub message: &'a [u8],
    /// What names the work that was done for it: it is good once, and forgotten after that time.
    pub work: Option<([u8; 32], u32)>,
    /// How often this may be asked.
    pub quotas: &'a [Quota],
}

/// A person as kept.
#[derive(Debug, Clone)]
pub struct KeptResident {
    /// What they told of themselves, sealed.
    pub profile: Vec<u8>,
    /// Where they live.
    pub community: u32,
    /// Its name.
    pub community_name: String,
    /// Their document, if one is known.
    pub document: Option<SealedDocument>,
    /// See [`Status`].
    pub status: Status,
    /// When they were registered, Unix seconds.
    pub since: u32,
    /// How often their data has changed: a change names what it was made from.
    pub revision: u32,
}

/// An entry of the history of a person's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// Unix seconds.
    pub at: u32,
    /// What was changed, sealed.
    pub entry: Vec<u8>,
}

/// A message that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueMessage {
    /// Its number.
    pub number: u64,
    /// The message, sealed.
    pub message: Vec<u8>,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was to go out first, Unix seconds.
    pub since: u32,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// It was handed on.
    Sent,
    /// It is to be tried again at that time.
    Again(u32),
    /// It is given up.
    GivenUp,
}

/// A person of an earlier version, whose data stand in clear.
#[derive(Debug, Clone)]
pub struct Unsealed {
    /// Who.
    pub id: PersonId,
    /// See [`Name`].
    pub name: Name,
    /// See [`Home`].
    pub home: Home,
}

/// See the module. Part of [`super::Store`].
pub trait Residents {
    /// Begins a session; ended ones are forgotten with it.
    ///
    /// # Errors
    /// [`StoreError`]; so too below.
    fn begin_session(&self, session: &TokenHash, person: Option<&PersonId>, by: &By) -> Result<(), StoreError>;

    /// The session, if there is one and it is good at `now`.
    fn session(&self, session: &TokenHash, now: u32) -> Result<Option<Session>, StoreError>;

    /// Remembers that a session is in use.
    fn touch_session(&self, session: &TokenHash, now: u32) -> Result<(), StoreError>;

    /// Keeps what was typed so far.
    fn keep_draft(&self, session: &TokenHash, draft: &[u8]) -> Result<(), StoreError>;

    /// Ends a session.
    fn end_session(&self, session: &TokenHash) -> Result<(), StoreError>;

    /// Keeps a code in the place of the session's last one for that purpose, and puts its message among those that are due;
    /// [`StoreError::TooOften`], [`StoreError::WorkSpent`].
    fn ask_proof(&self, proof: &NewProof<'_>, by: &By) -> Result<(), StoreError>;

    /// Holds a typed code against the one that is kept. A wrong one counts.
    fn answer_proof(
        &self,
        session: &TokenHash,
        purpose: Purpose,
        phone: &[u8; 32],
        code: &[u8; 32],
        now: u32,
    ) -> Result<Answer, StoreError>;

    /// Whether the phone was proven in this session, for whatever, not long ago.
    fn is_proven(&self, session: &TokenHash, phone: &[u8; 32], now: u32) -> Result<bool, StoreError>;

    /// Registers a person whose phone was proven in `session`, which then is over; [`StoreError::NotProven`] and those of
    /// [`super::Store::add_person`]. Of several at once for one document or phone one succeeds.
    fn register(&self, session: &TokenHash, person: &NewPerson, by: &By) -> Result<(), StoreError>;

    /// Whose phone it is.
    fn person_by_phone(&self, phone: &[u8; 32]) -> Result<Option<PersonId>, StoreError>;

    /// A person; [`StoreError::UnknownPerson`].
    fn resident(&self, person: &PersonId) -> Result<KeptResident, StoreError>;

    /// Freezes a person's data, or lets them be changed again; [`StoreError::UnknownPerson`].
    fn set_status(&self, person: &PersonId, status: Status, by: &By) -> Result<(), StoreError>;

    /// The history of a person's data, newest first, at most `limit`.
    fn history_of(&self, person: &PersonId, limit: u32) -> Result<Vec<HistoryEntry>, StoreError>;

    /// At most `limit` people whose name and building are not sealed yet.
    fn unsealed(&self, limit: u32) -> Result<Vec<Unsealed>, StoreError>;

    /// Keeps sealed profiles in the place of what is not sealed.
    fn seal(&self, sealed: &[(PersonId, Vec<u8>)]) -> Result<(), StoreError>;

    /// At most `limit` messages that are due at `now`, in order.
    fn due_messages(&self, now: u32, limit: u32) -> Result<Vec<DueMessage>, StoreError>;

    /// Remembers what became of a message. What was sent or given up keeps no content.
    fn deliver(&self, number: u64, delivery: Delivery, now: u32) -> Result<(), StoreError>;
}
