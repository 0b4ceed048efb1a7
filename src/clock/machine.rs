//! What the computer's own clocks show. The only place where time comes in.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// A computer's clocks.
pub trait Machine: Send + Sync {
    /// The wall clock, which anybody may have set to anything.
    fn wall(&self) -> Timestamp;

    /// Time since the machine started, sleep included. Only ever runs forward, at the crystal's own pace: whoever steers the
    /// wall clock does not steer it.
    fn elapsed(&self) -> Duration;

    /// Which start of the machine this is.
    fn boot(&self) -> String;

    /// Which machine this is: a card may be moved to another one.
    fn id(&self) -> String;

    /// The kernel's bound on the wall clock's error, if something such as NTP keeps it right.
    fn kernel_error(&self) -> Option<Duration>;

    /// The battery clock, if there is one.
    fn rtc(&self) -> Option<Timestamp>;
}

/// The machine this program runs on.
#[derive(Debug, Clone)]
pub struct Linux {
    /// The battery clock in sysfs, such as `/sys/class/rtc/rtc0`.
    pub rtc: Option<PathBuf>,
}

impl Machine for Linux {
    #[expect(clippy::disallowed_methods, reason = "this is the edge where time comes in")]
    fn wall(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        let time = |id| {
            let time = clock_gettime(id);
            Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
        };
        // BOOTTIME counts sleep, but NTP slews it; what it is ahead of MONOTONIC is the sleep. Read the other way round, the
        // few nanoseconds in between would be negative.
        let asleep = time(ClockId::Boottime).saturating_sub(time(ClockId::Monotonic));
        time(ClockId::MonotonicRaw) + asleep
    }

    fn boot(&self) -> String {
        // Without it nothing of an earlier run is believed.
        word("/proc/sys/kernel/random/boot_id")
    }

    fn id(&self) -> String {
        word("/etc/machine-id") + &word("/sys/firmware/devicetree/base/serial-number")
    }

    fn kernel_error(&self) -> Option<Duration> {
        // All zero is a valid timex: modes 0 only reads, which needs no privilege (adjtimex(2)).
        #[expect(unsafe_code, reason = "adjtimex has no safe wrapper")]
        let (state, timex) = unsafe {
            let mut timex: libc::timex = std::mem::zeroed();
            (libc::adjtimex(&raw mut timex), timex)
        };
        let synced = state >= 0 && state != libc::TIME_ERROR && timex.status & libc::STA_UNSYNC == 0;
        let error = u64::try_from(timex.maxerror).ok().map(Duration::from_micros);
        if synced { error } else { None }
    }

    fn rtc(&self) -> Option<Timestamp> {
        let seconds = std::fs::read_to_string(self.rtc.as_ref()?.join("since_epoch")).ok()?;
        Timestamp::from_second(seconds.trim().parse().ok()?).ok()
    }
}

fn word(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default().trim_matches(['\0', '\n', ' ']).to_owned()
}
