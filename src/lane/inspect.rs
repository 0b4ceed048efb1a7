//! What a technician sees of the camera: what the decoder made of a frame, and how sharp it is. Nothing of it is computed while
//! nobody looks.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::capture::{Frame, Luma};
use crate::decode::Decoder;
use crate::screen::{Inspection, Outline, Screen};

/// Often enough to turn a lens by.
const BETWEEN: Duration = Duration::from_millis(120);
/// The time over which frames are counted.
const COUNTED: Duration = Duration::from_secs(2);
/// Places at which sharpness is measured, at most: a code that fills a large frame costs no more than a small one.
const PLACES: usize = 100_000;

/// Looks over the decoder's shoulder.
#[derive(Debug, Default)]
pub(super) struct Inspector {
    frames: VecDeque<Instant>,
    shown: Option<Instant>,
}

impl Inspector {
    /// Nobody looks.
    pub(super) fn rest(&mut self) {
        if self.shown.take().is_some() {
            self.frames.clear();
        }
    }

    /// Shows a frame that has been decoded, if it is time for another one.
    pub(super) fn look(&mut self, frame: &Frame, decoder: &Decoder, decode: Duration, screen: &Screen) {
        self.frames.push_back(frame.at);
        while self.frames.front().is_some_and(|at| frame.at.saturating_duration_since(*at) > COUNTED) {
            self.frames.pop_front();
        }
        if self.shown.is_some_and(|at| at.elapsed() < BETWEEN) {
            return;
        }
        self.shown = Some(Instant::now());
        let seen = decoder.seen();
        let code = |code: &crate::decode::Found| Outline { corners: code.corners, modules: code.modules };
        let finder = |corners| Outline { corners, modules: 7 };
        let codes: Vec<Outline> = seen.codes.iter().map(code).collect();
        let part = codes.first().map_or_else(|| middle(&frame.luma), |code| around(&code.corners, &frame.luma));
        let (focus, brightness) = sharpness(&frame.luma, part);
        let inspection = Inspection {
            size: (frame.luma.width(), frame.luma.height()),
            codes,
            finders: decoder.unread().map(finder).collect(),
            focus,
            brightness,
            frames_per_second: self.rate(),
            decode,
        };
        screen.inspect(inspection, frame.luma.pixels());
    }

    fn rate(&self) -> f32 {
        let (Some(first), Some(last)) = (self.frames.front(), self.frames.back()) else { return 0.0 };
        let (count, time) = (self.frames.len().saturating_sub(1), last.saturating_duration_since(*first));
        if time.is_zero() { 0.0 } else { u16::try_from(count).map_or(0.0, f32::from) / time.as_secs_f32() }
    }
}

/// Left, top, right and bottom of a part of a frame.
type Part = [usize; 4];

fn middle(luma: &Luma) -> Part {
    let (width, height) = (luma.width(), luma.height());
    [width / 4, height / 4, width - width / 4, height - height / 4]
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixels; casts from float saturate")]
fn around(corners: &[[f32; 2]; 4], luma: &Luma) -> Part {
    let ends = |i: usize, size: usize| {
        let all = corners.iter().map(|corner| corner[i]);
        let (first, last) = (all.clone().fold(f32::MAX, f32::min), all.fold(0.0, f32::max));
        ((first.max(0.0) as usize).min(size), (last.max(0.0) as usize).min(size))
    };
    let ((left, right), (top, bottom)) = (ends(0, luma.width()), ends(1, luma.height()));
    [left, top, right, bottom]
}

/// The variance of the Laplacian, which is largest where the lens is in focus, and the mean light.
#[expect(clippy::cast_possible_truncation, reason = "a figure for the eye")]
fn sharpness(luma: &Luma, [left, top, right, bottom]: Part) -> (f32, f32) {
    let (width, pixels) = (luma.width(), luma.pixels());
    let (left, top) = (left.max(1), top.max(1));
    let (right, bottom) = (right.min(width.saturating_sub(1)), bottom.min(luma.height().saturating_sub(1)));
    if left >= right || top >= bottom {
        return (0.0, 0.0);
    }
    let step = ((right - left) * (bottom - top)).div_ceil(PLACES).max(1);
    let (mut sum, mut squares, mut light, mut count) = (0_i64, 0_i64, 0_i64, 0_i64);
    for y in (top..bottom).step_by(step) {
        let row = |y: usize| &pixels[y * width..][..width];
        let (above, here, below) = (row(y - 1), row(y), row(y + 1));
        for x in left..right {
            let at = |value: u8| i64::from(value);
            let bend = 4 * at(here[x]) - at(here[x - 1]) - at(here[x + 1]) - at(above[x]) - at(below[x]);
            (sum, squares, light, count) = (sum + bend, squares + bend * bend, light + at(here[x]), count + 1);
        }
    }
    let share = |sum: i64| sum as f64 / count as f64;
    let mean = share(sum);
    ((share(squares) - mean * mean).max(0.0) as f32, share(light) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Squares whose edges are so many pixels wide.
    fn squares(blur: usize) -> Luma {
        let grey = |x: usize| {
            let place = x % 32;
            let edge = |from: usize| (place.saturating_sub(from)).min(blur) * 200 / blur;
            u8::try_from(20 + edge(0) - edge(16)).unwrap()
        };
        Luma::new(320, 240, (0..320 * 240).map(|i| grey(i % 320)).collect())
    }

    #[test]
    fn the_sharper_picture_has_the_larger_figure_and_the_light_is_the_same() {
        let measured: Vec<(f32, f32)> = [1, 2, 4, 8].map(squares).iter().map(|l| sharpness(l, middle(l))).collect();
        for two in measured.windows(2) {
            assert!(two[0].0 > 1.5 * two[1].0, "{measured:?}");
            assert!((two[0].1 - two[1].1).abs() < 15.0, "{measured:?}");
        }
    }

    #[test]
    fn a_part_that_is_none_has_no_figure() {
        let luma = Luma::new(2, 2, vec![7; 4]);
        assert_eq!(sharpness(&luma, middle(&luma)), (0.0, 0.0));
        let luma = squares(1);
        let outside = around(&[[400.0, -5.0], [500.0, -5.0], [500.0, -1.0], [400.0, -1.0]], &luma);
        assert_eq!(sharpness(&luma, outside), (0.0, 0.0));
    }
}
