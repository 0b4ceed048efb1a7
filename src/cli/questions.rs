//! Commands that ask and change nothing: decode, verify, events.

use std::io::{BufRead as _, Read as _};
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use tongguan::capture::Luma;
use tongguan::clock::{Clock, Reading, Stated};
use tongguan::config::Config;
use tongguan::decide::{Decision, Detail, Uses, Verdict, words};
use tongguan::decode::{Decoder, Settings};
use tongguan::lane::{ask, event_json};
use tongguan::lang::Language;
use tongguan::store::{DataDir, Journal, TrustStore};

use super::{Answer, Place, clock, print_json, print_line, show};

/// A line of standard input longer than this is cut: no code is as long, and memory is not endless.
const LONGEST_LINE: u64 = 64 * 1024;

#[derive(Debug, Args)]
pub(super) struct DecodeArgs {
    /// One JSON object a picture: {file, codes: [{text, corners}], ms} or {file, error}
    #[arg(long)]
    json: bool,
    /// The pictures (PNG, JPEG, WebP, BMP, GIF, PNM; at most 8192 pixels wide and high)
    #[arg(required = true, value_name = "PICTURE")]
    pictures: Vec<PathBuf>,
}

impl DecodeArgs {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        let mut unreadable = 0;
        let mut decoder = Decoder::new(Settings::thorough());
        for path in &self.pictures {
            decoder.forget();
            match Luma::read(path) {
                Ok(luma) => {
                    let start = Instant::now();
                    let codes = &decoder.look(&luma).codes;
                    let ms = start.elapsed().as_secs_f64() * 1000.0;
                    if self.json {
                        let codes: Vec<_> =
                            codes.iter().map(|c| json!({"text": c.text(), "corners": c.corners})).collect();
                        print_json(&json!({"file": show(path), "codes": codes, "ms": (ms * 1000.0).round() / 1000.0}))?;
                    } else if codes.is_empty() {
                        print_line(&format!("{}: no code found ({ms:.1} ms)", path.display()))?;
                    } else {
                        for code in codes {
                            print_line(&format!("{}: {} ({ms:.1} ms)", path.display(), printable(&code.text())))?;
                        }
                    }
                }
                Err(problem) => {
                    unreadable += 1;
                    if self.json {
                        print_json(&json!({"file": show(path), "codes": [], "error": problem}))?;
                    }
                    tracing::error!("{}: {problem}", path.display());
                }
            }
        }
        anyhow::ensure!(unreadable == 0, "{unreadable} of {} pictures could not be read", self.pictures.len());
        Ok(Answer::Yes)
    }
}

/// A code may hold anything, and a terminal obeys control characters.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    place: Place,
    /// One JSON object a code
    #[arg(long)]
    json: bool,
    /// Ask about another time, such as 2026-11-23T08:00:00+08:00, as if the code had not been used [default: now, by this
    /// machine's clock]
    #[arg(long, value_name = "RFC3339")]
    at: Option<Timestamp>,
    /// The language of the sentences [default: the configuration's]
    #[arg(long)]
    language: Option<Language>,
    /// The text of the code, or - for a code a line on standard input; white space around it does not count
    #[arg(value_name = "CODE")]
    code: String,
}

impl VerifyArgs {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        let (config, dir) = self.place.open()?;
        let trust = TrustStore::open_to_read(&dir)?.load()?;
        let clock: Box<dyn Clock> = match self.at {
            Some(at) => Box::new(Stated(at)),
            None => Box::new(clock(&config, &dir)),
        };
        if let Some(at) = trust.issued_at() {
            clock.raise_floor(at);
        }
        // A use of today does not say what the gate would have said yesterday.
        let uses = if self.at.is_some() { Uses::default() } else { uses(&dir, &clock.now()) };
        let mut all_pass = true;
        let mut one = |text: &str| -> anyhow::Result<()> {
            let now = clock.now();
            // Whoever copied the code copied a space or a line's end with it.
            let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
            let decision = ask(text, &trust, &uses, &now, &config);
            all_pass &= decision.verdict == Verdict::Pass;
            self.print(&decision, &now, &config)
        };
        if self.code == "-" {
            let mut any = false;
            for line in lines(std::io::stdin().lock()) {
                any = true;
                one(&line?)?;
            }
            anyhow::ensure!(any, "there was no code on standard input");
        } else {
            one(&self.code)?;
        }
        Ok(if all_pass { Answer::Yes } else { Answer::No })
    }

    fn print(&self, decision: &Decision, now: &Reading, config: &Config) -> anyhow::Result<()> {
        let said = words(decision);
        let language = self.language.unwrap_or(config.language);
        if !self.json {
            return print_line(&format!(
                "{}: {} ({}). {}.",
                decision.verdict.name(),
                said.title.in_language(language),
                decision.reason.code(),
                said.guard.in_language(language)
            ));
        }
        let opens = if let Detail::Opens { at, .. } = decision.detail { Timestamp::from_second(at).ok() } else { None };
        let (seconds, foreign) = match &decision.detail {
            Detail::Seconds(s) => (Some(*s), None),
            Detail::Foreign(what) => (None, Some(what.code())),
            _ => (None, None),
        };
        print_json(&json!({
            "verdict": decision.verdict.name(),
            "reason": decision.reason.code(),
            "kind": decision.kind.map(|k| k.name()),
            "handle": decision.facts.map(|f| f.handle),
            "category": decision.facts.map(|f| f.category),
            "community": decision.facts.map(|f| f.community),
            "entries": decision.facts.map(|f| f.entries),
            "seconds": seconds,
            "looks_like": foreign,
            "opens": opens,
            "guard": {"zh": said.guard.zh, "en": said.guard.en},
            "resident": {"zh": said.resident.zh, "en": said.resident.en},
            "clock": {
                "source": now.source.name(),
                "earliest": format!("{:.3}", now.earliest),
                "latest": now.latest.map(|t| format!("{t:.3}")),
            },
        }))
    }
}

/// The codes this gate let in. Without its journal a code is judged as if it were shown for the first time.
fn uses(dir: &DataDir, now: &Reading) -> Uses {
    let read = Journal::open_to_read(dir).and_then(|journal| journal.uses(now.interval().earliest));
    read.unwrap_or_else(|error| {
        tracing::warn!("whether a code was used already is not known: {error}");
        Uses::default()
    })
}

/// The lines of a reader, each cut to what a code could be at most; bytes that are not UTF-8 are replaced.
fn lines(mut input: impl std::io::BufRead) -> impl Iterator<Item = std::io::Result<String>> {
    std::iter::from_fn(move || {
        let mut line = Vec::new();
        match input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Err(e) => return Some(Err(e)),
            Ok(0) => return None,
            Ok(_) => {}
        }
        if line.pop_if(|b| *b == b'\n').is_some() {
            line.pop_if(|b| *b == b'\r');
        } else if let Err(e) = input.skip_until(b'\n') {
            return Some(Err(e));
        }
        Some(Ok(String::from_utf8_lossy(&line).into_owned()))
    })
}

#[derive(Debug, Args)]
pub(super) struct EventsArgs {
    #[command(flatten)]
    place: Place,
    /// One JSON object an event
    #[arg(long)]
    json: bool,
    /// Only events after this number
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    since: u64,
}

impl EventsArgs {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        let (_, dir) = self.place.open()?;
        let journal = Journal::open_to_read(&dir)?;
        let mut since = self.since;
        loop {
            let entries = journal.after(since, 500)?;
            let Some(last) = entries.last() else { return Ok(Answer::Yes) };
            since = last.seq;
            for entry in &entries {
                let mut event = event_json(entry);
                if self.json {
                    event["handed_in"] = entry.handed_in.into();
                    print_json(&event)?;
                } else {
                    print_line(&in_words(&event))?;
                }
            }
        }
    }
}

fn in_words(event: &serde_json::Value) -> String {
    let text = |key: &str| match &event[key] {
        serde_json::Value::String(s) => s.clone(),
        serde_json::Value::Null => "-".to_owned(),
        other => other.to_string(),
    };
    if event["answer"].is_string() {
        let (seq, at, answer) = (text("seq"), text("at"), text("answer"));
        return format!("{seq:>6}  {at}  guard {}  {answer}  {}  gate {}", text("guard"), text("reason"), text("gate"));
    }
    if event["about"].is_string() {
        return format!("{:>6}  {}  {} of {} went through", text("seq"), text("at"), text("passed"), text("of"));
    }
    if event["type"] == 3 {
        return format!("{:>6}  a note, sealed to the registry", text("seq"));
    }
    format!(
        "{:>6}  {}  lane {}  {:7}  {:17}  {:7}  gate {}",
        text("seq"),
        text("at"),
        text("lane"),
        text("verdict"),
        text("reason"),
        text("kind"),
        text("gate")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_any_length_and_content_are_read_one_by_one() {
        let mut input = b"one\r\ntwo\n\n".to_vec();
        input.extend(vec![b'x'; 1_000_000]);
        input.extend(b"\n\xff\xfe\nlast");
        let lines: Vec<String> = lines(input.as_slice()).map_while(Result::ok).collect();
        assert_eq!(lines.len(), 6);
        assert_eq!((lines[0].as_str(), lines[1].as_str(), lines[2].as_str()), ("one", "two", ""));
        assert_eq!(lines[3].len() as u64, LONGEST_LINE);
        assert_eq!((lines[4].as_str(), lines[5].as_str()), ("\u{fffd}\u{fffd}", "last"));
    }
}
