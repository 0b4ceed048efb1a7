//! What codes are seen on besides phones and cards, and what looks a little like codes and is none. Drawn once each.

use std::f32::consts::TAU;
use std::sync::Arc;

use super::pool;
use crate::medium::line_of_text;
use crate::plane::shape::{capsule, ellipse, rounded};
use crate::plane::{cell, hash, mix, smooth, value_noise};
use crate::texture::{Sizes, Texture};

/// A monitor with windows on it; at the origin is a white place for a code of [`MONITOR_CODE`] millimetres.
pub(super) fn monitor(variant: u64) -> Arc<Sizes> {
    let variant = variant % 4;
    pool::ground("monitor", variant, || {
        let pick = |i: i32, low: f32, high: f32| mix(low, high, hash(i, 51, variant));
        let middle = [pick(1, -120.0, 120.0), pick(2, -50.0, 40.0)];
        let (min, max) = ([middle[0] - 270.0, middle[1] - 160.0], [middle[0] + 270.0, middle[1] + 160.0]);
        let mut t = Texture::new(min, max, 2.6);
        t.paint(min, max, |p| rounded(p, middle, [268.0, 158.0], 4.0), |_, _| 12.0);
        let wallpaper = |p: [f32; 2], _| 90.0 + 70.0 * value_noise(p[0] * 0.012, p[1] * 0.012, variant + 3);
        t.paint(min, max, |p| rounded(p, middle, [260.0, 148.0], 1.0), wallpaper);
        // A window behind, and the browser in front with the code in it.
        window(&mut t, [middle[0] + pick(3, -90.0, 90.0), middle[1] + 20.0], [120.0, 90.0], variant + 20);
        window(&mut t, [pick(4, -30.0, 30.0), pick(5, -12.0, 12.0)], [130.0, 92.0], variant);
        let place = MONITOR_CODE * 0.68;
        t.paint([-place; 2], [place; 2], |p| rounded(p, [0.0; 2], [place - 1.0; 2], 2.0), |_, _| 244.0);
        t
    })
}

/// Side of the code on a monitor, millimetres.
pub(super) const MONITOR_CODE: f32 = 80.0;

fn window(t: &mut Texture, middle: [f32; 2], half: [f32; 2], seed: u64) {
    let (min, max) = ([middle[0] - half[0], middle[1] - half[1]], [middle[0] + half[0], middle[1] + half[1]]);
    t.paint(min, max, |p| rounded(p, middle, half, 2.0), |_, _| 236.0);
    t.paint(min, [max[0], min[1] + 9.0], |p| p[1] - min[1] - 9.0, |_, _| 70.0);
    line_of_text(t, [min[0] + 6.0, min[1] + 4.5], 50.0, 3.0, 220.0, seed);
    for row in 0_u8..24 {
        let y = min[1] + 16.0 + 7.0 * f32::from(row);
        if y < max[1] - 5.0 {
            line_of_text(t, [min[0] + 6.0, y], 2.0 * half[0] - 14.0, 3.0, 70.0, seed + u64::from(row));
        }
    }
    // Pictures among the text.
    for i in 0..3 {
        let at = [
            mix(min[0] + 20.0, max[0] - 20.0, hash(i, 52, seed)),
            mix(min[1] + 30.0, max[1] - 16.0, hash(i, 53, seed)),
        ];
        let (a, b) = ([at[0] - 17.0, at[1] - 12.0], [at[0] + 17.0, at[1] + 12.0]);
        t.paint(
            a,
            b,
            |p| rounded(p, at, [16.0, 11.0], 1.0),
            |p, _| 40.0 + 190.0 * value_noise(p[0] * 0.16, p[1] * 0.16, seed + 9),
        );
    }
}

/// A sheet or a board to stick codes on: paper, wood, metal.
pub(super) fn sheet(variant: u64) -> Arc<Sizes> {
    let variant = variant % 3;
    pool::ground("sheet", variant, || {
        let (min, max) = ([-170.0, -105.0], [170.0, 105.0]);
        let mut t = Texture::new(min, max, 2.0);
        t.paint(
            min,
            max,
            |p| rounded(p, [0.0; 2], [166.0, 101.0], 3.0),
            |p, _| match variant {
                0 => 205.0 + 8.0 * value_noise(p[0] * 0.8, p[1] * 0.8, 4),
                1 => 110.0 + 50.0 * value_noise(p[0] * 0.03, p[1] * 0.5, 5) + 20.0 * value_noise(p[0], p[1] * 2.0, 6),
                _ => {
                    150.0
                        + 25.0 * value_noise(p[0] * 0.02, p[1] * 0.02, 7)
                        + 10.0 * value_noise(p[0] * 3.0, p[1] * 0.1, 8)
                }
            },
        );
        t
    })
}

/// Walls that are larger than the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wall {
    Flat,
    Rough,
    Bricks,
    Tiles,
    Chessboard,
    Fence,
    Mesh,
    Stripes,
    Blinds,
    Poster,
    Rings,
    Portrait,
}

impl Wall {
    pub(super) const ALL: [Self; 12] = [
        Self::Flat,
        Self::Rough,
        Self::Bricks,
        Self::Tiles,
        Self::Chessboard,
        Self::Fence,
        Self::Mesh,
        Self::Stripes,
        Self::Blinds,
        Self::Poster,
        Self::Rings,
        Self::Portrait,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Flat => "flat wall",
            Self::Rough => "rough wall",
            Self::Bricks => "bricks",
            Self::Tiles => "tiles",
            Self::Chessboard => "chessboard",
            Self::Fence => "fence",
            Self::Mesh => "mesh",
            Self::Stripes => "stripes",
            Self::Blinds => "blinds",
            Self::Poster => "poster of text",
            Self::Rings => "rings and squares",
            Self::Portrait => "person",
        }
    }

    pub(super) fn drawn(self, variant: u64) -> Arc<Sizes> {
        let seed = variant % 2;
        pool::ground(self.name(), seed, || {
            let (min, max) = ([-230.0, -150.0], [230.0, 150.0]);
            let mut t = Texture::new(min, max, 2.2);
            t.paint(min, max, |_| -9.0, |p, _| self.light(p, seed));
            if self == Self::Poster {
                for row in 0_u8..34 {
                    let tall = mix(2.5, 7.0, hash(i32::from(row) / 6, 61, seed));
                    let y = -140.0 + 8.4 * f32::from(row);
                    for column in [-200.0, -60.0, 80.0] {
                        line_of_text(&mut t, [column, y], 125.0, tall, 40.0, seed + u64::from(row) * 3);
                    }
                }
            }
            t
        })
    }

    /// Light at a place, millimetres from the middle.
    fn light(self, p: [f32; 2], seed: u64) -> f32 {
        let grain = |scale: f32, depth: f32| depth * (value_noise(p[0] * scale, p[1] * scale, seed + 11) - 0.5);
        let size = mix(0.7, 1.6, hash(1, 62, seed));
        let within = |v: f32| v.rem_euclid(1.0);
        match self {
            Self::Flat => 150.0 + 0.15 * p[0] - 0.1 * p[1],
            Self::Rough => 120.0 + grain(0.03, 60.0) + grain(0.3, 60.0) + grain(0.9, 50.0),
            Self::Bricks => {
                let row = p[1] / (14.0 * size);
                let u = within(p[0] / (34.0 * size) + 0.5 * row.floor().rem_euclid(2.0));
                let joint = u < 0.06 || within(row) < 0.14;
                if joint { 170.0 + grain(0.5, 20.0) } else { 80.0 + 50.0 * hash(cell(row), cell(p[0] / 34.0), seed) }
            }
            Self::Tiles => {
                let (u, v) = (within(p[0] / (22.0 * size)), within(p[1] / (22.0 * size)));
                if u < 0.07 || v < 0.07 { 60.0 } else { 200.0 + grain(0.1, 30.0) }
            }
            Self::Chessboard => {
                let dark = (cell(p[0] / (6.0 * size)) + cell(p[1] / (6.0 * size))).rem_euclid(2) == 0;
                if dark { 35.0 } else { 215.0 }
            }
            Self::Fence => {
                let bar = (within(p[0] / (17.0 * size)) - 0.5).abs() * 17.0 * size;
                let rail = (p[1].abs() - 90.0).abs();
                if rail < 4.0 {
                    45.0 + 8.0 * rail
                } else if bar < 2.4 {
                    40.0 + 20.0 * bar
                } else {
                    165.0 + grain(0.02, 90.0) + grain(0.1, 40.0)
                }
            }
            Self::Mesh => {
                let (u, v) = (within((p[0] + p[1]) / (11.0 * size)), within((p[0] - p[1]) / (11.0 * size)));
                if u < 0.16 || v < 0.16 { 50.0 } else { 175.0 + grain(0.03, 80.0) }
            }
            Self::Stripes => {
                let bars = within(p[0] / (9.0 * size));
                let line = cell(p[0] / (1.5 * size));
                if p[1].abs() < 60.0 && seed == 1 {
                    // As a barcode has them.
                    if hash(line, 5, seed) < 0.5 { 20.0 } else { 235.0 }
                } else if bars < 0.5 {
                    40.0
                } else {
                    220.0
                }
            }
            Self::Blinds => 60.0 + 150.0 * smooth(within(p[1] / (12.0 * size))) + grain(0.02, 30.0),
            Self::Poster => 214.0 + grain(0.05, 12.0),
            Self::Rings => {
                // Alone they look like a code's corners, and there are not three of them in a corner's place.
                let grid = [cell(p[0] / 62.0), cell(p[1] / 62.0)];
                let at = [grid[0] as f32 * 62.0 + 31.0, grid[1] as f32 * 62.0 + 31.0];
                let (dx, dy) = (p[0] - at[0], p[1] - at[1]);
                let unit = mix(1.6, 3.2, hash(grid[0], grid[1], seed));
                let far =
                    if hash(grid[0], grid[1], seed + 5) < 0.6 { dx.abs().max(dy.abs()) } else { dx.hypot(dy) } / unit;
                if far < 1.5 || (2.5..3.5).contains(&far) { 30.0 } else { 200.0 }
            }
            Self::Portrait => {
                let head = ellipse(p, [0.0, -30.0], [42.0, 56.0]);
                let coat = capsule(p, [-60.0, 130.0], [60.0, 130.0], [85.0, 85.0]);
                let eyes = ellipse(p, [-16.0, -40.0], [6.0, 3.0]).min(ellipse(p, [16.0, -40.0], [6.0, 3.0]));
                let hair = ellipse(p, [0.0, -62.0], [46.0, 36.0]);
                if eyes < 0.0 {
                    25.0
                } else if hair < 0.0 && p[1] < -50.0 {
                    25.0 + grain(0.6, 30.0)
                } else if head < 0.0 {
                    130.0 + 1.2 * head.max(-40.0) + grain(0.05, 24.0)
                } else if coat < 0.0 {
                    // A checked coat.
                    let check = (TAU * p[0] / 14.0).sin().signum() + (TAU * p[1] / 14.0).sin().signum();
                    75.0 + 24.0 * check + grain(0.4, 20.0)
                } else {
                    165.0 + grain(0.02, 60.0)
                }
            }
        }
    }
}
