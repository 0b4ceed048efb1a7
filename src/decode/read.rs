//! From a grid of modules to the bytes in it: rqrr unmasks, corrects and parses.
//!
//! Before that the format information is decided softly over both its copies, and what is fixed in the symbol is held
//! against what was seen: a grid that is no code costs little, and what is not there is not read.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rqrr::BitGrid;

use super::grid::Grid;
use super::repair::Repair;
use super::symbol::{Symbol, format_places, format_word};

/// Share of the fixed modules that may be wrong.
const WORST_FIXED: f32 = 0.25;
/// Bits of the 30 of the format information that may be wrong.
const WORST_FORMAT: usize = 9;
/// Bytes of the largest symbol's content: 7089 digits.
const LONGEST: usize = 7_089;

/// A grid as rqrr takes it: decided, and with its format information put right.
struct Decided<'a> {
    dark: &'a Grid,
    format: u32,
}

impl BitGrid for Decided<'_> {
    fn size(&self) -> usize {
        self.dark.size
    }

    fn bit(&self, y: usize, x: usize) -> bool {
        if (x == 8 && (y < 9 || y + 7 >= self.dark.size)) || (y == 8 && (x < 9 || x + 8 >= self.dark.size)) {
            let places = format_places(self.dark.size);
            if let Some(i) = places.iter().position(|copies| copies.contains(&[x, y])) {
                return self.format >> (14 - i) & 1 == 1;
            }
        }
        self.dark.at(x, y) > 0.0
    }
}

/// Writes with a bound, into memory that is there already.
struct Bounded<'a>(&'a mut Vec<u8>);

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > LONGEST {
            return Err(std::io::ErrorKind::OutOfMemory.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Reads grids.
#[derive(Debug, Default)]
pub(super) struct Reading {
    repair: Repair,
    repaired: Grid,
}

impl Reading {
    /// Reads a grid of darkness (above zero is dark) into `bytes`.
    pub(super) fn read(&mut self, dark: &Grid, symbol: Symbol, bytes: &mut Vec<u8>) -> bool {
        if wrong_share(dark, symbol) > WORST_FIXED {
            return false;
        }
        // A code seen in a mirror has rows and columns exchanged; its format information says so.
        let (plain, mirrored) = (format(dark, |x, y| [x, y]), format(dark, |x, y| [y, x]));
        let is_mirrored = mirrored.likely > plain.likely;
        let Some(format) = (if is_mirrored { mirrored } else { plain }).format else { return false };
        self.repaired.size = dark.size;
        self.repaired.values.clone_from(&dark.values);
        if is_mirrored {
            for y in 0..dark.size {
                for x in 0..dark.size {
                    self.repaired.values[x * dark.size + y] = dark.at(x, y);
                }
            }
        }
        if !self.repair.repair(&mut self.repaired, symbol, format) {
            return false;
        }
        let grid = rqrr::Grid::new(Decided { dark: &self.repaired, format: format_word(format) });
        bytes.clear();
        // rqrr has panicked on some pictures; a gate must not stop for one.
        let read = catch_unwind(AssertUnwindSafe(|| grid.decode_to(Bounded(bytes)).is_ok()));
        matches!(read, Ok(true)) && !bytes.is_empty()
    }
}

/// Share of the fixed modules that are not as they should be.
pub(super) fn wrong_share(dark: &Grid, symbol: Symbol) -> f32 {
    let fixed = &symbol.layout().fixed;
    let wrong = fixed.iter().filter(|(x, y, is_dark)| *is_dark != (dark.at(*x, *y) > 0.0)).count();
    wrong as f32 / fixed.len() as f32
}

/// What the format information says.
struct Format {
    /// Correlation of the most likely of the 32 words with both copies.
    likely: f32,
    /// Its level and mask, if it is likely at all.
    format: Option<u32>,
}

/// Decides softly over both copies; `turn` says where a module is.
fn format(dark: &Grid, turn: fn(usize, usize) -> [usize; 2]) -> Format {
    let places = format_places(dark.size).map(|copies| copies.map(|[x, y]| turn(x, y)));
    let mut best = (f32::MIN, 0);
    for i in 0..32 {
        let word = format_word(i);
        let likely: f32 = (0..15)
            .map(|bit| {
                let sign = if word >> (14 - bit) & 1 == 1 { 1.0 } else { -1.0 };
                places[bit].iter().map(|[x, y]| sign * dark.at(*x, *y).clamp(-1.0, 1.0)).sum::<f32>()
            })
            .sum();
        if likely > best.0 {
            best = (likely, i);
        }
    }
    let word = format_word(best.1);
    let wrong = |copy: usize| {
        let differs = |bit: &usize| {
            let [x, y] = places[*bit][copy];
            (dark.at(x, y) > 0.0) != (word >> (14 - bit) & 1 == 1)
        };
        (0..15).filter(differs).count()
    };
    let wrong = [wrong(0), wrong(1)];
    let is_likely = wrong[0] + wrong[1] <= WORST_FORMAT || wrong.iter().any(|w| *w <= 2);
    Format { likely: best.0, format: is_likely.then_some(best.1) }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{TEXT, chance, draw};
    use super::*;

    #[test]
    fn a_grid_is_read_with_its_format_torn() {
        let drawn = draw(6, 2.0, 0.0, 0.0);
        let mut grid = drawn.grid();
        // Three bits of each copy.
        for places in &format_places(grid.size)[3..6] {
            for [x, y] in places {
                grid.values[y * grid.size + x] *= -1.0;
            }
        }
        let mut bytes = Vec::new();
        assert!(Reading::default().read(&grid, drawn.symbol, &mut bytes));
        assert_eq!(bytes, TEXT.as_bytes());
    }

    #[test]
    fn chance_is_not_read() {
        let drawn = draw(6, 2.0, 0.0, 0.0);
        let mut grid = drawn.grid();
        let (mut reading, mut bytes) = (Reading::default(), Vec::new());
        for seed in 0..100 {
            for (i, v) in grid.values.iter_mut().enumerate() {
                let (x, y) = (i % drawn.symbol.size(), i / drawn.symbol.size());
                if drawn.symbol.layout().known(x, y).is_none() {
                    *v = chance(i + 10_000 * seed);
                }
            }
            assert!(!reading.read(&grid, drawn.symbol, &mut bytes));
        }
    }
}
