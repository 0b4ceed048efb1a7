//! Something in front of the code that should not be there: the tip of a finger, or a sticker.

use crate::medium;
use crate::plane::shape::rounded;
use crate::plane::{hash, mix, smooth, value_noise};
use crate::scene::Occlusion;
use crate::texture::Texture;

/// Pixels in a millimetre: what is near the lens has no fine detail.
const COARSE: f32 = 4.0;

/// The thing, reaching its share into the code from an edge or over a corner.
pub(crate) fn draw(occlusion: Occlusion, code_mm: f32) -> Texture {
    let pick = |i: i32, low: f32, high: f32| mix(low, high, hash(i, 41, occlusion.seed));
    let half = code_mm / 2.0;
    let deep = occlusion.share * code_mm;
    // A place on the upper edge, then turned to one of the four.
    let corner = pick(1, 0.0, 1.0) < 0.3;
    let along = if corner { pick(2, 0.8, 0.95) * half } else { pick(2, -0.7, 0.7) * half };
    let turns = pick(3, 0.0, 4.0).floor().min(3.0);
    let turned = |p: [f32; 2]| match turns {
        t if t < 1.0 => p,
        t if t < 2.0 => [-p[1], p[0]],
        t if t < 3.0 => [-p[0], -p[1]],
        _ => [p[1], -p[0]],
    };
    if pick(4, 0.0, 1.0) < 0.3 {
        let size = pick(5, 5.0, 9.0).max(0.5 * deep);
        return sticker(turned([along, -half + deep - size]), size, occlusion.seed);
    }
    // What reaches far is not one finger any more.
    let radius = pick(5, 6.5, 8.0) + 14.0 * occlusion.share;
    let lean = pick(6, -28.0, 28.0);
    // The finger's round end reaches 0.86 of its radius beyond its tip.
    let tip = turned([along, -half + deep - 0.86 * radius]);
    let from = turned([along + lean, -half + deep - 95.0]);
    let reach = radius + 2.0;
    let mut t = Texture::new(
        [tip[0].min(from[0]) - reach, tip[1].min(from[1]) - reach],
        [tip[0].max(from[0]) + reach, tip[1].max(from[1]) + reach],
        COARSE,
    );
    medium::finger(&mut t, from, tip, radius, occlusion.seed);
    t
}

fn sticker(middle: [f32; 2], half: f32, seed: u64) -> Texture {
    let size = [half, half];
    let (min, max) = (middle.map(|v| v - half - 1.0), middle.map(|v| v + half + 1.0));
    let mut t = Texture::new(min, max, COARSE);
    let tone = mix(60.0, 190.0, hash(7, 41, seed));
    t.paint(
        min,
        max,
        |p| rounded(p, middle, size, 1.5),
        |p, d| {
            let print = smooth((value_noise(p[0] * 0.9, p[1] * 0.9, seed) - 0.55) * 8.0);
            tone + 40.0 * print + if d > -0.4 { 25.0 } else { 0.0 }
        },
    );
    t
}
