//! `bare N`: the least that a program can do who reads codes with nokhwa and rqrr: it takes /dev/videoN as it stands, and looks at each
//! frame. What a lane costs beside it is what supervision, judging and the journal cost, less what the lane's own decoder saves.

use std::io::Write as _;

use anyhow::Context as _;
use nokhwa::pixel_format::LumaFormat;
use nokhwa::utils::{CameraIndex, RequestedFormat, RequestedFormatType};
use nokhwa::{Camera, NokhwaError};

fn main() -> anyhow::Result<()> {
    let index = std::env::args().nth(1).and_then(|word| word.parse().ok()).context("usage: bare N, for /dev/videoN")?;
    let wanted = RequestedFormat::new::<LumaFormat>(RequestedFormatType::AbsoluteHighestFrameRate);
    let mut camera = Camera::new(CameraIndex::Index(index), wanted)?;
    camera.open_stream()?;
    for frame in 1.. {
        let read = look(&mut camera)?;
        writeln!(std::io::stdout(), "frame {frame}{}", if read { " code" } else { "" })?;
    }
    Ok(())
}

/// Takes a frame; whether a code was read in it.
fn look(camera: &mut Camera) -> Result<bool, NokhwaError> {
    let picture = camera.frame()?.decode_image::<LumaFormat>()?;
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
        picture.as_raw().get(y * width + x).copied().unwrap_or(0)
    });
    Ok(prepared.detect_grids().iter().any(|grid| grid.decode().is_ok()))
}
