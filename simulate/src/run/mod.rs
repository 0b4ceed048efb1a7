//! One run: a city, its gates and some weeks of their life, drawn from a seed.

mod lists;
mod people;
mod trouble;

use std::cell::RefCell;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

use crate::city::City;
use crate::gate::Gate;
use crate::ledger::Ledger;
use crate::network::{Fault, Memory, Stick};
use crate::observer::judge_clock;
use crate::power_cut::scratch;
use crate::scenario::{Scenario, say_seconds};
use crate::shown::Shown;
use crate::tally::{Tally, Trace};
use crate::world::{FakeMachine, SECOND, World};

/// What became of a run.
#[derive(Debug)]
pub struct Outcome {
    /// What was exercised.
    pub tally: Tally,
    /// The last steps.
    pub trace: Trace,
    /// What went wrong, if anything did.
    pub failure: Option<String>,
}

/// Runs one seed. A panic of the product is a failure like any other.
pub fn run(seed: u64) -> Outcome {
    let (tally, trace) = (RefCell::default(), RefCell::default());
    let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut run = Run::begin(seed, &tally, &trace).map_err(|e| format!("cannot begin: {e:#}"))?;
        run.play()
    }));
    let failure = match played {
        Ok(done) => done.err(),
        Err(panic) => {
            let words = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            Some(format!("a panic: {}", words.unwrap_or("without words")))
        }
    };
    Outcome { tally: tally.into_inner(), trace: trace.into_inner(), failure }
}

/// One gate with what is known about it.
struct Lane {
    gate: Gate,
    ledger: Ledger,
}

/// See the module.
struct Run<'a> {
    scenario: Scenario,
    dice: ChaCha8Rng,
    world: World,
    city: City,
    lanes: Vec<Lane>,
    /// Codes that somebody still has.
    wallet: Vec<Shown>,
    sticks: Vec<Stick>,
    /// When the registry last looked what was due.
    looked: i128,
    memory: RefCell<Memory>,
    tally: &'a RefCell<Tally>,
    trace: &'a RefCell<Trace>,
    folder: TempDir,
}

type Step = Result<(), String>;

impl<'a> Run<'a> {
    fn begin(seed: u64, tally: &'a RefCell<Tally>, trace: &'a RefCell<Trace>) -> anyhow::Result<Self> {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let scenario = Scenario::draw(&mut dice);
        let world = World::new(scenario.start, scenario.machines.clone());
        let folder = scratch()?;
        let registry = folder.path().join("registry");
        let city = City::found(&registry, world.clone(), seed, &scenario.registry_toml, scenario.people)?;
        let root = city.registry().store().trust()?.root;
        let mut lanes = Vec::new();
        for (number, standing) in scenario.gates.iter().enumerate() {
            let machine = FakeMachine { world: world.clone(), number };
            let at = folder.path().join(format!("gate-{number}"));
            let gate = Gate::set_up(&at, &root, standing.clone(), machine, &mut dice)?;
            lanes.push(Lane { gate, ledger: Ledger::default() });
        }
        let memory = RefCell::default();
        let (wallet, sticks) = (Vec::new(), Vec::new());
        let looked = world.now();
        let run = Self { scenario, dice, world, city, lanes, wallet, sticks, looked, memory, tally, trace, folder };
        run.count(run.scenario.era);
        Ok(run)
    }

    fn count(&self, what: impl Into<String>) {
        self.tally.borrow_mut().count(what);
    }

    fn say(&self, what: impl AsRef<str>) {
        let at =
            jiff::Timestamp::from_nanosecond(self.world.now()).map_or_else(|_| String::new(), |t| format!("{t:.3}"));
        // A throw-away folder has another name each time.
        let what = what.as_ref().replace(&self.folder.path().display().to_string(), "");
        self.trace.borrow_mut().say(format!("{at}  {what}"));
    }

    fn play(&mut self) -> Step {
        for lane in 0..self.lanes.len() {
            self.start(lane)?;
            if self.dice.random_bool(0.8) {
                self.sync(lane)?;
            }
        }
        for _ in 0..self.scenario.steps {
            self.time_passes()?;
            self.step()?;
            self.check_clocks()?;
        }
        self.end()
    }

    /// Something happens.
    fn step(&mut self) -> Step {
        let lane = self.dice.random_range(0..self.lanes.len());
        match self.dice.random_range(0..100) {
            0..=41 => self.show(lane),
            42..=43 => self.registry_power_cut(lane),
            44..=61 => self.sync(lane),
            62..=64 => self.stick(lane),
            65..=76 => self.registry_acts(),
            77..=86 => self.clocks(lane),
            87..=89 => self.restart(lane),
            90..=92 => self.cold_boot(lane),
            _ => self.power_cut(lane),
        }
    }

    /// From seconds to weeks; meanwhile the programs do what they do by themselves.
    fn time_passes(&mut self) -> Step {
        let seconds: i128 = match self.dice.random_range(0..100) {
            0..=69 => self.dice.random_range(0..60),
            70..=88 => self.dice.random_range(60..1_800),
            89..=96 => self.dice.random_range(1_800..43_200),
            97..=98 => self.dice.random_range(43_200..3 * 86_400),
            _ => self.dice.random_range(3 * 86_400..25 * 86_400),
        };
        if seconds > 7 * 86_400 {
            self.count("time: more than a week at once");
        }
        let before = self.world.seconds();
        let parts = if seconds > 600 { 4 } else { 1 };
        for _ in 0..parts {
            self.world.pass(seconds * SECOND / parts + self.dice.random_range(0..SECOND));
            // It looks every so often, and may be down for a while.
            if self.world.now() - self.looked > 900 * SECOND && self.dice.random_bool(0.9) {
                self.looked = self.world.now();
                for did in self.city.jobs().map_err(|e| format!("the registry's jobs: {e:#}"))? {
                    self.count(format!("registry: {did}"));
                }
            }
            for lane in &mut self.lanes {
                for id in lane.gate.tick() {
                    lane.ledger.event(id, true);
                }
            }
            self.check_clocks()?;
        }
        if (before..=self.world.seconds()).contains(&i64::from(i32::MAX)) {
            self.count("time: past 2038-01-19T03:14:07");
        }
        Ok(())
    }

    fn check_clocks(&self) -> Step {
        let (now, highest) = (self.world.now(), self.world.highest());
        for (number, lane) in self.lanes.iter().enumerate() {
            let Some((reading, floor)) = lane.gate.reading().zip(lane.gate.floor()) else { continue };
            judge_clock(now, highest, &reading, floor).map_err(|e| {
                format!("gate {number}: {e} ({}, {})", reading.source.name(), say_seconds(reading.width()))
            })?;
        }
        Ok(())
    }

    /// With an honest network all events arrive, each once.
    fn end(&mut self) -> Step {
        for lane in 0..self.lanes.len() {
            self.world.change(lane, |m, _| m.end_forgery());
            self.sync_with(lane, Fault::None)?;
            let Lane { gate, ledger } = &mut self.lanes[lane];
            ledger.check_journal(gate).map_err(|e| format!("gate {lane}, at the end: {e}"))?;
            ledger.check_registry(gate, &self.city, true).map_err(|e| format!("gate {lane}, at the end: {e}"))?;
        }
        Ok(())
    }
}
