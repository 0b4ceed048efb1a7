//! Undoes blur in the grid of modules.
//!
//! A blurred module carries part of its neighbours, and how much in which direction is the same all over the symbol. What
//! is known of the symbol trains a filter over 3x3 modules (least squares, as modems train theirs), which then also makes
//! up for motion in any direction and for a mapping that is a little off. Trained once more on its own decisions, it knows
//! the whole symbol.

use super::grid::Grid;
use super::solve::Normal;
use super::symbol::Symbol;

/// The nine modules around one, and a constant.
const TAPS: usize = 10;

/// Trains on what is known of the symbol, then filters.
pub(super) fn on_known(dark: &Grid, symbol: Symbol, out: &mut Grid) -> bool {
    let mut sums = Normal::<TAPS>::new();
    for (x, y, is_dark) in &symbol.layout().fixed {
        sums.add(&taps(dark, *x, *y), if *is_dark { 1.0 } else { -1.0 }, 1.0);
    }
    filter(dark, sums, 1e-2, out)
}

/// Trains on decisions, the surer ones more, then filters.
pub(super) fn on_decisions(dark: &Grid, decided: &Grid, symbol: Symbol, out: &mut Grid) -> bool {
    let mut sums = Normal::<TAPS>::new();
    let (size, layout) = (dark.size, symbol.layout());
    for y in 0..size {
        for x in 0..size {
            let decision = decided.at(x, y);
            let (target, weight) = match layout.known(x, y) {
                Some(true) => (1.0, 1.0),
                Some(false) => (-1.0, 1.0),
                None => (1.0_f32.copysign(decision), decision.abs().min(1.0)),
            };
            sums.add(&taps(dark, x, y), target, weight);
        }
    }
    filter(dark, sums, 1e-3, out)
}

fn filter(dark: &Grid, sums: Normal<TAPS>, ridge: f64, out: &mut Grid) -> bool {
    let Some(weights) = sums.solve(ridge) else { return false };
    let size = dark.size;
    out.resize(size);
    for y in 0..size {
        for x in 0..size {
            let taps = taps(dark, x, y);
            out.values[y * size + x] = weights.iter().zip(&taps).map(|(w, t)| w * t).sum();
        }
    }
    true
}

/// The modules around one; beyond the symbol it is light.
fn taps(dark: &Grid, x: usize, y: usize) -> [f32; TAPS] {
    let size = dark.size;
    let mut taps = [1.0; TAPS];
    for (i, tap) in taps[..9].iter_mut().enumerate() {
        let (nx, ny) = ((x + i % 3).wrapping_sub(1), (y + i / 3).wrapping_sub(1));
        *tap = if nx < size && ny < size { dark.at(nx, ny) } else { -1.0 };
    }
    taps
}

#[cfg(test)]
mod tests {
    use super::super::testing::{chance, draw};
    use super::*;

    #[test]
    fn motion_over_two_modules_is_undone() {
        let drawn = draw(6, 3.0, 0.0, 0.0);
        let (sharp, size) = (drawn.grid(), drawn.symbol.size());
        let mut moved = sharp.clone();
        for y in 0..size {
            for x in 0..size {
                let at = |x: usize| if x < size { sharp.at(x, y) } else { -1.0 };
                moved.values[y * size + x] =
                    0.2 * at(x.wrapping_sub(1)) + 0.5 * at(x) + 0.26 * at(x + 1) + 0.2 * chance(y * size + x);
            }
        }
        let wrong = |g: &Grid| g.values.iter().zip(&sharp.values).filter(|(a, b)| (**a > 0.0) != (**b > 0.0)).count();
        let (mut clear, mut clearer) = (Grid::default(), Grid::default());
        assert!(on_known(&moved, drawn.symbol, &mut clear));
        assert!(on_decisions(&moved, &clear, drawn.symbol, &mut clearer));
        let (before, after) = (wrong(&moved), wrong(&clearer));
        assert!(before > 100 && after * 2 < before, "{before} wrong before, {after} after");
    }
}
