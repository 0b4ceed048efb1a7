//! The colours: by day, by night, or by the time; and the other ones at a touch.

use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;

use slint::ComponentHandle as _;

use super::desk::Desk;
use crate::screen::ui::{self, MainWindow};
use crate::screen::{self, Options};

/// Hours in which the sun may stand on a screen, all the year round.
const DAY: Range<u8> = 7..19;

pub(super) struct Theme {
    desk: Rc<Desk>,
    wanted: screen::Theme,
    /// What the time said last: a guard who wants the other one has it until the time says something else.
    by_time: Cell<Option<bool>>,
}

impl Theme {
    pub(super) fn set_up(window: &MainWindow, options: &Options, desk: &Rc<Desk>) -> Rc<Self> {
        let theme = Rc::new(Self { desk: Rc::clone(desk), wanted: options.theme, by_time: Cell::default() });
        theme.set_day(options.theme == screen::Theme::Day);
        let there = Rc::downgrade(&theme);
        window.global::<ui::Bar>().on_switch_theme(move || {
            if let Some(theme) = there.upgrade()
                && theme.desk.counts()
            {
                theme.set_day(!theme.is_day());
            }
        });
        theme
    }

    /// The lane's time, `HH:MM`, as far as it is known.
    pub(super) fn tell_time(&self, time: Option<&str>) {
        if self.wanted != screen::Theme::Auto {
            return;
        }
        let hour = time.and_then(|time| time.split(':').next()?.parse().ok());
        let day = hour.is_some_and(|hour| DAY.contains(&hour));
        if self.by_time.replace(Some(day)) != Some(day) {
            self.set_day(day);
        }
    }

    fn is_day(&self) -> bool {
        self.desk.window().is_some_and(|window| window.global::<ui::Theme>().get_day())
    }

    fn set_day(&self, day: bool) {
        if let Some(window) = self.desk.window() {
            window.global::<ui::Theme>().set_day(day);
            self.desk.mark();
        }
    }
}
