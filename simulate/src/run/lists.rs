//! What the registry does, and what comes from it over the network or on a stick.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tongguan_pass::policy::{Answer, Edition, ListLimits, Rule, Surge, Who};
use tongguan_pass::{Policy, Purpose};
use tongguan_registry::domain::genesis::COMMUNITY;

use super::{Lane, Run, Step};
use crate::gate::Gate;
use crate::ledger::Lists;
use crate::network::{Fault, Network, Stick};

impl Run<'_> {
    pub(super) fn sync(&mut self, lane: usize) -> Step {
        let fault = match self.dice.random_range(0..100) {
            0..=44 => Fault::None,
            _ => match Fault::ALL[self.dice.random_range(0..Fault::ALL.len())] {
                Fault::CutAfter(_) => Fault::CutAfter(self.dice.random_range(1..8)),
                fault => fault,
            },
        };
        self.sync_with(lane, fault)
    }

    pub(super) fn sync_with(&mut self, lane: usize, fault: Fault) -> Step {
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

    pub(super) fn stick(&mut self, lane: usize) -> Step {
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

    /// Rules that let in most, ask about some and refuse some, now or in a while, at some hours.
    fn draw_policy(&mut self) -> Policy {
        let now = self.city.registry().now();
        let dice = &mut self.dice;
        let mut editions = Vec::new();
        for community in [0, COMMUNITY] {
            for n in 0..dice.random_range(0..3_u32) {
                let mut rules = Vec::new();
                for _ in 0..dice.random_range(0..3) {
                    let (first, last) = [(0, 255), (1, 1), (2, 9)][dice.random_range(0..3)];
                    let from = dice.random_range(0..1440);
                    let until = (from + dice.random_range(1..1439)) % 1440;
                    rules.push(Rule {
                        first,
                        last,
                        who: [Who::Any, Who::Own][dice.random_range(0..2)],
                        days: dice.random_range(1..128),
                        from,
                        until: if until == 0 { 1440 } else { until },
                        answer: [Answer::Pass, Answer::Confirm, Answer::Deny][dice.random_range(0..3)],
                    });
                }
                if dice.random_bool(0.8) {
                    rules.push(Rule { who: [Who::Any, Who::Own][dice.random_range(0..2)], ..Rule::OWN });
                }
                let confirm_after = [0, 24, 168][dice.random_range(0..3)];
                let deny_after = [48, 200, ListLimits::NEVER][dice.random_range(0..3)].max(confirm_after);
                let effective_from = now - 86_400 + dice.random_range(0..43_200) + n * 86_400;
                editions.push(Edition {
                    community,
                    effective_from,
                    lists: ListLimits { confirm_after, deny_after },
                    rules,
                });
            }
        }
        Policy::new([480, 0, -210][dice.random_range(0..3)], Vec::new(), editions).unwrap_or_default()
    }

    pub(super) fn registry_acts(&mut self) -> Step {
        let failed = |what: &'static str| move |e: anyhow::Error| format!("the registry cannot {what}: {e:#}");
        match self.dice.random_range(0..16) {
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
            12..=13 => {
                let rules = self.draw_policy();
                self.city.set_policy(&rules).map_err(failed("set a policy"))?;
                self.count("registry: policy set");
                self.say(format!("a policy is set: {:?}", rules.editions()));
            }
            14 => {
                let from = self.city.registry().now() + self.dice.random_range(0..7_200);
                let (until, minutes) = (from + self.dice.random_range(600..86_400), self.dice.random_range(11..=60));
                let surge = self.dice.random_bool(0.7).then_some(Surge { from, until, minutes });
                // One may be in force already, or none.
                if self.city.surge(surge).is_ok() {
                    self.count(if surge.is_some() { "registry: surge declared" } else { "registry: surge ended" });
                    self.say(format!("surge: {surge:?}"));
                }
            }
            _ => {
                self.city.restart().map_err(|e| format!("the registry does not start: {e}"))?;
                self.count("registry: restarted");
            }
        }
        Ok(())
    }
}
