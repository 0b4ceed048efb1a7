//! Which codes were let in, so that one code does not let in two people.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

/// How long a use is remembered, in seconds: no phone code that was good then can be good after it.
const REMEMBERED: i64 = 2 * 3600;

/// A code's identity: the first half of the hash of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CodeId(pub [u8; 16]);

impl CodeId {
    /// The identity of `text`.
    pub fn of(text: &str) -> Self {
        let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        Self(id)
    }
}

/// When and where a code was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Unix seconds.
    pub at: i64,
    /// The lane.
    pub lane: String,
}

/// The codes let in of late.
#[derive(Debug, Clone, Default)]
pub struct Uses {
    by_code: HashMap<CodeId, Use>,
    newest: i64,
}

impl Uses {
    /// The use of a code, if it was let in.
    pub fn of(&self, code: &CodeId) -> Option<&Use> {
        self.by_code.get(code)
    }

    /// Remembers a use, and forgets the ones that no longer matter.
    pub fn record(&mut self, code: CodeId, used: Use) {
        // Forgetting now and then, not each time, keeps a decision's cost flat.
        if used.at >= self.newest + REMEMBERED / 8 {
            self.newest = used.at;
            let oldest = used.at - REMEMBERED;
            self.by_code.retain(|_, u| u.at >= oldest);
        }
        self.by_code.insert(code, used);
    }

    /// Its holder did not go through: the code is as good as before.
    pub fn give_back(&mut self, code: &CodeId) {
        self.by_code.remove(code);
    }

    /// The earliest use worth loading at `now`, Unix seconds.
    pub fn worth_loading_from(now: i64) -> i64 {
        now - REMEMBERED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_remembered_as_long_as_the_code_could_be_good_and_then_forgotten() {
        let mut uses = Uses::default();
        let (a, b) = (CodeId::of("a"), CodeId::of("b"));
        uses.record(a, Use { at: 1_000_000, lane: "1".into() });
        uses.record(b, Use { at: 1_003_600, lane: "2".into() });
        assert_eq!(uses.of(&a).map(|u| u.lane.as_str()), Some("1"));
        uses.record(b, Use { at: 1_000_000 + REMEMBERED + 1, lane: "2".into() });
        assert_eq!(uses.of(&a), None);
        assert_eq!(uses.of(&b).map(|u| u.at), Some(1_000_000 + REMEMBERED + 1));
        uses.give_back(&b);
        assert_eq!(uses.of(&b), None);
    }
}
