//! Dark or light: a threshold for each block of 8x8 pixels from the contrast around it.
//!
//! A block counts by the square of its contrast, so that the edge of a module decides and not the flat ground beside it.
//! Blocks with no more contrast than the picture's noise do not count at all: flat ground then gives no edges, and no
//! false finders.

use super::plane::View;

const BLOCK: usize = 8;
/// Blocks to each side that have a say in a block's threshold: 5x5.
const REACH: usize = 2;
/// Contrast below which even a noiseless picture says nothing.
const FAINTEST: u8 = 10;
/// Contrast that noise alone may give a block.
const NOISIEST: u8 = 70;
/// Graininess beside a block's contrast from which on it is noise.
const GRAINY: f32 = 0.36;

/// How a picture is divided. What one manner does not show, another may.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Manner {
    /// Share of the noise floor that counts: lower for a dim phone in a bright picture.
    floor: f32,
    /// Where between dark (0) and light (1) the threshold is: higher where light has eaten the dark modules.
    middle: f32,
    /// Whether the picture is smoothed before: noise hides finders more than blur does.
    pub(super) smooth: bool,
}

impl Manner {
    /// The usual one first.
    pub(super) const ALL: [Self; 3] = [
        Self { floor: 1.0, middle: 0.5, smooth: false },
        Self { floor: 0.8, middle: 0.5, smooth: true },
        Self { floor: 1.0, middle: 0.72, smooth: false },
    ];
}

impl Default for Manner {
    fn default() -> Self {
        Self::ALL[0]
    }
}

/// One bit a pixel, set where it is dark; rows of whole words.
#[derive(Debug, Default)]
pub(super) struct Bits {
    pub(super) width: usize,
    pub(super) height: usize,
    stride: usize,
    words: Vec<u64>,
    thresholds: Vec<u8>,
    blocks: [usize; 2],
    manner: Manner,
    /// Share of blocks with contrast.
    pub(super) busy: f32,
    /// Contrast of the flattest fifth of the blocks.
    pub(super) noise: u8,
    /// Contrast below which a block is flat.
    pub(super) floor: u8,
    work: Work,
}

#[derive(Debug, Default)]
struct Work {
    low: Vec<u8>,
    high: Vec<u8>,
    /// Darkest and lightest pixel of each block.
    range: Vec<[u8; 2]>,
    weight: Vec<f32>,
    weighted: Vec<f32>,
    across: Vec<[f32; 2]>,
    /// Changes from dark to light or back within each block, along rows and along columns.
    busy: Vec<[u8; 2]>,
}

impl Bits {
    pub(super) fn row(&self, y: usize) -> &[u64] {
        &self.words[y * self.stride..(y + 1) * self.stride]
    }

    #[inline]
    pub(super) fn dark(&self, x: usize, y: usize) -> bool {
        self.words[y * self.stride + (x >> 6)] >> (x & 63) & 1 == 1
    }

    /// Whether even the flattest blocks have contrast, and no more than noise gives.
    pub(super) fn is_noisy(&self) -> bool {
        (FAINTEST..=NOISIEST).contains(&self.noise)
    }

    /// The grey level that divides dark from light around a pixel.
    pub(super) fn threshold_at(&self, x: usize, y: usize) -> u8 {
        let [wide, high] = self.blocks;
        self.thresholds[(y / BLOCK).min(high - 1) * wide + (x / BLOCK).min(wide - 1)]
    }

    /// Whether some place is as busy in both directions as the modules of a small code, and more than noise: most of 3x3
    /// blocks.
    pub(super) fn has_fine_texture(&mut self) -> bool {
        const CHANGES: u8 = 10;
        let least = if self.is_noisy() { self.noise.saturating_mul(2) } else { 0 };
        let wide = self.blocks[0];
        self.work.busy.clear();
        for rows in self.words.chunks(self.stride * BLOCK) {
            let start = self.work.busy.len();
            self.work.busy.resize(start + self.stride * 8, [0_u8; 2]);
            let counts = &mut self.work.busy[start..];
            for (y, row) in rows.chunks(self.stride).enumerate() {
                let below = rows.get((y + 1) * self.stride..(y + 2) * self.stride).unwrap_or(row);
                for (i, (word, below)) in row.iter().zip(below).enumerate() {
                    let (across, down) = (changes((word ^ word >> 1) & (u64::MAX >> 1)), changes(word ^ below));
                    for (k, count) in counts[i * 8..i * 8 + 8].iter_mut().enumerate() {
                        count[0] += across[k];
                        count[1] += down[k];
                    }
                }
            }
        }
        let side = self.stride * 8;
        let busy = |x: usize, y: usize| {
            let at = y * side + x;
            let contrast = || self.work.range.get(y * wide + x).map_or(0, |[low, high]| high - low);
            x < wide && self.work.busy.get(at).is_some_and(|c| c[0].min(c[1]) >= CHANGES) && contrast() >= least
        };
        let high = self.work.busy.len() / side.max(1);
        (0..high.saturating_sub(2)).any(|y| {
            (0..wide.saturating_sub(2))
                .any(|x| busy(x + 1, y + 1) && (0..9).filter(|i| busy(x + i % 3, y + i / 3)).count() >= 6)
        })
    }

    /// Divides a picture.
    pub(super) fn divide(&mut self, picture: View<'_>, manner: Manner) {
        self.manner = manner;
        (self.width, self.height) = (picture.width, picture.height);
        self.blocks = [picture.width.div_ceil(BLOCK), picture.height.div_ceil(BLOCK)];
        self.measure(picture);
        self.balance();
        self.fill(picture);
    }

    /// Contrast and middle of each block.
    fn measure(&mut self, picture: View<'_>) {
        let [wide, high] = self.blocks;
        let work = &mut self.work;
        work.range.clear();
        work.weight.clear();
        work.weighted.clear();
        let mut histogram = [0_u32; 256];
        for by in 0..high {
            let rows = by * BLOCK..((by + 1) * BLOCK).min(picture.height);
            work.low.clear();
            work.low.extend_from_slice(picture.row(rows.start));
            work.high.clear();
            work.high.extend_from_slice(picture.row(rows.start));
            for y in rows.skip(1) {
                let row = picture.row(y);
                work.low.iter_mut().zip(row).for_each(|(low, v)| *low = (*low).min(*v));
                work.high.iter_mut().zip(row).for_each(|(high, v)| *high = (*high).max(*v));
            }
            for (low, high) in work.low.chunks(BLOCK).zip(work.high.chunks(BLOCK)) {
                let low = low.iter().copied().min().unwrap_or(0);
                let high = high.iter().copied().max().unwrap_or(0);
                histogram[usize::from(high - low)] += 1;
                work.range.push([low, high]);
                work.weight.push(f32::from(high - low));
                work.weighted.push(f32::from(low) + self.manner.middle * f32::from(high - low));
            }
        }
        let (noise, floor) = noise_floor(&histogram, wide * high, || graininess(picture));
        (self.noise, self.floor) = (noise, floor);
        let floor = f32::from(floor) * self.manner.floor;
        let mut busy = 0;
        for (weight, weighted) in work.weight.iter_mut().zip(&mut work.weighted) {
            let contrast = *weight;
            *weight = if contrast < floor { 0.0 } else { contrast * contrast };
            *weighted *= *weight;
            busy += usize::from(contrast >= floor);
        }
        self.busy = busy as f32 / (wide * high).max(1) as f32;
    }

    /// Each block's threshold: the weighted mean of the middles around it. Where nothing around has contrast, that of
    /// the block before, so that a wide module is one piece.
    fn balance(&mut self) {
        let [wide, high] = self.blocks;
        let work = &mut self.work;
        work.across.clear();
        for (weight, weighted) in work.weight.chunks(wide).zip(work.weighted.chunks(wide)) {
            for x in 0..wide {
                let span = x.saturating_sub(REACH)..(x + REACH + 1).min(wide);
                let sum = |values: &[f32]| values[span.clone()].iter().sum::<f32>();
                work.across.push([sum(weight), sum(weighted)]);
            }
        }
        self.thresholds.clear();
        for y in 0..high {
            for x in 0..wide {
                let rows = y.saturating_sub(REACH)..(y + REACH + 1).min(high);
                let [weight, weighted] = rows.fold([0.0; 2], |[w, m], row| {
                    let [rw, rm] = work.across[row * wide + x];
                    [w + rw, m + rm]
                });
                let at = y * wide + x;
                let threshold = if weight > 0.0 {
                    (weighted / weight + 0.5) as u8
                } else {
                    match (x, y) {
                        (0, 0) => 0,
                        (0, _) => self.thresholds[at - wide],
                        _ => self.thresholds[at - 1],
                    }
                };
                // A flat block is one piece, whatever its noise.
                let [low, high] = work.range[at];
                let flat = work.weight[at] <= 0.0 && (low..high).contains(&threshold);
                self.thresholds.push(match threshold {
                    t if !flat => t,
                    t if t - low < high - t => low,
                    _ => high.saturating_add(1),
                });
            }
        }
    }

    fn fill(&mut self, picture: View<'_>) {
        let wide = self.blocks[0];
        self.stride = picture.width.div_ceil(64);
        self.words.clear();
        for y in 0..picture.height {
            let thresholds = &self.thresholds[y / BLOCK * wide..][..wide];
            let row = picture.row(y);
            for (pixels, thresholds) in row.chunks(64).zip(thresholds.chunks(8)) {
                let mut word = 0;
                for (i, (pixels, threshold)) in pixels.chunks(8).zip(thresholds).enumerate() {
                    let mut eight = [255; 8];
                    match pixels.first_chunk::<8>() {
                        Some(whole) => eight = *whole,
                        None => eight[..pixels.len()].copy_from_slice(pixels),
                    }
                    word |= u64::from(below(eight, *threshold)) << (8 * i);
                }
                self.words.push(word);
            }
        }
    }
}

/// How many bits are set in each byte.
fn changes(word: u64) -> [u8; 8] {
    let pairs = word - (word >> 1 & 0x5555_5555_5555_5555);
    let fours = (pairs & 0x3333_3333_3333_3333) + (pairs >> 2 & 0x3333_3333_3333_3333);
    ((fours + (fours >> 4)) & 0x0f0f_0f0f_0f0f_0f0f).to_le_bytes()
}

/// One bit for each of eight pixels: whether it is below the threshold. Eight comparisons in one word, without carries
/// between its bytes.
#[inline]
fn below(pixels: [u8; 8], threshold: u8) -> u8 {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let x = u64::from_le_bytes(pixels);
    let y = u64::from(threshold) * 0x0101_0101_0101_0101;
    let not_less_low = (x | HIGH) - (y & !HIGH);
    let less = ((!x & y) | (!(x ^ y) & !not_less_low)) & HIGH;
    ((less >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8
}

/// The contrast that noise alone gives a block: a fifth of a picture is flat ground as a rule, and where it is not, no
/// more than half of what the busiest blocks show.
fn noise_floor(histogram: &[u32; 256], blocks: usize, graininess: impl FnOnce() -> f32) -> (u8, u8) {
    let quantile = |share: f32| {
        let wanted = (blocks as f32 * share) as u32;
        let mut seen = 0;
        let found = histogram.iter().position(|count| {
            seen += count;
            seen > wanted
        });
        found.unwrap_or(255)
    };
    let (flat, busiest) = (quantile(0.2), quantile(0.95));
    let byte = |v: usize| u8::try_from(v).unwrap_or(u8::MAX);
    let floor = flat * 3 / 2;
    let most = if flat > usize::from(NOISIEST) {
        // More is no sensor's noise but a code from edge to edge.
        busiest / 3
    } else if busiest < flat * 8 / 5 && graininess() > GRAINY * flat as f32 {
        // Noise from edge to edge, and nothing else.
        floor
    } else {
        busiest / 2
    };
    (byte(flat), byte(floor.min(most)).max(FAINTEST))
}

/// How much pixels differ from the mean of their neighbours, twice that: of noise nearly half of a block's contrast, of
/// modules four pixels wide a quarter.
fn graininess(picture: View<'_>) -> f32 {
    let rows = (0..picture.height).step_by(BLOCK).map(|y| picture.row(y));
    let (sum, count) = rows.flat_map(|row| row.array_windows::<3>()).fold((0_u32, 0_u32), |(sum, count), [a, b, c]| {
        (sum + (2 * u32::from(*b)).abs_diff(u32::from(*a) + u32::from(*c)), count + 1)
    });
    sum as f32 / count.max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_pixels_are_compared_at_once_as_one_by_one() {
        for threshold in 0..=255_u8 {
            for start in (0..=248_u8).step_by(8) {
                let pixels: [u8; 8] = std::array::from_fn(|i| start + i as u8);
                let expected = (0..8).fold(0, |bits, i| bits | u8::from(pixels[i] < threshold) << i);
                assert_eq!(below(pixels, threshold), expected, "{pixels:?} < {threshold}");
            }
        }
    }

    #[test]
    fn a_gradient_does_not_hide_what_is_printed_on_it() {
        let (width, height) = (200, 64);
        let pixels: Vec<u8> = (0..width * height)
            .map(|i| {
                let (x, ground) = (i % width, 100 + i % width / 2);
                if x / 5 % 2 == 0 { ground as u8 } else { (ground / 2) as u8 }
            })
            .collect();
        let mut bits = Bits::default();
        bits.divide(View { width, height, pixels: &pixels }, Manner::default());
        for y in 0..height {
            for x in 0..width {
                assert_eq!(bits.dark(x, y), x / 5 % 2 == 1, "at {x}, {y}");
            }
        }
    }

    #[test]
    fn noise_from_edge_to_edge_gives_next_to_no_edges() {
        let chance = super::super::testing::chance;
        let noise = |i: usize| (128.0 + 12.0 * (chance(i) + chance(i + 77_777) + chance(i + 155_555))) as u8;
        let pixels: Vec<u8> = (0..256 * 256).map(noise).collect();
        let mut bits = Bits::default();
        bits.divide(View { width: 256, height: 256, pixels: &pixels }, Manner::default());
        assert!(bits.is_noisy() && bits.busy < 0.02, "{} of the blocks", bits.busy);
        assert!(!bits.has_fine_texture());
    }

    #[test]
    fn noise_on_flat_ground_gives_no_edges() {
        let pixels: Vec<u8> = (0..64 * 64_u32).map(|i| 120 + (i.wrapping_mul(2_654_435_761) >> 30) as u8).collect();
        let mut bits = Bits::default();
        bits.divide(View { width: 64, height: 64, pixels: &pixels }, Manner::default());
        assert!((0..64).all(|y| bits.row(y) == [0]), "no pixel is dark");
        assert!(bits.busy < f32::EPSILON);
    }
}
