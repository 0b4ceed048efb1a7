//! The light of each module, and how dark that is beside its neighbours.

use super::geometry::Mapping;
use super::plane::{Pyramid, View};
use super::refit::Sight;
use crate::capture::Luma;

/// Modules to each side that a module's light is held against.
const REACH: usize = 4;

/// Numbers for the modules of a symbol, in rows.
#[derive(Debug, Default, Clone)]
pub(super) struct Grid {
    pub(super) size: usize,
    pub(super) values: Vec<f32>,
}

impl Grid {
    pub(super) fn resize(&mut self, size: usize) {
        self.size = size;
        self.values.clear();
        self.values.resize(size * size, 0.0);
    }

    #[inline]
    pub(super) fn at(&self, x: usize, y: usize) -> f32 {
        self.values[y * self.size + x]
    }
}

/// The level of the pyramid in which a module is about this wide.
pub(super) fn level_for(module: f32, wanted: f32, levels: usize) -> usize {
    ((module / wanted).max(1.0).log2() as usize).min(levels.saturating_sub(1))
}

/// The picture in which to look at a mapped symbol: small enough to average noise and moire away.
pub(super) fn sight<'a>(
    pyramid: &'a mut Pyramid,
    frame: &'a Luma,
    mapping: &Mapping,
    inverted: bool,
    wanted: f32,
) -> Sight<'a> {
    let middle = mapping.size as f32 / 2.0;
    let [u, v] = mapping.module_at([middle, middle]);
    let level = level_for(u.min(v), wanted, pyramid.levels());
    pyramid.prepare(frame, level);
    Sight { picture: view(pyramid, frame, level), level, inverted }
}

fn view<'a>(pyramid: &'a Pyramid, frame: &'a Luma, level: usize) -> View<'a> {
    pyramid.level(frame, level)
}

/// Reads the light of every module: the mean of five places in it.
pub(super) fn sample(mapping: &Mapping, sight: Sight<'_>, light: &mut Grid) {
    const AROUND: [[f32; 2]; 5] = [[0.5, 0.5], [0.28, 0.34], [0.66, 0.28], [0.34, 0.72], [0.72, 0.66]];
    let size = mapping.size;
    light.resize(size);
    for y in 0..size {
        for x in 0..size {
            let place = |d: [f32; 2]| mapping.map([x as f32 + d[0], y as f32 + d[1]]);
            light.values[y * size + x] = AROUND.iter().map(|d| sight.at(place(*d))).sum::<f32>() / 5.0;
        }
    }
}

/// Sums over squares of a grid, in the time of one pass.
#[derive(Debug, Default)]
pub(super) struct Means {
    sums: Vec<f32>,
}

impl Means {
    fn sum_up(&mut self, grid: &Grid, value: impl Fn(usize, f32) -> f32) {
        let size = grid.size;
        let wide = size + 1;
        self.sums.clear();
        self.sums.resize(wide * wide, 0.0);
        for y in 0..size {
            let mut row = 0.0;
            for x in 0..size {
                row += value(y * size + x, grid.values[y * size + x]);
                self.sums[(y + 1) * wide + x + 1] = self.sums[y * wide + x + 1] + row;
            }
        }
    }

    fn around(&self, size: usize, x: usize, y: usize) -> f32 {
        let wide = size + 1;
        let (x0, y0) = (x.saturating_sub(REACH), y.saturating_sub(REACH));
        let (x1, y1) = ((x + REACH + 1).min(size), (y + REACH + 1).min(size));
        let sum = self.sums[y1 * wide + x1] - self.sums[y0 * wide + x1] - self.sums[y1 * wide + x0]
            + self.sums[y0 * wide + x0];
        sum / ((x1 - x0) * (y1 - y0)) as f32
    }
}

/// How dark each module is: about 1 for dark and -1 for light, whatever the light around it.
pub(super) fn normalise(light: &Grid, means: &mut Means, dark: &mut Grid) {
    let size = light.size;
    dark.resize(size);
    means.sum_up(light, |_, v| v);
    for y in 0..size {
        for x in 0..size {
            dark.values[y * size + x] = means.around(size, x, y) - light.at(x, y);
        }
    }
    means.sum_up(dark, |_, v| v.abs());
    for y in 0..size {
        for x in 0..size {
            dark.values[y * size + x] /= means.around(size, x, y).max(1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::draw;
    use super::*;

    #[test]
    fn dark_is_told_from_light_on_a_strong_gradient() {
        let drawn = draw(4, 5.0, 8.0, 0.1);
        let (mut light, mut dark, mut means) = (Grid::default(), Grid::default(), Means::default());
        sample(&drawn.truth, drawn.sight(), &mut light);
        // Half the contrast at one side, and as bright there as dark modules are at the other.
        for (i, v) in light.values.iter_mut().enumerate() {
            let x = (i % light.size) as f32 / light.size as f32;
            *v = *v * (1.0 - 0.5 * x) + 120.0 * x;
        }
        normalise(&light, &mut means, &mut dark);
        let wrong = dark.values.iter().zip(&drawn.dark).filter(|(v, d)| (**v > 0.0) != **d).count();
        assert!(wrong * 100 < dark.values.len(), "{wrong} wrong");
    }
}
