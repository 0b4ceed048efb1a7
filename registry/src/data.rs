//! The data folder: `registry.db`, `keys/` (private keys, for the owner's eyes only) and `root.pub` (for everybody).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use tongguan_pass::{Draft, KeyId, ListError, SigningKey, limits};
use zeroize::Zeroizing;

use crate::domain::vault::DATA_KEY_BYTES;

/// Bytes of a private key file. A PKCS#8 Ed25519 key has about 120.
const KEY_FILE_BYTES: u64 = 4096;

/// The bytes of the data key.
pub type DataKeyBytes = Zeroizing<[u8; DATA_KEY_BYTES]>;

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
    /// The data key is missing.
    #[error(
        "the data key {0} is missing; restore the keys folder from a backup, for without it nobody's document can be read or added"
    )]
    NoDataKey(PathBuf),
    /// A data key of another length.
    #[error("{0} is not a data key, which has 32 bytes; restore the keys folder from a backup")]
    BadDataKey(PathBuf),
    /// A private key of another registry.
    #[error("{0} is not the key that the keyset names; restore the keys folder that belongs to this registry.db")]
    OtherKey(PathBuf),
    /// A file that is no root or keyset.
    #[error("{0} {1}; it should be a root or keyset file, such as keyset.draft")]
    NoDraft(PathBuf, ListError),
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
        read_key_file(&self.key_file(name))
    }

    /// Where the key of what is sealed in the database is.
    pub fn data_key_file(&self) -> PathBuf {
        self.keys().join("data.key")
    }

    /// Reads the data key, if there is one.
    ///
    /// # Errors
    /// [`DataError`] naming the file.
    pub fn read_data_key(&self) -> Result<Option<DataKeyBytes>, DataError> {
        let path = self.data_key_file();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(failed("read", &path)(e)),
        };
        warn_if_others_read(&file, &path)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(DATA_KEY_BYTES + 1));
        file.take(DATA_KEY_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed("read", &path))?;
        let key = <[u8; DATA_KEY_BYTES]>::try_from(bytes.as_slice()).map_err(|_| DataError::BadDataKey(path))?;
        Ok(Some(Zeroizing::new(key)))
    }

    /// Makes the data key, whole or not at all, unless somebody else just has; then it is theirs.
    ///
    /// # Errors
    /// [`DataError`].
    pub fn make_data_key(&self, key: &DataKeyBytes) -> Result<DataKeyBytes, DataError> {
        let path = self.data_key_file();
        let temporary = path.with_extension(format!("{}.part", std::process::id()));
        let _ = fs::remove_file(&temporary);
        write_new(&temporary, 0o600, key.as_slice())?;
        // Never over one that is there, as a rename would.
        let linked = fs::hard_link(&temporary, &path);
        let _ = fs::remove_file(&temporary);
        match linked {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(failed("make", &path)(e)),
            _ => {}
        }
        // What is sealed with it must not outlive it in a power cut. Not every file system can sync a folder.
        let _ = File::open(self.keys()).and_then(|folder| folder.sync_all());
        self.read_data_key()?.ok_or(DataError::NoKey(path))
    }

    /// Adds a private key.
    ///
    /// # Errors
    /// [`DataError`]; never over one that is there.
    pub fn add_key(&self, name: &str, key: &SigningKey) -> Result<(), DataError> {
        write_key_file(&self.key_file(name), key)
    }

    /// Removes a private key that signs nothing any more. One that is gone already is as well.
    pub fn remove_key(&self, name: &str) {
        let path = self.key_file(name);
        if let Err(error) = fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %path.display(), %error, "this key signs nothing any more and could not be removed; remove it");
        }
    }

    /// The highest id in the names of the private keys whose name begins as `kind` accepts, such as `root` of `root-1.pem`.
    ///
    /// # Errors
    /// [`DataError::Io`].
    pub fn highest_key(&self, kind: impl Fn(&str) -> bool) -> Result<KeyId, DataError> {
        let entries = fs::read_dir(self.keys()).map_err(failed("read", &self.keys()))?;
        let ids = entries.flatten().filter_map(|e| {
            let name = e.file_name();
            let (this, id) = name.to_str()?.strip_suffix(".pem")?.rsplit_once('-')?;
            if kind(this) { id.parse().ok() } else { None }
        });
        Ok(KeyId(ids.max().unwrap_or(0)))
    }

    /// Where a keyset waits for signatures.
    pub fn draft_file(&self) -> PathBuf {
        self.0.join("keyset.draft")
    }

    /// The keyset that waits for signatures, if one does.
    ///
    /// # Errors
    /// [`DataError`] if it cannot be read as one.
    pub fn read_draft(&self) -> Result<Option<Draft>, DataError> {
        let path = self.draft_file();
        if path.symlink_metadata().is_ok() { read_draft_file(&path).map(Some) } else { Ok(None) }
    }

    /// Keeps a keyset until it is signed.
    ///
    /// # Errors
    /// [`DataError::Io`].
    pub fn write_draft(&self, draft: &Draft) -> Result<(), DataError> {
        replace(&self.draft_file(), &draft.bytes())
    }

    /// Forgets the keyset that waited.
    ///
    /// # Errors
    /// [`DataError::Io`].
    pub fn remove_draft(&self) -> Result<(), DataError> {
        match fs::remove_file(self.draft_file()) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed("remove", &self.draft_file())(e)),
            _ => Ok(()),
        }
    }

    /// Puts a new root in the place of the old one.
    ///
    /// # Errors
    /// [`DataError::Io`].
    pub fn replace_root_file(&self, root: &[u8]) -> Result<(), DataError> {
        replace(&self.root_file(), root)
    }

    /// Writes `root.pub` again if it went missing or is still an `earlier` one. It is public, and the database has it too.
    ///
    /// # Errors
    /// [`DataError`] if it is there and cannot be read, is not this registry's, or cannot be written.
    pub fn keep_root_file(&self, root: &[u8], earlier: &[Vec<u8>]) -> Result<(), DataError> {
        let path = self.root_file();
        match File::open(&path) {
            Ok(file) => {
                let mut found = Vec::new();
                let most = limits::ROOT_BYTES as u64 + 1;
                file.take(most).read_to_end(&mut found).map_err(failed("read", &path))?;
                if found != root && earlier.contains(&found) {
                    return self.replace_root_file(root);
                }
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

/// Reads a private key, wherever it is.
///
/// # Errors
/// [`DataError`] naming the file.
pub fn read_key_file(path: &Path) -> Result<SigningKey, DataError> {
    let path = path.to_owned();
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(DataError::NoKey(path)),
        Err(e) => return Err(failed("read", &path)(e)),
    };
    warn_if_others_read(&file, &path)?;
    let mut pem = Zeroizing::new(String::with_capacity(usize::try_from(KEY_FILE_BYTES).unwrap_or(0)));
    file.take(KEY_FILE_BYTES).read_to_string(&mut pem).map_err(|e| match e.kind() {
        io::ErrorKind::InvalidData => DataError::BadKey(path.clone()),
        _ => failed("read", &path)(e),
    })?;
    SigningKey::from_pkcs8_pem(&pem).map_err(|_| DataError::BadKey(path))
}

fn warn_if_others_read(file: &File, path: &Path) -> Result<(), DataError> {
    let mode = file.metadata().map_err(failed("read", path))?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "others can read this private key: chmod 600 it");
    }
    Ok(())
}

/// Writes a private key, readable by its owner only, and never over something that is there.
///
/// # Errors
/// [`DataError`].
pub fn write_key_file(path: &Path, key: &SigningKey) -> Result<(), DataError> {
    let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|_| DataError::BadKey(path.to_owned()))?;
    write_new(path, 0o600, pem.as_bytes())
}

/// Reads a root or keyset file, signed or not.
///
/// # Errors
/// [`DataError`] naming the file and what is wrong with it.
pub fn read_draft_file(path: &Path) -> Result<Draft, DataError> {
    let bytes = read_public(path)?;
    Draft::parse(&bytes).map_err(|e| DataError::NoDraft(path.to_owned(), e))
}

/// Reads a root file or another small public one.
///
/// # Errors
/// [`DataError::Io`].
pub fn read_public(path: &Path) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    let most = limits::ROOT_BYTES as u64 + 1;
    File::open(path).and_then(|f| f.take(most).read_to_end(&mut bytes)).map_err(failed("read", path))?;
    Ok(bytes)
}

/// Puts a public file in the place of the old one: whole or not at all.
///
/// # Errors
/// [`DataError::Io`].
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), DataError> {
    let temporary = path.with_extension("part");
    let _ = fs::remove_file(&temporary);
    write_new(&temporary, 0o644, bytes)?;
    fs::rename(&temporary, path).map_err(failed("write", path))
}

/// O_EXCL: never over something that is there, never through somebody's link.
pub(crate) fn write_new(path: &Path, mode: u32, bytes: &[u8]) -> Result<(), DataError> {
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(failed("make", path))?;
    // The umask may have taken bits that everybody's file needs.
    file.set_permissions(fs::Permissions::from_mode(mode)).map_err(failed("make", path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed("write", path))
}
