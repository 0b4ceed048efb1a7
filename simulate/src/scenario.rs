//! What a run is like: when it plays, what its gates and their clocks are, and what can happen to a clock.

use std::time::Duration;

use rand::{Rng, RngExt as _};
use tongguan::clock::Settings;
use tongguan::config::PolicyConfig;

use crate::gate::Standing;
use crate::world::{MachineState, NTP_OFF, Ntp, SECOND, World};

const DAY: i128 = 86_400 * SECOND;
const YEAR: i128 = 365 * DAY;
/// What a leap second takes of the room that the registry's own error has.
const LEAP: i128 = SECOND;

/// See the module.
#[derive(Debug)]
pub struct Scenario {
    /// When it plays.
    pub era: &'static str,
    /// Its beginning, Unix nanoseconds.
    pub start: i128,
    /// How many things happen.
    pub steps: u32,
    /// How many people there are.
    pub people: usize,
    /// The registry's configuration.
    pub registry_toml: String,
    /// The gates.
    pub gates: Vec<Standing>,
    /// Their computers.
    pub machines: Vec<MachineState>,
    /// Whether there was a leap second: there is at most one in some weeks.
    pub leapt: bool,
}

impl Scenario {
    /// Draws one.
    pub fn draw(dice: &mut dyn Rng) -> Self {
        // Some days before the moment that gives the era its name.
        let eras = [
            ("era: 2027", 1_811_808_000),
            ("era: summer time begins in Europe, 2027", 1_806_195_600),
            ("era: leap day 2028", 1_835_395_200),
            ("era: around 2038-01-19", 2_147_483_647),
            ("era: the turn of the century", 4_102_444_800),
        ];
        let (era, moment) = eras[dice.random_range(0..eras.len())];
        let start = (moment - dice.random_range(0..5 * 86_400)) * SECOND + dice.random_range(0..SECOND);
        let life = dice.random_range(7..40);
        let ahead = dice.random_range(1..6);
        let gates: Vec<_> = (0..dice.random_range(1..4)).map(|n| standing(n, dice)).collect();
        let machines = gates.iter().map(|gate| machine(start, gate, dice)).collect();
        Self {
            era,
            start,
            steps: dice.random_range(40..160),
            people: dice.random_range(2..7),
            registry_toml: format!("[keys]\nlife_days = {life}\nahead_days = {ahead}\n"),
            gates,
            machines,
            leapt: false,
        }
    }
}

fn standing(number: usize, dice: &mut dyn Rng) -> Standing {
    let communities = match dice.random_range(0..10) {
        0..=6 => vec![],
        7..=8 => vec![1, 9],
        _ => vec![9],
    };
    // A wall clock that nobody vouches for is believed only where somebody has said so.
    let unsynced_error = if dice.random_bool(0.1) { Duration::from_secs(300) } else { Duration::ZERO };
    Standing {
        name: format!("lane {number}"),
        clock: Settings {
            // Its wall clock must stay as good as was said for the whole of a run.
            drift_ppm: if unsynced_error.is_zero() { [20, 100, 500][dice.random_range(0..3)] } else { 20 },
            rtc_drift_ppm: [20, 100, 500][dice.random_range(0..3)],
            unsynced_error,
        },
        policy: PolicyConfig { communities, stale_lists_confirm_after_h: [0, 24, 7 * 24][dice.random_range(0..3)] },
    }
}

fn machine(now: i128, gate: &Standing, dice: &mut dyn Rng) -> MachineState {
    // Nearly all of what is allowed, in parts of a thousand million.
    let mut off = |ppm: u32| i128::from(ppm) * dice.random_range(-999..1_000);
    let (off_ppb, rtc_off) = (off(gate.clock.drift_ppm), off(gate.clock.rtc_drift_ppm));
    // Set right, to local time, or never.
    let set = [0, 8 * 3_600 * SECOND, -5 * YEAR][dice.random_range(0..3)];
    // Or one that goes at half its pace, which the gate must see and not believe.
    let rtc_off = if dice.random_bool(0.1) { SECOND } else { rtc_off };
    let rtc = dice.random_bool(0.5).then_some((now + set + dice.random_range(0..SECOND), rtc_off));
    let mut machine = MachineState { elapsed: 0, boot: 0, wall: 0, ntp: Ntp::Off, off_ppb, rtc };
    power_on(&mut machine, now, gate, dice);
    machine
}

fn power_on(machine: &mut MachineState, now: i128, gate: &Standing, dice: &mut dyn Rng) {
    machine.elapsed = dice.random_range(2 * SECOND..40 * SECOND);
    machine.boot += 1;
    machine.ntp = if dice.random_bool(0.4) { good_ntp(dice) } else { Ntp::Off };
    let last = machine.wall;
    machine.wall = match machine.rtc {
        _ if !gate.clock.unsynced_error.is_zero() => within(now, gate, dice),
        Some((shows, _)) => shows,
        // 1970, or what was written down when it was switched off.
        None if dice.random() => machine.elapsed,
        None => last,
    };
}

fn good_ntp(dice: &mut dyn Rng) -> Ntp {
    let error = Duration::from_micros(dice.random_range(100..8_000_000));
    let most = i128::try_from(error.as_nanos()).unwrap_or(0) + NTP_OFF - LEAP;
    Ntp::Good { off: dice.random_range(-most..=most), error }
}

/// A wall clock that is as good as the configuration says, and stays so for some weeks.
fn within(now: i128, gate: &Standing, dice: &mut dyn Rng) -> i128 {
    let most = i128::try_from(gate.clock.unsynced_error.as_nanos()).unwrap_or(0) / 4;
    now + dice.random_range(-most..=most)
}

impl MachineState {
    /// Whoever forges the time stops.
    pub fn end_forgery(&mut self) {
        if matches!(self.ntp, Ntp::Forged { .. }) {
            self.ntp = Ntp::Off;
        }
    }
}

impl Standing {
    /// The machine was without power and starts; what kind of start it was.
    pub fn boot(&self, world: &World, machine: usize, dice: &mut dyn Rng) -> &'static str {
        let empty = dice.random_bool(0.1);
        world.change(machine, |m, now| {
            let what = match &mut m.rtc {
                Some((shows, _)) if empty => {
                    *shows = dice.random_range(0..100) * SECOND;
                    "boot: the battery clock was empty"
                }
                Some((_, off)) if *off == SECOND => "boot: with a battery clock at half its pace",
                Some(_) => "boot: with a battery clock",
                None => "boot: without a battery clock",
            };
            power_on(m, now, self, dice);
            what
        })
    }

    /// Something happens to a clock: what, and whether there has been a leap second. `sure` if the gate's clock has an upper
    /// bound, so that a forger can be told from the truth.
    pub fn change_clocks(
        &self,
        world: &World,
        machine: usize,
        sure: bool,
        leapt: bool,
        dice: &mut dyn Rng,
    ) -> (&'static str, bool) {
        let change = |what: &'static str, change: &mut dyn FnMut(&mut MachineState, i128)| {
            world.change(machine, |m, now| change(m, now));
            (what, leapt)
        };
        let believed = !self.clock.unsynced_error.is_zero();
        match dice.random_range(0..14) {
            0..=3 => {
                let ntp = good_ntp(dice);
                change("ntp: comes", &mut |m, _| m.ntp = ntp)
            }
            4..=5 => change("ntp: goes", &mut |m, _| m.ntp = Ntp::Off),
            6 if sure && !believed => {
                let off = [-YEAR, -DAY, -2 * 3_600 * SECOND, 2 * 3_600 * SECOND, DAY, 10 * YEAR];
                let off = off[dice.random_range(0..off.len())];
                change("ntp: forged", &mut |m, _| m.ntp = Ntp::Forged { off })
            }
            7 if !leapt => {
                // Skipped seconds have never been, but may be.
                let back = dice.random_bool(0.8);
                world.leap(if back { -SECOND } else { SECOND });
                (if back { "leap second: one more" } else { "leap second: one less" }, true)
            }
            // A temperature that changes, within what is allowed.
            8 => {
                let off_ppb = i128::from(self.clock.drift_ppm) * dice.random_range(-999..1_000);
                change("crystal: another pace", &mut |m, _| m.off_ppb = off_ppb)
            }
            _ if believed => ("wall clock: left alone, it is believed here", leapt),
            9 => change("wall clock: ten years ahead", &mut |m, _| (m.wall, m.ntp) = (m.wall + 10 * YEAR, Ntp::Off)),
            10 => change("wall clock: ten years back", &mut |m, _| (m.wall, m.ntp) = (m.wall - 10 * YEAR, Ntp::Off)),
            11 => {
                let hour = 3_600 * SECOND;
                let by = [-hour, hour][dice.random_range(0..2)];
                change("wall clock: an hour, as summer time does", &mut |m, _| {
                    (m.wall, m.ntp) = (m.wall + by, Ntp::Off)
                })
            }
            12 => {
                let to = [-1, 0, 1, i32::MAX.into(), u32::MAX.into(), i64::MAX / 1_000_000_000];
                let to = i128::from(to[dice.random_range(0..to.len())]) * SECOND;
                change("wall clock: 1970, 2038, 2106 and beyond", &mut |m, _| (m.wall, m.ntp) = (to, Ntp::Off))
            }
            _ => change("wall clock: a little", &mut |m, _| {
                (m.wall, m.ntp) = (m.wall + SECOND * 90, Ntp::Off);
            }),
        }
    }
}

/// For a message.
pub(crate) fn say_seconds(width: Option<Duration>) -> String {
    width.map_or_else(|| "no upper bound".into(), |w| format!("to {:.3} s", w.as_secs_f64()))
}
