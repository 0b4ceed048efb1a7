//! What happens to clocks, programs and power.

use rand::RngExt as _;

use super::{Lane, Run, Step};
use crate::disk::Left;
use crate::ledger::Lists;
use crate::network::Fault;
use crate::shown::Shown;

impl Run<'_> {
    pub(super) fn clocks(&mut self, lane: usize) -> Step {
        // A forger comes when the clock has heard the truth in this run of the machine: before, nothing protects it.
        let sure = self.lanes[lane].gate.can_tell_forgers();
        let leapt = self.scenario.leapt;
        let (what, leapt) = self.scenario.gates[lane].change_clocks(&self.world, lane, sure, leapt, &mut self.dice);
        self.scenario.leapt = leapt;
        self.count(what);
        self.say(format!("gate {lane}: {what}"));
        Ok(())
    }

    pub(super) fn start(&mut self, lane: usize) -> Step {
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

    pub(super) fn restart(&mut self, lane: usize) -> Step {
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

    pub(super) fn cold_boot(&mut self, lane: usize) -> Step {
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
    pub(super) fn power_cut(&mut self, lane: usize) -> Step {
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

    /// The registry's power goes while it does something, which it then is asked for again.
    pub(super) fn registry_power_cut(&mut self, lane: usize) -> Step {
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
}
