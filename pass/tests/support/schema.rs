//! The fields of a vector file. `vectors/README.md` says the same in words.

use serde::{Deserialize, Serialize};

/// A file of `vectors/code`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CodeVector {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) clause: String,
    pub(crate) keys: Vec<Key>,
    pub(crate) now: Now,
    /// A policy file, whose surges count.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) policy: Option<String>,
    pub(crate) text: String,
    pub(crate) expect: CodeExpect,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Key {
    pub(crate) id: u16,
    pub(crate) purpose: String,
    pub(crate) not_before: u32,
    pub(crate) not_after: u32,
    pub(crate) public_key: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Now {
    pub(crate) earliest: i64,
    /// `null`: no upper bound is known.
    pub(crate) latest: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum CodeExpect {
    Refused {
        error: String,
        /// With `field`.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        field: Option<String>,
        /// With `unknown_key` and `wrong_purpose`.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        key: Option<u16>,
        /// With `unknown_kind`.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        kind: Option<u8>,
    },
    Verified {
        kind: String,
        fields: Fields,
        freshness: String,
        /// With `expired`, `not_yet_valid` and `phone_clock_wrong`.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        seconds: Option<i64>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum Fields {
    Live {
        key: u16,
        handle: u32,
        issued_at: u32,
        ttl_minutes: u8,
        category: u8,
        community: u32,
        specimen: bool,
    },
    Carried {
        key: u16,
        handle: u32,
        valid_from: u32,
        hours: u8,
        category: u8,
        community: u32,
        specimen: bool,
        holder: String,
        made_at: u32,
    },
    Printed {
        key: u16,
        handle: u32,
        valid_from: u32,
        valid_to: u32,
        category: u8,
        community: u32,
        building: u16,
        entries: u8,
        specimen: bool,
    },
}

/// A file of `vectors/list`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListVector {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) clause: String,
    pub(crate) check: Check,
    pub(crate) given: Given,
    pub(crate) file: String,
    pub(crate) expect: ListExpect,
}

/// What is done with the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Check {
    Root,
    RootSuccessor,
    Keyset,
    Head,
    HeadFollows,
    Named,
    Revocations,
    Apply,
    Events,
    Receipt,
    Note,
    Time,
    RosterIndex,
    Roster,
    Resident,
}

/// What it is checked with; which of these are there depends on [`Check`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Given {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) root: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) keyset: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) known: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) named: Option<Ref>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) set: Option<HeldSet>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) fetched: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) stored: Option<Stored>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) nonce: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) device: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) private_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) find: Option<Find>,
}

/// Who is looked up: by handle, or by kind and number of a document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Find {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) handle: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) kind: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) number: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ref {
    pub(crate) version: u32,
    pub(crate) size: u32,
    pub(crate) sha256: String,
}

/// The set a checkpoint already has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeldSet {
    pub(crate) epoch: u32,
    pub(crate) version: u32,
    pub(crate) entries: Vec<Entry>,
}

/// Handle, reason, expiry day.
pub(crate) type Entry = (u32, u8, u16);

/// The last record a registry has of a device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stored {
    pub(crate) seq: u64,
    pub(crate) chain: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum ListExpect {
    Refused {
        error: String,
        /// With `field`.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        field: Option<String>,
    },
    Named {
        matches: bool,
    },
    Follows {
        follows: bool,
    },
    Root {
        version: u32,
        issued_at: u32,
        previous: Option<String>,
        threshold: u8,
        root_keys: Vec<RootKey>,
    },
    Keyset {
        version: u32,
        issued_at: u32,
        keys: Vec<Key>,
    },
    Head {
        epoch: u32,
        version: u32,
        issued_at: u32,
        expires_at: u32,
        root: Ref,
        keyset: Ref,
        revocations: Revoked,
        files: Vec<TypedRef>,
    },
    List {
        epoch: u32,
        from: Option<u32>,
        to: u32,
        entries: Vec<Entry>,
    },
    Set {
        version: u32,
        checksum: String,
        entries: Vec<Entry>,
    },
    Batch {
        device: String,
        first_seq: u64,
        previous: String,
        records: Vec<Record>,
    },
    Receipt {
        device: String,
        first_seq: u64,
        next_seq: u64,
        chain: String,
    },
    Note {
        about: String,
        key: u16,
        text: String,
    },
    Time {
        at_ms: u64,
    },
    Index {
        communities: Vec<Indexed>,
    },
    Roster {
        community: u32,
        salt: String,
        gates: u16,
        entries: u32,
    },
    Resident {
        /// `null`: the gate has no key.
        slot: Option<String>,
        /// `null`: nobody.
        resident: Option<ShownResident>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Indexed {
    pub(crate) community: u32,
    pub(crate) version: u32,
    pub(crate) size: u32,
    pub(crate) sha256: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShownResident {
    pub(crate) handle: u32,
    pub(crate) category: u8,
    pub(crate) name: String,
    pub(crate) home: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RootKey {
    pub(crate) id: u16,
    pub(crate) public_key: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revoked {
    pub(crate) version: u32,
    pub(crate) oldest_day: u16,
    pub(crate) count: u32,
    pub(crate) checksum: String,
    pub(crate) snapshot: Ref,
    pub(crate) deltas: Vec<Delta>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Delta {
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) size: u32,
    pub(crate) sha256: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TypedRef {
    #[serde(rename = "type")]
    pub(crate) kind: u8,
    pub(crate) version: u32,
    pub(crate) size: u32,
    pub(crate) sha256: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    pub(crate) seq: u64,
    pub(crate) chain: String,
    /// Of a record of type 1 (SY 6.4), else `null`.
    pub(crate) event: Option<Event>,
    /// Of a record of type 2 (SY 6.9), else left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) passage: Option<Passage>,
    /// Of a record of type 4 (SY 6.10), else left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ruling: Option<Ruling>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ruling {
    pub(crate) id: String,
    pub(crate) earliest_ms: u64,
    pub(crate) latest_ms: Option<u64>,
    pub(crate) clock: String,
    pub(crate) guard: String,
    pub(crate) answer: String,
    pub(crate) reason: String,
    pub(crate) gate: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Passage {
    pub(crate) id: String,
    pub(crate) of: u8,
    pub(crate) passed: u8,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) earliest_ms: u64,
    /// `null`: no upper bound is known.
    pub(crate) latest_ms: Option<u64>,
    pub(crate) clock: String,
    pub(crate) lane: String,
    pub(crate) kind: u8,
    pub(crate) handle: u32,
    pub(crate) outcome: String,
    pub(crate) reason: String,
    pub(crate) gate: String,
    pub(crate) latency_us: [u32; 4],
}

/// A file of `vectors/policy`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyVector {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) clause: String,
    pub(crate) file: String,
    /// What the policy is asked; else it is only read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) ask: Option<Ask>,
    pub(crate) expect: PolicyExpect,
}

/// Somebody at a gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ask {
    /// Those of the gate.
    pub(crate) communities: Vec<u32>,
    pub(crate) category: u8,
    /// That of the code.
    pub(crate) community: u32,
    pub(crate) now: Now,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum PolicyExpect {
    Refused {
        error: String,
        /// With `field`.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        field: Option<String>,
    },
    Answer {
        admission: String,
        /// With `outside_hours`.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        opens: Option<i64>,
        lists: Lists,
    },
    Policy {
        utc_offset: i16,
        surges: Vec<ShownSurge>,
        editions: Vec<ShownEdition>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lists {
    pub(crate) confirm_after: u16,
    pub(crate) deny_after: u16,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShownSurge {
    pub(crate) from: u32,
    pub(crate) until: u32,
    pub(crate) minutes: u8,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShownEdition {
    pub(crate) community: u32,
    pub(crate) effective_from: u32,
    pub(crate) lists_confirm_after: u16,
    pub(crate) lists_deny_after: u16,
    pub(crate) rules: Vec<ShownRule>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShownRule {
    pub(crate) first: u8,
    pub(crate) last: u8,
    pub(crate) who: String,
    pub(crate) days: u8,
    pub(crate) from: u16,
    pub(crate) until: u16,
    pub(crate) answer: String,
}

/// A file of `vectors/document`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DocumentVector {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) clause: String,
    pub(crate) kind: String,
    pub(crate) text: String,
    pub(crate) expect: DocumentExpect,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum DocumentExpect {
    Refused { error: String },
    Number { number: String },
}
