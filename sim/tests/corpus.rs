//! The corpus is what it says: the same bits for the same numbers, harmless where it begins, and no texts that are not
//! in the picture.

use std::collections::HashSet;

use image::GrayImage;
use tongguan_sim::corpus::{Factor, Mix, Sample, Special};

fn read(frame: &GrayImage) -> Vec<String> {
    let (width, height) = frame.dimensions();
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width as usize, height as usize, |x, y| {
        frame.as_raw()[y * width as usize + x]
    });
    prepared.detect_grids().iter().filter_map(|grid| grid.decode().ok()).map(|(_, text)| text).collect()
}

fn same(a: &Sample, b: &Sample) -> bool {
    a.frame == b.frame && a.texts == b.texts && a.what == b.what
}

#[test]
fn the_same_seed_and_index_give_the_same_bits_and_another_index_does_not() {
    for mix in Mix::ALL {
        assert!(same(&mix.sample(1, 2), &mix.sample(1, 2)), "{}", mix.name());
        assert!(!same(&mix.sample(1, 2), &mix.sample(1, 3)), "{}", mix.name());
    }
    for special in Special::ALL {
        assert!(same(&special.sample(1, 2), &special.sample(1, 2)), "{}", special.name());
    }
    let factor = |factor: Factor| factor.sample(factor.levels()[3], 5, 6);
    for it in [Factor::Moire, Factor::Cracks, Factor::Occlusion, Factor::Jpeg] {
        assert!(same(&factor(it), &factor(it)), "{}", it.name());
    }
}

#[test]
fn frames_have_a_cameras_size_and_what_is_said_of_them() {
    for sample in Mix::ALL.iter().flat_map(|mix| (0..3).map(|i| mix.sample(9, i))) {
        assert!([(1280, 720), (640, 480)].contains(&sample.frame.dimensions()), "{}", sample.what);
        assert_eq!(sample.texts.len(), 1);
        assert!(!sample.what.is_empty());
    }
    let many = Special::Many.sample(9, 0);
    assert_eq!(many.frame.dimensions(), (1280, 720));
    assert!((6..=40).contains(&many.texts.len()));
    assert_eq!(many.texts.iter().collect::<HashSet<_>>().len(), many.texts.len());
    assert_eq!(Special::Beside.sample(9, 0).texts.len(), 2);
}

#[test]
fn names_are_unique_and_levels_neither_few_nor_many() {
    let mut names = HashSet::new();
    let all = Mix::ALL.map(Mix::name).into_iter().chain(Special::ALL.map(Special::name));
    for name in all.chain(Factor::ALL.map(Factor::name)) {
        assert!(names.insert(name), "{name} twice");
    }
    for factor in Factor::ALL {
        assert!((6..=10).contains(&factor.levels().len()), "{}", factor.name());
        assert!(!factor.unit().is_empty());
    }
}

#[test]
fn the_first_level_of_every_factor_is_harmless() {
    // The code of the JPEG frames is too small for rqrr at any quality; a test of its own is below.
    for factor in Factor::ALL.into_iter().filter(|f| *f != Factor::Jpeg) {
        let harmless = (0..3).any(|index| {
            let sample = factor.sample(factor.levels()[0], 1, index);
            read(&sample.frame) == sample.texts
        });
        assert!(harmless, "{}", factor.name());
    }
}

#[test]
fn jpeg_begins_with_a_picture_that_has_hardly_changed_and_ends_with_one_that_has() {
    let frame = |quality: f32| Factor::Jpeg.sample(quality, 1, 0).frame;
    let changed = |a: &GrayImage, b: &GrayImage| {
        let sum: u64 = a.as_raw().iter().zip(b.as_raw()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        sum as f64 / a.as_raw().len() as f64
    };
    let levels = Factor::Jpeg.levels();
    let best = frame(100.0);
    assert!(changed(&best, &frame(levels[0])) < 1.5);
    assert!(changed(&best, &frame(levels[levels.len() - 1])) > 3.0);
}

#[test]
fn the_last_level_of_a_factor_is_beyond_a_plain_decoder() {
    for factor in [Factor::Distance, Factor::Blur, Factor::Moire, Factor::Dark, Factor::Bright, Factor::QuietZone] {
        let last = factor.levels().last().copied().unwrap_or_default();
        assert!(read(&factor.sample(last, 1, 0).frame).is_empty(), "{}", factor.name());
    }
}

#[test]
fn a_sequence_is_six_frames_of_one_code_that_differ() {
    let frames = Mix::Medium.sequence(3, 4);
    assert_eq!(frames.len(), 6);
    assert!(same(&frames[0], &Mix::Medium.sample(3, 4)), "it begins with the single frame");
    for pair in frames.windows(2) {
        assert_eq!(pair[0].texts, pair[1].texts);
        assert_ne!(pair[0].frame, pair[1].frame);
    }
}

#[test]
fn where_there_is_nothing_to_read_nothing_is_read() {
    for special in [Special::Empty, Special::Unreadable] {
        for index in 0..5 {
            let sample = special.sample(2, index);
            // Of what nobody should be able to read the text is known all the same: whoever reads it after all is right.
            assert_eq!(sample.texts.is_empty(), special == Special::Empty, "{}", sample.what);
            assert!(read(&sample.frame).is_empty(), "{}: {}", special.name(), sample.what);
        }
    }
}
