//! A white lamp for paper codes in the dark. Phones shine by themselves.

use std::time::{Duration, Instant};

use crate::capture::Luma;
use crate::gate::Relay;

/// A picture is dark if its mean is below this, of 255: a gate at night without a lamp, not one at dusk.
const DARK: usize = 40;
/// A hand before the camera is not the night.
const FOR: Duration = Duration::from_secs(2);
/// The lamp itself makes the picture bright, so after this time it is off for a moment, to see whether it is still night.
const ON: Duration = Duration::from_secs(600);
/// Pixels from one that is looked at to the next.
const STEP: usize = 997;

/// The lamp, and what is known of the light.
#[derive(Default)]
pub(super) struct Torch {
    lamp: Option<Box<dyn Relay>>,
    dark_since: Option<Instant>,
    on_until: Option<Instant>,
    said: bool,
}

impl Torch {
    pub(super) fn new(lamp: Option<Box<dyn Relay>>) -> Self {
        Self { lamp, ..Self::default() }
    }

    /// Looks at a frame.
    pub(super) fn see(&mut self, luma: &Luma, now: Instant) {
        if self.lamp.is_none() {
            return;
        }
        if let Some(until) = self.on_until {
            if now >= until {
                (self.on_until, self.dark_since) = (None, None);
                self.set(false);
            }
            return;
        }
        if !is_dark(luma) {
            self.dark_since = None;
            return;
        }
        let since = *self.dark_since.get_or_insert(now);
        if now.saturating_duration_since(since) >= FOR {
            self.on_until = Some(now + ON);
            self.set(true);
        }
    }

    fn set(&mut self, on: bool) {
        if let Some(Err(error)) = self.lamp.as_mut().map(|lamp| lamp.set(on)) {
            // A gate works without it; once is enough for the log.
            if !std::mem::replace(&mut self.said, true) {
                tracing::error!("the white lamp: {error}");
            }
        }
    }
}

impl Drop for Torch {
    fn drop(&mut self) {
        self.set(false);
    }
}

fn is_dark(luma: &Luma) -> bool {
    let (count, sum) =
        luma.pixels().iter().step_by(STEP).fold((0, 0), |(count, sum), pixel| (count + 1, sum + usize::from(*pixel)));
    sum < DARK * count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Simulated;

    #[test]
    fn it_shines_in_the_dark_and_looks_now_and_then_whether_it_still_is() {
        let lamp = Simulated::called("torch");
        let mut torch = Torch::new(Some(Box::new(lamp.clone())));
        let (night, day) = (Luma::new(640, 480, vec![20; 640 * 480]), Luma::new(640, 480, vec![90; 640 * 480]));
        let start = Instant::now();
        let mut see = |luma: &Luma, s: u64| torch.see(luma, start + Duration::from_secs(s));
        let on = || lamp.history().iter().map(|s| s.energised).collect::<Vec<_>>();
        see(&night, 0);
        see(&day, 1);
        see(&night, 2);
        see(&night, 3);
        assert_eq!(on(), Vec::<bool>::new(), "a hand before the camera");
        see(&night, 4);
        assert_eq!(on(), [true]);
        // Its own light does not turn it off.
        see(&day, 5);
        see(&day, 603);
        assert_eq!(on(), [true]);
        see(&day, 604);
        assert_eq!(on(), [true, false]);
        see(&night, 605);
        see(&night, 607);
        assert_eq!(on(), [true, false, true]);
        drop(torch);
        assert_eq!(on(), [true, false, true, false]);
    }

    #[test]
    fn a_gate_without_a_lamp_looks_at_nothing() {
        let mut torch = Torch::new(None);
        torch.see(&Luma::default(), Instant::now());
        assert!(torch.dark_since.is_none());
        assert!(!is_dark(&Luma::default()), "no picture is no night");
    }
}
