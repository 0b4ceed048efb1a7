//! Frames of the corpus as pictures, with a list of what is in them.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::builder::PossibleValuesParser;
use tongguan_sim::corpus::{Factor, Mix, Sample, Special};

/// Which frames.
#[derive(clap::Args)]
#[group(id = "kind", multiple = true, conflicts_with = "text")]
pub(crate) struct Kind {
    /// Frames with every disturbance at random strengths.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["factor", "special"], value_parser = named(Mix::ALL.map(Mix::name)))]
    mix: Option<String>,
    /// Frames with one disturbance.
    #[arg(long, value_name = "NAME", conflicts_with = "special", value_parser = named(Factor::ALL.map(Factor::name)))]
    factor: Option<String>,
    /// Its level [default: as many frames of each from harmless to hopeless]
    #[arg(long, value_name = "X", requires = "factor")]
    level: Option<f32>,
    /// Frames with a difficulty of their own.
    #[arg(long, value_name = "NAME", value_parser = named(Special::ALL.map(Special::name)))]
    special: Option<String>,
    /// Six consecutive frames of each code.
    #[arg(long, requires = "mix")]
    sequence: bool,
}

fn named<const N: usize>(names: [&'static str; N]) -> PossibleValuesParser {
    PossibleValuesParser::new(names)
}

/// Pictures and `manifest.tsv`: file, texts in hex with a comma between, what it is.
pub(crate) fn write(kind: &Kind, seed: u64, count: usize, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make the folder {}", to.display()))?;
    let list = to.join("manifest.tsv");
    let list = File::create(&list).with_context(|| format!("cannot write {}", list.display()))?;
    let mut out = Album { to, list: BufWriter::new(list), written: 0, told: Instant::now() };
    let count = count as u64;
    let mix = Mix::ALL.into_iter().find(|m| kind.mix.as_deref() == Some(m.name()));
    let factor = Factor::ALL.into_iter().find(|f| kind.factor.as_deref() == Some(f.name()));
    let special = Special::ALL.into_iter().find(|s| kind.special.as_deref() == Some(s.name()));
    for index in 0..count {
        match mix {
            Some(mix) if kind.sequence => {
                for (i, sample) in mix.sequence(seed, index).iter().enumerate() {
                    out.add(&format!("{index:04}-{i}"), sample)?;
                }
            }
            Some(mix) => out.add(&format!("{index:04}"), &mix.sample(seed, index))?,
            None => {}
        }
        if let Some(special) = special {
            out.add(&format!("{index:04}"), &special.sample(seed, index))?;
        }
    }
    if let Some(factor) = factor {
        for level in kind.level.as_ref().map_or(factor.levels(), std::slice::from_ref) {
            for index in 0..count {
                out.add(&format!("{}-{level}-{index:04}", factor.name()), &factor.sample(*level, seed, index))?;
            }
        }
    }
    out.list.flush()?;
    Ok(())
}

struct Album<'a> {
    to: &'a Path,
    list: BufWriter<File>,
    written: usize,
    told: Instant,
}

impl Album<'_> {
    fn add(&mut self, name: &str, sample: &Sample) -> anyhow::Result<()> {
        let file = format!("{name}.png");
        let path = self.to.join(&file);
        sample.frame.save(&path).with_context(|| format!("cannot write {}", path.display()))?;
        let hex = |text: &String| text.bytes().map(|b| format!("{b:02x}")).collect::<String>();
        let texts: Vec<String> = sample.texts.iter().map(hex).collect();
        writeln!(self.list, "{file}\t{}\t{}", texts.join(","), sample.what)?;
        self.written += 1;
        if self.told.elapsed() > Duration::from_secs(2) {
            self.told = Instant::now();
            tell(&format!("{} frames", self.written));
        }
        Ok(())
    }
}

#[expect(clippy::print_stderr, reason = "progress of a long run, beside what it writes")]
fn tell(line: &str) {
    eprintln!("tongguan-sim: {line}");
}
