//! A picture as the camera sends it.

use anyhow::Context as _;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, replace, resize};
use image::{DynamicImage, GrayImage};

use crate::descriptors::{Choice, Packing};

/// Frames before anything was shown are of this grey.
const NOTHING: image::Luma<u8> = image::Luma([90]);

/// No hand is still: how far it is to the right in each of the frames that are sent in turn. What is still is not looked at again.
const SHAKE: [i64; 4] = [0, 3, 6, 3];

/// The frames of a picture, to be sent in turn.
pub(crate) fn packed(picture: Option<&GrayImage>, choice: Choice) -> anyhow::Result<Vec<Vec<u8>>> {
    let [width, height] = choice.size.map(u32::from);
    let seen = match picture {
        Some(picture) if picture.dimensions() == (width, height) => picture.clone(),
        Some(picture) => resize(picture, width, height, FilterType::Triangle),
        None => GrayImage::from_pixel(width, height, NOTHING),
    };
    let frames = SHAKE.iter().map(|right| {
        let mut shaken = seen.clone();
        replace(&mut shaken, &seen, *right, 0);
        pack(shaken, choice.packing)
    });
    frames.collect()
}

fn pack(seen: GrayImage, packing: Packing) -> anyhow::Result<Vec<u8>> {
    match packing {
        Packing::Yuyv => Ok(seen.iter().flat_map(|luma| [*luma, 128]).collect()),
        Packing::Mjpeg => {
            let mut jpeg = Vec::new();
            let colours = DynamicImage::from(seen).into_rgb8();
            JpegEncoder::new_with_quality(&mut jpeg, 90).encode_image(&colours).context("no JPEG")?;
            Ok(jpeg)
        }
    }
}
