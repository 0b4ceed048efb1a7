//! Rice coding of ascending numbers as gaps (SY 5.3): exact, and for random sets within 1 % of the entropy bound.

use alloc::vec::Vec;

use crate::signed::ListError;

/// The parameter is at most this: a gap is below 2^32.
const MAX_K: u8 = 31;

/// The parameter that gives the shortest code, and the code.
pub(crate) fn encode(ascending: &[u32]) -> (u8, Vec<u8>) {
    let bits = |k: u8| -> u64 { gaps(ascending).map(|gap| u64::from(gap >> k) + 1 + u64::from(k)).sum() };
    let k = (0..=MAX_K).min_by_key(|k| bits(*k)).unwrap_or(0);
    let mut out = BitWriter::default();
    for gap in gaps(ascending) {
        for _ in 0..gap >> k {
            out.push(true);
        }
        out.push(false);
        for i in (0..k).rev() {
            out.push(gap >> i & 1 == 1);
        }
    }
    (k, out.bytes)
}

/// `count` ascending numbers out of all of `bytes`.
pub(crate) fn decode(k: u8, count: usize, bytes: &[u8]) -> Result<Vec<u32>, ListError> {
    // SY 5.3: "k is 0 to 31."
    if k > MAX_K {
        return Err(ListError::Field("rice parameter"));
    }
    // SY 5.3: "A count greater than the number of bits is `length`." So a tiny file cannot make us reserve gigabytes.
    if count > bytes.len().saturating_mul(8) {
        return Err(ListError::Length);
    }
    let mut bits = BitReader { bytes, at: 0 };
    let mut values = Vec::with_capacity(count);
    let mut next: u64 = 0;
    for _ in 0..count {
        let mut quotient: u64 = 0;
        while bits.next()? {
            quotient += 1;
        }
        let mut low: u64 = 0;
        for _ in 0..k {
            low = low << 1 | u64::from(bits.next()?);
        }
        // SY 5.3: "Each value is below 2^32."
        let value = next + (quotient << k | low);
        values.push(u32::try_from(value).map_err(|_| ListError::Field("handle"))?);
        next = value + 1;
    }
    bits.end()?;
    Ok(values)
}

/// The first number, then how many numbers are skipped between neighbours.
fn gaps(ascending: &[u32]) -> impl Iterator<Item = u32> + '_ {
    let mut next: u32 = 0;
    ascending.iter().map(move |v| {
        let gap = v.wrapping_sub(next);
        next = v.wrapping_add(1);
        gap
    })
}

#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    used: u8,
}

impl BitWriter {
    fn push(&mut self, bit: bool) {
        if self.used == 0 {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(bit) << (7 - self.used);
        }
        self.used = (self.used + 1) % 8;
    }
}

struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl BitReader<'_> {
    fn next(&mut self) -> Result<bool, ListError> {
        let byte = self.bytes.get(self.at / 8).ok_or(ListError::Length)?;
        let bit = byte >> (7 - self.at % 8) & 1 == 1;
        self.at += 1;
        Ok(bit)
    }

    /// SY 5.3: "What is left is fewer than eight zero bits."
    fn end(mut self) -> Result<(), ListError> {
        if self.bytes.len() != self.at.div_ceil(8) {
            return Err(ListError::Length);
        }
        while !self.at.is_multiple_of(8) {
            if self.next()? {
                return Err(ListError::Field("padding"));
            }
        }
        Ok(())
    }
}
