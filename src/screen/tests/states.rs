//! Every state of the screen, in both languages and at every size.

use std::path::PathBuf;

use image::imageops::{self, FilterType};

use super::samples::{
    AIM, asked, camera, close, confirm, crowded, degraded, deny, fault, hint, inspection, li, li_on_duty, long,
    longest_said, nobody_on_duty, pass, past, service, wang, wang_on_duty, who,
};
use super::*;

/// A way to a state from the ready page of a gate with three guards.
type Way = fn(&Page);

const STATES: &[(&str, Way)] = &[
    ("01-ready", |_| {}),
    ("02-ready-on-duty", |page| page.guards(wang_on_duty())),
    ("03-ready-coached", |page| page.deliver(Mail { hint: Some(Some(hint())), ..Mail::default() })),
    ("04-ready-without-camera", |page| page.stage.window().global::<ui::Lane>().set_has_preview(false)),
    ("05-ready-degraded", |page| page.deliver(Mail { status: Some(degraded()), time: Some(None), ..Mail::default() })),
    ("06-ready-crowded", |page| page.deliver(Mail { status: Some(crowded()), time: Some(None), ..Mail::default() })),
    ("07-ready-aiming", |page| page.deliver(Mail { frame: Some((camera(), Some(AIM))), ..Mail::default() })),
    ("10-pass", |page| page.show(pass())),
    ("11-confirm", |page| page.show(confirm())),
    ("12-deny", |page| page.show(deny())),
    ("16-pass-named", |page| page.show(Shown { who: Some(who()), ..pass() })),
    ("17-pass-nothing-known", |page| page.show(Shown { what: None, ..pass() })),
    ("13-long", |page| page.show(long())),
    ("14-long-degraded", |page| {
        page.show(long());
        page.status(degraded());
    }),
    ("15-deny-crowded", |page| {
        page.show(deny());
        page.status(crowded());
    }),
    ("20-decide", |page| page.show(asked(Offer::Decide))),
    ("21-decide-long-crowded", |page| {
        page.show(Shown { offer: Offer::Decide, ..longest_said() });
        page.status(crowded());
    }),
    ("22-let-in-why", |page| {
        page.show(asked(Offer::Decide));
        page.touch("放行", "Let in");
    }),
    ("23-turn-away-why", |page| {
        page.show(asked(Offer::Decide));
        page.touch("劝返", "Turn away");
    }),
    ("24-let-in-why-long-crowded", |page| {
        page.show(Shown { offer: Offer::Decide, ..longest_said() });
        page.status(crowded());
        page.touch("放行", "Let in");
    }),
    ("25-override", |page| page.show(asked(Offer::Override))),
    ("26-override-why", |page| {
        page.show(asked(Offer::Override));
        page.touch("仍然放行", "Let in all the same");
    }),
    ("27-log-in-to-decide", |page| page.show(asked(Offer::LogIn))),
    ("28-log-in-to-decide-long-crowded", |page| {
        page.show(Shown { offer: Offer::LogIn, ..longest_said() });
        page.status(crowded());
    }),
    ("30-guard-names", |page| page.touch("保安", "Guard")),
    ("31-guard-many-names", |page| {
        let names = (1..=24).map(|n| format!("王{n}")).collect();
        page.guards(Guards { names, ..Guards::default() });
        page.touch("保安", "Guard");
    }),
    ("32-guard-nobody", |page| {
        page.guards(Guards::default());
        page.touch("保安", "Guard");
    }),
    ("33-guard-pin", |page| {
        page.touch("保安", "Guard");
        page.touch("王建国", "王建国");
        ["2", "5", "8"].iter().for_each(|digit| page.touch(digit, digit));
    }),
    ("34-guard-pin-whole", |page| {
        page.touch("保安", "Guard");
        page.touch("王建国", "王建国");
        ["2", "5", "8", "0", "9"].iter().for_each(|digit| page.touch(digit, digit));
    }),
    ("35-guard-wrong-pin", |page| {
        page.touch("保安", "Guard");
        page.touch("古丽努尔·阿卜杜拉", "古丽努尔·阿卜杜拉");
        let said = Text::new("密码多次不对，请等 5 秒", "Too many wrong PINs: wait 5 seconds");
        page.guards(Guards { said: Some(said), ..nobody_on_duty() });
        page.status(crowded());
    }),
    ("36-guard-on-duty", |page| {
        page.guards(wang_on_duty());
        page.touch("保安", "Guard");
    }),
    ("37-guard-on-duty-crowded", |page| {
        page.guards(Guards { on_duty: Some(li()), ..nobody_on_duty() });
        page.status(crowded());
        page.touch("保安", "Guard");
    }),
    ("38-guard-shift-ended", |page| {
        page.guards(wang_on_duty());
        page.guards(Guards { on_duty: Some(li()), handed_over: Some(wang()), ..nobody_on_duty() });
        page.touch("保安", "Guard");
    }),
    ("43-guard-pin-and-verdict", |page| {
        page.touch("保安", "Guard");
        page.touch("王建国", "王建国");
        ["2", "5", "8"].iter().for_each(|digit| page.touch(digit, digit));
        page.show(deny());
    }),
    ("44-guard-names-and-long-verdict-crowded", |page| {
        page.touch("保安", "Guard");
        page.show(Shown { offer: Offer::LogIn, ..longest_said() });
        page.status(crowded());
    }),
    ("45-guard-names-or-code", |page| {
        page.guards(Guards { codes: true, ..nobody_on_duty() });
        page.touch("保安", "Guard");
        page.status(crowded());
    }),
    ("40-recent", |page| {
        page.deliver(Mail { past: Some(past()), ..Mail::default() });
        page.touch("最近记录", "Recent");
    }),
    ("41-recent-further", |page| {
        page.deliver(Mail { past: Some(past()), ..Mail::default() });
        page.touch("最近记录", "Recent");
        page.touch("向下", "Down");
    }),
    ("42-recent-nothing", |page| page.touch("最近记录", "Recent")),
    ("43-visitor", visitor),
    ("44-visitor-typed", |page| type_card(page, "440308199901101512")),
    ("45-visitor-mistyped-crowded", |page| {
        type_card(page, "440308199901101513");
        page.status(crowded());
    }),
    ("46-visitor-kinds", |page| {
        visitor(page);
        page.touch("居民身份证", "Resident identity card");
    }),
    ("47-visitor-passport", |page| {
        visitor(page);
        page.touch("居民身份证", "Resident identity card");
        page.wait(A_MOMENT);
        page.touch("护照", "Passport");
        page.wait(A_MOMENT);
        page.touch("字母", "Letters");
        page.wait(A_MOMENT);
        page.touch("E", "E");
    }),
    ("48-visitor-companion", |page| {
        visitor(page);
        page.touch("同行人", "Comes with");
        let expired = Text::new("电子码已过期", "Code has expired");
        page.deliver(Mail {
            visiting: Some(Visiting { companion: Some((expired, false)), said: None }),
            ..Mail::default()
        });
    }),
    ("49-visitor-with-companion", |page| {
        type_card(page, "44030819990110");
        page.touch("同行人", "Comes with");
        let zhou = Text::new("周* · 3号楼", "周* · 3号楼");
        page.deliver(Mail {
            visiting: Some(Visiting { companion: Some((zhou, true)), said: None }),
            ..Mail::default()
        });
        page.wait(A_MOMENT);
        page.touch("加一人", "One person more");
    }),
    ("4a-visitor-asked", |page| {
        type_card(page, "440308199901101512");
        page.touch("查询", "Look up");
    }),
    ("4b-technician-on-duty", |page| {
        page.guards(li_on_duty());
        page.touch("保安", "Guard");
    }),
    ("39-guard-holds-open", |page| {
        page.guards(Guards { held: true, ..li_on_duty() });
        page.touch("保安", "Guard");
    }),
    ("50-fault", |page| {
        page.deliver(Mail { fault: Some(Some(fault())), status: Some(degraded()), ..Mail::default() });
    }),
    ("51-fault-crowded", |page| {
        page.deliver(Mail { fault: Some(Some(fault())), status: Some(crowded()), ..Mail::default() });
    }),
    ("70-service", at_service),
    ("71-service-crowded", |page| {
        at_service(page);
        page.status(crowded());
    }),
    ("72-camera", |page| look_closely(page, &[208.0, 1012.4], true)),
    ("73-camera-unread-crowded", |page| {
        look_closely(page, &[1012.4, 208.0], false);
        page.status(crowded());
    }),
    ("74-camera-waits", |page| look_closely(page, &[], true)),
    ("75-outputs", |page| serve(page, "输出和输入", "Outputs and inputs")),
    ("76-outputs-tried-crowded", |page| {
        serve(page, "输出和输入", "Outputs and inputs");
        page.touch("放行灯", "Pass lamp");
        let said = Text::new(
            "蜂鸣器或指示灯不听控制，请检查接线（gpiocdev）",
            "a buzzer or lamp does not obey; check its wiring (gpiocdev)",
        );
        page.deliver(Mail { service: Some(Service { said: Some(said), answers: 1, ..service() }), ..Mail::default() });
        page.status(crowded());
    }),
    ("77-ask-open", |page| {
        serve(page, "输出和输入", "Outputs and inputs");
        page.touch("开闸", "Open the gate");
    }),
    ("78-state", |page| serve(page, "状态", "State")),
    ("79-state-crowded", |page| {
        serve(page, "状态", "State");
        page.status(crowded());
        // All of it fits on the upright screen.
        if page.has("向下") || page.has("Down") {
            page.touch("向下", "Down");
        }
    }),
    ("7a-support", |page| serve(page, "支持包", "Support bundle")),
    ("7b-support-made-crowded", |page| {
        serve(page, "支持包", "Support bundle");
        page.touch("打包", "Make the bundle");
        let file = "/run/tongguan/stick/support/tongguan-3b6a27bc-20260301-010203.tar.gz";
        let said = Text::new(format!("已写入 {file}（3 KB）"), format!("It is in {file} (3 KB)"));
        page.deliver(Mail { service: Some(Service { said: Some(said), answers: 1, ..service() }), ..Mail::default() });
        page.status(crowded());
    }),
    ("7c-enrolment", |page| serve(page, "设备登记", "Enrolment")),
    ("7d-enrolment-crowded", |page| {
        serve(page, "设备登记", "Enrolment");
        page.status(crowded());
    }),
    ("7e-languages", |page| serve(page, "语言", "Language")),
];

fn at_service(page: &Page) {
    page.guards(li_on_duty());
    page.touch("保安", "Guard");
    page.wait(A_MOMENT);
    page.touch("维护", "Service");
    page.wait(A_MOMENT);
    page.deliver(Mail { service: Some(service()), ..Mail::default() });
}

fn serve(page: &Page, zh: &str, en: &str) {
    at_service(page);
    page.touch(zh, en);
    page.wait(A_MOMENT);
}

/// One frame after the other, of this sharpness.
fn look_closely(page: &Page, focus: &[f32], read: bool) {
    serve(page, "摄像头", "Camera");
    for &focus in focus {
        let inspection = Inspection { focus, ..inspection(read) };
        page.deliver(Mail { inspection: Some((inspection, close())), ..Mail::default() });
    }
}

fn visitor(page: &Page) {
    page.guards(wang_on_duty());
    page.touch("没有手机", "No phone");
    page.wait(A_MOMENT);
}

fn type_card(page: &Page, number: &str) {
    visitor(page);
    number.chars().for_each(|digit| page.touch(&digit.to_string(), &digit.to_string()));
}

/// By day: what has another look then.
const BY_DAY: &[(&str, Way)] = &[
    ("70-day-ready", |_| {}),
    ("71-day-ready-coached-degraded", |page| {
        page.deliver(Mail { hint: Some(Some(hint())), status: Some(degraded()), ..Mail::default() });
    }),
    ("72-day-ready-without-camera", |page| page.stage.window().global::<ui::Lane>().set_has_preview(false)),
    ("73-day-guard-names", |page| page.touch("保安", "Guard")),
    ("74-day-guard-wrong-pin", |page| {
        page.touch("保安", "Guard");
        page.touch("王建国", "王建国");
        page.guards(Guards { said: Some(Text::new("密码不对", "Wrong PIN")), ..nobody_on_duty() });
        page.touch("2", "2");
    }),
    ("75-day-guard-on-duty", |page| {
        page.guards(wang_on_duty());
        page.touch("保安", "Guard");
    }),
    ("76-day-recent", |page| {
        page.deliver(Mail { past: Some(past()), ..Mail::default() });
        page.touch("最近记录", "Recent");
    }),
    ("77-day-fault", |page| {
        page.deliver(Mail { fault: Some(Some(fault())), status: Some(degraded()), ..Mail::default() });
    }),
];

/// The same where no guard stands.
const UNATTENDED: &[(&str, Way)] = &[
    ("60-alone-ready", |_| {}),
    ("61-alone-coached", |page| page.deliver(Mail { hint: Some(Some(hint())), ..Mail::default() })),
    ("62-alone-pass", |page| page.show(pass())),
    ("63-alone-confirm", |page| page.show(confirm())),
    ("64-alone-deny", |page| page.show(deny())),
    ("65-alone-long", |page| page.show(Shown { outcome: Outcome::Deny, ..long() })),
    ("66-alone-fault", |page| {
        page.deliver(Mail { fault: Some(Some(fault())), status: Some(degraded()), ..Mail::default() });
    }),
];

#[test]
fn every_state_is_drawn_in_both_languages_at_every_size() {
    for size in SIZES {
        let mut pictures = Vec::new();
        let all = [(true, Theme::Night, STATES), (true, Theme::Day, BY_DAY), (false, Theme::Night, UNATTENDED)];
        for (attended, theme, states) in all {
            for &(name, way) in states {
                let languages = [Language::Zh, Language::En].map(|language| {
                    let page = Page::with(Options { language, size, attended, theme, ..Options::default() });
                    page.guards(nobody_on_duty());
                    way(&page);
                    look_at_the_buttons(name, &page);
                    // Under no finger, and with nothing still on its way.
                    page.wait(A_MOMENT);
                    (name, language, page.stage.render())
                });
                pictures.extend(languages);
            }
        }
        keep(&pictures);
        let mut seen: Vec<_> = pictures.iter().map(|(name, _, picture)| (picture.as_raw(), name)).collect();
        seen.sort();
        for two in seen.windows(2) {
            assert!(two[0].0 != two[1].0, "{} and {} look the same", two[0].1, two[1].1);
        }
    }
}

/// A verdict with each sentence of the product, where there is least room for it.
#[test]
fn every_sentence_of_the_product_is_whole_beside_the_buttons() {
    let reasons: toml::Table = include_str!("../../../ui/lang/reasons.toml").parse().expect("reasons");
    let text = |reason: &toml::Value, whose: &str| {
        let said = |language| {
            let said = reason[whose][language].as_str().expect("words");
            said.replace("{time}", if language == "zh" { "14小时" } else { "14 minutes" })
                .replace("{lane}", if language == "zh" { "西门二号车道" } else { "the west gate, lane 2" })
                .replace("{people}", "100")
        };
        Text::new(said("zh"), said("en"))
    };
    for size in SIZES {
        for language in [Language::Zh, Language::En] {
            let page = Page::new(size, language);
            page.status(crowded());
            for (code, reason) in &reasons {
                for (offer, outcome) in [(Offer::Decide, Outcome::Confirm), (Offer::Override, Outcome::Deny)] {
                    page.show(Shown {
                        outcome,
                        title: text(reason, "title"),
                        guard: text(reason, "guard"),
                        resident: text(reason, "resident"),
                        reason: code.clone(),
                        offer,
                        ..confirm()
                    });
                    look_at_the_buttons(code, &page);
                }
            }
        }
    }
}

/// Each is large enough for a glove, on the screen, apart from the others, and says what it is in the page's language.
fn look_at_the_buttons(state: &str, page: &Page) {
    let screen = page.stage.window().window().size();
    let (width, height) = (screen.width as f32, screen.height as f32);
    let rem =
        if height > width { (width / 480.0).min(height / 800.0) } else { (width / 800.0).min(height / 480.0) } * 16.0;
    let cut = ElementHandle::find_by_element_id(page.stage.window(), "FitText::cut").count();
    assert_eq!(cut, 0, "{state}, {:?}, {width}x{height}: words that do not fit", page.language);
    let mut places: Vec<(String, LogicalPosition, slint::LogicalSize)> = Vec::new();
    for button in page.buttons() {
        let label = button.accessible_label().unwrap_or_default().to_string();
        let what = format!("{state}, {:?}, {width}x{height}: {label:?}", page.language);
        assert!(!label.is_empty(), "{what} has no name");
        let (at, size) = (button.absolute_position(), button.size());
        let scrolled = state.contains("many-names") && label.starts_with('王');
        assert!(size.width >= 3.5 * rem - 0.1 && size.height >= 3.5 * rem - 0.1, "{what} is too small: {size:?}");
        let inside = at.x >= 0.0 && at.y >= 0.0 && at.x + size.width <= width && at.y + size.height <= height;
        assert!(inside || scrolled, "{what} is not on the screen: {at:?} {size:?}");
        if scrolled {
            continue;
        }
        for (other, its_at, its_size) in &places {
            let apart = at.x >= its_at.x + its_size.width
                || its_at.x >= at.x + size.width
                || at.y >= its_at.y + its_size.height
                || its_at.y >= at.y + size.height;
            assert!(apart, "{what} overlaps {other}");
        }
        // Names and keys are the same in both; the way to the other language is in that language.
        let same = ["Li", "Switch to English", "切换到中文", "中文", "English"].contains(&&*label)
            || label.starts_with(['王', '古'])
            || label.len() == 1;
        let han = label.chars().any(|c| c > '\u{2fff}');
        assert!(same || han == (page.language == Language::Zh), "{what} is in the wrong language");
        places.push((label, at, size));
    }
    assert!(!places.is_empty(), "the language can always be changed");
}

/// With `TONGGUAN_SCREENS`, each picture in a file of its own, and all of a size on a few sheets, small, Chinese beside English.
fn keep(pictures: &[(&str, Language, RgbImage)]) {
    const GAP: u32 = 8;
    let Some(folder) = std::env::var_os("TONGGUAN_SCREENS").map(PathBuf::from) else { return };
    std::fs::create_dir_all(&folder).expect("a folder for the pictures");
    let (width, height) = pictures[0].2.dimensions();
    for (name, language, picture) in pictures {
        let tag = if *language == Language::Zh { "zh" } else { "en" };
        picture::write(&folder.join(format!("{width}x{height}-{name}-{tag}.png")), picture).expect("a picture");
    }
    // A sheet is looked at whole, so it holds no more than can still be read.
    let (columns, rows, small) = if width > height { (4, 6, 400) } else { (6, 3, 264) };
    let high = small * height / width;
    for (some, number) in pictures.chunks(columns * rows).zip(1..) {
        let columns = u32::try_from(columns).expect("few");
        let lines = u32::try_from(some.len()).expect("few").div_ceil(columns);
        let size = (columns * (small + GAP) + GAP, lines * (high + GAP) + GAP);
        let mut sheet = RgbImage::from_pixel(size.0, size.1, image::Rgb([90, 90, 90]));
        for ((_, _, picture), index) in some.iter().zip(0..) {
            let (x, y) = (GAP + index % columns * (small + GAP), GAP + index / columns * (high + GAP));
            let picture = imageops::resize(picture, small, high, FilterType::Triangle);
            imageops::replace(&mut sheet, &picture, x.into(), y.into());
        }
        picture::write(&folder.join(format!("index-{width}x{height}-{number}.png")), &sheet).expect("a sheet");
    }
}
