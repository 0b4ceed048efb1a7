//! `tongguan-sim frames`: a walk's frames as pictures or as one y4m stream, or frames of the corpus.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::ValueEnum;
use tongguan_sim::{Camera, FPS, Medium, Phase, Surface, Walk, y4m};

use crate::pictures;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder for numbered PNG files; with --y4m the file, or - for standard output.
    out: PathBuf,
    /// Text of the code of a visit. Upper case, digits and few signs make the smallest code.
    #[arg(long, required_unless_present = "kind")]
    text: Option<String>,
    #[command(flatten)]
    kind: pictures::Kind,
    /// What the code is shown on.
    #[arg(long, value_enum, default_value = "phone")]
    medium: MediumName,
    /// How many frames [default: 45, one visit of three seconds that begins and ends with the empty gate; 12 of a corpus]
    #[arg(long)]
    count: Option<usize>,
    /// Same seed, same frames.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write one grey y4m stream (15 frames a second) instead of pictures.
    #[arg(long, conflicts_with = "kind")]
    y4m: bool,
    /// Width of a visit's frame, pixels.
    #[arg(long, default_value_t = 1280, value_parser = clap::value_parser!(u32).range(16..=8192))]
    width: u32,
    /// Height of a visit's frame, pixels.
    #[arg(long, default_value_t = 720, value_parser = clap::value_parser!(u32).range(16..=8192))]
    height: u32,
}

#[derive(Clone, Copy, ValueEnum)]
enum MediumName {
    Phone,
    Paper,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let Some(text) = &args.text else {
        return pictures::write(&args.kind, args.seed, args.count.unwrap_or(12), &args.out);
    };
    let medium = match args.medium {
        MediumName::Phone => Medium::Phone,
        MediumName::Paper => Medium::Paper,
    };
    let surface = Surface::new(text, medium, args.seed)?;
    let camera = Camera::new(args.width, args.height, args.seed);
    let frames = (0..args.count.unwrap_or(Walk::FRAMES)).map(|i| {
        let walk = Walk::new(&surface, args.seed.wrapping_add((i / Walk::FRAMES) as u64));
        let (phase, scene) = walk.scene(i % Walk::FRAMES);
        camera.see((phase != Phase::Empty).then_some(&surface), &scene)
    });
    if args.y4m {
        let to: Box<dyn Write> = if args.out.as_os_str() == "-" {
            Box::new(io::stdout().lock())
        } else {
            Box::new(File::create(&args.out).with_context(|| format!("cannot write {}", args.out.display()))?)
        };
        let mut out = BufWriter::new(to);
        y4m::header(&mut out, args.width, args.height, FPS)?;
        for frame in frames {
            y4m::frame(&mut out, &frame)?;
        }
        out.flush()?;
    } else {
        fs::create_dir_all(&args.out).with_context(|| format!("cannot make the folder {}", args.out.display()))?;
        for (i, frame) in frames.enumerate() {
            let path = args.out.join(format!("{i:04}.png"));
            frame.save(&path).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    Ok(())
}
