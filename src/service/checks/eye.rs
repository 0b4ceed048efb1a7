//! The decoder, on a frame that is drawn here.

use std::time::Instant;

use qrcode::{Color, EcLevel, QrCode};

use super::Check;
use crate::capture::Luma;
use crate::decode::{Decoder, Settings};
use crate::lang::Text;

/// As long as a live code (PASS-FORMAT).
const LENGTH: usize = 136;
/// Pixels of a module, and the code's quiet zone in modules.
const MODULE: usize = 6;
const QUIET: usize = 4;
const SIZE: (usize, usize) = (640, 480);

pub(super) fn check() -> Check {
    let text: String = "TONGGUAN".chars().cycle().take(LENGTH).collect();
    let Some(frame) = drawn(&text) else { return failed() };
    let mut decoder = Decoder::new(Settings::default());
    // The first look makes the room that the others use.
    decoder.look(&frame);
    let mut decoder = Decoder::new(Settings::default());
    let started = Instant::now();
    let read = decoder.look(&frame).codes.iter().any(|code| code.text() == text);
    let time = started.elapsed();
    if !read {
        return failed();
    }
    let ms = format!("{}.{}", time.as_millis(), time.as_micros() % 1000 / 100);
    Check::well(
        "decode",
        Text::new(format!("解码：自带图像 {ms} 毫秒"), format!("Decoder: a built-in frame in {ms} ms")),
    )
}

fn failed() -> Check {
    Check::red(
        "decode",
        Text::new("解码：自带图像读不出", "Decoder: the built-in frame is not read"),
        Text::new(
            "程序或处理器有问题：请重装程序",
            "The program or the processor is at fault: install the program anew",
        ),
    )
}

fn drawn(text: &str) -> Option<Luma> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let (width, height) = SIZE;
    let mut pixels = vec![220; width * height];
    let side = code.width();
    let (left, top) = ((width - side * MODULE) / 2, (height - side * MODULE) / 2);
    if left < QUIET * MODULE || top < QUIET * MODULE {
        return None;
    }
    for (at, _) in code.to_colors().into_iter().enumerate().filter(|(_, color)| *color == Color::Dark) {
        let (x, y) = (left + at % side * MODULE, top + at / side * MODULE);
        for row in pixels.chunks_exact_mut(width).skip(y).take(MODULE) {
            row[x..x + MODULE].fill(30);
        }
    }
    Some(Luma::new(width, height, pixels))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::Level;

    #[test]
    fn the_built_in_frame_is_read() {
        let check = check();
        assert_eq!(check.level, Level::Green, "{check:?}");
    }
}
