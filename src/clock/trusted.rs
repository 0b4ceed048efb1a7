//! The gate's clock: which of its witnesses to believe, and what follows.
//!
//! The registry's signed time counts most, then the kernel while NTP keeps it right; both live on from their moment by the
//! machine's own count of seconds, so nobody who sets the wall clock moves them. Then the battery clock, if it was seen to go
//! right. A witness that names a time before the floor, which the registry has signed to have passed, is not believed; nor is
//! one that contradicts a better one. If none is left, only the floor is. The registry's answer to a question of our own
//! overrules a floor that was signed before: a registry whose clock was once ahead must not lock its gates for ever.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::anchor::{Anchor, Span};
use super::kept::{Kept, KeptFile, KeptRtc};
use super::machine::Machine;
use super::{Asked, Clock, ClockSource, Reading};

/// A code's freshness is counted by the registry's clock, which is itself good to this. Without it a gate whose clock is a
/// blink behind would refuse a code that was issued just now.
const REGISTRY_ERROR: Duration = Duration::from_secs(2);
/// A leap second may have come since, which the machine's count of seconds knows nothing of.
const LEAP: Duration = Duration::from_secs(1);
/// No time before this version was released can be true (2026-11-23T00:00:00Z).
pub(super) const RELEASED: Timestamp = Timestamp::constant(1_795_392_000, 0);
/// How old a signed time may be and still count as synchronised.
const RECENT: Duration = Duration::from_secs(3_600);
/// A signed time is asked for this often even where NTP is well: whoever can reach the gate's network can forge NTP.
const SIGNED_EVERY: Duration = Duration::from_secs(86_400);
/// From this width on a signed time would help.
const WIDE: Duration = Duration::from_secs(10);
/// Between two questions, and between two writes to the card.
const PAUSE: Duration = Duration::from_secs(600);
/// A witness that is behind the floor by no more than this is not wrong: the registry's clock is a little ahead.
const BLINK: Duration = Duration::from_secs(60);
/// The battery clock is compared only with a time at least as good as this.
const GOOD: Duration = Duration::from_secs(30);

/// How far the machine's clocks are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// What the machine's count of seconds may be off, parts in a million.
    pub drift_ppm: u32,
    /// The same of the battery clock.
    pub rtc_drift_ppm: u32,
    /// How far the wall clock may be off where nothing vouches for it; zero if it is not believed at all.
    pub unsynced_error: Duration,
}

/// Who says what time it is, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The registry, signed.
    Signed,
    /// The kernel, kept right by NTP.
    Kernel,
    /// The battery clock.
    Rtc,
    /// The wall clock, with nobody vouching for it.
    System,
}

/// What became of a witness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Believed {
    /// It counts.
    Yes,
    /// A better one is there.
    NotNeeded,
    /// It contradicts a better one, or itself.
    Contradicts,
    /// It names a time that the registry has signed to have passed.
    BeforeFloor,
}

/// A witness and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Witness {
    /// Who.
    pub by: By,
    /// What it says of now.
    pub span: Span,
    /// How long ago it was heard.
    pub age: Duration,
    /// Whether it counts.
    pub believed: Believed,
}

/// Everything the clock knows, for whoever wants to know why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnesses {
    /// What follows.
    pub reading: Reading,
    /// The witnesses, the best first.
    pub all: Vec<Witness>,
    /// This moment has certainly passed.
    pub floor: Timestamp,
    /// Whether the kernel contradicted itself in this run of the machine.
    pub kernel_contradicted_itself: bool,
}

/// The gate's clock.
#[derive(Debug)]
pub struct TrustedClock<M> {
    machine: M,
    settings: Settings,
    file: Option<KeptFile>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    boot: String,
    floor: Timestamp,
    /// Up to here floors are known to be wrong: the registry has since said that it is earlier.
    overruled: Option<Timestamp>,
    signed: Option<Anchor>,
    kernel: Option<Anchor>,
    /// Two things the kernel vouched for contradict each other: neither is believed until the registry has signed a time.
    kernel_contradicted_itself: bool,
    rtc: Option<Anchor>,
    kept_rtc: Option<KeptRtc>,
    asked: Option<Duration>,
    /// The file's time when it was last read or written.
    file_written: Option<std::time::SystemTime>,
    /// When it was last written down, since the machine started.
    written: Option<Duration>,
}

/// What the machine shows at one moment.
#[derive(Debug, Clone, Copy)]
struct Tick {
    elapsed: Duration,
    wall: Timestamp,
    kernel_error: Option<Duration>,
}

impl<M: Machine> TrustedClock<M> {
    /// A clock that remembers what it must in a file, if it is given one.
    pub fn new(machine: M, settings: Settings, file: Option<PathBuf>) -> Self {
        let file = file.map(KeptFile);
        let file_written = file.as_ref().and_then(KeptFile::written);
        let mut kept = file.as_ref().map(KeptFile::read).unwrap_or_default();
        if kept.machine != machine.id() {
            // The card was moved: what was signed holds, what this machine's clocks did does not.
            kept.rtc = None;
        }
        let (boot, elapsed) = (machine.boot(), machine.elapsed());
        let same_run = !boot.is_empty() && boot == kept.boot;
        let proven = kept.rtc.filter(KeptRtc::is_proven);
        let rtc = proven.and_then(|rtc| rtc.at(machine.rtc()?, settings.rtc_drift_ppm));
        let state = State {
            boot,
            floor: kept.floor.map_or(RELEASED, |floor| floor.max(RELEASED)),
            overruled: kept.overruled,
            signed: kept.signed.filter(|_| same_run),
            kernel: kept.kernel.filter(|_| same_run),
            kernel_contradicted_itself: same_run && kept.kernel_contradicted_itself,
            rtc: rtc.map(|span| Anchor { span, elapsed }),
            kept_rtc: kept.rtc,
            asked: None,
            file_written,
            written: None,
        };
        Self { machine, settings, file, state: Mutex::new(state) }
    }

    /// What everybody says, and what follows from it.
    pub fn witnesses(&self) -> Witnesses {
        let tick = self.tick();
        let mut state = self.lock();
        state.observe(&tick, self.settings);
        let (reading, all) = state.judge(&tick, self.settings);
        Witnesses {
            reading,
            all: all.into_iter().flatten().collect(),
            floor: state.floor,
            kernel_contradicted_itself: state.kernel_contradicted_itself,
        }
    }

    fn tick(&self) -> Tick {
        let kernel_error = self.machine.kernel_error();
        Tick { elapsed: self.machine.elapsed(), wall: self.machine.wall(), kernel_error }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Machine> Clock for TrustedClock<M> {
    fn now(&self) -> Reading {
        let tick = self.tick();
        let mut state = self.lock();
        state.observe(&tick, self.settings);
        state.judge(&tick, self.settings).0
    }

    fn raise_floor(&self, at: Timestamp) {
        self.lock().raise_floor(at);
    }

    fn begin_to_ask(&self) -> Option<Asked> {
        let reading = self.now();
        let elapsed = self.machine.elapsed();
        let mut state = self.lock();
        let lost = reading.latest.is_none();
        let wide = reading.width().is_none_or(|width| width > WIDE);
        let old = state.signed.is_none_or(|signed| elapsed.saturating_sub(signed.elapsed) > SIGNED_EVERY);
        let just_asked = state.asked.is_some_and(|asked| elapsed.saturating_sub(asked) < PAUSE);
        if !(lost || (wide || old) && !just_asked) {
            return None;
        }
        state.asked = Some(elapsed);
        Some(Asked(elapsed))
    }

    fn hear(&self, at: Timestamp, Asked(asked): Asked) {
        let elapsed = self.machine.elapsed();
        let mut state = self.lock();
        let span =
            Span { earliest: at, latest: Span::around(at, Duration::ZERO).later(elapsed.saturating_sub(asked)).latest };
        let span = span.wider(LEAP);
        // What was signed before holds as well, unless the machine's count of seconds stood still in between.
        let before = state.signed.and_then(|signed| signed.at(elapsed, self.settings.drift_ppm));
        let span = before.and_then(|before| before.meet(span)).unwrap_or(span);
        state.signed = Some(Anchor { span, elapsed });
        state.kernel_contradicted_itself = false;
        if state.floor > span.latest {
            tracing::warn!(
                "the registry says it is {at}, and has signed a later time before: is its clock right? Its answer counts"
            );
            state.overruled = Some(state.floor);
            state.floor = RELEASED;
        }
        state.floor = state.floor.max(at);
        state.written = None;
    }

    fn keep(&self) {
        let Some(file) = &self.file else { return };
        self.follow(file);
        let elapsed = self.machine.elapsed();
        if self.lock().written.is_some_and(|written| elapsed.saturating_sub(written) < PAUSE) {
            return;
        }
        let lock = match file.lock() {
            Ok(Some(lock)) => lock,
            // Another program writes: its news first.
            Ok(None) => return,
            Err(problem) => return self.not_kept(file, elapsed, &problem),
        };
        self.follow(file);
        let reading = self.now();
        let (machine, rtc) = (self.machine.id(), self.machine.rtc());
        let mut state = self.lock();
        let known = state.signed.or(state.kernel).is_some();
        let span = reading.latest.map(|latest| Span { earliest: reading.earliest, latest });
        if let Some((showed, span)) = rtc.zip(span).filter(|(_, span)| known && span.width() <= GOOD) {
            state.kept_rtc = KeptRtc::compare(state.kept_rtc, showed, span, self.settings.rtc_drift_ppm);
        }
        let kept = Kept {
            // Only what was signed: a clock that was wrong for a minute must not outlive it.
            floor: Some(state.floor),
            overruled: state.overruled,
            machine,
            boot: state.boot.clone(),
            signed: state.signed,
            kernel: state.kernel,
            kernel_contradicted_itself: state.kernel_contradicted_itself,
            rtc: state.kept_rtc,
        };
        state.written = Some(elapsed);
        drop(state);
        if let Err(problem) = file.write(&kept) {
            self.not_kept(file, elapsed, &problem);
        }
        self.lock().file_written = file.written();
        drop(lock);
    }
}

impl<M: Machine> TrustedClock<M> {
    /// Tried again after the pause.
    fn not_kept(&self, file: &KeptFile, elapsed: Duration, problem: &std::io::Error) {
        self.lock().written = Some(elapsed);
        tracing::warn!("cannot write {}: {problem}; after a restart the clock will know less", file.0.display());
    }

    /// Takes over what another program on this machine has heard: `tongguan sync` beside a running gate.
    fn follow(&self, file: &KeptFile) {
        let written = file.written();
        if written.is_none() || written == self.lock().file_written {
            return;
        }
        let kept = file.read();
        let mut state = self.lock();
        state.file_written = written;
        let newer = |new: Option<Anchor>, old: Option<Anchor>| new.map(|a| a.elapsed) > old.map(|a| a.elapsed);
        if kept.boot == state.boot && !kept.boot.is_empty() && newer(kept.signed, state.signed) {
            state.signed = kept.signed;
            state.kernel_contradicted_itself = false;
            // It may have overruled a floor.
            state.floor = kept.floor.unwrap_or(state.floor);
            state.overruled = kept.overruled;
        }
        kept.floor.into_iter().for_each(|floor| state.raise_floor(floor));
    }
}

fn since(earlier: Timestamp, later: Timestamp) -> Duration {
    Duration::try_from(later.duration_since(earlier)).unwrap_or_default()
}

impl State {
    fn raise_floor(&mut self, at: Timestamp) {
        if self.overruled.is_none_or(|overruled| at > overruled) {
            self.floor = self.floor.max(at);
        }
    }

    /// Takes what the kernel vouches for as an anchor, if it is a better one.
    fn observe(&mut self, tick: &Tick, settings: Settings) {
        let Some(error) = tick.kernel_error else { return };
        let new = Anchor { span: Span::around(tick.wall, error + REGISTRY_ERROR + LEAP), elapsed: tick.elapsed };
        let at = |anchor: &Option<Anchor>| anchor.and_then(|a| a.at(tick.elapsed, settings.drift_ppm));
        if let Some(signed) = at(&self.signed) {
            // The registry's word decides what of the kernel's is believed.
            self.kernel_contradicted_itself = false;
            if at(&self.kernel).is_some_and(|old| old.meet(signed).is_none()) {
                self.kernel = None;
            }
            if new.span.meet(signed).is_none() {
                return;
            }
        }
        if self.kernel_contradicted_itself {
            return;
        }
        match at(&self.kernel) {
            Some(old) if old.meet(new.span).is_none() => {
                self.kernel_contradicted_itself = true;
                self.kernel = None;
            }
            Some(old) if old.width() < new.span.width() => {}
            _ => self.kernel = Some(new),
        }
    }

    fn judge(&self, tick: &Tick, settings: Settings) -> (Reading, [Option<Witness>; 4]) {
        let heard = |anchor: Option<Anchor>, drift_ppm| {
            anchor.and_then(|a| Some((a.at(tick.elapsed, drift_ppm)?, tick.elapsed.saturating_sub(a.elapsed))))
        };
        let system = (!settings.unsynced_error.is_zero() && tick.kernel_error.is_none())
            .then(|| (Span::around(tick.wall, settings.unsynced_error), Duration::ZERO));
        // What the kernel says now counts as what it said only if it was believed.
        let now =
            tick.kernel_error.map(|error| (Span::around(tick.wall, error + REGISTRY_ERROR + LEAP), Duration::ZERO));
        let kernel = heard(self.kernel, settings.drift_ppm).or(now);
        let signed = heard(self.signed, settings.drift_ppm);
        let floor = self.floor;
        let mut known: Option<Span> = None;
        let mut source = ClockSource::Floor;
        let witnesses = [
            (By::Signed, signed),
            (By::Kernel, kernel),
            (By::Rtc, heard(self.rtc, settings.drift_ppm.max(settings.rtc_drift_ppm))),
            (By::System, system),
        ]
        .map(|(by, heard)| {
            let (span, age) = heard?;
            let span = if span.latest < floor && since(span.latest, floor) <= BLINK {
                Span { earliest: floor, latest: floor }.wider(span.width() / 2)
            } else {
                span
            };
            let believed = if span.latest < floor {
                Believed::BeforeFloor
            } else if by == By::Kernel && self.kernel.is_none() {
                Believed::Contradicts
            } else {
                match (known, by) {
                    (None, _) => {
                        known = Some(span);
                        source = match by {
                            By::Signed if age < RECENT => ClockSource::Synced,
                            By::Kernel if tick.kernel_error.is_some() => ClockSource::Synced,
                            By::System => ClockSource::System,
                            _ => ClockSource::Holdover,
                        };
                        Believed::Yes
                    }
                    (Some(better), By::Kernel) => match better.meet(span) {
                        Some(both) => {
                            known = Some(both);
                            source = if tick.kernel_error.is_some() { ClockSource::Synced } else { source };
                            Believed::Yes
                        }
                        None => Believed::Contradicts,
                    },
                    (Some(better), _) if better.meet(span).is_none() => Believed::Contradicts,
                    (Some(_), _) => Believed::NotNeeded,
                }
            };
            Some(Witness { by, span, age, believed })
        });
        let reading = match known {
            Some(span) => {
                Reading { earliest: span.earliest.max(floor), latest: Some(span.latest), shows: tick.wall, source }
            }
            None => Reading { earliest: floor, latest: None, shows: tick.wall, source },
        };
        (reading, witnesses)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const START: i64 = 1_800_000_000;
    const DAY: u64 = 86_400;

    /// A machine whose clocks are set by hand; clones are the same machine.
    #[derive(Clone)]
    struct Fake(Arc<Mutex<Shown>>);

    #[derive(Clone)]
    struct Shown {
        wall: Timestamp,
        elapsed: Duration,
        boot: String,
        kernel_error: Option<Duration>,
        rtc: Option<Timestamp>,
    }

    impl Machine for Fake {
        fn wall(&self) -> Timestamp {
            self.0.lock().unwrap().wall
        }
        fn elapsed(&self) -> Duration {
            self.0.lock().unwrap().elapsed
        }
        fn boot(&self) -> String {
            self.0.lock().unwrap().boot.clone()
        }
        fn kernel_error(&self) -> Option<Duration> {
            self.0.lock().unwrap().kernel_error
        }
        fn id(&self) -> String {
            "machine".into()
        }
        fn rtc(&self) -> Option<Timestamp> {
            self.0.lock().unwrap().rtc
        }
    }

    impl Fake {
        /// As after a cold boot of a Pi: 1970, and nothing that vouches for it.
        fn booted() -> Self {
            let (elapsed, boot) = (Duration::from_secs(20), "one".to_owned());
            Self(Arc::new(Mutex::new(Shown { wall: at(20), elapsed, boot, kernel_error: None, rtc: None })))
        }
        fn set(&self, change: impl FnOnce(&mut Shown)) {
            change(&mut self.0.lock().unwrap());
        }
        fn pass(&self, seconds: u64) {
            let by = Duration::from_secs(seconds);
            self.set(|s| {
                s.elapsed += by;
                s.wall += by;
                s.rtc = s.rtc.map(|rtc| rtc + by);
            });
        }
        fn ntp(&self, wall: Timestamp) {
            self.set(|s| (s.wall, s.kernel_error) = (wall, Some(Duration::from_millis(500))));
        }
        fn reboot(&self) {
            self.set(|s| {
                (s.wall, s.elapsed, s.boot, s.kernel_error) =
                    (at(5), Duration::from_secs(5), s.boot.clone() + "'", None)
            });
        }
        fn clock(&self, file: Option<PathBuf>) -> TrustedClock<Self> {
            let settings = Settings { drift_ppm: 50, rtc_drift_ppm: 100, unsynced_error: Duration::ZERO };
            TrustedClock::new(self.clone(), settings, file)
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn holds(reading: &Reading, truth: i64) -> bool {
        reading.earliest <= at(truth) && reading.latest.is_some_and(|latest| at(truth) <= latest)
    }

    #[test]
    fn a_cold_boot_knows_only_that_time_has_passed() {
        let clock = Fake::booted().clock(None);
        let reading = clock.now();
        assert_eq!((reading.earliest, reading.latest, reading.source), (RELEASED, None, ClockSource::Floor));
        clock.raise_floor(at(START));
        clock.raise_floor(at(START - 5));
        assert_eq!(clock.now().earliest, at(START), "and the floor never goes down");
    }

    #[test]
    fn an_unvouched_wall_clock_is_believed_only_where_that_was_set() {
        let fake = Fake::booted();
        fake.set(|s| s.wall = at(START));
        assert_eq!(fake.clock(None).now().latest, None);
        let settings = Settings { drift_ppm: 50, rtc_drift_ppm: 100, unsynced_error: Duration::from_secs(60) };
        let reading = TrustedClock::new(fake, settings, None).now();
        assert_eq!((reading.interval().earliest, reading.interval().latest), (START - 60, START + 60));
        assert_eq!(reading.source, ClockSource::System);
    }

    #[test]
    fn what_ntp_gave_lives_on_by_the_count_of_seconds_whatever_the_wall_clock_does() {
        let fake = Fake::booted();
        fake.ntp(at(START));
        let clock = fake.clock(None);
        assert_eq!(clock.now().source, ClockSource::Synced);
        assert!(holds(&clock.now(), START) && clock.now().width() == Some(Duration::from_secs(7)));
        // NTP is gone; somebody sets the clock ten years ahead, then to 1970, then beyond 2038.
        fake.pass(DAY);
        for wall in [START + 315_360_000, 0, 2_200_000_000, -1] {
            fake.set(|s| (s.wall, s.kernel_error) = (at(wall), None));
            let reading = clock.now();
            assert!(holds(&reading, START + DAY as i64), "{reading:?}");
            assert_eq!(reading.source, ClockSource::Holdover);
            assert!(reading.width().unwrap() < Duration::from_secs(16), "{:?}", reading.width());
        }
    }

    #[test]
    fn the_registrys_word_counts_with_its_way_and_beats_a_forged_ntp() {
        let fake = Fake::booted();
        let clock = fake.clock(None);
        let asked = clock.begin_to_ask().expect("lost: it asks");
        fake.pass(3);
        clock.hear(at(START), asked);
        assert_eq!((clock.now().interval().earliest, clock.now().interval().latest), (START, START + 4));
        assert_eq!(clock.now().source, ClockSource::Synced);
        assert_eq!(clock.begin_to_ask(), None, "it is well, and need not ask again");
        // An hour ahead, says NTP.
        fake.ntp(at(START + 3_600));
        assert!(holds(&clock.now(), START + 3), "{:?}", clock.now());
        let kernel = clock.witnesses().all[1];
        assert_eq!((kernel.by, kernel.believed), (By::Kernel, Believed::Contradicts));
        // A true one makes it narrower again after weeks.
        fake.pass(20 * DAY);
        fake.ntp(at(START + 3 + 20 * DAY as i64));
        assert!(clock.now().width().unwrap() <= Duration::from_secs(7) && clock.now().source == ClockSource::Synced);
    }

    #[test]
    fn a_kernel_that_contradicts_itself_is_not_believed_until_the_registry_has_spoken() {
        let fake = Fake::booted();
        fake.ntp(at(START));
        let clock = fake.clock(None);
        assert!(clock.now().latest.is_some());
        fake.ntp(at(START + 7_200));
        assert_eq!((clock.now().latest, clock.now().source), (None, ClockSource::Floor));
        assert!(clock.witnesses().kernel_contradicted_itself);
        let asked = clock.begin_to_ask().unwrap();
        clock.hear(at(START + 7_200), asked);
        assert!(holds(&clock.now(), START + 7_200) && !clock.witnesses().kernel_contradicted_itself);
    }

    #[test]
    fn a_restart_of_the_program_keeps_the_time_and_a_reboot_only_the_floor() {
        let dir = tempfile::tempdir().unwrap();
        let file = || Some(dir.path().join("clock.json"));
        let fake = Fake::booted();
        let clock = fake.clock(file());
        clock.hear(at(START), clock.begin_to_ask().unwrap());
        clock.keep();
        fake.pass(500);
        assert!(holds(&fake.clock(file()).now(), START + 500));
        fake.reboot();
        let reading = fake.clock(file()).now();
        assert_eq!((reading.earliest, reading.latest), (at(START), None));
    }

    #[test]
    fn a_battery_clock_that_was_seen_to_go_right_bridges_a_reboot_and_one_that_went_back_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let file = || Some(dir.path().join("clock.json"));
        let fake = Fake::booted();
        // Three hours fast, as one that was set to local time: what counts is that it goes.
        fake.set(|s| s.rtc = Some(at(START + 10_800)));
        let clock = fake.clock(file());
        clock.hear(at(START), clock.begin_to_ask().unwrap());
        clock.keep();
        fake.reboot();
        assert_eq!(fake.clock(file()).now().latest, None, "one look shows nothing");
        let clock = fake.clock(file());
        clock.hear(at(START), clock.begin_to_ask().unwrap());
        clock.keep();
        fake.pass(1_200);
        clock.keep();
        fake.pass(DAY - 1_200);
        fake.reboot();
        let reading = fake.clock(file()).now();
        assert!(holds(&reading, START + DAY as i64) && reading.source == ClockSource::Holdover, "{reading:?}");
        assert!(reading.width().unwrap() < Duration::from_secs(25));
        fake.set(|s| s.rtc = Some(at(946_684_800)));
        assert_eq!(fake.clock(file()).now().latest, None, "an empty battery");
    }

    #[test]
    fn a_clock_that_was_wrong_for_a_minute_is_forgotten_and_the_registrys_answer_outranks_its_own_floor() {
        let dir = tempfile::tempdir().unwrap();
        let file = || Some(dir.path().join("clock.json"));
        let fake = Fake::booted();
        let year = 31_536_000;
        fake.ntp(at(START + year));
        fake.clock(file()).keep();
        fake.reboot();
        fake.ntp(at(START));
        assert!(holds(&fake.clock(file()).now(), START), "NTP is right again");
        // Lists that a registry signed while its clock was a year ahead.
        let clock = fake.clock(file());
        clock.raise_floor(at(START + year));
        assert_eq!(clock.now().latest, None);
        clock.hear(at(START), clock.begin_to_ask().unwrap());
        clock.raise_floor(at(START + year));
        assert!(holds(&clock.now(), START), "{:?}", clock.now());
        // It holds for the next program as well. What is signed later than that counts again: the seconds stood still, say.
        clock.keep();
        let next = fake.clock(file());
        next.raise_floor(at(START + year));
        assert!(holds(&next.now(), START), "{:?}", next.now());
        next.raise_floor(at(START + year + 3_600));
        assert_eq!((next.now().earliest, next.now().latest), (at(START + year + 3_600), None));
    }

    #[test]
    fn a_registry_a_little_ahead_is_followed_and_another_program_is_listened_to() {
        let dir = tempfile::tempdir().unwrap();
        let file = || Some(dir.path().join("clock.json"));
        let fake = Fake::booted();
        fake.ntp(at(START));
        let clock = fake.clock(file());
        clock.keep();
        clock.raise_floor(at(START + 5));
        assert!(holds(&clock.now(), START + 5) && clock.now().earliest == at(START + 5), "{:?}", clock.now());
        let other = fake.clock(file());
        other.hear(at(START), other.begin_to_ask().unwrap());
        // The file's time has a grain.
        std::thread::sleep(Duration::from_millis(20));
        other.keep();
        clock.keep();
        assert_eq!(clock.witnesses().all[0].by, By::Signed);
    }

    #[test]
    fn it_is_written_at_a_bounded_rate_and_a_damaged_file_is_as_good_as_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("clock.json");
        let fake = Fake::booted();
        let clock = fake.clock(Some(path.clone()));
        fake.ntp(at(START));
        clock.keep();
        let first = std::fs::read(&path).unwrap();
        fake.pass(599);
        clock.keep();
        assert_eq!(std::fs::read(&path).unwrap(), first);
        fake.pass(1);
        clock.keep();
        assert_ne!(std::fs::read(&path).unwrap(), first);
        for damage in [&b""[..], b"{", b"\xff\xfe", &[b'['; 100_000]] {
            std::fs::write(&path, damage).unwrap();
            fake.reboot();
            assert_eq!(fake.clock(Some(path.clone())).now().earliest, RELEASED);
        }
    }

    #[test]
    fn a_leap_second_does_not_make_the_true_time_fall_out() {
        let fake = Fake::booted();
        fake.ntp(at(START));
        let clock = fake.clock(None);
        clock.hear(at(START), clock.begin_to_ask().unwrap_or(Asked(fake.elapsed())));
        fake.pass(10);
        // The wall clock says a second twice.
        fake.ntp(at(START + 9));
        assert!(holds(&clock.now(), START + 9) && clock.now().source == ClockSource::Synced);
    }
}
