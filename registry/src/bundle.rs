//! The signed files as a folder, for a USB stick or any static server: the same addresses as the HTTP API.
//!
//! Files first, the head last: whoever reads the folder while it is written sees the old head with its files or the new one
//! with its own. What no head has named for two days is removed at the end, and what a bundle which failed had added at once.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tongguan_pass::{Head, RosterIndex, Sha256Hash, limits};

use crate::domain::publish::{self, Edition};
use crate::domain::time::DAY;
use crate::stick::is_real_folder;

/// SY 1.2: "A registry keeps the files of a head for at least a day after the next head." Two, for whoever reads a folder from
/// which a web server serves may have a clock of their own, and a head in a cache.
const KEPT_SECONDS: u32 = 2 * DAY;

/// Why a bundle is not complete.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: {}", crate::data::explain(.source))]
pub struct BundleError {
    path: PathBuf,
    source: io::Error,
}

/// What was written.
#[derive(Debug, Clone, Copy)]
pub struct Bundled {
    /// The head's version.
    pub version: u32,
    /// Files beside the head.
    pub files: usize,
    /// Bytes of all, the head included.
    pub bytes: u64,
}

/// Writes `edition` and its `files` under `folder`, as of `now`.
///
/// # Errors
/// [`BundleError`]; the folder is then as it was, and a bundle that was there before is still good.
pub fn write(folder: &Path, edition: &Edition, files: &[Vec<u8>], now: u32) -> Result<Bundled, BundleError> {
    let mut needed: Vec<String> = files.iter().map(|f| Sha256Hash::of(f).to_string()).collect();
    needed.extend(named_by_the_head_in(folder));
    match write_all(folder, edition, files, &needed, now) {
        Err(full) if full.source.kind() == io::ErrorKind::StorageFull => {
            // The last head there and its files stay good until the new one is whole.
            remove_unneeded(&folder.join("v1/files"), &needed, None);
            write_all(folder, edition, files, &needed, now)
        }
        done => done,
    }
}

fn write_all(
    folder: &Path,
    edition: &Edition,
    files: &[Vec<u8>],
    needed: &[String],
    now: u32,
) -> Result<Bundled, BundleError> {
    let v1 = folder.join("v1");
    let shelf = v1.join("files");
    let mut added = Added::default();
    added.folders(&shelf).map_err(|source| BundleError { path: shelf.clone(), source })?;
    make_folder(&v1)?;
    make_folder(&shelf)?;
    let mut bytes = edition.bytes.len() as u64;
    for file in files {
        let path = shelf.join(Sha256Hash::of(file).to_string());
        bytes += file.len() as u64;
        // A file of that name has that content, unless it is damaged.
        let plain = path.symlink_metadata().is_ok_and(|m| m.is_file() && m.len() == file.len() as u64);
        if plain && fs::read(&path).is_ok_and(|there| there == *file) {
            continue;
        }
        let new = !path.exists();
        replace(&path, file)?;
        if new {
            added.0.push(path);
        }
    }
    sync_folder(&shelf);
    // A file's time says when a head last named it.
    needed.iter().for_each(|name| touch(&shelf.join(name), now));
    replace(&v1.join("head"), &edition.bytes)?;
    added.0.clear();
    sync_folder(&v1);
    remove_unneeded(&shelf, needed, Some(now));
    Ok(Bundled { version: edition.head.version, files: files.len(), bytes })
}

/// What was added so far, folders before what is in them. Dropping it takes it away again.
#[derive(Default)]
struct Added(Vec<PathBuf>);

impl Added {
    fn folders(&mut self, path: &Path) -> io::Result<()> {
        let missing: Vec<PathBuf> = path.ancestors().take_while(|p| !p.exists()).map(Path::to_owned).collect();
        self.0.extend(missing.into_iter().rev());
        fs::create_dir_all(path)
    }
}

impl Drop for Added {
    fn drop(&mut self) {
        for path in self.0.iter().rev() {
            // A folder that somebody else has put something into stays.
            let _ = if path.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) };
        }
    }
}

/// A folder of a stick, made if it is missing. A link to somewhere else is not one: what is written here stays here.
pub(crate) fn make_folder(path: &Path) -> Result<(), BundleError> {
    let made = match fs::create_dir(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && is_real_folder(path) => Ok(()),
        other => other,
    };
    made.map_err(|source| BundleError { path: path.to_owned(), source })
}

/// Whole or not at all: a stick may be pulled at any moment.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), BundleError> {
    let failed = |source| BundleError { path: path.to_owned(), source };
    let temporary = path.with_extension("part");
    // What an earlier one left, and never through somebody's link.
    let _ = fs::remove_file(&temporary);
    let written = File::create_new(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path));
    written.map_err(|e| {
        let _ = fs::remove_file(&temporary);
        failed(e)
    })
}

/// Not every file system of a stick can do this; the files themselves are synced.
pub(crate) fn sync_folder(folder: &Path) {
    let _ = File::open(folder).and_then(|f| f.sync_all());
}

/// What the head that is in the folder names, and its index of rosters. None, if it is not one: then it is of no use to anybody.
fn named_by_the_head_in(folder: &Path) -> Vec<String> {
    let read = |path: &Path, most: usize| -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(most as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let head =
        read(&folder.join("v1/head"), limits::HEAD_BYTES).ok().and_then(|bytes| Head::peek_unverified(&bytes).ok());
    let mut names: Vec<String> = head.iter().flat_map(publish::named_files).map(|f| f.hash.to_string()).collect();
    let index = head.as_ref().and_then(Head::rosters);
    let index =
        index.and_then(|f| read(&folder.join("v1/files").join(f.hash.to_string()), limits::ROSTER_INDEX_BYTES).ok());
    let index = index.and_then(|bytes| RosterIndex::decode(&bytes).ok()).unwrap_or_default();
    names.extend(index.0.iter().map(|(_, roster)| roster.hash.to_string()));
    names
}

/// A medium that cannot keep a time loses files sooner; nothing else comes of it.
fn touch(path: &Path, now: u32) {
    let at = UNIX_EPOCH + Duration::from_secs(now.into());
    let _ = File::open(path).and_then(|file| file.set_modified(at));
}

/// Removes what is not needed, and if there is a `now` has not been for some time. Only what looks like ours is removed, and
/// what cannot be removed does no harm.
fn remove_unneeded(shelf: &Path, needed: &[String], now: Option<u32>) {
    let Ok(entries) = fs::read_dir(shelf) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let hash = name.strip_suffix(".part").unwrap_or(name);
        let ours = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
        let modified = || entry.metadata().and_then(|m| m.modified());
        let young = now.is_some_and(|now| hash == name && modified().is_ok_and(|at| is_young(at, now)));
        if ours && !young && !needed.iter().any(|n| n == name) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// A time far ahead is a wrong clock's, and would keep the file for ever.
fn is_young(at: SystemTime, now: u32) -> bool {
    let at = at.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    at.abs_diff(now.into()) < KEPT_SECONDS.into()
}

#[cfg(test)]
#[path = "bundle_tests.rs"]
mod tests;
