//! Paper from a pocket: two creases that stand up, and a bend.

use crate::plane::{hash, mix, smooth};
use crate::scene::Fold;

/// How far from a crease the paper has come down again, millimetres.
const REACH: f32 = 9.0;

/// Heights above the plane of the code, millimetres.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Relief {
    depth: f32,
    bend: f32,
    half: f32,
    /// Normal and distance from the middle of the code of each crease.
    creases: [[f32; 3]; 2],
}

impl Relief {
    /// `None` if it is flat.
    pub(crate) fn of(fold: Fold, code_mm: f32) -> Option<Self> {
        let draw = |i: i32, low: f32, high: f32| mix(low, high, hash(i, 17, fold.seed));
        let creases = [(0, draw(0, -14.0, 14.0)), (1, 90.0 + draw(1, -14.0, 14.0))].map(|(i, angle)| {
            let (sine, cosine) = angle.to_radians().sin_cos();
            // Through the code, but beside its middle, as a card is folded to fit a pocket.
            let side = if draw(2 + i, 0.0, 1.0) < 0.5 { -1.0 } else { 1.0 };
            [cosine, sine, side * draw(4 + i, 0.06, 0.36) * code_mm]
        });
        (fold.depth > 0.0 || fold.bend != 0.0).then_some(Self {
            depth: fold.depth,
            bend: fold.bend,
            half: code_mm / 2.0,
            creases,
        })
    }

    /// The point that is seen where a flat paper would show `p`.
    pub(crate) fn seen(&self, p: [f32; 2], eye: [f32; 3]) -> [f32; 2] {
        let share = self.height(p) / eye[2];
        [p[0] + share * (eye[0] - p[0]), p[1] + share * (eye[1] - p[1])]
    }

    fn height(&self, p: [f32; 2]) -> f32 {
        let along = p[0] / self.half;
        let ridges: f32 = self.creases.iter().map(|c| (1.0 - side(c, p).abs() / REACH).max(0.0)).map(|v| v * v).sum();
        self.depth * ridges - self.bend * along * along
    }

    /// What light from the upper left makes of it: a factor, and how much of the ink the crease has rubbed off.
    pub(crate) fn light(&self, p: [f32; 2]) -> [f32; 2] {
        let mut light = 1.0 + self.bend * 2.0 * p[0] / (self.half * self.half) * 0.5;
        let mut worn: f32 = 0.0;
        for crease in &self.creases {
            let s = side(crease, p);
            let slope = -2.0 * self.depth / REACH * (1.0 - s.abs() / REACH).max(0.0) * s.signum();
            light += slope * 0.8 * (crease[0] + crease[1]);
            worn = worn.max(smooth(1.0 - s.abs() / (0.12 + 0.16 * self.depth)) * self.depth.min(1.0));
        }
        [light.clamp(0.25, 1.6), worn]
    }
}

fn side(crease: &[f32; 3], p: [f32; 2]) -> f32 {
    crease[0] * p[0] + crease[1] * p[1] - crease[2]
}
