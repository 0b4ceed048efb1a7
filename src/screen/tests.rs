//! Each face, drawn into memory. With `TONGGUAN_SCREENS=FOLDER` the pictures are kept there for people to look at.

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use image::{Rgb, RgbImage};
use slint::platform::{PointerEventButton, WindowEvent};

use super::mailbox::Mail;
use super::*;

/// The displays the pages are made for: 7 inch, desktop or HDMI, and the upright one.
const SIZES: [(u32, u32); 3] = [(800, 480), (1280, 720), (720, 1280)];

/// A page in hand: what `run` wires up, without its loop.
struct Page {
    stage: Stage,
    controllers: Rc<Controllers>,
}

impl Page {
    fn new(size: (u32, u32), language: Language) -> Self {
        let options = Options {
            language,
            lane_name: match language {
                Language::Zh => "南门 · 1 号道".into(),
                Language::En => "South gate · lane 1".into(),
            },
            size,
            ..Options::default()
        };
        let stage = Stage::new(size).expect("a canvas");
        let controllers = Controllers::set_up(
            stage.window(),
            &options,
            &Arc::new(Mailbox::with_bell()),
            crossbeam_channel::unbounded().0,
        )
        .expect("controllers");
        let page = Self { stage, controllers };
        page.deliver(Mail { status: Some(in_order()), frame: Some(camera()), ..Mail::default() });
        page
    }

    fn deliver(&self, mail: Mail) {
        assert!(!self.controllers.deliver(mail));
    }

    fn show(&self, shown: Shown) {
        self.deliver(Mail { face: Some(Face::Verdict(shown)), ..Mail::default() });
    }

    fn draw(&self, name: &str) -> RgbImage {
        let picture = self.stage.render();
        if let Some(folder) = std::env::var_os("TONGGUAN_SCREENS").map(PathBuf::from) {
            std::fs::create_dir_all(&folder).expect("a folder for the pictures");
            let (width, height) = picture.dimensions();
            let file = folder.join(format!("{width}x{height}-{name}.png"));
            picture::write(&file, &picture).expect("a picture");
        }
        picture
    }
}

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
fn every_face_is_drawn_in_both_languages_at_every_size() {
    for size in SIZES {
        let in_each_language = [Language::Zh, Language::En].map(|language| {
            let tag = if language == Language::Zh { "zh" } else { "en" };
            let page = Page::new(size, language);
            let mut pictures = vec![page.draw(&format!("ready-{tag}"))];
            for (name, shown) in [("pass", pass()), ("confirm", confirm()), ("deny", deny()), ("long", long())] {
                page.show(shown);
                pictures.push(page.draw(&format!("{name}-{tag}")));
            }
            page.deliver(Mail { status: Some(degraded()), ..Mail::default() });
            pictures.push(page.draw(&format!("long-degraded-{tag}")));
            page.show(deny());
            pictures.push(page.draw(&format!("deny-degraded-{tag}")));
            page.deliver(Mail { status: Some(crowded()), ..Mail::default() });
            pictures.push(page.draw(&format!("deny-crowded-{tag}")));
            page.deliver(Mail { face: Some(Face::Ready), status: Some(degraded()), ..Mail::default() });
            pictures.push(page.draw(&format!("ready-degraded-{tag}")));
            page.stage.window().global::<ui::Lane>().set_has_preview(false);
            pictures.push(page.draw(&format!("ready-without-camera-{tag}")));
            pictures
        });
        let [zh, en] = &in_each_language;
        for (zh, en) in zh.iter().zip(en) {
            assert_ne!(zh.as_raw(), en.as_raw());
        }
        let mut seen: Vec<_> = in_each_language.iter().flatten().map(|picture| picture.as_raw()).collect();
        let count = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), count, "two faces look the same");
    }
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
    touch(&page, 720.0, 34.0);
    assert_ne!(page.stage.render().as_raw(), zh.as_raw());
    touch(&page, 720.0, 34.0);
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
                screen.preview(640, 480, &[0; 640 * 480]);
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
    screen.preview(1, 1, &[1]);
    screen.preview(1, 1, &[2]);
    let mail = mailbox.take();
    assert!(matches!(mail.face, Some(Face::Verdict(shown)) if shown == pass()));
    assert_eq!(mail.frame.map(|frame| frame.luma), Some(vec![1]), "the second comes sooner than a twelfth of a second");
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

fn pass() -> Shown {
    Shown {
        outcome: Outcome::Pass,
        title: Text::new("电子码有效", "Code is valid"),
        guard: Text::new("可以放行。", "Let them in."),
        resident: Text::new("请通行。", "Please go through."),
        reason: "fresh".into(),
        gate_open: true,
        offer: Offer::Nothing,
        token: 0,
    }
}

fn confirm() -> Shown {
    Shown {
        outcome: Outcome::Confirm,
        title: Text::new("纸质通行证", "Printed pass"),
        guard: Text::new("请核对本人后决定是否放行。", "Look at the person and at the pass, then decide."),
        resident: Text::new("请稍候，保安正在核对。", "Please wait, the guard is checking your pass."),
        reason: "printed".into(),
        gate_open: false,
        offer: Offer::Nothing,
        token: 0,
    }
}

fn deny() -> Shown {
    Shown {
        outcome: Outcome::Deny,
        title: Text::new("电子码已过期", "Code has expired"),
        guard: Text::new(
            "此码已过期 12 分钟，请居民刷新后再扫。",
            "This code ran out 12 min ago. Ask for a fresh one.",
        ),
        resident: Text::new(
            "请在手机上刷新电子码，然后再扫一次。",
            "Refresh the code on your phone and show it again.",
        ),
        reason: "expired".into(),
        gate_open: false,
        offer: Offer::Nothing,
        token: 0,
    }
}

fn long() -> Shown {
    Shown {
        outcome: Outcome::Confirm,
        title: Text::new(
            "无法确定此码是否仍然有效：本机时钟尚未校准",
            "Cannot tell whether this code is still fresh: the clock is not set",
        ),
        guard: Text::new(
            "检查点的时钟自断电后尚未校准，无法判断此码是否在十分钟内签发。请核对居民的证件与门牌号，登记后再决定是否放行，并通知值班室。",
            "The checkpoint's clock has not been set since the power cut, so it cannot tell whether this code was issued in the \
             last ten minutes. Check the resident's document and building number before you decide, and tell the duty office.",
        ),
        resident: Text::new(
            "您的电子码没有问题。检查点需要保安核对一次，请出示身份证件并告知楼栋号，谢谢您的耐心等候。",
            "There is nothing wrong with your code. The guard has to look once more: please show an identity document and say \
             which building you live in. Thank you for waiting.",
        ),
        reason: "clock_uncertain".into(),
        gate_open: false,
        offer: Offer::Nothing,
        token: 0,
    }
}

fn in_order() -> Vec<StatusLine> {
    vec![
        StatusLine { level: Level::Green, text: Text::new("名单 4 分钟前更新", "Lists 4 min old") },
        StatusLine { level: Level::Green, text: Text::new("时钟已同步", "Clock synced") },
        StatusLine { level: Level::Green, text: Text::new("闸机就绪", "Gate ready") },
    ]
}

fn degraded() -> Vec<StatusLine> {
    vec![
        StatusLine {
            level: Level::Amber,
            text: Text::new("名单已 4 小时未更新，09:12 起离线", "Lists 4 h old, offline since 09:12"),
        },
        StatusLine { level: Level::Green, text: Text::new("时钟已同步", "Clock synced") },
        StatusLine {
            level: Level::Red,
            text: Text::new("摄像头没有画面，请检查连线", "No picture from the camera, check its cable"),
        },
    ]
}

/// Everything at once, as after a night without power.
fn crowded() -> Vec<StatusLine> {
    let mut lines = degraded();
    lines.push(StatusLine {
        level: Level::Red,
        text: Text::new("时钟未校准，无法判断电子码是否过期", "Clock not set: cannot tell fresh codes from stale ones"),
    });
    lines.push(StatusLine {
        level: Level::Amber, text: Text::new("存储空间不足 5%", "Less than 5% of storage left")
    });
    lines
}

/// Something like a phone held before the camera, larger than the preview.
fn camera() -> preview::Frame {
    let (width, height) = (640_u32, 480_u32);
    let luma: Vec<u8> = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .map(|(x, y)| match (x, y) {
            (250..390, 170..310) => {
                let module = (x / 7).wrapping_mul(31) ^ (y / 7).wrapping_mul(17) ^ ((x / 7) * (y / 7));
                if module % 3 == 0 { 30 } else { 225 }
            }
            (225..415, 70..430) => 225,
            (215..425, 60..440) => 20,
            _ => u8::try_from(60 + (x + y) / 16).unwrap_or(u8::MAX),
        })
        .collect();
    preview::shrink(width, height, &luma).expect("a picture")
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

fn touch(page: &Page, x: f32, y: f32) {
    let position = slint::LogicalPosition::new(x, y);
    let button = PointerEventButton::Left;
    let window = page.stage.window().window();
    window.dispatch_event(WindowEvent::PointerMoved { position });
    window.dispatch_event(WindowEvent::PointerPressed { position, button });
    window.dispatch_event(WindowEvent::PointerReleased { position, button });
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
