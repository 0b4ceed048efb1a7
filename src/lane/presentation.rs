//! One person holding one phone for a few seconds is one presentation, however many frames it takes.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::decide::CodeId;

/// A code that was out of sight for longer is presented anew.
const SAME: Duration = Duration::from_secs(5);
/// Codes remembered at most: someone showing a film of codes must not fill the memory.
const MOST: usize = 1024;

/// When each code was last in view.
#[derive(Debug, Default)]
pub(super) struct Presentations(HashMap<CodeId, Instant>);

impl Presentations {
    /// Notes that `code` is in view, and says whether that is a new presentation.
    pub(super) fn is_new(&mut self, code: CodeId, now: Instant) -> bool {
        let recent = |seen: &Instant| now.saturating_duration_since(*seen) < SAME;
        if self.0.len() >= MOST {
            self.0.retain(|_, seen| recent(seen));
            if self.0.len() >= MOST {
                self.0.clear();
            }
        }
        !self.0.insert(code, now).is_some_and(|seen| recent(&seen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_held_in_view_is_one_presentation_and_shown_again_later_is_another() {
        let mut presentations = Presentations::default();
        let (a, b) = (CodeId::of("a"), CodeId::of("b"));
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        assert!(presentations.is_new(a, at(0)));
        assert!(!presentations.is_new(a, at(4_900)));
        assert!(!presentations.is_new(a, at(9_800)), "it never left");
        assert!(presentations.is_new(b, at(9_900)));
        assert!(presentations.is_new(a, at(14_800)));
    }

    #[test]
    fn a_film_of_codes_is_bounded() {
        let mut presentations = Presentations::default();
        let now = Instant::now();
        for i in 0..5_000 {
            assert!(presentations.is_new(CodeId::of(&i.to_string()), now));
            assert!(presentations.0.len() <= MOST);
        }
    }
}
