//! What a screen does to a picture of it: the beat of its pixels with the camera's, and bands where it is switched.

use crate::plane::{pixel, real, smooth};
use crate::scene::{Grid, Pwm};

const STEPS: usize = 256;

/// Light across one pixel of a screen: three coloured columns as a grey camera weighs them, and the dark gap between one
/// row and the next.
pub(crate) struct Raster {
    columns: [f32; STEPS],
    rows: [f32; STEPS],
    per_mm: f32,
    amplitude: f32,
}

impl Raster {
    pub(crate) fn new(grid: Grid) -> Self {
        const COLOURS: [(f32, f32); 3] = [(1.0 / 6.0, 0.30), (0.5, 0.59), (5.0 / 6.0, 0.11)];
        let place = |i: usize| (real(i) + 0.5) / real(STEPS);
        let columns = std::array::from_fn(|i| {
            COLOURS.iter().map(|(at, weight)| weight * smooth(1.0 - (place(i) - at).abs() / 0.3)).sum()
        });
        let rows = std::array::from_fn(|i| smooth((0.5 - (place(i) - 0.5).abs()) / 0.35));
        // The brightest place is as bright as the screen.
        let full = |profile: [f32; STEPS]| profile.map(|v| v / profile.iter().copied().fold(0.01, f32::max));
        let amplitude = grid.amplitude.clamp(0.0, 1.0);
        Self { columns: full(columns), rows: full(rows), per_mm: 1.0 / grid.pitch.max(0.01), amplitude }
    }

    /// What is left of the light at a point of the screen. No mean is taken: that a camera's pixel sees one place of a
    /// much finer pattern is what makes the bands.
    pub(crate) fn light(&self, p: [f32; 2]) -> f32 {
        let step = |v: f32| pixel((v * self.per_mm).rem_euclid(1.0) * real(STEPS)).min(STEPS - 1);
        1.0 - self.amplitude * (1.0 - self.columns[step(p[0])] * self.rows[step(p[1])])
    }
}

impl Pwm {
    /// What is left of the light in a row of a frame.
    pub(crate) fn light(&self, y: usize, height: usize) -> f32 {
        let wave = (std::f32::consts::TAU * (real(y) / real(height) * self.bands + self.phase)).sin();
        // Switched, but over a shutter's time, so with edges that are neither hard nor round.
        1.0 - self.depth * smooth(0.5 + wave)
    }
}
