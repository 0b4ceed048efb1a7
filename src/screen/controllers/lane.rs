//! The lane's page: ready, or a verdict for as long as it stands.

use std::rc::Rc;
use std::time::Duration;

use slint::{ComponentHandle as _, Timer, TimerMode, Weak};

use super::{Changed, both};
use crate::screen::mailbox::Face;
use crate::screen::preview::Frame;
use crate::screen::ui::{self, MainWindow};
use crate::screen::{Options, Outcome, Shown};

pub(super) struct Lane {
    window: Weak<MainWindow>,
    changed: Rc<Changed>,
    verdict_for: Duration,
    back_to_ready: Timer,
}

impl Lane {
    pub(super) fn set_up(window: &MainWindow, options: &Options, changed: &Rc<Changed>) -> Self {
        Self {
            window: window.as_weak(),
            changed: Rc::clone(changed),
            verdict_for: options.verdict_for,
            back_to_ready: Timer::default(),
        }
    }

    pub(super) fn preview(&self, frame: &Frame) {
        if let Some(window) = self.window.upgrade() {
            let lane = window.global::<ui::Lane>();
            lane.set_preview(frame.to_image());
            lane.set_has_preview(true);
        }
    }

    pub(super) fn show(&self, face: Face) {
        self.back_to_ready.stop();
        match face {
            Face::Ready => ready(&self.window, &self.changed),
            Face::Verdict(shown) => self.verdict(&shown),
        }
    }

    fn verdict(&self, shown: &Shown) {
        let Some(window) = self.window.upgrade() else { return };
        let lane = window.global::<ui::Lane>();
        lane.set_verdict(ui::Verdict {
            title: both(&shown.title),
            guard: both(&shown.guard),
            resident: both(&shown.resident),
            reason: shown.reason.as_str().into(),
            gate_open: shown.gate_open,
        });
        lane.set_face(match shown.outcome {
            Outcome::Pass => ui::Face::Pass,
            Outcome::Confirm => ui::Face::Confirm,
            Outcome::Deny => ui::Face::Deny,
        });
        self.changed.mark();

        if !self.verdict_for.is_zero() {
            let (window, changed) = (self.window.clone(), Rc::clone(&self.changed));
            self.back_to_ready.start(TimerMode::SingleShot, self.verdict_for, move || ready(&window, &changed));
        }
    }
}

fn ready(window: &Weak<MainWindow>, changed: &Changed) {
    if let Some(window) = window.upgrade() {
        let lane = window.global::<ui::Lane>();
        if lane.get_face() != ui::Face::Ready {
            lane.set_face(ui::Face::Ready);
            // A verdict may be about a person; it does not outstay its time in memory either.
            lane.set_verdict(ui::Verdict::default());
            changed.mark();
        }
    }
}
