//! Instruction counts of fixed frames: figures that no other load on the machine can change.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// Frame and count, as callgrind.sh prints them.
pub(crate) type Instructions = Vec<(String, u64)>;

/// From a file, or else by running callgrind.sh; `None`, with a message, where that is not possible.
pub(crate) fn instructions(file: Option<&Path>) -> Result<Option<Instructions>> {
    let text = match file {
        Some(file) => std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?,
        None => match counted() {
            Ok(text) => text,
            Err(problem) => {
                eprintln!("instructions are not counted: {problem:#}");
                return Ok(None);
            }
        },
    };
    text.lines().filter(|line| !line.trim().is_empty()).map(line).collect::<Result<_>>().map(Some)
}

fn line(line: &str) -> Result<(String, u64)> {
    let parsed = line.split_once(' ').and_then(|(name, count)| Some((name.to_owned(), count.trim().parse().ok()?)));
    parsed.with_context(|| format!("a line is \"frame count\", this one is not: {line:?}"))
}

fn counted() -> Result<String> {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("callgrind.sh");
    let bench = std::env::current_exe().context("this program does not know where it is")?;
    let run = Command::new(script).arg(bench).stderr(Stdio::inherit()).output().context("callgrind.sh does not run")?;
    if !run.status.success() {
        bail!("callgrind.sh failed");
    }
    String::from_utf8(run.stdout).context("callgrind.sh printed something else than text")
}
