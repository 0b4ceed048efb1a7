//! A flat thing with a code on it, drawn once in fine detail and kept at half, quarter, ... size, so that a frame can be
//! sampled from the size that fits its distance.

use std::fmt;

use qrcode::{Color, EcLevel, QrCode};

use crate::medium::{self, Medium};
use crate::plane::{Region, level, mix, pack, pixel, real, unpack};

/// The text does not fit into any QR code of error correction level M.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextTooLong;

impl fmt::Display for TextTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text is too long for a QR code of error correction level M (at most 2331 bytes)")
    }
}

impl std::error::Error for TextTooLong {}

/// The modules of a QR code.
pub(crate) struct Modules {
    pub(crate) side: usize,
    dark: Vec<bool>,
}

impl Modules {
    /// The smallest code of level M that holds the text; upper case, digits and few signs make it an alphanumeric one.
    fn of(text: &str) -> Result<Self, TextTooLong> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(|_| TextTooLong)?;
        Ok(Self { side: code.width(), dark: code.into_colors().iter().map(|c| *c == Color::Dark).collect() })
    }

    pub(crate) fn dark(&self, x: usize, y: usize) -> bool {
        self.dark[y * self.side + x]
    }
}

/// A phone or a card with a code on it, and the hand that holds it.
#[derive(Debug)]
pub struct Surface {
    medium: Medium,
    modules: usize,
    sizes: Vec<Texture>,
}

impl Surface {
    /// The code of `text` on a medium. The seed varies hand, page and paper.
    pub fn new(text: &str, medium: Medium, seed: u64) -> Result<Self, TextTooLong> {
        let modules = Modules::of(text)?;
        let mut sizes = vec![medium::draw(medium, &modules, seed)];
        while let Some(half) = sizes.last().filter(|t| t.px_per_mm > 1.0).map(Texture::halved) {
            sizes.push(half);
        }
        Ok(Self { medium, modules: modules.side, sizes })
    }

    /// Side of the code, millimetres, without its quiet zone.
    pub fn code_mm(&self) -> f32 {
        self.medium.code_mm()
    }

    /// How much of a lamp's light it throws back in one direction: glass all, paper little.
    pub(crate) fn gloss(&self) -> f32 {
        match self.medium {
            Medium::Phone => 1.0,
            Medium::Paper => 0.35,
        }
    }

    /// Modules along one side of the code: 41 for version 6, 57 for version 10.
    pub fn modules(&self) -> usize {
        self.modules
    }

    /// The box that holds everything drawn, millimetres from the middle of the code.
    pub(crate) fn corners(&self) -> [[f32; 2]; 4] {
        let t = &self.sizes[0];
        let (x1, y1) = (t.left + real(t.width) / t.px_per_mm, t.top + real(t.height) / t.px_per_mm);
        [[t.left, t.top], [x1, t.top], [x1, y1], [t.left, y1]]
    }

    /// The size to sample from at so many pixels a millimetre: the smallest that loses nothing.
    pub(crate) fn at_scale(&self, px_per_mm: f32) -> &Texture {
        self.sizes.iter().rfind(|t| t.px_per_mm >= px_per_mm * 0.9).unwrap_or(&self.sizes[0])
    }
}

/// Light and cover of each point, packed as in a layer.
#[derive(Debug, Clone)]
pub(crate) struct Texture {
    width: usize,
    height: usize,
    left: f32,
    top: f32,
    px_per_mm: f32,
    points: Vec<u32>,
}

impl Texture {
    /// An empty one, for a box in millimetres.
    pub(crate) fn new(min: [f32; 2], max: [f32; 2], px_per_mm: f32) -> Self {
        let (width, height) = (pixel((max[0] - min[0]) * px_per_mm), pixel((max[1] - min[1]) * px_per_mm));
        Self { width, height, left: min[0], top: min[1], px_per_mm, points: vec![0; width * height] }
    }

    /// Paints what lies inside a shape (a signed distance in millimetres) within a box, over what is there. The light
    /// may depend on the place and on the distance to the edge.
    pub(crate) fn paint(
        &mut self,
        min: [f32; 2],
        max: [f32; 2],
        shape: impl Fn([f32; 2]) -> f32,
        light: impl Fn([f32; 2], f32) -> f32,
    ) {
        let to_px = |p: [f32; 2]| [(p[0] - self.left) * self.px_per_mm, (p[1] - self.top) * self.px_per_mm];
        let within = Region::around(to_px(min), to_px(max), self.width, self.height).grown(1, self.width, self.height);
        for y in within.y0..within.y1 {
            for x in within.x0..within.x1 {
                let p = [self.left + (real(x) + 0.5) / self.px_per_mm, self.top + (real(y) + 0.5) / self.px_per_mm];
                let distance = shape(p);
                let cover = (0.5 - distance * self.px_per_mm).clamp(0.0, 1.0);
                if cover > 0.0 {
                    let point = &mut self.points[y * self.width + x];
                    let [under, under_cover] = unpack(*point).map(f32::from);
                    let lit = mix(under, light(p, distance).clamp(0.0, 255.0), cover);
                    *point = pack(level(lit), level(mix(under_cover, 255.0, cover)));
                }
            }
        }
    }

    /// Changes the light of what is already there within a box.
    pub(crate) fn shade(&mut self, min: [f32; 2], max: [f32; 2], change: impl Fn([f32; 2], f32) -> f32) {
        let to_px = |p: [f32; 2]| [(p[0] - self.left) * self.px_per_mm, (p[1] - self.top) * self.px_per_mm];
        let within = Region::around(to_px(min), to_px(max), self.width, self.height);
        for y in within.y0..within.y1 {
            for x in within.x0..within.x1 {
                let p = [self.left + (real(x) + 0.5) / self.px_per_mm, self.top + (real(y) + 0.5) / self.px_per_mm];
                let point = &mut self.points[y * self.width + x];
                let [light, cover] = unpack(*point);
                *point = pack(level(change(p, f32::from(light)).clamp(0.0, f32::from(cover))), cover);
            }
        }
    }

    fn halved(&self) -> Self {
        let (width, height) = (self.width / 2, self.height / 2);
        let mut points = Vec::with_capacity(width * height);
        for y in 0..height {
            let above = &self.points[2 * y * self.width..][..2 * width];
            let below = &self.points[(2 * y + 1) * self.width..][..2 * width];
            for (a, b) in above.as_chunks::<2>().0.iter().zip(below.as_chunks::<2>().0) {
                // Sums of four bytes in each half, rounded.
                points.push(((a[0] + a[1] + b[0] + b[1] + 0x0002_0002) >> 2) & 0x00FF_00FF);
            }
        }
        Self { width, height, points, px_per_mm: self.px_per_mm / 2.0, ..*self }
    }

    /// Light and cover at a point, millimetres from the middle of the code, between the four nearest; nothing outside.
    pub(crate) fn sample(&self, x_mm: f32, y_mm: f32) -> u32 {
        let (x, y) = ((x_mm - self.left) * self.px_per_mm - 0.5, (y_mm - self.top) * self.px_per_mm - 0.5);
        if x < 0.0 || y < 0.0 {
            return 0;
        }
        let (cx, cy) = (pixel(x), pixel(y));
        if cx + 1 >= self.width || cy + 1 >= self.height {
            return 0;
        }
        let at = cy * self.width + cx;
        let (above, below) = (&self.points[at..at + 2], &self.points[at + self.width..at + self.width + 2]);
        if above[0] | above[1] | below[0] | below[1] == 0 {
            return 0;
        }
        let (fx, fy) = (sixteenths(x - real(cx)), sixteenths(y - real(cy)));
        let sum = (16 - fy) * ((16 - fx) * above[0] + fx * above[1]) + fy * ((16 - fx) * below[0] + fx * below[1]);
        ((sum + 0x0080_0080) >> 8) & 0x00FF_00FF
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a fraction of one, times sixteen")]
fn sixteenths(fraction: f32) -> u32 {
    (fraction * 16.0) as u32
}
