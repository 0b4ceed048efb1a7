//! One run: a city, its gates and some weeks of their life, drawn from a seed.

use std::cell::RefCell;
use std::fmt::Write as _;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;
use tongguan_pass::{Carried, Flags, GateOutcome, Purpose};

use crate::city::City;
use crate::disk::Left;
use crate::gate::{Gate, Presented, Relay};
use crate::ledger::{Ledger, Lists};
use crate::network::{Fault, Memory, Network, Stick};
use crate::observer::{Scene, judge, judge_clock};
use crate::power_cut::scratch;
use crate::scenario::{Scenario, say_seconds};
use crate::shown::{Shown, forgery, live_by_our_key};
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
pub(crate) struct Run<'a> {
    pub(crate) scenario: Scenario,
    pub(crate) dice: ChaCha8Rng,
    pub(crate) world: World,
    pub(crate) city: City,
    lanes: Vec<Lane>,
    /// Codes that somebody still has.
    wallet: Vec<Shown>,
    sticks: Vec<Stick>,
    /// When the registry last looked what was due.
    looked: i128,
    memory: RefCell<Memory>,
    pub(crate) tally: &'a RefCell<Tally>,
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

    pub(crate) fn count(&self, what: impl Into<String>) {
        self.tally.borrow_mut().count(what);
    }

    pub(crate) fn say(&self, what: impl AsRef<str>) {
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

    // What people do.

    fn show(&mut self, lane: usize) -> Step {
        let shown = if self.dice.random_bool(0.02) { self.stolen(lane) } else { self.draw_code() };
        let Some(shown) = shown.map_err(|e| format!("no code can be had: {e:#}"))? else { return Ok(()) };
        self.present(lane, &shown)
    }

    /// A thief with the registry's key signs a code for a time to come, and so would have the gate believe that it has come.
    fn stolen(&mut self, lane: usize) -> anyhow::Result<Option<Shown>> {
        // A gate that has no upper bound believes it, up to the lists' end.
        let Some(latest) = self.lanes[lane].gate.reading().and_then(|r| r.latest) else { return Ok(None) };
        let at = u32::try_from(latest.as_second())? + self.dice.random_range(2..100_000);
        live_by_our_key(&self.city, "live code of a time to come, by a stolen key", at, Flags::default()).map(Some)
    }

    fn draw_code(&mut self) -> anyhow::Result<Option<Shown>> {
        let person = self.dice.random_range(0..self.city.people.len());
        let shown = match self.dice.random_range(0..100) {
            0..=32 => {
                let now = self.city.registry().now();
                let (what, at) = match self.dice.random_range(0..20) {
                    0 => ("live code, some minutes old", Some(now - self.dice.random_range(0..1_200))),
                    _ => ("live code", None),
                };
                self.city.live(person, at).ok().map(|text| Shown::ours(what, text))
            }
            33..=54 => self.carried(person)?,
            55..=66 => {
                let days = self.dice.random_range(1..12);
                let at = self.dice.random_bool(0.15);
                let at = at.then(|| self.city.registry().now() + self.dice.random_range(3_600..200_000));
                self.city.printed(person, days, at).ok().map(|text| Shown::ours("printed code", text))
            }
            67..=80 => {
                let old = |wallet: &Vec<Shown>, at: usize| wallet.get(at).cloned();
                let n = self.wallet.len();
                // Mostly a code of a moment ago.
                let at = if self.dice.random() { n.saturating_sub(self.dice.random_range(1..5)) } else { 0 };
                let at = if at == 0 && n > 0 { self.dice.random_range(0..n) } else { at };
                return Ok(old(&self.wallet, at));
            }
            81..=83 => {
                let now = self.city.registry().now();
                Some(live_by_our_key(&self.city, "specimen", now, Flags { specimen: true })?)
            }
            _ => {
                let like = (!self.wallet.is_empty()).then(|| self.dice.random_range(0..self.wallet.len()));
                let like = like.map(|at| self.wallet[at].clone());
                return forgery(&self.city, like.as_ref(), &mut self.dice).map(Some);
            }
        };
        self.wallet.extend(shown.clone());
        Ok(shown)
    }

    /// A code that a phone makes alone, by its own clock.
    fn carried(&mut self, person: usize) -> anyhow::Result<Option<Shown>> {
        if self.city.people[person].certificate.is_none() || self.dice.random_bool(0.2) {
            let hours = self.dice.random_range(1..37);
            if self.city.certify(person, hours).is_err() {
                return Ok(None);
            }
        }
        let ahead = match self.dice.random_range(0..20) {
            0..=13 => self.dice.random_range(-60..60),
            14..=16 => self.dice.random_range(-1_300..1_300),
            17..=18 => self.dice.random_range(-90_000..90_000),
            _ => self.city.people[person].ahead,
        };
        let phone = &mut self.city.people[person];
        phone.ahead = ahead;
        let made_at = u32::try_from(self.world.seconds() + ahead)?;
        let code = phone.certificate.as_ref().map(|certificate| Carried::make(certificate, made_at, &phone.phone));
        Ok(code.map(|text| Shown::ours("carried code", text)))
    }

    fn present(&mut self, lane: usize, shown: &Shown) -> Step {
        let relay = if self.dice.random_bool(0.03) { Relay::Broken } else { Relay::Works };
        let Lane { gate, .. } = &mut self.lanes[lane];
        let Some(presented) = gate.present(&shown.text, relay, &mut self.dice) else { return Ok(()) };
        self.note(lane, shown, &presented)?;
        // Handed back through the fence.
        let again = presented.gate == GateOutcome::Opened && presented.journaled && self.dice.random_bool(0.15);
        if again { self.present(lane, shown) } else { Ok(()) }
    }

    /// The observer sees what the gate said.
    fn note(&mut self, lane: usize, shown: &Shown, presented: &Presented) -> Step {
        let Presented { reading, decision, gate, .. } = presented;
        let (verdict, reason) = (decision.verdict.name(), decision.reason.code());
        let mut line = format!("gate {lane}: {} -> {verdict} {reason} {:?}", shown.what, decision.detail);
        write!(line, ", {}", reading.source.name()).ok();
        match reading.width() {
            Some(width) => write!(line, " to {:.1} s", width.as_secs_f64()).ok(),
            None => write!(line, ", no upper bound").ok(),
        };
        self.say(line);
        self.count(format!("verdict: {verdict} {reason}"));
        self.count(format!("clock: {}", reading.source.name()));
        let Lane { gate: here, ledger } = &mut self.lanes[lane];
        let truth = [self.world.now(), self.world.highest()].map(|ns| ns.div_euclid(SECOND));
        let scene = Scene {
            truth: truth.map(|s| i64::try_from(s).unwrap_or(i64::MAX)),
            known: self.city.known(ledger.head()),
            policy: &here.standing.policy,
            used: ledger.used(&shown.text),
            reading: *reading,
        };
        let judged = judge(shown, &scene, decision);
        ledger.event(presented.id, presented.journaled);
        if *gate == GateOutcome::Opened {
            ledger.let_in(&shown.text, presented.journaled);
            let kind = decision.kind.map_or("nothing", tongguan_pass::Kind::name);
            self.count(format!("let in: {kind}"));
        }
        if *gate == GateOutcome::Fault {
            self.count("relay broken: the use is given back");
        }
        judged.map_err(|e| format!("gate {lane}, {} ({}): {verdict} {reason}: {e}", shown.what, shown.text))
    }

    // What comes over the network, or on a stick.

    fn sync(&mut self, lane: usize) -> Step {
        let fault = match self.dice.random_range(0..100) {
            0..=44 => Fault::None,
            _ => match Fault::ALL[self.dice.random_range(0..Fault::ALL.len())] {
                Fault::CutAfter(_) => Fault::CutAfter(self.dice.random_range(1..8)),
                fault => fault,
            },
        };
        self.sync_with(lane, fault)
    }

    fn sync_with(&mut self, lane: usize, fault: Fault) -> Step {
        let dice = ChaCha8Rng::seed_from_u64(self.dice.random());
        let network = Network::new(&self.city, fault, &self.memory, dice, self.tally);
        let Lane { gate, ledger } = &mut self.lanes[lane];
        let was_cut = |gate: &Gate| gate.disk().cut_at().is_some();
        let Some(report) = gate.sync(&network) else { return Ok(()) };
        let said = match &report {
            Ok(r) => format!("head {}, {} events sent, {} wait", r.version, r.events_sent, r.events_waiting),
            Err(e) => e.to_string(),
        };
        let cut = was_cut(gate);
        let newer = ledger.check_lists(gate, &self.city, Lists::MayBeNewer);
        let wrong = |e: String| format!("gate {lane}, sync ({}): {e}", fault.name());
        if newer.map_err(wrong)? {
            self.tally.borrow_mut().count("lists: newer ones applied");
        }
        if !cut && self.city.disk().cut_at().is_none() {
            ledger.check_registry(gate, &self.city, false).map_err(wrong)?;
        }
        self.say(format!("gate {lane}: sync, {}: {said}", fault.name()));
        match (&report, fault) {
            // What an honest network brings is taken, whatever was before.
            (Ok(r), Fault::None) if !cut => {
                self.count(Fault::None.name());
                let lane = &self.lanes[lane];
                let is_current = self.city.heads().last().is_some_and(|head| head == lane.ledger.head());
                let knows_the_time = lane.gate.reading().is_some_and(|r| r.latest.is_some());
                match r {
                    _ if !is_current => Err(wrong("the gate has not got the current head".into())),
                    _ if !knows_the_time => Err(wrong("the gate does not know the time after it".into())),
                    r if r.events_waiting > 0 => Err(wrong(format!("{} events still wait", r.events_waiting))),
                    _ => Ok(()),
                }
            }
            (Err(e), Fault::None) if !cut => Err(wrong(format!("it fails: {e}"))),
            (Err(e), _) => {
                let words: String = e.to_string().chars().take_while(|c| *c != ':' && *c != '(').collect();
                let words = words.split("v1/").next().unwrap_or_default().trim().to_owned();
                if !cut {
                    self.count(format!("sync refused: {words}"));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn stick(&mut self, lane: usize) -> Step {
        if self.sticks.is_empty() || self.dice.random_bool(0.4) {
            let stick = Stick::copy(self.city.registry()).map_err(|e| format!("no stick can be made: {e}"))?;
            self.sticks.push(stick);
            self.say("a stick is copied");
            return Ok(());
        }
        let stick = self.sticks[self.dice.random_range(0..self.sticks.len())].clone();
        let Lane { gate, ledger } = &mut self.lanes[lane];
        let Some(report) = gate.sync(&stick) else { return Ok(()) };
        let newer = ledger.check_lists(gate, &self.city, Lists::MayBeNewer);
        let newer = newer.map_err(|e| format!("gate {lane}, stick: {e}"))?;
        self.count(if newer { "stick: newer lists" } else { "stick: nothing newer" });
        self.say(format!(
            "gate {lane}: stick: {}",
            report.map_or_else(|e| e.to_string(), |r| format!("head {}", r.version))
        ));
        Ok(())
    }

    // What the registry does.

    fn registry_acts(&mut self) -> Step {
        let failed = |what: &'static str| move |e: anyhow::Error| format!("the registry cannot {what}: {e:#}");
        match self.dice.random_range(0..13) {
            0..=3 => {
                let person = self.dice.random_range(0..self.city.people.len());
                let dropped = self.city.revoke(person).map_err(|e| format!("the registry cannot revoke: {e}"))?;
                if let Some(handle) = dropped {
                    self.count("registry: handle dropped");
                    self.say(format!("person {person} is revoked (handle {handle})"));
                }
            }
            4..=7 => {
                let head = self.city.publish().map_err(failed("publish"))?;
                self.count("registry: head published");
                self.say(format!("head {} is published, {} revoked", head.version, head.revocations.count));
            }
            8..=9 => {
                let purpose = Purpose::ALL[self.dice.random_range(0..5)];
                let from = self.city.registry().now() + self.dice.random_range(0..3 * 86_400);
                // There may be a next key already, or the current one ends before.
                if self.city.rotate(purpose, from).is_ok_and(|made| made) {
                    self.count(format!("registry: next key made, {}", purpose.name()));
                    self.say(format!("the next {} key is made", purpose.name()));
                }
            }
            10 => {
                let keys = self.city.current().map_err(failed("say its keys"))?.keys.clone();
                let key = &keys[self.dice.random_range(0..keys.len())];
                self.city.revoke_key(key.id).map_err(failed("revoke a key"))?;
                self.count(format!("registry: key revoked, {}", key.purpose.name()));
                self.say(format!("key {} ({}) is revoked", key.id.0, key.purpose.name()));
            }
            11 => {
                self.city.rotate_root().map_err(failed("replace the root"))?;
                self.count("registry: root replaced");
                self.say("the root is replaced");
            }
            _ => {
                self.city.restart().map_err(|e| format!("the registry does not start: {e}"))?;
                self.count("registry: restarted");
            }
        }
        Ok(())
    }

    /// The registry's power goes while it does something, which it then is asked for again.
    fn registry_power_cut(&mut self, lane: usize) -> Step {
        self.city.disk().cut_in(self.dice.random_range(0..16));
        let person = self.dice.random_range(0..self.city.people.len());
        let doing = match self.dice.random_range(0..6) {
            0 => self
                .city
                .live(person, None)
                .map(|text| self.wallet.push(Shown::ours("live code", text)))
                .map_or_else(|_| "issuing", |()| "nothing"),
            1 => self.city.revoke(person).map_or("revoking", |_| "nothing"),
            2 => self.city.publish().map_or("publishing", |_| "nothing"),
            3 => {
                let keys = self.city.current().map_err(|e| e.to_string())?.keys.clone();
                let id = keys[self.dice.random_range(0..keys.len())].id;
                self.city.revoke_key(id).map_or("revoking a key", |_| "nothing")
            }
            _ => {
                let sent = self.sync_with(lane, Fault::Registry).map(|()| "taking in events");
                sent?
            }
        };
        let at = self.city.disk().cut_at().unwrap_or_else(|| "between two steps".into());
        let left = [Left::All, Left::Synced, Left::Some, Left::Some][self.dice.random_range(0..4)];
        self.say(format!("the registry: power cut in {doing}, at {at}; left {left:?}"));
        let back = self.city.cut_off(left, &mut self.dice);
        back.map_err(|e| format!("the registry, power cut in {doing}, at {at}, left {left:?}: {e:#}"))?;
        self.count(format!("registry, power cut in: {doing}"));
        self.count(format!("registry, power cut at: {at}"));
        let again = match doing {
            "issuing" => self.city.live(person, None).map(drop).map_err(Into::into),
            "revoking" => self.city.revoke(person).map(drop),
            _ => self.city.publish().map(drop),
        };
        again.map_err(|e| format!("the registry, after a power cut in {doing}: {e:#}"))?;
        for (number, lane) in self.lanes.iter().enumerate() {
            let checked = lane.ledger.check_registry(&lane.gate, &self.city, false);
            checked.map_err(|e| format!("gate {number}, after the registry's power cut: {e}"))?;
        }
        Ok(())
    }

    // What happens to a gate.

    fn clocks(&mut self, lane: usize) -> Step {
        // A forger comes when the clock has heard the truth in this run of the machine: before, nothing protects it.
        let sure = self.lanes[lane].gate.can_tell_forgers();
        let leapt = self.scenario.leapt;
        let (what, leapt) = self.scenario.gates[lane].change_clocks(&self.world, lane, sure, leapt, &mut self.dice);
        self.scenario.leapt = leapt;
        self.count(what);
        self.say(format!("gate {lane}: {what}"));
        Ok(())
    }

    fn start(&mut self, lane: usize) -> Step {
        let Lane { gate, ledger } = &mut self.lanes[lane];
        gate.start().map_err(|e| format!("gate {lane} does not start: {e}"))?;
        let came = ledger.check_journal(gate).map_err(|e| format!("gate {lane}, started: {e}"))?;
        let newer = ledger.check_lists(gate, &self.city, Lists::MayBeNewer);
        newer.map_err(|e| format!("gate {lane}, started: {e}"))?;
        let folder = std::fs::read_dir(gate.folder()).map_err(|e| e.to_string())?;
        let mut names = folder.flatten().map(|e| e.file_name().to_string_lossy().into_owned());
        if let Some(name) = names.find(|n| n.contains(".damaged") || n.contains("device-before")) {
            return Err(format!("gate {lane}, started: {name} was set aside"));
        }
        came.into_iter().for_each(|came| self.count(came));
        Ok(())
    }

    fn restart(&mut self, lane: usize) -> Step {
        // Whoever forges the time goes on while the program is away; without what it kept it could not know better.
        self.world.change(lane, |m, _| m.end_forgery());
        if self.dice.random() {
            self.lanes[lane].gate.stop();
            self.say(format!("gate {lane}: the program ends and starts"));
            self.count("program: ended in order");
        } else {
            self.lanes[lane].gate.cut_off(Left::All, &mut self.dice).map_err(|e| e.to_string())?;
            self.say(format!("gate {lane}: the program is killed and starts"));
            self.count("program: killed");
        }
        self.start(lane)
    }

    fn cold_boot(&mut self, lane: usize) -> Step {
        self.lanes[lane].gate.stop();
        let what = self.scenario.gates[lane].boot(&self.world, lane, &mut self.dice);
        self.count(what);
        self.say(format!("gate {lane}: {what}"));
        if self.dice.random_bool(0.1) {
            let file = self.lanes[lane].gate.folder().join("clock.json");
            std::fs::write(file, "{\"floor\":").map_err(|e| e.to_string())?;
            self.count("clock.json: damaged");
            self.say(format!("gate {lane}: its clock.json is damaged"));
        }
        self.start(lane)
    }

    /// The power goes while something is done, at a step of the databases' way to the disk or between two.
    fn power_cut(&mut self, lane: usize) -> Step {
        let clock_file = self.lanes[lane].gate.folder().join("clock.json");
        let clock_before = std::fs::read(&clock_file).ok();
        let step = self.dice.random_range(0..24);
        self.lanes[lane].gate.disk().cut_in(step);
        let doing = match self.dice.random_range(0..10) {
            0..=3 => {
                self.show(lane)?;
                "presentation"
            }
            4..=7 => {
                self.sync(lane)?;
                "sync"
            }
            8 => {
                self.lanes[lane].gate.stop();
                "end of the program"
            }
            _ => {
                self.lanes[lane].gate.stop();
                let started = self.lanes[lane].gate.start();
                if started.is_err() && self.lanes[lane].gate.disk().cut_at().is_none() {
                    return Err(format!("gate {lane} does not start: {:?}", started.err()));
                }
                "start of the program"
            }
        };
        let at = self.lanes[lane].gate.disk().cut_at();
        let left = [Left::All, Left::Synced, Left::Some, Left::Some][self.dice.random_range(0..4)];
        self.lanes[lane].gate.cut_off(left, &mut self.dice).map_err(|e| e.to_string())?;
        let at = at.unwrap_or_else(|| "between two steps".into());
        self.say(format!("gate {lane}: power cut in {doing}, at {at}; left {left:?}"));
        self.count(format!("power cut in: {doing}"));
        self.count(format!("power cut at: {at}"));
        self.count(format!("power cut, left: {left:?}"));
        // `clock.json` is replaced whole: the old one may still be there, and half a new one beside it.
        if self.dice.random()
            && let Some(before) = clock_before
        {
            std::fs::write(&clock_file, before).map_err(|e| e.to_string())?;
            std::fs::write(clock_file.with_extension("json.new"), "{\"fl").map_err(|e| e.to_string())?;
        }
        let what = self.scenario.gates[lane].boot(&self.world, lane, &mut self.dice);
        self.count(what);
        self.start(lane)
    }

    // What must be true.

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
