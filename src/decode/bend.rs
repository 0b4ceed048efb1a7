//! Settles a mapping on the symbol's own modules.
//!
//! Every change from dark to light lies on a whole number of modules. Where a change is seen before or after its place,
//! the symbol is bent or the mapping is off there; a smooth bend through all of them takes that away. It needs no pattern,
//! so it also helps where the alignment pattern is hidden, on curved paper and behind a cheap lens.

use super::geometry::{Mapping, TERMS, terms};
use super::grid::Grid;
use super::refit::Sight;
use super::solve::Normal;

/// Changes looked at in one direction at most.
const MOST: usize = 3_000;
/// A module this sure has a colour.
const SURE: f32 = 0.35;

/// Bends the mapping once. The grids are what it saw before.
pub(super) fn settle(mapping: &mut Mapping, sight: Sight<'_>, light: &Grid, dark: &Grid) -> bool {
    let size = mapping.size;
    let every = (size * size).div_ceil(MOST);
    let mut sums = [Normal::<TERMS>::new(), Normal::<TERMS>::new()];
    for y in 0..size {
        for x in 0..size {
            if (x + y) % every != 0 || dark.at(x, y).abs() < SURE {
                continue;
            }
            for (direction, next) in [(0, [x + 1, y]), (1, [x, y + 1])] {
                if next[direction] >= size {
                    continue;
                }
                let beyond = dark.at(next[0], next[1]);
                if beyond.abs() < SURE || (beyond > 0.0) == (dark.at(x, y) > 0.0) {
                    continue;
                }
                let ends = [light.at(x, y), light.at(next[0], next[1])];
                let mut edge = [x as f32 + 0.5, y as f32 + 0.5];
                edge[direction] += 0.5;
                let offset = offset(mapping, sight, edge, direction, ends);
                sums[direction].add(&terms(mapping.scaled(edge)), offset, 1.0);
            }
        }
    }
    let [x, y] = sums.map(|s| s.solve(2e-3));
    let (Some(x), Some(y)) = (x, y) else { return false };
    mapping.bend([x, y]);
    true
}

/// How far beyond its place an edge is, modules: by how much of the way across it still looks like the first module.
fn offset(mapping: &Mapping, sight: Sight<'_>, edge: [f32; 2], direction: usize, ends: [f32; 2]) -> f32 {
    let mut sum = 0.0;
    for t in [-0.375, -0.125, 0.125, 0.375] {
        let mut place = edge;
        place[direction] += t;
        sum += sight.at(mapping.map(place));
    }
    let share = (ends[1] - 0.25 * sum) / (ends[1] - ends[0]);
    (share - 0.5).clamp(-0.5, 0.5)
}

#[cfg(test)]
mod tests {
    use super::super::grid::{Means, normalise, sample};
    use super::super::testing::{draw, paint};
    use super::*;
    use crate::capture::Luma;

    #[test]
    fn a_bent_symbol_is_followed() {
        let mut drawn = draw(6, 5.0, 0.0, 0.0);
        let straight = drawn.truth;
        let mut bend = [[0.0; TERMS]; 2];
        (bend[1][3], bend[0][5]) = (0.6, -0.3);
        drawn.truth.bend(bend);
        let side = drawn.frame.width();
        drawn.frame = Luma::new(side, side, paint(&drawn.truth, &drawn.dark, side));
        let mut mapping = straight;
        let (mut light, mut dark, mut means) = (Grid::default(), Grid::default(), Means::default());
        for _ in 0..2 {
            sample(&mapping, drawn.sight(), &mut light);
            normalise(&light, &mut means, &mut dark);
            assert!(settle(&mut mapping, drawn.sight(), &light, &dark));
        }
        let (before, after) = (drawn.off(&straight), drawn.off(&mapping));
        assert!(before > 0.5 && after < 0.3, "{before} modules before, {after} after");
    }
}
