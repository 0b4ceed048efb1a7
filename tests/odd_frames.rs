//! Frames no camera should send: of any size, of any content, of another size each time. The decoder sees nothing in them,
//! and goes on. `make fuzz` does the same for longer.

use std::time::Duration;

use proptest::prelude::*;
use qrcode::{EcLevel, QrCode};
use tongguan::capture::Luma;
use tongguan::decode::{Decoder, Settings};

/// Pixels of a frame: enough for the widest one to be high enough for a code, few enough for a debug build.
const MOST: usize = 1 << 17;

fn decoder(manners: usize) -> Decoder {
    Decoder::new(Settings { budget: Duration::from_millis(5), manners })
}

/// Enlarged noise: at some size its blocks look like the rings of a finder.
fn noise(width: usize, height: usize, scale: usize, seed: u64) -> Luma {
    let grey = |x: usize, y: usize| {
        let at = ((y / scale) << 20 | (x / scale)) as u64 ^ seed;
        (at.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8
    };
    Luma::new(width, height, (0..width * height).map(|i| grey(i % width, i / width)).collect())
}

fn side() -> impl Strategy<Value = usize> {
    prop_oneof![0..4_usize, 18..24_usize, 4..700_usize, Just(4096), Just(65_535)]
}

fn frame() -> impl Strategy<Value = Luma> {
    (side(), side(), 1..12_usize, any::<u64>(), prop_oneof![Just(None), any::<u8>().prop_map(Some)]).prop_map(
        |(width, height, scale, seed, flat)| {
            let height = height.min(MOST / width.max(1));
            match flat {
                Some(grey) => Luma::new(width, height, vec![grey; width * height]),
                None => noise(width, height, scale, seed),
            }
        },
    )
}

#[test]
fn the_narrowest_the_widest_and_the_emptiest_frames_are_looked_at() {
    let mut tracked = decoder(3);
    for (width, height) in
        [(0, 0), (0, 65_535), (65_535, 0), (1, 1), (2, 2), (65_535, 1), (1, 65_535), (3, 65_535), (65_535, 3), (21, 21)]
    {
        for scale in [1, 3] {
            let frame = noise(width, height, scale, 1);
            for _ in 0..3 {
                assert_eq!(tracked.look(&frame).codes, [], "{width}x{height}");
            }
            assert_eq!(decoder(1).look(&frame).codes, [], "{width}x{height}");
        }
    }
}

/// What was half read or still in view must not be looked for beyond the border of a smaller frame.
#[test]
fn a_code_is_read_before_and_after_odd_frames() {
    let code = QrCode::with_error_correction_level("TG1:EXAMPLE", EcLevel::M).unwrap();
    let picture: image::GrayImage = code.render::<image::Luma<u8>>().module_dimensions(6, 6).build();
    let good = Luma::new(picture.width() as usize, picture.height() as usize, picture.into_raw());
    let mut decoder = Decoder::new(Settings::thorough());
    for (width, height) in
        [(0, 0), (1, 1), (65_535, 1), (1, 65_535), (2, 2), (21, 21), (65_535, 2), (40, 40), (3, 65_535), (640, 24)]
    {
        assert_eq!(decoder.look(&good).codes[0].text(), "TG1:EXAMPLE", "before {width}x{height}");
        assert_eq!(decoder.look(&noise(width, height, 2, 7)).codes, [], "{width}x{height}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_frames_is_too_odd(frames in prop::collection::vec(frame(), 1..4), manners in 1..4_usize) {
        let mut decoder = decoder(manners);
        for frame in &frames {
            prop_assert_eq!(&decoder.look(frame).codes, &[]);
        }
    }
}
