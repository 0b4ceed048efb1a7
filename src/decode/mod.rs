//! From a frame to the texts of the codes in it.
//!
//! rqrr finds and reads the grid. It only looks for dark on light, so a frame in which it finds nothing is tried once
//! more inverted: phones in dark mode show light on dark.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::capture::Luma;

/// A code found in a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its text; bytes that are not UTF-8 are replaced, so that such a code is shown as what it is: not ours.
    pub text: String,
    /// Its corners in pixels, from the top left one in reading direction.
    pub corners: [[i32; 2]; 4],
}

impl Found {
    /// Twice its area: larger means nearer.
    fn area(&self) -> i64 {
        let c = self.corners.map(|[x, y]| [i64::from(x), i64::from(y)]);
        (0..4).map(|i| c[i][0] * c[(i + 1) % 4][1] - c[(i + 1) % 4][0] * c[i][1]).sum::<i64>().abs()
    }
}

/// The codes in a frame, the nearest first, each text once.
pub fn decode(frame: &Luma) -> Vec<Found> {
    let mut found = guarded(frame, Polarity::DarkOnLight);
    if found.is_empty() {
        found = guarded(frame, Polarity::LightOnDark);
    }
    found.sort_by_key(|f| std::cmp::Reverse(f.area()));
    let mut texts = std::collections::HashSet::new();
    found.retain(|f| texts.insert(f.text.clone()));
    found
}

#[derive(Clone, Copy, PartialEq)]
enum Polarity {
    DarkOnLight,
    LightOnDark,
}

/// rqrr has panicked on some pictures; a gate must not stop for one.
fn guarded(frame: &Luma, polarity: Polarity) -> Vec<Found> {
    catch_unwind(AssertUnwindSafe(|| grids(frame, polarity))).unwrap_or_else(|_| {
        tracing::warn!("the decoder panicked on a frame; the frame is skipped");
        Vec::new()
    })
}

fn grids(frame: &Luma, polarity: Polarity) -> Vec<Found> {
    // Smaller than the smallest code: nothing to find, and rqrr's block arithmetic wants some room.
    if frame.width() < 21 || frame.height() < 21 {
        return Vec::new();
    }
    let flip = if polarity == Polarity::LightOnDark { 0xff } else { 0 };
    let pixels = frame.pixels();
    let width = frame.width();
    let mut image =
        rqrr::PreparedImage::prepare_from_greyscale(width, frame.height(), |x, y| pixels[y * width + x] ^ flip);
    let grids = image.detect_grids();
    grids
        .into_iter()
        .filter_map(|grid| {
            let mut bytes = Vec::new();
            grid.decode_to(&mut bytes).ok()?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            Some(Found { text, corners: grid.bounds.map(|p| [p.x, p.y]) })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_any_size_and_content_are_survived() {
        for (width, height) in [(0, 0), (1, 1), (21, 21), (3, 4000), (640, 480)] {
            for fill in [0, 128, 255] {
                assert_eq!(decode(&Luma::new(width, height, vec![fill; width * height])), []);
            }
            let noise = (0..width * height).map(|i| (i * 2_654_435_761).to_le_bytes()[1]).collect();
            assert_eq!(decode(&Luma::new(width, height, noise)), []);
        }
    }
}
