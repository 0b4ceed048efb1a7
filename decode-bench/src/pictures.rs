//! The folder of real photos: read once, named by its manifest.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use data_encoding::HEXLOWER_PERMISSIVE;
use tongguan::capture::Luma;

use crate::shot::{Shot, Truth};

pub(crate) struct Picture {
    name: String,
    path: PathBuf,
    expected: Expected,
}

enum Expected {
    Payload(Vec<u8>),
    Unknown,
    Nothing,
}

/// The pictures of one subfolder.
pub(crate) fn list(corpora: &Path, folder: &str) -> Result<Vec<Picture>> {
    let manifest = corpora.join("manifest.tsv");
    let text = fs::read_to_string(&manifest).with_context(|| format!("{} cannot be read", manifest.display()))?;
    let mut pictures = Vec::new();
    for line in text.lines().skip(1).filter(|line| !line.trim().is_empty()) {
        let Some((name, expected)) = line.split_once('\t') else {
            bail!("{}: a line is \"file, tab, expected hex\", this one is not: {line}", manifest.display());
        };
        if name.split('/').next() != Some(folder) {
            continue;
        }
        let expected = match expected.trim() {
            "?" => Expected::Unknown,
            "-" => Expected::Nothing,
            hex => Expected::Payload(
                HEXLOWER_PERMISSIVE
                    .decode(hex.as_bytes())
                    .with_context(|| format!("{}: not hex: {hex}", manifest.display()))?,
            ),
        };
        pictures.push(Picture { name: name.into(), path: corpora.join(name), expected });
    }
    Ok(pictures)
}

impl Picture {
    pub(crate) fn shot(&self) -> Result<Shot> {
        let luma = Luma::read(&self.path).map_err(|problem| anyhow::anyhow!("{}: {problem}", self.path.display()))?;
        let truth = match &self.expected {
            Expected::Payload(bytes) => Truth::AtLeast(bytes.clone()),
            Expected::Unknown => Truth::Unknown,
            Expected::Nothing => Truth::Exactly(Vec::new()),
        };
        Ok(Shot { name: self.name.clone(), place: 0, luma, truth, what: String::new() })
    }
}
