//! A buzzer and two lamps that say the verdict to whoever does not look at the screen.
//!
//! A thread of its own plays them: the newest thing to say takes the place of whatever is being said, and nobody waits for
//! it. Whatever happens, it ends with all of them off.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{GateError, Relay, output};
use crate::config::{GateConfig, SignalsConfig};
use crate::decide::Verdict;
use crate::lang::Text;

/// Long enough to be heard in the street, short enough that three are told from two.
const BEEP: Duration = Duration::from_millis(90);
const BETWEEN_BEEPS: Duration = Duration::from_millis(110);
/// Half a blink of both lamps.
const BLINK: Duration = Duration::from_millis(250);
/// How long an alarm lasts.
const ALARM: Duration = Duration::from_secs(4);
/// How long an output is on that a technician tries.
const TRIAL: Duration = Duration::from_secs(1);

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// The buzzer.
    Buzzer,
    /// The lamp for a pass.
    PassLamp,
    /// The lamp for a deny.
    DenyLamp,
}

impl Output {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Buzzer, Self::PassLamp, Self::DenyLamp];

    fn name(self) -> &'static str {
        match self {
            Self::Buzzer => "buzzer",
            Self::PassLamp => "pass lamp",
            Self::DenyLamp => "deny lamp",
        }
    }

    fn line(self, config: &SignalsConfig) -> Option<u32> {
        match self {
            Self::Buzzer => config.buzzer_line,
            Self::PassLamp => config.pass_lamp_line,
            Self::DenyLamp => config.deny_lamp_line,
        }
    }
}

/// What is to be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Say {
    Verdict(Verdict),
    /// Something happened at the gate that somebody should look at.
    Alarm,
    Try(Output),
}

impl Say {
    /// Whether an output is on so long after the beginning.
    fn is_on(self, which: Output, after: Duration) -> bool {
        let blinks = (after.as_millis() / BLINK.as_millis()).is_multiple_of(2);
        match (self, which) {
            (Self::Try(tried), _) => tried == which,
            (Self::Verdict(verdict), Output::Buzzer) => {
                let one = BEEP + BETWEEN_BEEPS;
                let beeps = match verdict {
                    Verdict::Pass => 1,
                    Verdict::Confirm => 2,
                    Verdict::Deny => 3,
                };
                (0..beeps).any(|n| (one * n..one * n + BEEP).contains(&after))
            }
            (Self::Alarm, Output::Buzzer | Output::DenyLamp) => blinks,
            (Self::Alarm, Output::PassLamp) => false,
            (Self::Verdict(Verdict::Confirm), _) => blinks,
            (Self::Verdict(Verdict::Pass), which) => which == Output::PassLamp,
            (Self::Verdict(Verdict::Deny), which) => which == Output::DenyLamp,
        }
    }

    /// When something changes next, so long after the beginning.
    fn next_change(self, after: Duration) -> Duration {
        let blink = BLINK * (u32::try_from(after.as_millis() / BLINK.as_millis()).unwrap_or(0) + 1);
        let one = BEEP + BETWEEN_BEEPS;
        let beeps = (0..3).flat_map(|n| [one * n, one * n + BEEP]);
        beeps.filter(|at| *at > after).chain([blink]).min().unwrap_or(blink)
    }
}

#[derive(Default)]
struct State {
    next: Option<Say>,
    stopping: bool,
    fault: Option<Text>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sets those of the configuration to the level at which they are off.
pub(super) fn release(gate: &GateConfig, config: &SignalsConfig) -> Result<(), GateError> {
    let lines = Output::ALL.into_iter().filter_map(|which| Some((which, which.line(config)?)));
    lines.map(|(which, line)| output(gate, line, config.active, which.name()).map(drop)).fold(Ok(()), Result::and)
}

/// The buzzer and the lamps of a gate, as far as it has any. Dropping them turns them off.
pub struct Signals {
    shared: Arc<Shared>,
    there: Vec<Output>,
    /// What could not be opened.
    missing: Option<Text>,
    on: bool,
    thread: Option<JoinHandle<()>>,
}

impl Signals {
    /// Those of the configuration. A gate works without them, so what does not work is only said: [`Signals::fault`].
    pub fn open(gate: &GateConfig, config: &SignalsConfig, verdict_for: Duration) -> Self {
        let mut fault = None;
        let mut outputs = Vec::new();
        for which in Output::ALL {
            let Some(line) = which.line(config) else { continue };
            match output(gate, line, config.active, which.name()) {
                Ok(relay) => outputs.push((which, relay)),
                Err(error) => {
                    tracing::error!("{}: {error}", which.name());
                    fault = Some(words(&error));
                }
            }
        }
        let mut signals = Self::new(outputs, config.on, verdict_for);
        signals.missing = fault;
        signals
    }

    /// These outputs, which say a verdict for so long.
    pub fn new(outputs: Vec<(Output, Box<dyn Relay>)>, on: bool, verdict_for: Duration) -> Self {
        let there: Vec<Output> = outputs.iter().map(|(which, _)| *which).collect();
        let shared = Arc::new(Shared::default());
        let thread = (!outputs.is_empty()).then(|| {
            let shared = Arc::clone(&shared);
            let play = move || play(&shared, Outputs::new(outputs), verdict_for);
            std::thread::Builder::new().name("signals-out".into()).spawn(play)
        });
        if let Some(Err(error)) = &thread {
            tracing::error!("buzzer and lamps stay off: {error}");
            shared.lock().fault = Some(Text::new("蜂鸣器和指示灯未启动", "they could not be started"));
        }
        Self { shared, there, missing: None, on, thread: thread.and_then(Result::ok) }
    }

    /// Says a verdict, in place of whatever is being said. Returns at once.
    pub fn say(&self, verdict: Verdict) {
        if self.on {
            self.put(Say::Verdict(verdict));
        }
    }

    /// Asks somebody to look at the gate: buzzer and deny lamp go on and off together for some seconds. Returns at once.
    pub fn alarm(&self) {
        if self.on {
            self.put(Say::Alarm);
        }
    }

    /// Turns one of them on for a second, also if they say no verdicts. Whether there is such a one.
    pub fn try_out(&self, which: Output) -> bool {
        self.put(Say::Try(which));
        self.has(which)
    }

    /// Whether there is such a one.
    pub fn has(&self, which: Output) -> bool {
        self.there.contains(&which)
    }

    /// What does not work.
    pub fn fault(&self) -> Option<Text> {
        self.shared.lock().fault.clone().or_else(|| self.missing.clone())
    }

    fn put(&self, say: Say) {
        self.shared.lock().next = Some(say);
        self.shared.changed.notify_all();
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.shared.lock().stopping = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// The outputs with what they were last told. However their thread ends, they are off.
struct Outputs(Vec<(Output, Box<dyn Relay>, Option<bool>)>);

impl Outputs {
    fn new(outputs: Vec<(Output, Box<dyn Relay>)>) -> Self {
        Self(outputs.into_iter().map(|(which, relay)| (which, relay, None)).collect())
    }

    /// Sets what changes; the first refusal, if there is one.
    fn set(&mut self, on: impl Fn(Output) -> bool) -> Result<(), GateError> {
        let mut refused = Ok(());
        for (which, relay, is) in &mut self.0 {
            let wanted = on(*which);
            if *is == Some(wanted) {
                continue;
            }
            match relay.set(wanted) {
                Ok(()) => *is = Some(wanted),
                Err(error) => {
                    *is = None;
                    refused = refused.and(Err(error));
                }
            }
        }
        refused
    }
}

impl Drop for Outputs {
    fn drop(&mut self) {
        self.set(|_| false).ok();
    }
}

fn play(shared: &Shared, mut outputs: Outputs, verdict_for: Duration) {
    // What is being said, and how far it is by its own time: on a busy computer a beep gets longer, and is never lost in
    // the next one.
    let mut said: Option<(Say, Duration)> = None;
    loop {
        let refused = outputs.set(|which| said.is_some_and(|(say, at)| say.is_on(which, at)));
        let mut state = shared.lock();
        match refused {
            Ok(()) => state.fault = None,
            Err(error) if state.fault.is_none() => {
                tracing::error!("buzzer or lamps: {error}");
                state.fault = Some(words(&error));
            }
            Err(_) => {}
        }
        let idle = |state: &mut State| state.next.is_none() && !state.stopping;
        state = match said {
            None => shared.changed.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner),
            Some((say, at)) => {
                let end = lasts(say, verdict_for);
                let next = say.next_change(at).min(end);
                said = Some((say, next)).filter(|_| next < end);
                let pause = next.saturating_sub(at);
                shared.changed.wait_timeout_while(state, pause, idle).unwrap_or_else(PoisonError::into_inner).0
            }
        };
        if state.stopping {
            return;
        }
        if let Some(say) = state.next.take() {
            said = Some((say, Duration::ZERO));
        }
    }
}

fn lasts(say: Say, verdict_for: Duration) -> Duration {
    match say {
        Say::Verdict(_) => verdict_for,
        Say::Alarm => ALARM,
        Say::Try(_) => TRIAL,
    }
}

fn words(error: &GateError) -> Text {
    match error {
        GateError::Driver { driver, .. } => Text::new(
            format!("蜂鸣器或指示灯不听控制，请检查接线（{driver}）"),
            format!("a buzzer or lamp does not obey; check its wiring ({driver})"),
        ),
        GateError::TimerDied => error.words(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::gate::Simulated;

    const SHOWN: Duration = Duration::from_millis(1200);

    struct Post {
        signals: Option<Signals>,
        outputs: [Simulated; 3],
    }

    impl Post {
        fn new(on: bool) -> Self {
            let outputs = Output::ALL.map(|which| Simulated::called(which.name()));
            let driven = Output::ALL.into_iter().zip(outputs.clone());
            let driven = driven.map(|(which, relay)| (which, Box::new(relay) as Box<dyn Relay>)).collect();
            Self { signals: Some(Signals::new(driven, on, SHOWN)), outputs }
        }

        fn say(&self, verdict: Verdict) {
            self.signals.as_ref().unwrap().say(verdict);
        }

        /// How often buzzer, pass lamp and deny lamp went on, and whether all are off.
        fn counts(&self) -> ([usize; 3], bool) {
            let history = self.outputs.clone().map(|output| output.history());
            let off = history.iter().all(|h| h.last().is_none_or(|last| !last.energised));
            (history.map(|h| h.iter().filter(|s| s.energised).count()), off)
        }

        fn wait(&self, what: impl Fn(([usize; 3], bool)) -> bool) {
            let end = Instant::now() + Duration::from_secs(10);
            while !what(self.counts()) {
                assert!(Instant::now() < end, "{:?}", self.counts());
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    #[test]
    fn each_verdict_has_its_lamps_and_its_number_of_beeps_and_all_go_out_with_it() {
        for (verdict, beeps, pass, deny) in
            [(Verdict::Pass, 1, 1..2, 0..1), (Verdict::Confirm, 2, 2..4, 2..4), (Verdict::Deny, 3, 0..1, 1..2)]
        {
            let post = Post::new(true);
            let start = Instant::now();
            post.say(verdict);
            assert!(start.elapsed() < Duration::from_millis(50), "nobody waits for it");
            post.wait(|(on, _)| on[0] == beeps);
            std::thread::sleep(SHOWN);
            post.wait(|(_, off)| off);
            let ([beeped, passed, denied], _) = post.counts();
            assert_eq!(beeped, beeps, "{verdict:?}");
            assert!(pass.contains(&passed) && deny.contains(&denied), "{verdict:?}: {passed} {denied}");
            let lamp = &post.outputs[if verdict == Verdict::Deny { 2 } else { 1 }].history();
            let (first, last) = (lamp.iter().find(|s| s.energised).unwrap(), lamp.last().unwrap());
            assert!(last.at - first.at >= SHOWN - BLINK * 2, "{verdict:?}: {:?}", last.at - first.at);
        }
    }

    #[test]
    fn an_alarm_is_seen_and_heard_together_and_ends_by_itself() {
        let post = Post::new(true);
        post.signals.as_ref().unwrap().alarm();
        post.wait(|(on, _)| on[0] >= 3 && on[2] >= 3);
        post.wait(|(_, off)| off);
        assert_eq!(post.counts().0[1], 0, "nobody is let in by it");
    }

    #[test]
    fn the_newest_verdict_takes_the_place_of_the_one_before() {
        let post = Post::new(true);
        post.say(Verdict::Pass);
        post.wait(|(on, _)| on[1] == 1);
        post.say(Verdict::Deny);
        post.wait(|(on, _)| on[2] == 1);
        assert!(!post.outputs[1].history().last().unwrap().energised);
    }

    #[test]
    fn dropped_in_the_middle_of_a_verdict_all_are_off() {
        let mut post = Post::new(true);
        post.say(Verdict::Deny);
        post.wait(|(on, _)| on[2] == 1);
        drop(post.signals.take());
        assert!(post.counts().1);
    }

    #[test]
    fn where_they_say_nothing_a_technician_can_still_try_them() {
        let post = Post::new(false);
        post.say(Verdict::Deny);
        let signals = post.signals.as_ref().unwrap();
        assert!(signals.try_out(Output::PassLamp));
        post.wait(|(on, off)| on == [0, 1, 0] && off);
        assert!(!Signals::new(Vec::new(), true, SHOWN).try_out(Output::Buzzer));
    }

    /// A lamp whose wire is cut.
    struct Stuck;

    impl Relay for Stuck {
        fn set(&mut self, _: bool) -> Result<(), GateError> {
            Err(GateError::Driver { driver: "stuck", problem: "no such line".into() })
        }

        fn describe(&self) -> String {
            "stuck".into()
        }
    }

    #[test]
    fn one_that_does_not_obey_is_said_and_the_others_go_on() {
        let buzzer = Simulated::called("buzzer");
        let outputs: Vec<(Output, Box<dyn Relay>)> =
            vec![(Output::PassLamp, Box::new(Stuck)), (Output::Buzzer, Box::new(buzzer.clone()))];
        let signals = Signals::new(outputs, true, SHOWN);
        signals.say(Verdict::Pass);
        while !buzzer.history().iter().any(|s| s.energised) || signals.fault().is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(signals.fault().unwrap().en.contains("stuck"));
    }
}
