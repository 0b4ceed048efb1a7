//! Real codes with modules flipped, warped, noisy: the late stages are reached, and a few flipped modules give the true text
//! or none, never another one.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use qrcode::{Color, EcLevel, QrCode, Version};
use tongguan::capture::Luma;
use tongguan::decode::{Decoder, Settings};

/// Flipped modules that cannot make one valid text of another: the smallest code has seven correction bytes, of which the
/// decoder keeps four as proof. To its next neighbour it is eight bytes, less at most three that it fills in itself.
const FEW: usize = 4;
const QUIET: usize = 4;

/// The input, byte by byte; zeros when it is used up.
struct Dice<'a>(&'a [u8]);

impl Dice<'_> {
    fn byte(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or(0)
    }

    /// From minus one to one.
    fn share(&mut self) -> f32 {
        f32::from(self.byte().wrapping_add(128)) / 128.0 - 1.0
    }
}

/// The modules of a code, dark is true.
struct Modules {
    size: usize,
    dark: Vec<bool>,
}

impl Modules {
    fn at(&self, x: f32, y: f32) -> bool {
        let inside = |v: f32| (v >= 0.0 && v < self.size as f32).then_some(v as usize);
        inside(x).zip(inside(y)).is_some_and(|(x, y)| self.dark[y * self.size + x])
    }
}

/// Draws the modules through a projection: shears and leans as shares of the code's side.
fn draw(modules: &Modules, scale: f32, warp: [f32; 4], dark: u8, light: u8, noise: u8, seed: u32) -> Luma {
    let side = ((modules.size + 2 * QUIET) as f32 * scale) as usize;
    let [shear_x, shear_y, lean_x, lean_y] = warp;
    let mut state = seed | 1;
    let mut pixels = Vec::with_capacity(side * side);
    for y in 0..side {
        for x in 0..side {
            let [u, v] = [x, y].map(|v| (v as f32 + 0.5) / side as f32 - 0.5);
            let w = 1.0 + lean_x * u + lean_y * v;
            let [u, v] = [(u + shear_x * v) / w, (v + shear_y * u) / w];
            let [u, v] = [u, v].map(|v| (v + 0.5) * (modules.size + 2 * QUIET) as f32 - QUIET as f32);
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            let grain = (state >> 24) as i32 * i32::from(noise) / 256 - i32::from(noise) / 2;
            let grey = i32::from(if modules.at(u, v) { dark } else { light }) + grain;
            pixels.push(grey.clamp(0, 255) as u8);
        }
    }
    Luma::new(side, side, pixels)
}

fuzz_target!(init: tongguan_fuzz::let_decoders_panic(), |data: &[u8]| {
    let dice = &mut Dice(data);
    let version = 1 + i16::from(dice.byte() % 8);
    let level = [EcLevel::L, EcLevel::M, EcLevel::Q, EcLevel::H][usize::from(dice.byte() % 4)];
    let text: String = (0..1 + dice.byte() % 40).map(|_| char::from(b'A' + dice.byte() % 26)).collect();
    let Ok(code) = QrCode::with_version(&text, Version::Normal(version), level) else { return };
    let mut modules =
        Modules { size: code.width(), dark: code.to_colors().iter().map(|c| *c == Color::Dark).collect() };

    let how = dice.byte();
    let gentle = how & 1 == 0;
    // Pixels a module; what is gentle is so large and so straight that no module is misread.
    let scale = if gentle { 4.0 } else { 1.5 + f32::from(dice.byte() % 32) / 8.0 };
    let bend = if gentle { 0.02 } else { 0.6 };
    let warp = [(); 4].map(|()| dice.share() * bend);
    let (dark, light, noise) =
        if gentle { (40, 220, dice.byte() % 32) } else { (dice.byte(), dice.byte(), dice.byte()) };
    let frames = 1 + usize::from(how >> 1 & 1) + usize::from(how >> 2 & 1);
    let seed = u32::from(dice.byte());

    let mut flipped = 0;
    let count = modules.dark.len();
    while let [a, b, rest @ ..] = dice.0 {
        dice.0 = rest;
        let place = usize::from(u16::from_le_bytes([*a, *b])) % count;
        modules.dark[place] ^= true;
        flipped += 1;
    }

    let mut decoder = Decoder::new(Settings { budget: Duration::from_millis(10), manners: 3 });
    for shown in 0..frames {
        let seen = decoder.look(&draw(&modules, scale, warp, dark, light, noise, seed + shown as u32));
        if gentle && flipped <= FEW {
            for found in &seen.codes {
                assert_eq!(found.text(), text, "{flipped} modules of {count} flipped");
            }
        }
    }
});
