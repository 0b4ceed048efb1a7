//! What people touch on the screen, on its way to whoever may act on it. The screen itself decides nothing.

use tongguan_pass::Answer;

use crate::guards::Pin;

/// A wish.
#[derive(Debug, Clone)]
pub enum Request {
    /// The guard answers for a verdict.
    Rule {
        /// The [`super::Shown::token`] of the verdict that stood there.
        token: u64,
        /// What.
        answer: Answer,
        /// Why: one of [`reasons`].
        reason: &'static str,
    },
    /// Somebody wants to log in.
    LogIn {
        /// Who.
        name: String,
        /// Their PIN.
        pin: Pin,
    },
    /// Whoever is on duty goes, or hands over.
    LogOut,
    /// The screen was touched: somebody is there.
    Touched,
    /// The screen went to a page: what the next code is for depends on it.
    At(Page),
}

/// A page, as far as the lane must know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Page {
    /// Ready, a verdict or a fault.
    #[default]
    Lane,
    /// Who is on duty.
    Guard,
    /// The last outcomes.
    Past,
}

/// The reasons a guard can give, the most frequent first; their words are in the pages' translations.
pub fn reasons(answer: Answer) -> &'static [&'static str] {
    match answer {
        Answer::LetIn => &["document_seen", "known", "accompanied", "emergency", "other"],
        Answer::TurnedAway => &["not_the_holder", "no_document", "went_away", "other"],
    }
}
