//! The lens and the sensor: perspective, blur, motion, light levels and noise, each a function on pixels.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageFormat};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::plane::{Layer, Plane, Region, level, pack, pixel, real};
use crate::scene::Scene;

/// How wide the camera sees, degrees: a common webcam.
const FIELD_OF_VIEW: f32 = 62.0;

/// The way from a flat thing in front of the camera (millimetres from the middle of its code) to the frame and back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Perspective {
    to_frame: [[f32; 3]; 3],
    to_surface: [[f32; 3]; 3],
    eye: [f32; 3],
}

impl Perspective {
    /// A pinhole camera looking at a plane, placed as the scene says.
    pub(crate) fn of(scene: &Scene, code_mm: f32, width: usize, height: usize) -> Self {
        let (width, height) = (real(width), real(height));
        let focal = width / 2.0 / (FIELD_OF_VIEW.to_radians() / 2.0).tan();
        let depth = focal * code_mm / scene.code_side.max(1.0);
        let (sa, ca) = scene.tilt[0].to_radians().sin_cos();
        let (sb, cb) = scene.tilt[1].to_radians().sin_cos();
        let (sr, cr) = scene.rotation.to_radians().sin_cos();
        // The first two columns of Rz(rotation) Rx(tilt 0) Ry(tilt 1); the third is not needed for a plane.
        let right = [cr * cb - sr * sa * sb, sr * cb + cr * sa * sb, -ca * sb];
        let down = [-sr * ca, cr * ca, sa];
        // The camera does not turn, so a thing away from the middle is seen from the side, as it would be.
        let middle = [scene.centre[0] * width, scene.centre[1] * height];
        let shift = [(middle[0] - width / 2.0) * depth / focal, (middle[1] - height / 2.0) * depth / focal];
        let columns = [right, down, [shift[0], shift[1], depth]];
        let mut to_frame = [[0.0; 3]; 3];
        for (i, column) in columns.iter().enumerate() {
            to_frame[0][i] = focal * column[0] + width / 2.0 * column[2];
            to_frame[1][i] = focal * column[1] + height / 2.0 * column[2];
            to_frame[2][i] = column[2];
        }
        let normal = cross(right, down);
        let back = [shift[0], shift[1], depth];
        let eye = [-dot(right, back), -dot(down, back), dot(normal, back).max(1.0)];
        Self { to_frame, to_surface: inverse(&to_frame), eye }
    }

    /// Where a point of the surface is on the frame; `None` behind the camera.
    pub(crate) fn project(&self, p: [f32; 2]) -> Option<[f32; 2]> {
        let [x, y, w] = self.to_frame.map(|row| row[0] * p[0] + row[1] * p[1] + row[2]);
        (w > 1.0).then(|| [x / w, y / w])
    }

    /// Where the camera is, seen from the surface: millimetres right, down and in front of the middle of the code.
    pub(crate) fn eye(&self) -> [f32; 3] {
        self.eye
    }

    /// The three numerators of the way back at a pixel, and what each step to the right adds to them.
    pub(crate) fn back(&self, x: f32, y: f32) -> ([f32; 3], [f32; 3]) {
        (self.to_surface.map(|row| row[0] * x + row[1] * y + row[2]), self.to_surface.map(|row| row[0]))
    }
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// By cofactors; scale does not matter, the last coordinate divides it away.
fn inverse(m: &[[f32; 3]; 3]) -> [[f32; 3]; 3] {
    let cofactor = |r0: usize, c0: usize, r1: usize, c1: usize| m[r0][c0] * m[r1][c1] - m[r0][c1] * m[r1][c0];
    let adjugate = [
        [cofactor(1, 1, 2, 2), -cofactor(0, 1, 2, 2), cofactor(0, 1, 1, 2)],
        [-cofactor(1, 0, 2, 2), cofactor(0, 0, 2, 2), -cofactor(0, 0, 1, 2)],
        [cofactor(1, 0, 2, 1), -cofactor(0, 0, 2, 1), cofactor(0, 0, 1, 1)],
    ];
    let determinant = m[0][0] * adjugate[0][0] + m[0][1] * adjugate[1][0] + m[0][2] * adjugate[2][0];
    adjugate.map(|row| row.map(|v| v / determinant))
}

/// A Gaussian blur of a region. Small ones by their kernel, large ones by three running means, which cost the same for
/// any size.
pub(crate) fn gaussian(layer: &mut Layer, region: Region, sigma: f32) {
    if region.is_empty() || sigma < 0.2 {
        return;
    }
    match pixel((sigma * 2.6).ceil()) {
        0 | 1 => separable::<3>(layer, region, sigma),
        2 => separable::<5>(layer, region, sigma),
        3 => separable::<7>(layer, region, sigma),
        4 => separable::<9>(layer, region, sigma),
        5 => separable::<11>(layer, region, sigma),
        _ => running_means(layer, region, sigma),
    }
}

/// A Gaussian's weights in 1/256, adding up to one exactly.
fn kernel<const N: usize>(sigma: f32) -> [u32; N] {
    let raw: [f32; N] = std::array::from_fn(|i| (-(real(i) - real(N / 2)).powi(2) / (2.0 * sigma * sigma)).exp());
    let sum: f32 = raw.iter().sum();
    let mut weights = raw.map(|w| whole(w / sum * 256.0));
    weights[N / 2] = 256 + weights[N / 2] - weights.iter().sum::<u32>();
    weights
}

#[expect(clippy::cast_possible_truncation, reason = "a float cast saturates")]
fn whole(value: f32) -> u32 {
    (value + 0.5) as u32
}

/// Both halves of a weighted sum, rounded.
fn rounded(sum: u32) -> u32 {
    ((sum + 0x0080_0080) >> 8) & 0x00FF_00FF
}

fn separable<const N: usize>(layer: &mut Layer, region: Region, sigma: f32) {
    let weights: [u32; N] = kernel(sigma);
    let (width, height, radius) = (region.x1 - region.x0, region.y1 - region.y0, N / 2);
    // Along the rows, into lines of their own ...
    let mut lines = vec![0_u32; width * height];
    let mut padded = vec![0_u32; width + 2 * radius];
    for (y, line) in lines.chunks_exact_mut(width).enumerate() {
        let row = &layer.row(region.y0 + y)[region.x0..region.x1];
        padded[..radius].fill(row[0]);
        padded[radius..radius + width].copy_from_slice(row);
        padded[radius + width..].fill(row[width - 1]);
        for (out, near) in line.iter_mut().zip(padded.array_windows::<N>()) {
            let mut sum = weights[radius] * near[radius];
            for i in 0..radius {
                sum += weights[i] * (near[i] + near[N - 1 - i]);
            }
            *out = rounded(sum);
        }
    }
    // ... and from these down the columns, a row at a time, so that memory is read in order.
    let line = |y: usize| &lines[y * width..(y + 1) * width];
    let mut sums = vec![0_u32; width];
    for y in 0..height {
        for (sum, v) in sums.iter_mut().zip(line(y)) {
            *sum = weights[radius] * v;
        }
        for i in 1..=radius {
            let (above, below) = (line(y.saturating_sub(i)), line((y + i).min(height - 1)));
            for ((sum, a), b) in sums.iter_mut().zip(above).zip(below) {
                *sum += weights[radius + i] * (a + b);
            }
        }
        let row = &mut layer.row_mut(region.y0 + y)[region.x0..region.x1];
        for (value, sum) in row.iter_mut().zip(&sums) {
            *value = rounded(*sum);
        }
    }
}

fn running_means(layer: &mut Layer, region: Region, sigma: f32) {
    // Three means of width w have the variance (w^2 - 1) / 4.
    let radius = pixel(((4.0 * sigma * sigma + 1.0).sqrt() - 1.0) / 2.0 + 0.5).clamp(1, 120);
    let (width, height) = (region.x1 - region.x0, region.y1 - region.y0);
    let mut line = Vec::new();
    for y in region.y0..region.y1 {
        for _ in 0..3 {
            let row = &mut layer.row_mut(y)[region.x0..region.x1];
            line.clear();
            line.extend_from_slice(row);
            running_mean(&line, row, radius);
        }
    }
    let mut column = vec![0; height];
    for x in region.x0..region.x0 + width {
        for (y, value) in column.iter_mut().enumerate() {
            *value = layer.data[(region.y0 + y) * layer.width + x];
        }
        for _ in 0..3 {
            line.clear();
            line.extend_from_slice(&column);
            running_mean(&line, &mut column, radius);
        }
        for (y, value) in column.iter().enumerate() {
            layer.data[(region.y0 + y) * layer.width + x] = *value;
        }
    }
}

/// Two halves of 16 bits hold the sums of 241 bytes each, so the radius may be 120.
fn running_mean(line: &[u32], out: &mut [u32], radius: usize) {
    let last = line.len() - 1;
    let scale = 1.0 / real(2 * radius + 1);
    let mut sum = (0..radius).map(|_| line[0]).sum::<u32>() + (0..=radius).map(|i| line[i.min(last)]).sum::<u32>();
    for (x, value) in out.iter_mut().enumerate() {
        let half = |bits: u32| level(real(bits as usize) * scale);
        *value = pack(half(sum & 0xFFFF), half(sum >> 16));
        sum += line[(x + radius + 1).min(last)];
        sum -= line[x.saturating_sub(radius)];
    }
}

/// The mean along a short straight path: what a moving hand does while the shutter is open. A long path is taken in
/// sixteen steps at most; between them lies what the lens has softened already.
pub(crate) fn motion(layer: &mut Layer, region: Region, length: f32, direction: f32) {
    if region.is_empty() || length < 1.0 {
        return;
    }
    let steps = if length < 3.5 {
        4
    } else if length < 8.0 {
        8
    } else {
        16
    };
    let (dy, dx) = direction.to_radians().sin_cos();
    let path: Vec<(isize, isize)> = (0..steps)
        .map(|i| (real(i) / real(steps - 1) - 0.5) * length)
        .map(|along| (nearest(along * dx), nearest(along * dy)))
        .collect();
    let source: Vec<u32> = (region.y0..region.y1).flat_map(|y| &layer.row(y)[region.x0..region.x1]).copied().collect();
    let (width, height) = (region.x1 - region.x0, region.y1 - region.y0);
    let share = 256 / whole(real(steps));
    let mut sums = vec![0_u32; width];
    for y in 0..height {
        sums.fill(0x0080_0080);
        for &(px, py) in &path {
            let from = &source[y.saturating_add_signed(py).min(height - 1) * width..][..width];
            // The region is grown by the path's length, so what is shifted out at its sides is empty.
            let (to, shifted) = if px < 0 {
                (&mut sums[px.unsigned_abs().min(width)..], from)
            } else {
                (&mut sums[..], &from[px.unsigned_abs().min(width)..])
            };
            for (sum, v) in to.iter_mut().zip(shifted) {
                *sum += share * v;
            }
        }
        let row = &mut layer.row_mut(region.y0 + y)[region.x0..region.x1];
        for (value, sum) in row.iter_mut().zip(&sums) {
            *value = (sum >> 8) & 0x00FF_00FF;
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a float cast saturates")]
fn nearest(value: f32) -> isize {
    value.round() as isize
}

/// Brightness and contrast of the whole frame.
pub(crate) fn exposure(plane: &mut Plane, brightness: f32, contrast: f32) {
    if brightness == 0.0 && contrast == 1.0 {
        return;
    }
    let table: Vec<u8> = (0_u8..=255).map(|v| level((f32::from(v) - 128.0) * contrast + 128.0 + brightness)).collect();
    for value in &mut plane.data {
        *value = table[usize::from(*value)];
    }
}

/// To JPEG and back.
pub(crate) fn jpeg(plane: &mut Plane, quality: u8) {
    let mut bytes = Vec::with_capacity(plane.data.len() / 4);
    let size = [plane.width, plane.height].map(|v| u32::try_from(v).unwrap_or(u32::MAX));
    let encoder = JpegEncoder::new_with_quality(&mut bytes, quality.clamp(1, 100));
    let encoded = encoder.write_image(&plane.data, size[0], size[1], ExtendedColorType::L8);
    // Neither can fail on a grey picture in memory; if it did, the frame would stay as it was.
    if let Ok(back) = encoded.and_then(|()| image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg)) {
        plane.data = back.into_luma8().into_raw();
    }
}

/// A sensor's noise, drawn once: a frame takes stretches of it from random places, because drawing a million normal
/// numbers a frame would cost more than all the rest.
#[derive(Debug)]
pub(crate) struct Noise {
    /// Normal numbers of standard deviation 1, in 1/256.
    table: Vec<i16>,
}

impl Noise {
    const LENGTH: usize = 1 << 17;

    pub(crate) fn new(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let table = (0..Self::LENGTH)
            .map(|_| {
                // Box and Muller.
                let radius = (-2.0 * (1.0 - random.random::<f32>()).ln()).sqrt();
                small(radius * (std::f32::consts::TAU * random.random::<f32>()).cos() * 256.0)
            })
            .collect();
        Self { table }
    }

    /// Noise of standard deviation `sd` on every pixel.
    pub(crate) fn add(&self, plane: &mut Plane, sd: f32, seed: u64) {
        if sd <= 0.0 {
            return;
        }
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let scale = i32::from(small(sd * 256.0));
        let width = plane.width;
        for y in 0..plane.height {
            let start = random.random_range(0..Self::LENGTH.saturating_sub(width).max(1));
            for (value, n) in plane.row_mut(y).iter_mut().zip(self.table[start..].iter().cycle()) {
                let noisy = i32::from(*value) + ((i32::from(*n) * scale + 32768) >> 16);
                *value = u8::try_from(noisy.clamp(0, 255)).unwrap_or(u8::MAX);
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a float cast saturates")]
fn small(value: f32) -> i16 {
    value.round() as i16
}
