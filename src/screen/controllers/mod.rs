//! One controller for each adapter of the pages. They live on the screen's thread and own its timers.

mod bar;
mod lane;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use bar::Bar;
use crossbeam_channel::Sender;
use lane::Lane;
use slint::ComponentHandle as _;

use super::mailbox::{Mail, Mailbox};
use super::ui::{MainWindow, Post};
use super::{Options, Request, ui};
use crate::lang::Text;

/// The controllers of one window.
pub(super) struct Controllers {
    lane: Lane,
    bar: Bar,
    changed: Rc<Changed>,
    _wishes: Sender<Request>,
}

/// Set when what is shown becomes something else; a preview frame and the clock do not count.
#[derive(Debug, Default)]
pub(super) struct Changed(Cell<bool>);

impl Changed {
    fn mark(&self) {
        self.0.set(true);
    }
}

impl Controllers {
    /// Wires the window up, and fetches what is in the mailbox whenever it says so.
    pub(super) fn set_up(
        window: &MainWindow,
        options: &Options,
        mailbox: &Arc<Mailbox>,
        wishes: Sender<Request>,
    ) -> anyhow::Result<Rc<Self>> {
        let changed = Rc::new(Changed::default());
        let controllers = Rc::new(Self {
            lane: Lane::set_up(window, options, &changed),
            bar: Bar::set_up(window, options, &changed)?,
            changed,
            _wishes: wishes,
        });
        let on_duty = Rc::downgrade(&controllers);
        let mailbox = Arc::clone(mailbox);
        window.global::<Post>().on_arrived(move || {
            if let Some(controllers) = on_duty.upgrade()
                && controllers.deliver(mailbox.take())
            {
                // From inside the event loop: a call before it runs would be forgotten by some backends.
                let _ = slint::quit_event_loop();
            }
        });
        Ok(controllers)
    }

    /// Shows what came; true if it said to end.
    pub(super) fn deliver(&self, mail: Mail) -> bool {
        if let Some(lines) = mail.status {
            self.bar.show(&lines);
        }
        if let Some(frame) = mail.frame {
            self.lane.preview(&frame);
        }
        if let Some(face) = mail.face {
            self.lane.show(face);
        }
        mail.quit
    }

    /// Whether what is shown has become something else since the last time this was asked.
    pub(super) fn take_changed(&self) -> bool {
        self.changed.0.take()
    }
}

fn both(text: &Text) -> ui::Both {
    ui::Both { zh: text.zh.as_str().into(), en: text.en.as_str().into() }
}
