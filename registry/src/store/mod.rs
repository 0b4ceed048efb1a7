//! What the registry keeps, as operations of its domain. Each is one transaction, audited where it is an act.
//!
//! No engine shows through: another one is another implementation of [`Store`], held to the same tests.

#[cfg(test)]
mod conformance;
mod residents;
mod roster;
pub mod sqlite;

use std::io;

pub use residents::{Delivery, DueMessage, HistoryEntry, KeptResident, NewProof, Residents, Unsealed};
pub use roster::{Community, ImportedCommunities, KeptKey, KeptMember, NewRoster, RosterInfo, RosterStock};

use tongguan_pass::{Batch, ListError, Policy, Sha256Hash};

use crate::domain::audit::{Act, Actor};
use crate::domain::genesis::Genesis;
use crate::domain::handle::{DropReason, Holder};
use crate::domain::person::{Name, NewPerson, PersonChange, PersonId, TokenHash};
use crate::domain::policy::PolicyError;
use crate::domain::publish::{Edition, Publication, PublishError, Stock};
use crate::domain::roster::{KeptSlot, What};
use crate::domain::vault::Specimen;

/// Devices not enrolled that may hand in events. More would let anybody fill the store with names of devices.
pub const PENDING_DEVICES: u32 = 1_000;
/// Records stored of a device that is not enrolled. More would let anybody fill the registry's disk, with nothing but a key
/// they made themselves. An honest gate hands in some thousands a day, so it lasts for weeks until somebody enrols it.
pub const PENDING_RECORDS: u64 = 100_000;
/// Contradictions audited of a device that is not enrolled: a batch sent over and over must not fill the disk either.
pub const PENDING_CONFLICTS: u64 = 100;

/// Why an operation was not done. Nothing of it is stored then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No such person.
    #[error("there is no such person")]
    UnknownPerson,
    /// No such community.
    #[error("there is no community {0}")]
    UnknownCommunity(u32),
    /// There is a community of that number.
    #[error("there is a community {0} already; nothing was changed")]
    CommunityTaken(u32),
    /// Somebody else has that document. Who, is not told.
    #[error("somebody else is registered with this document already; nothing was changed")]
    DocumentTaken,
    /// Somebody else has that phone.
    #[error("somebody else is registered with this phone already; nothing was changed")]
    PhoneTaken,
    /// The phone was not proven, or too long ago.
    #[error("the phone is not proven; ask for a code and type it in")]
    NotProven,
    /// A quota is used up.
    #[error("this was asked for too often; it is possible again later")]
    TooOften {
        /// Unix seconds from when it is possible again.
        again: u32,
    },
    /// The work was handed in before.
    #[error("this work was handed in before")]
    WorkSpent,
    /// The person's data are frozen.
    #[error("these data are frozen and cannot be changed now")]
    Frozen,
    /// Somebody else has changed the person's data.
    #[error("these data have been changed meanwhile; nothing was changed, look at them and try again")]
    Outdated,
    /// The gates or the key of a roster changed while it was made.
    #[error("the gates of this community changed meanwhile; run it again")]
    RosterChanged,
    /// Nothing has been published yet.
    #[error("nothing has been published yet; run `tongguan-registry publish`")]
    NothingPublished,
    /// No unused handle was found.
    #[error("no unused handle was found")]
    NoFreeHandle,
    /// A batch contradicts what its device handed in before.
    #[error("record {seq} contradicts what this device handed in before")]
    ChainConflict {
        /// The record's number.
        seq: u64,
    },
    /// A batch whose chain is broken in itself.
    #[error("the batch {0}")]
    Batch(ListError),
    /// [`PENDING_DEVICES`] are waiting already.
    #[error("too many devices wait to be enrolled; enrol or remove some")]
    TooManyPending,
    /// A device that is not enrolled has handed in [`PENDING_RECORDS`].
    #[error("a device that is not enrolled may hand in {PENDING_RECORDS} records; enrol it first (docs/OPERATIONS.md)")]
    PendingFull,
    /// The author of an edition refused.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The keyset is no longer the one the new one was made from.
    #[error("somebody else has changed the keys meanwhile; nothing was changed, run it again")]
    KeysChanged,
    /// The policy cannot be changed like that.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// No randomness.
    #[error("the system gives no randomness: {0}")]
    Entropy(io::Error),
    /// The database was made by a later version of this program.
    #[error("the database is of schema version {found}, and this program knows up to {known}; use a newer program")]
    Newer {
        /// The database's version.
        found: i64,
        /// The program's.
        known: i64,
    },
    /// The folder or file cannot be written.
    #[error("the data folder cannot be written; check its owner, its permissions and that it is not mounted read-only")]
    ReadOnly,
    /// No space.
    #[error("the disk of the data folder is full; free some space, nothing was changed")]
    Full,
    /// Reading or writing the file failed.
    #[error("the disk of the data folder cannot be read or written ({0}); check that it is neither full nor failing")]
    Disk(String),
    /// Somebody else writes for too long.
    #[error("another program keeps the database busy; try again")]
    Busy,
    /// The file is damaged or not a database.
    #[error("the database is damaged ({0}); restore it from a backup")]
    Damaged(String),
    /// Anything else the engine says.
    #[error("the database failed: {0}")]
    Engine(String),
}

/// When an act happens and by whom.
#[derive(Debug, Clone)]
pub struct By {
    /// Unix seconds.
    pub at: u32,
    /// Who acts.
    pub actor: Actor,
}

/// A life to be given to a person's handle because a code is about to be issued on it.
#[derive(Debug, Clone, Copy)]
pub struct Lease {
    /// The end of the code.
    pub until: u32,
    /// What is being issued.
    pub act: Act,
}

/// The files everything hangs from, newest of each.
#[derive(Debug, Clone)]
pub struct Trust {
    /// The root file.
    pub root: Vec<u8>,
    /// The keyset file.
    pub keyset: Vec<u8>,
}

/// Every root and keyset file there ever was, oldest first.
#[derive(Debug, Clone)]
pub struct TrustHistory {
    /// The root files.
    pub roots: Vec<Vec<u8>>,
    /// The keyset files.
    pub keysets: Vec<Vec<u8>>,
}

/// The trust files that are to follow.
#[derive(Debug, Clone)]
pub struct Successor {
    /// The keyset this follows.
    pub replaces: Sha256Hash,
    /// A new root with its version, if the root changes too.
    pub root: Option<(u32, Vec<u8>)>,
    /// The new keyset with its version.
    pub keyset: (u32, Vec<u8>),
    /// What is audited, each with its subject.
    pub acts: Vec<(Act, String)>,
}

/// Where publishing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Version and issue time of the current head.
    pub head: Option<(u32, u32)>,
    /// Dropped handles that the next publish will enter.
    pub waiting: u32,
    /// Whether the rosters are others than those of the current head.
    pub rosters: bool,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Records stored now.
    pub stored: usize,
    /// Records stored before.
    pub duplicate: usize,
    /// One more than the highest number stored of this device.
    pub next_seq: u64,
    /// The records without a gap to which the batch belongs.
    pub run: Run,
}

/// A batch with its device's signature.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The batch.
    pub batch: Batch,
    /// The signature.
    pub signature: [u8; 64],
}

/// Records of a device that are stored without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The first; 1 unless earlier ones are missing.
    pub first_seq: u64,
    /// One more than the last.
    pub next_seq: u64,
    /// The chain value after the last.
    pub chain: Sha256Hash,
}

/// A device that has handed in events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its key.
    pub key: [u8; 32],
    /// `pending`, `enrolled` or `retired`.
    pub status: String,
    /// Up to this number its records came before signatures were kept.
    pub unsigned_to: u64,
    /// The highest number stored.
    pub highest: u64,
    /// How many records are stored.
    pub stored: u64,
    /// How often it contradicted what it had handed in before; while it is not enrolled, counted to [`PENDING_CONFLICTS`].
    pub conflicts: u32,
    /// The communities whose people it may look up, ascending.
    pub communities: Vec<u32>,
}

/// A record as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRecord {
    /// The device's number.
    pub seq: u64,
    /// The record.
    pub record: Vec<u8>,
    /// The chain value after it.
    pub chain: Sha256Hash,
    /// Whether the record before it is missing.
    pub after_gap: bool,
}

/// What is kept of a batch beside its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptBatch {
    /// The first record's number.
    pub first_seq: u64,
    /// How many records.
    pub count: u16,
    /// The chain value before the first.
    pub previous: Sha256Hash,
    /// The device's signature.
    pub signature: [u8; 64],
}

/// An event as kept.
#[derive(Debug, Clone)]
pub struct StoredEvent {
    /// The registry's own number: ascending in the order of arrival.
    pub number: u64,
    /// The device's key.
    pub device: [u8; 32],
    /// `pending`, `enrolled` or `retired`.
    pub device_status: String,
    /// The device's number.
    pub seq: u64,
    /// The record as signed.
    pub record: Vec<u8>,
    /// Unix seconds.
    pub received_at: u32,
    /// Whether the record before it is missing.
    pub after_gap: bool,
}

/// What the registry's operator says of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceStatus {
    /// It stands at a gate of ours.
    Enrolled,
    /// It did. What it hands in is kept as a stranger's is.
    Retired,
}

impl DeviceStatus {
    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enrolled => "enrolled",
            Self::Retired => "retired",
        }
    }
}

/// A source of handles to try.
pub type Draw<'a> = &'a mut dyn FnMut() -> io::Result<u32>;
/// Writes the next edition from the stock. It may be called again if the transaction must be repeated.
pub type Author<'a> = &'a dyn Fn(Stock) -> Result<Publication, PublishError>;

/// Makes the next policy of the current one. It may be called again if the transaction must be repeated.
pub type Redraft<'a> = &'a dyn Fn(&Policy) -> Result<Policy, PolicyError>;

/// A change of the policy.
#[derive(Debug, Clone)]
pub struct NewPolicy {
    /// What was there.
    pub before: Policy,
    /// What is there now.
    pub after: Policy,
    /// Its version.
    pub version: u32,
}

/// What is kept of one device, as of one moment.
pub trait History {
    /// At most `limit` records after the number `after`, ascending.
    ///
    /// # Errors
    /// [`StoreError`]; so too below.
    fn records(&self, after: u64, limit: u32) -> Result<Vec<KeptRecord>, StoreError>;

    /// At most `limit` batches after the one of that first number and count, ascending.
    fn batches(&self, after: (u64, u16), limit: u32) -> Result<Vec<KeptBatch>, StoreError>;
}

/// Reads a device with its history.
pub type Reader<'a> = &'a mut dyn FnMut(Device, &dyn History) -> Result<(), StoreError>;

/// What the registry keeps.
pub trait Store: Residents + Send + Sync {
    /// Sets up an empty store with the first trust files and the first community.
    ///
    /// # Errors
    /// [`StoreError`]; so too below.
    fn begin(&self, genesis: &Genesis, by: &By) -> Result<(), StoreError>;

    /// The newest root and keyset.
    fn trust(&self) -> Result<Trust, StoreError>;

    /// The hash of the newest keyset: cheap to ask, to see whether the keys have changed.
    fn keyset(&self) -> Result<Sha256Hash, StoreError>;

    /// Every root and keyset there ever was.
    fn trust_history(&self) -> Result<TrustHistory, StoreError>;

    /// Makes the successor's files the newest; the next edition names them. [`StoreError::KeysChanged`].
    fn succeed(&self, successor: &Successor, by: &By) -> Result<(), StoreError>;

    /// The policy with its version, if there ever was one.
    fn policy(&self) -> Result<Option<(u32, Policy)>, StoreError>;

    /// Makes the next version of the policy, which the next edition names; none if it is the same.
    fn change_policy(&self, redraft: Redraft<'_>, act: Act, by: &By) -> Result<NewPolicy, StoreError>;

    /// Adds a community; [`StoreError::CommunityTaken`].
    fn add_community(&self, id: u32, name: &Name, by: &By) -> Result<(), StoreError>;

    /// Every community, ascending.
    fn communities(&self) -> Result<Vec<Community>, StoreError>;

    /// Adds the communities that are not there, and changes those that are to what is said of them now; none, if one cannot be kept.
    fn import_communities(&self, communities: &[Community], by: &By) -> Result<ImportedCommunities, StoreError>;

    /// Registers a person; [`StoreError::UnknownCommunity`], [`StoreError::DocumentTaken`], [`StoreError::PhoneTaken`].
    fn add_person(&self, person: &NewPerson, by: &By) -> Result<(), StoreError>;

    /// Changes what is known of a person; [`StoreError::UnknownPerson`], [`StoreError::Frozen`] if it is the person who does,
    /// [`StoreError::Outdated`] if their data have another revision by now, and those of [`Self::add_person`].
    fn change_person(&self, person: &PersonId, change: &PersonChange, by: &By) -> Result<(), StoreError>;

    /// Whose token it is.
    fn person_by_token(&self, token: &TokenHash) -> Result<Option<PersonId>, StoreError>;

    /// The person's current handle, drawn if there is none, with its life extended to the lease's end;
    /// [`StoreError::UnknownPerson`].
    fn hold(&self, person: &PersonId, lease: Lease, draw: Draw<'_>, by: &By) -> Result<Holder, StoreError>;

    /// Drops the person's current handle; how many were dropped, 0 or 1. [`StoreError::UnknownPerson`].
    fn drop_handle(&self, person: &PersonId, reason: DropReason, by: &By) -> Result<u32, StoreError>;

    /// Lets `author` write the next edition, and makes it current.
    fn publish(&self, author: Author<'_>, by: &By) -> Result<Edition, StoreError>;

    /// Where publishing stands as of `now`.
    fn standing(&self, now: u32) -> Result<Standing, StoreError>;

    /// The current head's bytes; [`StoreError::NothingPublished`].
    fn head(&self) -> Result<Vec<u8>, StoreError>;

    /// A file by its hash.
    fn file(&self, hash: &Sha256Hash) -> Result<Option<Vec<u8>>, StoreError>;

    /// The current edition and, as of one moment, every file that a gate may need for it: those it names, the rosters of its
    /// index (SY 13.1) and the earlier roots (SY 3.6); [`StoreError::NothingPublished`].
    fn edition(&self) -> Result<(Edition, Vec<Vec<u8>>), StoreError>;

    /// Stores what is new of a batch; [`StoreError::ChainConflict`] (audited), [`StoreError::TooManyPending`],
    /// [`StoreError::PendingFull`].
    fn accept(&self, batch: &Signed, by: &By) -> Result<Receipt, StoreError>;

    /// At most `limit` events with a number above `since`, in order, of one device or all.
    fn events(&self, since: u64, device: Option<&[u8; 32]>, limit: u32) -> Result<Vec<StoredEvent>, StoreError>;

    /// The newest records of a device that are stored without a gap; `None` if it has none.
    fn run(&self, device: &[u8; 32]) -> Result<Option<Run>, StoreError>;

    /// Takes a device in, or lets it go, as `status` says (`enrolled` or `retired`). One that has handed in nothing yet is
    /// known from then on. It may look up the people of `communities` and of no others; [`StoreError::UnknownCommunity`].
    fn set_device(
        &self,
        device: &[u8; 32],
        status: DeviceStatus,
        communities: &[u32],
        by: &By,
    ) -> Result<(), StoreError>;

    /// Every device, in the order in which they came.
    fn devices(&self) -> Result<Vec<Device>, StoreError>;

    /// At most `limit` records of a device after the number `after`, ascending.
    fn records(&self, device: &[u8; 32], after: u64, limit: u32) -> Result<Vec<KeptRecord>, StoreError>;

    /// Lets `read` read the history of a device as of one moment; not at all if there is no such device.
    fn history(&self, device: &[u8; 32], read: Reader<'_>) -> Result<(), StoreError>;

    /// Something that only the data key opens, if there is anything.
    fn specimen(&self) -> Result<Option<Specimen>, StoreError>;

    /// What a community's roster is made from; [`StoreError::UnknownCommunity`].
    fn roster_stock(&self, community: u32) -> Result<RosterStock, StoreError>;

    /// Keeps a new salt and sealed key for a community's roster, in the place of those with the salt `before`, and forgets the
    /// slots that were made with those; [`StoreError::RosterChanged`].
    fn renew_roster_key(
        &self,
        community: u32,
        before: Option<[u8; 16]>,
        key: (&[u8; 16], &[u8]),
        by: &By,
    ) -> Result<(), StoreError>;

    /// Keeps slots, so that they need not be made again.
    fn keep_slots(&self, slots: &[(PersonId, What, KeptSlot)]) -> Result<(), StoreError>;

    /// Makes a roster the newest of its community, which the next edition leads to; its version. [`StoreError::RosterChanged`]
    /// if its gates or its key are no longer those it was made for.
    fn keep_roster(&self, roster: &NewRoster<'_>, by: &By) -> Result<u32, StoreError>;

    /// Takes away the roster of a community that no gate serves; [`StoreError::RosterChanged`] if one does.
    fn end_roster(&self, community: u32, by: &By) -> Result<(), StoreError>;

    /// The newest roster of each community that has one.
    fn rosters(&self) -> Result<Vec<RosterInfo>, StoreError>;

    /// Audits an act that changes nothing else.
    fn note_act(&self, act: Act, subject: &str, by: &By) -> Result<(), StoreError>;
}
