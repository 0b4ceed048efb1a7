//! The last outcomes of this lane, for the guard who is asked "what was wrong with mine?"

use std::collections::VecDeque;

use tongguan_pass::Answer;

use crate::lang::Text;
use crate::screen::{Past, Shown};

/// As many are remembered.
const MOST: usize = 50;

/// The newest last. Nothing here says who it was.
#[derive(Debug, Default)]
pub(super) struct PastOutcomes(VecDeque<Past>);

impl PastOutcomes {
    pub(super) fn add(&mut self, at: String, shown: &Shown) {
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(Past { at, outcome: shown.outcome, title: shown.title.clone(), ruling: None });
    }

    /// What the guard said to the newest.
    pub(super) fn rule(&mut self, said: &Text) {
        if let Some(newest) = self.0.back_mut() {
            newest.ruling = Some(said.clone());
        }
    }

    pub(super) fn newest_first(&self) -> Vec<Past> {
        self.0.iter().rev().cloned().collect()
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

    #[test]
    fn the_last_fifty_are_there_the_newest_first_with_the_guards_word() {
        let mut past = PastOutcomes::default();
        for n in 0..60 {
            let title = Text::new(n.to_string(), n.to_string());
            let shown = Shown {
                outcome: Outcome::Confirm,
                title,
                guard: Text::default(),
                resident: Text::default(),
                what: None,
                who: None,
                reason: String::new(),
                gate_open: false,
                offer: Offer::Decide,
                token: 0,
            };
            past.add("09:12".into(), &shown);
        }
        past.rule(&ruling(Answer::LetIn));
        let shown = past.newest_first();
        assert_eq!((shown.len(), shown[0].title.en.as_str(), shown[49].title.en.as_str()), (50, "59", "10"));
        assert_eq!(shown[0].ruling, Some(ruling(Answer::LetIn)));
        assert_eq!(shown[1].ruling, None);
    }
}
