//! Something without which the gate does not work, in place of the ready page until it is gone.

use std::rc::Rc;

use slint::ComponentHandle as _;

use super::both;
use super::desk::Desk;
use crate::lang::Text;
use crate::screen::{Fault as Trouble, ui};

pub(super) struct Fault {
    desk: Rc<Desk>,
}

impl Fault {
    pub(super) fn set_up(desk: &Rc<Desk>) -> Self {
        Self { desk: Rc::clone(desk) }
    }

    pub(super) fn show(&self, fault: Option<&Trouble>) {
        let Some(window) = self.desk.window() else { return };
        let page = window.global::<ui::Fault>();
        let nothing = Text::default();
        let said = |pick: fn(&Trouble) -> &Text| both(fault.map_or(&nothing, pick));
        page.set_title(said(|fault| &fault.title));
        page.set_guard(said(|fault| &fault.guard));
        page.set_technician(said(|fault| &fault.technician));
        if page.get_there() != fault.is_some() {
            page.set_there(fault.is_some());
            // Its buttons are not where those of the ready page were.
            self.desk.settle_lane();
        }
        self.desk.mark();
    }
}
