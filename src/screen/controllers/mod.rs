//! One controller for each adapter of the pages. They live on the screen's thread and own its timers.

mod bar;
mod desk;
mod fault;
mod guard;
mod lane;
mod past;
mod place;
mod service;
mod theme;
mod visitor;

use std::rc::Rc;
use std::sync::Arc;

use bar::Bar;
use crossbeam_channel::Sender;
use desk::Desk;
use fault::Fault;
use guard::Guard;
use lane::Lane;
use past::Past;
use place::Place;
use service::Service;
use slint::ComponentHandle as _;
use theme::Theme;
use visitor::Visitor;

use super::mailbox::{Mail, Mailbox};
use super::ui::{MainWindow, Post};
use super::{Options, Outcome, Request, ui};
use crate::lang::Text;

/// The controllers of one window.
pub(super) struct Controllers {
    desk: Rc<Desk>,
    bar: Bar,
    lane: Rc<Lane>,
    guard: Rc<Guard>,
    past: Past,
    fault: Fault,
    visitor: Rc<Visitor>,
    theme: Rc<Theme>,
    service: Rc<Service>,
}

impl Controllers {
    /// Wires the window up, and fetches what is in the mailbox whenever it says so.
    pub(super) fn set_up(
        window: &MainWindow,
        options: &Options,
        mailbox: &Arc<Mailbox>,
        wishes: Sender<Request>,
    ) -> anyhow::Result<Rc<Self>> {
        let desk = Desk::set_up(window, wishes);
        let place = Place::set_up(window, options, &desk);
        let guard = Guard::set_up(window, &desk, &place);
        let visitor = Visitor::set_up(window, &desk, &place, &guard);
        let service = Service::set_up(window, &desk, &place);
        let controllers = Rc::new(Self {
            bar: Bar::set_up(window, options, &desk)?,
            lane: Lane::set_up(window, options, &desk, &guard, &visitor, &service),
            past: Past::set_up(&desk),
            fault: Fault::set_up(&desk),
            theme: Theme::set_up(window, options, &desk),
            guard,
            visitor,
            service,
            desk,
        });
        let there = Rc::downgrade(&controllers);
        let mailbox = Arc::clone(mailbox);
        window.global::<Post>().on_arrived(move || {
            if let Some(controllers) = there.upgrade()
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
        if let Some(time) = mail.time {
            self.bar.tell_time(time.as_deref());
            self.theme.tell_time(time.as_deref());
        }
        if let Some((frame, aim)) = mail.frame {
            self.lane.preview(&frame);
            self.lane.aim(aim);
        }
        if let Some(hint) = mail.hint {
            self.lane.coach(hint.as_ref());
        }
        if let Some(outcomes) = mail.past {
            self.past.show(&outcomes);
        }
        if let Some(fault) = mail.fault {
            self.fault.show(fault.as_ref());
        }
        // Who is there, before the verdict that asks them.
        if let Some(guards) = mail.guards {
            self.service.look_who_is_there(&guards);
            self.guard.learn(guards);
            self.lane.look_who_is_there();
        }
        if let Some(visiting) = mail.visiting {
            self.visitor.learn(visiting);
        }
        if let Some(told) = mail.service {
            self.service.learn(told);
        }
        if let Some((inspection, frame)) = mail.inspection {
            self.service.inspect(&inspection, &frame);
        }
        if let Some(face) = mail.face {
            self.lane.show(face);
        }
        if let Some((token, who)) = mail.who {
            self.lane.name(token, &who);
        }
        if mail.forget_who {
            self.lane.forget_who();
        }
        mail.quit
    }

    /// Whether what is shown has become something else since the last time this was asked.
    pub(super) fn take_changed(&self) -> bool {
        self.desk.take_changed()
    }
}

fn both(text: &Text) -> ui::Both {
    ui::Both { zh: text.zh.as_str().into(), en: text.en.as_str().into() }
}

fn face(outcome: Outcome) -> ui::Face {
    match outcome {
        Outcome::Pass => ui::Face::Pass,
        Outcome::Confirm => ui::Face::Confirm,
        Outcome::Deny => ui::Face::Deny,
    }
}
