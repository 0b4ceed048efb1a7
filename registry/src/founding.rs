//! How a registry comes to be: built whole in `init.part` inside its folder, then moved into place, the database last.
//!
//! So a folder with a `registry.db` holds a registry that is whole. An `init` that was cut off while it built is begun anew
//! by the next one; one that was cut off while it moved things is completed.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use tongguan_pass::SigningKey;

use crate::data::{DataError, DataFolder, failed, write_new};

/// What is moved, in order. A database that was closed has no write-ahead log, unless the disk was full.
const PARTS: [&str; 4] = ["keys", "root.pub", "registry.db-wal", "registry.db"];

/// A registry being set up. Dropping it before it is moved removes what was made so far.
#[derive(Debug)]
pub struct Founding {
    folder: DataFolder,
    part: DataFolder,
    /// Held, so that of two inits at once one is told so. The lock is on the folder `init.part` itself.
    _lock: File,
    /// Whether the data folder was made, and goes with the rest.
    ours: bool,
    moving: bool,
}

impl Founding {
    /// Begins in a folder that holds no registry, or goes on where an `init` was cut off.
    ///
    /// # Errors
    /// [`DataError::Exists`] if there is a registry, [`DataError::Unfinished`] if there is a part of one that no `init` left
    /// behind, [`DataError::Busy`] if another `init` is at work; nothing is changed then.
    pub fn begin(folder: &DataFolder) -> Result<Self, DataError> {
        let part = folder.part();
        refuse_over_registry(folder)?;
        if !is_there(part.path()) {
            refuse_over_pieces(folder)?;
        }
        let ours = !folder.path().exists();
        fs::create_dir_all(folder.path()).map_err(failed("make the folder", folder.path()))?;
        match DirBuilder::new().mode(0o700).create(part.path()) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
                return Err(failed("make the folder", part.path())(e));
            }
            _ => {}
        }
        let lock = lock(folder, part.path())?;
        // Another init may have finished just now; then the folder made here is empty.
        refuse_over_registry(folder).inspect_err(|_| drop(fs::remove_dir(part.path())))?;
        let moving = is_there(&part.database()) && !is_there(&part.keys());
        if !moving {
            refuse_over_pieces(folder)?;
            clear(part.path())?;
            let keys = part.keys();
            DirBuilder::new().mode(0o700).create(&keys).map_err(failed("make the folder", &keys))?;
        }
        Ok(Self { folder: folder.clone(), part, _lock: lock, ours, moving })
    }

    /// Whether another `init` has built everything already.
    pub fn is_built(&self) -> bool {
        self.moving
    }

    /// Where the keys are for now.
    pub fn keys(&self) -> &DataFolder {
        if self.moving { &self.folder } else { &self.part }
    }

    /// Where the database is for now.
    pub fn database(&self) -> PathBuf {
        self.part.database()
    }

    /// Writes a private key, readable by its owner only.
    ///
    /// # Errors
    /// [`DataError::Io`].
    pub fn write_key(&self, name: &str, key: &SigningKey) -> Result<(), DataError> {
        let path = self.part.key_file(name);
        let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|_| DataError::BadKey(path.clone()))?;
        write_new(&path, 0o600, pem.as_bytes())
    }

    /// Writes the public root file.
    ///
    /// # Errors
    /// [`DataError::Io`].
    pub fn write_root(&self, root: &[u8]) -> Result<(), DataError> {
        write_new(&self.part.root_file(), 0o644, root)
    }

    /// Makes the empty database file. It will hold names, so it is for its owner only; SQLite gives its side files the same mode.
    ///
    /// # Errors
    /// [`DataError::Io`].
    pub fn make_database(&self) -> Result<(), DataError> {
        write_new(&self.part.database(), 0o600, b"")
    }

    /// Moves everything into place. The database must be closed.
    ///
    /// # Errors
    /// [`DataError`]; the next `init` then goes on from here.
    pub fn done(mut self) -> Result<(), DataError> {
        // The names must survive a power cut as the files do. Not every file system can sync a folder.
        let sync = |folder: &Path| drop(File::open(folder).and_then(|f| f.sync_all()));
        sync(&self.keys().keys());
        sync(self.part.path());
        self.moving = true;
        for name in PARTS {
            let (from, to) = (self.part.path().join(name), self.folder.path().join(name));
            if !is_there(&from) {
                continue;
            }
            // A rename would put it over what is there.
            if is_there(&to) {
                return Err(DataError::Exists(self.folder.path().to_owned(), name));
            }
            if name == "registry.db" {
                sync(self.folder.path());
            }
            fs::rename(&from, &to).map_err(failed("make", &to))?;
        }
        let _ = fs::remove_dir_all(self.part.path());
        sync(self.folder.path());
        Ok(())
    }
}

impl Drop for Founding {
    fn drop(&mut self) {
        if !self.moving {
            let _ = fs::remove_dir_all(self.part.path());
            if self.ours {
                let _ = fs::remove_dir(self.folder.path());
            }
        }
    }
}

/// A dangling link is something too.
fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn refuse_over_registry(folder: &DataFolder) -> Result<(), DataError> {
    match folder.database().symlink_metadata() {
        // What an `init` of an earlier version left when it was cut off.
        Ok(there) if there.len() == 0 => Err(DataError::Unfinished(folder.path().to_owned())),
        Ok(_) => Err(DataError::Exists(folder.path().to_owned(), "registry.db")),
        Err(_) => Ok(()),
    }
}

/// The keys may be all that is left of a registry that serves a city.
fn refuse_over_pieces(folder: &DataFolder) -> Result<(), DataError> {
    let pieces = is_there(&folder.keys()) || is_there(&folder.root_file());
    if pieces { Err(DataError::Unfinished(folder.path().to_owned())) } else { Ok(()) }
}

fn lock(folder: &DataFolder, part: &Path) -> Result<File, DataError> {
    let busy = || DataError::Busy(folder.path().to_owned());
    let lock = File::open(part).map_err(failed("open", part))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(busy()),
        Err(TryLockError::Error(e)) => return Err(failed("lock", part)(e)),
    }
    // The folder that was opened may have been another init's, removed since.
    let id = |m: fs::Metadata| (m.dev(), m.ino());
    let same = fs::metadata(part).map(id).ok() == lock.metadata().map(id).ok();
    if same { Ok(lock) } else { Err(busy()) }
}

/// What an `init` that was cut off had built. None of it was ever in use.
fn clear(part: &Path) -> Result<(), DataError> {
    for entry in fs::read_dir(part).map_err(failed("read", part))? {
        let path = entry.map_err(failed("read", part))?.path();
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.map_err(failed("remove", &path))?;
    }
    Ok(())
}
