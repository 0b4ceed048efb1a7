//! `tongguan-sim frames`: a walk's frames as pictures or as one y4m stream.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::ValueEnum;
use tongguan_sim::{Camera, FPS, Medium, Phase, Surface, Walk, y4m};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder for numbered PNG files; with --y4m the file, or - for standard output.
    out: PathBuf,
    /// Text of the code. Upper case, digits and few signs make the smallest code.
    #[arg(long)]
    text: String,
    /// What the code is shown on.
    #[arg(long, value_enum, default_value = "phone")]
    medium: MediumName,
    /// How many frames; one visit is 45 frames, three seconds, and begins and ends with the empty gate.
    #[arg(long, default_value_t = Walk::FRAMES)]
    count: usize,
    /// Same seed, same frames.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write one grey y4m stream (15 frames a second) instead of pictures.
    #[arg(long)]
    y4m: bool,
    /// Width of a frame, pixels.
    #[arg(long, default_value_t = 1280, value_parser = clap::value_parser!(u32).range(16..=8192))]
    width: u32,
    /// Height of a frame, pixels.
    #[arg(long, default_value_t = 720, value_parser = clap::value_parser!(u32).range(16..=8192))]
    height: u32,
}

#[derive(Clone, Copy, ValueEnum)]
enum MediumName {
    Phone,
    Paper,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let medium = match args.medium {
        MediumName::Phone => Medium::Phone,
        MediumName::Paper => Medium::Paper,
    };
    let surface = Surface::new(&args.text, medium, args.seed)?;
    let camera = Camera::new(args.width, args.height, args.seed);
    let frames = (0..args.count).map(|i| {
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
