//! Everything the checkpoint keeps, in one data folder.
//!
//! | file | what | if lost |
//! | --- | --- | --- |
//! | `trust.db` | root, keyset, head, revoked handles | fetched again |
//! | `journal.db` | what happened, until it is handed in | gone: precious |
//! | `device.pem` | this device's private key | the device must be approved anew |
//! | `root.pub` | the root file given at `init` | `init` again |
//! | `tongguan.toml` | configuration | defaults |

mod database;
mod device;
mod journal;
mod trust;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

pub use device::DeviceKey;
pub use journal::{Entry, Journal, NewEntry};
pub use trust::{Change, Trust, TrustStore, Update};

/// Why the data folder could not be used, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is nothing there.
    #[error("{0} is not a checkpoint's data folder: run `tongguan init --data {0} --registry URL --root FILE` first")]
    NotInitialised(PathBuf),
    /// `init` on a folder that is in use.
    #[error("{0} is already a checkpoint's data folder; nothing was changed")]
    AlreadyInitialised(PathBuf),
    /// The database was written by a later version.
    #[error("{0} was written by a later version of tongguan: install that version, or use another data folder")]
    Newer(PathBuf),
    /// Something in the folder cannot be read or written.
    #[error("cannot use {path}: {source}{}", advice(source))]
    Io {
        /// What.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite refuses.
    #[error("cannot use {path}: {source}{}", database::advice(source))]
    Database {
        /// The database.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// A gate is running on it.
    #[error("another `tongguan run` is using {0}: stop it first, or give each gate a data folder of its own")]
    InUse(PathBuf),
    /// Another program has changed the lists in the meantime.
    #[error("another sync was faster; its lists are kept")]
    Overtaken,
    /// A stored file is not what it must be.
    #[error("{path} {problem}")]
    Content {
        /// What.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

impl StoreError {
    fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

fn advice(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => " (run it as the user who owns the folder)",
        std::io::ErrorKind::ReadOnlyFilesystem => " (the disk is mounted read-only: a worn card does that; check it)",
        std::io::ErrorKind::StorageFull => " (the disk is full: free some space)",
        _ => "",
    }
}

/// The data folder of one checkpoint.
#[derive(Debug, Clone)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// Sets up a new folder, trusting the root in `root_file`.
    ///
    /// # Errors
    /// [`StoreError::AlreadyInitialised`] if there is one; [`StoreError::Content`] if the file is not a root.
    pub fn init(path: &Path, root_file: &[u8]) -> Result<Self, StoreError> {
        let dir = Self(path.to_owned());
        if dir.root_file().exists() {
            return Err(StoreError::AlreadyInitialised(path.to_owned()));
        }
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(StoreError::io(path))?;
        TrustStore::create(&dir, root_file)?;
        Journal::create(&dir)?;
        DeviceKey::create(&dir)?;
        // Last, so that a set-up cut short is not taken for a whole one.
        write_new(&dir.root_file(), root_file, 0o644)?;
        Ok(dir)
    }

    /// An existing folder.
    ///
    /// # Errors
    /// [`StoreError::NotInitialised`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let dir = Self(path.to_owned());
        if dir.root_file().exists() { Ok(dir) } else { Err(StoreError::NotInitialised(path.to_owned())) }
    }

    /// Keeps a second gate from running on this folder for as long as the returned file lives.
    ///
    /// # Errors
    /// [`StoreError::InUse`].
    pub fn lock(&self) -> Result<fs::File, StoreError> {
        let path = self.file("lock");
        let file = fs::File::create(&path).map_err(StoreError::io(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => Err(StoreError::InUse(self.0.clone())),
            Err(fs::TryLockError::Error(e)) => Err(StoreError::io(&path)(e)),
        }
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The configuration that belongs to this folder.
    pub fn config_file(&self) -> PathBuf {
        self.0.join("tongguan.toml")
    }

    fn root_file(&self) -> PathBuf {
        self.0.join("root.pub")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

/// Writes a file that must not exist yet, down to the disk.
pub(crate) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), StoreError> {
    let write = || {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(StoreError::io(path))
}
