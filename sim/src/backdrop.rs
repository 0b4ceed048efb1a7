//! The gate behind the phone: a dim entrance, and the visitor who comes to it. Both are out of focus and drawn once.

use crate::optics;
use crate::plane::shape::{capsule, ellipse, rounded};
use crate::plane::{Layer, Plane, level, mix, over, pack, pixel, real, smooth, value_noise};

/// How many times larger the visitor is than they would be at the wall.
const NEARNESS: f32 = 1.55;

/// The still part of every frame.
#[derive(Debug)]
pub(crate) struct Backdrop {
    gate: Layer,
    visitor: Layer,
}

impl Backdrop {
    pub(crate) fn new(width: usize, height: usize, seed: u64) -> Self {
        let unit = real(height);
        let place = |x: usize, y: usize| [(real(x) - real(width) / 2.0) / unit, real(y) / unit];
        let mut gate = Layer::new(width, height);
        let mut visitor = Layer::new(width, height);
        for y in 0..height {
            for x in 0..width {
                let p = place(x, y);
                gate.data[y * width + x] = pack(level(entrance(p, seed)), 255);
                if let Some((light, share)) = person(p, unit, seed) {
                    visitor.data[y * width + x] = pack(level(light), level(share * 255.0));
                }
            }
        }
        // The wall is farther away than the visitor, and the camera is focused on neither.
        let whole = gate.whole();
        optics::gaussian(&mut gate, whole, unit / 150.0);
        optics::gaussian(&mut visitor, whole, unit / 240.0);
        Self { gate, visitor }
    }

    /// Writes the gate into a frame, and the visitor as far as they have come in from the right.
    pub(crate) fn stand(&self, frame: &mut Plane, visitor: f32, clutter: f32) {
        for (value, point) in frame.data.iter_mut().zip(&self.gate.data) {
            *value = over(0, *point);
        }
        if visitor > 0.0 {
            let shift = pixel((1.0 - visitor.min(1.0)) * real(frame.width) * 0.75).min(frame.width);
            for y in 0..frame.height {
                let row = &mut frame.row_mut(y)[shift..];
                for (value, point) in row.iter_mut().zip(self.visitor.row(y)) {
                    *value = over(*value, *point);
                }
            }
        }
        if clutter < 1.0 {
            for value in &mut frame.data {
                *value = level(mix(70.0, f32::from(*value), clutter.max(0.0)));
            }
        }
    }
}

/// Wall, doorway, railings, a lamp and a notice board, in heights of the frame from its upper middle.
fn entrance(p: [f32; 2], seed: u64) -> f32 {
    let grain = |scale: f32, depth: f32| depth * (value_noise(p[0] * scale, p[1] * scale, seed) - 0.5);
    let mut light = 78.0 - 26.0 * p[1] + grain(9.0, 22.0) + grain(60.0, 12.0);
    // Brick courses.
    let course = (p[1] * 16.0).floor();
    let brick = [(p[0] * 7.0 + 0.5 * (course % 2.0)).rem_euclid(1.0), (p[1] * 16.0).rem_euclid(1.0)];
    if brick[0] < 0.05 || brick[1] < 0.12 {
        light -= 20.0;
    }
    let door = rounded(p, [0.34, 0.45], [0.26, 0.5], 0.02);
    if door < 0.0 {
        light = 34.0 + 30.0 * (1.0 - p[1]) + grain(14.0, 18.0);
        if (p[0] - 0.34).abs() < 0.008 {
            light = 14.0;
        }
    } else if door < 0.02 {
        light = 104.0;
    }
    let board = rounded(p, [-0.62, 0.3], [0.17, 0.14], 0.01);
    if board < 0.0 {
        light = if board > -0.015 { 40.0 } else { 112.0 + grain(70.0, 70.0) };
    }
    if p[1] > 0.9 {
        light = 58.0 + grain(40.0, 16.0);
    }
    // The turnstile's rails run across at waist height, rounded by light from above.
    for (y, thick) in [(0.62, 0.018), (0.74, 0.018)] {
        let d = (p[1] - y) / thick;
        if d.abs() < 1.0 && p[0] < 0.1 {
            light = 60.0 + 80.0 * (1.0 - d * d) * smooth(0.8 - d) + grain(20.0, 10.0);
        }
    }
    for x in [-0.8, -0.42, 0.08, 0.72] {
        let d = (p[0] - x) / 0.022;
        if d.abs() < 1.0 && p[1] > 0.5 {
            light = 40.0 + 90.0 * (1.0 - d * d) + grain(20.0, 10.0);
        }
    }
    let lamp = ellipse(p, [-0.2, 0.03], [0.1, 0.022]);
    light += 120.0 * smooth(1.0 - lamp / 0.02) + 34.0 * smooth(1.0 - lamp / 0.35);
    let away = (p[0] * 0.55).hypot((p[1] - 0.5) * 0.7);
    (light * (1.06 - 0.55 * away)).clamp(6.0, 255.0)
}

/// Somebody in a padded jacket, with a mask: light and cover, or nothing here.
fn person(p: [f32; 2], unit: f32, seed: u64) -> Option<(f32, f32)> {
    // Near the camera: the head is half above the frame.
    let p = [(p[0] - 0.14) / NEARNESS + 0.05, (p[1] - 0.1) / NEARNESS + 0.22];
    let unit = unit * NEARNESS;
    let grain = |scale: f32, depth: f32| depth * (value_noise(p[0] * scale, p[1] * scale, seed ^ 5) - 0.5);
    let edge = |d: f32| (0.5 - d * unit * 0.5).clamp(0.0, 1.0);
    let torso = rounded(p, [0.05, 0.95], [0.37, 0.48], 0.2).min(capsule(p, [0.05, 0.45], [0.05, 0.56], [0.1, 0.2]));
    let head = ellipse(p, [0.05, 0.22], [0.125, 0.18]);
    let hair = ellipse(p, [0.05, 0.16], [0.14, 0.165]);
    let share = edge(torso.min(head).min(hair));
    if share <= 0.0 {
        return None;
    }
    let mask = ellipse(p, [0.05, 0.31], [0.1, 0.08]);
    let light = if mask < 0.0 && head < 0.0 {
        150.0 + 300.0 * mask + 6.0 * (p[1] * 180.0).sin()
    } else if head < 0.0 && ellipse(p, [0.05, 0.08], [0.15, 0.075]) > 0.0 {
        let eyes = ellipse(p, [0.0, 0.205], [0.022, 0.009]).min(ellipse(p, [0.1, 0.205], [0.022, 0.009]));
        if eyes < 0.0 { 30.0 } else { 112.0 + 260.0 * head + grain(30.0, 8.0) }
    } else if torso < 0.0 && p[1] > 0.38 {
        let quilt = ((p[1] + 0.06 * (p[0] * 9.0).cos()) * 34.0).sin().abs().sqrt();
        let zip = if (p[0] - 0.05).abs() < 0.008 { 34.0 } else { 0.0 };
        let open = 1.0 - smooth(((p[0] - 0.05).abs() - 0.012) / 0.03) * 0.5;
        30.0 * open + 26.0 * quilt * smooth(-torso / 0.12) + zip + grain(12.0, 18.0) + grain(90.0, 8.0)
            - 30.0 * (p[0] - 0.05)
    } else {
        20.0 + grain(120.0, 22.0)
    };
    Some((light.clamp(4.0, 255.0) * share, share))
}
