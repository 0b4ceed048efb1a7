//! What people hold in front of the cameras, and what the observer says to the answers.

use std::fmt::Write as _;

use rand::RngExt as _;
use tongguan_pass::{Carried, Flags, GateOutcome};

use super::{Lane, Run, Step};
use crate::gate::{Presented, Relay};
use crate::observer::{Scene, judge};
use crate::rules::Rules;
use crate::shown::{Shown, forgery, live_by_our_key};
use crate::world::SECOND;

impl Run<'_> {
    pub(super) fn show(&mut self, lane: usize) -> Step {
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
        let Some(presented) = gate.present(&shown.text, relay) else { return Ok(()) };
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
            rules: Rules {
                policy: self.city.known(ledger.head()).and_then(|k| k.policy.as_ref()),
                communities: &here.standing.policy.communities,
                stale_after_h: here.standing.policy.stale_lists_confirm_after_h,
            },
            used: ledger.used(&shown.text),
            reading: *reading,
        };
        let judged = judge(shown, &scene, decision);
        let by_surge = scene.is_good_by_a_surge(shown);
        ledger.event(presented.id, presented.journaled);
        if *gate == GateOutcome::Opened {
            ledger.let_in(&shown.text, presented.journaled);
            let kind = decision.kind.map_or("nothing", tongguan_pass::Kind::name);
            self.count(format!("let in: {kind}"));
            if by_surge {
                self.count("let in: by a surge");
            }
        }
        if *gate == GateOutcome::Fault {
            self.count("relay broken: the use is given back");
        }
        judged.map_err(|e| format!("gate {lane}, {} ({}): {verdict} {reason}: {e}", shown.what, shown.text))
    }
}
