//! A grey picture, and how the formats of cameras and files become one.

use std::fs::File;
use std::io::{Cursor, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;

/// The longest side of a picture in pixels: a picture of 40,000 px would take gigabytes.
pub(super) const LONGEST_SIDE: usize = 8_192;
/// Bytes of a picture file.
const LARGEST_FILE: u64 = 64 * 1024 * 1024;
/// Bytes a picture's decoder may take.
const DECODER_MEMORY: u64 = 512 * 1024 * 1024;

/// A grey picture: rows from the top, a byte a pixel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Luma {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Luma {
    /// A picture of `width * height` pixels. Missing pixels are black, superfluous ones are cut off.
    pub fn new(width: usize, height: usize, mut pixels: Vec<u8>) -> Self {
        pixels.resize(width * height, 0);
        Self { width, height, pixels }
    }

    /// Makes it a picture of that size, in the memory it has, and gives the pixels to be written over: they still hold
    /// what was there.
    pub fn resize(&mut self, width: usize, height: usize) -> &mut [u8] {
        self.pixels.resize(width * height, 0);
        (self.width, self.height) = (width, height);
        &mut self.pixels
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The pixels.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Reads a picture file (PNG, JPEG, WebP, BMP, GIF, PNM).
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn read(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|e| e.to_string())?;
        let mut bytes = Vec::new();
        file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
        if bytes.len() as u64 > LARGEST_FILE {
            return Err(format!("is larger than {} MiB", LARGEST_FILE >> 20));
        }
        // The decoder fills in what a JPEG lacks; a gate's picture that is half grey is not a picture of the gate.
        if bytes.starts_with(&[0xff, 0xd8]) && !ends(&bytes) {
            return Err("is truncated".into());
        }
        let mut reader =
            image::ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| e.to_string())?;
        if reader.format().is_none() {
            return Err("is not a picture this program can read (PNG, JPEG, WebP, BMP, GIF, PNM)".into());
        }
        reader.limits(limits());
        let picture = unpanicked(|| reader.decode().map_err(|e| explain(&e)))?;
        // What shows through is paper: a code without a ground is a screenshot of a page.
        let picture = if picture.color().has_alpha() {
            let both = picture.into_luma_alpha8();
            let over = |[light, alpha]: [u8; 2]| {
                let [light, alpha] = [light, alpha].map(u16::from);
                u8::try_from((light * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
            };
            let pixels = both.pixels().map(|p| over(p.0)).collect();
            image::GrayImage::from_raw(both.width(), both.height(), pixels).unwrap_or_default()
        } else {
            picture.into_luma8()
        };
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        if width == 0 || height == 0 {
            return Err(format!("is {width}x{height} pixels: there is nothing in it"));
        }
        Ok(Self::new(width, height, picture.into_raw()))
    }

    /// Decodes a JPEG's luma into it, without ever making colours. The decoder takes some memory of its own: its tables and
    /// a row of blocks.
    ///
    /// # Errors
    /// What is wrong with it, in words; the picture is then of no use.
    pub fn decode_jpeg(&mut self, bytes: &[u8]) -> Result<(), String> {
        unpanicked(|| self.decode_jpeg_unguarded(bytes))
    }

    fn decode_jpeg_unguarded(&mut self, bytes: &[u8]) -> Result<(), String> {
        let options = DecoderOptions::default()
            .jpeg_set_out_colorspace(ColorSpace::Luma)
            .set_max_width(LONGEST_SIDE)
            .set_max_height(LONGEST_SIDE);
        let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(bytes), options);
        let broken = |e| format!("is not a whole JPEG: {e:?}");
        decoder.decode_headers().map_err(broken)?;
        let (width, height) = decoder.dimensions().ok_or("is a JPEG without dimensions")?;
        let pixels = self.resize(width, height);
        // Not all of a damaged JPEG is written: what an earlier frame showed there must not be seen again.
        pixels.fill(0);
        decoder.decode_into(pixels).map_err(broken)
    }
}

/// The decoder of JPEGs has panicked on some; a camera whose wire is loose must not stop a gate.
fn unpanicked<T>(decode: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err("is damaged in a way that its decoder trips over".into()))
}

/// Whether a JPEG's last scan has its end: a thumbnail in its header has one of its own.
fn ends(jpeg: &[u8]) -> bool {
    let scan = jpeg.windows(2).rposition(|w| w == [0xff, 0xda]).unwrap_or(0);
    jpeg[scan..].windows(2).any(|w| w == [0xff, 0xd9])
}

fn limits() -> image::Limits {
    let side = u32::try_from(LONGEST_SIDE).ok();
    let mut limits = image::Limits::default();
    (limits.max_image_width, limits.max_image_height) = (side, side);
    limits.max_alloc = Some(DECODER_MEMORY);
    limits
}

fn explain(error: &image::ImageError) -> String {
    match error {
        image::ImageError::Limits(_) => {
            format!("is too large: at most {LONGEST_SIDE} pixels wide and high are read")
        }
        image::ImageError::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => "is truncated".into(),
        other => format!("cannot be decoded: {other}"),
    }
}

/// Encodes for tests and tools that need a picture in memory.
impl Luma {
    /// The picture as PNG.
    ///
    /// # Errors
    /// If the picture is larger than PNG allows.
    pub fn to_png(&self) -> Result<Vec<u8>, String> {
        let (width, height) = (u32::try_from(self.width), u32::try_from(self.height));
        let (Ok(width), Ok(height)) = (width, height) else { return Err("is too large".into()) };
        let picture = image::GrayImage::from_raw(width, height, self.pixels.clone()).ok_or("has no pixels")?;
        let mut png = Cursor::new(Vec::new());
        picture.write_to(&mut png, image::ImageFormat::Png).map_err(|e| e.to_string())?;
        Ok(png.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_through_is_paper() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.png");
        let pixels = vec![0, 0, 0, 0, 0, 0, 0, 255, 200, 200, 200, 128];
        image::RgbaImage::from_raw(3, 1, pixels).unwrap().save(&path).unwrap();
        assert_eq!(Luma::read(&path).unwrap().pixels(), [255, 0, 227]);
    }

    #[test]
    fn a_thumbnails_end_is_not_the_pictures() {
        let thumbnail = [0xff, 0xda, 1, 0xff, 0xd9];
        assert!(!ends(&[&thumbnail[..], &[0xff, 0xda, 1, 2]].concat()));
        assert!(ends(&[&thumbnail[..], &[0xff, 0xda, 1, 2, 0xff, 0xd9]].concat()));
    }
}
