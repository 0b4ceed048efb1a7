//! The throw-away folder: keys, databases and logs go when the demo ends; pictures of the screen stay.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::ending;

/// Where the pictures are.
const SCREENS: &str = "screens";

pub(super) struct Folder {
    path: PathBuf,
    kept: bool,
}

impl Folder {
    /// A new folder, or the empty one given, which is kept.
    pub(super) fn new(given: Option<&Path>) -> anyhow::Result<Self> {
        let Some(given) = given else {
            let path =
                tempfile::Builder::new().prefix("tongguan-demo-").tempdir().context("cannot make a folder")?.keep();
            ending::remember_folder(path.clone());
            return Ok(Self { path, kept: false });
        };
        fs::create_dir_all(given).with_context(|| format!("cannot make the folder {}", given.display()))?;
        let path = given.canonicalize()?;
        if fs::read_dir(&path)?.next().is_some() {
            bail!(
                "{} is not empty: the demo needs a new or an empty folder, name another one with --dir",
                path.display()
            );
        }
        Ok(Self { path, kept: true })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn kept(&self) -> bool {
        self.kept
    }

    pub(super) fn registry(&self) -> PathBuf {
        self.path.join("registry")
    }

    pub(super) fn checkpoint(&self) -> PathBuf {
        self.path.join("checkpoint")
    }

    pub(super) fn screens(&self) -> PathBuf {
        self.path.join(SCREENS)
    }

    pub(super) fn log(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.log"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.kept {
            remove(&self.path);
        }
    }
}

/// Removes all but the pictures; whether that is done.
pub(super) fn remove(path: &Path) -> bool {
    let screens = path.join(SCREENS);
    let rest = || fs::read_dir(path).into_iter().flatten().flatten().map(|e| e.path()).filter(|p| *p != screens);
    for entry in rest() {
        let _ = if entry.is_dir() { fs::remove_dir_all(&entry) } else { fs::remove_file(&entry) };
    }
    // Succeeds only if nothing is left in it.
    let _ = fs::remove_dir(path);
    rest().next().is_none()
}
