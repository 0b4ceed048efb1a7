//! The data folder: `registry.db`, `keys/` (private keys, for the owner's eyes only) and `root.pub` (for everybody).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use tongguan_pass::{SigningKey, limits};
use zeroize::Zeroizing;

/// Bytes of a private key file. A PKCS#8 Ed25519 key has about 120.
const KEY_FILE_BYTES: u64 = 4096;

/// What is wrong with the data folder, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// `init` on something that is there.
    #[error("{0} already holds a registry ({1} is there); nothing was changed")]
    Exists(PathBuf, &'static str),
    /// Nothing there.
    #[error("{0} holds no registry; make one with `tongguan-registry init --data {0}`")]
    Absent(PathBuf),
    /// A part of a registry.
    #[error(
        "{0} holds an unfinished registry (registry.db is missing or empty); nothing was changed: if it never served anybody, remove {0}/keys, {0}/root.pub and \
         {0}/registry.db and run init again; else restore registry.db from a backup"
    )]
    Unfinished(PathBuf),
    /// An `init` that was cut off, or is at work.
    #[error("the registry in {0} is not set up to the end; run `tongguan-registry init --data {0}` again")]
    CutOff(PathBuf),
    /// Two at once.
    #[error("another `tongguan-registry init` is at work in {0}; nothing was changed")]
    Busy(PathBuf),
    /// A private key is missing.
    #[error(
        "the private key {0} is missing; restore the keys folder from a backup, for without it the registry cannot sign"
    )]
    NoKey(PathBuf),
    /// A private key cannot be read as one.
    #[error("{0} is not a PKCS#8 PEM file of an Ed25519 key; restore it from a backup")]
    BadKey(PathBuf),
    /// A private key of another registry.
    #[error("{0} is not the key that the keyset names; restore the keys folder that belongs to this registry.db")]
    OtherKey(PathBuf),
    /// The file system refused.
    #[error("cannot {doing} {path}: {}", explain(.source))]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The system's words, and what to do about the common ones.
pub fn explain(error: &io::Error) -> String {
    let advice = match error.kind() {
        io::ErrorKind::PermissionDenied => "; check its owner and permissions",
        io::ErrorKind::ReadOnlyFilesystem => "; mount it writable or use another folder",
        io::ErrorKind::StorageFull => "; free some space, nothing was changed",
        _ => "",
    };
    format!("{error}{advice}")
}

pub(crate) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DataError {
    let path = path.to_owned();
    move |source| DataError::Io { doing, path, source }
}

/// A data folder.
#[derive(Debug, Clone)]
pub struct DataFolder(PathBuf);

impl DataFolder {
    /// The folder at `path`, whatever it holds.
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where `init` builds what it then moves here.
    pub(crate) fn part(&self) -> Self {
        Self(self.0.join("init.part"))
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.0.join("registry.db")
    }

    /// The public root file.
    pub fn root_file(&self) -> PathBuf {
        self.0.join("root.pub")
    }

    /// The folder of private keys.
    pub fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// The private key of that name, such as `live-1`.
    pub fn key_file(&self, name: &str) -> PathBuf {
        self.keys().join(format!("{name}.pem"))
    }

    /// Whether there is a registry here to open.
    ///
    /// # Errors
    /// [`DataError`] saying what is missing.
    pub fn expect_registry(&self) -> Result<(), DataError> {
        if self.database().exists() {
            return Ok(());
        }
        if self.part().0.exists() {
            return Err(DataError::CutOff(self.0.clone()));
        }
        let begun = self.keys().exists() || self.root_file().exists();
        Err(if begun { DataError::Unfinished(self.0.clone()) } else { DataError::Absent(self.0.clone()) })
    }

    /// Reads a private key.
    ///
    /// # Errors
    /// [`DataError`] naming the file.
    pub fn read_key(&self, name: &str) -> Result<SigningKey, DataError> {
        let path = self.key_file(name);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(DataError::NoKey(path)),
            Err(e) => return Err(failed("read", &path)(e)),
        };
        let mode = file.metadata().map_err(failed("read", &path))?.permissions().mode();
        if mode & 0o077 != 0 {
            tracing::warn!(path = %path.display(), "others can read this private key: chmod 600 it");
        }
        let mut pem = Zeroizing::new(String::with_capacity(usize::try_from(KEY_FILE_BYTES).unwrap_or(0)));
        file.take(KEY_FILE_BYTES).read_to_string(&mut pem).map_err(|e| match e.kind() {
            io::ErrorKind::InvalidData => DataError::BadKey(path.clone()),
            _ => failed("read", &path)(e),
        })?;
        SigningKey::from_pkcs8_pem(&pem).map_err(|_| DataError::BadKey(path))
    }

    /// Writes `root.pub` again if it went missing. It is public, and the database has it too.
    ///
    /// # Errors
    /// [`DataError`] if it is there and cannot be read, is not this registry's, or cannot be written.
    pub fn keep_root_file(&self, root: &[u8]) -> Result<(), DataError> {
        let path = self.root_file();
        match File::open(&path) {
            Ok(file) => {
                let mut found = Vec::new();
                let most = limits::ROOT_BYTES as u64 + 1;
                file.take(most).read_to_end(&mut found).map_err(failed("read", &path))?;
                if found != root {
                    tracing::warn!(path = %path.display(), "this is not this registry's root; do not install gates with it");
                }
                Ok(())
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                tracing::warn!(path = %path.display(), "was missing and has been written again");
                write_new(&path, 0o644, root)
            }
            Err(e) => Err(failed("read", &path)(e)),
        }
    }
}

/// O_EXCL: never over something that is there, never through somebody's link.
pub(crate) fn write_new(path: &Path, mode: u32, bytes: &[u8]) -> Result<(), DataError> {
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(failed("make", path))?;
    // The umask may have taken bits that everybody's file needs.
    file.set_permissions(fs::Permissions::from_mode(mode)).map_err(failed("make", path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed("write", path))
}
