//! Fixed frames, and one look at one of them, for callgrind.sh.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tongguan::capture::Luma;
use tongguan::decode::{Decoder, Settings};

use crate::corpora::named;
use crate::readers::measured_look;
use crate::shot::legible;

/// These never change: counts are held against earlier ones.
const FIXED: [(&str, &str); 5] = [
    ("easy", "easy:0"),
    ("medium", "medium:0"),
    ("hard", "hard:9"),
    ("empty", "empty:1"),
    ("unreadable", "unreadable:10"),
];
const SEED: u64 = 1;

/// Writes the fixed frames as PNG files.
pub(crate) fn frames(folder: &Path) -> Result<()> {
    for (name, frame) in FIXED {
        let take = named(frame, SEED)?;
        crate::show::write(&take.first().context("a take has a frame")?.luma, folder, name)?;
    }
    Ok(())
}

/// One look of a new decoder at a picture.
pub(crate) fn once(file: &Path) -> Result<()> {
    let luma = Luma::read(file).map_err(|problem| anyhow::anyhow!("{}: {problem}", file.display()))?;
    // Valgrind is slow: the budget must not end what is to be counted.
    let settings = Settings { budget: Duration::from_secs(1000), ..Settings::default() };
    let texts = measured_look(&mut Decoder::new(settings), &luma);
    println!("{} codes", texts.len());
    texts.iter().for_each(|text| println!("{}", legible(text)));
    Ok(())
}
