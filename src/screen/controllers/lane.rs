//! The lane's page: ready, or a verdict for as long as it stands, with what the guard answers to it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use slint::{ComponentHandle as _, ModelRc, Timer, TimerMode, VecModel};
use tongguan_pass::Answer;

use super::desk::Desk;
use super::guard::Guard;
use super::service::Service;
use super::visitor::Visitor;
use super::{both, face};
use crate::lang::Text;
use crate::screen::mailbox::Face;
use crate::screen::preview::Frame;
use crate::screen::ui::{self, MainWindow};
use crate::screen::{Aim, Offer, Options, Request, Shown, reasons};

/// A verdict that waits for the guard's answer stands at least as long as the others, and no longer than this.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// So many frames without a code, and the corners go back to where they wait.
const MISSED: u8 = 4;
/// A share of the frame: what moved less has not moved.
const STEADY: f32 = 0.02;

pub(super) struct Lane {
    desk: Rc<Desk>,
    guard: Rc<Guard>,
    visitor: Rc<Visitor>,
    service: Rc<Service>,
    verdict_for: Duration,
    asked: RefCell<Asked>,
    /// Frames since a code was in one.
    missed: Cell<u8>,
    /// Until a verdict that asks nothing goes.
    fades: Rc<Timer>,
    /// Until any verdict goes.
    ends: Timer,
}

/// What the verdict on the screen asks of the guard.
#[derive(Debug, Default)]
struct Asked {
    token: u64,
    offer: Offer,
    /// Given, and waiting for its reason.
    answer: Option<Answer>,
}

impl Lane {
    pub(super) fn set_up(
        window: &MainWindow,
        options: &Options,
        desk: &Rc<Desk>,
        guard: &Rc<Guard>,
        visitor: &Rc<Visitor>,
        service: &Rc<Service>,
    ) -> Rc<Self> {
        let lane = Rc::new(Self {
            desk: Rc::clone(desk),
            guard: Rc::clone(guard),
            visitor: Rc::clone(visitor),
            service: Rc::clone(service),
            verdict_for: options.verdict_for,
            asked: RefCell::default(),
            missed: Cell::default(),
            fades: desk.patient_timer(),
            ends: Timer::default(),
        });
        let global = window.global::<ui::Lane>();
        let there = Rc::downgrade(&lane);
        global.on_answer(move |let_in| {
            if let Some(lane) = there.upgrade() {
                lane.answer(if let_in { Answer::LetIn } else { Answer::TurnedAway });
            }
        });
        let there = Rc::downgrade(&lane);
        global.on_give(move |reason| {
            if let Some(lane) = there.upgrade() {
                lane.give(&reason);
            }
        });
        let there = Rc::downgrade(&lane);
        global.on_take_back(move || {
            if let Some(lane) = there.upgrade() {
                lane.take_back();
            }
        });
        lane
    }

    pub(super) fn preview(&self, frame: &Frame) {
        if let Some(window) = self.desk.window() {
            let lane = window.global::<ui::Lane>();
            lane.set_preview(frame.to_image());
            lane.set_has_preview(true);
        }
    }

    /// The corners go around the code. They stand still where it does, and wait a moment for one that is lost.
    pub(super) fn aim(&self, aim: Option<Aim>) {
        let Some(window) = self.desk.window() else { return };
        let lane = window.global::<ui::Lane>();
        let Some(Aim { left, top, right, bottom }) = aim else {
            self.missed.set(self.missed.get().saturating_add(1));
            if self.missed.get() >= MISSED && lane.get_has_aim() {
                lane.set_has_aim(false);
            }
            return;
        };
        self.missed.set(0);
        let there = lane.get_aim();
        let moves = [there.left - left, there.top - top, there.right - right, there.bottom - bottom];
        if !lane.get_has_aim() || moves.iter().any(|by| by.abs() > STEADY) {
            lane.set_aim(ui::Aim { left, top, right, bottom });
            lane.set_has_aim(true);
        }
    }

    pub(super) fn coach(&self, hint: Option<&Text>) {
        let Some(window) = self.desk.window() else { return };
        let lane = window.global::<ui::Lane>();
        lane.set_hint(both(hint.unwrap_or(&Text::default())));
        lane.set_has_hint(hint.is_some());
        self.desk.mark();
    }

    pub(super) fn show(self: &Rc<Self>, face: Face) {
        match face {
            Face::Ready => self.ready(),
            Face::Verdict(shown) => self.verdict(&shown),
        }
    }

    pub(super) fn forget_who(&self) {
        let Some(window) = self.desk.window() else { return };
        let lane = window.global::<ui::Lane>();
        lane.set_verdict(ui::Verdict { who: ui::Both::default(), ..lane.get_verdict() });
        self.desk.mark();
    }

    /// Somebody has come on duty, and the verdict that stands there waited for them.
    pub(super) fn look_who_is_there(&self) {
        let mut asked = self.asked.borrow_mut();
        if asked.offer == Offer::LogIn && self.guard.is_on_duty() {
            asked.offer = Offer::Decide;
            drop(asked);
            self.show_asked();
            self.desk.settle_lane();
        }
    }

    /// Says who the verdict of that token is about.
    pub(super) fn name(&self, token: u64, who: &Text) {
        let Some(window) = self.desk.window() else { return };
        let lane = window.global::<ui::Lane>();
        if self.asked.borrow().token == token && lane.get_face() != ui::Face::Ready {
            lane.set_verdict(ui::Verdict { who: both(who), ..lane.get_verdict() });
            self.desk.mark();
        }
    }

    fn verdict(self: &Rc<Self>, shown: &Shown) {
        let Some(window) = self.desk.window() else { return };
        self.visitor.interrupt();
        self.service.interrupt();
        self.guard.interrupt();
        // Whatever the finger was about to touch is gone.
        self.desk.settle_lane();
        *self.asked.borrow_mut() = Asked { token: shown.token, offer: shown.offer, answer: None };
        let lane = window.global::<ui::Lane>();
        lane.set_verdict(ui::Verdict {
            title: both(&shown.title),
            guard: both(&shown.guard),
            resident: both(&shown.resident),
            what: shown.what.as_ref().map(both).unwrap_or_default(),
            who: shown.who.as_ref().map(both).unwrap_or_default(),
            reason: shown.reason.as_str().into(),
            gate_open: shown.gate_open,
        });
        lane.set_face(face(shown.outcome));
        self.show_asked();
        self.look_who_is_there();

        self.ends.stop();
        if !self.verdict_for.is_zero() {
            let there = Rc::downgrade(self);
            // At the top of another page the touches there must not keep it, as they keep one that is being answered.
            let keeps = self.asks() || !self.guard.is_kept();
            let longest = if keeps { self.verdict_for.max(ANSWER_WITHIN) } else { self.verdict_for };
            self.ends.start(TimerMode::SingleShot, longest, move || {
                if let Some(lane) = there.upgrade() {
                    lane.ready();
                }
            });
        }
        self.wait();
    }

    /// A verdict that asks nothing goes after its time; each touch begins that time anew.
    fn wait(self: &Rc<Self>) {
        self.fades.stop();
        if !self.asks() && !self.verdict_for.is_zero() {
            let there = Rc::downgrade(self);
            self.fades.start(TimerMode::SingleShot, self.verdict_for, move || {
                if let Some(lane) = there.upgrade() {
                    lane.ready();
                }
            });
        }
    }

    fn asks(&self) -> bool {
        let asked = self.asked.borrow();
        asked.answer.is_some() || matches!(asked.offer, Offer::Decide | Offer::LogIn)
    }

    fn ready(&self) {
        self.fades.stop();
        self.ends.stop();
        *self.asked.borrow_mut() = Asked::default();
        let Some(window) = self.desk.window() else { return };
        let lane = window.global::<ui::Lane>();
        if lane.get_face() != ui::Face::Ready {
            lane.set_face(ui::Face::Ready);
            // A verdict may be about a person; it does not outstay its time in memory either.
            lane.set_verdict(ui::Verdict::default());
            self.show_asked();
            self.desk.settle_lane();
            self.guard.resume();
            self.visitor.resume();
            self.service.resume();
        }
    }

    fn answer(self: &Rc<Self>, answer: Answer) {
        if !self.desk.counts() {
            return;
        }
        let offered = match self.asked.borrow().offer {
            Offer::Decide => true,
            Offer::Override => answer == Answer::LetIn,
            Offer::Nothing | Offer::LogIn => false,
        };
        if offered {
            self.asked.borrow_mut().answer = Some(answer);
            self.show_asked();
            // A finger that trembles must not give a reason.
            self.desk.settle();
            self.wait();
        }
    }

    fn give(self: &Rc<Self>, reason: &str) {
        if !self.desk.counts() {
            return;
        }
        let asked = self.asked.take();
        let chosen = asked.answer.and_then(|answer| {
            let reason = reasons(answer).iter().find(|known| **known == reason)?;
            Some(Request::Rule { token: asked.token, answer, reason })
        });
        let Some(rule) = chosen else {
            *self.asked.borrow_mut() = asked;
            return;
        };
        self.desk.wish(rule);
        self.show_asked();
        self.desk.settle();
        self.wait();
    }

    fn take_back(self: &Rc<Self>) {
        if self.desk.counts() {
            self.asked.borrow_mut().answer = None;
            self.show_asked();
            self.desk.settle();
            self.wait();
        }
    }

    fn show_asked(&self) {
        let Some(window) = self.desk.window() else { return };
        let lane = window.global::<ui::Lane>();
        let asked = self.asked.borrow();
        lane.set_offer(match asked.offer {
            Offer::Nothing => ui::Offer::Nothing,
            Offer::Decide => ui::Offer::Decide,
            Offer::Override => ui::Offer::Override,
            Offer::LogIn => ui::Offer::LogIn,
        });
        let words: Vec<slint::SharedString> =
            asked.answer.map_or(&[][..], reasons).iter().map(|reason| (*reason).into()).collect();
        lane.set_letting_in(asked.answer == Some(Answer::LetIn));
        lane.set_reasons(ModelRc::new(VecModel::from(words)));
        self.desk.mark();
    }
}
