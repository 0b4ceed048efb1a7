//! Cameras: one device, two drivers behind one trait.
//!
//! [`device`] finds the camera, brings it into a known state whatever it was left in, and chooses its format; the drivers only
//! stream. nokhwa is the default. v4l2 is nearer to the kernel: it knows how much of a buffer is picture, and whether the kernel
//! calls it damaged.

mod deadline;
mod device;
mod nokhwa;
mod v4l2;

use std::time::Duration;

use super::{CaptureError, Luma, Source, yuv};
use crate::config::{Camera, CameraDriver};
use device::{Pixels, Prepared};

pub use device::{Offer, offers};

/// Longer than this between two frames is a camera that has stalled; with what opening anew takes it sees again within 3 s.
const STALLED: Duration = Duration::from_millis(1500);
/// How long a camera may take to be found, set up and show its first frame.
const STARTING: Duration = Duration::from_secs(6);

/// Opens a camera.
///
/// # Errors
/// [`CaptureError::Source`], saying what to do.
pub(super) fn open(camera: &Camera) -> Result<Box<dyn Source>, CaptureError> {
    Ok(match camera.driver {
        CameraDriver::Nokhwa => Box::new(nokhwa::Nokhwa::open(camera)?),
        CameraDriver::V4l2 => Box::new(v4l2::V4l2::open(camera)?),
    })
}

/// The grey picture of a buffer.
fn luma(bytes: &[u8], format: &Prepared, into: &mut Luma) -> Result<(), CaptureError> {
    let read = match format.pixels {
        Pixels::Jpeg => into.decode_jpeg(bytes),
        Pixels::Plain(packing) => yuv::copy(packing, bytes, format.size, format.stride, into).map_err(str::to_owned),
    };
    read.map_err(broken)
}

/// One bad frame is skipped: USB drops bytes now and then.
fn broken(problem: impl Into<String>) -> CaptureError {
    CaptureError::Picture { path: "camera frame".into(), problem: problem.into() }
}
