//! What the checkpoint answered, for people: one line a case, in Chinese and English, against what it must answer.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Deserialize;
use tongguan_sim::Case;

use super::say;

/// What the demo reads of an event line; the rest is for machines.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Event {
    verdict: String,
    reason: String,
    gate: String,
    latency_us: Latency,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Latency {
    capture: u64,
    decode: u64,
    decide: u64,
    relay: u64,
}

/// The screen takes a moment to show what the event says.
const SCREEN_SETTLES: Duration = Duration::from_millis(700);

/// Keeps the tally of a walk.
pub(super) struct Tally {
    showing: Option<Shown>,
    wrong: Vec<String>,
    cases: usize,
    /// The checkpoint's picture of its screen and the folder for copies of it.
    pictures: Option<(PathBuf, PathBuf)>,
    copy: Option<(Instant, PathBuf)>,
}

struct Shown {
    case: Case,
    number: usize,
    answered: bool,
}

impl Tally {
    pub(super) fn new(pictures: Option<(PathBuf, PathBuf)>) -> Self {
        Self { showing: None, wrong: Vec::new(), cases: 0, pictures, copy: None }
    }

    /// The next visitor holds up a code.
    pub(super) fn shows(&mut self, case: Case) {
        self.close();
        self.cases += 1;
        self.showing = Some(Shown { case, number: self.cases, answered: false });
    }

    /// A line from the checkpoint.
    pub(super) fn answers(&mut self, line: &str) {
        let Ok(event) = serde_json::from_str::<Event>(line) else {
            self.wrong.push(format!("not an event: {line}"));
            return;
        };
        let Some(shown) = &mut self.showing else {
            say(&format!("  · {}", sentence(&event)));
            return;
        };
        let expected = shown.case.expected();
        let right = event.verdict == expected.verdict && event.reason == expected.reason;
        let [zh, en] = shown.case.name();
        let again = if shown.answered { " (再次 again)" } else { "" };
        say(&format!(
            "{} {}  {zh} · {en}{again}\n     {}",
            if right { "✓" } else { "✗" },
            shown.number,
            sentence(&event)
        ));
        if !right {
            let told = format!(
                "{}: must be {} / {}, was {} / {}",
                shown.case.id(),
                expected.verdict,
                expected.reason,
                event.verdict,
                event.reason
            );
            say(&format!("     ! {told}"));
            self.wrong.push(told);
        }
        if let (false, Some((_, folder))) = (shown.answered, &self.pictures) {
            self.copy = Some((
                Instant::now() + SCREEN_SETTLES,
                folder.join(format!("{}-{}.png", shown.number, shown.case.id())),
            ));
        }
        shown.answered = true;
    }

    /// Copies the screen when it is time.
    pub(super) fn tick(&mut self) {
        if let Some((_, to)) = self.copy.take_if(|(due, _)| *due <= Instant::now())
            && let Some((screen, _)) = &self.pictures
        {
            match copy(screen, &to) {
                Ok(()) => say(&format!("     屏幕 screen: {}", to.display())),
                Err(error) => say(&format!("     ! no picture of the screen: {error}")),
            }
        }
    }

    /// The walk is over: what was wrong in it.
    pub(super) fn close(&mut self) -> &[String] {
        if let Some(shown) = self.showing.take().filter(|s| !s.answered) {
            let expected = shown.case.expected();
            let told = format!(
                "{}: must be {} / {}, but the gate said nothing",
                shown.case.id(),
                expected.verdict,
                expected.reason
            );
            say(&format!("✗ {}  {} · {}\n     ! {told}", shown.number, shown.case.name()[0], shown.case.name()[1]));
            self.wrong.push(told);
        }
        &self.wrong
    }

    pub(super) fn cases(&self) -> usize {
        self.cases
    }
}

fn copy(screen: &Path, to: &Path) -> std::io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(screen, to).map(|_| ())
}

/// Verdict, reason, gate and time.
fn sentence(event: &Event) -> String {
    let l = event.latency_us;
    let ms = |us: u64| Duration::from_micros(us).as_secs_f64() * 1000.0;
    format!(
        "{} {} · {} {} · {} {} · {:.1} ms (decode {:.1}, decide {:.2}, relay {:.2})",
        chinese(&event.verdict),
        event.verdict,
        chinese(&event.reason),
        event.reason,
        chinese(&event.gate),
        match event.gate.as_str() {
            "opened" => "gate opened",
            "closed" => "gate stays closed",
            other => other,
        },
        ms(l.capture + l.decode + l.decide + l.relay),
        ms(l.decode),
        ms(l.decide),
        ms(l.relay),
    )
}

/// The short Chinese word for a code of the event; the screen has the sentences.
fn chinese(code: &str) -> &'static str {
    match code {
        "pass" => "通行",
        "confirm" => "请核验",
        "deny" => "禁止通行",
        "opened" => "已开闸",
        "closed" => "未开闸",
        "fault" => "闸机故障",
        "fresh" => "有效",
        "expired" => "已过期",
        "not_yet_valid" => "未生效",
        "phone_clock_wrong" => "手机时间不准",
        "revoked" => "已撤销",
        "forged" => "伪造",
        "unknown_key" => "未知密钥",
        "wrong_place" => "非本社区",
        "outside_hours" => "不在开放时间",
        "already_used" => "已使用",
        "specimen" => "样码",
        "not_our_code" => "不是本系统的码",
        "damaged" => "码已损坏",
        "unknown_kind" => "新类型的码",
        "list_stale" => "名单过旧",
        "clock_uncertain" => "时钟不可靠",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(verdict: &str, reason: &str) -> String {
        format!(
            r#"{{"id":"00","seq":1,"at":"2022-01-05T08:00:00Z","lane":"1","kind":17,"handle":1,"verdict":"{verdict}","reason":"{reason}",
            "gate":"closed","latency_us":{{"capture":1,"decode":2,"decide":3,"relay":4}},"clock":{{}}}}"#
        )
    }

    #[test]
    fn a_walk_is_right_only_if_every_case_got_its_answer() {
        let mut tally = Tally::new(None);
        tally.shows(Case::Fresh);
        tally.answers(&event("pass", "fresh"));
        tally.shows(Case::Expired);
        tally.answers(&event("deny", "expired"));
        assert_eq!(tally.close(), [] as [String; 0]);
        tally.shows(Case::Forged);
        tally.answers(&event("pass", "fresh"));
        tally.shows(Case::Revoked);
        assert_eq!(tally.close().len(), 2);
        assert_eq!(tally.cases(), 4);
    }
}
