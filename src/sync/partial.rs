//! A download that broke off, kept so that the next sync goes on where it was.
//!
//! One file: the name (64 hex digits), then what came so far. Only files that are named by their hash are kept, so whatever
//! happened to the parts, the whole is checked; one that fails is fetched anew.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

const NAME: usize = 64;
/// Less than this is fetched anew sooner than the card is written to.
const WORTH_KEEPING: usize = 4096;

/// Where the part is kept.
#[derive(Debug)]
pub(super) struct Partial(PathBuf);

impl Partial {
    pub(super) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// What is here of the file `name`, at most `limit` bytes. It is not kept any longer.
    pub(super) fn take(&self, name: &str, limit: usize) -> Vec<u8> {
        let Ok(mut bytes) = fs::read(&self.0) else { return Vec::new() };
        fs::remove_file(&self.0).ok();
        if bytes.get(..NAME) != Some(name.as_bytes()) || bytes.len() - NAME >= limit {
            return Vec::new();
        }
        bytes.drain(..NAME);
        bytes
    }

    /// Keeps what came of the file `name`, if it is worth it.
    pub(super) fn keep(&self, name: &str, bytes: &[u8]) {
        if name.len() != NAME || bytes.len() < WORTH_KEEPING {
            return;
        }
        let write = || -> io::Result<()> {
            let mut file = fs::File::create(&self.0)?;
            file.write_all(name.as_bytes())?;
            file.write_all(bytes)
        };
        // Without it the download merely starts anew.
        if let Err(error) = write() {
            tracing::debug!("half a download is not kept: {error}");
            fs::remove_file(&self.0).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_for_its_own_file_and_within_its_size_only() {
        let folder = tempfile::tempdir().unwrap();
        let partial = Partial::at(folder.path().join("partial"));
        let (name, other) = ("ab".repeat(32), "cd".repeat(32));
        let kept = vec![7; WORTH_KEEPING];
        partial.keep(&name, &kept);
        assert!(partial.take(&other, 1 << 20).is_empty());
        assert!(partial.take(&name, 1 << 20).is_empty(), "another download has begun meanwhile");
        partial.keep(&name, &kept);
        assert_eq!(partial.take(&name, 1 << 20), kept);
        partial.keep(&name, &kept);
        assert!(partial.take(&name, WORTH_KEEPING).is_empty(), "there must be something left to fetch");
        partial.keep(&name, &kept[1..]);
        partial.keep("../name", &kept);
        assert!(!folder.path().join("partial").exists());
        fs::write(folder.path().join("partial"), "short").unwrap();
        assert!(partial.take(&name, 100).is_empty());
    }
}
