//! The last outcomes of this lane, for the guard who is asked "what was wrong with mine?"

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tongguan_pass::Answer;

use crate::lang::Text;
use crate::screen::{Past, Shown};

/// As many are remembered.
const MOST: usize = 50;

/// The newest last, and since when each is there. Who it was is forgotten before the rest.
#[derive(Debug, Default)]
pub(super) struct PastOutcomes(VecDeque<(Instant, Past)>);

impl PastOutcomes {
    pub(super) fn add(&mut self, at: String, shown: &Shown, now: Instant) {
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        let (outcome, title, who) = (shown.outcome, shown.title.clone(), shown.who.clone());
        self.0.push_back((now, Past { at, outcome, title, who, ruling: None }));
    }

    /// Who the newest was.
    pub(super) fn name(&mut self, who: &Text) {
        if let Some((_, newest)) = self.0.back_mut() {
            newest.who = Some(who.clone());
        }
    }

    /// What the guard said to the newest.
    pub(super) fn rule(&mut self, said: &Text) {
        if let Some((_, newest)) = self.0.back_mut() {
            newest.ruling = Some(said.clone());
        }
    }

    /// Forgets who it was, of those that have been there so long; true if there was something to forget.
    pub(super) fn forget(&mut self, now: Instant, after: Duration) -> bool {
        let old = |since: Instant| now.saturating_duration_since(since) >= after;
        let old = self.0.iter_mut().filter(|(since, past)| past.who.is_some() && old(*since));
        old.map(|(_, past)| past.who = None).count() > 0
    }

    pub(super) fn newest_first(&self) -> Vec<Past> {
        self.0.iter().rev().map(|(_, past)| past.clone()).collect()
    }
}

/// A guard's answer in words.
pub(super) fn ruling(answer: Answer) -> Text {
    match answer {
        Answer::LetIn => Text::new("值班人员放行", "Let in by the guard"),
        Answer::TurnedAway => Text::new("值班人员劝返", "Turned away by the guard"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::{Offer, Outcome};

    fn shown(title: &str, who: Option<Text>) -> Shown {
        Shown {
            outcome: Outcome::Confirm,
            title: Text::new(title, title),
            guard: Text::default(),
            resident: Text::default(),
            what: None,
            who,
            reason: String::new(),
            gate_open: false,
            offer: Offer::Decide,
            token: 0,
        }
    }

    #[test]
    fn the_last_fifty_are_there_the_newest_first_with_the_guards_word() {
        let mut past = PastOutcomes::default();
        for n in 0..60 {
            past.add("09:12".into(), &shown(&n.to_string(), None), Instant::now());
        }
        past.rule(&ruling(Answer::LetIn));
        let shown = past.newest_first();
        assert_eq!((shown.len(), shown[0].title.en.as_str(), shown[49].title.en.as_str()), (50, "59", "10"));
        assert_eq!(shown[0].ruling, Some(ruling(Answer::LetIn)));
        assert_eq!(shown[1].ruling, None);
    }

    #[test]
    fn who_it_was_is_forgotten_in_time_and_the_rest_stays() {
        let (mut past, start, after) = (PastOutcomes::default(), Instant::now(), Duration::from_secs(60));
        let at = |s| start + Duration::from_secs(s);
        let who = Text::new("周* · 3号楼", "周* · 3号楼");
        past.add("09:12".into(), &shown("first", Some(who.clone())), at(0));
        past.add("09:13".into(), &shown("second", Some(who.clone())), at(30));
        past.rule(&ruling(Answer::LetIn));
        let named = |past: &PastOutcomes| past.newest_first().iter().map(|p| p.who.is_some()).collect::<Vec<_>>();
        assert!(!past.forget(at(59), after));
        assert_eq!(named(&past), [true, true]);
        assert!(past.forget(at(60), after));
        assert!(!past.forget(at(60), after), "once");
        assert_eq!(named(&past), [true, false]);
        assert!(past.forget(at(90), after));
        let left = past.newest_first();
        assert_eq!(
            (left.len(), left[0].title.en.as_str(), &left[0].ruling),
            (2, "second", &Some(ruling(Answer::LetIn)))
        );
        assert_eq!(named(&past), [false, false]);
    }
}
