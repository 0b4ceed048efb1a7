//! Everything the checkpoint keeps, in one data folder.
//!
//! | file | what | if lost |
//! | --- | --- | --- |
//! | `trust.db` | root, keyset, head, revoked handles, policy, rosters | fetched again |
//! | `journal.db` | what happened, until it is handed in | gone: precious |
//! | `intents` | what the gate was about to do when it was killed | the events of that moment |
//! | `device.pem` | this device's private key | the device must be approved anew |
//! | `guards.json` | who may log in, with hashes of their PINs | nobody logs in until they are added anew |
//! | `language` | the language that a technician chose for the screen | that of the configuration |
//! | `reserve` | a megabyte that is given up when the disk is full, so that the gate can start | made again |
//! | `partial` | half a download | fetched anew |
//! | `clock.json` | what the clock remembers | the floor is that of the lists |
//! | `root.pub` | the root file given at `init` | `init` again |
//! | `tongguan.toml` | configuration | defaults |

mod database;
mod device;
mod handover;
mod intents;
mod journal;
mod notes;
mod prune;
mod reserve;
#[cfg(test)]
pub(crate) mod testing;
mod trust;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::lang::Text;
pub use device::DeviceKey;
pub use handover::ReceiptError;
pub use journal::{CodeChange, Entry, Journal, NewEntry};
pub use notes::{NoteError, sealed_note};
pub use prune::{Holdings, free_space};
pub use reserve::{keep_reserve, use_reserve};
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
    /// What the guard reads; the log has the rest.
    pub fn words(&self) -> Text {
        match self {
            Self::NotInitialised(_) => Text::new("尚未初始化，请运行 tongguan init", "not set up; run `tongguan init`"),
            Self::AlreadyInitialised(_) => Text::new("已经初始化过", "set up already"),
            Self::Newer(_) => Text::new("数据来自更新的版本，请升级程序", "a later version's data; update the program"),
            Self::Io { source, .. } => io_words(source),
            Self::Database { source, .. } => database::words(source),
            Self::InUse(_) => Text::new("已有另一个闸机程序在运行", "another gate is running on this data"),
            Self::Overtaken => Text::new("另一次同步更快，已采用", "another sync was faster; its lists are kept"),
            Self::Content { path, .. } => {
                let name = path.file_name().unwrap_or_default().display();
                Text::new(format!("数据文件有误：{name}"), format!("a file of the data folder is wrong: {name}"))
            }
        }
    }

    fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

fn io_words(error: &std::io::Error) -> Text {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => no_rights(),
        std::io::ErrorKind::ReadOnlyFilesystem => read_only(),
        std::io::ErrorKind::StorageFull => disk_full(),
        _ => Text::new(format!("存储卡读写出错（{error}）"), format!("the disk fails ({error})")),
    }
}

fn disk_full() -> Text {
    Text::new("磁盘已满，请腾出空间", "the disk is full; free some space")
}

fn read_only() -> Text {
    Text::new("磁盘只读，请检查存储卡", "the disk is read-only; check the card")
}

fn no_rights() -> Text {
    Text::new("没有写入权限，请检查数据目录", "no right to write; check the data folder's owner")
}

fn advice(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => " (run it as the user who owns the folder)",
        std::io::ErrorKind::ReadOnlyFilesystem => " (the disk is mounted read-only: a worn card does that; check it)",
        std::io::ErrorKind::StorageFull => " (the disk is full; free some space)",
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
        match dir.root_file().try_exists() {
            Ok(true) => Ok(dir),
            Ok(false) => Err(StoreError::NotInitialised(path.to_owned())),
            // Another user's folder is not an empty one.
            Err(e) => Err(StoreError::io(path)(e)),
        }
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

    /// What the clock remembers.
    pub fn clock_file(&self) -> PathBuf {
        self.0.join("clock.json")
    }

    /// What came of a download that broke off.
    pub fn partial_file(&self) -> PathBuf {
        self.0.join("partial")
    }

    /// What the last run drove, for whoever must release it.
    pub fn outputs_file(&self) -> PathBuf {
        self.file("outputs.json")
    }

    /// Who may log in.
    pub fn guards_file(&self) -> PathBuf {
        self.0.join("guards.json")
    }

    /// The language that a technician chose for the screen.
    pub fn language_file(&self) -> PathBuf {
        self.0.join("language")
    }

    fn root_file(&self) -> PathBuf {
        self.0.join("root.pub")
    }

    /// Whether SQLite finds both databases in order.
    ///
    /// # Errors
    /// [`StoreError`] if one cannot be asked.
    pub fn is_sound(&self) -> Result<bool, StoreError> {
        let mut sound = true;
        for name in ["trust.db", "journal.db"] {
            let path = self.file(name);
            let asked = database::to_look_at(&path).and_then(|db| database::is_sound(&db));
            sound &= asked.map_err(|source| StoreError::Database { path, source })?;
        }
        Ok(sound)
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
