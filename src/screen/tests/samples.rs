//! What lanes say.

use super::super::preview;
use super::*;
use crate::guards::Counts;

pub(super) fn pass() -> Shown {
    Shown {
        outcome: Outcome::Pass,
        title: Text::new("电子码有效", "Code is valid"),
        guard: Text::new("可以放行。", "Let them in."),
        resident: Text::new("请通行。", "Please go through."),
        what: Some(Text::new("在线码 · 本小区居民 · 类别 0", "Online code · own resident · category 0")),
        who: None,
        reason: "fresh".into(),
        gate_open: true,
        offer: Offer::Nothing,
        token: 0,
    }
}

pub(super) fn confirm() -> Shown {
    Shown {
        outcome: Outcome::Confirm,
        title: Text::new("纸质通行证", "Printed pass"),
        guard: Text::new("请核对本人后决定是否放行。", "Look at the person and at the pass, then decide."),
        resident: Text::new("请稍候，保安正在核对。", "Please wait, the guard is checking your pass."),
        what: Some(Text::new(
            "纸质码 · 外小区人员 · 类别 12 · 100人",
            "Paper pass · other community · category 12 · 100 people",
        )),
        who: Some(who()),
        reason: "printed".into(),
        gate_open: false,
        offer: Offer::Nothing,
        token: 0,
    }
}

pub(super) fn deny() -> Shown {
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
        what: Some(Text::new("离线码", "Offline code")),
        who: None,
        reason: "expired".into(),
        gate_open: false,
        offer: Offer::Nothing,
        token: 0,
    }
}

pub(super) fn long() -> Shown {
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
        what: Some(Text::new(
            "纸质码 · 外小区人员 · 类别 255 · 255人",
            "Paper pass · other community · category 255 · 255 people",
        )),
        who: Some(longest_who()),
        reason: "clock_uncertain".into(),
        gate_open: false,
        offer: Offer::Nothing,
        token: 0,
    }
}

/// A masked name and a building, which are the same in both languages.
pub(super) fn who() -> Text {
    Text::new("周* · 3号楼", "周* · 3号楼")
}

/// As long as a roster's texts are: 20 bytes and 25.
fn longest_who() -> Text {
    let text = "古***·阿***拉 · 第十二期南区3号";
    Text::new(text, text)
}

/// As long as a sentence of the product is.
pub(super) fn longest_said() -> Shown {
    Shown {
        guard: Text::new(
            "本机名单中没有此码的密钥：请同步后再扫；仍不识别则不放行",
            "Our lists do not hold its key: sync and scan again; if it stays unknown, do not let in",
        ),
        resident: Text::new(
            "您的手机时间快了14分钟，请校准后再出示",
            "Your phone is 14 minutes fast. Correct its clock and show the code again",
        ),
        ..long()
    }
}

pub(super) fn in_order() -> Vec<StatusLine> {
    vec![
        StatusLine { level: Level::Green, text: Text::new("名单 4 分钟前更新", "Lists 4 min old") },
        StatusLine { level: Level::Green, text: Text::new("时钟已同步", "Clock synced") },
        StatusLine { level: Level::Green, text: Text::new("闸机就绪", "Gate ready") },
    ]
}

pub(super) fn degraded() -> Vec<StatusLine> {
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
pub(super) fn crowded() -> Vec<StatusLine> {
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
pub(super) fn camera() -> preview::Frame {
    preview::shrink(640, 480, &scene()).expect("a picture")
}

/// The same, looked at closely.
pub(super) fn close() -> preview::Frame {
    preview::enlarge((640, 480), &scene()).expect("a picture")
}

fn scene() -> Vec<u8> {
    let (width, height) = (640_u32, 480_u32);
    (0..height)
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
        .collect()
}

/// Where the code is in [`camera`].
pub(super) const AIM: Aim = Aim { left: 0.39, top: 0.354, right: 0.61, bottom: 0.646 };

/// The question, the refusal a guard may set aside, and the question to nobody.
pub(super) fn asked(offer: Offer) -> Shown {
    let shown = if offer == Offer::Override { deny() } else { confirm() };
    Shown { offer, token: 7, ..shown }
}

pub(super) fn nobody_on_duty() -> Guards {
    Guards { names: vec!["王建国".into(), "Li".into(), "古丽努尔·阿卜杜拉".into()], ..Guards::default() }
}

pub(super) fn wang_on_duty() -> Guards {
    Guards { on_duty: Some(wang()), ..nobody_on_duty() }
}

pub(super) fn wang() -> OnDuty {
    OnDuty {
        number: 1,
        name: "王建国".into(),
        technician: false,
        since: Text::new("3小时", "3 hours"),
        counts: Counts { passed: 1284, denied: 37, let_in: 12, turned_away: 5, overridden: 2 },
    }
}

pub(super) fn li() -> OnDuty {
    OnDuty {
        number: 2,
        name: "Li".into(),
        technician: true,
        since: Text::new("1分钟", "1 minute"),
        counts: Counts::default(),
    }
}

/// As many as a lane remembers.
pub(super) fn past() -> Vec<Past> {
    let titles = [
        (Outcome::Pass, Text::new("有效", "Valid"), None),
        (Outcome::Deny, Text::new("手机时间不准", "Phone clock wrong"), None),
        (Outcome::Confirm, Text::new("请核对", "Please check"), Some(Text::new("值班人员放行", "Let in by the guard"))),
        (Outcome::Confirm, long().title, Some(Text::new("值班人员劝返", "Turned away by the guard"))),
        (Outcome::Deny, Text::new("已过期", "Expired"), None),
    ];
    (0..50)
        .map(|n| {
            let (outcome, title, ruling) = titles[n % titles.len()].clone();
            let who = [Some(who()), None, Some(who()), None, Some(longest_who())].get(n).cloned().flatten();
            Past { at: format!("09:{:02}", 59 - n), outcome, title, who, ruling }
        })
        .collect()
}

pub(super) fn fault() -> Fault {
    Fault {
        title: Text::new("摄像头故障", "The camera does not work"),
        guard: Text::new("请人工查验，并通知技术人员", "Check people yourself, and call the technician"),
        technician: Text::new(
            "/dev/video0：设备已拔出，请检查连线",
            "/dev/video0: the device is gone; check its cable, then look at the journal of tongguan.service",
        ),
    }
}

pub(super) fn hint() -> Text {
    Text::new("请再靠近一些", "Come a little closer")
}

pub(super) fn li_on_duty() -> Guards {
    Guards { on_duty: Some(li()), ..nobody_on_duty() }
}

/// A gate with everything but a buzzer.
pub(super) fn service() -> Service {
    let line = |level, zh: &str, en: &str| StatusLine { level, text: Text::new(zh, en) };
    Service {
        state: vec![
            line(
                Level::Amber,
                "同步：连不上登记处，名单和记录都留在本机，联网后会自动继续（已4小时）",
                "Sync: the registry cannot be reached; lists and events stay here until there is a network (for 4 hours)",
            ),
            line(Level::Amber, "处理器温度：81 °C", "Processor: 81 °C"),
            line(Level::Green, "程序 0.1.0，已运行3天", "Program 0.1.0, running for 3 days"),
            line(Level::Green, "名单 4 分钟前更新", "Lists 4 min old"),
            line(
                Level::Green,
                "时间：在 2026-03-01T01:02:03Z 与 2026-03-01T01:02:04Z 之间（相差 1秒），已校准。",
                "Time: between 2026-03-01T01:02:03Z and 2026-03-01T01:02:04Z (1 second apart), synchronised.",
            ),
            line(
                Level::Green,
                "记录：12840 条，3.1 MB，其中 17 条待上交，最早一条 2026-02-28 21:00 UTC；上交后保留 30 天；剩余空间 20481 MB",
                "Journal: 12840 events in 3.1 MB, 17 wait to be handed in since 2026-02-28 21:00 UTC; kept for 30 days after that; 20481 MB free",
            ),
            line(Level::Green, "内存：4100 MB，可用 3610 MB", "Memory: 3610 of 4100 MB available"),
        ],
        outputs: [false, true, true],
        passage: Some(Inputs { active: true, turns: 1284 }),
        device: "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29".into(),
        enrolment: Text::new(
            "登记处还没有登记本机，或名册尚未更新",
            "The registry has not enrolled this gate, or not sent its roster yet",
        ),
        said: None,
        answers: 0,
    }
}

/// A code that was read, or the finders of one that was not.
pub(super) fn inspection(read: bool) -> Inspection {
    let square = |x: f32, y: f32, side: f32| {
        [[x, y], [x + side, y + 4.0], [x + side - 4.0, y + side], [x - 4.0, y + side - 4.0]]
    };
    let codes = vec![Outline { corners: square(250.0, 170.0, 140.0), modules: 41 }];
    let finder = |x, y| Outline { corners: square(x, y, 24.0), modules: 7 };
    let finders = vec![finder(252.0, 172.0), finder(364.0, 174.0), finder(250.0, 284.0)];
    Inspection {
        size: (640, 480),
        codes: if read { codes } else { Vec::new() },
        finders: if read { Vec::new() } else { finders },
        focus: if read { 1012.4 } else { 208.0 },
        brightness: 118.0,
        frames_per_second: 14.9,
        decode: Duration::from_micros(6_200),
    }
}
