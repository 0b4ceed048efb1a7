//! The reasons a verdict can have. To add one: a variant and its code here, its sentences in `ui/lang/reasons.toml`.

use super::Foreign;
use crate::lang::Text;

/// Why. The code of each is stable: it is in the journal, the registry and the manuals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Good now.
    Fresh,
    /// Over.
    Expired,
    /// Not begun.
    NotYetValid,
    /// Made by a phone whose clock is wrong.
    PhoneClockWrong,
    /// Its handle was dropped.
    Revoked,
    /// A signature does not hold.
    Forged,
    /// Signed with a key this checkpoint does not know yet.
    UnknownKey,
    /// Of a community this gate does not serve, and only its residents are let in.
    WrongPlace,
    /// Let in here, but not at this time.
    OutsideHours,
    /// Nobody of this category is let in here.
    NotAdmitted,
    /// Let in before.
    AlreadyUsed,
    /// For training.
    Specimen,
    /// Another system's code.
    NotOurCode,
    /// One of ours that cannot be read whole.
    Damaged,
    /// One of ours of a later format.
    UnknownKind,
    /// The lists are too old to tell whether it was revoked.
    ListStale,
    /// The policy wants the guard to look.
    GuardCheck,
    /// The checkpoint's clock is not good enough to tell.
    ClockUncertain,
    /// Without a code: the document is in the roster.
    Listed,
    /// Without a code: the document is in no roster here.
    NotListed,
    /// Without a code: there is no roster here.
    NoRoster,
    /// With neither code nor document.
    NoDocument,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 22] = [
        Self::Fresh,
        Self::Expired,
        Self::NotYetValid,
        Self::PhoneClockWrong,
        Self::Revoked,
        Self::Forged,
        Self::UnknownKey,
        Self::WrongPlace,
        Self::OutsideHours,
        Self::NotAdmitted,
        Self::AlreadyUsed,
        Self::Specimen,
        Self::NotOurCode,
        Self::Damaged,
        Self::UnknownKind,
        Self::ListStale,
        Self::GuardCheck,
        Self::ClockUncertain,
        Self::Listed,
        Self::NotListed,
        Self::NoRoster,
        Self::NoDocument,
    ];

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::PhoneClockWrong => "phone_clock_wrong",
            Self::Revoked => "revoked",
            Self::Forged => "forged",
            Self::UnknownKey => "unknown_key",
            Self::WrongPlace => "wrong_place",
            Self::OutsideHours => "outside_hours",
            Self::NotAdmitted => "not_admitted",
            Self::AlreadyUsed => "already_used",
            Self::Specimen => "specimen",
            Self::NotOurCode => "not_our_code",
            Self::Damaged => "damaged",
            Self::UnknownKind => "unknown_kind",
            Self::ListStale => "list_stale",
            Self::GuardCheck => "guard_check",
            Self::ClockUncertain => "clock_uncertain",
            Self::Listed => "listed",
            Self::NotListed => "not_listed",
            Self::NoRoster => "no_roster",
            Self::NoDocument => "no_document",
        }
    }
}

/// The figures that belong to a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detail {
    /// Nothing more to say.
    None,
    /// Seconds: since it expired, until it begins, or that the phone's clock is ahead (negative: behind).
    Seconds(i64),
    /// The guard is told to look at the person.
    Look,
    /// The same of a group pass: so many people may enter on it at once.
    Group(u8),
    /// When and where it was let in.
    Used {
        /// Seconds ago.
        ago: i64,
        /// The lane.
        lane: String,
    },
    /// From when on it is let in.
    Opens {
        /// Unix seconds.
        at: i64,
        /// The same as people say it.
        when: Text,
    },
    /// What else it seems to be.
    Foreign(Foreign),
}
