//! What one frame leaves for the next: where a symbol was, and what of it could be made out.
//!
//! A symbol that was located is looked for in the same place first, even if its finders do not show any more. One that could
//! not be read is remembered module by module; glare, noise and moire move from frame to frame, the code does not, and
//! several bad pictures make a good one.

use super::grid::Grid;
use super::locate::{Located, align, timing};
use super::refit::{Known, Sight, refit};
use super::symbol::Symbol;

/// Frames after which a symbol that was not seen again is forgotten.
const PATIENCE: u32 = 6;
/// Correlation of two pictures of one symbol; of different codes it is near zero.
const SAME: f32 = 0.25;
/// Timing from which on a symbol is certainly where it is believed to be.
const CERTAIN: f32 = 0.55;
/// Modules that a symbol may have moved since the last frame, to each side.
const MOVED: i32 = 4;
/// What is remembered counts so much of what is new, so that a wrong beginning is forgotten.
const FADE: f32 = 0.85;

/// A symbol of earlier frames.
#[derive(Debug, Default)]
pub(super) struct Track {
    last: Option<(Located, bool)>,
    unseen: u32,
    /// Sums of what was made out of a symbol that has not been read.
    sum: Grid,
    symbol: Option<Symbol>,
}

impl Track {
    pub(super) fn forget(&mut self) {
        (self.last, self.symbol) = (None, None);
    }

    /// Whether there is anything to look for.
    pub(super) fn is_empty(&self) -> bool {
        self.last.is_none()
    }

    /// A frame has passed.
    pub(super) fn age(&mut self) {
        self.unseen += 1;
        if self.unseen > PATIENCE {
            self.forget();
        }
    }

    /// The last place, and whether the symbol is inverted.
    pub(super) fn last(&self) -> Option<(Located, bool)> {
        self.last
    }

    /// A symbol was located, read or not.
    pub(super) fn note(&mut self, located: &Located, inverted: bool) {
        self.last = Some((*located, inverted));
        self.unseen = 0;
    }

    /// A symbol was read: nothing needs to be pieced together any more.
    pub(super) fn settle(&mut self) {
        self.symbol = None;
    }

    /// Adds what was made out of a symbol that could not be read; true if there is more to go by than this frame alone.
    pub(super) fn add(&mut self, dark: &Grid, symbol: Symbol) -> bool {
        let known = self.symbol == Some(symbol) && likeness(&self.sum, dark, symbol) > SAME;
        if !known {
            self.symbol = Some(symbol);
            self.sum.resize(dark.size);
        }
        for (sum, new) in self.sum.values.iter_mut().zip(&dark.values) {
            *sum = FADE * *sum + new.clamp(-1.2, 1.2);
        }
        known
    }

    /// All that was made out so far.
    pub(super) fn sum(&self) -> &Grid {
        &self.sum
    }
}

/// Finds a symbol again near where it was.
pub(super) fn find_again(mut located: Located, sight: Sight<'_>) -> Option<Located> {
    let place = |mapping: super::geometry::Mapping| (timing(&mapping, sight), mapping);
    let mut best = place(located.mapping);
    if best.0 < CERTAIN {
        for i in 0..(2 * MOVED + 1).pow(2) {
            let by = [i % (2 * MOVED + 1) - MOVED, i / (2 * MOVED + 1) - MOVED].map(|v| v as f32);
            let tried = place(located.mapping.moved(by));
            if tried.0 > best.0 {
                best = tried;
            }
        }
    }
    if best.0 < 0.3 {
        return None;
    }
    located.mapping = best.1;
    let known = Known::finders(located.hidden).timing([[0, located.symbol.size()]; 2]);
    refit(&mut located.mapping, sight, known, 2);
    located.timing = timing(&located.mapping, sight);
    if located.timing < CERTAIN {
        return None;
    }
    align(&mut located, sight);
    Some(located)
}

/// Correlation of what two grids say of the modules that are not fixed.
fn likeness(a: &Grid, b: &Grid, symbol: Symbol) -> f32 {
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    let layout = symbol.layout();
    for y in 0..a.size {
        for x in 0..a.size {
            if layout.known(x, y).is_none() {
                let (a, b) = (a.at(x, y).clamp(-2.0, 2.0), b.at(x, y).clamp(-1.2, 1.2));
                (ab, aa, bb) = (ab + a * b, aa + a * a, bb + b * b);
            }
        }
    }
    ab / (aa * bb).sqrt().max(1e-6)
}

#[cfg(test)]
mod tests {
    use super::super::read::Reading;
    use super::super::testing::{TEXT, chance, draw};
    use super::*;

    #[test]
    fn a_symbol_that_moved_is_found_again() {
        let drawn = draw(6, 4.0, 10.0, 0.1);
        let last = Located { symbol: drawn.symbol, mapping: drawn.truth.moved([2.6, -1.7]), hidden: None, timing: 1.0 };
        let found = find_again(last, drawn.sight()).expect("found");
        assert!(drawn.off(&found.mapping) < 0.3, "{}", drawn.off(&found.mapping));
    }

    #[test]
    fn several_bad_pictures_make_a_good_one() {
        let drawn = draw(6, 2.0, 0.0, 0.0);
        let (mut track, mut reading, mut bytes) = (Track::default(), Reading::default(), Vec::new());
        let noisy = |seed: usize| {
            let mut grid = drawn.grid();
            grid.values.iter_mut().enumerate().for_each(|(i, v)| *v = 0.7 * *v + chance(i + 7_000 * seed));
            grid
        };
        assert!((0..6).all(|seed| !reading.read(&noisy(seed), drawn.symbol, &mut bytes)), "none is readable alone");
        let together = (0..6)
            .any(|seed| track.add(&noisy(seed), drawn.symbol) && reading.read(track.sum(), drawn.symbol, &mut bytes));
        assert!(together && bytes == TEXT.as_bytes());
    }

    #[test]
    fn another_code_is_not_mixed_in() {
        let drawn = draw(6, 2.0, 0.0, 0.0);
        let other = Grid { size: drawn.symbol.size(), values: (0..drawn.dark.len()).map(chance).collect() };
        let mut track = Track::default();
        assert!(!track.add(&other, drawn.symbol), "the first one has nothing to go with");
        assert!(!track.add(&drawn.grid(), drawn.symbol), "the second one is another");
        assert!(track.add(&drawn.grid(), drawn.symbol));
    }
}
