//! A drawing in millimetres, kept at full, half, quarter, ... size, so that a frame can be sampled from the size that fits
//! its distance.

use crate::plane::{Region, level, mix, pack, pixel, real, unpack};

/// One drawing at all its sizes, the largest first.
#[derive(Debug, Clone)]
pub(crate) struct Sizes(Vec<Texture>);

impl Sizes {
    pub(crate) fn of(drawing: Texture) -> Self {
        let mut sizes = vec![drawing];
        while let Some(half) = sizes.last().filter(|t| t.px_per_mm > 1.0).map(Texture::halved) {
            sizes.push(half);
        }
        Self(sizes)
    }

    pub(crate) fn corners(&self) -> [[f32; 2]; 4] {
        self.0[0].corners()
    }

    /// The size to sample from at so many pixels a millimetre: the smallest that loses nothing.
    pub(crate) fn at_scale(&self, px_per_mm: f32) -> &Texture {
        self.0.iter().rfind(|t| t.px_per_mm >= px_per_mm * 0.9).unwrap_or(&self.0[0])
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

    /// The box that holds everything drawn.
    pub(crate) fn corners(&self) -> [[f32; 2]; 4] {
        let (x1, y1) = (self.left + real(self.width) / self.px_per_mm, self.top + real(self.height) / self.px_per_mm);
        [[self.left, self.top], [x1, self.top], [x1, y1], [self.left, y1]]
    }

    /// Pixels in a millimetre.
    pub(crate) fn px_per_mm(&self) -> f32 {
        self.px_per_mm
    }

    /// A square of `per_side` times `per_side` cells of the same size, from its upper left corner: light and cover of
    /// each by its column and row.
    pub(crate) fn cells(from: [f32; 2], side_mm: f32, per_side: usize, cell: impl Fn(usize, usize) -> u32) -> Self {
        let width = per_side * CELL;
        let mut points = Vec::with_capacity(width * width);
        for y in 0..per_side {
            let start = points.len();
            for x in 0..per_side {
                points.extend([cell(x, y); CELL]);
            }
            for _ in 1..CELL {
                points.extend_from_within(start..start + width);
            }
        }
        Self { width, height: width, left: from[0], top: from[1], px_per_mm: real(width) / side_mm, points }
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

    /// Cover of the nearest point, 0 to 1: enough for a mask.
    #[inline]
    pub(crate) fn cover(&self, p: [f32; 2]) -> f32 {
        let (x, y) = ((p[0] - self.left) * self.px_per_mm, (p[1] - self.top) * self.px_per_mm);
        if x < 0.0 || y < 0.0 || pixel(x) >= self.width || pixel(y) >= self.height {
            return 0.0;
        }
        f32::from(unpack(self.points[pixel(y) * self.width + pixel(x)])[1]) / 255.0
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
    #[inline]
    pub(crate) fn sample(&self, x_mm: f32, y_mm: f32) -> u32 {
        let (x, y) = ((x_mm - self.left) * self.px_per_mm - 0.5, (y_mm - self.top) * self.px_per_mm - 0.5);
        if x < 0.0 || y < 0.0 {
            return 0;
        }
        // Through 32 bits, which costs less than straight to a size.
        let (cx, cy) = (whole(x), whole(y));
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

#[expect(clippy::cast_possible_truncation, reason = "a float cast saturates")]
fn whole(value: f32) -> usize {
    value as i32 as usize
}

/// Pixels of a cell: a power of two, so that cells stay whole in the smaller sizes.
const CELL: usize = 4;

#[expect(clippy::cast_possible_truncation, reason = "a fraction of one, times sixteen")]
fn sixteenths(fraction: f32) -> u32 {
    (fraction * 16.0) as u32
}
