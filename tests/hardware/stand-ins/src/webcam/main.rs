//! `webcam FORMAT:WIDTHxHEIGHT...`: a USB webcam (UVC 1.1, bulk) behind Linux's gadgetfs, plugged in as long as it runs.
//!
//! Formats are `yuyv` and `mjpeg`. On standard input it is told, one a line, what is before the lens and what is wrong with it:
//! `show PNG`, `whole`, `stalled` (plugged in, answers, sends nothing), `truncated` (half of each frame), `flagged` (each frame with the
//! error bit).

mod descriptors;
mod gadget;
mod picture;
mod stream;

use std::io::{BufRead as _, Write as _};
use std::sync::Arc;

use anyhow::Context as _;
use descriptors::Camera;
use stream::{Fault, Scene, Stage};

fn main() -> anyhow::Result<()> {
    let offers: Vec<String> = std::env::args().skip(1).collect();
    let camera = Camera::offering(&offers).context("usage: webcam yuyv:1280x720 mjpeg:640x480 ...")?;
    let stage = Arc::new(Stage::default());
    let told = Arc::clone(&stage);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let said = if told_to(&told, &line) { "is" } else { "cannot be" };
            writeln!(std::io::stdout(), "{said}: {line}").ok();
        }
    });
    gadget::serve(&camera, &stage)
}

fn told_to(stage: &Stage, line: &str) -> bool {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let fault = match word {
        "show" => {
            let picture = image::open(rest).map(|picture| picture.into_luma8());
            return picture.map(|picture| stage.change(|scene| scene.picture = Some(Arc::new(picture)))).is_ok();
        }
        "whole" => None,
        "stalled" => Some(Fault::Stalled),
        "truncated" => Some(Fault::Truncated),
        "flagged" => Some(Fault::Flagged),
        _ => return false,
    };
    stage.change(|scene: &mut Scene| scene.fault = fault);
    true
}
