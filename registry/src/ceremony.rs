//! What the holders of the root keys do on a machine without a network: make a root, sign drafts. No registry is needed.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use tongguan_pass::draft::Content;
use tongguan_pass::{Draft, KeyId, Root, SigningKey};

use crate::data::{self, DataError};
use crate::edge::{Clock as _, SystemClock, SystemEntropy};
use crate::keys::{KeysError, next_root_ids, root_key_name, successor};
use crate::registry::{Error, new_key};

/// Why a ceremony went no further.
#[derive(Debug, thiserror::Error)]
pub enum CeremonyError {
    /// Making keys or writing files.
    #[error(transparent)]
    Registry(#[from] Error),
    /// More signatures asked for than there are keys.
    #[error("a root of {keys} keys cannot ask for {threshold} signatures; give --threshold 1 to {keys}")]
    Threshold {
        /// Keys.
        keys: u8,
        /// Signatures.
        threshold: u8,
    },
    /// The given root is none.
    #[error("{0} {1}; give the registry's root.pub")]
    NoRoot(PathBuf, tongguan_pass::ListError),
    /// A key of no root.
    #[error("{0} is a key of neither the root nor a new root that is being signed; use the key's own root.pub")]
    OtherKey(PathBuf),
}

impl From<DataError> for CeremonyError {
    fn from(error: DataError) -> Self {
        Error::from(error).into()
    }
}

impl From<KeysError> for CeremonyError {
    fn from(error: KeysError) -> Self {
        Error::from(error).into()
    }
}

/// What was made.
#[derive(Debug)]
pub struct NewRoot {
    /// The private keys, one for each holder.
    pub keys: Vec<PathBuf>,
    /// The new root, signed by its own keys; the old root's holders must sign it too.
    pub draft: PathBuf,
    /// Its version.
    pub version: u32,
}

/// Makes the keys of the root after the one in the file `after`, in a folder that is not there yet.
///
/// # Errors
/// [`CeremonyError`].
pub fn root_new(after: &Path, keys: u8, threshold: u8, out: &Path) -> Result<NewRoot, CeremonyError> {
    if threshold == 0 || threshold > keys {
        return Err(CeremonyError::Threshold { keys, threshold });
    }
    let (file, root) = read_root(after)?;
    let mut made = Vec::new();
    for id in next_root_ids(&root, KeyId(0), usize::from(keys))? {
        made.push((id, new_key(&SystemEntropy)?));
    }
    let next = successor(&root, &file, threshold, &made, SystemClock.now());
    let version = next.version;
    let mut draft = Draft::new(Content::Root(next));
    made.iter().for_each(|(id, key)| draft.sign(*id, key));
    // A new folder for its owner only: nothing of an earlier ceremony is mixed in.
    DirBuilder::new().mode(0o700).create(out).map_err(|source| DataError::Io {
        doing: "make the folder",
        path: out.to_owned(),
        source,
    })?;
    let mut paths = Vec::new();
    for (id, key) in &made {
        let path = out.join(format!("{}.pem", root_key_name(*id)));
        data::write_key_file(&path, key)?;
        paths.push(path);
    }
    let path = out.join("root.draft");
    data::replace(&path, &draft.bytes())?;
    Ok(NewRoot { keys: paths, draft: path, version })
}

/// Adds the signatures of `keys` to each of `files`, in place. The keys are those of the root in the file `root` or of a new
/// root among `files`, which say under which id each signs.
///
/// # Errors
/// [`CeremonyError`]; then no file has changed.
pub fn sign(root: &Path, keys: &[PathBuf], files: &[PathBuf]) -> Result<Vec<(PathBuf, Draft)>, CeremonyError> {
    let mut roots = vec![read_root(root)?.1];
    let mut drafts = Vec::new();
    for file in files {
        let draft = data::read_draft_file(file)?;
        if let Content::Root(new) = draft.content() {
            roots.push(new.clone());
        }
        drafts.push((file.clone(), draft));
    }
    for path in keys {
        let key = data::read_key_file(path)?;
        let id = id_of(&key, &roots).ok_or_else(|| CeremonyError::OtherKey(path.clone()))?;
        drafts.iter_mut().for_each(|(_, draft)| draft.sign(id, &key));
    }
    for (path, draft) in &drafts {
        data::replace(path, &draft.bytes())?;
    }
    Ok(drafts)
}

fn id_of(key: &SigningKey, roots: &[Root]) -> Option<KeyId> {
    let public = key.verifying_key();
    roots.iter().flat_map(|r| &r.keys).find(|(_, known)| *known == public).map(|(id, _)| *id)
}

fn read_root(path: &Path) -> Result<(Vec<u8>, Root), CeremonyError> {
    let file = data::read_public(path)?;
    let root = Root::open_pinned(&file).map_err(|e| CeremonyError::NoRoot(path.to_owned(), e))?;
    Ok((file, root))
}
