//! Broken glass: from where it was hit lines run out, each a dark gap with bright edges, and the picture beside them is
//! refracted.

use std::f32::consts::TAU;

use crate::plane::{Layer, Region, hash, level, mix, pack, pixel, real, smooth, unpack};
use crate::scene::Cracks;
use crate::way::Way;

/// Straight pieces of one line.
const PIECES: usize = 9;

/// Only where the glass is: `glass` says so.
pub(crate) fn crack(
    front: &mut Layer,
    region: Region,
    way: &Way,
    cracks: Cracks,
    code_mm: f32,
    glass: impl Fn([f32; 2]) -> bool,
) {
    if region.is_empty() {
        return;
    }
    let whole = front.clone();
    for line in 0..cracks.lines {
        let path = path(cracks.seed, i32::try_from(line).unwrap_or(0), code_mm);
        for (piece, ends) in path.windows(2).enumerate() {
            if !glass(ends[0]) || !glass(ends[1]) {
                continue;
            }
            let (Some(a), Some(b)) = (way.project(ends[0]), way.project(ends[1])) else { continue };
            let px_per_mm = (b[0] - a[0]).hypot(b[1] - a[1]) / (ends[1][0] - ends[0][0]).hypot(ends[1][1] - ends[0][1]);
            let key = line * PIECES + piece;
            splinter(front, &whole, region, [a, b], px_per_mm, |i| {
                hash(i, i32::try_from(key).unwrap_or(0), cracks.seed)
            });
        }
    }
}

/// A jagged line across the code, millimetres. All pass near the place of the blow.
fn path(seed: u64, line: i32, code_mm: f32) -> [[f32; 2]; PIECES + 1] {
    let draw = |i: i32, low: f32, high: f32| mix(low, high, hash(i, 31 + line, seed));
    let blow = [0, 1].map(|i| mix(-0.42, 0.42, hash(i, 29, seed)) * code_mm);
    let start = [blow[0] + draw(0, -0.12, 0.12) * code_mm, blow[1] + draw(1, -0.12, 0.12) * code_mm];
    // Golden turns, so that few lines do not lie upon each other.
    let angle =
        2.399 * real(usize::try_from(line).unwrap_or(0)) + mix(0.0, TAU, hash(2, 29, seed)) + draw(2, -0.3, 0.3);
    let long = 1.5 * code_mm / real(PIECES);
    let (mut at, mut turn) = (start, angle);
    std::array::from_fn(|i| {
        let here = at;
        turn += draw(3 + i32::try_from(i).unwrap_or(0), -0.35, 0.35);
        at = [at[0] + long * turn.cos(), at[1] + long * turn.sin()];
        here
    })
}

/// One straight piece: a gap, its edges, and what is seen through them from beside where it is.
fn splinter(
    front: &mut Layer,
    whole: &Layer,
    region: Region,
    [a, b]: [[f32; 2]; 2],
    px_per_mm: f32,
    draw: impl Fn(i32) -> f32,
) {
    let gap = mix(0.08, 0.3, draw(1)) * px_per_mm;
    let edge = mix(0.4, 1.2, draw(2)) * px_per_mm;
    let bright = mix(40.0, 170.0, draw(3));
    let dark = mix(0.15, 0.6, draw(4));
    let refraction = mix(-1.8, 1.8, draw(5)) * px_per_mm;
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let long = dx.hypot(dy).max(1e-3);
    let reach = gap + 2.2 * edge;
    let box_of = Region::around(
        [a[0].min(b[0]) - reach, a[1].min(b[1]) - reach],
        [a[0].max(b[0]) + reach, a[1].max(b[1]) + reach],
        front.width,
        front.height,
    );
    for y in box_of.y0.max(region.y0)..box_of.y1.min(region.y1) {
        for x in box_of.x0.max(region.x0)..box_of.x1.min(region.x1) {
            let (px, py) = (real(x) + 0.5 - a[0], real(y) + 0.5 - a[1]);
            let along = (px * dx + py * dy) / long;
            let across = (py * dx - px * dy) / long;
            if along < 0.0 || along > long || across.abs() > reach {
                continue;
            }
            // The picture is pushed aside, most of all near the gap.
            let push = refraction * (1.0 - across.abs() / reach);
            let from = [real(x) - push * dy / long, real(y) + push * dx / long];
            let (fx, fy) =
                (pixel(from[0].max(0.0)).min(front.width - 1), pixel(from[1].max(0.0)).min(front.height - 1));
            let [light, cover] = unpack(whole.data[fy * whole.width + fx]);
            let mut lit = f32::from(light) + bright * smooth(1.0 - (across - gap - edge * 0.4).abs() / edge);
            lit *= mix(1.0, dark, smooth((gap + 0.6 - across.abs()).clamp(0.0, 1.0)));
            front.data[y * front.width + x] = pack(level(lit.min(f32::from(cover))), cover);
        }
    }
}
