//! Handles: the pseudonyms codes carry. To revoke is to drop one; the person's next code has another.

use tongguan_pass::Revocation;
use tongguan_pass::revocation::day_of;

/// Why a handle was dropped (SY 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropReason {
    /// Not said.
    Unspecified = 0,
    /// The phone or the paper is lost or stolen.
    Lost = 1,
    /// Replaced by a new one.
    Replaced = 2,
    /// Withdrawn by staff.
    Withdrawn = 3,
}

/// A handle as a code needs it: with what its person's codes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// The pseudonym.
    pub handle: u32,
    /// The person's category.
    pub category: u8,
    /// Where they live.
    pub community: u32,
}

/// A dropped handle as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropped {
    /// The handle.
    pub handle: u32,
    /// Why, as on the wire.
    pub reason: u8,
    /// The end of the last code issued on it.
    pub alive_until: u32,
}

impl Dropped {
    /// Its entry in the lists.
    pub fn entry(&self) -> Revocation {
        Revocation { handle: self.handle, reason: self.reason, expiry_day: day_of(self.alive_until) }
    }
}
