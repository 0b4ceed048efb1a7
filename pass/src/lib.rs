//! Tongguan's signed formats and their verification.
//!
//! Everything that one part of Tongguan signs and another must believe is defined here: the personal **codes** (live,
//! carried, printed), the registry's **lists** (root, keyset, head, revocations, policy), a checkpoint's **event batches** and
//! the registry's **receipts** for them.
//! The formats are specified in `docs/PASS-FORMAT.md` ("PF") and `docs/SYNC.md` ("SY"); the clause stands above the
//! check that implements it, and `vectors/` holds the same in JSON for other languages.
//!
//! The crate is pure: no I/O, no clock, no randomness, no `unsafe`, `no_std` with `alloc`. Parsing is total (any input
//! gives a value or an error, never a panic), bounded ([`limits`]) and canonical (one encoding for one value).
//!
//! ```
//! use tongguan_pass::{Interval, Unverified};
//! # fn judge(keys: &tongguan_pass::Keyset) -> Result<(), tongguan_pass::CodeError> {
//! let code = Unverified::parse("TG1:...")?;     // well-formed?
//! let code = code.verify(keys)?;                // signed by our registry?
//! let freshness = code.freshness(Interval::exactly(1_790_000_000)); // good now?
//! # Ok(()) }
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod admission;
pub mod code;
pub mod document;
pub mod draft;
pub mod event;
pub mod file;
pub mod head;
pub mod key;
pub mod keyset;
pub mod limits;
pub mod note;
pub mod policy;
pub mod receipt;
pub mod revocation;
mod rice;
pub mod root;
pub mod roster;
pub mod ruling;
mod seal;
mod signed;
pub mod time;
mod verify;
mod wire;

pub use admission::{Admission, Place};
pub use code::{Body, Carried, Certificate, CodeError, Flags, Kind, Live, Printed, Unverified};
pub use document::{Document, DocumentError, DocumentKind};
pub use draft::Draft;
pub use ed25519_dalek::{SigningKey, VerifyingKey};
pub use event::{Batch, Event, GateOutcome, OutcomeCode, Passage};
pub use file::{FileRef, Sha256Hash};
pub use head::Head;
pub use key::{KeyId, Purpose};
pub use keyset::{Keyset, RegistryKey};
pub use note::Note;
pub use policy::Policy;
pub use receipt::Receipt;
pub use revocation::{Revocation, RevocationList, RevocationSet};
pub use root::Root;
pub use roster::{Resident, Roster, RosterIndex, RosterKey, Slot};
pub use ruling::{Answer, Ruling};
pub use signed::ListError;
pub use time::{ClockSource, Interval, TimeReply};
pub use verify::{Freshness, Verified};
