//! What a code is shown on: a phone's screen or a printed card, and the hand that holds it. Millimetres from the middle
//! of the code, x to the right, y down.

use crate::plane::shape::{capsule, ellipse, rounded};
use crate::plane::{cell, hash, mix, pixel, real, smooth, value_noise};
use crate::surface::{Matter, Modules};
use crate::texture::Texture;

/// What a code is shown on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Medium {
    /// A phone: dark frame, a white page with a title, lines of text, the code and the ring that counts down.
    Phone,
    /// A printed card: text, the code, and creases from the pocket.
    Paper,
}

/// Light or dark mode of what is on a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Tone {
    Light,
    Dark,
}

/// Pixels in a millimetre, fine enough for a code that fills the frame's height.
pub(crate) const FINE: f32 = 9.0;

const BODY: f32 = 14.0;
const BEZEL: f32 = 6.0;
const PAGE: f32 = 236.0;
const INK: f32 = 22.0;

impl Medium {
    /// Side of the code as shown, millimetres, without its quiet zone.
    pub(crate) fn code_mm(self) -> f32 {
        match self {
            Self::Phone => 50.0,
            Self::Paper => 48.0,
        }
    }

    pub(crate) fn matter(self) -> Matter {
        match self {
            Self::Phone => Matter::Glass,
            Self::Paper => Matter::Paper,
        }
    }

    /// Light of a dark module.
    pub(crate) fn ink(self, tone: Tone) -> f32 {
        match (self, tone) {
            (Self::Phone, Tone::Light) => INK + 4.0,
            (Self::Phone, Tone::Dark) => PAGE - 8.0,
            (Self::Paper, _) => INK + 18.0,
        }
    }
}

/// Everything from back to front: arm and palm, the thing itself, the fingers around it. Without modules there is a page
/// with nothing where its code would be.
pub(crate) fn draw(medium: Medium, modules: Option<&Modules>, tone: Tone, px_per_mm: f32, seed: u64) -> Texture {
    let mut t = Texture::new([-66.0, -76.0], [70.0, 190.0], px_per_mm);
    match medium {
        Medium::Phone => {
            arm(&mut t, [4.0, 70.0], seed);
            phone(&mut t, modules, tone, seed);
            for (from, tip, radius) in FINGERS {
                finger(&mut t, from, tip, radius, seed);
            }
        }
        Medium::Paper => {
            arm(&mut t, [10.0, 92.0], seed);
            card(&mut t, modules, seed);
            finger(&mut t, [24.0, 104.0], [15.0, 68.0], 9.5, seed);
        }
    }
    t
}

/// Root, tip and radius of the fingers around a phone.
const FINGERS: [([f32; 2], [f32; 2], f32); 5] = [
    ([-45.0, 24.0], [-35.5, 22.0], 7.0),
    ([-45.0, 42.0], [-34.3, 40.0], 7.0),
    ([-45.0, 59.0], [-34.7, 57.0], 7.0),
    ([-45.0, 75.0], [-36.5, 73.0], 7.0),
    ([46.0, 74.0], [37.0, 26.0], 8.5),
];

/// Middle and half sizes of the phone, and of its page within.
const PHONE: [[f32; 2]; 2] = [[0.0, 16.0], [36.5, 78.0]];
const SCREEN: [f32; 2] = [33.6, 74.6];

/// Where a surface shines by itself: the page, but not the fingers before it. `None` for what only throws light back.
pub(crate) fn shining(medium: Medium) -> Option<Texture> {
    (medium == Medium::Phone).then(|| {
        let (min, max) = ([-37.0, -62.5], [37.0, 94.5]);
        let mut t = Texture::new(min, max, 4.0);
        let hidden = |p| {
            FINGERS
                .iter()
                .map(|(from, tip, radius)| capsule(p, *from, *tip, [*radius, radius * 0.86]))
                .fold(9.0, f32::min)
        };
        t.paint(min, max, |p| rounded(p, PHONE[0], SCREEN, 6.0).max(-hidden(p)), |_, _| 255.0);
        t
    })
}

fn phone(t: &mut Texture, modules: Option<&Modules>, tone: Tone, seed: u64) {
    let [middle, half] = PHONE;
    let (min, max) = ([-37.0, -62.5], [37.0, 94.5]);
    // The metal edge catches the light, the glass up to the page does not.
    t.paint(
        min,
        max,
        |p| rounded(p, middle, half, 9.0),
        |_, d| if d > -1.3 { 70.0 + 40.0 * (d + 0.6).abs() } else { BODY },
    );
    t.paint(min, max, |p| rounded(p, middle, [34.9, 76.4], 7.6), |_, _| BEZEL);
    let page = |p: [f32; 2]| rounded(p, middle, SCREEN, 6.0);
    // A screen is a little darker towards its corners, seen from where the camera is.
    t.paint(min, max, page, |p, _| PAGE - 0.0016 * (p[0] * p[0] + (p[1] - 10.0) * (p[1] - 10.0)));
    t.paint([-34.0, -59.0], [34.0, -44.5], |p| page(p).max(p[1] + 44.5), |_, _| 96.0);
    t.paint([-8.0, -58.0], [8.0, -54.0], |p| rounded(p, [0.0, -55.6], [7.5, 1.8], 1.8), |_, _| BEZEL);
    line_of_text(t, [-15.0, -49.0], 30.0, 3.2, 240.0, seed);
    line_of_text(t, [-30.0, -56.0], 9.0, 1.6, 225.0, seed + 1);
    line_of_text(t, [20.0, -56.0], 10.0, 1.6, 225.0, seed + 2);
    line_of_text(t, [-22.0, -37.5], 44.0, 2.6, 60.0, seed + 3);
    if let Some(modules) = modules {
        code(t, modules, Medium::Phone.code_mm(), Medium::Phone.ink(Tone::Light));
    }
    ring(t, [0.0, 43.0], 8.5, 0.1 + 0.85 * hash(1, 1, seed));
    line_of_text(t, [-20.0, 58.0], 40.0, 2.4, 90.0, seed + 4);
    line_of_text(t, [-28.0, 65.0], 56.0, 1.8, 150.0, seed + 5);
    line_of_text(t, [-28.0, 69.5], 38.0, 1.8, 150.0, seed + 6);
    t.paint([-28.0, 75.0], [28.0, 84.0], |p| rounded(p, [0.0, 79.5], [27.0, 4.2], 2.0), |_, _| 120.0);
    line_of_text(t, [-10.0, 79.5], 20.0, 2.4, 240.0, seed + 7);
    t.paint([-12.0, 87.0], [12.0, 89.0], |p| rounded(p, [0.0, 88.0], [11.0, 0.6], 0.6), |_, _| 40.0);
    if tone == Tone::Dark {
        t.shade(min, max, |p, light| if page(p) < 0.0 { (PAGE + 12.0 - light).max(BEZEL) } else { light });
    }
}

/// What is left of the code's time, clockwise from the top.
fn ring(t: &mut Texture, middle: [f32; 2], radius: f32, left: f32) {
    let (min, max) =
        ([middle[0] - radius - 2.0, middle[1] - radius - 2.0], [middle[0] + radius + 2.0, middle[1] + radius + 2.0]);
    let band = |p: [f32; 2]| ((p[0] - middle[0]).hypot(p[1] - middle[1]) - radius).abs() - 1.1;
    t.paint(min, max, band, |p, _| {
        let turn = (p[0] - middle[0]).atan2(middle[1] - p[1]) / std::f32::consts::TAU;
        if turn.rem_euclid(1.0) < left { 110.0 } else { 208.0 }
    });
    for (x, tall) in [(-4.2, 2.4), (-1.6, 2.4), (1.6, 2.4), (4.2, 2.4)] {
        t.paint(
            [middle[0] - 6.0, middle[1] - 3.0],
            [middle[0] + 6.0, middle[1] + 3.0],
            |p| rounded(p, [middle[0] + x, middle[1]], [0.9, tall], 0.5),
            |_, _| 70.0,
        );
    }
}

fn card(t: &mut Texture, modules: Option<&Modules>, seed: u64) {
    let (middle, half) = ([0.0, 12.0], [41.0, 68.0]);
    let (min, max) = ([-42.0, -57.0], [42.0, 81.0]);
    t.paint(
        min,
        max,
        |p| rounded(p, middle, half, 2.2),
        |p, d| {
            // Fibres, and a darker rim where the edge is cut.
            206.0 + 5.0 * (value_noise(p[0] * 3.0, p[1] * 3.0, seed) - 0.5) + if d > -0.3 { -30.0 } else { 0.0 }
        },
    );
    line_of_text(t, [-24.0, -46.0], 48.0, 4.0, INK + 10.0, seed);
    line_of_text(t, [-18.0, -37.0], 36.0, 2.2, 60.0, seed + 1);
    if let Some(modules) = modules {
        code(t, modules, Medium::Paper.code_mm(), Medium::Paper.ink(Tone::Light));
    }
    for (i, wide) in [52.0, 60.0, 44.0, 58.0, 30.0].into_iter().enumerate() {
        line_of_text(t, [-32.0, 38.0 + 6.5 * real(i)], wide, 2.2, 55.0, seed + 2 + i as u64);
    }
    // Folded once across and once along, then flattened: one side of a crease is in the light, the other in its shade.
    let across = 31.0 + 2.0 * hash(3, 1, seed);
    let along = -29.0 + 3.0 * hash(4, 1, seed);
    crease(t, min, max, move |p| p[1] - across - 0.03 * p[0], 14.0);
    crease(t, min, max, move |p| p[0] - along + 0.02 * p[1], 10.0);
    crease(t, min, max, move |p| (p[0] + p[1] * 0.7 - 6.0) * 0.82, 6.0);
}

fn crease(t: &mut Texture, min: [f32; 2], max: [f32; 2], side: impl Fn([f32; 2]) -> f32, depth: f32) {
    t.shade(min, max, |p, light| {
        let s = side(p);
        let fold = if s.abs() < 0.25 { -depth } else { depth * 0.6 * s.signum() * (-s.abs() / 4.0).exp() };
        light + fold * light / 206.0
    });
}

/// The modules, and the quiet zone only as the ground they are printed on.
fn code(t: &mut Texture, modules: &Modules, side_mm: f32, dark: f32) {
    let half = side_mm / 2.0;
    let per_mm = real(modules.side) / side_mm;
    // Where one pixel covers two modules the share of each is measured, not guessed: four points a pixel.
    let at = |v: f32| pixel(((v + half) * per_mm).max(0.0)).min(modules.side - 1);
    let step = 0.25 / t.px_per_mm();
    let black = move |p: [f32; 2]| {
        [[-step, -step], [step, -step], [-step, step], [step, step]]
            .iter()
            .filter(|d| modules.dark(at(p[0] + d[0]), at(p[1] + d[1])))
            .count()
    };
    t.shade([-half, -half], [half, half], |p, light| mix(light, dark, real(black(p)) / 4.0));
}

/// Something like a line of Chinese text, from its left end: square signs of a few strokes.
pub(crate) fn line_of_text(t: &mut Texture, from: [f32; 2], length: f32, size: f32, light: f32, seed: u64) {
    let end = from[0] + length * (0.75 + 0.25 * hash(7, 7, seed));
    let strokes = move |p: [f32; 2]| {
        let (column, row) = ((p[0] - from[0]) / (size * 1.15), (p[1] - from[1]) / size + 0.5);
        let sign = cell(column);
        let (u, v) = (column - column.floor(), row);
        if hash(sign, 11, seed) < 0.08 || u > 0.87 {
            return 1.0;
        }
        let upright = 0.15 + 0.6 * hash(sign, 1, seed);
        let beam = 0.1 + 0.5 * hash(sign, 2, seed);
        let second = beam + 0.2 + 0.3 * hash(sign, 3, seed);
        let thin = 0.075;
        let near = [
            (u - upright).abs() - thin,
            (v - beam).abs() - thin,
            (v - second).abs() - thin,
            (u + v * 0.6 - 1.0).abs() - thin,
        ];
        near.into_iter().fold(1.0, f32::min) * size
    };
    let (min, max) = ([from[0], from[1] - size / 2.0], [end, from[1] + size / 2.0]);
    t.paint(
        min,
        max,
        |p| if p[0] > end || (p[1] - from[1]).abs() > size / 2.0 { 1.0 } else { strokes(p) },
        |_, _| light,
    );
}

/// Skin: rounder, so darker, towards its edge, and never quite even.
fn skin(p: [f32; 2], distance: f32, radius: f32, seed: u64) -> f32 {
    let round = smooth(-distance / radius);
    74.0 + 62.0 * round.sqrt() + 12.0 * (value_noise(p[0] * 0.35, p[1] * 0.35, seed) - 0.5) - 0.18 * p[0]
}

pub(crate) fn finger(t: &mut Texture, from: [f32; 2], tip: [f32; 2], radius: f32, seed: u64) {
    let reach = radius + 1.0;
    let min = [from[0].min(tip[0]) - reach, from[1].min(tip[1]) - reach];
    let max = [from[0].max(tip[0]) + reach, from[1].max(tip[1]) + reach];
    // Its shadow on what it holds.
    t.shade([min[0] - 3.0, min[1] - 1.0], [max[0] + 3.0, max[1] + 4.0], |p, light| {
        let d = capsule([p[0], p[1] - 1.2], from, tip, [radius, radius * 0.86]);
        light * mix(0.55, 1.0, smooth(d / 3.0))
    });
    t.paint(min, max, |p| capsule(p, from, tip, [radius, radius * 0.86]), |p, d| skin(p, d, radius * 0.9, seed));
    let (dx, dy) = (tip[0] - from[0], tip[1] - from[1]);
    let long = dx.hypot(dy);
    let nail = [tip[0] + dx / long * radius * 0.2, tip[1] + dy / long * radius * 0.2];
    t.paint(
        min,
        max,
        |p| ellipse(p, nail, [radius * 0.42, radius * 0.46]),
        |p, d| skin(p, d, radius * 0.9, seed) + 34.0 + 4.0 * d,
    );
}

/// A palm behind the thing, and a padded winter sleeve that leads out of the picture.
fn arm(t: &mut Texture, palm: [f32; 2], seed: u64) {
    let (elbow, wrist) = ([palm[0] + 22.0, 260.0], [palm[0] + 4.0, palm[1] + 34.0]);
    let (min, max) = ([-66.0, palm[1] - 50.0], [70.0, 190.0]);
    t.paint(min, max, |p| capsule(p, [palm[0], palm[1] - 16.0], wrist, [37.0, 25.0]), |p, d| skin(p, d, 20.0, seed));
    t.paint(
        min,
        max,
        |p| capsule(p, [wrist[0], wrist[1] + 28.0], elbow, [38.0, 56.0]),
        |p, d| {
            let puff = ((p[1] - 0.25 * p[0]) * 0.16).sin().abs().sqrt();
            18.0 + 26.0 * puff * smooth(-d / 16.0).max(0.2) + 14.0 * (value_noise(p[0] * 0.5, p[1] * 0.5, seed) - 0.5)
        },
    );
}
