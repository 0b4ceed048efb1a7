//! What every controller has at hand: the window, the way to the lane, and whose touch counts.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use crossbeam_channel::Sender;
use slint::{ComponentHandle as _, Timer, TimerMode, Weak};

use crate::screen::Request;
use crate::screen::ui::{self, MainWindow};

/// A finger that comes down sooner after the page has changed by itself was meant for what stood there before.
const SETTLES: Duration = Duration::from_millis(400);
/// That somebody is there is told this often at most.
const BETWEEN_TOUCHES: Duration = Duration::from_secs(1);

/// Whoever has touched nothing for so long is not at work on a page.
const AT_WORK: Duration = Duration::from_secs(5);

pub(super) struct Desk {
    window: Weak<MainWindow>,
    wishes: Sender<Request>,
    changed: Cell<bool>,
    settling: Timer,
    told: Timer,
    at_work: Timer,
    counts: Cell<bool>,
    patient: RefCell<Vec<Rc<Timer>>>,
}

impl Desk {
    pub(super) fn set_up(window: &MainWindow, wishes: Sender<Request>) -> Rc<Self> {
        let desk = Rc::new(Self {
            window: window.as_weak(),
            wishes,
            changed: Cell::default(),
            settling: Timer::default(),
            told: Timer::default(),
            at_work: Timer::default(),
            counts: Cell::default(),
            patient: RefCell::default(),
        });
        let hand = Rc::downgrade(&desk);
        window.global::<ui::Hand>().on_touched(move || {
            if let Some(desk) = hand.upgrade() {
                desk.touched();
            }
        });
        desk
    }

    pub(super) fn window(&self) -> Option<MainWindow> {
        self.window.upgrade()
    }

    /// What is shown has become something else; a preview frame and the clock do not count.
    pub(super) fn mark(&self) {
        self.changed.set(true);
    }

    pub(super) fn take_changed(&self) -> bool {
        self.changed.take()
    }

    pub(super) fn wish(&self, request: Request) {
        // A lane that has ended obeys nobody, and the screen ends with it.
        self.wishes.send(request).ok();
    }

    /// The page has changed by itself. A finger that is down now counts no more, wherever it goes up.
    pub(super) fn settle(&self) {
        self.counts.set(false);
        self.settling.start(TimerMode::SingleShot, SETTLES, || {});
    }

    /// The same of the lane's page: whoever is on another one touches nothing that moved.
    pub(super) fn settle_lane(&self) {
        if self.window().is_some_and(|window| window.global::<ui::Place>().get_page() == ui::Page::Lane) {
            self.settle();
        }
    }

    /// Whether what is wished now was touched on the page that stands there.
    pub(super) fn counts(&self) -> bool {
        self.counts.get()
    }

    /// Whether somebody has touched the screen a moment ago.
    pub(super) fn is_somebody_at_work(&self) -> bool {
        self.at_work.running()
    }

    /// A timer that every touch starts anew while it runs.
    pub(super) fn patient_timer(&self) -> Rc<Timer> {
        let timer = Rc::new(Timer::default());
        self.patient.borrow_mut().push(Rc::clone(&timer));
        timer
    }

    fn touched(&self) {
        self.counts.set(!self.settling.running());
        self.patient.borrow().iter().filter(|timer| timer.running()).for_each(|timer| timer.restart());
        self.at_work.start(TimerMode::SingleShot, AT_WORK, || {});
        if !self.told.running() {
            self.told.start(TimerMode::SingleShot, BETWEEN_TOUCHES, || {});
            self.wish(Request::Touched);
        }
    }
}
