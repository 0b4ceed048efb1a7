//! The luma of a camera's buffer. Nothing is converted: the grey picture lies in the buffer, between or before its colours.

use super::Luma;

/// How a camera's buffer holds brightness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// A byte of luma, then one of colour.
    Yuyv,
    /// A plane of luma, then one of colours at half size.
    Nv12,
    /// Luma alone.
    Grey,
}

impl Packing {
    /// Bytes from a pixel's luma to the next one's.
    fn step(self) -> usize {
        match self {
            Self::Yuyv => 2,
            Self::Nv12 | Self::Grey => 1,
        }
    }

    /// Bytes of a row of that many pixels, if the camera adds none.
    pub fn row(self, width: usize) -> usize {
        width.saturating_mul(self.step())
    }
}

/// Copies the luma of a buffer whose rows begin `stride` bytes apart. What is not there is not read: the picture is whole or
/// it is left as it was, so a driver that lies about its frames costs no more memory than it sent.
///
/// # Errors
/// What is wrong with the buffer, in words.
pub fn copy(
    packing: Packing,
    bytes: &[u8],
    [width, height]: [usize; 2],
    stride: usize,
    into: &mut Luma,
) -> Result<(), &'static str> {
    let row = packing.row(width);
    if width == 0 || height == 0 {
        return Err("the camera sent a frame without pixels");
    }
    if stride < row {
        return Err("the camera's rows overlap");
    }
    // The last row may end without its padding.
    let needed = stride.checked_mul(height - 1).and_then(|above| above.checked_add(row));
    let Some(bytes) = needed.and_then(|needed| bytes.get(..needed)) else {
        return Err("the camera sent half a frame");
    };
    let rows = into.resize(width, height).chunks_exact_mut(width);
    for (to, from) in rows.zip(bytes.chunks(stride)) {
        match packing {
            Packing::Yuyv => {
                // As numbers of two bytes, of which one is kept: a tenth of the time of every second byte.
                for (to, pair) in to.iter_mut().zip(from.as_chunks().0) {
                    *to = (u16::from_le_bytes(*pair) & 0xff) as u8;
                }
            }
            Packing::Nv12 | Packing::Grey => to.copy_from_slice(&from[..width]),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(packing: Packing, bytes: &[u8], size: [usize; 2], stride: usize) -> Result<Vec<u8>, &'static str> {
        let mut luma = Luma::new(3, 3, vec![77; 9]);
        let done = copy(packing, bytes, size, stride, &mut luma);
        if done.is_err() {
            assert_eq!(luma, Luma::new(3, 3, vec![77; 9]), "left as it was");
        }
        done.map(|()| luma.pixels().to_vec())
    }

    #[test]
    fn luma_is_taken_and_colours_and_padding_are_left() {
        let yuyv = [1, 99, 2, 99, 3, 99, 4, 99];
        assert_eq!(copied(Packing::Yuyv, &yuyv, [2, 2], 4), Ok(vec![1, 2, 3, 4]));
        let padded = [1, 99, 2, 99, 0, 0, 3, 99, 4, 99];
        assert_eq!(copied(Packing::Yuyv, &padded, [2, 2], 6), Ok(vec![1, 2, 3, 4]));
        assert_eq!(copied(Packing::Nv12, &[1, 2, 3, 4, 99, 99], [2, 2], 2), Ok(vec![1, 2, 3, 4]));
        assert_eq!(copied(Packing::Grey, &[1, 2, 0, 3, 4], [2, 2], 3), Ok(vec![1, 2, 3, 4]));
    }

    #[test]
    fn sizes_that_lie_are_refused() {
        for packing in [Packing::Yuyv, Packing::Nv12, Packing::Grey] {
            for length in 0..packing.row(6) {
                let half = copied(packing, &vec![5; length], [2, 3], packing.row(2));
                assert_eq!(half, Err("the camera sent half a frame"), "{packing:?} of {length} bytes");
            }
            for size in [[0, 0], [0, usize::MAX], [usize::MAX, 0]] {
                assert!(copied(packing, &[5; 64], size, usize::MAX).is_err());
            }
            for size in [[1, usize::MAX], [usize::MAX, 1], [usize::MAX, usize::MAX]] {
                for stride in [0, 1, 2, usize::MAX] {
                    assert!(copied(packing, &[5; 64], size, stride).is_err());
                }
            }
            assert_eq!(copied(packing, &[5; 64], [4, 2], packing.row(4) - 1), Err("the camera's rows overlap"));
        }
    }
}
