//! Whether anything has changed since the last frame.
//!
//! A gate is empty most of the day. One row in sixteen, in pieces of sixteen pixels, is enough to see somebody come.

use crate::capture::Luma;

const STEP: usize = 16;
/// Change of a piece's mean that is no noise, grey levels, beside four times the mean change.
const CHANGED: f32 = 3.0;
/// Frames that may be passed over in a row: at 15 a second, one a second is looked at whatever happens.
const MOST: u32 = 14;

/// Remembers the last frame in rough outlines.
#[derive(Debug, Default)]
pub(super) struct Stillness {
    size: [usize; 2],
    means: Vec<f32>,
    passed: u32,
}

impl Stillness {
    /// Whether this frame is as good as the last one, of which it was known that it held nothing.
    pub(super) fn may_pass(&mut self, frame: &Luma, held_nothing: bool) -> bool {
        let still = self.compare(frame);
        self.passed = if still && held_nothing && self.passed < MOST { self.passed + 1 } else { 0 };
        self.passed > 0
    }

    pub(super) fn forget(&mut self) {
        self.size = [0; 2];
    }

    /// Takes the new frame's outlines; says whether they are the old ones.
    fn compare(&mut self, frame: &Luma) -> bool {
        let known = std::mem::replace(&mut self.size, [frame.width(), frame.height()]) == self.size;
        if !known {
            self.means.clear();
        }
        let width = frame.width().max(1);
        let rows = frame.pixels().chunks_exact(width).skip(STEP / 2).step_by(STEP);
        let pieces = rows.flat_map(|row| row.as_chunks::<STEP>().0);
        let mean = |piece: &[u8; STEP]| piece.iter().map(|v| u16::from(*v)).sum::<u16>() as f32 / STEP as f32;
        if !known {
            self.means.extend(pieces.map(mean));
            return false;
        }
        let (mut sum, mut most) = (0.0, 0.0_f32);
        for (old, piece) in self.means.iter_mut().zip(pieces) {
            let new = mean(piece);
            let change = (new - *old).abs();
            *old = new;
            sum += change;
            most = most.max(change);
        }
        most <= CHANGED + 4.0 * sum / self.means.len().max(1) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(seed: u32, code: bool) -> Luma {
        let noise = |i: u32| (i.wrapping_mul(2_654_435_761).wrapping_add(seed.wrapping_mul(97_787)) >> 29) as u8;
        let mut pixels: Vec<u8> = (0..320 * 240).map(|i| 90 + noise(i)).collect();
        if code {
            for y in 100..150 {
                pixels[y * 320 + 100..y * 320 + 150].fill(200);
            }
        }
        Luma::new(320, 240, pixels)
    }

    #[test]
    fn an_empty_gate_is_passed_over_until_something_comes() {
        let mut still = Stillness::default();
        assert!(!still.may_pass(&frame(1, false), true), "the first frame is looked at");
        assert!(still.may_pass(&frame(2, false), true));
        assert!(!still.may_pass(&frame(3, true), true), "something came");
        assert!(!still.may_pass(&frame(4, true), false), "what held something is looked at again");
    }

    #[test]
    fn a_still_picture_is_looked_at_now_and_then() {
        let mut still = Stillness::default();
        let looked = (0..60).filter(|i| !still.may_pass(&frame(*i, false), true)).count();
        assert_eq!(looked, 4);
    }

    #[test]
    fn frames_without_pixels_and_of_changing_size_are_survived() {
        let mut still = Stillness::default();
        for (width, height) in [(0, 0), (1, 1), (0, 5), (17, 17), (5, 0)] {
            still.may_pass(&Luma::new(width, height, Vec::new()), true);
        }
    }
}
