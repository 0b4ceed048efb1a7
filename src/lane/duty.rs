//! Who is on duty at this lane. PINs are looked at in a thread of their own: argon2 takes its time, the queue does not wait.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};
use tongguan_pass::Answer;

use crate::decide::Verdict;
use crate::guards::{Door, Guard, LogInError, Pin, Role, Roster, Shift};
use crate::lang::Text;
use crate::screen::{Guards, OnDuty};

/// A PIN was looked at.
#[derive(Debug)]
pub(super) struct Checked {
    guard: Guard,
    right: bool,
}

pub(super) struct Duty {
    file: PathBuf,
    away_after: Duration,
    roster: Roster,
    door: Door,
    shift: Option<Shift>,
    handed_over: Option<OnDuty>,
    checking: bool,
    said: Option<Text>,
    tell: Sender<Checked>,
    checks: Receiver<Checked>,
}

impl Duty {
    pub(super) fn new(file: PathBuf, away_after: Duration) -> Self {
        let (tell, checks) = unbounded();
        let mut duty = Self {
            file,
            away_after,
            roster: Roster::default(),
            door: Door::default(),
            shift: None,
            handed_over: None,
            checking: false,
            said: None,
            tell,
            checks,
        };
        duty.read_roster();
        duty
    }

    /// Where the answers to [`Duty::log_in`] come.
    pub(super) fn checks(&self) -> Receiver<Checked> {
        self.checks.clone()
    }

    pub(super) fn log_in(&mut self, name: &str, pin: Pin, now: Instant) {
        if self.checking {
            return;
        }
        self.said = match (self.door.knock(now), self.roster.find(name)) {
            (Err(refused), _) => Some(words(refused)),
            (_, None) => Some(Text::new("此人已不在名单", "Not on the list any more")),
            (Ok(()), Some(guard)) => {
                let (guard, tell) = (guard.clone(), self.tell.clone());
                let look = move || {
                    let right = guard.has_pin(&pin);
                    // A lane that has ended wants to know no more.
                    tell.send(Checked { guard, right }).ok();
                };
                self.checking = std::thread::Builder::new().name("pin".into()).spawn(look).is_ok();
                Some(Text::new("正在核对…", "One moment…"))
            }
        };
    }

    pub(super) fn checked(&mut self, Checked { guard, right }: Checked, now: Instant) {
        self.checking = false;
        match self.door.answer(right, now) {
            Err(refused) => self.said = Some(words(refused)),
            // Removed while it was looked at.
            Ok(()) if self.roster.find(&guard.name) != Some(&guard) => {}
            Ok(()) => {
                self.end(now);
                self.said = None;
                tracing::info!(guard = guard.name, "on duty");
                self.shift = Some(Shift::begin(guard.name, guard.role, now));
            }
        }
    }

    pub(super) fn log_out(&mut self, now: Instant) {
        self.end(now);
        self.said = None;
    }

    pub(super) fn touch(&mut self, now: Instant) {
        if let Some(shift) = &mut self.shift {
            shift.touch(now);
        }
    }

    /// Ends the shift of somebody who is gone, and learns who may log in now.
    pub(super) fn tidy(&mut self, now: Instant) {
        self.read_roster();
        let away = self.shift.as_ref().is_some_and(|s| s.is_away(now, self.away_after));
        let removed = self.shift.as_ref().is_some_and(|s| self.roster.find(&s.guard).is_none());
        if away || removed {
            self.end(now);
            self.said = away.then(|| Text::new("长时间无人操作，已自动退出", "Logged out: nobody was there"));
        }
    }

    pub(super) fn count(&mut self, verdict: Verdict) {
        if let Some(shift) = &mut self.shift {
            shift.counts.count(verdict);
        }
    }

    pub(super) fn ruled(&mut self, verdict: Verdict, answer: Answer) {
        let Some(Shift { counts, .. }) = &mut self.shift else { return };
        match (verdict, answer) {
            (Verdict::Deny, Answer::LetIn) => counts.overridden += 1,
            (_, Answer::LetIn) => counts.let_in += 1,
            (_, Answer::TurnedAway) => counts.turned_away += 1,
        }
    }

    pub(super) fn is_on(&self) -> bool {
        self.shift.is_some()
    }

    /// Who is on duty, if they look after the device.
    pub(super) fn technician(&self) -> Option<&str> {
        self.shift.as_ref().filter(|s| s.role == Role::Technician).map(|s| s.guard.as_str())
    }

    /// Where nobody has a PIN, whoever stands there decides.
    pub(super) fn somebody_may_decide(&self) -> bool {
        self.is_on() || self.roster.guards().is_empty()
    }

    pub(super) fn name(&self) -> &str {
        self.shift.as_ref().map_or("", |s| &s.guard)
    }

    pub(super) fn view(&self, now: Instant) -> Guards {
        Guards {
            names: self.roster.guards().iter().map(|g| g.name.clone()).collect(),
            on_duty: self.shift.as_ref().map(|s| on_duty(s, now)),
            handed_over: self.handed_over.clone(),
            said: self.said.clone(),
        }
    }

    fn end(&mut self, now: Instant) {
        if let Some(shift) = self.shift.take() {
            tracing::info!(guard = shift.guard, "off duty");
            self.handed_over = Some(on_duty(&shift, now));
        }
    }

    fn read_roster(&mut self) {
        match Roster::read(&self.file) {
            Ok(roster) => self.roster = roster,
            // Whoever was on the list stays on it.
            Err(error) => tracing::debug!("{error}"),
        }
    }
}

fn on_duty(shift: &Shift, now: Instant) -> OnDuty {
    let since = now.saturating_duration_since(shift.since).as_secs().max(60);
    OnDuty {
        name: shift.guard.clone(),
        technician: shift.role == Role::Technician,
        // In minutes: a line that changes each second draws the eye for nothing.
        since: Text::span((since - since % 60).cast_signed()),
        counts: shift.counts,
    }
}

fn words(refused: LogInError) -> Text {
    match refused {
        LogInError::Wrong => Text::new("密码不对", "Wrong PIN"),
        LogInError::Wait(pause) => Text::new("密码多次不对，请等{time}", "Too many wrong PINs: wait {time}")
            .with("time", &Text::span(pause.as_secs().max(1).cast_signed())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(text: &str) -> Pin {
        Pin::parse(text).unwrap()
    }

    /// Two guards, and the way in and out.
    fn duty(folder: &tempfile::TempDir) -> Duty {
        let file = folder.path().join("guards.json");
        let mut roster = Roster::default();
        roster.add("王", Role::Guard, &pin("2580")).unwrap();
        roster.add("Li", Role::Technician, &pin("147036")).unwrap();
        roster.write(&file).unwrap();
        Duty::new(file, Duration::from_secs(1800))
    }

    fn try_in(duty: &mut Duty, name: &str, text: &str, now: Instant) {
        duty.log_in(name, pin(text), now);
        if duty.checking {
            let checked = duty.checks.recv().unwrap();
            duty.checked(checked, now);
        }
    }

    #[test]
    fn a_shift_begins_with_the_right_pin_and_is_handed_over_with_its_counts() {
        let (folder, start) = (tempfile::tempdir().unwrap(), Instant::now());
        let mut duty = duty(&folder);
        assert!(!duty.is_on() && !duty.somebody_may_decide());
        try_in(&mut duty, "王", "2581", start);
        assert_eq!(duty.view(start).said.unwrap().en, "Wrong PIN");
        try_in(&mut duty, "王", "2580", start);
        assert_eq!((duty.name(), duty.view(start).said), ("王", None));
        duty.count(Verdict::Pass);
        duty.count(Verdict::Deny);
        duty.ruled(Verdict::Deny, Answer::LetIn);
        duty.ruled(Verdict::Confirm, Answer::LetIn);
        duty.ruled(Verdict::Confirm, Answer::TurnedAway);
        let later = start + Duration::from_secs(3 * 3600);
        try_in(&mut duty, "Li", "147036", later);
        let view = duty.view(later);
        let before = view.handed_over.unwrap();
        assert_eq!((before.name.as_str(), before.since.en.as_str()), ("王", "3 hours"));
        let counts = before.counts;
        assert_eq!(
            (counts.passed, counts.denied, counts.overridden, counts.let_in, counts.turned_away),
            (1, 1, 1, 1, 1)
        );
        assert!(view.on_duty.unwrap().technician);
        duty.log_out(later);
        assert!(!duty.is_on());
    }

    #[test]
    fn guessing_is_slowed_and_who_is_gone_or_removed_is_logged_out() {
        let (folder, start) = (tempfile::tempdir().unwrap(), Instant::now());
        let mut duty = duty(&folder);
        for wrong in ["2581", "2582", "2583"] {
            try_in(&mut duty, "王", wrong, start);
        }
        try_in(&mut duty, "王", "2580", start);
        assert!(!duty.is_on());
        assert_eq!(duty.view(start).said.unwrap().en, "Too many wrong PINs: wait 5 seconds");
        let later = start + Duration::from_secs(5);
        try_in(&mut duty, "王", "2580", later);
        duty.touch(later + Duration::from_secs(1000));
        duty.tidy(later + Duration::from_secs(2700));
        assert!(duty.is_on());
        duty.tidy(later + Duration::from_secs(2800));
        assert!(!duty.is_on());
        let later = later + Duration::from_secs(2800);
        try_in(&mut duty, "Li", "147036", later);
        let mut roster = Roster::read(&duty.file).unwrap();
        roster.remove("Li").unwrap();
        roster.write(&duty.file).unwrap();
        duty.tidy(later);
        assert!(!duty.is_on());
        assert_eq!(duty.view(later).names, ["王"]);
    }

    #[test]
    fn a_gate_without_a_list_leaves_it_to_whoever_stands_there() {
        let folder = tempfile::tempdir().unwrap();
        let duty = Duty::new(folder.path().join("guards.json"), Duration::from_secs(60));
        assert!(duty.somebody_may_decide() && !duty.is_on());
        assert_eq!(duty.name(), "");
    }
}
