//! Somebody without a code at this lane: whom they come with, and what goes sealed to the registry.

use serde_json::json;
use tongguan_pass::DocumentKind;
use zeroize::Zeroizing;

use crate::decide::{Decision, Reason, Verdict, words};
use crate::lang::Text;
use crate::screen::{Visit, Visiting};

/// The guard's page for somebody without a code, as far as the lane knows it.
#[derive(Debug, Default)]
pub(super) struct Reception {
    expects: bool,
    companion: Option<Companion>,
    said: Option<Text>,
}

#[derive(Debug)]
struct Companion {
    title: Text,
    /// The handle, if their code is good.
    good: Option<u32>,
}

impl Reception {
    /// The next code is the companion's; or nobody comes along.
    pub(super) fn expect(&mut self, companion: bool) {
        *self = Self { expects: companion, ..Self::default() };
    }

    /// Whether the next code is to be looked at, and lets nobody in.
    pub(super) fn expects(&self) -> bool {
        self.expects
    }

    /// A companion's code: good if it would let them in, or has just done so.
    pub(super) fn meet(&mut self, decision: &Decision) {
        let good = decision.verdict == Verdict::Pass || decision.reason == Reason::AlreadyUsed;
        let handle = decision.facts.filter(|_| good).map(|facts| facts.handle);
        let title = if handle.is_some() { Text::new("码有效", "valid code") } else { words(decision).title };
        self.expects = handle.is_none();
        self.companion = Some(Companion { title, good: handle });
    }

    pub(super) fn refuse(&mut self, said: Text) {
        self.said = Some(said);
    }

    pub(super) fn view(&self) -> Visiting {
        let companion = self.companion.as_ref().map(|c| (c.title.clone(), c.good.is_some()));
        Visiting { companion, said: self.said.clone() }
    }

    /// What only the registry can read of it (SY 6.7); everything is forgotten here.
    pub(super) fn close(&mut self, visit: &Visit) -> Zeroizing<Vec<u8>> {
        let with = self.companion.take().and_then(|c| c.good);
        *self = Self::default();
        let document = visit.document.as_ref().map(|d| json!({"kind": d.kind().name(), "number": d.number()}));
        let note = json!({"document": document, "people": visit.people, "with": with});
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
    use crate::decide::{Detail, Facts};

    fn decision(verdict: Verdict, reason: Reason) -> Decision {
        let facts = Facts { handle: 77, category: 1, community: 1, entries: 1, issued_at: None };
        let facts = (reason != Reason::Forged).then_some(facts);
        Decision { verdict, reason, detail: Detail::None, kind: None, facts }
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
    }

    #[test]
    fn the_note_says_all_and_nothing_of_it_stays() {
        let mut reception = Reception::default();
        reception.expect(true);
        reception.meet(&decision(Verdict::Pass, Reason::Fresh));
        let document = Document::parse(DocumentKind::ResidentId, "440308199901101512").ok();
        let note = reception.close(&Visit { document, people: 2 });
        let note: serde_json::Value = serde_json::from_slice(&note).unwrap();
        assert_eq!(
            note,
            json!({
                "document": {"kind": "resident_id", "number": "440308199901101512"}, "people": 2, "with": 77
            })
        );
        assert_eq!(reception.view(), Visiting::default());
        let note = reception.close(&Visit { document: None, people: 1 });
        assert_eq!(note.as_slice(), br#"{"document":null,"people":1,"with":null}"#);
    }
}
