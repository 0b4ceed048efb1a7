//! A camera through nokhwa (V4L2).

use nokhwa::pixel_format::LumaFormat;
use nokhwa::utils::{CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType};

use super::yuv::{self, Packing};
use super::{CaptureError, Luma, Source};

/// The formats whose luma can be had without converting colours, best first.
const FORMATS: [FrameFormat; 4] = [FrameFormat::YUYV, FrameFormat::NV12, FrameFormat::GRAY, FrameFormat::MJPEG];
/// The size that is wanted: large enough for a code at arm's length, small enough for a Pi.
const WANTED: (u32, u32) = (1280, 720);
/// Frames a second below which a size is of no use.
const SLOWEST: u32 = 10;

/// A camera that is streaming.
pub(super) struct NokhwaCamera(nokhwa::Camera);

impl NokhwaCamera {
    pub(super) fn open(index: u32) -> Result<Self, CaptureError> {
        let fail = |e: nokhwa::NokhwaError| {
            CaptureError::Source(format!(
                "camera nokhwa:{index} does not open: {e} (is it plugged in, is it /dev/video{index}, and is the user in the group video?)"
            ))
        };
        let any = RequestedFormat::new::<LumaFormat>(RequestedFormatType::None);
        let mut camera = nokhwa::Camera::new(CameraIndex::Index(index), any).map_err(fail)?;
        let offered = camera.compatible_camera_formats().map_err(fail)?;
        if let Some(best) = offered.into_iter().filter(|f| FORMATS.contains(&f.format())).max_by_key(suitability) {
            let request = RequestedFormat::with_formats(RequestedFormatType::Exact(best), &FORMATS);
            camera.set_camera_requset(request).map_err(fail)?;
        }
        camera.open_stream().map_err(fail)?;
        tracing::info!(format = %camera.camera_format(), "camera nokhwa:{index}");
        Ok(Self(camera))
    }
}

/// Orders formats: fast enough, then as near to the wanted size as can be, then faster, then easier to convert.
fn suitability(f: &CameraFormat) -> impl Ord + use<> {
    let (width, height) = (f.width().min(4096), f.height().min(4096));
    let off = width.abs_diff(WANTED.0) + height.abs_diff(WANTED.1);
    let ease = FORMATS.iter().rev().position(|known| *known == f.format());
    (f.frame_rate() >= SLOWEST, std::cmp::Reverse(off), f.frame_rate().min(30), ease)
}

impl Source for NokhwaCamera {
    fn next(&mut self, into: &mut Luma) -> Result<bool, CaptureError> {
        let format = self.0.camera_format();
        // Borrowed from the driver, unlike `frame()`, which copies all of it.
        let bytes = self.0.frame_raw().map_err(|e| CaptureError::Source(format!("the camera has gone: {e}")))?;
        let packing = match format.format() {
            FrameFormat::YUYV => Packing::Yuyv,
            FrameFormat::NV12 => Packing::Nv12,
            FrameFormat::GRAY => Packing::Grey,
            FrameFormat::MJPEG => return into.decode_jpeg(&bytes).map(|()| true).map_err(broken),
            other => {
                return Err(CaptureError::Source(format!(
                    "the camera sends {other}, which this program does not read"
                )));
            }
        };
        let size = [format.width() as usize, format.height() as usize];
        // nokhwa does not tell of padding between rows.
        yuv::copy(packing, &bytes, size, packing.row(size[0]), into).map(|()| true).map_err(|e| broken(e.into()))
    }

    fn is_live(&self) -> bool {
        true
    }
}

/// One bad frame is skipped: USB drops bytes now and then.
fn broken(problem: String) -> CaptureError {
    CaptureError::Picture { path: "camera frame".into(), problem }
}
