//! The demo's frames are ones that rqrr reads: not a picture of a code drawn flat, and not a riddle either.

use image::GrayImage;
use tongguan_sim::{Camera, FPS, Medium, Phase, Surface, Walk, y4m};

fn read(frame: &GrayImage) -> Vec<String> {
    let (width, height) = frame.dimensions();
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width as usize, height as usize, |x, y| {
        frame.as_raw()[y * width as usize + x]
    });
    prepared.detect_grids().iter().filter_map(|grid| grid.decode().ok()).map(|(_, text)| text).collect()
}

/// Text of the length and alphabet of a code of ours.
fn code(signs: usize) -> String {
    let body = (0..signs).map(|i| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[(i * i * 7 + i * 13 + 5) % 32]));
    "TG1:".chars().chain(body).collect()
}

/// Every kind of frame the demo shows.
fn kinds() -> [(&'static str, String, Medium); 5] {
    [
        ("live", code(132), Medium::Phone),
        ("carried", code(292), Medium::Phone),
        ("printed", code(141), Medium::Paper),
        ("payment", "wxp://f2f0TONGGUANSIMULATORxNOBODYxNOTHINGxTOxPAYxx".to_owned(), Medium::Phone),
        ("web", "https://example.com/notices/2022-01".to_owned(), Medium::Paper),
    ]
}

#[test]
fn every_kind_of_code_is_read_in_most_frames_and_never_as_another() -> Result<(), Box<dyn std::error::Error>> {
    let camera = Camera::new(1280, 720, 1);
    for (name, text, medium) in kinds() {
        for seed in 0..2 {
            let surface = Surface::new(&text, medium, seed)?;
            let walk = Walk::new(&surface, seed);
            let mut reads = [[0, 0]; 2];
            for i in 0..Walk::FRAMES {
                let (phase, scene) = walk.scene(i);
                let texts = read(&camera.see((phase != Phase::Empty).then_some(&surface), &scene));
                assert!(texts.iter().all(|t| *t == text), "{name}, seed {seed}, frame {i}: read {texts:?}");
                match phase {
                    Phase::Empty => assert!(texts.is_empty(), "the empty gate reads as {texts:?}"),
                    Phase::Approach | Phase::Hold => {
                        let [read, of] = &mut reads[usize::from(phase == Phase::Hold)];
                        *read += usize::from(!texts.is_empty());
                        *of += 1;
                    }
                    Phase::Leave => {}
                }
            }
            let [[coming, _], [held, hold]] = reads;
            let (read, of) = (coming + held, reads[0][1] + hold);
            assert!(read * 100 >= of * 70, "{name}, seed {seed}: read in {read} of {of} frames, {held} of {hold} held");
        }
    }
    Ok(())
}

#[test]
fn the_same_seeds_give_the_same_frame_to_the_last_bit() -> Result<(), Box<dyn std::error::Error>> {
    let frame = || {
        let surface = Surface::new(&code(132), Medium::Phone, 4)?;
        let (_, scene) = Walk::new(&surface, 4).scene(20);
        Ok::<_, tongguan_sim::TextTooLong>(Camera::new(320, 180, 4).see(Some(&surface), &scene))
    };
    assert_eq!(frame()?, frame()?);
    Ok(())
}

#[test]
fn a_y4m_stream_is_a_header_and_frames_of_known_length() -> Result<(), Box<dyn std::error::Error>> {
    let mut stream = Vec::new();
    y4m::header(&mut stream, 4, 2, FPS)?;
    let header = stream.len();
    y4m::frame(&mut stream, &GrayImage::new(4, 2))?;
    assert_eq!(&stream[..header], b"YUV4MPEG2 W4 H2 F15:1 Ip A1:1 Cmono\n");
    assert_eq!(stream.len() - header, "FRAME\n".len() + 8);
    Ok(())
}
