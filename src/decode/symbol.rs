//! What is fixed in a QR symbol of each version (ISO/IEC 18004, 6.3 and 7.9 to 7.10), and where the rest goes.

use std::sync::OnceLock;

/// A version, 1 to 40.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Symbol {
    pub(super) version: usize,
}

/// What each module of a version is for.
#[derive(Debug)]
pub(super) struct Layout {
    size: usize,
    /// Whether a module is dark, in rows, if that does not depend on what the symbol says.
    known: Vec<Option<bool>>,
    /// The same for those where it does not: column, row, whether it is dark.
    pub(super) fixed: Vec<(usize, usize, bool)>,
    /// The modules of the codewords, in the order of their bits.
    pub(super) order: Vec<[u8; 2]>,
}

impl Layout {
    fn of(symbol: Symbol) -> Self {
        let size = symbol.size();
        let places = || (0..size).flat_map(|y| (0..size).map(move |x| (x, y)));
        let known: Vec<_> = places().map(|(x, y)| symbol.known(x, y)).collect();
        let fixed = places().filter_map(|(x, y)| known[y * size + x].map(|dark| (x, y, dark))).collect();
        // Two columns at a time from the right, upwards and downwards (7.7.3). Column 6 is the timing pattern's: the pairs to
        // its left start one further.
        let rights =
            (0..size / 2).map(|pair| size - 1 - 2 * pair).map(|right| if right <= 6 { right - 1 } else { right });
        let format = |x: usize, y: usize| (x == 8 && (y < 9 || y + 8 >= size)) || (y == 8 && (x < 9 || x + 8 >= size));
        let mut order = Vec::new();
        for (pair, right) in rights.enumerate() {
            for step in 0..size {
                let y = if pair % 2 == 0 { size - 1 - step } else { step };
                for x in [right, right - 1] {
                    if known[y * size + x].is_none() && !format(x, y) {
                        order.push([x as u8, y as u8]);
                    }
                }
            }
        }
        Self { size, known, fixed, order }
    }

    /// Whether a module is dark, if that does not depend on what the symbol says.
    #[inline]
    pub(super) fn known(&self, x: usize, y: usize) -> Option<bool> {
        self.known[y * self.size + x]
    }
}

/// Works out all layouts now, so that no frame pays for it.
pub(super) fn prepare() {
    (1..=40).filter_map(Symbol::new).for_each(|symbol| _ = symbol.layout());
}

impl Symbol {
    /// Worked out when it is first asked for.
    pub(super) fn layout(self) -> &'static Layout {
        static LAYOUTS: [OnceLock<Layout>; 40] = [const { OnceLock::new() }; 40];
        LAYOUTS[self.version - 1].get_or_init(|| Layout::of(self))
    }

    pub(super) fn new(version: usize) -> Option<Self> {
        (1..=40).contains(&version).then_some(Self { version })
    }

    /// Modules on a side.
    pub(super) fn size(self) -> usize {
        17 + 4 * self.version
    }

    /// How many rows and columns of alignment patterns there are.
    pub(super) fn alignment_rows(self) -> usize {
        if self.version == 1 { 0 } else { self.version / 7 + 2 }
    }

    /// Row or column of the middle of the `i`th row of alignment patterns (Annex E).
    pub(super) fn alignment(self, i: usize) -> usize {
        let rows = self.alignment_rows();
        let step = if self.version == 32 { 26 } else { (self.size() - 13).div_ceil(2 * rows - 2) * 2 };
        if i == 0 { 6 } else { self.size() - 7 - step * (rows - 1 - i) }
    }

    /// Whether the alignment pattern of these rows exists: not where the finders are.
    pub(super) fn has_alignment(self, column: usize, row: usize) -> bool {
        let last = self.alignment_rows().saturating_sub(1);
        !matches!((column, row), (0, 0)) && (column, row) != (0, last) && (column, row) != (last, 0)
    }

    fn known(self, x: usize, y: usize) -> Option<bool> {
        let size = self.size();
        // Finders and the light line around them.
        let corner = |v: usize| {
            if v < 8 {
                Some(v)
            } else if v + 8 >= size {
                Some(size - 1 - v)
            } else {
                None
            }
        };
        if let (Some(cx), Some(cy)) = (corner(x), corner(y))
            && (x < 8 || y < 8)
        {
            let ring = cx.abs_diff(3).max(cy.abs_diff(3));
            return Some(ring != 2 && ring < 4);
        }
        if x == 6 || y == 6 {
            return Some((x + y).is_multiple_of(2));
        }
        if (x, y) == (8, size - 8) {
            return Some(true);
        }
        if self.version >= 7 {
            let bit = |a: usize, b: usize| (a < 6 && b + 11 >= size && b + 8 < size).then(|| 3 * a + b + 11 - size);
            if let Some(bit) = bit(x, y).or_else(|| bit(y, x)) {
                return Some(version_word(self.version) >> bit & 1 == 1);
            }
        }
        let rows = self.alignment_rows();
        let near = |v: usize| (0..rows).find(|i| self.alignment(*i).abs_diff(v) <= 2);
        if let (Some(column), Some(row)) = (near(x), near(y))
            && self.has_alignment(column, row)
        {
            return Some(self.alignment(column).abs_diff(x).max(self.alignment(row).abs_diff(y)) != 1);
        }
        None
    }
}

/// The 18 bits of version information: 6 of the version and 12 of a Golay code (Annex D).
pub(super) fn version_word(version: usize) -> u32 {
    let mut rest = u32::try_from(version).unwrap_or(0);
    for _ in 0..12 {
        rest = (rest << 1) ^ ((rest >> 11) * 0x1f25);
    }
    u32::try_from(version).unwrap_or(0) << 12 | rest
}

/// The 15 bits of format information: level, mask and 10 of a BCH code, masked (Annex C).
pub(super) fn format_word(level_and_mask: u32) -> u32 {
    let mut rest = level_and_mask;
    for _ in 0..10 {
        rest = (rest << 1) ^ ((rest >> 9) * 0x537);
    }
    (level_and_mask << 10 | rest) ^ 0x5412
}

/// The two places of each bit of the format information, the highest bit first (7.9.1, figure 25).
pub(super) fn format_places(size: usize) -> [[[usize; 2]; 2]; 15] {
    const AROUND: [usize; 15] = [0, 1, 2, 3, 4, 5, 7, 8, 8, 8, 8, 8, 8, 8, 8];
    std::array::from_fn(|i| {
        let first = [AROUND[i], AROUND[14 - i]];
        let second = if i < 7 { [8, size - 1 - i] } else { [size - 15 + i, 8] };
        [first, second]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_fixed_agrees_with_an_encoder() {
        for version in 1..=40_i16 {
            let encoded = qrcode::QrCode::with_version([b'A'; 9], qrcode::Version::Normal(version), qrcode::EcLevel::L);
            let code = encoded.unwrap();
            let symbol = Symbol::new(usize::try_from(version).unwrap()).unwrap();
            let size = symbol.size();
            assert_eq!(code.width(), size);
            let mut known = 0;
            for y in 0..size {
                for x in 0..size {
                    if let Some(dark) = symbol.known(x, y) {
                        known += 1;
                        assert_eq!(dark, code[(x, y)] == qrcode::Color::Dark, "version {version}, at {x}, {y}");
                    }
                }
            }
            assert!(known > 3 * 64 + 2 * (size - 16));
            let word = |copy: usize| {
                format_places(size).iter().fold(0, |word, places| {
                    let [x, y] = places[copy];
                    word << 1 | u32::from(code[(x, y)] == qrcode::Color::Dark)
                })
            };
            assert_eq!(word(0), word(1), "version {version}");
            assert!((0..32).any(|i| format_word(i) == word(0)), "version {version}");
        }
    }
}
