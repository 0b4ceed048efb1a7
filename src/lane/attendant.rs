//! The thread that hands texts to the judge, obeys the guard, and tells the screen.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, select};
use tongguan_pass::{Answer, GateOutcome};

use super::clerk::{self, Clerk, Found, Question};
use super::duty::Duty;
use super::judge::{Judge, Presented, Timing, Visitor, Word};
use super::past::{self, PastOutcomes};
use super::presentation::Presentations;
use super::visit::{self, Reception};
use super::workshop::Workshop;
use super::{Camera, Parts, Sighting, status};
use crate::config::{CameraSource, Config};
use crate::decide::{CodeId, Decision, Known, Verdict, what, words};
use crate::gate::{Gate, Happened, Signals};
use crate::lang::Text;
use crate::scan::{Readers, Scanned};
use crate::screen::{Guards, Offer, Outcome, Page, Request, Screen, Shown, StatusLine, Visit, Wish};
use crate::sound::{Sound, Tone};
use crate::sync::SyncState;
use crate::watchdog::{Hearts, TURN};

/// How often what waits is written and the status is looked at.
const TIDY: Duration = TURN;

pub(super) struct Attendant {
    config: Config,
    judge: Judge,
    gate: Gate,
    signals: Signals,
    screen: Screen,
    sound: Sound,
    requests: Receiver<Request>,
    sync: Arc<Mutex<SyncState>>,
    camera: Arc<Camera>,
    readers: Readers,
    presentations: Presentations,
    clerk: Clerk,
    reception: Reception,
    duty: Duty,
    workshop: Workshop,
    past: PastOutcomes,
    standing: Option<Standing>,
    /// Since when the screen says who it is.
    named: Option<Instant>,
    /// Where the screen is.
    page: Page,
    /// Who holds the gate open.
    held_by: Option<String>,
    tokens: u64,
    shown_status: Vec<StatusLine>,
    shown_time: Option<Option<String>>,
    at_fault: bool,
    hearts: Arc<Hearts>,
}

/// The verdict that stands on the screen, or stood there last.
struct Standing {
    token: u64,
    event: [u8; 16],
    verdict: Verdict,
    shown: Shown,
}

impl Attendant {
    pub(super) fn new(
        parts: Parts,
        judge: Judge,
        camera: Arc<Camera>,
        clerk: Clerk,
        workshop: Workshop,
        hearts: Arc<Hearts>,
    ) -> Self {
        Self {
            duty: Duty::new(parts.guards, Duration::from_secs(u64::from(parts.config.guards.log_out_after_min) * 60)),
            config: parts.config,
            judge,
            gate: parts.gate,
            signals: parts.signals,
            screen: parts.screen,
            sound: parts.sound,
            requests: parts.requests,
            sync: parts.sync,
            camera,
            readers: parts.readers,
            presentations: Presentations::default(),
            clerk,
            reception: Reception::default(),
            workshop,
            past: PastOutcomes::default(),
            standing: None,
            named: None,
            page: Page::default(),
            held_by: None,
            tokens: 0,
            shown_status: Vec::new(),
            shown_time: None,
            at_fault: false,
            hearts,
        }
    }

    pub(super) fn run(mut self, sightings: &Receiver<Sighting>) -> anyhow::Result<()> {
        // However this thread ends, the screen must not stand there as if all were well.
        let _quit = QuitOnExit(self.screen.clone());
        self.tidy();
        let mut tidied = Instant::now();
        // A screen that is gone wishes nothing.
        let (mut requests, checks, found) = (self.requests.clone(), self.duty.checks(), self.clerk.answers());
        let (done, mut scanned) = (self.workshop.done(), self.readers.scanned());
        loop {
            self.hearts.judge.beat();
            select! {
                recv(sightings) -> sighting => match sighting {
                    Ok(sighting) => self.attend(&sighting),
                    Err(_) => break,
                },
                recv(scanned) -> text => match text {
                    Ok(Scanned { text, at }) => self.attend(&Sighting { texts: vec![text], timing: Timing::scanned(at) }),
                    // There are none.
                    Err(_) => scanned = crossbeam_channel::never(),
                },
                recv(requests) -> request => match request {
                    Ok(request) => self.obey(request),
                    Err(_) => requests = crossbeam_channel::never(),
                },
                recv(checks) -> checked => {
                    checked.into_iter().for_each(|checked| self.duty.checked(checked, Instant::now()));
                    self.show_guards(Instant::now());
                }
                recv(found) -> found => found.into_iter().for_each(|found| self.learn(found)),
                recv(done) -> done => {
                    done.into_iter().for_each(|done| self.workshop.learn(done));
                    self.show_service();
                }
                default(TIDY) => {}
            }
            // Not only when nothing is in view: a poster with a code may stand there all day.
            if tidied.elapsed() >= TIDY {
                tidied = Instant::now();
                self.tidy();
            }
        }
        self.hearts.judge.rest();
        self.gate.wait_closed();
        self.settle();
        self.judge.finish()
    }

    fn attend(&mut self, sighting: &Sighting) {
        // The nearest is the one being shown; the next person's phone may be in view behind it. A payment code beside ours
        // is not what the person is showing.
        let ours = sighting.texts.iter().find(|t| t.starts_with("TG1:"));
        let Some(text) = ours.or(sighting.texts.first()) else { return };
        let now = Instant::now();
        let is_new = self.presentations.is_new(CodeId::of(text), now);
        // Also a code that has stayed in view: the companion may have gone in with it just now.
        if self.page == Page::Visitor && self.reception.expects() {
            self.reception.meet(&self.judge.look(text));
            self.screen.visiting(self.reception.view());
            return;
        }
        if !is_new {
            return;
        }
        // A use may have to be given back before anything is judged.
        self.settle();
        // While the guard's page is open, a guard's own code is for logging in; as with a PIN, nobody goes through.
        if self.page == Page::Guard
            && self.duty.knows_codes()
            && let Some(handle) = self.judge.holder(text)
            && self.duty.show_code(handle, CodeId::of(text), now)
        {
            self.show_guards(now);
            return;
        }
        // The decision and the relay, and only then everything slow.
        let presented = self.judge.present(text, sighting.timing, |people| self.gate.open(people));
        let holder = presented.decision.facts.map(|facts| (facts.community, facts.handle));
        self.show(presented, None);
        if let Some((community, handle)) = holder.filter(|_| !self.person_for().is_zero()) {
            self.clerk.ask(Question::Holder { token: self.tokens, community, handle });
        }
    }

    /// Shows and journals what was decided, and who it is if that is known already.
    fn show(&mut self, presented: Presented, who: Option<Text>) {
        let who = who.filter(|_| !self.person_for().is_zero());
        let shown = Shown { who, ..self.shown(&presented) };
        self.screen.verdict(shown.clone());
        self.sound.play(tone(shown.outcome));
        let (event, verdict) = (presented.id, presented.decision.verdict);
        self.signals.say(verdict);
        self.judge.remember(presented);
        self.duty.count(verdict);
        let now = Instant::now();
        self.past.add(self.time(), &shown, now);
        self.named = shown.who.is_some().then_some(now);
        self.standing = Some(Standing { token: shown.token, event, verdict, shown });
        self.screen.past(self.past.newest_first());
        self.show_status();
    }

    fn obey(&mut self, request: Request) {
        let now = Instant::now();
        if let Request::At(page) = request {
            // Also without a finger: a verdict, or a page left alone.
            self.page = page;
            self.show_service();
            return;
        }
        self.duty.touch(now);
        match request {
            Request::Touched | Request::At(_) => return,
            Request::Companion(expected) => return self.reception.expect(expected),
            Request::Visit(visit) => return self.look_up(visit),
            Request::Service(wish) => return self.serve(wish),
            Request::Rule { token, answer, reason } => self.rule(token, answer, reason),
            Request::LogIn { name, pin } => self.duty.log_in(&name, pin, now),
            Request::LogOut => self.duty.log_out(now),
            Request::Hold(held) => self.hold(held),
        }
        self.show_guards(now);
        self.show_service();
    }

    /// Who may log in, who is on duty, and whether the gate is held open.
    fn show_guards(&self, now: Instant) {
        self.screen.guards(Guards { held: self.gate.stands().held, ..self.duty.view(now) });
    }

    /// A guard on duty holds the gate open, or lets it close; a shift that ends does not close it, and the screen says who it was.
    fn hold(&mut self, held: bool) {
        if !self.config.attended || !self.duty.is_on() || self.gate.stands().held == held {
            return;
        }
        self.settle();
        let guard = self.duty.name().to_owned();
        let gate = self.judge.hold(&guard, held, || self.gate.hold(held));
        self.held_by = Some(guard).filter(|_| gate == GateOutcome::Opened);
        self.show_status();
    }

    /// What a technician wants, if one is on duty; whatever the screen showed, nobody else is obeyed.
    fn serve(&mut self, wish: Wish) {
        let Some(technician) = self.duty.technician().filter(|_| self.page == Page::Service) else {
            tracing::warn!("a wish of the service page without a technician at it was refused");
            return;
        };
        match wish {
            Wish::OpenGate => {
                let technician = technician.to_owned();
                self.open_as_a_test(&technician);
            }
            Wish::TryOut(which) => self.workshop.try_out(which, &self.signals),
            Wish::Sound => {
                self.sound.play(Tone::Pass);
                self.workshop.say(self.sound.state().words());
            }
            Wish::Pack => self.workshop.pack(Instant::now()),
            Wish::Speak(language) => self.workshop.speak(language),
        }
        self.show_service();
    }

    fn open_as_a_test(&mut self, technician: &str) {
        self.settle();
        // What the judge hears next is about this.
        self.standing = None;
        let Some(tried) = self.judge.try_gate(technician, |people| self.gate.open(people)) else { return };
        self.workshop.say(match tried.gate {
            GateOutcome::Opened => Text::new("闸机已打开，并已记录", "The gate was opened; it is in the journal"),
            _ => self.gate.fault().unwrap_or_else(by_hand),
        });
        self.judge.remember_ruling(tried);
    }

    /// The service page, while a technician is at it.
    fn show_service(&mut self) {
        let there = self.page == Page::Service && self.duty.technician().is_some();
        self.workshop.watch(there);
        if there {
            self.workshop.tidy(Instant::now());
            self.screen.service(self.workshop.view(&self.gate, &self.signals, &self.shown_status));
        }
    }

    /// Somebody without a code is looked up, if it is a guard who asks.
    fn look_up(&mut self, visit: Visit) {
        if !self.config.attended {
            return;
        }
        if !self.duty.somebody_may_decide() {
            self.reception.refuse(Text::new("请先登录", "Log in first"));
        } else {
            let number = self.reception.ask(self.duty.name());
            if !self.clerk.ask(Question::Visit { number, visit }) {
                self.reception.refuse(Text::new("正在查询，请稍候再试", "Busy: try again in a moment"));
            }
        }
        self.screen.visiting(self.reception.view());
    }

    fn learn(&mut self, found: Found) {
        match found {
            Found::Holder { token, who } => {
                let Some(standing) = self.standing.as_mut().filter(|s| s.token == token) else { return };
                let who = Text::new(&who, &who);
                standing.shown.who = Some(who.clone());
                self.named = Some(Instant::now());
                self.past.name(&who);
                self.screen.who(token, who);
                self.screen.past(self.past.newest_first());
            }
            Found::Visit { number, visit, known } => self.admit(number, &visit, known),
        }
    }

    fn admit(&mut self, number: u64, visit: &Visit, known: Known) {
        // Whoever asked may have gone meanwhile, or gone back.
        if !self.duty.somebody_may_decide() || !self.reception.waits_for(number, self.duty.name()) {
            return;
        }
        self.settle();
        let who = match &known {
            Known::Listed { resident, .. } => Some(clerk::who(&resident.name, &resident.home)),
            _ => None,
        };
        let visitor = Visitor { document: visit::kind(visit), known, people: visit.people };
        let presented = self.judge.admit(&visitor, |people| self.gate.open(people));
        let (event, note) = (presented.id, self.reception.close(visit));
        self.show(presented, who.map(|who| Text::new(&who, &who)));
        if let Err(error) = self.judge.note(event, &note) {
            tracing::warn!("what the guard typed is not kept for the registry: {error}");
        }
        self.screen.visiting(self.reception.view());
    }

    /// The guard's word counts for the verdict that they saw, and only as far as it was theirs to give.
    fn rule(&mut self, token: u64, answer: Answer, reason: &'static str) {
        let Some(standing) = self.standing.take_if(|s| s.token == token) else { return };
        let allowed = match self.offer(standing.verdict) {
            Offer::Decide => true,
            Offer::Override => answer == Answer::LetIn,
            Offer::Nothing | Offer::LogIn => false,
        };
        if !allowed {
            // Whoever was on duty is no longer: what can be done now stands there instead.
            self.screen.verdict(Shown { offer: self.offer(standing.verdict), ..standing.shown.clone() });
            self.standing = Some(standing);
            return;
        }
        let word = Word { guard: self.duty.name().to_owned(), answer, reason: reason.to_owned() };
        let Some(ruled) = self.judge.rule(standing.event, word, |people| self.gate.open(people)) else { return };
        let shown = ruling(&standing.shown, answer, ruled.gate);
        let heard = tone(shown.outcome);
        self.screen.verdict(shown);
        self.sound.play(heard);
        self.signals.say(if answer == Answer::LetIn { Verdict::Pass } else { Verdict::Deny });
        self.judge.remember_ruling(ruled);
        self.duty.ruled(standing.verdict, answer);
        self.past.rule(&past::ruling(answer));
        self.screen.past(self.past.newest_first());
    }

    /// What the guard can do about a verdict.
    fn offer(&self, verdict: Verdict) -> Offer {
        match verdict {
            _ if !self.config.attended => Offer::Nothing,
            Verdict::Pass => Offer::Nothing,
            Verdict::Confirm if self.duty.somebody_may_decide() => Offer::Decide,
            Verdict::Confirm => Offer::LogIn,
            Verdict::Deny if self.duty.is_on() => Offer::Override,
            Verdict::Deny => Offer::Nothing,
        }
    }

    fn shown(&mut self, presented: &Presented) -> Shown {
        self.tokens += 1;
        let decision = &presented.decision;
        let shown = verdict(decision, presented.gate, &self.config.policy.communities);
        Shown { offer: self.offer(decision.verdict), token: self.tokens, ..shown }
    }

    /// How long a name or a number may stay in memory for the screen.
    fn person_for(&self) -> Duration {
        Duration::from_secs(self.config.show.person_s.into())
    }

    /// Forgets whose the verdicts were whose time is up.
    fn forget_people(&mut self, now: Instant) {
        let after = self.person_for();
        if self.named.take_if(|since| now.saturating_duration_since(*since) >= after).is_some() {
            self.screen.forget_who();
            if let Some(standing) = &mut self.standing {
                standing.shown.who = None;
            }
        }
        if self.past.forget(now, after) {
            self.screen.past(self.past.newest_first());
        }
    }

    /// What has ended at the gate since the last time.
    fn settle(&mut self) {
        self.gate.take_ended().into_iter().for_each(|ended| self.judge.ended(ended));
        for what in self.gate.take_happened() {
            tracing::warn!("at the gate: {what:?}");
            self.judge.happened(what);
            if matches!(what, Happened::Tailgate | Happened::DoorHeld | Happened::Fire) {
                self.sound.play(Tone::Fault);
                self.signals.alarm();
            }
        }
    }

    fn tidy(&mut self) {
        let now = Instant::now();
        self.settle();
        self.judge.tidy();
        self.duty.tidy(now);
        self.forget_people(now);
        self.show_guards(now);
        let time = self.judge.knows_the_time().then(|| self.time());
        if self.shown_time.as_ref() != Some(&time) {
            self.shown_time = Some(time.clone());
            self.screen.time(time);
        }
        self.show_status();
        self.show_service();
    }

    /// The time of day as people read it.
    fn time(&self) -> String {
        if !self.judge.knows_the_time() {
            return "--:--".to_owned();
        }
        jiff::tz::TimeZone::system().to_datetime(self.judge.time()).strftime("%H:%M").to_string()
    }

    fn show_status(&mut self) {
        let sync = self.sync.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // A replay may pause as long as it likes.
        let camera = self.camera.problem(matches!(self.config.camera, CameraSource::Camera(_)));
        let (gate, journal, surge) = (self.gate.fault(), self.judge.problem(), self.judge.surge());
        let (signals, reader) = (self.signals.fault(), self.readers.problem());
        let state = status::State {
            ladder: self.judge.standing(),
            surge: surge.as_ref(),
            sync: &sync,
            camera: camera.as_ref(),
            reader: reader.as_ref(),
            gate: gate.as_ref(),
            stands: self.gate.stands(),
            held_by: self.held_by.as_deref(),
            signals: signals.as_ref(),
            journal: journal.as_ref(),
            guards: self.duty.fault(),
        };
        let lines = status::lines(&state);
        if lines != self.shown_status {
            self.workshop.note(&self.time(), &self.shown_status, &lines);
            self.shown_status.clone_from(&lines);
            self.screen.status(lines);
            let fault = status::fault(&state);
            if fault.is_some() && !self.at_fault {
                self.sound.play(Tone::Fault);
            }
            self.at_fault = fault.is_some();
            self.screen.fault(fault);
        }
    }
}

struct QuitOnExit(Screen);

impl Drop for QuitOnExit {
    fn drop(&mut self) {
        self.0.quit();
    }
}

fn tone(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Pass => Tone::Pass,
        Outcome::Confirm => Tone::Confirm,
        Outcome::Deny => Tone::Deny,
    }
}

fn verdict(decision: &Decision, gate: GateOutcome, communities: &[u32]) -> Shown {
    let said = words(decision);
    let outcome = match decision.verdict {
        Verdict::Pass => Outcome::Pass,
        Verdict::Confirm => Outcome::Confirm,
        Verdict::Deny => Outcome::Deny,
    };
    Shown {
        outcome,
        title: said.title,
        guard: if gate == GateOutcome::Fault { by_hand() } else { said.guard },
        resident: said.resident,
        what: what(decision, communities),
        who: None,
        reason: decision.reason.code().to_owned(),
        gate_open: gate == GateOutcome::Opened,
        offer: Offer::Nothing,
        token: 0,
    }
}

/// The verdict after the guard's word to it.
fn ruling(before: &Shown, answer: Answer, gate: GateOutcome) -> Shown {
    let (outcome, resident) = match answer {
        Answer::LetIn => (Outcome::Pass, Text::new("请通行", "Please go through")),
        Answer::TurnedAway => (Outcome::Deny, Text::new("请听值班人员安排", "Please follow the guard's advice")),
    };
    let guard = match gate {
        GateOutcome::Fault => by_hand(),
        _ => Text::new("已记入日志", "It is in the journal"),
    };
    Shown {
        outcome,
        title: past::ruling(answer),
        guard,
        resident,
        gate_open: gate == GateOutcome::Opened,
        offer: Offer::Nothing,
        ..before.clone()
    }
}

fn by_hand() -> Text {
    Text::new("闸机打不开，请手动放行", "The gate does not open: let in by hand")
}
