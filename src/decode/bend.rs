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
