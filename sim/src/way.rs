//! The way of the light from the surface to a pixel and back: perspective, a cheap lens, rows read one after the other,
//! paper that does not lie flat.

use std::ops::Range;

use crate::optics::Perspective;
use crate::paper::Relief;
use crate::plane::{Region, real};
use crate::scene::{Scene, Shutter};

/// Between millimetres from the middle of the code and pixels of the frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    perspective: Perspective,
    distortion: f32,
    shutter: Shutter,
    pub(crate) relief: Option<Relief>,
    width: usize,
    height: usize,
}

impl Way {
    pub(crate) fn of(scene: &Scene, code_mm: f32, width: usize, height: usize) -> Self {
        Self {
            perspective: Perspective::of(scene, code_mm, width, height),
            distortion: scene.distortion,
            shutter: scene.shutter,
            relief: Relief::of(scene.fold, code_mm),
            width,
            height,
        }
    }

    /// Where a point of the surface is on the frame; `None` behind the camera. Exact but for the relief, which moves
    /// things by less than anybody who asks needs to know.
    pub(crate) fn project(&self, p: [f32; 2]) -> Option<[f32; 2]> {
        let aim = self.perspective.project(p)?;
        if self.is_pinhole() {
            return Some(aim);
        }
        // What straightens a pixel is known; its inverse is found by walking there.
        let mut at = aim;
        for _ in 0..6 {
            let straight = self.straightened(at);
            at = [at[0] + aim[0] - straight[0], at[1] + aim[1] - straight[1]];
        }
        Some(at)
    }

    /// The part of the frame that a box on the surface covers, given its corners; all of it if a corner is behind the
    /// camera.
    pub(crate) fn region(&self, corners: &[[f32; 2]; 4]) -> Region {
        let mut min = [f32::MAX; 2];
        let mut max = [f32::MIN; 2];
        for i in 0..4 {
            let (a, b) = (corners[i], corners[(i + 1) % 4]);
            for share in [0.0, 0.25, 0.5, 0.75] {
                let Some(p) = self.project([a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share]) else {
                    return Region { x0: 0, y0: 0, x1: self.width, y1: self.height };
                };
                min = [min[0].min(p[0]), min[1].min(p[1])];
                max = [max[0].max(p[0]), max[1].max(p[1])];
            }
        }
        let region = Region::around(min, max, self.width, self.height);
        let loose = !self.is_pinhole() || self.relief.is_some();
        if loose && !region.is_empty() { region.grown(8, self.width, self.height) } else { region }
    }

    /// Calls with each pixel of a stretch of a row that can see the surface, and the point it sees.
    pub(crate) fn row(&self, y: usize, columns: Range<usize>, mut see: impl FnMut(usize, [f32; 2])) {
        let middle = real(y) + 0.5;
        let moved = self.moved(middle);
        let eye = self.perspective.eye();
        let bent = |flat: [f32; 2]| self.relief.map_or(flat, |relief| relief.seen(flat, eye));
        if self.distortion == 0.0 {
            let from = [real(columns.start) + 0.5 - moved[0], middle - moved[1]];
            let ([mut u, mut v, mut w], step) = self.perspective.back(from[0], from[1]);
            for x in columns {
                if w > 0.0 {
                    let near = 1.0 / w;
                    see(x, bent([u * near, v * near]));
                }
                (u, v, w) = (u + step[0], v + step[1], w + step[2]);
            }
            return;
        }
        for x in columns {
            let [sx, sy] = self.through_lens([real(x) + 0.5, middle]);
            let ([u, v, w], _) = self.perspective.back(sx - moved[0], sy - moved[1]);
            if w > 0.0 {
                let near = 1.0 / w;
                see(x, bent([u * near, v * near]));
            }
        }
    }

    fn is_pinhole(&self) -> bool {
        self.distortion == 0.0 && self.shutter == Shutter::default()
    }

    /// Where a pixel would be if the lens were good and all rows were read at once.
    fn straightened(&self, p: [f32; 2]) -> [f32; 2] {
        let (lens, moved) = (self.through_lens(p), self.moved(p[1]));
        [lens[0] - moved[0], lens[1] - moved[1]]
    }

    /// Where a pixel would be if the lens were good.
    fn through_lens(&self, p: [f32; 2]) -> [f32; 2] {
        let (half_w, half_h) = (real(self.width) / 2.0, real(self.height) / 2.0);
        let (dx, dy) = (p[0] - half_w, p[1] - half_h);
        let scale = 1.0 / (1.0 + self.distortion * (dx * dx + dy * dy) / (half_w * half_w)).max(0.05);
        [half_w + dx * scale, half_h + dy * scale]
    }

    /// How far the hand has moved things when this row is read, against the middle of the frame.
    fn moved(&self, y: f32) -> [f32; 2] {
        if self.shutter == Shutter::default() {
            return [0.0; 2];
        }
        let time = y / real(self.height);
        let (tremble, turned) = (std::f32::consts::TAU * self.shutter.beats * time).sin_cos();
        [self.shutter.skew * (time - 0.5) + self.shutter.wobble * tremble, 0.35 * self.shutter.wobble * turned]
    }
}
