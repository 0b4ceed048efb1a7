//! Puts the codewords of a grid right before rqrr reads them: Reed-Solomon with erasures (ISO/IEC 18004, 7.5 and 12).
//!
//! Glare, a crack or a thumb destroys codewords whose modules are then neither dark nor light. A codeword that is known to
//! be doubtful costs half of one that is wrong without a sign. rqrr corrects errors only, and tries the mirrored grid
//! before it gives up: what cannot be corrected is found out here, for less.

use super::grid::Grid;
use super::symbol::Symbol;

/// Correction bytes that are left over when doubtful codewords are erased: they prove the result.
const PROOF: usize = 4;
/// Correction bytes of a block at most.
const MOST: usize = 30;

/// Bytes of correction in each block, and blocks: for each level (by its two bits: M, L, H, Q), versions 1 to 40 (table 9).
const CORRECTION: [[u8; 40]; 4] = [
    [
        10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26, 28, 28, 28, 28, 28, 28, 28,
        28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    ],
    [
        7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30, 30, 26, 28, 30, 30,
        30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30,
    ],
    [
        17, 28, 22, 16, 22, 28, 26, 26, 24, 28, 24, 28, 22, 24, 24, 30, 28, 28, 26, 28, 30, 24, 30, 30, 30, 30, 30, 30,
        30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30,
    ],
    [
        13, 22, 18, 26, 18, 24, 18, 22, 20, 24, 28, 26, 24, 20, 30, 24, 28, 28, 26, 30, 28, 30, 30, 30, 30, 28, 30, 30,
        30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30,
    ],
];
const BLOCKS: [[u8; 40]; 4] = [
    [
        1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31,
        33, 35, 37, 38, 40, 43, 45, 47, 49,
    ],
    [
        1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18,
        19, 19, 20, 21, 22, 24, 25,
    ],
    [
        1, 1, 2, 4, 4, 4, 5, 6, 8, 8, 11, 11, 16, 16, 18, 16, 19, 21, 25, 25, 25, 34, 30, 32, 35, 37, 40, 42, 45, 48,
        51, 54, 57, 60, 63, 66, 70, 74, 77, 81,
    ],
    [
        1, 1, 2, 2, 4, 4, 6, 6, 8, 8, 8, 10, 12, 16, 12, 17, 16, 18, 21, 20, 23, 23, 25, 27, 29, 34, 34, 35, 38, 40,
        43, 45, 48, 51, 53, 56, 59, 62, 65, 68,
    ],
];

/// Repairs grids.
#[derive(Debug, Default)]
pub(super) struct Repair {
    codewords: Vec<u8>,
    /// How sure the least sure module of each codeword is.
    sure: Vec<f32>,
    block: Vec<u8>,
    doubtful: Vec<(f32, usize)>,
}

impl Repair {
    /// Corrects the codewords of a grid in place; `format` is the five bits of level and mask. False if it cannot be done.
    pub(super) fn repair(&mut self, dark: &mut Grid, symbol: Symbol, format: u32) -> bool {
        let modules = symbol.layout().order.as_chunks::<8>().0;
        let (level, mask) = ((format >> 3) as usize & 3, format & 7);
        self.codewords.clear();
        self.sure.clear();
        for modules in modules {
            let (mut byte, mut sure) = (0, f32::MAX);
            for [x, y] in modules.map(|m| m.map(usize::from)) {
                let value = dark.at(x, y);
                byte = byte << 1 | u8::from((value > 0.0) != masked(mask, x, y));
                sure = sure.min(value.abs());
            }
            self.codewords.push(byte);
            self.sure.push(sure);
        }
        if !self.correct_all(
            usize::from(CORRECTION[level][symbol.version - 1]),
            usize::from(BLOCKS[level][symbol.version - 1]),
        ) {
            return false;
        }
        for (modules, byte) in modules.iter().zip(&self.codewords) {
            for (i, [x, y]) in modules.iter().map(|m| m.map(usize::from)).enumerate() {
                let bit = byte >> (7 - i) & 1 == 1;
                dark.values[y * dark.size + x] = if bit == masked(mask, x, y) { -1.0 } else { 1.0 };
            }
        }
        true
    }

    fn correct_all(&mut self, correction: usize, blocks: usize) -> bool {
        let total = self.codewords.len();
        let (short, long_blocks) = (total / blocks, total % blocks);
        (0..blocks).all(|block| {
            let long = block + long_blocks >= blocks;
            let data = short - correction;
            // Where the bytes of this block are among all: data columns, the odd one of long blocks, correction columns.
            let place = |i: usize| match i {
                i if i < data => i * blocks + block,
                i if i == data && long => data * blocks + block + long_blocks - blocks,
                i => data * blocks + long_blocks + (i - data - usize::from(long)) * blocks + block,
            };
            let length = short + usize::from(long);
            self.block.clear();
            self.block.extend((0..length).map(|i| self.codewords[place(i)]));
            self.doubtful.clear();
            self.doubtful.extend((0..length).map(|i| (self.sure[place(i)], i)));
            self.doubtful.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
            let corrected = self.correct(correction);
            if corrected {
                for i in 0..length {
                    self.codewords[place(i)] = self.block[i];
                }
            }
            corrected
        })
    }

    /// Corrects a block: as it is, or with more and more of its doubtful bytes erased.
    fn correct(&mut self, correction: usize) -> bool {
        let syndromes = syndromes(&self.block, correction);
        if syndromes[..correction].iter().all(|s| *s == 0) {
            return true;
        }
        let most = correction.saturating_sub(PROOF);
        [0, most / 4, most / 2, 3 * most / 4, most].iter().enumerate().any(|(i, erased)| {
            if i > 0 && *erased == 0 {
                return false;
            }
            let room = if i == 0 { correction } else { most };
            correct(&mut self.block, &syndromes, correction, &self.doubtful[..*erased], room)
        })
    }
}

/// The mask patterns (table 10).
fn masked(mask: u32, x: usize, y: usize) -> bool {
    match mask {
        0 => (x + y).is_multiple_of(2),
        1 => y.is_multiple_of(2),
        2 => x.is_multiple_of(3),
        3 => (x + y).is_multiple_of(3),
        4 => (x / 3 + y / 2).is_multiple_of(2),
        5 => (x * y) % 2 + (x * y) % 3 == 0,
        6 => ((x * y) % 2 + (x * y) % 3).is_multiple_of(2),
        _ => ((x + y) % 2 + (x * y) % 3).is_multiple_of(2),
    }
}

type Polynomial = [u8; MOST + 2];

/// Powers of the field's generator, twice around, and their logarithms; the field is that of x^8 + x^4 + x^3 + x^2 + 1.
const FIELD: ([u8; 510], [u8; 256]) = {
    let (mut powers, mut logarithms) = ([0; 510], [0; 256]);
    let (mut value, mut i) = (1_u16, 0);
    while i < 255 {
        powers[i] = value as u8;
        powers[i + 255] = value as u8;
        logarithms[value as usize] = i as u8;
        value <<= 1;
        if value > 255 {
            value ^= 0x11d;
        }
        i += 1;
    }
    (powers, logarithms)
};

fn times(a: u8, b: u8) -> u8 {
    if a == 0 || b == 0 {
        return 0;
    }
    FIELD.0[usize::from(FIELD.1[usize::from(a)]) + usize::from(FIELD.1[usize::from(b)])]
}

fn inverse(a: u8) -> u8 {
    FIELD.0[255 - usize::from(FIELD.1[usize::from(a)])]
}

fn power(exponent: usize) -> u8 {
    FIELD.0[exponent % 255]
}

/// The value at `x`, the constant first.
fn value(polynomial: &[u8], x: u8) -> u8 {
    polynomial.iter().rev().fold(0, |sum, c| times(sum, x) ^ c)
}

fn syndromes(block: &[u8], correction: usize) -> Polynomial {
    let mut syndromes = [0; MOST + 2];
    for (i, s) in syndromes[..correction].iter_mut().enumerate() {
        let x = power(i);
        *s = block.iter().fold(0, |sum, c| times(sum, x) ^ c);
    }
    syndromes
}

/// Corrects errors and erasures if twice the errors and the erasures fit into `room` (Blahut's form of Berlekamp and Massey,
/// then Forney). The block is only changed if all of it comes right.
fn correct(block: &mut [u8], syndromes: &Polynomial, correction: usize, erased: &[(f32, usize)], room: usize) -> bool {
    let place = |i: usize| power(block.len() - 1 - i);
    let mut locator: Polynomial = [0; MOST + 2];
    locator[0] = 1;
    for (n, (_, i)) in erased.iter().enumerate() {
        for k in (1..=n + 1).rev() {
            locator[k] ^= times(locator[k - 1], place(*i));
        }
    }
    let (mut helper, mut degree) = (locator, erased.len());
    for round in erased.len() + 1..=correction {
        let discrepancy = (0..round)
            .fold(0, |sum, k| sum ^ if k < MOST + 2 { times(locator[k], syndromes[round - 1 - k]) } else { 0 });
        let mut shifted: Polynomial = [0; MOST + 2];
        shifted[1..].copy_from_slice(&helper[..MOST + 1]);
        let before = locator;
        if discrepancy != 0 {
            locator.iter_mut().zip(&shifted).for_each(|(l, s)| *l ^= times(discrepancy, *s));
        }
        if discrepancy != 0 && 2 * degree < round + erased.len() {
            let scale = inverse(discrepancy);
            helper = before.map(|c| times(scale, c));
            degree = round + erased.len() - degree;
        } else {
            helper = shifted;
        }
    }
    if degree < erased.len() || 2 * (degree - erased.len()) + erased.len() > room {
        return false;
    }
    if locator[degree] == 0 || locator[degree + 1..].iter().any(|c| *c != 0) {
        return false;
    }
    let mut evaluator: Polynomial = [0; MOST + 2];
    for k in 0..correction {
        evaluator[k] = (0..=k.min(degree)).fold(0, |sum, j| sum ^ times(locator[j], syndromes[k - j]));
    }
    // The derivative keeps the odd terms.
    let derivative: Polynomial = std::array::from_fn(|k| if k % 2 == 0 && k < MOST + 1 { locator[k + 1] } else { 0 });
    let mut errors = [(0, 0_u8); MOST + 2];
    let mut count = 0;
    for i in 0..block.len() {
        let x = inverse(place(i));
        if value(&locator[..=degree], x) == 0 {
            let slope = value(&derivative, x);
            if slope == 0 || count == degree {
                return false;
            }
            let size = times(place(i), times(value(&evaluator[..correction], x), inverse(slope)));
            errors[count] = (i, size);
            count += 1;
        }
    }
    if count != degree {
        return false;
    }
    errors[..count].iter().for_each(|(i, size)| block[*i] ^= size);
    if self::syndromes(block, correction)[..correction].iter().any(|s| *s != 0) {
        errors[..count].iter().for_each(|(i, size)| block[*i] ^= size);
        return false;
    }
    true
}

#[cfg(test)]
mod tests {
    use qrcode::{Color, EcLevel, QrCode, Version};

    use super::*;

    fn grid(version: usize, level: EcLevel) -> (Grid, Symbol, u32) {
        let code = QrCode::with_version([b'A'; 5], Version::Normal(i16::try_from(version).unwrap()), level).unwrap();
        let symbol = Symbol::new(version).unwrap();
        let mut dark = Grid::default();
        dark.resize(symbol.size());
        for (v, c) in dark.values.iter_mut().zip(code.to_colors()) {
            *v = if c == Color::Dark { 1.0 } else { -1.0 };
        }
        let places = super::super::symbol::format_places(symbol.size());
        let word = places.iter().fold(0, |word, p| word << 1 | u32::from(dark.at(p[0][0], p[0][1]) > 0.0));
        let format = (0..32).find(|i| super::super::symbol::format_word(*i) == word).unwrap();
        (dark, symbol, format)
    }

    #[test]
    fn what_an_encoder_made_needs_no_repair_in_any_version_and_level() {
        let mut repair = Repair::default();
        for version in 1..=40 {
            for level in [EcLevel::L, EcLevel::M, EcLevel::Q, EcLevel::H] {
                let (dark, symbol, format) = grid(version, level);
                let mut repaired = dark.clone();
                assert!(repair.repair(&mut repaired, symbol, format), "version {version} {level:?}");
                assert_eq!(repaired.values, dark.values, "version {version} {level:?}");
            }
        }
    }

    #[test]
    fn scattered_errors_are_corrected_in_any_version_and_level() {
        let mut repair = Repair::default();
        for version in 1..=40 {
            for level in [EcLevel::L, EcLevel::M, EcLevel::Q, EcLevel::H] {
                let (dark, symbol, format) = grid(version, level);
                let mut torn = dark.clone();
                // One module in every two hundred, in the data part.
                let data = 9 * torn.size + 9..torn.values.len();
                for i in data.step_by(211) {
                    let (x, y) = (i % torn.size, i / torn.size);
                    torn.values[i] *= if symbol.layout().known(x, y).is_none() && x > 8 { -1.0 } else { 1.0 };
                }
                assert!(repair.repair(&mut torn, symbol, format), "version {version} {level:?}");
                assert_eq!(torn.values, dark.values, "version {version} {level:?}");
            }
        }
    }

    #[test]
    fn a_patch_that_is_known_to_be_doubtful_may_be_larger() {
        let (dark, symbol, format) = grid(6, EcLevel::M);
        let patch = |sure: f32, side: usize| {
            let mut torn = dark.clone();
            for y in 0..side {
                for x in 0..side {
                    // Of the glare's color, which half of the modules have not.
                    torn.values[(14 + y) * torn.size + 14 + x] = -sure;
                }
            }
            Repair::default().repair(&mut torn, symbol, format) && torn.values == dark.values
        };
        let largest = |sure: f32| (1..25).take_while(|side| patch(sure, *side)).last().unwrap_or(0);
        let (sure, doubtful) = (largest(1.0), largest(0.01));
        assert!(doubtful > sure, "{doubtful} modules wide when doubtful, {sure} when not");
    }

    #[test]
    fn noise_is_not_repaired_into_something() {
        let (mut noise, symbol, format) = grid(6, EcLevel::M);
        let mut repair = Repair::default();
        for seed in 0..200_u32 {
            for (i, v) in noise.values.iter_mut().enumerate() {
                let hash = (i as u32 + 7919 * seed).wrapping_mul(2_654_435_761);
                *v = f32::from((hash ^ hash >> 15) as i16) / 32768.0;
            }
            assert!(!repair.repair(&mut noise.clone(), symbol, format));
        }
    }
}
