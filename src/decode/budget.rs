//! The CPU time one look may cost, asked for inside the stages.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// What is left of a look's CPU time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    end: Duration,
}

impl Budget {
    pub(super) fn start(budget: Duration) -> Self {
        Self { end: spent().saturating_add(budget) }
    }

    /// The same, but not more than this from now on.
    pub(super) fn at_most(self, budget: Duration) -> Self {
        Self { end: self.end.min(spent().saturating_add(budget)) }
    }

    pub(super) fn is_left(self) -> bool {
        spent() < self.end
    }
}

/// CPU time of this thread. A thread that has to wait for its turn has not spent anything.
fn spent() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
