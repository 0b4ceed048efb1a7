//! How far lists, clock and keys can be relied on, and what else there is to know of a gate.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Kept, Machine};
use crate::clock::{ClockSource, Reading};
use crate::config::Config;
use crate::decide::{Ladder, Level};
use crate::lane::{place, standing, surge};
use crate::lang::{Language, Text};
use crate::roster::Rosters;
use crate::store::{DataDir, DeviceKey, StoreError, Trust, TrustStore};

/// One look at a gate.
#[derive(Debug)]
pub struct Findings {
    /// Lists, clock, keys and journal.
    pub rungs: Vec<Rung>,
    /// Which policy applies, and what people must know of it.
    pub rules: Vec<Text>,
    /// The journal and its disk.
    pub kept: Kept,
    /// The computer.
    pub machine: Machine,
    /// The device's public key, which is its name: 64 hex digits.
    pub device: String,
    /// Whether the registry has taken it in.
    pub enrolment: Enrolment,
    /// The communities in whose rosters people are looked up, each with its entries.
    pub rosters: Vec<(u32, usize)>,
    /// The version of the lists.
    pub lists: Option<u32>,
    clock: Text,
}

/// A rung as it is said.
#[derive(Debug, Clone)]
pub struct Rung {
    /// What, for programs.
    pub name: &'static str,
    /// How good it is.
    pub level: Level,
    /// The same in words.
    pub text: Text,
}

/// Whether a registry has enrolled this device, as far as the gate can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enrolment {
    /// A roster is sealed to it, which a registry does for devices that it has enrolled.
    Enrolled,
    /// There are rosters, and none is sealed to it.
    NotYet,
    /// There are no rosters here, so nothing tells.
    Unknown,
}

impl Enrolment {
    fn of(files: &[Vec<u8>], rosters: &Rosters) -> Self {
        match (files.is_empty(), rosters.is_empty()) {
            (true, _) => Self::Unknown,
            (false, true) => Self::NotYet,
            (false, false) => Self::Enrolled,
        }
    }

    /// The same in words.
    pub fn words(self) -> Text {
        match self {
            Self::Enrolled => Text::new("登记处已登记本机", "The registry has enrolled this gate"),
            Self::NotYet => Text::new(
                "登记处还没有登记本机，或名册尚未更新",
                "The registry has not enrolled this gate, or not sent its roster yet",
            ),
            Self::Unknown => Text::new(
                "本机没有名册，无法得知是否已登记",
                "No roster is here, so this gate cannot tell whether it is enrolled",
            ),
        }
    }

    /// The same for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enrolled => "enrolled",
            Self::NotYet => "not_yet",
            Self::Unknown => "unknown",
        }
    }
}

impl Findings {
    /// Looks at the gate of a data folder.
    ///
    /// # Errors
    /// [`StoreError`] if its lists or its key cannot be read.
    pub fn look(dir: &DataDir, config: &Config, now: &Reading) -> Result<Self, StoreError> {
        let store = TrustStore::open_to_read(dir)?;
        let (trust, device) = (store.load()?, DeviceKey::open(dir)?);
        Ok(Self::of(dir, config, now, &trust, &store, &device))
    }

    fn of(
        dir: &DataDir,
        config: &Config,
        now: &Reading,
        trust: &Trust,
        store: &TrustStore,
        device: &DeviceKey,
    ) -> Self {
        let kept = Kept::look(dir, config);
        let files = trust.head.as_ref().and_then(|head| store.rosters(head).ok()).unwrap_or_default();
        let rosters = Rosters::unlock(&files, device);
        let mut rungs = rungs(&standing(trust, now, config));
        rungs.push(Rung { name: "journal", level: kept.level(), text: kept.words() });
        Self {
            rungs,
            rules: rules(trust, now, config),
            kept,
            machine: Machine::look(),
            device: device.public().as_bytes().iter().map(|b| format!("{b:02x}")).collect(),
            enrolment: Enrolment::of(&files, &rosters),
            rosters: rosters.sizes().collect(),
            lists: trust.head.as_ref().map(|head| head.version),
            clock: summary(now),
        }
    }

    /// Everything with how good it is: the rungs, the time, the lists' version, the rules, the computer.
    pub fn lines(&self) -> Vec<(Level, Text)> {
        let fact = |text: Text| (Level::Green, text);
        let mut lines: Vec<(Level, Text)> = self.rungs.iter().map(|r| (r.level, r.text.clone())).collect();
        lines.push(fact(self.clock.clone()));
        lines.extend(self.lists.map(|v| fact(Text::new(format!("名单第{v}版"), format!("Lists: version {v}")))));
        lines.extend(self.rules.iter().cloned().map(fact));
        let roster = |(community, entries): &(u32, usize)| {
            Text::new(
                format!("小区{community}的名册：{entries}项"),
                format!("Roster of community {community}: entries {entries}"),
            )
        };
        lines.extend(self.rosters.iter().map(roster).map(fact));
        if self.rosters.is_empty() {
            lines.push(fact(Text::new("没有名册：无法查询证件", "No roster: nobody can be looked up")));
        }
        lines.extend(self.machine.lines());
        lines
    }

    /// The lines as `doctor` prints them.
    pub fn report(&self, language: Language) -> String {
        let line = |(level, text): (Level, Text)| {
            format!("[{}] {}\n", colour(level).in_language(language), text.in_language(language))
        };
        self.lines().into_iter().map(line).collect()
    }

    /// Figures for programs.
    pub fn as_json(&self) -> Value {
        let levels: serde_json::Map<_, _> =
            self.rungs.iter().map(|r| (r.name.into(), colour(r.level).en.into())).collect();
        json!({
            "ladder": levels,
            "lists": self.lists,
            "journal": self.kept.as_json(),
            "machine": self.machine.as_json(),
            "device": self.device,
            "enrolment": self.enrolment.name(),
            "rosters": self.rosters.iter().map(|(community, entries)| json!({"community": community, "entries": entries})).collect::<Vec<_>>(),
        })
    }
}

fn rungs(ladder: &Ladder) -> Vec<Rung> {
    let Ladder { lists, clock, keys } = *ladder;
    let in_order = || Text::new("密钥有效", "Keys in order");
    vec![
        Rung { name: "lists", level: lists.level(), text: lists.words() },
        Rung { name: "clock", level: clock.level(), text: clock.words() },
        Rung { name: "keys", level: keys.level(), text: keys.words().unwrap_or_else(in_order) },
    ]
}

/// Which policy applies, and what people must know of it.
fn rules(trust: &Trust, now: &Reading, config: &Config) -> Vec<Text> {
    let version = trust.head.as_ref().and_then(|head| head.policy()).map(|file| file.version);
    let Some(version) = version else {
        return vec![Text::new(
            "规则：登记处没有发布规则，放行本小区居民",
            "Policy: the registry has none; this gate's own residents are let in",
        )];
    };
    let mut lines = Vec::new();
    let place = place(config);
    let at = now.interval().earliest;
    let none = place.communities.is_empty().then_some(0);
    for community in place.communities.iter().copied().chain(none) {
        let edition = trust.policy.edition(&place, community, at);
        let from = Timestamp::from_second(edition.effective_from.into()).map(second).unwrap_or_default();
        let (zh, en) = match edition.effective_from {
            0 => (String::new(), String::new()),
            _ => (format!("，自 {from} 起"), format!(", in effect since {from}")),
        };
        let rules = edition.rules.len();
        lines.push(Text::new(
            format!("规则第{version}版：小区{community}有{rules}条{zh}"),
            format!(
                "Policy {version}: {rules} {} for community {community}{en}",
                if rules == 1 { "rule" } else { "rules" }
            ),
        ));
    }
    if none.is_some() {
        lines.push(Text::new(
            "本机未设小区（policy.communities）：所有人都算本小区居民",
            "This gate is told no community (policy.communities): everybody counts as its resident",
        ));
    }
    lines.extend(surge(trust, now));
    lines
}

/// The colour's name.
pub fn colour(level: Level) -> Text {
    match level {
        Level::Green => Text::new("绿", "green"),
        Level::Amber => Text::new("黄", "amber"),
        Level::Red => Text::new("红", "red"),
    }
}

/// What is known of the time.
pub fn summary(reading: &Reading) -> Text {
    let earliest = second(reading.earliest);
    let Some((latest, width)) = reading.latest.zip(reading.width()) else {
        return Text::new(
            format!("时间：只知道不早于 {earliest}。能判断“已过期”，不能判断“有效”。"),
            format!(
                "Time: all that is known is that it is not before {earliest}. \"Expired\" can be told, \"fresh\" cannot."
            ),
        );
    };
    let (latest, width) = (second(latest), Text::span(i64::try_from(width.as_secs()).unwrap_or(i64::MAX).max(1)));
    let (zh, en) = match reading.source {
        ClockSource::Synced => ("已校准", "synchronised"),
        ClockSource::Holdover => ("守时中（自上次校准起）", "kept since it was last known"),
        _ => ("未经校准，按配置采信", "not synchronised, believed as configured"),
    };
    Text::new(
        format!("时间：在 {earliest} 与 {latest} 之间（相差 {}），{zh}。", width.zh),
        format!("Time: between {earliest} and {latest} ({} apart), {en}.", width.en),
    )
}

/// To the second: fractions say nothing here.
pub fn second(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}
