//! The service page as the lane knows it: what a technician asks for, and what comes of it. Whatever reads or writes the disk
//! does so in a thread of its own, and has a time in which to answer.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::spawn;
use crate::clock::Clock;
use crate::config::Config;
use crate::gate::{Gate, Output, Signals};
use crate::lang::{Language, Text};
use crate::screen::{Inputs, Level, Service, StatusLine};
use crate::service::{Bundle, Findings, History, SupportError};
use crate::store::{DataDir, StoreError};

/// An errand that takes longer than this has failed, as far as the technician is told.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often the state is looked at anew while the page is there.
const LOOK: Duration = Duration::from_secs(5);

/// What takes its time.
#[derive(Debug)]
enum Errand {
    Look,
    Pack(History),
    Speak(Language),
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Done {
    Looked(Box<Result<Findings, StoreError>>),
    Packed(Result<Text, Text>),
    Spoken(Result<Text, Text>),
}

pub(super) struct Workshop {
    errands: Sender<Errand>,
    done: Receiver<Done>,
    /// Whether somebody looks, for the camera's thread.
    watched: Arc<AtomicBool>,
    view: Service,
    /// When the state was asked for last, and since when it is waited for.
    looked: Option<Instant>,
    looking: Option<Instant>,
    /// Since when the bundle is waited for.
    packing: Option<Instant>,
    history: History,
    started: Instant,
}

impl Workshop {
    /// # Errors
    /// If no thread can be started.
    pub(super) fn start(config: Config, clock: Arc<dyn Clock>, watched: Arc<AtomicBool>) -> anyhow::Result<Self> {
        // One of each may wait.
        let (errands, asked) = bounded(2);
        let (answer, done) = bounded(2);
        spawn("workshop", move || work(&config, clock.as_ref(), &asked, &answer))?;
        Ok(Self::new(errands, done, watched))
    }

    fn new(errands: Sender<Errand>, done: Receiver<Done>, watched: Arc<AtomicBool>) -> Self {
        Self {
            errands,
            done,
            watched,
            view: Service::default(),
            looked: None,
            looking: None,
            packing: None,
            history: History::default(),
            started: Instant::now(),
        }
    }

    /// Where the answers to errands come.
    pub(super) fn done(&self) -> Receiver<Done> {
        self.done.clone()
    }

    /// The technician is at the page, or is no longer.
    pub(super) fn watch(&mut self, there: bool) {
        if self.watched.swap(there, Ordering::Relaxed) != there {
            self.looked = None;
        }
    }

    /// What is said to the technician.
    pub(super) fn say(&mut self, said: Text) {
        self.view.said = Some(said);
        self.view.answers = self.view.answers.wrapping_add(1);
    }

    /// Something new is said of the gate.
    pub(super) fn note(&mut self, at: &str, before: &[StatusLine], lines: &[StatusLine]) {
        for line in lines.iter().filter(|line| !before.contains(line)) {
            self.history.add(at, line.level, line.text.clone());
        }
    }

    /// Turns a lamp or the buzzer on for a moment.
    pub(super) fn try_out(&mut self, which: Output, signals: &Signals) {
        let text = |zh: &str, en: &str| Text::new(zh, en);
        self.say(match (signals.try_out(which), signals.fault()) {
            (false, _) => {
                text("本机没有接这一路，请查看配置 [signals]", "There is none: see [signals] of the configuration")
            }
            (true, Some(fault)) => fault,
            (true, None) if which == Output::Buzzer => {
                text("蜂鸣器响一秒：听到了吗？", "It sounds for a second: do you hear it?")
            }
            (true, None) => text("灯亮一秒：看到了吗？", "It is on for a second: do you see it?"),
        });
    }

    /// The screen starts in another language from now on.
    pub(super) fn speak(&mut self, language: Language) {
        if self.errands.try_send(Errand::Speak(language)).is_err() {
            self.say(busy());
        }
    }

    /// Makes the support bundle.
    pub(super) fn pack(&mut self, now: Instant) {
        if self.packing.is_some() {
            return;
        }
        let asked = self.errands.try_send(Errand::Pack(self.history.clone())).is_ok();
        self.packing = asked.then_some(now);
        self.say(if asked { Text::new("正在打包…", "Packing…") } else { busy() });
    }

    pub(super) fn learn(&mut self, done: Done) {
        match done {
            Done::Looked(found) => match (self.looking.take(), *found) {
                (_, Ok(found)) => {
                    self.view.device.clone_from(&found.device);
                    self.view.enrolment = found.enrolment.words();
                    self.view.state =
                        found.lines().into_iter().map(|(level, text)| StatusLine { level, text }).collect();
                }
                (_, Err(error)) => self.view.state = vec![StatusLine { level: Level::Red, text: error.words() }],
            },
            Done::Packed(packed) => {
                // Also if it came too late to be waited for.
                self.packing = None;
                self.say(packed.unwrap_or_else(|refused| refused));
            }
            Done::Spoken(spoken) => self.say(spoken.unwrap_or_else(|refused| refused)),
        }
    }

    /// Looks again, and gives up what does not answer.
    pub(super) fn tidy(&mut self, now: Instant) {
        let late = |since: &mut Instant| now.saturating_duration_since(*since) > PATIENCE;
        if self.packing.take_if(|since| late(since)).is_some() {
            self.say(no_answer());
        }
        if self.looking.as_mut().is_some_and(late) {
            self.view.state = vec![StatusLine { level: Level::Red, text: no_answer() }];
        }
        let due = self.looked.is_none_or(|at| now.saturating_duration_since(at) >= LOOK);
        if due && self.looking.is_none() && self.errands.try_send(Errand::Look).is_ok() {
            (self.looked, self.looking) = (Some(now), Some(now));
        }
    }

    /// The page.
    pub(super) fn view(&self, gate: &Gate, signals: &Signals, sync: &[StatusLine]) -> Service {
        let mut view = self.view.clone();
        view.outputs = Output::ALL.map(|which| signals.has(which));
        view.passage = gate.passage().map(|(active, turns)| Inputs { active, turns });
        let up = self.started.elapsed().as_secs().cast_signed();
        let program = Text::new("程序 {version}，已运行{time}", "Program {version}, running for {time}");
        let version = env!("CARGO_PKG_VERSION");
        let program = program.with("version", &Text::new(version, version)).with("time", &Text::span(up - up % 60));
        // What only the running gate knows comes before what is stored.
        let mut state: Vec<StatusLine> = sync.iter().filter(|line| !view.state.contains(line)).cloned().collect();
        state.push(StatusLine { level: Level::Green, text: program });
        state.append(&mut view.state);
        state.sort_by_key(|line| std::cmp::Reverse(line.level));
        Service { state, ..view }
    }
}

fn work(config: &Config, clock: &dyn Clock, asked: &Receiver<Errand>, answer: &Sender<Done>) {
    for errand in asked {
        let look = || {
            let dir = DataDir::open(&config.data_dir)?;
            let found = Findings::look(&dir, config, &clock.now())?;
            Ok((dir, found))
        };
        let done = match errand {
            Errand::Speak(language) => Done::Spoken(keep_language(&config.data_dir, language)),
            Errand::Look => Done::Looked(Box::new(look().map(|(_, found)| found))),
            Errand::Pack(history) => {
                Done::Packed(look().map_err(|e: StoreError| e.words()).and_then(|(dir, found)| {
                    let pack = || {
                        let bundle = Bundle::of(config, &found, &history, &clock.now())?;
                        let file = bundle.keep(config, &dir)?;
                        let (file, size) = (file.display(), bundle.bytes().div_ceil(1000));
                        Ok(Text::new(format!("已写入 {file}（{size} KB）"), format!("It is in {file} ({size} KB)")))
                    };
                    pack().map_err(|error: SupportError| {
                        tracing::warn!("{error}");
                        error.words()
                    })
                }))
            }
        };
        if answer.send(done).is_err() {
            return;
        }
    }
}

fn keep_language(data_dir: &Path, language: Language) -> Result<Text, Text> {
    let dir = DataDir::open(data_dir).map_err(|e| e.words())?;
    language.keep(&dir.language_file()).map_err(|_| Text::new("无法保存", "It cannot be kept"))?;
    Ok(match language {
        Language::Zh => Text::new("本机启动后显示中文", "This gate starts in Chinese"),
        Language::En => Text::new("本机启动后显示英文", "This gate starts in English"),
    })
}

fn busy() -> Text {
    Text::new("正忙，请稍候再试", "Busy: try again in a moment")
}

fn no_answer() -> Text {
    Text::new("15 秒内没有完成：存储太慢或已损坏", "No answer within 15 s: the storage is slow or damaged")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::{Relay, Simulated};

    /// A workshop whose storage never answers, and what waits for it.
    fn stalled() -> (Workshop, Receiver<Errand>, Sender<Done>) {
        let ((errands, asked), (answer, done)) = (bounded(2), bounded(2));
        (Workshop::new(errands, done, Arc::default()), asked, answer)
    }

    fn said(workshop: &Workshop) -> String {
        workshop.view.said.clone().unwrap_or_default().en
    }

    #[test]
    fn storage_that_does_not_answer_is_said_and_asked_once() {
        let (mut workshop, asked, _answer) = stalled();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        workshop.pack(start);
        workshop.pack(start);
        assert_eq!(said(&workshop), "Packing…");
        for second in 0..15 {
            workshop.tidy(at(second));
        }
        assert_eq!((said(&workshop), asked.len()), ("Packing…".into(), 2), "one bundle, one look");
        workshop.tidy(at(16));
        assert_eq!(said(&workshop), no_answer().en);
        assert_eq!(workshop.view.state, [StatusLine { level: Level::Red, text: no_answer() }]);
        workshop.pack(at(17));
        assert_eq!(said(&workshop), busy().en, "nothing more waits behind what does not end");
        workshop.learn(Done::Packed(Ok(Text::new("好", "It is there"))));
        assert_eq!(said(&workshop), "It is there", "late is better than never");
    }

    #[test]
    fn an_output_that_is_not_there_or_does_not_obey_is_said() {
        let (mut workshop, ..) = stalled();
        let buzzer: Box<dyn Relay> = Box::new(Simulated::called("buzzer"));
        let signals = Signals::new(vec![(Output::Buzzer, buzzer)], true, Duration::ZERO);
        workshop.try_out(Output::Buzzer, &signals);
        assert_eq!((said(&workshop), workshop.view.answers), ("It sounds for a second: do you hear it?".into(), 1));
        workshop.try_out(Output::DenyLamp, &signals);
        assert!(said(&workshop).contains("[signals]"), "{}", said(&workshop));
        workshop.try_out(Output::DenyLamp, &signals);
        assert_eq!(workshop.view.answers, 3, "the same sentence again is another answer");
    }
}
