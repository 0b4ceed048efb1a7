//! What is remembered of each act: who, what, to whom. Never a name, a token or a key.

use std::fmt;

use crate::domain::person::PersonId;

/// Who acted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Somebody with access to the data folder, at the command line.
    Operator,
    /// The registry itself, on its clock.
    Registry,
    /// A resident, by their token.
    Person(PersonId),
    /// A checkpoint, by its key.
    Device([u8; 32]),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator => f.write_str("operator"),
            Self::Registry => f.write_str("registry"),
            Self::Person(id) => write!(f, "person:{id}"),
            Self::Device(key) => write!(f, "device:{}", data_encoding::HEXLOWER.encode(key)),
        }
    }
}

/// What was done. The name is stored, so it never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// The registry was set up.
    Initialised,
    /// A person was registered.
    PersonAdded,
    /// What is known of a person was changed.
    PersonChanged,
    /// A person's data were frozen, or freed again.
    StatusSet,
    /// A community was added.
    CommunityAdded,
    /// Communities were read from a file.
    CommunitiesImported,
    /// A live code was issued.
    LiveCodeIssued,
    /// A certificate for carried codes was issued.
    CertificateIssued,
    /// A code for paper was issued.
    PrintedCodeIssued,
    /// A person's handle was dropped.
    HandleDropped,
    /// A head was published.
    Published,
    /// A signing key was made.
    KeyMade,
    /// A signing key left the keyset because nothing it signed is good any more.
    KeyEnded,
    /// A signing key was taken out of the keyset before its time.
    KeyRevoked,
    /// The root was replaced.
    RootRotated,
    /// The rules of the policy were changed.
    PolicySet,
    /// A surge was declared.
    SurgeDeclared,
    /// A surge was ended.
    SurgeEnded,
    /// A checkpoint that is not enrolled handed in its first batch.
    DevicePending,
    /// A checkpoint was taken in.
    DeviceEnrolled,
    /// A checkpoint was let go.
    DeviceRetired,
    /// A checkpoint handed in records that contradict the ones it handed in before.
    ChainConflict,
    /// Events were taken in from a folder.
    EventsImported,
    /// Sealed notes were opened and shown.
    NotesRead,
    /// The key of a community's roster was drawn.
    RosterKeyDrawn,
    /// A community's roster was made.
    RosterMade,
    /// A community has no roster any more, because no gate is to read it.
    RosterEnded,
}

impl Act {
    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Initialised => "initialised",
            Self::PersonAdded => "person_added",
            Self::PersonChanged => "person_changed",
            Self::StatusSet => "status_set",
            Self::CommunityAdded => "community_added",
            Self::CommunitiesImported => "communities_imported",
            Self::LiveCodeIssued => "live_code_issued",
            Self::CertificateIssued => "certificate_issued",
            Self::PrintedCodeIssued => "printed_code_issued",
            Self::HandleDropped => "handle_dropped",
            Self::Published => "published",
            Self::KeyMade => "key_made",
            Self::KeyEnded => "key_ended",
            Self::KeyRevoked => "key_revoked",
            Self::RootRotated => "root_rotated",
            Self::PolicySet => "policy_set",
            Self::SurgeDeclared => "surge_declared",
            Self::SurgeEnded => "surge_ended",
            Self::DevicePending => "device_pending",
            Self::DeviceEnrolled => "device_enrolled",
            Self::DeviceRetired => "device_retired",
            Self::ChainConflict => "chain_conflict",
            Self::EventsImported => "events_imported",
            Self::NotesRead => "notes_read",
            Self::RosterKeyDrawn => "roster_key_drawn",
            Self::RosterMade => "roster_made",
            Self::RosterEnded => "roster_ended",
        }
    }
}
