//! Somebody without a code: the guard types what is on their document, and the lane looks it up.
//!
//! The number stays on this page for as long as it is typed, and goes to the lane once; nothing of it is left afterwards.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use slint::{ComponentHandle as _, ModelRc, Timer, TimerMode, VecModel};
use tongguan_pass::{Document, DocumentError, DocumentKind, limits};
use zeroize::{Zeroize as _, Zeroizing};

use super::both;
use super::desk::Desk;
use super::guard::Guard;
use super::place::Place;
use crate::lang::Text;
use crate::screen::ui::{self, MainWindow, Page, VisitorView};
use crate::screen::{Request, Visit, Visiting};

/// A number is not left standing for the next one.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);
/// As many come to a gate on one document.
const MOST_PEOPLE: u8 = 9;

pub(super) struct Visitor {
    desk: Rc<Desk>,
    place: Rc<Place>,
    guard: Rc<Guard>,
    state: RefCell<State>,
    forgets: Rc<Timer>,
}

struct State {
    view: VisitorView,
    kind: Option<DocumentKind>,
    number: Zeroizing<String>,
    letters: bool,
    people: u8,
    told: Visiting,
    /// A verdict came in between.
    interrupted: bool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            view: VisitorView::Entry,
            kind: Some(DocumentKind::ResidentId),
            // Room for all of it: a string that grows leaves copies behind.
            number: Zeroizing::new(String::with_capacity(limits::DOCUMENT_NUMBER)),
            letters: false,
            people: 1,
            told: Visiting::default(),
            interrupted: false,
        }
    }
}

impl Visitor {
    pub(super) fn set_up(window: &MainWindow, desk: &Rc<Desk>, place: &Rc<Place>, guard: &Rc<Guard>) -> Rc<Self> {
        let visitor = Rc::new(Self {
            desk: Rc::clone(desk),
            place: Rc::clone(place),
            guard: Rc::clone(guard),
            state: RefCell::default(),
            forgets: desk.patient_timer(),
        });
        let there = Rc::downgrade(&visitor);
        // Every wish of the page comes through here: a touch that was meant for another page is none.
        let when_touched = move |act: fn(&Rc<Self>, &str)| {
            let there = there.clone();
            move |what: &str| {
                if let Some(visitor) = there.upgrade()
                    && visitor.desk.counts()
                {
                    act(&visitor, what);
                    visitor.show();
                }
            }
        };
        let page = window.global::<ui::Visitor>();
        // None at all comes second: it is what the guard sees next to most often.
        let mut kinds: Vec<i32> = DocumentKind::ALL.iter().map(|kind| *kind as i32).collect();
        kinds.insert(1, 0);
        page.set_kinds(ModelRc::new(VecModel::from(kinds)));
        let open_kinds = when_touched(|visitor, _| visitor.go(VisitorView::Kinds));
        page.on_open_kinds(move || open_kinds(""));
        let choose = when_touched(Self::choose);
        page.on_choose(move |kind| choose(&kind.to_string()));
        let key = when_touched(Self::key);
        page.on_key(move |character| key(&character));
        let delete = when_touched(|visitor, _| {
            visitor.state.borrow_mut().number.pop();
        });
        page.on_delete(move || delete(""));
        let switch = when_touched(|visitor, _| {
            let mut state = visitor.state.borrow_mut();
            state.letters = !state.letters;
            drop(state);
            visitor.desk.settle();
        });
        page.on_switch_letters(move || switch(""));
        let people = when_touched(|visitor, by| visitor.add_people(by));
        page.on_add_people(move |by| people(&by.to_string()));
        let companion = when_touched(|visitor, _| {
            visitor.desk.wish(Request::Companion(true));
            visitor.state.borrow_mut().told = Visiting::default();
            visitor.go(VisitorView::Companion);
        });
        page.on_ask_companion(move || companion(""));
        let enter = when_touched(|visitor, _| visitor.enter());
        page.on_enter(move || enter(""));
        let back = when_touched(|visitor, _| visitor.back());
        page.on_back(move || back(""));
        let open = when_touched(|visitor, _| visitor.open());
        window.global::<ui::Place>().on_open_visitor(move || open(""));
        visitor.show();
        visitor
    }

    /// What the lane says.
    pub(super) fn learn(self: &Rc<Self>, told: Visiting) {
        let mut state = self.state.borrow_mut();
        let met = told.companion.as_ref().is_some_and(|(_, good)| *good);
        let refused = told.said.is_some();
        state.told = told;
        if (state.view == VisitorView::Companion && met) || (state.view == VisitorView::Asked && refused) {
            drop(state);
            self.go(VisitorView::Entry);
        } else {
            drop(state);
        }
        self.show();
    }

    /// A verdict has come: its page is the lane's, unless somebody is at work on this one. Whoever was typing, and paused, finds
    /// it all afterwards.
    pub(super) fn interrupt(self: &Rc<Self>) {
        if self.place.page() != Page::Visitor {
            return;
        }
        if self.state.borrow().view == VisitorView::Asked {
            // It was the answer.
            self.forget();
            self.place.go(Page::Lane);
        } else if !self.place.is_kept() {
            self.state.borrow_mut().interrupted = true;
        }
    }

    /// The verdict is gone.
    pub(super) fn resume(self: &Rc<Self>) {
        if std::mem::take(&mut self.state.borrow_mut().interrupted) {
            self.place.go(Page::Visitor);
            self.desk.settle();
        }
    }

    fn open(self: &Rc<Self>) {
        // Who may decide may also let somebody in without a code.
        if self.guard.wants_log_in() {
            self.guard.open();
            return;
        }
        self.desk.wish(Request::Companion(false));
        self.forget();
        self.place.go(Page::Visitor);
        self.desk.settle();
        self.begin_forgetting();
    }

    fn go(&self, view: VisitorView) {
        self.state.borrow_mut().view = view;
        self.desk.settle();
    }

    fn choose(self: &Rc<Self>, kind: &str) {
        let mut state = self.state.borrow_mut();
        let kind = kind.parse().unwrap_or(0);
        state.kind = DocumentKind::ALL.into_iter().find(|known| *known as i32 == kind);
        state.number.zeroize();
        state.letters = false;
        drop(state);
        self.go(VisitorView::Entry);
    }

    fn key(self: &Rc<Self>, character: &str) {
        let mut state = self.state.borrow_mut();
        if state.number.len() < limits::DOCUMENT_NUMBER {
            state.number.push_str(character);
        }
        drop(state);
        self.begin_forgetting();
    }

    fn add_people(&self, by: &str) {
        let mut state = self.state.borrow_mut();
        let by = by.parse().unwrap_or(0);
        state.people = state.people.saturating_add_signed(by).clamp(1, MOST_PEOPLE);
    }

    fn enter(&self) {
        let mut state = self.state.borrow_mut();
        let Ok(document) = state.document() else { return };
        state.told.said = None;
        let visit = Visit { document, people: state.people };
        drop(state);
        self.desk.wish(Request::Visit(visit));
        self.go(VisitorView::Asked);
    }

    fn back(self: &Rc<Self>) {
        let view = self.state.borrow().view;
        // The lane forgets whom it looked for, too.
        if matches!(view, VisitorView::Companion | VisitorView::Asked) {
            self.desk.wish(Request::Companion(false));
            self.state.borrow_mut().told = Visiting::default();
        }
        if view == VisitorView::Entry {
            self.leave();
        } else {
            self.go(VisitorView::Entry);
        }
    }

    fn leave(self: &Rc<Self>) {
        self.desk.wish(Request::Companion(false));
        self.forget();
        if self.place.page() == Page::Visitor {
            self.place.go(Page::Lane);
            self.desk.settle();
        }
    }

    fn begin_forgetting(self: &Rc<Self>) {
        let there = Rc::downgrade(self);
        self.forgets.start(TimerMode::SingleShot, FORGOTTEN_AFTER, move || {
            if let Some(visitor) = there.upgrade() {
                visitor.leave();
                visitor.show();
            }
        });
    }

    fn forget(&self) {
        self.forgets.stop();
        *self.state.borrow_mut() = State::default();
        self.show();
    }

    fn show(&self) {
        let Some(window) = self.desk.window() else { return };
        let page = window.global::<ui::Visitor>();
        let state = self.state.borrow();
        let parsed = state.document();
        let wrong = parsed.as_ref().err().and_then(|e| words(*e));
        page.set_view(state.view);
        page.set_kind(state.kind.map_or(0, |kind| kind as i32));
        page.set_has_letters(state.kind.is_some_and(DocumentKind::has_letters));
        page.set_letters(state.letters);
        page.set_number(grouped(&state).as_str().into());
        page.set_whole(parsed.is_ok());
        page.set_people(i32::from(state.people));
        page.set_said(both(&state.told.said.clone().or(wrong).unwrap_or_default()));
        let nobody = (Text::default(), false);
        let (title, good) = state.told.companion.as_ref().unwrap_or(&nobody);
        page.set_companion(both(title));
        page.set_companion_good(*good);
        page.set_has_companion(state.told.companion.is_some());
        self.desk.mark();
    }
}

impl State {
    /// What was typed, as far as it is one; no document is whole too.
    fn document(&self) -> Result<Option<Document>, DocumentError> {
        self.kind.map(|kind| Document::parse(kind, &self.number)).transpose()
    }
}

/// As it is printed on the card, so that the eye can compare.
fn grouped(state: &State) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(2 * limits::DOCUMENT_NUMBER));
    let long = matches!(state.kind, Some(DocumentKind::ResidentId | DocumentKind::ResidencePermit));
    for (at, character) in state.number.chars().enumerate() {
        if long && matches!(at, 6 | 14) {
            text.push(' ');
        }
        text.push(character);
    }
    text
}

/// What is wrong with a number that is not merely unfinished.
fn words(error: DocumentError) -> Option<Text> {
    Some(match error {
        DocumentError::Incomplete => return None,
        DocumentError::TooLong => Text::new("位数太多", "Too many characters"),
        DocumentError::Character => Text::new("此处不应是这个字符", "That character cannot be there"),
        DocumentError::Region => {
            Text::new("开头不对，请核对号码和证件类型", "It does not begin like that: check number and kind")
        }
        DocumentError::Birth => Text::new("出生日期不对，请核对", "The date of birth is wrong: check it"),
        _ => Text::new("校验不符，有一位输错了", "One digit is mistyped: check the number"),
    })
}
