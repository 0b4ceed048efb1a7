//! Hostile cameras and recordings: a frame or a problem in words, never a panic, and no more memory than the limits say.
#![no_main]

use std::path::{Path, PathBuf};

use libfuzzer_sys::fuzz_target;
use tongguan::capture::yuv::{self, Packing};
use tongguan::capture::{self, CaptureError, Luma};
use tongguan::config::{CameraSource, Replay};

/// Frames looked at of one recording.
const FRAMES: usize = 8;

fn play(name: &str, bytes: &[u8]) {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let path: PathBuf = folder.join(format!("tongguan-fuzz-{}-{name}", std::process::id()));
    std::fs::write(&path, bytes).expect("a place for the recording");
    let recording = CameraSource::Replay(Replay { path: path.clone(), fps: 0.0, repeat: false });
    let opened = capture::open(&recording);
    std::fs::remove_file(&path).ok();
    let Ok(Some(mut source)) = opened else { return };
    let mut picture = Luma::default();
    for _ in 0..FRAMES {
        match source.next(&mut picture) {
            Ok(true) => assert_eq!(picture.pixels().len(), picture.width() * picture.height()),
            Ok(false) | Err(CaptureError::Source(_)) => return,
            Err(_) => {}
        }
    }
}

fn buffer(bytes: &[u8]) {
    let Some((&[packing, w0, w1, h0, h1, stride], bytes)) = bytes.split_first_chunk() else { return };
    let packing = [Packing::Yuyv, Packing::Nv12, Packing::Grey][usize::from(packing % 3)];
    let size = [[w0, w1], [h0, h1]].map(|side| usize::from(u16::from_le_bytes(side)));
    let stride =
        if stride == 255 { usize::MAX } else { (packing.row(size[0]) + usize::from(stride)).saturating_sub(4) };
    let before = Luma::new(2, 2, vec![7; 4]);
    let mut picture = before.clone();
    match yuv::copy(packing, bytes, size, stride, &mut picture) {
        Ok(()) => assert_eq!([picture.width(), picture.height()], size),
        Err(_) => assert_eq!(picture, before),
    }
}

fuzz_target!(init: tongguan_fuzz::let_decoders_panic(), |data: &[u8]| {
    let Some((what, bytes)) = data.split_first() else { return };
    match what % 4 {
        0 => buffer(bytes),
        1 => {
            let mut picture = Luma::new(2, 2, vec![7; 4]);
            if picture.decode_jpeg(bytes).is_ok() {
                assert_eq!(picture.pixels().len(), picture.width() * picture.height());
            }
        }
        2 => play("film.y4m", bytes),
        _ => play("film.mjpeg", bytes),
    }
});
