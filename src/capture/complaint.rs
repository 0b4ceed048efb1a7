//! How often the log is told of what fails again and again: when it begins or changes, now and then, and when it is over.
//! A camera that is unplugged for a night must not fill the card.

use std::time::{Duration, Instant};

/// How long the same complaint is not repeated.
const QUIET: Duration = Duration::from_secs(600);

/// The complaint that is open, if one is.
#[derive(Debug, Default)]
pub(super) struct Complaint(Option<Open>);

#[derive(Debug)]
struct Open {
    problem: String,
    tries: u32,
    told: Instant,
}

impl Complaint {
    /// It failed. The tries since it was well last, if it is time to tell.
    pub(super) fn failed(&mut self, problem: &str, now: Instant) -> Option<u32> {
        let open = self.0.get_or_insert_with(|| Open { problem: String::new(), tries: 0, told: now });
        open.tries = open.tries.saturating_add(1);
        if open.problem == problem && now.duration_since(open.told) < QUIET {
            return None;
        }
        problem.clone_into(&mut open.problem);
        open.told = now;
        Some(open.tries)
    }

    /// It is well. The tries it took, if it was not.
    pub(super) fn over(&mut self) -> Option<u32> {
        self.0.take().map(|open| open.tries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_complaint_is_told_at_once_then_every_ten_minutes_and_its_end_once() {
        let (mut complaint, start) = (Complaint::default(), Instant::now());
        let told: Vec<(u64, u32)> = (0..1500)
            .step_by(3)
            .filter_map(|s| Some((s, complaint.failed("gone", start + Duration::from_secs(s))?)))
            .collect();
        assert_eq!(told, [(0, 1), (600, 201), (1200, 401)]);
        assert_eq!(complaint.failed("busy", start + Duration::from_secs(1500)), Some(501));
        assert_eq!(complaint.failed("busy", start + Duration::from_secs(1503)), None);
        assert_eq!(complaint.over(), Some(502));
        assert_eq!(complaint.over(), None);
        assert_eq!(complaint.failed("busy", start + Duration::from_secs(1506)), Some(1));
    }
}
