//! Whether every part of a running gate still turns, said to whoever started it (systemd's `Type=notify` and `WatchdogSec=`).
//!
//! Each part leaves the time of its last turn, one store and no more. A thread of its own looks at all of them and feeds the
//! watchdog; if one part stays away, nobody feeds it, and the gate is killed and started anew. What the gate knows to be wrong,
//! such as a camera that is unplugged, still turns.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use sd_notify::NotifyState;

/// A part that has something to do at least this often turns as if it had.
pub const TURN: Duration = Duration::from_secs(1);
/// How often the parts are looked at if nobody says how often to feed.
const LOOK: Duration = Duration::from_secs(5);

/// When one part turned last.
#[derive(Debug)]
pub struct Heart {
    name: &'static str,
    born: Instant,
    /// Milliseconds since then; [`RESTS`] while there is no telling when it will turn.
    beat: AtomicU64,
}

const RESTS: u64 = u64::MAX;

impl Heart {
    fn new(name: &'static str) -> Self {
        Self { name, born: Instant::now(), beat: AtomicU64::new(RESTS) }
    }

    /// The part has turned.
    pub fn beat(&self) {
        let since = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(RESTS);
        self.beat.store(since, Ordering::Relaxed);
    }

    /// The part has ended, or waits for somebody outside, who may take for ever.
    pub fn rest(&self) {
        self.beat.store(RESTS, Ordering::Relaxed);
    }

    fn silent(&self, now: Instant) -> Duration {
        match self.beat.load(Ordering::Relaxed) {
            RESTS => Duration::ZERO,
            beat => now.saturating_duration_since(self.born).saturating_sub(Duration::from_millis(beat)),
        }
    }
}

/// The parts without any of which there is no gate. Each rests until its first turn.
#[derive(Debug)]
pub struct Hearts {
    /// Opens the camera and takes its frames. Recorded frames come when they come.
    pub capture: Heart,
    /// Looks for codes.
    pub decode: Heart,
    /// Decides, obeys the guard, and journals.
    pub judge: Heart,
    /// Draws, and takes touches.
    pub screen: Heart,
}

impl Default for Hearts {
    fn default() -> Self {
        let [capture, decode, judge, screen] = ["capture", "decode", "judge", "screen"].map(Heart::new);
        Self { capture, decode, judge, screen }
    }
}

impl Hearts {
    /// The part that has not turned for the longest, and longer than `patience`.
    fn stopped(&self, patience: Duration, now: Instant) -> Option<(&'static str, Duration)> {
        let hearts = [&self.capture, &self.decode, &self.judge, &self.screen];
        let silent = hearts.map(|heart| (heart.name, heart.silent(now)));
        silent.into_iter().max_by_key(|(_, silent)| *silent).filter(|(_, silent)| *silent > patience)
    }
}

/// Feeds the service manager's watchdog while all is well. Dropped when the gate begins to end.
#[derive(Debug)]
pub struct Watchdog {
    _stop: Sender<()>,
}

impl Watchdog {
    /// Says that the gate runs. `ping` asks the screen for a turn. Without a service manager nothing is said to anybody.
    ///
    /// # Errors
    /// If there is no thread for it.
    pub fn start(lane: &str, hearts: Arc<Hearts>, ping: impl Fn() + Send + 'static) -> std::io::Result<Self> {
        let (stop, stopped) = channel();
        let fed_every = sd_notify::watchdog_enabled().filter(|every| !every.is_zero());
        // Half of it is each part's own, a quarter between two looks: a part that stops is known before its time is up.
        let (patience, look) = fed_every.map_or((Duration::MAX, LOOK), |every| (every / 2, every / 4));
        let well = format!("lane {lane}");
        hearts.screen.beat();
        say(&[NotifyState::Ready, NotifyState::Status(&well)]);
        let watch = move || {
            let mut complained = false;
            loop {
                ping();
                match stopped.recv_timeout(look) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
                }
                match hearts.stopped(patience, Instant::now()) {
                    None if complained => {
                        complained = false;
                        tracing::warn!("every part turns again");
                        say(&[NotifyState::Watchdog, NotifyState::Status(&well)]);
                    }
                    None => say(&[NotifyState::Watchdog]),
                    Some((part, silent)) => {
                        let problem = format!("{part} has not turned for {} s", silent.as_secs());
                        if !std::mem::replace(&mut complained, true) {
                            tracing::error!("{problem}: if it does not, the service manager starts the gate anew");
                        }
                        say(&[NotifyState::Status(&problem)]);
                    }
                }
            }
        };
        std::thread::Builder::new().name("watchdog".into()).spawn(watch)?;
        Ok(Self { _stop: stop })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        say(&[NotifyState::Stopping]);
    }
}

/// Tells the service manager why there is no gate.
pub fn cannot_start(why: &str) {
    say(&[NotifyState::Status(&why.replace('\n', " "))]);
}

/// A service manager that does not listen must not hold up a gate: the socket is one of datagrams, and an error is its own.
fn say(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!("the service manager was not told: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(15);

    fn after(seconds: u64) -> Instant {
        Instant::now() + Duration::from_secs(seconds)
    }

    fn turning() -> Hearts {
        let hearts = Hearts::default();
        [&hearts.capture, &hearts.decode, &hearts.judge, &hearts.screen].into_iter().for_each(Heart::beat);
        hearts
    }

    #[test]
    fn a_gate_whose_parts_all_turn_is_well() {
        assert_eq!(turning().stopped(PATIENCE, after(14)), None);
    }

    #[test]
    fn any_part_that_stops_is_named_though_all_others_turn() {
        for name in ["capture", "decode", "judge", "screen"] {
            let hearts = turning();
            for heart in [&hearts.capture, &hearts.decode, &hearts.judge, &hearts.screen] {
                // Their next turn is after this test's.
                if heart.name != name {
                    heart.beat.store(16_000, Ordering::Relaxed);
                }
            }
            let stopped = hearts.stopped(PATIENCE, after(16)).map(|(part, silent)| (part, silent.as_secs()));
            assert_eq!(stopped, Some((name, 16)));
        }
    }

    #[test]
    fn a_part_that_waits_for_somebody_outside_or_has_ended_is_waited_for() {
        let hearts = turning();
        hearts.capture.rest();
        for heart in [&hearts.decode, &hearts.judge, &hearts.screen] {
            heart.beat.store(100_000, Ordering::Relaxed);
        }
        assert_eq!(hearts.stopped(PATIENCE, after(100)), None);
        hearts.capture.beat();
        assert_eq!(hearts.stopped(PATIENCE, after(100)).map(|(part, _)| part), Some("capture"));
    }
}
