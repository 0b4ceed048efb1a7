//! A camera through V4L2 itself: with a time limit, the length of each frame, and the kernel's word on whether it is damaged.

use std::io::ErrorKind;

use v4l::buffer::{Flags, Type};
use v4l::io::mmap::Stream;
use v4l::io::traits::CaptureStream as _;

use super::deadline::Deadline;
use super::device::{Able, Prepared, prepare};
use super::{STALLED, STARTING, broken, luma};
use crate::capture::{CaptureError, Luma, Source};
use crate::config::Camera;

/// Buffers that the kernel fills in turn. The oldest is given first, so each is a frame of delay for whoever is slow.
const BUFFERS: u32 = 3;

/// A camera that is streaming.
pub(super) struct V4l2 {
    stream: Stream<'static>,
    format: Prepared,
    started: bool,
}

impl V4l2 {
    pub(super) fn open(camera: &Camera) -> Result<Self, CaptureError> {
        let fail = |e: std::io::Error| CaptureError::Source(format!("camera {camera}: {e}"));
        // Frames have a time limit of their own; what sets the camera up has not.
        let deadline = Deadline::new().map_err(fail)?;
        let (opened, late) = deadline.within(STARTING, || {
            let (device, format) = prepare(camera, Able::All)?;
            let stream = Stream::with_buffers(&device, Type::VideoCapture, BUFFERS).map_err(fail)?;
            Ok((stream, format))
        });
        let (stream, format) = if late { Err(CaptureError::Stalled) } else { opened }?;
        Ok(Self { stream, format, started: false })
    }
}

impl Source for V4l2 {
    fn next(&mut self, into: &mut Luma) -> Result<bool, CaptureError> {
        self.stream.set_timeout(if self.started { STALLED } else { STARTING });
        // After any error, whoever called opens the camera anew: some drivers never recover otherwise.
        let (buffer, frame) = self.stream.next().map_err(|e| match e.kind() {
            ErrorKind::TimedOut => CaptureError::Stalled,
            _ => CaptureError::Source(format!("the camera has gone: {e}")),
        })?;
        self.started = true;
        if frame.flags.contains(Flags::ERROR) {
            return Err(broken("the kernel says that the frame is damaged"));
        }
        let bytes =
            buffer.get(..frame.bytesused as usize).ok_or_else(|| broken("the frame is longer than its buffer"))?;
        luma(bytes, &self.format, into).map(|()| true)
    }

    fn is_live(&self) -> bool {
        true
    }
}
