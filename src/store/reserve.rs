//! `reserve`: a little room that is given up when there is no other. SQLite needs some even to open a database, and a gate
//! that was restarted on a full disk must work all the same.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use super::free_space;

const BYTES: usize = 1 << 20;
/// Less than this is no room to open a database in.
const NO_ROOM: u64 = 128 * 1024;
/// So much is left beside it when it is made.
const AMPLE: u64 = 16 * 1024 * 1024;

/// Makes the reserve, if it is not there and there is ample room.
pub fn keep_reserve(folder: &Path) {
    let path = folder.join("reserve");
    if path.exists() || free_space(folder).is_none_or(|free| free < AMPLE) {
        return;
    }
    // Written, not only lengthened: the room must be its own.
    let write = |mut file: File| file.write_all(&vec![0; BYTES]).and_then(|()| file.sync_all());
    if OpenOptions::new().write(true).create_new(true).open(&path).and_then(write).is_err() {
        fs::remove_file(&path).ok();
    }
}

/// Gives the reserve up if there is no other room; whether it did.
pub fn use_reserve(folder: &Path) -> bool {
    let full = free_space(folder).is_some_and(|free| free < NO_ROOM);
    full && fs::remove_file(folder.join("reserve")).is_ok()
}
