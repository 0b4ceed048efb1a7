//! What decides and remembers at a lane. No thread, no camera, no screen: whoever turns it hands in texts and a gate.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tongguan_pass::{Answer, DocumentKind, Event, GateOutcome, Passage, Place, Ruling, event};

use super::printer::Printer;
use super::recorder::Recorder;
use super::{inputs, ladder, place, surge};
use crate::clock::{Clock, Reading};
use crate::config::Config;
use crate::decide::{CodeId, Decision, Known, Ladder, Use, Uses, Verdict, decide, decide_visitor, holder};
use crate::gate::{Ended, GateError, Happened, Opening};
use crate::lang::Text;
use crate::store::{CodeChange, Journal, NewEntry, NoteError, StoreError, Trust, sealed_note};

/// The reason of an opening that is only a test (SY 6.11).
const TEST: &str = "gate_test";
/// The reasons of a gate that a guard holds open, and lets close again (SY 6.12).
const HELD: (&str, &str) = ("held_open", "held_over");
/// Openings of which the end may still be told.
const MOST_OPEN: usize = 64;

/// How long a text took on its way here.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// From the frame's arrival to the decoder.
    pub capture: Duration,
    /// In the decoder.
    pub decode: Duration,
    /// When the text was there.
    pub decoded_at: Instant,
}

impl Timing {
    /// Of a text that no frame was looked at for.
    pub(super) fn scanned(at: Instant) -> Self {
        Self { capture: Duration::ZERO, decode: Duration::ZERO, decoded_at: at }
    }
}

/// A text that was judged and acted upon, and is not yet in the journal.
#[derive(Debug)]
#[must_use = "it is not in the journal yet"]
pub struct Presented {
    /// The answer.
    pub decision: Decision,
    /// What the gate did.
    pub gate: GateOutcome,
    /// The id of its event.
    pub id: [u8; 16],
    entry: NewEntry,
    /// Not after this, by the gate's clock.
    latest: Option<jiff::Timestamp>,
    trust: Arc<Trust>,
}

/// What a guard says to an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Who; empty where nobody logs in.
    pub guard: String,
    /// What.
    pub answer: Answer,
    /// Why: a stable code.
    pub reason: String,
}

/// A guard's word that was acted upon, and is not yet in the journal.
#[derive(Debug)]
#[must_use = "it is not in the journal yet"]
pub struct Ruled {
    /// What the gate did.
    pub gate: GateOutcome,
    entry: NewEntry,
}

/// Somebody without a code, as the guard entered them.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The kind of the document they showed.
    pub document: Option<DocumentKind>,
    /// What is known of it.
    pub known: Known,
    /// How many people in all.
    pub people: u8,
}

/// What was decided, and of what.
struct Judged {
    decision: Decision,
    kind: u8,
    code: Option<CodeId>,
    people: u8,
    now: Reading,
    trust: Arc<Trust>,
}

/// The last person who was not let in: a guard may still say something to it.
struct Unruled {
    event: [u8; 16],
    code: Option<CodeId>,
    people: u8,
}

/// See the module.
pub struct Judge {
    lane: String,
    place: Place,
    trust: Arc<RwLock<Arc<Trust>>>,
    clock: Arc<dyn Clock>,
    journal: Arc<Journal>,
    uses: Uses,
    recorder: Recorder,
    opened: VecDeque<Opened>,
    unruled: Option<Unruled>,
    draw: Draw,
}

/// Draws the id of an event.
pub type Draw = Box<dyn FnMut() -> [u8; 16] + Send>;

/// An opening, and the event and the code it was for.
struct Opened {
    opening: Opening,
    event: [u8; 16],
    code: Option<CodeId>,
}

impl Judge {
    /// A judge who knows which codes the journal says were let in.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn new(
        config: &Config,
        trust: Arc<RwLock<Arc<Trust>>>,
        clock: Arc<dyn Clock>,
        journal: Arc<Journal>,
        draw: Draw,
    ) -> Result<Self, StoreError> {
        let uses = journal.uses(clock.now().interval().earliest)?;
        let recorder = Recorder::new(Arc::clone(&journal), None);
        let (lane, place) = (config.lane.clone(), place(config));
        let opened = VecDeque::new();
        Ok(Self { lane, place, trust, clock, journal, uses, recorder, opened, unruled: None, draw })
    }

    /// Prints each event as it is journaled.
    pub(super) fn printing(mut self, printer: Option<Printer>) -> Self {
        self.recorder = Recorder::new(Arc::clone(&self.journal), printer);
        self
    }

    /// Judges one text, and opens the gate for so many people if it is good. What follows, however slow, is for later:
    /// [`Judge::remember`].
    pub fn present(
        &mut self,
        text: &str,
        timing: Timing,
        open: impl FnOnce(u8) -> Result<Opening, GateError>,
    ) -> Presented {
        let (now, trust) = (self.clock.now(), self.trust());
        let decision = decide(text, &inputs(&trust, &now, &self.uses, &self.place));
        let people = decision.facts.map_or(1, |f| f.entries);
        let kind = decision.kind.map_or(0, |k| k as u8);
        self.act(Judged { decision, kind, code: Some(CodeId::of(text)), people, now, trust }, timing, open)
    }

    /// The same for somebody without a code.
    pub fn admit(&mut self, visitor: &Visitor, open: impl FnOnce(u8) -> Result<Opening, GateError>) -> Presented {
        let timing = Timing::scanned(Instant::now());
        let (now, trust, people) = (self.clock.now(), self.trust(), visitor.people);
        let decision = decide_visitor(&visitor.known, people, &inputs(&trust, &now, &self.uses, &self.place));
        let kind = event::document_kind(visitor.document);
        self.act(Judged { decision, kind, code: None, people, now, trust }, timing, open)
    }

    /// What this judge would say to a code, without letting anybody in on it.
    pub fn look(&self, text: &str) -> Decision {
        decide(text, &inputs(&self.trust(), &self.clock.now(), &self.uses, &self.place))
    }

    /// Seals what a guard typed about an event to the registry, and journals it after the event.
    ///
    /// # Errors
    /// [`NoteError`] if it cannot be sealed; then nothing of it stays.
    pub fn note(&mut self, about: [u8; 16], content: &[u8]) -> Result<(), NoteError> {
        let at = self.clock.now().best_guess();
        let record = sealed_note(&self.trust().keys, about, content, at)?;
        self.recorder.record(NewEntry { record, at, code: None });
        Ok(())
    }

    fn act(
        &mut self,
        judged: Judged,
        timing: Timing,
        open: impl FnOnce(u8) -> Result<Opening, GateError>,
    ) -> Presented {
        let Judged { decision, kind, code, people, now, trust } = judged;
        let decided_at = Instant::now();
        let mut event = self.event(&decision, kind, &now);
        let mut entry = NewEntry { record: event.encode(), at: now.best_guess(), code: None };
        self.unruled = None;
        if decision.verdict == Verdict::Pass {
            event.gate = GateOutcome::Unknown;
            (entry.record, entry.code) = (event.encode(), self.used(code, &now));
            self.journal.intend(&entry);
            event.gate = self.open(people, event.id, code, open);
        } else {
            self.unruled = Some(Unruled { event: event.id, code, people });
        }
        let relay = if event.gate == GateOutcome::Closed { Duration::ZERO } else { decided_at.elapsed() };
        let latency = [timing.capture, timing.decode, decided_at - timing.decoded_at, relay];
        event.latency_us = latency.map(|d| u32::try_from(d.as_micros()).unwrap_or(u32::MAX));
        entry.record = event.encode();
        self.use_up(&mut entry, event.gate);
        Presented { decision, gate: event.gate, id: event.id, entry, latest: now.latest, trust }
    }

    /// Whose code it is beyond doubt; nothing is opened or journaled for it.
    pub fn holder(&self, text: &str) -> Option<u32> {
        holder(text, &inputs(&self.trust(), &self.clock.now(), &self.uses, &self.place))
    }

    /// A guard's word to the last code or person, if that is the event of `id` and was not let in: opens the gate or leaves it closed.
    pub fn rule(
        &mut self,
        id: [u8; 16],
        word: Word,
        open: impl FnOnce(u8) -> Result<Opening, GateError>,
    ) -> Option<Ruled> {
        let Unruled { event, code, people } = self.unruled.take_if(|unruled| unruled.event == id)?;
        let now = self.clock.now();
        let Word { guard, answer, reason } = word;
        let (earliest_ms, latest_ms) = (ms(now.earliest), now.latest.map_or(u64::MAX, ms));
        let (clock, gate) = (now.source, GateOutcome::Closed);
        let mut ruling = Ruling { id: event, earliest_ms, latest_ms, clock, guard, answer, reason, gate };
        let mut entry = NewEntry { record: Vec::new(), at: now.best_guess(), code: None };
        if answer == Answer::LetIn {
            ruling.gate = GateOutcome::Unknown;
            entry.record = ruling.encode();
            entry.code = self.used(code, &now);
            self.journal.intend(&entry);
            ruling.gate = self.open(people, event, code, open);
        }
        entry.record = ruling.encode();
        self.use_up(&mut entry, ruling.gate);
        Some(Ruled { gate: ruling.gate, entry })
    }

    /// Opens the gate because a technician tries it. It is journaled as a question to them, and their answer (SY 6.11).
    pub fn try_gate(&mut self, technician: &str, open: impl FnOnce(u8) -> Result<Opening, GateError>) -> Option<Ruled> {
        let now = self.clock.now();
        let event = self.event_of(Verdict::Confirm, TEST, &now);
        self.unruled = Some(Unruled { event: event.id, code: None, people: 1 });
        // Before the relay: an answer in the journal has its question before it.
        self.recorder.record(NewEntry { record: event.encode(), at: now.best_guess(), code: None });
        let word = Word { guard: technician.to_owned(), answer: Answer::LetIn, reason: TEST.to_owned() };
        self.rule(event.id, word, open)
    }

    /// Holds the gate open because a guard says so, or lets it close. It is journaled as a question to them, and their answer (SY 6.12).
    pub fn hold(&mut self, guard: &str, held: bool, act: impl FnOnce() -> Result<(), GateError>) -> GateOutcome {
        let now = self.clock.now();
        let reason = if held { HELD.0 } else { HELD.1 };
        let event = self.event_of(Verdict::Confirm, reason, &now);
        self.recorder.record(NewEntry { record: event.encode(), at: now.best_guess(), code: None });
        let gate = match act() {
            Ok(()) if held => GateOutcome::Opened,
            Ok(()) => GateOutcome::Closed,
            Err(error) => {
                tracing::error!("the gate does not obey a guard: {error}");
                GateOutcome::Fault
            }
        };
        let ruling = Ruling {
            id: event.id,
            earliest_ms: event.earliest_ms,
            latest_ms: event.latest_ms,
            clock: event.clock,
            guard: guard.to_owned(),
            answer: if held { Answer::LetIn } else { Answer::TurnedAway },
            reason: reason.to_owned(),
            gate,
        };
        self.recorder.record(NewEntry { record: ruling.encode(), at: now.best_guess(), code: None });
        gate
    }

    /// Journals what happened at the gate by itself (SY 6.12).
    pub fn happened(&mut self, what: Happened) {
        let now = self.clock.now();
        let mut event = self.event_of(Verdict::Confirm, reason_of(what), &now);
        if what == Happened::Fire {
            event.gate = GateOutcome::Opened;
        }
        self.recorder.record(NewEntry { record: event.encode(), at: now.best_guess(), code: None });
    }

    /// Journals a guard's word.
    pub fn remember_ruling(&mut self, ruled: Ruled) {
        self.recorder.record(ruled.entry);
    }

    fn open(
        &mut self,
        people: u8,
        event: [u8; 16],
        code: Option<CodeId>,
        open: impl FnOnce(u8) -> Result<Opening, GateError>,
    ) -> GateOutcome {
        match open(people) {
            Ok(opening) => {
                self.opened.push_back(Opened { opening, event, code });
                self.opened.drain(..self.opened.len().saturating_sub(MOST_OPEN));
                GateOutcome::Opened
            }
            Err(error) => {
                tracing::error!("the gate does not open: {error}");
                GateOutcome::Fault
            }
        }
    }

    fn used(&self, code: Option<CodeId>, now: &Reading) -> Option<CodeChange> {
        code.map(|code| CodeChange::Used(code, Use { at: now.best_guess().as_second(), lane: self.lane.clone() }))
    }

    /// A gate that did not open has let nobody in.
    fn use_up(&mut self, entry: &mut NewEntry, gate: GateOutcome) {
        entry.code.take_if(|_| gate != GateOutcome::Opened);
        if let Some(CodeChange::Used(code, used)) = &entry.code {
            self.uses.record(*code, used.clone());
        }
    }

    /// Journals what was presented. What cannot be written now waits.
    pub fn remember(&mut self, presented: Presented) {
        self.recorder.record(presented.entry);
        self.learn_time(&presented.decision, presented.latest, &presented.trust);
    }

    /// What became of an opening: a code whose holder did not go through is as good as before.
    pub fn ended(&mut self, ended: Ended) {
        let Some(at) = self.opened.iter().position(|o| o.opening == ended.opening) else { return };
        let Some(Opened { event: id, code, .. }) = self.opened.remove(at) else { return };
        let code = code.filter(|_| ended.passed == 0).map(|code| {
            self.uses.give_back(&code);
            CodeChange::GivenBack(code)
        });
        let record = Passage { id, of: ended.of, passed: ended.passed }.encode();
        self.recorder.record(NewEntry { record, at: self.clock.now().best_guess(), code });
    }

    /// Tries to journal what waits.
    pub fn tidy(&mut self) {
        self.recorder.flush();
    }

    /// Why events wait for the journal, if they do.
    pub fn problem(&self) -> Option<Text> {
        self.recorder.problem()
    }

    /// The time, as far as it is known.
    pub fn time(&self) -> jiff::Timestamp {
        self.clock.now().best_guess()
    }

    /// Whether more is known of the time than that some moment has passed.
    pub fn knows_the_time(&self) -> bool {
        self.clock.now().latest.is_some()
    }

    /// Where this gate stands now.
    pub fn standing(&self) -> Ladder {
        ladder(&self.trust(), &self.clock.now(), &self.place)
    }

    /// The surge that is certainly in force, in words.
    pub fn surge(&self) -> Option<Text> {
        surge(&self.trust(), &self.clock.now())
    }

    fn trust(&self) -> Arc<Trust> {
        Arc::clone(&self.trust.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The last try to journal what waits.
    ///
    /// # Errors
    /// If events could not be journaled; they were printed.
    pub fn finish(self) -> anyhow::Result<()> {
        self.recorder.finish()
    }

    /// Our own registry's newest code shows that its moment has passed. Not one of a time to come, and none beyond the lists'
    /// end: a stolen key must not be able to move the gate into the future.
    fn learn_time(&self, decision: &Decision, latest: Option<jiff::Timestamp>, trust: &Trust) {
        let Some((issued_at, head)) = decision.facts.and_then(|f| f.issued_at).zip(trust.head.as_ref()) else { return };
        if let Ok(at) = jiff::Timestamp::from_second(i64::from(issued_at.min(head.expires_at)))
            && latest.is_none_or(|latest| at <= latest)
        {
            self.clock.raise_floor(at);
        }
    }

    /// The records that wait for the journal.
    pub fn waiting(&self) -> impl Iterator<Item = &[u8]> {
        self.recorder.waiting()
    }

    /// Gives up what waits for the journal, as a power cut does.
    pub fn forget_waiting(&mut self) {
        self.recorder.forget_waiting();
    }

    fn event(&mut self, decision: &Decision, kind: u8, now: &Reading) -> Event {
        let handle = decision.facts.map_or(0, |f| f.handle);
        Event { kind, handle, ..self.event_of(decision.verdict, decision.reason.code(), now) }
    }

    /// An event of nobody.
    fn event_of(&mut self, outcome: Verdict, reason: &str, now: &Reading) -> Event {
        Event {
            id: (self.draw)(),
            earliest_ms: ms(now.earliest),
            latest_ms: now.latest.map_or(u64::MAX, ms),
            clock: now.source,
            lane: self.lane.clone(),
            kind: 0,
            handle: 0,
            outcome,
            reason: reason.to_owned(),
            gate: GateOutcome::Closed,
            latency_us: [0; 4],
        }
    }
}

fn reason_of(what: Happened) -> &'static str {
    match what {
        Happened::Tailgate => "tailgate",
        Happened::DoorHeld => "door_held",
        Happened::DoorClosed => "door_closed",
        Happened::Fire => "fire",
        Happened::FireOver => "fire_over",
    }
}

fn ms(at: jiff::Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use tongguan_pass::code::{Flags, Live, Printed};
    use tongguan_pass::{KeyId, Keyset, Policy, Purpose, RegistryKey, Resident, RevocationSet, Root, SigningKey};

    use super::*;
    use crate::clock::Stated;
    use crate::decide::Reason;
    use crate::store::{DataDir, Entry};

    const NOW: u32 = 1_800_000_000;

    /// A gate's folder, and the keys of a registry that it knows.
    struct World {
        _folder: tempfile::TempDir,
        dir: DataDir,
        trust: Trust,
    }

    fn key(n: u8) -> SigningKey {
        SigningKey::from_bytes(&[n; 32])
    }

    impl World {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let keys = vec![(KeyId(1), key(9).verifying_key())];
            let root = Root { version: 1, issued_at: 1, previous: None, threshold: 1, keys };
            let root_file = root.sign(&[(KeyId(1), &key(9))]);
            let dir = DataDir::init(&folder.path().join("d"), &root_file).unwrap();
            let known = |n: u8, purpose| RegistryKey {
                id: KeyId(u16::from(n)),
                purpose,
                not_before: 1,
                not_after: NOW + 86_400,
                key: key(n).verifying_key(),
            };
            let keys = vec![known(1, Purpose::Live), known(2, Purpose::Printed)];
            let trust = Trust {
                root_file,
                root,
                keyset_file: Vec::new(),
                keys: Keyset::new(1, 1, keys).unwrap(),
                head_file: Vec::new(),
                head: None,
                revocations: RevocationSet::default(),
                policy_file: Vec::new(),
                policy: Policy::default(),
            };
            Self { _folder: folder, dir, trust }
        }

        fn judge(&self) -> Judge {
            let trust = Arc::new(RwLock::new(Arc::new(self.trust.clone())));
            let clock = Arc::new(Stated(jiff::Timestamp::from_second(i64::from(NOW)).unwrap()));
            let journal = Journal::open(&self.dir).unwrap();
            journal.take_over().unwrap();
            Judge::new(&Config::default(), trust, clock, Arc::new(journal), Box::new(super::super::random_id)).unwrap()
        }

        fn journal(&self) -> Vec<Entry> {
            Journal::open_to_read(&self.dir).unwrap().after(0, 100).unwrap()
        }

        fn event(&self, seq: usize) -> Event {
            Event::decode(&self.journal()[seq - 1].record).unwrap().unwrap()
        }
    }

    fn live() -> String {
        let (key_id, flags) = (KeyId(1), Flags::default());
        let code = Live { key: key_id, handle: 7, issued_at: NOW, ttl_minutes: 10, category: 0, community: 1, flags };
        code.sign(&key(1))
    }

    fn timing() -> Timing {
        Timing { capture: Duration::ZERO, decode: Duration::ZERO, decoded_at: Instant::now() }
    }

    fn show(judge: &mut Judge, text: &str, opening: u64) -> Reason {
        let presented = judge.present(text, timing(), |_| Ok(Opening(opening)));
        let reason = presented.decision.reason;
        judge.remember(presented);
        reason
    }

    fn ended(opening: u64, passed: u8) -> Ended {
        Ended { opening: Opening(opening), of: 1, passed }
    }

    #[test]
    fn a_code_whose_holder_did_not_go_through_is_as_good_as_before_also_after_a_restart() {
        let world = World::new();
        let mut judge = world.judge();
        assert_eq!(show(&mut judge, &live(), 1), Reason::Fresh);
        assert_eq!(show(&mut judge, &live(), 2), Reason::AlreadyUsed);
        judge.ended(ended(1, 0));
        assert_eq!(show(&mut judge, &live(), 3), Reason::Fresh);
        judge.ended(ended(3, 0));
        drop(judge);
        let mut judge = world.judge();
        assert_eq!(show(&mut judge, &live(), 1), Reason::Fresh);
        judge.ended(ended(1, 1));
        judge.ended(ended(1, 0));
        drop(judge);
        assert_eq!(show(&mut world.judge(), &live(), 1), Reason::AlreadyUsed);
        let passages: Vec<Passage> =
            world.journal().iter().filter_map(|e| Passage::decode(&e.record).unwrap()).collect();
        assert_eq!(passages.iter().map(|p| p.passed).collect::<Vec<_>>(), [0, 0, 1]);
        assert_eq!(passages[0].id, world.event(1).id);
    }

    #[test]
    fn a_gate_that_does_not_open_has_let_nobody_in_and_a_group_is_opened_for_as_a_whole() {
        let world = World::new();
        let mut judge = world.judge();
        let refused = judge.present(&live(), timing(), |_| Err(GateError::TimerDied));
        judge.remember(refused);
        assert_eq!(world.event(1).gate, GateOutcome::Fault);
        assert_eq!(show(&mut judge, &live(), 1), Reason::Fresh);
        let group = Printed {
            key: KeyId(2),
            handle: 8,
            valid_from: NOW - 60,
            valid_to: NOW + 60,
            category: 0,
            community: 1,
            building: 0,
            entries: 5,
            flags: Flags::default(),
        };
        let mut people = 0;
        let mut opener = |n| {
            people = n;
            Ok(Opening(2))
        };
        let opened = judge.present(&group.sign(&key(2)), timing(), &mut opener);
        assert_eq!((opened.decision.verdict, people), (Verdict::Pass, 5));
    }

    #[test]
    fn what_a_killed_program_had_begun_is_in_the_journal_after_the_next_start_and_only_once() {
        let world = World::new();
        let mut judge = world.judge();
        // The gate has opened, and the program is killed before the journal.
        let _lost = judge.present(&live(), timing(), |_| Ok(Opening(1)));
        drop(judge);
        assert_eq!(world.journal(), []);
        let mut judge = world.judge();
        assert_eq!(world.journal().len(), 1);
        assert_eq!((world.event(1).gate, world.event(1).outcome), (GateOutcome::Unknown, Verdict::Pass));
        assert_eq!(show(&mut judge, &live(), 1), Reason::AlreadyUsed);
        drop(judge);
        drop(world.judge());
        assert_eq!(world.journal().len(), 2);
    }

    #[test]
    fn a_guards_word_counts_once_for_the_code_that_is_there_and_is_journaled_with_who_and_why() {
        let world = World::new();
        let mut judge = world.judge();
        let word = |answer| Word { guard: "王".into(), answer, reason: "document_seen".into() };
        let mut opened = 0;
        let mut rule = |judge: &mut Judge, id, answer| {
            let ruled = judge.rule(id, word(answer), |_| {
                opened += 1;
                Ok(Opening(100 + opened))
            });
            ruled.map(|ruled| {
                let gate = ruled.gate;
                judge.remember_ruling(ruled);
                gate
            })
        };
        // Let in by the gate: there is nothing to say.
        let passed = judge.present(&live(), timing(), |_| Ok(Opening(1)));
        let first = passed.id;
        judge.remember(passed);
        assert_eq!(rule(&mut judge, first, Answer::LetIn), None);
        let show_again = |judge: &mut Judge| {
            let presented = judge.present(&live(), timing(), |_| panic!("it was used"));
            let id = presented.id;
            judge.remember(presented);
            id
        };
        let refused = show_again(&mut judge);
        assert_eq!(rule(&mut judge, first, Answer::LetIn), None, "about another code");
        assert_eq!(rule(&mut judge, refused, Answer::LetIn), Some(GateOutcome::Opened));
        assert_eq!(rule(&mut judge, refused, Answer::LetIn), None, "said once");
        let again = show_again(&mut judge);
        assert_eq!(rule(&mut judge, again, Answer::TurnedAway), Some(GateOutcome::Closed));
        assert_eq!(opened, 1);
        let rulings: Vec<Ruling> = world.journal().iter().filter_map(|e| Ruling::decode(&e.record).unwrap()).collect();
        assert_eq!(
            rulings.iter().map(|r| (r.id, r.answer, r.gate)).collect::<Vec<_>>(),
            [(refused, Answer::LetIn, GateOutcome::Opened), (again, Answer::TurnedAway, GateOutcome::Closed)]
        );
        assert_eq!((rulings[0].guard.as_str(), rulings[0].reason.as_str()), ("王", "document_seen"));
    }

    #[test]
    fn somebody_without_a_code_is_journaled_by_the_kind_of_document_and_never_by_its_number() {
        let world = World::new();
        let mut judge = world.judge();
        let resident = Resident { handle: 8, category: 1, ..Resident::default() };
        let listed = Known::Listed { community: 1, resident };
        let visitor = |document, known| Visitor { document, known, people: 3 };
        let mut people = 0;
        let passed = judge.admit(&visitor(Some(DocumentKind::ResidentId), listed), |n| {
            people = n;
            Ok(Opening(1))
        });
        assert_eq!((passed.decision.reason, people), (Reason::Listed, 3));
        judge.remember(passed);
        let asked = judge.admit(&visitor(None, Known::NoDocument), |_| panic!("the guard decides"));
        let id = asked.id;
        judge.remember(asked);
        let word = Word { guard: String::new(), answer: Answer::LetIn, reason: "known".into() };
        let ruled = judge.rule(id, word, |n| {
            people = n;
            Ok(Opening(2))
        });
        judge.remember_ruling(ruled.unwrap());
        assert_eq!((world.event(1).kind, world.event(1).handle), (0x21, 8));
        assert_eq!((world.event(2).kind, world.event(2).handle), (0x20, 0));
        assert_eq!((event::kind_name(0x21), event::kind_name(0x20)), (Some("resident_id"), Some("no_document")));
        // Nobody went through: there is no code to give back, and it is journaled all the same.
        judge.ended(Ended { opening: Opening(1), of: 3, passed: 0 });
        assert_eq!(world.journal().len(), 4);
    }
}
