//! A frame and what is really in it.

use image::GrayImage;
use tongguan::capture::Luma;
use tongguan_sim::corpus::Sample;

pub(crate) struct Shot {
    /// Corpus, level and index, as `show` understands them, or a file's name.
    pub(crate) name: String,
    /// Which level of a sweep, which frame of a sequence; else 0.
    pub(crate) place: usize,
    pub(crate) luma: Luma,
    pub(crate) truth: Truth,
    /// The disturbances in short words.
    pub(crate) what: String,
}

/// What a reader should say.
pub(crate) enum Truth {
    /// These codes and no other, the one that matters first.
    Exactly(Vec<Vec<u8>>),
    /// Someone else's photo: this code, and maybe others that nobody wrote down.
    AtLeast(Vec<u8>),
    /// There is a code, and nobody knows what it says.
    Unknown,
}

impl Shot {
    pub(crate) fn new(name: String, place: usize, sample: Sample) -> Self {
        let texts = sample.texts.into_iter().map(String::into_bytes).collect();
        Self { name, place, luma: luma(sample.frame), truth: Truth::Exactly(texts), what: sample.what }
    }
}

pub(crate) fn luma(frame: GrayImage) -> Luma {
    let (width, height) = frame.dimensions();
    Luma::new(width as usize, height as usize, frame.into_raw())
}

/// Bytes as a person can tell them apart, cut where it gets long.
pub(crate) fn legible(bytes: &[u8]) -> String {
    const MOST: usize = 72;
    let text = String::from_utf8_lossy(bytes);
    let cut: String = text.chars().take(MOST).flat_map(char::escape_debug).collect();
    if text.chars().count() > MOST { format!("{cut}... ({} bytes)", bytes.len()) } else { cut }
}
