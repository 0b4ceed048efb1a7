//! The live preview: a camera frame made small enough for the screen to draw in its stride.

/// The largest preview. Drawing 640x480 costs a Pi 4 several times as much and looks no better at this size.
const MOST: (usize, usize) = (320, 240);
/// The one by which a lens is turned: what it costs, only whoever looks after the camera pays.
const MOST_CLOSELY: (usize, usize) = (640, 480);

/// A small grey picture, row after row.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) luma: Vec<u8>,
}

impl Frame {
    pub(super) fn to_image(&self) -> slint::Image {
        let mut pixels = slint::SharedPixelBuffer::<slint::Rgb8Pixel>::new(self.width, self.height);
        for (pixel, &grey) in pixels.make_mut_slice().iter_mut().zip(&self.luma) {
            *pixel = slint::Rgb8Pixel { r: grey, g: grey, b: grey };
        }
        slint::Image::from_rgb8(pixels)
    }
}

/// Fits a frame into the preview, keeping its shape. Each pixel is the mean of four of those it stands for: enough that
/// the modules of a code do not flicker, and the same cost for a camera of any size. `None` if there is no picture in it.
pub(super) fn shrink(width: u32, height: u32, luma: &[u8]) -> Option<Frame> {
    shrink_into((usize::try_from(width).ok()?, usize::try_from(height).ok()?), luma, MOST)
}

/// The same, to be looked at closely.
pub(super) fn enlarge(size: (usize, usize), luma: &[u8]) -> Option<Frame> {
    shrink_into(size, luma, MOST_CLOSELY)
}

fn shrink_into((wide, high): (usize, usize), luma: &[u8], most: (usize, usize)) -> Option<Frame> {
    let luma = luma.get(..wide.checked_mul(high)?).filter(|luma| !luma.is_empty())?;

    let (small_wide, small_high) = fit(wide, high, most);
    let mut small = Vec::with_capacity(small_wide * small_high);
    let columns: Vec<(usize, usize)> = samples(wide, small_wide).collect();
    for (above, below) in samples(high, small_high) {
        let (above, below) = (&luma[above * wide..][..wide], &luma[below * wide..][..wide]);
        small.extend(columns.iter().map(|&(left, right)| {
            let four = [above[left], above[right], below[left], below[right]];
            let mean = four.iter().map(|&grey| u16::from(grey)).sum::<u16>() / 4;
            u8::try_from(mean).unwrap_or(u8::MAX)
        }));
    }
    Some(Frame { width: u32::try_from(small_wide).ok()?, height: u32::try_from(small_high).ok()?, luma: small })
}

/// The size in the preview: at most the limits, at least one pixel each way.
fn fit(wide: usize, high: usize, (most_wide, most_high): (usize, usize)) -> (usize, usize) {
    if wide <= most_wide && high <= most_high {
        (wide, high)
    } else if wide * most_high >= high * most_wide {
        (most_wide, (high * most_wide / wide).max(1))
    } else {
        ((wide * most_high / high).max(1), most_high)
    }
}

/// Cuts `length` into `parts` (at most `length`), and names two places in each.
fn samples(length: usize, parts: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..parts).map(move |part| {
        let (from, to) = (part * length / parts, (part + 1) * length / parts);
        (from + (to - from) / 4, from + (to - from) * 3 / 4)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_frame_keeps_its_shape_and_its_means() {
        let frame =
            shrink(640, 480, &[[10_u8, 30].repeat(320), [10, 30].repeat(320)].concat().repeat(240)).expect("a picture");
        assert_eq!((frame.width, frame.height), (320, 240));
        assert!(frame.luma.iter().all(|&grey| grey == 20));

        let wide = shrink(1920, 1080, &vec![7; 1920 * 1080]).expect("a picture");
        assert_eq!((wide.width, wide.height), (320, 180));
        let tall = shrink(480, 640, &vec![7; 480 * 640]).expect("a picture");
        assert_eq!((tall.width, tall.height), (180, 240));
        let line = shrink(100_000, 1, &vec![7; 100_000]).expect("a picture");
        assert_eq!((line.width, line.height), (320, 1));
    }

    #[test]
    fn a_small_frame_is_left_as_it_is() {
        let luma: Vec<u8> = (0..12).collect();
        assert_eq!(shrink(4, 3, &luma).map(|frame| frame.luma), Some(luma));
    }

    #[test]
    fn what_is_no_picture_is_dropped() {
        assert_eq!(shrink(0, 0, &[]), None);
        assert_eq!(shrink(0, 480, &[1]), None);
        assert_eq!(shrink(640, 480, &[0; 100]), None);
        assert_eq!(shrink(u32::MAX, u32::MAX, &[0; 100]), None);
    }
}
