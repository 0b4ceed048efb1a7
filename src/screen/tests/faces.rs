//! The colours of the verdicts, the file they are drawn into, and the way they come.

use image::{Rgb, RgbImage};

use super::samples::{confirm, degraded, deny, in_order, pass};
use super::*;

#[test]
fn each_verdict_fills_the_screen_with_its_own_colour() {
    let grounds = SIZES.map(|size| {
        let page = Page::new(size, Language::Zh);
        [pass(), confirm(), deny()].map(|shown| {
            page.show(shown);
            ground(&page.stage.render())
        })
    });
    assert_eq!(grounds, [[Rgb([0, 0x61, 0x3f]), Rgb([0xff, 0xc2, 0x1a]), Rgb([0xac, 0x0a, 0x1e])]; 3]);
}

#[test]
fn verdicts_are_legible_to_tired_eyes_and_apart_for_colour_blind_ones() {
    let page = Page::new((800, 480), Language::En);
    for shown in [pass(), confirm(), deny()] {
        page.show(shown);
        let picture = page.stage.render();
        let ground = luminance(ground(&picture));
        let best = pixels_of_page(&picture).map(|pixel| contrast(luminance(pixel), ground)).fold(0.0, f64::max);
        assert!(best >= 7.0, "WCAG AAA wants 7:1, this is {best:.1}:1");
    }
    page.show(confirm());
    let amber = luminance(ground(&page.stage.render()));
    for shown in [pass(), deny()] {
        page.show(shown);
        assert!(contrast(luminance(ground(&page.stage.render())), amber) > 3.0);
    }
    // Green against red by shape: the same sentences under a disc and under an octagon.
    page.show(pass());
    let disc = page.stage.render();
    page.show(Shown { outcome: Outcome::Deny, ..pass() });
    let octagon = page.stage.render();
    let (disc_ground, octagon_ground) = (ground(&disc), ground(&octagon));
    let differing = pixels_of_page(&disc)
        .zip(pixels_of_page(&octagon))
        .filter(|&(a, b)| (a == disc_ground) != (b == octagon_ground))
        .count();
    assert!(differing > 5_000, "only {differing} pixels tell the shapes and words apart");
}

#[test]
fn whatever_is_read_is_read_seven_to_one_by_day_and_by_night() {
    for theme in [Theme::Night, Theme::Day] {
        let page = Page::with(Options { theme, ..Options::default() });
        let colours = page.stage.window().global::<ui::Theme>();
        assert_eq!(colours.get_day(), theme == Theme::Day);
        let (ground, plate, footer) = (colours.get_ground(), colours.get_plate(), colours.get_footer());
        let mut pairs = vec![
            ("ink", colours.get_ink(), ground),
            ("ink on a plate", colours.get_ink(), plate),
            ("a hint", ground, colours.get_ink()),
            ("quiet ink", colours.get_ink_quiet(), ground),
            ("quiet ink on a plate", colours.get_ink_quiet(), plate),
            ("what was said", colours.get_said(), ground),
            ("a fault's word", colours.get_on_alarm(), colours.get_alarm()),
            ("the footer", colours.get_footer_ink(), footer),
            ("the footer's summary", colours.get_footer_quiet(), footer),
            ("in order", colours.get_green(), footer),
            ("caution", colours.get_amber(), footer),
            ("fault", colours.get_red(), footer),
        ];
        for face in [ui::Face::Ready, ui::Face::Pass, ui::Face::Confirm, ui::Face::Deny] {
            let tint = colours.invoke_tint(face);
            pairs.extend([("a verdict", tint.ink, tint.ground), ("a sentence", tint.ink, tint.plate)]);
        }
        for (what, ink, ground) in pairs {
            let light = |colour: slint::Color| luminance(Rgb([colour.red(), colour.green(), colour.blue()]));
            let contrast = contrast(light(ink), light(ground));
            assert!(contrast >= 7.0, "{what}, {theme:?}: {contrast:.2}:1");
        }
    }
}

#[test]
fn the_verdicts_and_the_footer_look_the_same_by_day_and_by_night() {
    let [night, day] = [Theme::Night, Theme::Day].map(|theme| {
        let page = Page::with(Options { theme, ..Options::default() });
        [pass(), Shown { offer: Offer::Decide, ..confirm() }, deny()].map(|shown| {
            page.show(shown);
            page.stage.render()
        })
    });
    assert!(night == day);
}

#[test]
fn chinese_that_is_only_known_at_run_time_is_drawn() {
    let page = Page::new((800, 480), Language::Zh);
    let drawn = ["通", "行", "龘", "囍"].map(|word| {
        page.show(Shown { title: Text::new(word, ""), ..pass() });
        page.stage.render()
    });
    assert_ne!(drawn[0].as_raw(), drawn[1].as_raw(), "two common characters look the same: the font is not used");
}

#[test]
fn whatever_is_not_green_stays_on_the_screen() {
    let amber = Rgb([0xff, 0xc2, 0x1a]);
    let red = Rgb([0xff, 0x8f, 0x86]);
    let page = Page::new((800, 480), Language::Zh);
    for shown in [None, Some(pass()), Some(deny())] {
        let show = |status| {
            page.deliver(Mail {
                face: Some(shown.clone().map_or(Face::Ready, Face::Verdict)),
                status: Some(status),
                ..Mail::default()
            });
            page.stage.render()
        };
        let quiet = show(in_order());
        assert!(!footer(&quiet).any(|pixel| pixel == amber || pixel == red));
        let loud = show(degraded());
        assert!(footer(&loud).any(|pixel| pixel == amber) && footer(&loud).any(|pixel| pixel == red));
    }
}

#[test]
fn one_touch_changes_the_language() {
    let page = Page::new((800, 480), Language::Zh);
    page.show(deny());
    let zh = page.stage.render();
    page.touch("Switch to English", "");
    assert_ne!(page.stage.render().as_raw(), zh.as_raw());
    page.touch("切换到中文", "");
    assert_eq!(page.stage.render().as_raw(), zh.as_raw());
}

#[test]
fn a_verdict_is_in_the_file_and_gone_after_its_time() {
    let folder = std::env::temp_dir().join(format!("tongguan-screen-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("screen.png");
    let options = Options {
        backend: Backend::Picture(file.clone()),
        verdict_for: Duration::from_millis(400),
        ..Options::default()
    };
    let watcher = run(options, |screen, _| {
        let ready = ground(&load(&file));
        let file = file.clone();
        Ok(std::thread::spawn(move || {
            screen.verdict(deny());
            let denied = wait_for(&file, |now| now != ready);
            let after = wait_for(&file, |now| now == ready);
            screen.quit();
            (denied, after)
        }))
    });
    let (denied, after) = watcher.expect("a screen").join().expect("the watcher");
    assert_eq!(denied, Some(Rgb([0xac, 0x0a, 0x1e])));
    assert!(after.is_some(), "the verdict still stands");
    let left: Vec<_> =
        std::fs::read_dir(&folder).expect("the folder").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["screen.png"]);
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}

#[test]
fn a_picture_that_cannot_be_written_is_said_before_anything_starts() {
    let options = Options { backend: Backend::Picture("/nowhere/screen.png".into()), ..Options::default() };
    let error = run(options, |_, _| -> anyhow::Result<()> { panic!("must not start") }).expect_err("no such folder");
    assert!(error.to_string().contains("/nowhere/screen.png"), "{error:#}");
}

#[test]
fn without_a_screen_it_waits_for_quit_and_takes_everything_in_its_stride() {
    let worker = run(Options::default(), |screen, _| {
        Ok(std::thread::spawn(move || {
            for _ in 0..1000 {
                screen.verdict(pass());
                screen.preview(640, 480, &[0; 640 * 480], None);
                screen.status(degraded());
            }
            screen.idle();
            screen.quit();
            7
        }))
    });
    assert_eq!(worker.expect("no screen is no error").join().expect("the worker"), 7);
}

#[test]
fn only_the_newest_waits_in_the_mailbox() {
    let mailbox = Arc::new(Mailbox::with_bell());
    let screen = Screen { mailbox: Arc::clone(&mailbox) };
    screen.verdict(deny());
    screen.verdict(pass());
    screen.preview(1, 1, &[1], None);
    screen.preview(1, 1, &[2], None);
    let mail = mailbox.take();
    assert!(matches!(mail.face, Some(Face::Verdict(shown)) if shown == pass()));
    assert_eq!(
        mail.frame.map(|(frame, _)| frame.luma),
        Some(vec![1]),
        "the second comes sooner than a twelfth of a second"
    );
    assert!(mailbox.take().face.is_none());
}

#[test]
fn backends_are_named_as_on_the_command_line() {
    for (name, backend) in [
        ("window", Backend::Window),
        ("linuxkms", Backend::LinuxKms),
        ("none", Backend::None),
        ("picture:a b.png", Backend::Picture("a b.png".into())),
    ] {
        assert_eq!(name.parse::<Backend>().expect(name), backend);
    }
    for name in ["", "picture:", "picture", "vga"] {
        assert!(name.parse::<Backend>().is_err(), "{name}");
    }
}

/// The colour behind everything but the footer.
fn ground(picture: &RgbImage) -> Rgb<u8> {
    *picture.get_pixel(3, picture.height() / 2)
}

fn pixels_of_page(picture: &RgbImage) -> impl Iterator<Item = Rgb<u8>> + '_ {
    let below = picture.height() * 3 / 4;
    picture.rows().take(below as usize).flatten().copied()
}

fn footer(picture: &RgbImage) -> impl Iterator<Item = Rgb<u8>> + '_ {
    let above = picture.height() * 4 / 5;
    picture.rows().skip(above as usize).flatten().copied()
}

/// WCAG 2: relative luminance, and the contrast of two of them.
fn luminance(Rgb(channels): Rgb<u8>) -> f64 {
    let [red, green, blue] = channels.map(|channel| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn contrast(a: f64, b: f64) -> f64 {
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn load(file: &std::path::Path) -> RgbImage {
    image::open(file).expect("a whole picture").to_rgb8()
}

fn wait_for(file: &std::path::Path, wanted: impl Fn(Rgb<u8>) -> bool) -> Option<Rgb<u8>> {
    let patience = Instant::now() + Duration::from_secs(10);
    while Instant::now() < patience {
        let now = ground(&load(file));
        if wanted(now) {
            return Some(now);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}
