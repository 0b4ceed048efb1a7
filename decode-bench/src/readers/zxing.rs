//! zxing-cpp with all its aids on.

use tongguan::capture::Luma;
use zxingcpp::{BarcodeFormat, BarcodeReader, ImageFormat, ImageView};

use super::Reader;

/// As many codes as its options can say.
const ALL_CODES: i32 = 255;

pub(super) struct Zxing {
    reader: BarcodeReader,
}

impl Zxing {
    pub(super) fn new() -> Self {
        // "QRCode" would also look for Micro and rectangular codes: time spent on what is not in the frames.
        let formats = [BarcodeFormat::QRCodeModel1, BarcodeFormat::QRCodeModel2];
        let reader = BarcodeReader::new()
            .formats(formats)
            .try_harder(true)
            .try_rotate(true)
            .try_invert(true)
            .try_downscale(true)
            .max_number_of_symbols(ALL_CODES);
        Self { reader }
    }
}

impl Reader for Zxing {
    fn read(&mut self, frame: &Luma) -> Vec<Vec<u8>> {
        let view = ImageView::from_slice(frame.pixels(), frame.width(), frame.height(), ImageFormat::Lum);
        let Ok(view) = view else { return Vec::new() };
        let codes = self.reader.from(&view).unwrap_or_default();
        codes.iter().filter(|code| code.is_valid()).map(|code| code.bytes()).collect()
    }
}
