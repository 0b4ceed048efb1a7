//! Grey pictures at full, half, quarter, ... size.
//!
//! Places are continuous and in pixels of the frame: pixel `i` covers `i..i+1`, so halving a picture halves its coordinates.

use crate::capture::Luma;

/// Times a frame is halved at most: at an eighth a code that fills a 1280x720 frame is 90 pixels wide.
pub(super) const LEVELS: usize = 4;
/// Smaller than the smallest code is nothing to look at.
const SMALLEST_SIDE: usize = 21;

/// A grey picture somebody else owns: rows from the top, a byte a pixel.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: &'a [u8],
}

impl<'a> View<'a> {
    pub(super) fn row(self, y: usize) -> &'a [u8] {
        &self.pixels[y * self.width..(y + 1) * self.width]
    }

    /// The light at a place, between the four nearest pixels; beyond the border it is the border's.
    #[inline]
    pub(super) fn sample(self, x: f32, y: f32) -> f32 {
        let x = (x - 0.5).clamp(0.0, (self.width - 1) as f32);
        let y = (y - 0.5).clamp(0.0, (self.height - 1) as f32);
        // The last pixel has none after it; far out a float cannot tell it from the one before.
        let (cx, cy) = ((x as usize).min(self.width - 2), (y as usize).min(self.height - 2));
        let (fx, fy) = (x - cx as f32, y - cy as f32);
        let at = cy * self.width + cx;
        let between = |pair: &[u8]| f32::from(pair[0]) + fx * (f32::from(pair[1]) - f32::from(pair[0]));
        let above = between(&self.pixels[at..at + 2]);
        let below = between(&self.pixels[at + self.width..at + self.width + 2]);
        above + fy * (below - above)
    }

    pub(super) fn holds(self, [x, y]: [f32; 2], margin: f32) -> bool {
        x >= margin && y >= margin && x <= self.width as f32 - margin && y <= self.height as f32 - margin
    }
}

/// A frame and its halves, each made when it is first asked for.
#[derive(Debug, Default)]
pub(super) struct Pyramid {
    halves: [Vec<u8>; LEVELS - 1],
    made: usize,
    size: [usize; 2],
}

impl Pyramid {
    /// Starts with a new frame; says whether it is as large as the one before.
    pub(super) fn begin(&mut self, frame: &Luma) -> bool {
        let size = [frame.width(), frame.height()];
        self.made = 0;
        std::mem::replace(&mut self.size, size) == size
    }

    /// How many levels of this frame are large enough to hold a code.
    pub(super) fn levels(&self) -> usize {
        (0..LEVELS).take_while(|l| self.size.iter().all(|side| side >> l >= SMALLEST_SIDE)).count()
    }

    /// Makes what is needed for [`Pyramid::level`].
    pub(super) fn prepare(&mut self, frame: &Luma, level: usize) {
        while self.made < level {
            let (made, target) = self.halves.split_at_mut(self.made);
            let source = match made.last() {
                None => View { width: frame.width(), height: frame.height(), pixels: frame.pixels() },
                Some(pixels) => View { width: self.size[0] >> self.made, height: self.size[1] >> self.made, pixels },
            };
            halve(source, &mut target[0]);
            self.made += 1;
        }
    }

    /// The frame halved `level` times, or as often as has been prepared.
    pub(super) fn level<'a>(&'a self, frame: &'a Luma, level: usize) -> View<'a> {
        let level = level.min(self.made);
        let pixels = if level == 0 { frame.pixels() } else { &self.halves[level - 1] };
        View { width: self.size[0] >> level, height: self.size[1] >> level, pixels }
    }
}

/// Each pixel the mean of four; an odd last row or column is left out.
fn halve(source: View<'_>, target: &mut Vec<u8>) {
    let (width, height) = (source.width / 2, source.height / 2);
    target.resize(width * height, 0);
    for (y, out) in target.chunks_exact_mut(width.max(1)).enumerate() {
        let (above, below) = (source.row(2 * y).as_chunks::<2>().0, source.row(2 * y + 1).as_chunks::<2>().0);
        // Both pixels of a pair in one word: compilers make vectors of it.
        let both = |pair: &[u8; 2]| {
            let pair = u16::from_le_bytes(*pair);
            (pair & 0xff) + (pair >> 8)
        };
        for ((out, a), b) in out.iter_mut().zip(above).zip(below) {
            *out = ((both(a) + both(b) + 2) >> 2) as u8;
        }
    }
}

/// Each pixel with half of its neighbours: what noise does to single pixels fades, and modules of two pixels stay.
pub(super) fn smooth(source: View<'_>, work: &mut Vec<u16>, target: &mut Vec<u8>) {
    let (width, height) = (source.width, source.height);
    target.resize(width * height, 0);
    work.resize(width + 2, 0);
    for (y, out) in target.chunks_exact_mut(width.max(1)).enumerate() {
        let (above, row, below) = (source.row(y.saturating_sub(1)), source.row(y), source.row((y + 1).min(height - 1)));
        for (((sum, a), b), c) in work[1..].iter_mut().zip(above).zip(row).zip(below) {
            *sum = u16::from(*a) + 2 * u16::from(*b) + u16::from(*c);
        }
        (work[0], work[width + 1]) = (work[1], work[width]);
        for (out, near) in out.iter_mut().zip(work.array_windows::<3>()) {
            *out = ((near[0] + 2 * near[1] + near[2] + 8) >> 4) as u8;
        }
    }
}
