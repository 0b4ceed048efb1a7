//! rxing with all its aids on: all codes in one pass, then in the inverted picture; if there is none, the reader of one code
//! with its pyramid of sizes and closed gaps.

use std::collections::HashSet;

use rxing::common::HybridBinarizer;
use rxing::multi::MultipleBarcodeReader as _;
use rxing::qrcode::cpp_port::QrReader;
use rxing::{
    BarcodeFormat, BinaryBitmap, DecodeHints, FilteredImageReader, Luma8Source, MultiFormatReader, RXingResult,
    Reader as _,
};
use tongguan::capture::Luma;

use super::Reader;

pub(super) struct Rxing {
    hints: DecodeHints,
}

impl Rxing {
    pub(super) fn new() -> Self {
        let hints = DecodeHints {
            PossibleFormats: Some(HashSet::from([BarcodeFormat::QR_CODE])),
            TryHarder: Some(true),
            AlsoInverted: Some(true),
            ..DecodeHints::default()
        };
        Self { hints }
    }

    fn results(&self, frame: &Luma) -> Option<Vec<RXingResult>> {
        let (width, height) = (u32::try_from(frame.width()).ok()?, u32::try_from(frame.height()).ok()?);
        let source = Luma8Source::new_with_slice(frame.pixels(), width, height).ok()?;
        let mut picture = BinaryBitmap::new(HybridBinarizer::new(source));
        let mut all = QrReader.decode_multiple_with_hints(&mut picture, &self.hints).unwrap_or_default();
        picture.invert();
        all.extend(QrReader.decode_multiple_with_hints(&mut picture, &self.hints).unwrap_or_default());
        picture.invert();
        if all.is_empty() {
            let mut reader = FilteredImageReader::new(MultiFormatReader::default());
            all.extend(reader.decode_with_hints(&mut picture, &self.hints));
        }
        Some(all)
    }
}

impl Reader for Rxing {
    fn read(&mut self, frame: &Luma) -> Vec<Vec<u8>> {
        let results = self.results(frame).unwrap_or_default();
        results.iter().map(|result| result.getText().as_bytes().to_vec()).collect()
    }
}
