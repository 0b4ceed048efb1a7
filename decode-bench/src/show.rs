//! What each reader says about one frame.

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::corpora::named;
use crate::readers::{Lane, Which};
use crate::shot::{Truth, legible};

pub(crate) fn show(names: &[String], seed: u64, readers: &[Which], out: Option<&Path>) -> Result<()> {
    for name in names {
        let mut lanes: Vec<Lane> = readers.iter().map(|which| Lane::open(*which)).collect();
        for shot in named(name, seed)? {
            println!("{}  {}x{}  {}", shot.name, shot.luma.width(), shot.luma.height(), shot.what);
            let truth = match &shot.truth {
                Truth::Exactly(texts) => texts.clone(),
                Truth::AtLeast(text) => vec![text.clone()],
                Truth::Unknown => Vec::new(),
            };
            truth.iter().for_each(|text| println!("  truth     {}", legible(text)));
            for lane in &mut lanes {
                let reading = lane.read(&shot.luma);
                let panicked = if reading.panicked { "  PANICKED" } else { "" };
                let count = reading.texts.len();
                println!("  {:9} {count} in {:.2} ms{panicked}", lane.which.name(), reading.cpu.as_secs_f64() * 1e3);
                for text in &reading.texts {
                    let wrong = matches!(shot.truth, Truth::Exactly(_)) && !truth.contains(text);
                    println!("    {}{}", if wrong { "NOT IN THE FRAME: " } else { "" }, legible(text));
                }
            }
            if let Some(folder) = out {
                write(&shot.luma, folder, &shot.name)?;
            }
        }
    }
    Ok(())
}

/// Writes a frame as PNG under its name.
pub(crate) fn write(luma: &tongguan::capture::Luma, folder: &Path, name: &str) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let name: String = name.chars().map(|c| if c.is_alphanumeric() || "-._".contains(c) { c } else { '-' }).collect();
    let path = folder.join(format!("{name}.png"));
    let png = luma.to_png().map_err(|problem| anyhow::anyhow!("{name}: {problem}"))?;
    std::fs::write(&path, png).with_context(|| format!("{} cannot be written", path.display()))
}
