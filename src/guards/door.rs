//! The door of the guards: a name and a PIN, and a pause that grows with each failure.

use std::time::{Duration, Instant};

/// Failures in a row that cost nothing: gloves slip.
const FREE: u32 = 3;
/// The first pause, doubled with each further failure.
const PAUSE: Duration = Duration::from_secs(5);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(300);

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogInError {
    /// That is not the PIN.
    Wrong,
    /// Too many were wrong: the next try counts after this time only.
    Wait(Duration),
}

/// Counts failures, of whomever: trying one guard after the other is guessing all the same.
#[derive(Debug, Default)]
pub struct Door {
    failures: u32,
    closed_until: Option<Instant>,
}

impl Door {
    /// Asked before a PIN is looked at.
    ///
    /// # Errors
    /// [`LogInError::Wait`] while the door is closed.
    pub fn knock(&mut self, now: Instant) -> Result<(), LogInError> {
        match self.closed_until {
            Some(until) if now < until => Err(LogInError::Wait(until - now)),
            _ => Ok(()),
        }
    }

    /// Told whether the PIN was right.
    ///
    /// # Errors
    /// [`LogInError`] if it was not.
    pub fn answer(&mut self, right: bool, now: Instant) -> Result<(), LogInError> {
        if right {
            *self = Self::default();
            return Ok(());
        }
        self.failures = self.failures.saturating_add(1);
        let Some(over) = self.failures.checked_sub(FREE) else { return Err(LogInError::Wrong) };
        let pause = PAUSE.saturating_mul(1 << over.min(10)).min(LONGEST);
        self.closed_until = Some(now + pause);
        Err(LogInError::Wait(pause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_after_a_few_costs_more_time_and_a_success_forgives_all() {
        let (mut door, start) = (Door::default(), Instant::now());
        let mut now = start;
        let mut pauses = Vec::new();
        for _ in 0..12 {
            door.knock(now).unwrap();
            match door.answer(false, now).unwrap_err() {
                LogInError::Wrong => pauses.push(0),
                LogInError::Wait(pause) => {
                    pauses.push(pause.as_secs());
                    assert!(matches!(door.knock(now), Err(LogInError::Wait(left)) if left == pause));
                    now += pause;
                }
            }
        }
        assert_eq!(pauses, [0, 0, 5, 10, 20, 40, 80, 160, 300, 300, 300, 300]);
        door.answer(true, now).unwrap();
        assert_eq!(door.answer(false, now), Err(LogInError::Wrong));
    }
}
