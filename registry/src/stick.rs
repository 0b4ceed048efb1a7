//! What gates leave on a stick (SY 1.7): `v1/events/<device>/<first_seq>`, each file a signed batch.
//!
//! A stick comes from anywhere, so nothing on it is followed or waited for: no links, no devices, no endless files.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use tongguan_pass::limits;

use crate::data::explain;

/// Devices looked at on one stick, and files of each: a stick full of empty files is not to fill the memory.
const MOST: usize = 10_000;

/// Why a stick cannot be used at all.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}: {}", explain(.source))]
pub struct StickError {
    path: PathBuf,
    source: io::Error,
}

/// A file that may be a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where.
    pub path: PathBuf,
    /// Whose, by the folder's name.
    pub device: [u8; 32],
    /// Its first record, by the file's name.
    pub first_seq: u64,
}

/// Something on the stick that is left alone, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// What.
    pub path: PathBuf,
    /// Why.
    pub why: String,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Contents {
    /// Batches by device and number.
    pub found: Vec<Found>,
    /// Every device with a folder here.
    pub devices: Vec<[u8; 32]>,
    /// What is no batch.
    pub skipped: Vec<Skipped>,
}

/// Looks through the stick in `folder`.
///
/// # Errors
/// [`StickError`] if the folder cannot be read. One without events is no error.
pub fn look(folder: &Path) -> Result<Contents, StickError> {
    let mut contents = Contents::default();
    let events = folder.join("v1/events");
    // The folder itself must be there: a stick that is not plugged in is not an empty one.
    entries(folder)?;
    if !is_real_folder(&folder.join("v1")) || !is_real_folder(&events) {
        return Ok(contents);
    }
    for name in bounded(&events, &mut contents.skipped)? {
        let path = events.join(&name);
        let key = HEXLOWER.decode(name.as_bytes()).ok().and_then(|k| <[u8; 32]>::try_from(k).ok());
        match key {
            Some(device) if is_real_folder(&path) => look_at_device(&path, device, &mut contents)?,
            _ => contents.skip(path, "is not a device's folder"),
        }
    }
    contents.found.sort_by_key(|f| (f.device, f.first_seq));
    Ok(contents)
}

fn look_at_device(folder: &Path, device: [u8; 32], contents: &mut Contents) -> Result<(), StickError> {
    contents.devices.push(device);
    for name in bounded(folder, &mut contents.skipped)? {
        let path = folder.join(&name);
        let number = name.parse::<u64>().ok().filter(|n| n.to_string() == name);
        match number {
            Some(first_seq) => contents.found.push(Found { path, device, first_seq }),
            None if name.ends_with(".part") => contents.skip(path, "was being written when the stick was pulled"),
            None => contents.skip(path, "is not the name of a batch"),
        }
    }
    Ok(())
}

impl Contents {
    fn skip(&mut self, path: PathBuf, why: &str) {
        self.skipped.push(Skipped { path, why: why.to_owned() });
    }
}

/// The bytes of a file of at most a batch's size.
///
/// # Errors
/// Why it is left alone.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    match path.symlink_metadata() {
        Ok(m) if !m.is_file() => return Err("is not a plain file".to_owned()),
        Ok(m) if m.len() > limits::BATCH_BYTES as u64 => {
            return Err(format!("is longer than the {} bytes of a batch", limits::BATCH_BYTES));
        }
        _ => {}
    }
    let mut bytes = Vec::new();
    let most = limits::BATCH_BYTES as u64 + 1;
    let read = File::open(path).and_then(|f| f.take(most).read_to_end(&mut bytes));
    read.map(|_| bytes).map_err(|e| format!("cannot be read: {}", explain(&e)))
}

/// Whether it is a folder, and no link to one.
pub fn is_real_folder(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|m| m.is_dir())
}

fn entries(folder: &Path) -> Result<fs::ReadDir, StickError> {
    fs::read_dir(folder).map_err(|source| StickError { path: folder.to_owned(), source })
}

/// The names in a folder, in order, and no more than [`MOST`].
fn bounded(folder: &Path, skipped: &mut Vec<Skipped>) -> Result<Vec<String>, StickError> {
    let mut names = Vec::new();
    for entry in entries(folder)?.flatten() {
        if names.len() == MOST {
            let why = format!("holds more than {MOST} entries; the rest comes with the next import");
            skipped.push(Skipped { path: folder.to_owned(), why });
            break;
        }
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
