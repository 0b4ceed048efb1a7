//! Grey pixels in rows, the few shapes everything here is drawn from, and the only casts between numbers and pixels.

/// A picture of one byte a pixel.
#[derive(Debug, Clone)]
pub(crate) struct Plane {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) data: Vec<u8>,
}

/// What stands in front of something else: of each pixel the light (already multiplied by the cover) in the low half and
/// the cover in the high half, 0 to 255 each, so that one multiplication by a weight of 256 serves both.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) data: Vec<u32>,
}

/// A pixel of a [`Layer`].
pub(crate) fn pack(light: u8, cover: u8) -> u32 {
    u32::from(light) | u32::from(cover) << 16
}

/// Light and cover of a pixel of a [`Layer`].
#[expect(clippy::cast_possible_truncation, reason = "the halves hold bytes")]
pub(crate) fn unpack(point: u32) -> [u8; 2] {
    [point as u8, (point >> 16) as u8]
}

impl Layer {
    pub(crate) fn new(width: usize, height: usize) -> Self {
        Self { width, height, data: vec![0; width * height] }
    }

    pub(crate) fn whole(&self) -> Region {
        Region { x0: 0, y0: 0, x1: self.width, y1: self.height }
    }

    pub(crate) fn row(&self, y: usize) -> &[u32] {
        &self.data[y * self.width..(y + 1) * self.width]
    }

    pub(crate) fn row_mut(&mut self, y: usize) -> &mut [u32] {
        &mut self.data[y * self.width..(y + 1) * self.width]
    }
}

/// A part of a plane: from `x0`, `y0`, up to but without `x1`, `y1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Region {
    pub(crate) x0: usize,
    pub(crate) y0: usize,
    pub(crate) x1: usize,
    pub(crate) y1: usize,
}

impl Region {
    /// The region around a box given in pixels, cut to a plane's size; empty if it lies outside.
    pub(crate) fn around(min: [f32; 2], max: [f32; 2], width: usize, height: usize) -> Self {
        let (x0, y0) = (pixel(min[0].floor()).min(width), pixel(min[1].floor()).min(height));
        let (x1, y1) = (pixel(max[0].ceil()).min(width), pixel(max[1].ceil()).min(height));
        Self { x0, y0, x1: x1.max(x0), y1: y1.max(y0) }
    }

    pub(crate) fn grown(self, by: usize, width: usize, height: usize) -> Self {
        Self {
            x0: self.x0.saturating_sub(by),
            y0: self.y0.saturating_sub(by),
            x1: (self.x1 + by).min(width),
            y1: (self.y1 + by).min(height),
        }
    }

    /// The smallest that holds both.
    pub(crate) fn with(self, other: Self) -> Self {
        match (self.is_empty(), other.is_empty()) {
            (_, true) => self,
            (true, false) => other,
            (false, false) => Self {
                x0: self.x0.min(other.x0),
                y0: self.y0.min(other.y0),
                x1: self.x1.max(other.x1),
                y1: self.y1.max(other.y1),
            },
        }
    }

    pub(crate) fn is_empty(self) -> bool {
        self.x0 >= self.x1 || self.y0 >= self.y1
    }
}

impl Plane {
    pub(crate) fn new(width: usize, height: usize, level: u8) -> Self {
        Self { width, height, data: vec![level; width * height] }
    }

    pub(crate) fn row_mut(&mut self, y: usize) -> &mut [u8] {
        &mut self.data[y * self.width..(y + 1) * self.width]
    }
}

/// Shapes as signed distances: negative inside, positive outside, in the unit they are given in.
pub(crate) mod shape {
    /// A rectangle with round corners, by its middle, half sizes and corner radius.
    pub(crate) fn rounded(p: [f32; 2], middle: [f32; 2], half: [f32; 2], radius: f32) -> f32 {
        let dx = (p[0] - middle[0]).abs() - half[0] + radius;
        let dy = (p[1] - middle[1]).abs() - half[1] + radius;
        dx.max(0.0).hypot(dy.max(0.0)) + dx.max(dy).min(0.0) - radius
    }

    /// A line with round ends, thicker at one end than at the other if the radii say so.
    pub(crate) fn capsule(p: [f32; 2], a: [f32; 2], b: [f32; 2], radii: [f32; 2]) -> f32 {
        let (px, py, bx, by) = (p[0] - a[0], p[1] - a[1], b[0] - a[0], b[1] - a[1]);
        let along = ((px * bx + py * by) / (bx * bx + by * by).max(1e-6)).clamp(0.0, 1.0);
        (px - bx * along).hypot(py - by * along) - (radii[0] + (radii[1] - radii[0]) * along)
    }

    /// An ellipse; the distance is only near, which is enough for soft edges.
    pub(crate) fn ellipse(p: [f32; 2], middle: [f32; 2], radii: [f32; 2]) -> f32 {
        let (x, y) = ((p[0] - middle[0]) / radii[0], (p[1] - middle[1]) / radii[1]);
        (x.hypot(y) - 1.0) * radii[0].min(radii[1])
    }
}

/// A number drawn from a place, the same each time: 0 to 1.
pub(crate) fn hash(x: i32, y: i32, seed: u64) -> f32 {
    let place = u64::from(x.cast_unsigned()) | u64::from(y.cast_unsigned()) << 32;
    let mut h = (place ^ seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    h ^= h >> 29;
    h = h.wrapping_mul(0x94D0_49BB_1331_11EB);
    h ^= h >> 32;
    let [.., high, low] = h.to_be_bytes();
    f32::from(high) / 256.0 + f32::from(low) / 65536.0
}

/// Smooth noise of one cell a unit: 0 to 1.
pub(crate) fn value_noise(x: f32, y: f32, seed: u64) -> f32 {
    let (cx, cy) = (cell(x), cell(y));
    let (fx, fy) = (smooth(x - x.floor()), smooth(y - y.floor()));
    let top = mix(hash(cx, cy, seed), hash(cx + 1, cy, seed), fx);
    let bottom = mix(hash(cx, cy + 1, seed), hash(cx + 1, cy + 1, seed), fx);
    mix(top, bottom, fy)
}

/// From `a` at 0 to `b` at 1.
pub(crate) fn mix(a: f32, b: f32, share: f32) -> f32 {
    a + (b - a) * share
}

/// Slow, fast, slow: 0 to 1.
pub(crate) fn smooth(t: f32) -> f32 {
    let t = t.clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// A pixel of a [`Layer`] in front of what is there.
pub(crate) fn over(under: u8, front: u32) -> u8 {
    let [light, cover] = unpack(front);
    match cover {
        0 => under.saturating_add(light),
        255 => light,
        _ => u8::try_from(u16::from(under) * u16::from(255 - cover) / 255 + u16::from(light)).unwrap_or(u8::MAX),
    }
}

/// One point of a [`Layer`] in front of another.
pub(crate) fn stack(under: u32, front: u32) -> u32 {
    let through = 255 - (front >> 16);
    match through {
        0 => front,
        255 => under,
        // A 255th is a 256th and a bit.
        _ => front + (((under * (through + (through >> 7)) + 0x0080_0080) >> 8) & 0x00FF_00FF),
    }
}

/// A grey level, rounded and kept within a byte.
#[expect(clippy::cast_possible_truncation, reason = "a float cast saturates, and a byte is what is wanted")]
pub(crate) fn level(value: f32) -> u8 {
    (value + 0.5) as u8
}

/// A whole number of pixels; what is left of zero is zero.
#[expect(clippy::cast_possible_truncation, reason = "a float cast saturates; rows and columns are far below its limit")]
pub(crate) fn pixel(value: f32) -> usize {
    value as usize
}

/// A count of pixels as a number to measure with: exact up to 2^24.
pub(crate) fn real(value: usize) -> f32 {
    value as f32
}

/// The whole number below.
#[expect(clippy::cast_possible_truncation, reason = "a float cast saturates")]
pub(crate) fn cell(value: f32) -> i32 {
    value.floor() as i32
}
