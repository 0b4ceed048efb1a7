//! When to sync: at start, then at intervals with jitter, backing off while it fails. Runs in a thread of its own.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{Housekeeping, Report, SyncError, Transport, sync};
use crate::clock::Clock;
use crate::decide::Level;
use crate::lang::Text;
use crate::store::{DeviceKey, Journal, Trust, TrustStore};

/// How often another program's sync is looked for.
const LOOK: Duration = Duration::from_secs(1);
/// The longest pause while syncs fail.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// The intervals.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    /// Between two good syncs.
    pub every: Duration,
}

impl Schedule {
    /// The pause after `failures` failed syncs in a row. `dice` in 0..=255 spreads gates that failed together.
    fn pause(self, failures: u32, dice: u8) -> Duration {
        let base = self.every;
        let doubled = match failures {
            0 => base,
            n => Duration::from_secs(5).saturating_mul(1 << n.min(10)).min(LONGEST_PAUSE.max(base)),
        };
        // 0.75 to 1.25 of it.
        doubled.mul_f64(0.75 + f64::from(dice) / 510.0)
    }
}

/// What the screen and the log are told of syncing.
#[derive(Debug, Clone, Default)]
pub struct SyncState {
    /// The last good sync since the start.
    pub last_good: Option<Timestamp>,
    /// What went wrong last, in words; `None` while all is well.
    pub problem: Option<Text>,
    /// Since when nothing could be fetched; `None` while it can. By a clock that only runs forward.
    pub failing_since: Option<Instant>,
    /// What the guard should know of a stick that is plugged in.
    pub stick: Option<(Level, Text)>,
    /// What the guard should know of the disk.
    pub storage: Option<(Level, Text)>,
}

impl SyncState {
    /// What the guard is told, if all is not well: what went wrong, and for how long it has been so.
    pub fn words(&self) -> Option<Text> {
        let problem = self.problem.as_ref()?;
        let failing = self.failing_since.map(|since| since.elapsed().as_secs().cast_signed());
        // In minutes: a line that changes each second draws the eye for nothing.
        Some(match failing.filter(|seconds| *seconds >= 60) {
            None => problem.clone(),
            Some(seconds) => {
                let said = Text::new("{problem}（已{time}）", "{problem} (for {time})");
                said.with("problem", problem).with("time", &Text::span(seconds - seconds % 60))
            }
        })
    }
}

/// The sync thread's belongings.
pub struct Syncer {
    /// Where the registry is; `None` if this checkpoint is only fed by hand.
    pub transport: Option<Box<dyn Transport + Send>>,
    /// The lists.
    pub store: TrustStore,
    /// The events.
    pub journal: Arc<Journal>,
    /// The device's key.
    pub device: DeviceKey,
    /// The clock whose floor the lists raise.
    pub clock: Arc<dyn Clock>,
    /// What everybody else reads.
    pub trust: Arc<RwLock<Arc<Trust>>>,
    /// What the screen reads.
    pub state: Arc<Mutex<SyncState>>,
    /// When.
    pub schedule: Schedule,
    /// Looks after the journal.
    pub housekeeping: Housekeeping,
}

impl Syncer {
    /// Syncs until the other end of `stop` is dropped.
    pub fn run(mut self, stop: &Receiver<()>) {
        let mut failures = 0;
        let mut next = Instant::now();
        loop {
            if self.transport.is_some() && Instant::now() >= next {
                match self.once() {
                    Ok(()) => failures = 0,
                    Err(problem) => {
                        failures += 1;
                        tracing::warn!("sync failed: {problem}");
                        self.set(|state| {
                            state.problem = Some(problem.words());
                            state.failing_since.get_or_insert_with(Instant::now);
                        });
                    }
                }
                let mut dice = [128];
                // Without randomness the pause is merely not spread.
                getrandom::fill(&mut dice).ok();
                next = Instant::now() + self.schedule.pause(failures, dice[0]);
            }
            // Whoever brought new lists, this thread or `tongguan sync`: what is stored is what counts.
            self.follow_store();
            self.clock.keep();
            let storage = self.housekeeping.step(self.clock.as_ref());
            self.set(|state| state.storage = storage);
            match stop.recv_timeout(LOOK) {
                Err(RecvTimeoutError::Timeout) => {}
                _ => return,
            }
        }
    }

    fn once(&mut self) -> Result<(), SyncError> {
        let Some(transport) = &self.transport else { return Ok(()) };
        let report: Report =
            sync(transport.as_ref(), &mut self.store, &self.journal, &self.device, self.clock.as_ref())?;
        if report.changed {
            tracing::info!(version = report.version, revoked = report.revoked, "new lists");
        }
        // Events that cannot be handed in wait; that is no reason to fetch the lists less often.
        let at = self.clock.now().best_guess();
        match (&report.upload_error, &report.roster_error) {
            (None, None) => self.set(|state| state.problem = None),
            (Some(error), _) => self.tell("events could not be handed in and are kept", error),
            (None, Some(error)) => {
                self.tell("a roster could not be fetched, and nobody of that community is looked up", error)
            }
        }
        self.set(|state| {
            state.last_good = Some(at);
            state.failing_since = None;
        });
        Ok(())
    }

    fn follow_store(&self) {
        let known = Arc::clone(&self.trust.read().unwrap_or_else(PoisonError::into_inner));
        let newer = match self.store.head_file() {
            Ok(head) if head == known.head_file => return,
            Ok(_) => self.store.load(),
            Err(e) => Err(e),
        };
        match newer {
            Ok(trust) => {
                // SY 8.6
                trust.issued_at().into_iter().for_each(|at| self.clock.raise_floor(at));
                *self.trust.write().unwrap_or_else(PoisonError::into_inner) = trust;
            }
            Err(e) => self.tell("the new lists cannot be read", &e.into()),
        }
    }

    /// What comes again with each look is logged once.
    fn tell(&self, what: &str, error: &SyncError) {
        let problem = Some(error.words());
        self.set(|state| {
            if state.problem != problem {
                tracing::warn!("{what}: {error}");
            }
            state.problem = problem;
        });
    }

    fn set(&self, change: impl FnOnce(&mut SyncState)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_while_syncs_fail_and_are_spread_but_never_beyond_their_bound() {
        let schedule = Schedule { every: Duration::from_secs(60) };
        assert_eq!(schedule.pause(0, 255).as_secs(), 75);
        assert_eq!(schedule.pause(0, 0).as_secs(), 45);
        let middle = |failures| schedule.pause(failures, 128).as_secs();
        assert!(middle(1) < middle(3) && middle(3) < middle(5));
        assert!(schedule.pause(u32::MAX, 255) <= LONGEST_PAUSE.mul_f64(1.26));
    }

    #[test]
    fn the_guard_is_told_for_how_long_it_has_been_so() {
        let mut state = SyncState { problem: Some(Text::new("连不上", "no route")), ..SyncState::default() };
        assert_eq!(state.words().unwrap().en, "no route");
        state.failing_since = Instant::now().checked_sub(Duration::from_secs(200));
        assert_eq!(state.words().unwrap(), Text::new("连不上（已3分钟）", "no route (for 3 minutes)"));
        state.problem = None;
        assert_eq!(state.words(), None);
    }
}
