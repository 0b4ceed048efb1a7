//! The last outcomes of this lane.

use std::rc::Rc;

use slint::{ComponentHandle as _, ModelRc, VecModel};

use super::desk::Desk;
use super::{both, face};
use crate::screen::Past as Outcome;
use crate::screen::ui;

pub(super) struct Past {
    desk: Rc<Desk>,
}

impl Past {
    pub(super) fn set_up(desk: &Rc<Desk>) -> Self {
        Self { desk: Rc::clone(desk) }
    }

    pub(super) fn show(&self, outcomes: &[Outcome]) {
        let Some(window) = self.desk.window() else { return };
        let rows: Vec<ui::Row> = outcomes
            .iter()
            .map(|past| ui::Row {
                at: past.at.as_str().into(),
                face: face(past.outcome),
                title: both(&past.title),
                who: past.who.as_ref().map(both).unwrap_or_default(),
                ruling: past.ruling.as_ref().map(both).unwrap_or_default(),
            })
            .collect();
        window.global::<ui::Past>().set_rows(ModelRc::new(VecModel::from(rows)));
        self.desk.mark();
    }
}
