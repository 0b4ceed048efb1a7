//! Who is on duty at this lane. PINs are looked at in a thread of their own: argon2 takes its time, the queue does not wait.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};
use tongguan_pass::Answer;

use crate::decide::{CodeId, Verdict};
use crate::guards::{Door, Guard, LogInError, Pin, Role, Roster, Shift};
use crate::lang::Text;
use crate::screen::{Guards, OnDuty};

/// What was said to somebody who wanted to log in is of no use to the next one.
const SAID_FOR: Duration = Duration::from_secs(30);
/// Codes that have logged somebody in, remembered at most: more than guards show while one of them is good.
const MOST_SPENT: usize = 64;

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
    /// Why the list could not be read when it was last looked at.
    fault: Option<Text>,
    door: Door,
    shift: Option<Shift>,
    /// Shifts begun since the start.
    shifts: u64,
    handed_over: Option<OnDuty>,
    checking: bool,
    /// And until when.
    said: Option<(Text, Instant)>,
    /// A code logs somebody in once: whoever took a picture of it comes too late.
    spent: VecDeque<CodeId>,
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
            fault: None,
            door: Door::default(),
            shift: None,
            shifts: 0,
            handed_over: None,
            checking: false,
            said: None,
            spent: VecDeque::new(),
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
        match (self.door.knock(now), self.roster.find(name)) {
            (Err(refused), _) => self.refuse(refused, now),
            (_, None) => self.say(Text::new("此人已不在名单", "Not on the list any more"), now, SAID_FOR),
            (Ok(()), Some(guard)) => {
                let (guard, tell) = (guard.clone(), self.tell.clone());
                let look = move || {
                    let right = guard.has_pin(&pin);
                    // A lane that has ended wants to know no more.
                    tell.send(Checked { guard, right }).ok();
                };
                self.checking = std::thread::Builder::new().name("pin".into()).spawn(look).is_ok();
                self.say(Text::new("正在核对…", "One moment…"), now, SAID_FOR);
            }
        }
    }

    pub(super) fn checked(&mut self, Checked { guard, right }: Checked, now: Instant) {
        self.checking = false;
        match self.door.answer(right, now) {
            Err(refused) => self.refuse(refused, now),
            // Removed while it was looked at.
            Ok(()) if self.roster.find(&guard.name) != Some(&guard) => {}
            Ok(()) => self.begin(guard, now),
        }
    }

    /// Whether anybody logs in with their own code.
    pub(super) fn knows_codes(&self) -> bool {
        self.roster.guards().iter().any(|guard| guard.handle().is_some())
    }

    /// Somebody's code, which is theirs beyond doubt, is shown to the guard's page: a guard's logs them in. Whether it was one.
    pub(super) fn show_code(&mut self, handle: u32, code: CodeId, now: Instant) -> bool {
        let guard = self.roster.guards().iter().find(|guard| guard.handle() == Some(handle)).cloned();
        let Some(guard) = guard.filter(|_| !self.spent.contains(&code)) else { return false };
        if self.name() != guard.name {
            if self.spent.len() >= MOST_SPENT {
                self.spent.pop_front();
            }
            self.spent.push_back(code);
            self.begin(guard, now);
        }
        true
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
        self.said.take_if(|(_, until)| now >= *until);
        if away || removed {
            self.end(now);
            self.said = None;
        }
        if away {
            // Whoever comes back may take longer, and wants to know.
            self.say(Text::new("长时间无人操作，已自动退出", "Logged out: nobody was there"), now, self.away_after);
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
        self.is_on() || (self.roster.guards().is_empty() && self.fault.is_none())
    }

    /// What is wrong with the list of guards.
    pub(super) fn fault(&self) -> Option<&Text> {
        self.fault.as_ref()
    }

    pub(super) fn name(&self) -> &str {
        self.shift.as_ref().map_or("", |s| &s.guard)
    }

    pub(super) fn view(&self, now: Instant) -> Guards {
        Guards {
            names: self.roster.guards().iter().map(|g| g.name.clone()).collect(),
            on_duty: self.shift.as_ref().map(|s| on_duty(s, self.shifts, now)),
            handed_over: self.handed_over.clone(),
            said: self.said.as_ref().map(|(text, _)| text.clone()),
            codes: self.knows_codes(),
            held: false,
        }
    }

    fn begin(&mut self, guard: Guard, now: Instant) {
        self.end(now);
        self.said = None;
        // No names here: the log has other readers than the journal.
        tracing::info!("a guard is on duty");
        self.shifts += 1;
        self.shift = Some(Shift::begin(guard.name, guard.role, now));
    }

    fn refuse(&mut self, refused: LogInError, now: Instant) {
        let lasts = if let LogInError::Wait(pause) = refused { pause } else { SAID_FOR };
        self.say(words(refused), now, lasts);
    }

    fn say(&mut self, text: Text, now: Instant, lasts: Duration) {
        self.said = Some((text, now + lasts));
    }

    fn end(&mut self, now: Instant) {
        if let Some(shift) = self.shift.take() {
            tracing::info!("the guard is off duty");
            self.handed_over = Some(on_duty(&shift, self.shifts, now));
        }
    }

    fn read_roster(&mut self) {
        match Roster::read(&self.file) {
            Ok(roster) => (self.roster, self.fault) = (roster, None),
            // Whoever was on the list stays on it. A list that cannot be read is not one on which nobody is.
            Err(error) => {
                if self.fault.is_none() {
                    tracing::error!("{error}");
                }
                self.fault = Some(Text::new(
                    "保安名单无法读取：无人能登录，请管理员检查 guards.json",
                    "the list of guards cannot be read, so nobody can log in: check guards.json and who owns it",
                ));
            }
        }
    }
}

fn on_duty(shift: &Shift, number: u64, now: Instant) -> OnDuty {
    let since = now.saturating_duration_since(shift.since).as_secs().max(60);
    OnDuty {
        number,
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
    fn what_was_said_to_somebody_is_gone_when_it_is_out_of_date() {
        let (folder, start) = (tempfile::tempdir().unwrap(), Instant::now());
        let mut duty = duty(&folder);
        let at = |s| start + Duration::from_secs(s);
        let said = |duty: &mut Duty, now| {
            duty.tidy(now);
            duty.view(now).said.map(|text| text.en)
        };
        try_in(&mut duty, "王", "2581", at(0));
        assert_eq!(said(&mut duty, at(29)).as_deref(), Some("Wrong PIN"));
        assert_eq!(said(&mut duty, at(30)), None);
        try_in(&mut duty, "王", "2581", at(40));
        try_in(&mut duty, "王", "2581", at(40));
        assert!(said(&mut duty, at(44)).unwrap().contains("wait 5 seconds"));
        assert_eq!(said(&mut duty, at(45)), None, "the wait is over");
    }

    #[test]
    fn two_shifts_that_are_alike_are_two() {
        let (folder, start) = (tempfile::tempdir().unwrap(), Instant::now());
        let mut duty = duty(&folder);
        let mut shift = || {
            try_in(&mut duty, "王", "2580", start);
            duty.log_out(start);
            duty.view(start).handed_over.unwrap()
        };
        let (first, second) = (shift(), shift());
        assert_ne!(first, second);
        assert_eq!(OnDuty { number: second.number, ..first }, second);
    }

    #[test]
    fn a_guards_own_code_logs_them_in_once_and_nobody_elses_does() {
        let (folder, start) = (tempfile::tempdir().unwrap(), Instant::now());
        let mut duty = duty(&folder);
        assert!(!duty.knows_codes() && !duty.view(start).codes);
        duty.roster.know_code("Li", 77).unwrap();
        duty.roster.write(&duty.file).unwrap();
        duty.tidy(start);
        assert!(duty.knows_codes() && duty.view(start).codes);
        let code = |n: u8| CodeId([n; 16]);
        assert!(!duty.show_code(78, code(1), start) && !duty.is_on(), "a resident");
        assert!(duty.show_code(77, code(2), start));
        assert_eq!(duty.name(), "Li");
        let number = duty.view(start).on_duty.unwrap().number;
        assert!(duty.show_code(77, code(3), start), "on duty already");
        assert_eq!(duty.view(start).on_duty.unwrap().number, number, "and goes on");
        duty.log_out(start);
        assert!(!duty.show_code(77, code(2), start) && !duty.is_on(), "a picture of the code");
        assert!(duty.show_code(77, code(4), start) && duty.is_on());
    }

    #[test]
    fn a_gate_without_a_list_leaves_it_to_whoever_stands_there() {
        let folder = tempfile::tempdir().unwrap();
        let duty = Duty::new(folder.path().join("guards.json"), Duration::from_secs(60));
        assert!(duty.somebody_may_decide() && !duty.is_on());
        assert_eq!(duty.name(), "");
    }

    #[test]
    fn a_list_that_cannot_be_read_is_not_one_on_which_nobody_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("guards.json");
        std::fs::write(&file, "{\"broken").unwrap();
        let mut duty = Duty::new(file.clone(), Duration::from_secs(60));
        assert!(!duty.somebody_may_decide() && duty.fault().is_some());
        std::fs::remove_file(&file).unwrap();
        duty.read_roster();
        assert!(duty.somebody_may_decide() && duty.fault().is_none());
    }
}
