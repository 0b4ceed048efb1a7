//! `tongguan doctor`: how this gate is, in words.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use tongguan::clock::{Believed, By, Clock as _, ClockSource, Reading, Witness, Witnesses};
use tongguan::config::Config;
use tongguan::decide::Level;
use tongguan::lang::{Language, Text};
use tongguan::service::{Check, Findings, checks, colour, second, summary};
use tongguan::store::{StoreError, Trust, TrustStore};

use super::{Answer, Place, clock, print_json, print_line};

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    place: Place,
    /// Only the clock
    #[arg(long)]
    clock: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
    /// The language [default: the configuration's]
    #[arg(long)]
    language: Option<Language>,
}

impl DoctorArgs {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        let (config, dir) = self.place.open()?;
        let clock = clock(&config, &dir);
        let trust = match TrustStore::open_to_read(&dir).and_then(|store| store.load()) {
            Ok(trust) => trust,
            Err(error) => return self.damaged(&config, &error),
        };
        if let Some(at) = trust.issued_at() {
            clock.raise_floor(at);
        }
        let known = clock.witnesses();
        // Only the clock was asked for, or everything that can be tried.
        let tried = if self.clock { Vec::new() } else { checks(&dir, &config, &trust) };
        let found = Findings::look(&dir, &config, &known.reading)?;
        let rungs = &found.rungs[if self.clock { 1..2 } else { 0..found.rungs.len() }];
        let (rules, machine) = if self.clock { Default::default() } else { (found.rules, found.machine.lines()) };
        if self.json {
            let levels: serde_json::Map<_, _> =
                rungs.iter().map(|r| (r.name.into(), colour(r.level).en.into())).collect();
            let policy = policy_json(&trust, &known.reading);
            let (clock, journal, machine) = (as_json(&known), found.kept.as_json(), found.machine.as_json());
            print_json(&json!({
                "ladder": levels,
                "policy": policy,
                "clock": clock,
                "journal": journal,
                "machine": machine,
                "checks": tried.iter().map(check_json).collect::<Vec<_>>(),
                "device": found.device,
                "enrolment": found.enrolment.name(),
            }))?;
        } else {
            let language = self.language.unwrap_or(config.language);
            let nothing = || None;
            let rungs = rungs.iter().map(|r| (r.level, r.text.clone(), what_to_do(r.name, r.level)));
            let lines = rungs.chain(machine.into_iter().map(|(level, text)| (level, text, nothing())));
            for (level, text, advice) in lines.chain(tried.iter().map(|c| (c.level, c.text.clone(), c.advice.clone())))
            {
                let level = format!("[{}]", colour(level).in_language(language));
                print_line(&format!("{level:7} {}", text.in_language(language)))?;
                if let Some(advice) = advice {
                    print_line(&format!("{:7} -> {}", "", advice.in_language(language)))?;
                }
            }
            for line in rules.into_iter().chain(in_words(&known)) {
                print_line(line.in_language(language))?;
            }
        }
        let worst = rungs.iter().map(|r| r.level).chain(tried.iter().map(|check| check.level)).max();
        Ok(if worst == Some(Level::Red) { Answer::No } else { Answer::Yes })
    }
}

impl DoctorArgs {
    /// Without lists there is nothing to hold anything against; nothing is changed here.
    fn damaged(&self, config: &Config, error: &StoreError) -> anyhow::Result<Answer> {
        let text = Text::new(format!("存储：{}（{error}）", error.words().zh), format!("Storage: {error}"));
        let advice = Text::new(
            "请重启检查点：它会把损坏的文件放到一边并重新同步；再次出现请更换存储卡",
            "Restart the checkpoint: it sets a damaged file aside and syncs anew; if it comes again, replace the card",
        );
        let check = Check { name: "stores", level: Level::Red, text, advice: Some(advice) };
        if self.json {
            print_json(&json!({ "checks": [check_json(&check)] }))?;
        } else {
            let language = self.language.unwrap_or(config.language);
            print_line(&format!(
                "[{}] {}",
                colour(Level::Red).in_language(language),
                check.text.in_language(language)
            ))?;
            if let Some(advice) = check.advice {
                print_line(&format!("{:7} -> {}", "", advice.in_language(language)))?;
            }
        }
        Ok(Answer::No)
    }
}

/// What to do about a rung that is not green.
fn what_to_do(rung: &str, level: Level) -> Option<Text> {
    let advice = match rung {
        "lists" | "keys" => Text::new(
            "请联网同步（tongguan sync），或插入同步盘",
            "Sync over the network (tongguan sync), or bring the lists on a stick",
        ),
        "journal" => Text::new(
            "请腾出空间；若空间充足，请重启检查点或更换存储卡",
            "Free some space; if there is enough, restart the checkpoint or replace the card",
        ),
        // What is said of the time below says it.
        _ => return None,
    };
    (level != Level::Green).then_some(advice)
}

fn check_json(check: &Check) -> serde_json::Value {
    json!({
        "name": check.name,
        "level": colour(check.level).en,
        "text": check.text.en,
        "advice": check.advice.as_ref().map(|advice| &advice.en),
    })
}

fn policy_json(trust: &Trust, now: &Reading) -> serde_json::Value {
    let version = trust.head.as_ref().and_then(|head| head.policy()).map(|file| file.version);
    let time = |at: u32| Timestamp::from_second(at.into()).ok();
    let surge = trust.policy.surge(now.interval());
    let surge = surge.map(|s| json!({ "from": time(s.from), "until": time(s.until), "minutes": s.minutes }));
    json!({ "version": version, "surge": surge })
}

fn as_json(known: &Witnesses) -> serde_json::Value {
    let witnesses = known.all.iter().map(|w| {
        json!({
            "by": code(w.by),
            "earliest": w.span.earliest,
            "latest": w.span.latest,
            "age_s": w.age.as_secs(),
            "believed": w.believed == Believed::Yes,
            "verdict": verdict(w.believed),
        })
    });
    let witnesses: Vec<_> = witnesses.collect();
    json!({
        "source": known.reading.source.name(),
        "earliest": known.reading.earliest,
        "latest": known.reading.latest,
        "shows": known.reading.shows,
        "floor": known.floor,
        "kernel_contradicted_itself": known.kernel_contradicted_itself,
        "witnesses": witnesses,
    })
}

/// A stable code for programs.
fn code(by: By) -> &'static str {
    match by {
        By::Signed => "registry",
        By::Kernel => "ntp",
        By::Rtc => "rtc",
        By::System => "system",
    }
}

fn verdict(believed: Believed) -> &'static str {
    match believed {
        Believed::Yes => "counts",
        Believed::NotNeeded => "not_needed",
        Believed::Contradicts => "contradicts",
        Believed::BeforeFloor => "before_floor",
    }
}

fn in_words(known: &Witnesses) -> Vec<Text> {
    let mut lines = vec![summary(&known.reading)];
    lines.extend(known.all.iter().map(witness));
    let floor = second(known.floor);
    lines.push(Text::new(
        format!("下限：{floor} 已经过去（由登记处签发或本机记录）。"),
        format!("Floor: {floor} has certainly passed (signed by the registry, or noted here)."),
    ));
    if known.kernel_contradicted_itself {
        lines.push(Text::new(
            "网络时间自相矛盾：在登记处签名确认之前不采用。请检查网络时间服务器。",
            "Network time has contradicted itself: it is not believed until the registry has signed a time. Check the time servers.",
        ));
    }
    lines.push(advice(known));
    lines
}

fn witness(w: &Witness) -> Text {
    let (by, why) = (name(w.by), why(w.believed));
    let (earliest, latest) = (second(w.span.earliest), second(w.span.latest));
    let ago = if w.age < Duration::from_secs(1) {
        Text::new("现在", "now")
    } else {
        Text::new("{age}前得知", "heard {age} ago")
            .with("age", &Text::span(i64::try_from(w.age.as_secs()).unwrap_or(i64::MAX)))
    };
    Text::new(
        format!("  {}（{}）：{earliest} 至 {latest}：{}", by.zh, ago.zh, why.zh),
        format!("  {} ({}): {earliest} to {latest}: {}", by.en, ago.en, why.en),
    )
}

fn advice(known: &Witnesses) -> Text {
    if known.reading.latest.is_none() && known.all.iter().any(|w| w.believed == Believed::BeforeFloor) {
        return Text::new(
            "登记处签发的时间晚于本机所有时钟：请检查登记处的时间，然后联网同步（tongguan sync），以其应答为准。",
            "The registry has signed a later time than every clock here shows: check the registry's clock, then sync with it over the network (tongguan sync); its answer settles it.",
        );
    }
    match known.reading.source {
        ClockSource::Synced => Text::new("无需处理。", "Nothing needs to be done."),
        ClockSource::Holdover => Text::new(
            "离线时误差每天增加数秒；连上登记处或网络时间后会恢复。",
            "Without a network the error grows by some seconds a day; a sync or network time takes it away.",
        ),
        _ => Text::new(
            "请连接登记处（tongguan sync）或网络时间服务器（chrony、systemd-timesyncd）。",
            "Connect it to the registry (tongguan sync) or to network time (chrony, systemd-timesyncd).",
        ),
    }
}

fn name(by: By) -> Text {
    match by {
        By::Signed => Text::new("登记处签名时间", "registry's signed time"),
        By::Kernel => Text::new("系统网络时间", "network time (kernel)"),
        By::Rtc => Text::new("电池时钟", "battery clock"),
        By::System => Text::new("系统时钟", "system clock"),
    }
}

fn why(believed: Believed) -> Text {
    match believed {
        Believed::Yes => Text::new("采用", "counts"),
        Believed::NotNeeded => Text::new("未用（有更好的）", "not needed, there is a better one"),
        Believed::Contradicts => Text::new("不采用（与更可靠的相矛盾）", "not believed, it contradicts a better one"),
        Believed::BeforeFloor => Text::new("不采用（早于下限）", "not believed, that time has passed already"),
    }
}
