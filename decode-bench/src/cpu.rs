//! CPU time of this thread: a thread that has to wait for its turn spends nothing, so that two threads and a busy machine
//! do not make a reader look slow.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// What `work` returns, and the CPU time it took.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = spent();
    let result = work();
    (result, spent().saturating_sub(start))
}

fn spent() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
