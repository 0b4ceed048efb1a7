//! Reading and writing big-endian fields. Reading never goes past the end and never panics.

use alloc::vec::Vec;

/// The input ended before the field did, or went on after the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WrongLength;

/// A cursor over received bytes.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn take(&mut self, n: usize) -> Result<&'a [u8], WrongLength> {
        let (head, rest) = self.0.split_at_checked(n).ok_or(WrongLength)?;
        self.0 = rest;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], WrongLength> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(WrongLength)?;
        self.0 = rest;
        Ok(*head)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, WrongLength> {
        self.array::<1>().map(|[b]| b)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, WrongLength> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, WrongLength> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, WrongLength> {
        self.array().map(u64::from_be_bytes)
    }

    /// A length in bytes, as u32 on the wire.
    pub(crate) fn size(&mut self) -> Result<usize, WrongLength> {
        usize::try_from(self.u32()?).map_err(|_| WrongLength)
    }

    /// A string with a length byte in front.
    pub(crate) fn short_str(&mut self) -> Result<&'a [u8], WrongLength> {
        let n = self.u8()?;
        self.take(usize::from(n))
    }

    pub(crate) fn remaining(&self) -> usize {
        self.0.len()
    }

    /// Trailing bytes are an error: one value has one encoding.
    pub(crate) fn end(self) -> Result<(), WrongLength> {
        if self.0.is_empty() { Ok(()) } else { Err(WrongLength) }
    }
}

/// The counterpart of [`Reader`].
#[derive(Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn u8(&mut self, v: u8) -> &mut Self {
        self.bytes(&[v])
    }

    pub(crate) fn u16(&mut self, v: u16) -> &mut Self {
        self.bytes(&v.to_be_bytes())
    }

    pub(crate) fn u32(&mut self, v: u32) -> &mut Self {
        self.bytes(&v.to_be_bytes())
    }

    pub(crate) fn u64(&mut self, v: u64) -> &mut Self {
        self.bytes(&v.to_be_bytes())
    }

    /// The length of something already bounded by [`crate::limits`].
    pub(crate) fn size(&mut self, v: usize) -> &mut Self {
        self.u32(u32::try_from(v).unwrap_or(u32::MAX))
    }
}
