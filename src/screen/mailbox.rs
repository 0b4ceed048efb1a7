//! From the workers to the screen's thread: one slot for each thing that can be shown, the newest wins.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::preview::Frame;
use super::ui::{MainWindow, Post};
use super::{Aim, Fault, Guards, Inspection, Past, Service, Shown, StatusLine, Visiting};
use crate::lang::Text;
use crate::watchdog::Hearts;

/// Twelve frames a second look live; more would only heat the Pi.
const BETWEEN_FRAMES: Duration = Duration::from_millis(83);

/// What has been left since the screen last looked.
#[derive(Debug, Default)]
pub(super) struct Mail {
    pub(super) face: Option<Face>,
    pub(super) status: Option<Vec<StatusLine>>,
    pub(super) hint: Option<Option<Text>>,
    pub(super) time: Option<Option<String>>,
    pub(super) guards: Option<Guards>,
    pub(super) who: Option<(u64, Text)>,
    pub(super) visiting: Option<Visiting>,
    pub(super) past: Option<Vec<Past>>,
    pub(super) service: Option<Service>,
    pub(super) inspection: Option<(Inspection, Frame)>,
    pub(super) fault: Option<Option<Fault>>,
    pub(super) frame: Option<(Frame, Option<Aim>)>,
    pub(super) forget_who: bool,
    pub(super) ping: Option<Arc<Hearts>>,
    pub(super) quit: bool,
}

/// What the page is to show.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one, in its slot")]
pub(super) enum Face {
    Ready,
    Verdict(Shown),
}

/// The slots and what rings when something is in them. Locked only to put or take a value, never while drawing.
#[derive(Debug)]
pub(super) struct Mailbox {
    slots: Mutex<Slots>,
    bell: Bell,
}

#[derive(Debug, Default)]
struct Slots {
    mail: Mail,
    /// The screen has been told and has not come yet: telling it twice would pile up calls in its event loop.
    rung: bool,
    last_frame: Option<Instant>,
}

enum Bell {
    /// Slint's event loop; it owns the window, this side only a weak handle.
    EventLoop(slint::Weak<MainWindow>),
    /// A loop of our own that waits.
    Waiting(Condvar),
}

impl std::fmt::Debug for Bell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::EventLoop(_) => "EventLoop",
            Self::Waiting(_) => "Waiting",
        })
    }
}

impl Mailbox {
    pub(super) fn with_event_loop(window: slint::Weak<MainWindow>) -> Self {
        Self::new(Bell::EventLoop(window))
    }

    pub(super) fn with_bell() -> Self {
        Self::new(Bell::Waiting(Condvar::new()))
    }

    fn new(bell: Bell) -> Self {
        Self { slots: Mutex::default(), bell }
    }

    /// Leaves something and rings, unless the screen is already on its way.
    pub(super) fn post(&self, put: impl FnOnce(&mut Mail)) {
        let mut slots = self.lock();
        put(&mut slots.mail);
        if std::mem::replace(&mut slots.rung, true) {
            return;
        }
        drop(slots);
        match &self.bell {
            Bell::EventLoop(window) => {
                // An error means the event loop is over, and with it everybody who could have looked.
                let _ = window.upgrade_in_event_loop(|window| {
                    use slint::ComponentHandle as _;
                    window.global::<Post>().invoke_arrived();
                });
            }
            Bell::Waiting(bell) => bell.notify_one(),
        }
    }

    /// Whether a preview frame is wanted now; asking takes the turn.
    pub(super) fn preview_due(&self) -> bool {
        let now = Instant::now();
        let mut slots = self.lock();
        let due = slots.last_frame.is_none_or(|last| now.duration_since(last) >= BETWEEN_FRAMES);
        if due {
            slots.last_frame = Some(now);
        }
        due
    }

    /// What the screen finds; that it came to look is its turn.
    pub(super) fn take(&self) -> Mail {
        let mut slots = self.lock();
        slots.rung = false;
        if let Some(hearts) = slots.mail.ping.take() {
            hearts.screen.beat();
        }
        std::mem::take(&mut slots.mail)
    }

    /// Waits until something is in a slot, or for `at_most`.
    pub(super) fn wait(&self, at_most: Option<Duration>) {
        let Bell::Waiting(bell) = &self.bell else { return };
        let slots = self.lock();
        match at_most {
            Some(time) => drop(bell.wait_timeout_while(slots, time, |slots| !slots.rung)),
            None => drop(bell.wait_while(slots, |slots| !slots.rung)),
        }
    }

    pub(super) fn wait_for_quit(&self) {
        loop {
            self.wait(None);
            if self.take().quit {
                return;
            }
        }
    }

    /// A worker that panicked while it held the lock has left a whole value behind: each slot is one assignment.
    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
