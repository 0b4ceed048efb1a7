//! Frames by the hundred thousand, with what is really in them, to develop and judge a decoder with.
//!
//! [`Mix`] draws every disturbance at random strengths, [`Factor`] turns up one at a time, [`Special`] holds what is
//! neither: photos of monitors, dense codes, many codes, none. The same seed and index give the same bits.
//!
//! ```
//! use tongguan_sim::corpus::Mix;
//!
//! let sample = Mix::Medium.sample(1, 0);
//! assert_eq!(sample.texts.len(), 1);
//! assert!(sample.texts[0].starts_with("TG1:") || sample.texts[0].contains("://"));
//! ```

mod draw;
mod factor;
mod grounds;
mod mix;
mod pool;
mod shot;
mod special;

use image::GrayImage;

pub use factor::Factor;
pub use mix::Mix;
pub use special::Special;

/// A frame and what is really in it.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The frame, grey.
    pub frame: GrayImage,
    /// Texts of the codes in it; empty where there is none. Of [`Special::Unreadable`] nobody is expected to read them.
    pub texts: Vec<String>,
    /// The disturbances in short words, for reports.
    pub what: String,
}
