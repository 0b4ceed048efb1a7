//! A camera through nokhwa.
//!
//! nokhwa gives the whole of a buffer and not how much of it is picture: of a frame that USB cut short, the rest is an earlier
//! frame's. That can show an old code and never a new one, and an old code is judged by its age as always.

use nokhwa::pixel_format::LumaFormat;
use nokhwa::utils::{CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType};

use super::deadline::Deadline;
use super::device::{Able, Pixels, Prepared, prepare};
use super::{STALLED, STARTING, luma};
use crate::capture::yuv::Packing;
use crate::capture::{CaptureError, Luma, Source};
use crate::config::Camera;

/// A camera that is streaming.
pub(super) struct Nokhwa {
    camera: nokhwa::Camera,
    format: Prepared,
    deadline: Deadline,
    started: bool,
}

impl Nokhwa {
    pub(super) fn open(camera: &Camera) -> Result<Self, CaptureError> {
        let deadline = Deadline::new().map_err(|e| CaptureError::Source(format!("camera {camera}: {e}")))?;
        let (opened, late) = deadline.within(STARTING, || {
            // nokhwa gives up on a state it does not know, so the camera is set first.
            let (device, format) = prepare(camera, Able::Nokhwa)?;
            drop(device);
            let opened = start(&format).map_err(|e| CaptureError::Source(format!("camera {camera}: {e}")))?;
            Ok((opened, format))
        });
        let (camera, format) = if late { Err(CaptureError::Stalled) } else { opened }?;
        Ok(Self { camera, format, deadline, started: false })
    }
}

fn start(format: &Prepared) -> Result<nokhwa::Camera, String> {
    let name = format.node.file_name().and_then(|name| name.to_str()?.strip_prefix("video")?.parse().ok());
    let index = name.ok_or_else(|| format!("nokhwa reads only /dev/videoN; use v4l2:{}", format.node.display()))?;
    let pixels = match format.pixels {
        Pixels::Plain(Packing::Yuyv) => FrameFormat::YUYV,
        Pixels::Plain(Packing::Nv12) => FrameFormat::NV12,
        Pixels::Plain(Packing::Grey) => FrameFormat::GRAY,
        Pixels::Jpeg => FrameFormat::MJPEG,
    };
    let (width, height) = format.offer.size;
    let exact = CameraFormat::new_from(width, height, pixels, format.offer.interval.1);
    let request = RequestedFormat::new::<LumaFormat>(RequestedFormatType::Exact(exact));
    let mut camera = nokhwa::Camera::new(CameraIndex::Index(index), request).map_err(|e| e.to_string())?;
    camera.open_stream().map_err(|e| e.to_string())?;
    Ok(camera)
}

impl Source for Nokhwa {
    fn next(&mut self, into: &mut Luma) -> Result<bool, CaptureError> {
        // nokhwa waits for a frame without a limit.
        let limit = if self.started { STALLED } else { STARTING };
        // Borrowed from the driver, unlike `frame()`, which copies all of it.
        let (bytes, late) = self.deadline.within(limit, || self.camera.frame_raw());
        let bytes = bytes.map_err(|e| match late {
            true => CaptureError::Stalled,
            false => CaptureError::Source(format!("the camera has gone: {e}")),
        })?;
        self.started = true;
        luma(&bytes, &self.format, into).map(|()| true)
    }

    fn is_live(&self) -> bool {
        true
    }
}
