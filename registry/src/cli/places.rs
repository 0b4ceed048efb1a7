//! `community import`: communities from a CSV file.

use std::fs::File;
use std::path::Path;

use serde_json::json;
use tongguan_registry::places::import::{self, Imported, PROGRESS_EVERY, Progress};

use tongguan_registry::store::ImportedCommunities;

use super::output::{Failure, Output};

/// Reads the file and shows what cannot be taken. What can, is for the caller to store.
pub(crate) fn read(file: &Path, out: &Output) -> Result<Imported, Failure> {
    let open = File::open(file).map_err(|e| Failure::Error(format!("{} cannot be opened: {e}", file.display())))?;
    let mut progress = |Progress { lines, .. }| {
        if lines % PROGRESS_EVERY == 0 && lines > 0 {
            out.note(&format!("{lines} lines ..."));
        }
    };
    let read = import::import(open, &mut progress).map_err(Failure::error)?;
    for left in &read.rejected {
        let value = json!({ "line": left.line, "why": { "zh": left.why.zh, "en": left.why.en } });
        out.show(&value, || format!("line {}: {} {}", left.line, left.why.zh, left.why.en))?;
    }
    Ok(read)
}

/// Shows what was read, and what became of it: exit 1, if a line was left out.
pub(crate) fn report(read: &Imported, stored: Option<ImportedCommunities>, out: &Output) -> Result<(), Failure> {
    let (places, rejected) = (read.places.len(), read.rejected_count);
    let ImportedCommunities { added, changed } = stored.unwrap_or_default();
    let value = json!({
        "communities": places, "rejected": rejected, "stored": stored.is_some(), "added": added, "changed": changed,
    });
    out.show(&value, || {
        let unnamed = rejected - read.rejected.len() as u64;
        let more = if unnamed > 0 { format!(", {unnamed} of them not named above") } else { String::new() };
        let done = match stored {
            None => "can be taken; nothing was stored".to_owned(),
            Some(_) => format!("were taken ({added} new, {changed} changed)"),
        };
        format!("{places} communities {done}; {rejected} lines were left out{more}.")
    })?;
    match rejected {
        0 => Ok(()),
        _ => Err(Failure::Refused(format!(
            "lines that were left out: {rejected} (above); correct them and import again"
        ))),
    }
}
