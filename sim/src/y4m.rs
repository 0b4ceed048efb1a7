//! Grey frames as a y4m stream (YUV4MPEG2, `Cmono`): a line of header, then each frame as it is in memory.

use std::io::{self, Write};

use image::GrayImage;

/// Writes the stream's header.
pub fn header(out: &mut impl Write, width: u32, height: u32, fps: usize) -> io::Result<()> {
    writeln!(out, "YUV4MPEG2 W{width} H{height} F{fps}:1 Ip A1:1 Cmono")
}

/// Writes one frame.
pub fn frame(out: &mut impl Write, image: &GrayImage) -> io::Result<()> {
    out.write_all(b"FRAME\n")?;
    out.write_all(image.as_raw())
}
