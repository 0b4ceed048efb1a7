//! rqrr as it is, the way its manual says.

use rqrr::PreparedImage;
use tongguan::capture::Luma;

use super::Reader;

pub(super) struct Rqrr;

impl Reader for Rqrr {
    fn read(&mut self, frame: &Luma) -> Vec<Vec<u8>> {
        let (width, pixels) = (frame.width(), frame.pixels());
        let mut picture = PreparedImage::prepare_from_greyscale(width, frame.height(), |x, y| pixels[y * width + x]);
        let grids = picture.detect_grids();
        grids
            .iter()
            .filter_map(|grid| {
                let mut bytes = Vec::new();
                grid.decode_to(&mut bytes).ok().map(|_| bytes)
            })
            .collect()
    }
}
