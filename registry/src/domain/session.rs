//! Sessions of a browser: a token in a cookie, of which only the hash is kept.

use crate::domain::person::{PersonId, TokenHash};
use crate::domain::time::DAY;

/// Seconds after which a session that nobody uses ends.
pub const IDLE: u32 = 30 * DAY;
/// Seconds after which every session ends. A phone that shows a code each day should not ask for another SMS code each week.
pub const LIFE: u32 = 180 * DAY;
/// Seconds after which a session in which nobody has logged in ends, with whatever was typed in it.
pub const ANONYMOUS: u32 = DAY;
/// Seconds within which a further use is not written down.
pub const TOUCH: u32 = 3600;

/// A session that is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// By what it is found.
    pub hash: TokenHash,
    /// Who has logged in.
    pub person: Option<PersonId>,
    /// What was typed so far, sealed.
    pub draft: Option<Vec<u8>>,
    /// When it began, Unix seconds.
    pub created_at: u32,
    /// When it was last seen to be used.
    pub used_at: u32,
}

impl Session {
    /// Whether it is still good at `now`.
    pub fn is_good(&self, now: u32) -> bool {
        let within = |from: u32, life: u32| now.saturating_sub(from) < life;
        match self.person {
            Some(_) => within(self.used_at, IDLE) && within(self.created_at, LIFE),
            None => within(self.created_at, ANONYMOUS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_when_nobody_uses_it_and_when_it_is_old_and_an_anonymous_one_after_a_day() {
        let session = |person: Option<PersonId>, used_at| Session {
            hash: TokenHash([0; 32]),
            person,
            draft: None,
            created_at: 1000,
            used_at,
        };
        let person = Some(PersonId::from_random([1; 10]));
        assert!(session(person.clone(), 1000).is_good(999 + IDLE));
        assert!(!session(person.clone(), 1000).is_good(1000 + IDLE));
        assert!(!session(person, LIFE).is_good(1000 + LIFE));
        assert!(session(None, 1000).is_good(999 + ANONYMOUS));
        assert!(!session(None, 1000 + ANONYMOUS).is_good(1000 + ANONYMOUS));
    }
}
