//! Grey frames of any size and content: the decoder never panics and never runs far over its budget.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use tongguan::capture::Luma;
use tongguan::decode::{Decoder, Settings};

/// Pixels of most frames: many small frames find more than few large ones.
const USUAL: usize = 1 << 15;
/// Pixels of a few frames: the widest of all, and high enough to hold a code.
const MOST: usize = 1 << 21;
/// Bytes of the largest code's content.
const LONGEST: usize = 7_089;

/// A frame of that size: the bytes are enlarged pixels, repeated until it is full.
fn frame(width: usize, height: usize, scale: usize, bytes: &[u8], shift: usize) -> Luma {
    let columns = width / scale + 1;
    let at = |x: usize, y: usize| bytes[(y / scale * columns + x / scale + shift) % bytes.len()];
    Luma::new(width, height, (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| at(x, y)).collect())
}

fuzz_target!(init: tongguan_fuzz::let_decoders_panic(), |data: &[u8]| {
    let Some((&[w0, w1, h0, h1, how, much], bytes)) = data.split_first_chunk() else { return };
    if bytes.is_empty() {
        return;
    }
    let most = if how == 0 { MOST } else { USUAL };
    let width = usize::from(u16::from_le_bytes([w0, w1]));
    let height = usize::from(u16::from_le_bytes([h0, h1])).min(most / width.max(1));
    let settings =
        Settings { budget: Duration::from_millis(1 + u64::from(how >> 6)), manners: 1 + usize::from(much >> 6) };
    let mut decoder = Decoder::new(settings);
    for shown in 0..1 + usize::from(how >> 4 & 1) + usize::from(how >> 5 & 1) {
        let shift = shown * usize::from(much >> 5 & 1);
        let seen = decoder.look(&frame(width, height, 1 + usize::from(much & 15), bytes, shift));
        for found in &seen.codes {
            assert!(!found.bytes.is_empty() && found.bytes.len() <= LONGEST);
            assert!(found.corners.as_flattened().iter().all(|v| v.is_finite()));
        }
        if much >> 4 & 1 == 1 {
            decoder.forget();
        }
    }
});
