//! The true time, and what the machines of the gates make of it.
//!
//! Truth is the registry's clock, by which codes are counted; a machine sees it through a crystal that is a little off, a wall
//! clock that anybody sets, NTP that comes and goes, and perhaps a battery clock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tongguan::clock::Machine;
use tongguan_registry::edge;

/// Nanoseconds of a second.
pub const SECOND: i128 = 1_000_000_000;
/// What a well-kept NTP server may be off from the registry's clock: what the gate's clock allows for.
pub const NTP_OFF: i128 = 2 * SECOND;

/// Time and machines; clones are the same world.
#[derive(Debug, Clone)]
pub struct World(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    now: i128,
    /// A leap second takes the true time back by one.
    highest: i128,
    machines: Vec<MachineState>,
}

/// What keeps a wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ntp {
    /// Nobody.
    Off,
    /// A server that is so far off, and the bound that the kernel states.
    Good {
        /// Nanoseconds from the truth, within the bound.
        off: i128,
        /// What the kernel says.
        error: Duration,
    },
    /// A forger.
    Forged {
        /// Nanoseconds from the truth.
        off: i128,
    },
}

/// A machine.
#[derive(Debug, Clone)]
pub struct MachineState {
    /// Since it started, by its crystal.
    pub elapsed: i128,
    /// Which start this is.
    pub boot: u32,
    /// The wall clock.
    pub wall: i128,
    /// What keeps it right.
    pub ntp: Ntp,
    /// The crystal's error in parts of a thousand million: the truth goes on by so much more than it counts.
    pub off_ppb: i128,
    /// The battery clock and its error, if there is one.
    pub rtc: Option<(i128, i128)>,
}

impl World {
    /// It is `now`, Unix nanoseconds, and there are so many machines.
    pub fn new(now: i128, mut machines: Vec<MachineState>) -> Self {
        machines.iter_mut().for_each(|machine| machine.keep(now));
        Self(Arc::new(Mutex::new(State { now, highest: now, machines })))
    }

    /// The true time, Unix nanoseconds.
    pub fn now(&self) -> i128 {
        self.lock().now
    }

    /// The true time in the whole seconds that codes count in.
    pub fn seconds(&self) -> i64 {
        i64::try_from(self.now().div_euclid(SECOND)).unwrap_or(i64::MAX)
    }

    /// The latest true time there was, which after a leap second may be later than now.
    pub fn highest(&self) -> i128 {
        self.lock().highest
    }

    /// Time passes.
    pub fn pass(&self, by: i128) {
        let mut state = self.lock();
        state.now += by;
        state.highest = state.highest.max(state.now);
        let now = state.now;
        state.machines.iter_mut().for_each(|machine| machine.pass(by, now));
    }

    /// A leap second: the true time stands still for one second, or skips one.
    pub fn leap(&self, by: i128) {
        let mut state = self.lock();
        state.now += by;
        state.highest = state.highest.max(state.now);
        let now = state.now;
        state.machines.iter_mut().for_each(|machine| machine.keep(now));
    }

    /// Something happens to a machine's clocks.
    pub fn change<T>(&self, machine: usize, change: impl FnOnce(&mut MachineState, i128) -> T) -> T {
        let mut state = self.lock();
        let now = state.now;
        let changed = change(&mut state.machines[machine], now);
        state.machines[machine].keep(now);
        changed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MachineState {
    fn pass(&mut self, by: i128, now: i128) {
        let counted = counted(by, self.off_ppb);
        self.elapsed += counted;
        self.wall += counted;
        if let Some((shows, off_ppb)) = &mut self.rtc {
            *shows += self::counted(by, *off_ppb);
        }
        self.keep(now);
    }

    fn keep(&mut self, now: i128) {
        match self.ntp {
            Ntp::Off => {}
            Ntp::Good { off, .. } | Ntp::Forged { off } => self.wall = now + off,
        }
    }
}

/// What a clock counts while the truth goes on by `by`.
fn counted(by: i128, off_ppb: i128) -> i128 {
    by * SECOND / (SECOND + off_ppb)
}

/// A machine as the gate's clock sees it.
#[derive(Debug, Clone)]
pub struct FakeMachine {
    /// Where it stands.
    pub world: World,
    /// Which it is.
    pub number: usize,
}

impl FakeMachine {
    fn see<T>(&self, see: impl FnOnce(&MachineState) -> T) -> T {
        see(&self.world.lock().machines[self.number])
    }
}

/// The calendar has ends; a wall clock set beyond them shows the end.
fn timestamp(ns: i128) -> Timestamp {
    Timestamp::from_nanosecond(ns.clamp(Timestamp::MIN.as_nanosecond(), Timestamp::MAX.as_nanosecond()))
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

impl Machine for FakeMachine {
    fn wall(&self) -> Timestamp {
        self.see(|m| timestamp(m.wall))
    }

    fn elapsed(&self) -> Duration {
        self.see(|m| Duration::from_nanos(u64::try_from(m.elapsed).unwrap_or(0)))
    }

    fn boot(&self) -> String {
        self.see(|m| format!("boot {}", m.boot))
    }

    fn id(&self) -> String {
        format!("machine {}", self.number)
    }

    fn kernel_error(&self) -> Option<Duration> {
        self.see(|m| match m.ntp {
            Ntp::Off => None,
            Ntp::Good { error, .. } => Some(error),
            Ntp::Forged { .. } => Some(Duration::from_millis(20)),
        })
    }

    fn rtc(&self) -> Option<Timestamp> {
        // It counts whole seconds.
        self.see(|m| m.rtc.map(|(shows, _)| timestamp(shows.div_euclid(SECOND) * SECOND)))
    }
}

impl edge::Clock for World {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.now() / 1_000_000).unwrap_or(0)
    }
}
