//! What people touch on the screen, on its way to whoever may act on it. The screen itself decides nothing.

use tongguan_pass::{Answer, Document};

use crate::gate::Output;
use crate::guards::Pin;
use crate::lang::Language;

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
    /// The guard on duty holds the gate open, or lets it close.
    Hold(bool),
    /// The screen was touched: somebody is there.
    Touched,
    /// The next code is of somebody whom a person without a code comes with; or it is not, and none is known.
    Companion(bool),
    /// The guard lets somebody without a code be looked up.
    Visit(Visit),
    /// A technician wants something of the service page.
    Service(Wish),
    /// The screen went to a page: what the next code is for depends on it.
    At(Page),
}

/// Somebody without a code, as the guard entered them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// What they showed; `None` for nothing.
    pub document: Option<Document>,
    /// How many people in all: at least 1.
    pub people: u8,
}

/// What a technician wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Open the gate, to see that it opens.
    OpenGate,
    /// Turn a lamp or the buzzer on for a moment.
    TryOut(Output),
    /// Play a tone.
    Sound,
    /// Make the support bundle.
    Pack,
    /// This gate's screen starts in another language.
    Speak(Language),
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
    /// Somebody without a code.
    Visitor,
    /// Where a technician looks after the gate.
    Service,
}

/// The reasons a guard can give, the most frequent first; their words are in the pages' translations.
pub fn reasons(answer: Answer) -> &'static [&'static str] {
    match answer {
        Answer::LetIn => &["document_seen", "known", "accompanied", "emergency", "other"],
        Answer::TurnedAway => &["not_the_holder", "no_document", "went_away", "other"],
    }
}
