//! The guard's page: who is on duty, and the keypad on which somebody comes on duty.
//!
//! The digits stay on this side: the page only learns how many there are.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use slint::{ComponentHandle as _, Model as _, ModelRc, SharedString, Timer, TimerMode, VecModel};
use zeroize::{Zeroize as _, Zeroizing};

use super::both;
use super::desk::Desk;
use super::place::Place;
use crate::guards::Pin;
use crate::lang::Text;
use crate::screen::ui::{self, GuardView, MainWindow, Page};
use crate::screen::{Guards, OnDuty, Request};

/// Half a PIN is not left standing for the next one.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(20);
/// No PIN is longer.
const MOST_DIGITS: usize = 8;

pub(super) struct Guard {
    desk: Rc<Desk>,
    place: Rc<Place>,
    known: RefCell<Guards>,
    state: RefCell<State>,
    forgets: Rc<Timer>,
}

#[derive(Default)]
struct State {
    /// Whose PIN is typed; empty while nobody has said who they are.
    name: String,
    pin: Zeroizing<String>,
    /// Somebody else is to come on duty.
    handing_over: bool,
    /// What was said to somebody before.
    stale: Option<Text>,
    /// A shift that nobody has read yet.
    ended: Option<OnDuty>,
    /// A verdict came in between.
    interrupted: bool,
}

impl Guard {
    pub(super) fn set_up(window: &MainWindow, desk: &Rc<Desk>, place: &Rc<Place>) -> Rc<Self> {
        let guard = Rc::new(Self {
            desk: Rc::clone(desk),
            place: Rc::clone(place),
            known: RefCell::default(),
            state: RefCell::default(),
            forgets: desk.patient_timer(),
        });
        let there = Rc::downgrade(&guard);
        // Every wish of the page comes through here: a touch that was meant for another page is none.
        let when_touched = move |act: fn(&Rc<Self>, &str)| {
            let there = there.clone();
            move |what: &str| {
                if let Some(guard) = there.upgrade()
                    && guard.desk.counts()
                {
                    act(&guard, what);
                    guard.show();
                }
            }
        };
        let page = window.global::<ui::Guard>();
        let choose = when_touched(Self::choose);
        page.on_choose(move |name| choose(&name));
        let key = when_touched(Self::key);
        page.on_key(move |digit| key(&digit));
        let delete = when_touched(|guard, _| {
            guard.state.borrow_mut().pin.pop();
        });
        page.on_delete(move || delete(""));
        let enter = when_touched(|guard, _| guard.enter());
        page.on_enter(move || enter(""));
        let log_out = when_touched(|guard, _| guard.desk.wish(Request::LogOut));
        page.on_log_out(move || log_out(""));
        let hand_over = when_touched(|guard, _| guard.state.borrow_mut().handing_over = true);
        page.on_hand_over(move || hand_over(""));
        // What stood on the button is what is wished: it turns with the gate, and not under a finger.
        let hold = when_touched(|guard, _| {
            let held = guard.known.borrow().held;
            guard.desk.wish(Request::Hold(!held));
        });
        page.on_hold(move || hold(""));
        let dismiss = when_touched(|guard, _| guard.state.borrow_mut().ended = None);
        page.on_dismiss(move || dismiss(""));
        let back = when_touched(|guard, _| guard.back());
        page.on_back(move || back(""));
        let open = when_touched(|guard, _| guard.open());
        window.global::<ui::Place>().on_open_guard(move || open(""));
        guard
    }

    /// What the lane says of the guards.
    pub(super) fn learn(self: &Rc<Self>, guards: Guards) {
        let before = self.known.replace(guards);
        let guards = self.known.borrow();
        if *guards == before {
            return;
        }
        let mut state = self.state.borrow_mut();
        if guards.handed_over != before.handed_over {
            state.ended.clone_from(&guards.handed_over);
        }
        let shift = |guards: &Guards| guards.on_duty.as_ref().map(|duty| duty.number);
        // By PIN or by code: whoever was typing has come, or has been overtaken.
        let came = guards.on_duty.is_some() && shift(&guards) != shift(&before);
        let removed = !state.name.is_empty() && !guards.names.contains(&state.name);
        if came || removed {
            state.forget();
        }
        let other_names = guards.names != before.names;
        drop((state, guards));
        let moved = self.show() || other_names;
        if self.place.page() == Page::Guard && moved {
            self.desk.settle();
            // Whoever logged in to decide is back at the verdict.
            if came && self.at_a_verdict() {
                self.place.go(Page::Lane);
            }
        }
    }

    pub(super) fn is_on_duty(&self) -> bool {
        self.known.borrow().on_duty.is_some()
    }

    /// A verdict has come: its page is the lane's, unless somebody is at work on this one. Whoever was typing, and paused, finds
    /// their digits afterwards.
    pub(super) fn interrupt(self: &Rc<Self>) {
        if self.place.is_kept() {
            return;
        }
        if self.place.page() == Page::Guard {
            let typing = self.is_typing();
            let mut state = self.state.borrow_mut();
            if typing {
                state.interrupted = true;
            } else {
                state.forget();
            }
        }
        self.place.go(Page::Lane);
        self.show();
    }

    /// Whether the verdict that has come left this page to whoever is at work on it.
    pub(super) fn is_kept(&self) -> bool {
        self.place.is_kept()
    }

    /// The verdict is gone.
    pub(super) fn resume(self: &Rc<Self>) {
        let interrupted = std::mem::take(&mut self.state.borrow_mut().interrupted);
        if interrupted && self.is_typing() {
            self.place.go(Page::Guard);
            self.desk.settle();
        }
    }

    fn is_typing(&self) -> bool {
        !self.state.borrow().pin.is_empty()
    }

    fn at_a_verdict(&self) -> bool {
        self.desk.window().is_some_and(|window| window.global::<ui::Lane>().get_face() != ui::Face::Ready)
    }

    /// Whether somebody must come on duty before anybody may decide.
    pub(super) fn wants_log_in(&self) -> bool {
        let known = self.known.borrow();
        known.on_duty.is_none() && !known.names.is_empty()
    }

    pub(super) fn open(self: &Rc<Self>) {
        if !self.is_typing() {
            self.state.borrow_mut().forget();
        }
        self.state.borrow_mut().interrupted = false;
        self.place.go(Page::Guard);
    }

    fn choose(self: &Rc<Self>, name: &str) {
        let mut state = self.state.borrow_mut();
        state.stale.clone_from(&self.known.borrow().said);
        state.name = name.to_owned();
    }

    fn key(self: &Rc<Self>, digit: &str) {
        let mut state = self.state.borrow_mut();
        if state.name.is_empty() || state.pin.len() >= MOST_DIGITS {
            return;
        }
        if state.pin.is_empty() {
            // Room for all of it: a string that grows leaves copies behind.
            state.pin = Zeroizing::new(String::with_capacity(MOST_DIGITS));
        }
        state.pin.push_str(digit);
        drop(state);
        let there = Rc::downgrade(self);
        self.forgets.start(TimerMode::SingleShot, FORGOTTEN_AFTER, move || {
            if let Some(guard) = there.upgrade() {
                guard.state.borrow_mut().pin.zeroize();
                guard.show();
            }
        });
    }

    fn enter(&self) {
        let mut state = self.state.borrow_mut();
        if let Some(pin) = Pin::parse(&state.pin) {
            state.pin.zeroize();
            state.stale = None;
            self.forgets.stop();
            self.desk.wish(Request::LogIn { name: state.name.clone(), pin });
        }
    }

    fn back(self: &Rc<Self>) {
        let mut state = self.state.borrow_mut();
        if !state.name.is_empty() {
            state.forget_who();
            state.stale.clone_from(&self.known.borrow().said);
        } else if state.handing_over && self.is_on_duty() {
            state.handing_over = false;
        } else {
            state.forget();
            drop(state);
            self.place.go(Page::Lane);
        }
    }

    /// Shows what is known; true if other buttons stand there now.
    fn show(&self) -> bool {
        let Some(window) = self.desk.window() else { return false };
        let page = window.global::<ui::Guard>();
        let (known, state) = (self.known.borrow(), self.state.borrow());
        let view = if !state.name.is_empty() {
            GuardView::Keypad
        } else if state.ended.is_some() {
            GuardView::Ended
        } else if known.on_duty.is_some() && !state.handing_over {
            GuardView::Duty
        } else {
            GuardView::Names
        };
        // The same names again would be other buttons under the finger.
        let names: Vec<SharedString> = known.names.iter().map(Into::into).collect();
        if !page.get_names().iter().eq(names.iter().cloned()) {
            page.set_names(ModelRc::new(VecModel::from(names)));
        }
        let moved = page.get_view() != view || page.get_held() != known.held;
        page.set_held(known.held);
        page.set_view(view);
        page.set_name(state.name.as_str().into());
        page.set_typed(i32::try_from(state.pin.len()).unwrap_or(0));
        page.set_whole(Pin::parse(&state.pin).is_some());
        let said = known.said.as_ref().filter(|said| Some(*said) != state.stale.as_ref());
        page.set_said(both(said.unwrap_or(&Text::default())));
        page.set_codes(known.codes);
        page.set_on_duty(known.on_duty.is_some());
        page.set_shift(known.on_duty.as_ref().map(shift).unwrap_or_default());
        page.set_ended(state.ended.as_ref().map(shift).unwrap_or_default());
        self.desk.mark();
        moved
    }
}

impl State {
    /// Whoever was typing is not there any more, and what they typed is gone.
    fn forget_who(&mut self) {
        self.pin.zeroize();
        self.name.clear();
    }

    /// Nor is anybody else to come on duty.
    fn forget(&mut self) {
        self.forget_who();
        self.handing_over = false;
        self.interrupted = false;
    }
}

fn shift(duty: &OnDuty) -> ui::Shift {
    let number = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    let counts = duty.counts;
    ui::Shift {
        name: duty.name.as_str().into(),
        technician: duty.technician,
        since: both(&duty.since),
        passed: number(counts.passed),
        denied: number(counts.denied),
        let_in: number(counts.let_in),
        turned_away: number(counts.turned_away),
        overridden: number(counts.overridden),
    }
}
