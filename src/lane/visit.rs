//! Somebody without a code at this lane: whom they come with, and what goes sealed to the registry.

use serde_json::json;
use tongguan_pass::DocumentKind;
use zeroize::Zeroizing;

use crate::decide::{Decision, Detail, Reason, Verdict, words};
use crate::lang::Text;
use crate::screen::{Visit, Visiting};

/// Seconds: whoever was let in longer ago is not the one who stands there.
const JUST: i64 = 600;

/// The guard's page for somebody without a code, as far as the lane knows it.
#[derive(Debug, Default)]
pub(super) struct Reception {
    expects: bool,
    companion: Option<Companion>,
    said: Option<Text>,
    /// Questions so far.
    count: u64,
    /// The question whose answer is waited for.
    asked: Option<Asked>,
}

/// A question to the clerk, and who asked it.
#[derive(Debug)]
struct Asked {
    number: u64,
    guard: String,
}

#[derive(Debug)]
struct Companion {
    title: Text,
    /// The handle, if their code is good.
    good: Option<u32>,
}

impl Reception {
    /// The next code is the companion's; or nobody comes along. A question that was asked before has lapsed.
    pub(super) fn expect(&mut self, companion: bool) {
        *self = Self { expects: companion, count: self.count, ..Self::default() };
    }

    /// A question is asked by `guard`; its number. From here on the companion is the one who is there.
    pub(super) fn ask(&mut self, guard: &str) -> u64 {
        (self.expects, self.said) = (false, None);
        self.count += 1;
        self.asked = Some(Asked { number: self.count, guard: guard.to_owned() });
        self.count
    }

    /// Whether an answer is still waited for, and by the same guard: they may have gone back, or gone.
    pub(super) fn waits_for(&self, number: u64, guard: &str) -> bool {
        self.asked.as_ref().is_some_and(|asked| asked.number == number && asked.guard == guard)
    }

    /// Whether the next code is to be looked at, and lets nobody in.
    pub(super) fn expects(&self) -> bool {
        self.expects
    }

    /// A companion's code: good if it would let them in, or has just done so.
    pub(super) fn meet(&mut self, decision: &Decision) {
        let just = matches!(decision.detail, Detail::Used { ago, .. } if ago <= JUST);
        let good = decision.verdict == Verdict::Pass || (decision.reason == Reason::AlreadyUsed && just);
        let handle = decision.facts.filter(|_| good).map(|facts| facts.handle);
        let title = if handle.is_some() { Text::new("码有效", "valid code") } else { words(decision).title };
        self.expects = handle.is_none();
        self.companion = Some(Companion { title, good: handle });
    }

    pub(super) fn refuse(&mut self, said: Text) {
        (self.asked, self.said) = (None, Some(said));
    }

    pub(super) fn view(&self) -> Visiting {
        let companion = self.companion.as_ref().map(|c| (c.title.clone(), c.good.is_some()));
        Visiting { companion, said: self.said.clone() }
    }

    /// What only the registry can read of it (SY 6.7); everything is forgotten here.
    pub(super) fn close(&mut self, visit: &Visit) -> Zeroizing<Vec<u8>> {
        let with = self.companion.take().and_then(|c| c.good);
        let guard = self.asked.take().map(|asked| asked.guard);
        self.expect(false);
        let document = visit.document.as_ref().map(|d| json!({"kind": d.kind().name(), "number": d.number()}));
        let note = json!({"document": document, "people": visit.people, "with": with, "guard": guard});
        Zeroizing::new(note.to_string().into_bytes())
    }
}

/// The kind of document that was shown.
pub(super) fn kind(visit: &Visit) -> Option<DocumentKind> {
    visit.document.as_ref().map(tongguan_pass::Document::kind)
}

#[cfg(test)]
mod tests {
    use tongguan_pass::Document;

    use super::*;
    use crate::decide::Facts;

    fn decision(verdict: Verdict, reason: Reason) -> Decision {
        let facts = Facts { handle: 77, category: 1, community: 1, entries: 1, issued_at: None };
        let facts = (reason != Reason::Forged).then_some(facts);
        let detail = if reason == Reason::AlreadyUsed { used(60) } else { Detail::None };
        Decision { verdict, reason, detail, kind: None, facts }
    }

    fn used(ago: i64) -> Detail {
        Detail::Used { ago, lane: "1".into() }
    }

    #[test]
    fn a_companion_is_somebody_whose_code_is_good_also_if_they_have_just_gone_in() {
        let mut reception = Reception::default();
        for (verdict, reason, good) in [
            (Verdict::Deny, Reason::Forged, false),
            (Verdict::Deny, Reason::Expired, false),
            (Verdict::Confirm, Reason::ListStale, false),
            (Verdict::Deny, Reason::AlreadyUsed, true),
            (Verdict::Pass, Reason::Fresh, true),
        ] {
            reception.expect(true);
            reception.meet(&decision(verdict, reason));
            assert_eq!(reception.view().companion.map(|(_, good)| good), Some(good), "{reason:?}");
            assert_eq!(reception.expects(), !good, "another code may be shown");
        }
        let mut reception = Reception::default();
        let long_ago = Decision { detail: used(601), ..decision(Verdict::Deny, Reason::AlreadyUsed) };
        reception.meet(&long_ago);
        assert_eq!(reception.view().companion.map(|(_, good)| good), Some(false));
    }

    #[test]
    fn the_note_says_all_and_nothing_of_it_stays() {
        let mut reception = Reception::default();
        reception.expect(true);
        reception.meet(&decision(Verdict::Pass, Reason::Fresh));
        reception.ask("王");
        let document = Document::parse(DocumentKind::ResidentId, "440308199901101512").ok();
        let note = reception.close(&Visit { document, people: 2 });
        let note: serde_json::Value = serde_json::from_slice(&note).unwrap();
        assert_eq!(
            note,
            json!({
                "document": {"kind": "resident_id", "number": "440308199901101512"}, "people": 2, "with": 77, "guard": "王"
            })
        );
        assert_eq!(reception.view(), Visiting::default());
        let note = reception.close(&Visit { document: None, people: 1 });
        assert_eq!(note.as_slice(), br#"{"document":null,"guard":null,"people":1,"with":null}"#);
    }

    #[test]
    fn an_answer_counts_once_for_who_asked_and_still_waits() {
        let mut reception = Reception::default();
        let first = reception.ask("王");
        assert!(reception.waits_for(first, "王") && !reception.waits_for(first, "Li"));
        let second = reception.ask("王");
        assert!(!reception.waits_for(first, "王") && reception.waits_for(second, "王"));
        reception.expect(false);
        assert!(!reception.waits_for(second, "王"), "the guard went back");
        let third = reception.ask("王");
        assert_ne!(third, second);
        reception.close(&Visit { document: None, people: 1 });
        assert!(!reception.waits_for(third, "王"));
    }
}
