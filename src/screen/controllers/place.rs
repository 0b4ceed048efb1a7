//! Where the screen is: at the lane, or on one of the guard's pages until nobody touches it any more.

use std::rc::Rc;
use std::time::Duration;

use slint::{ComponentHandle as _, Timer, TimerMode};

use super::desk::Desk;
use crate::screen::ui::{self, MainWindow, Page};
use crate::screen::{Options, Request, request};

/// A page that nobody touches goes back to the lane.
const LEFT_ALONE: Duration = Duration::from_secs(30);
/// Whoever turns a lens has both hands at the camera.
const AT_WORK: Duration = Duration::from_secs(300);

pub(super) struct Place {
    desk: Rc<Desk>,
    left_alone: Rc<Timer>,
}

impl Place {
    pub(super) fn set_up(window: &MainWindow, options: &Options, desk: &Rc<Desk>) -> Rc<Self> {
        let place = Rc::new(Self { desk: Rc::clone(desk), left_alone: desk.patient_timer() });
        let global = window.global::<ui::Place>();
        global.set_attended(options.attended);
        let there = Rc::downgrade(&place);
        global.on_open_past(move || {
            if let Some(place) = there.upgrade()
                && place.desk.counts()
            {
                place.go(Page::Past);
            }
        });
        let there = Rc::downgrade(&place);
        global.on_leave(move || {
            if let Some(place) = there.upgrade()
                && place.desk.counts()
            {
                place.go(Page::Lane);
            }
        });
        place
    }

    pub(super) fn page(&self) -> Page {
        self.desk.window().map_or(Page::Lane, |window| window.global::<ui::Place>().get_page())
    }

    /// Whether a verdict leaves the page to whoever is at work on it, and only shows at the top of the screen.
    pub(super) fn is_kept(&self) -> bool {
        matches!(self.page(), Page::Guard | Page::Visitor) && self.desk.is_somebody_at_work()
    }

    pub(super) fn go(self: &Rc<Self>, page: Page) {
        let Some(window) = self.desk.window() else { return };
        let global = window.global::<ui::Place>();
        if global.get_page() != page {
            global.set_page(page);
            self.desk.wish(Request::At(match page {
                Page::Lane => request::Page::Lane,
                Page::Guard => request::Page::Guard,
                Page::Past => request::Page::Past,
                Page::Visitor => request::Page::Visitor,
                Page::Service => request::Page::Service,
            }));
        }
        self.desk.mark();
        if page == Page::Lane {
            self.left_alone.stop();
            return;
        }
        let there = Rc::downgrade(self);
        let patience = if page == Page::Service { AT_WORK } else { LEFT_ALONE };
        self.left_alone.start(TimerMode::SingleShot, patience, move || {
            if let Some(place) = there.upgrade() {
                place.go(Page::Lane);
                place.desk.settle();
            }
        });
    }
}
