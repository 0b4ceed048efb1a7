//! What `vectors.rs` is made of: how the files are written and read, what is put in them, and how they are judged.

pub(crate) mod codes;
pub(crate) mod documents;
pub(crate) mod forge;
pub(crate) mod judge;
pub(crate) mod lists;
pub(crate) mod make;
pub(crate) mod policies;
pub(crate) mod receipts;
pub(crate) mod revocations;
pub(crate) mod rosters;
pub(crate) mod schema;
pub(crate) mod tampered;
pub(crate) mod uploads;
