//! `pin FILE`: prints the level of a simulated GPIO line, and each change of it with the milliseconds since the start.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

use anyhow::Context as _;

fn main() -> anyhow::Result<()> {
    let path = std::env::args_os().nth(1).context("usage: pin FILE")?;
    let file = File::open(path)?;
    let (start, mut last) = (Instant::now(), None);
    loop {
        let mut level = [0];
        file.read_exact_at(&mut level, 0)?;
        if last.replace(level) != Some(level) {
            let mut out = std::io::stdout();
            writeln!(out, "{} {}", start.elapsed().as_millis(), char::from(level[0]))?;
            out.flush()?;
        }
        std::thread::sleep(Duration::from_millis(4));
    }
}
