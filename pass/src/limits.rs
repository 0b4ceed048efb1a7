//! Every bound on input, and the attack it stops (PF 9, SY 10).

/// Bytes of a code's text (PF 2.7). A valid one has at most 296 (PF 2.4): a code of 10 MB is refused before it is decoded.
pub const CODE_TEXT: usize = 512;
/// Bytes of a root file: an endless "root" cannot fill a gate's memory.
pub const ROOT_BYTES: usize = 8 * 1024;
/// Bytes of a keyset file.
pub const KEYSET_BYTES: usize = 8 * 1024;
/// Bytes of a head. It is fetched on every sync, so it must stay small.
pub const HEAD_BYTES: usize = 16 * 1024;
/// Bytes of a revocation snapshot or delta (endless data).
pub const LIST_BYTES: usize = 16 * 1024 * 1024;
/// Entries of one revocation file. Each costs at least a bit, so a small file could otherwise claim to hold a great many.
pub const LIST_ENTRIES: usize = 4 * 1024 * 1024;
/// Bytes of an event batch.
pub const BATCH_BYTES: usize = 256 * 1024;
/// Events in a batch.
pub const BATCH_EVENTS: usize = 500;
/// Bytes of one event record.
pub const EVENT_BYTES: usize = 1024;
/// Bytes of what is sealed in a note: its record has at most [`EVENT_BYTES`].
pub const NOTE_TEXT: usize = EVENT_BYTES - 19 - 48;
/// Bytes of a receipt.
pub const RECEIPT_BYTES: usize = 256;
/// Bytes of a signed time reply.
pub const TIME_REPLY_BYTES: usize = 256;
/// Keys in a root or a keyset, and signatures on a file: each costs a verification.
pub const KEYS: usize = 64;
/// Deltas named by a head.
pub const DELTAS: usize = 128;
/// Further files named by a head.
pub const HEAD_FILES: usize = 16;
/// Bytes of a policy file: endless data.
pub const POLICY_BYTES: usize = 256 * 1024;
/// Surges of a policy.
pub const SURGES: usize = 16;
/// Editions of a community: each is looked at where the clock cannot tell which one holds.
pub const EDITIONS: usize = 16;
/// Rules of an edition: a decision looks at each.
pub const RULES: usize = 32;
/// Bytes of the index of rosters: some 23,000 communities.
pub const ROSTER_INDEX_BYTES: usize = 1024 * 1024;
/// Bytes of a roster: some 190,000 entries.
pub const ROSTER_BYTES: usize = 16 * 1024 * 1024;
/// Gates a roster is sealed to: a gate tries each.
pub const ROSTER_GATES: usize = 256;
/// Characters of a document's number.
pub const DOCUMENT_NUMBER: usize = 24;
