//! What is allocated for a frame once everything is warm: nothing, from the camera's buffer to the found codes.
//!
//! `make bench` runs it; it fails if anything is allocated where nothing should be. With `PLACES=folder` each look that
//! allocates leaves a file there that says where (for dhat's viewer, or `grep -o '"ftbl".*'`).
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints its results")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use tongguan::capture::yuv::{self, Packing};
use tongguan::capture::{self, Luma};
use tongguan::config::{CameraSource, Replay};
use tongguan::decode::{Decoder, Settings};
use tongguan_sim::corpus::{Mix, Sample, Special};

#[global_allocator]
static HEAP: dhat::Alloc = dhat::Alloc;

/// Frames of each kind that come before the counting.
const WARM: u64 = 24;
/// Frames of each kind that are counted, all different from those before.
const COUNTED: u64 = 24;
const WIDTH: usize = 1280;
const HEIGHT: usize = 720;

/// Blocks of memory asked for while `work` runs.
fn allocations(what: &str, work: impl FnOnce()) -> u64 {
    let places = std::env::var_os("PLACES").map(|folder| PathBuf::from(folder).join(format!("{what}.json")));
    let profiler = match &places {
        Some(file) => dhat::Profiler::builder().file_name(file).build(),
        None => dhat::Profiler::builder().testing().build(),
    };
    work();
    let blocks = dhat::HeapStats::get().total_blocks;
    drop(profiler);
    if let Some(file) = places.filter(|_| blocks == 0) {
        std::fs::remove_file(file).unwrap();
    }
    blocks
}

/// What was counted for one kind of frame.
struct Row {
    what: &'static str,
    /// Whether nothing may be allocated.
    nothing: bool,
    each: Vec<u64>,
}

impl Row {
    fn new(what: &'static str, nothing: bool) -> Self {
        Self { what, nothing, each: Vec::new() }
    }

    fn is_kept(&self) -> bool {
        !self.each.is_empty() && (!self.nothing || self.each.iter().all(|n| *n == 0))
    }

    fn print(&self) {
        let (frames, all) = (self.each.len(), self.each.iter().sum::<u64>());
        let worst = self.each.iter().max().copied().unwrap_or_default();
        let promise = match (self.nothing, self.is_kept()) {
            (true, true) => "0, kept",
            (true, false) => "0, BROKEN",
            (false, _) => "none made",
        };
        println!("{:<52} {frames:>6} {all:>11} {worst:>11}  {promise}", self.what);
    }
}

fn luma(sample: &Sample) -> Luma {
    Luma::new(sample.frame.width() as usize, sample.frame.height() as usize, sample.frame.as_raw().clone())
}

/// The camera's buffers as `yuv` takes them.
fn buffers(row: &mut Row, packing: Packing, bytes: usize) {
    let mut picture = Luma::default();
    for i in 0..10_u8 {
        let buffer = vec![i; bytes];
        let copy = || yuv::copy(packing, &buffer, [WIDTH, HEIGHT], packing.row(WIDTH), &mut picture).unwrap();
        let blocks = allocations(&format!("{packing:?}-{i}"), copy);
        if i > 0 {
            row.each.push(blocks);
        }
    }
}

/// A recording, played by its source.
fn recording(row: &mut Row, name: &str, content: &[u8]) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, content).unwrap();
    let mut source = capture::open(&CameraSource::Replay(Replay { path, fps: 0.0, repeat: false })).unwrap().unwrap();
    let mut picture = Luma::default();
    for i in 0..10 {
        let blocks = allocations(&format!("{name}-{i}"), || assert!(source.next(&mut picture).unwrap()));
        if i > 0 {
            row.each.push(blocks);
        }
    }
}

fn y4m() -> Vec<u8> {
    let mut film = format!("YUV4MPEG2 W{WIDTH} H{HEIGHT} F15:1 C420\n").into_bytes();
    for value in 0..10 {
        film.extend_from_slice(b"FRAME\n");
        film.resize(film.len() + WIDTH * HEIGHT * 3 / 2, value);
    }
    film
}

fn mjpeg() -> Vec<u8> {
    let mut film = std::io::Cursor::new(Vec::new());
    for i in 0..10 {
        let frame = image::DynamicImage::from(Mix::Easy.sample(2, i).frame).into_rgb8();
        frame.write_to(&mut film, image::ImageFormat::Jpeg).unwrap();
    }
    film.into_inner()
}

/// What the gate sees, in the order in which it sees it: people with codes, good and bad, and nobody.
fn film(index: u64) -> Vec<(&'static str, Sample)> {
    let special = |kind: Special| (kind.name(), kind.sample(7, index));
    let mut film: Vec<_> = Mix::ALL.into_iter().map(|mix| (mix.name(), mix.sample(7, index))).collect();
    film.extend(
        [Special::Printed, Special::Beside, Special::CloseUp, Special::Unreadable, Special::Empty].map(special),
    );
    // Every third is held up for longer, so that a code half read is carried from frame to frame.
    if index.is_multiple_of(3) {
        film.extend(Mix::Hard.sequence(7, index).into_iter().map(|sample| ("sequence", sample)));
    }
    film
}

/// One decoder over the whole film, as in a lane.
fn looks() -> [Row; 4] {
    let mut rows = ["a code, read", "a code, not read", "a code nobody could read", "an empty gate"]
        .map(|what| Row::new(what, true));
    // No look ends early, however slow the machine.
    let mut decoder = Decoder::new(Settings { budget: Duration::from_secs(10), ..Settings::default() });
    for index in 0..WARM + COUNTED {
        for (place, (kind, sample)) in film(index).into_iter().enumerate() {
            let frame = luma(&sample);
            let mut read = false;
            let blocks = allocations(&format!("look-{index}-{place}-{kind}"), || {
                read = !decoder.look(&frame).codes.is_empty();
            });
            let row = match kind {
                "empty" => 3,
                "unreadable" => 2,
                _ => usize::from(!read),
            };
            if index >= WARM {
                rows[row].each.push(blocks);
            }
        }
    }
    rows
}

fn main() -> ExitCode {
    let mut rows = vec![
        Row::new("camera: YUYV to grey", true),
        Row::new("camera: NV12 to grey", true),
        Row::new("camera: grey", true),
        Row::new("recording: y4m", true),
        Row::new("camera or recording: MJPEG (zune-jpeg's own)", false),
    ];
    buffers(&mut rows[0], Packing::Yuyv, WIDTH * HEIGHT * 2);
    buffers(&mut rows[1], Packing::Nv12, WIDTH * HEIGHT * 3 / 2);
    buffers(&mut rows[2], Packing::Grey, WIDTH * HEIGHT);
    recording(&mut rows[3], "film.y4m", &y4m());
    recording(&mut rows[4], "film.mjpeg", &mjpeg());
    rows.extend(looks());

    println!("\n{:<52} {:>6} {:>11} {:>11}  promise", "allocations once warm", "frames", "all", "worst frame");
    rows.iter().for_each(Row::print);
    if rows.iter().all(Row::is_kept) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
