//! The screen, drawn into memory and touched there. With `TONGGUAN_SCREENS=FOLDER` (`make screens`) the pictures are kept for
//! people to look at.

mod faces;
mod flows;
mod places;
mod samples;
mod service;
mod speed;
mod states;
mod visitor;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use i_slint_backend_testing::{AccessibleRole, ElementHandle};
use image::RgbImage;
use slint::LogicalPosition;
use slint::platform::{PointerEventButton, WindowEvent};

use super::mailbox::Mail;
use super::*;
use samples::{camera, in_order};

/// The displays the pages are made for: 7 inch, desktop or HDMI, and the upright one.
const SIZES: [(u32, u32); 3] = [(800, 480), (1280, 720), (720, 1280)];

/// A finger that comes down after this was meant for what it touches.
const A_MOMENT: Duration = Duration::from_millis(450);

thread_local! {
    static SKIPPED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    static STARTED: Instant = Instant::now();
    static STANDS_STILL: Cell<bool> = const { Cell::new(false) };
}

/// What a test has skipped, and real time unless a page is in its hands: a busy machine must not be late for a touch.
pub(super) fn clock() -> Duration {
    let real = if STANDS_STILL.get() { Duration::ZERO } else { STARTED.with(Instant::elapsed) };
    real + SKIPPED.get()
}

/// A page in hand: what `run` wires up, without its loop.
struct Page {
    stage: Stage,
    controllers: Rc<Controllers>,
    wishes: Receiver<Request>,
    language: Language,
}

impl Page {
    fn new(size: (u32, u32), language: Language) -> Self {
        Self::with(Options { language, size, ..Options::default() })
    }

    fn with(options: Options) -> Self {
        let lane_name = match options.language {
            Language::Zh => "南门 · 1 号道".into(),
            Language::En => "South gate · lane 1".into(),
        };
        let options = Options { lane_name, ..options };
        STANDS_STILL.set(true);
        let stage = Stage::new(options.size).expect("a canvas");
        let (sender, wishes) = crossbeam_channel::unbounded();
        let mailbox = Arc::new(Mailbox::with_bell());
        let controllers = Controllers::set_up(stage.window(), &options, &mailbox, sender).expect("controllers");
        let page = Self { stage, controllers, wishes, language: options.language };
        let time = Some(Some("09:12".into()));
        page.deliver(Mail { status: Some(in_order()), frame: Some((camera(), None)), time, ..Mail::default() });
        page
    }

    fn deliver(&self, mail: Mail) {
        assert!(!self.controllers.deliver(mail));
    }

    /// A verdict, and long enough for the hand to have seen it.
    fn show(&self, shown: Shown) {
        self.deliver(Mail { face: Some(Face::Verdict(shown)), ..Mail::default() });
        self.wait(A_MOMENT);
    }

    fn guards(&self, guards: Guards) {
        self.deliver(Mail { guards: Some(guards), ..Mail::default() });
        self.wait(A_MOMENT);
    }

    fn status(&self, lines: Vec<StatusLine>) {
        self.deliver(Mail { status: Some(lines), ..Mail::default() });
        self.wait(A_MOMENT);
    }

    fn wait(&self, time: Duration) {
        // In steps, as an event loop would: a timer may start another.
        let step = Duration::from_millis(50);
        for _ in 0..time.as_millis() / step.as_millis() {
            SKIPPED.set(SKIPPED.get() + step);
            slint::platform::update_timers_and_animations();
        }
    }

    /// What there is to touch, by its label.
    fn buttons(&self) -> Vec<ElementHandle> {
        // Repeated elements are made when they are first drawn.
        self.stage.render();
        let is_button = |element: &ElementHandle| element.accessible_role() == Some(AccessibleRole::Button);
        let all = i_slint_backend_testing::ElementRoot::root_element(self.stage.window());
        all.query_descendants().match_predicate(is_button).find_all()
    }

    fn labels(&self) -> Vec<String> {
        self.buttons().iter().filter_map(ElementHandle::accessible_label).map(Into::into).collect()
    }

    fn has(&self, label: &str) -> bool {
        self.labels().iter().any(|there| there == label)
    }

    fn find(&self, label: &str) -> ElementHandle {
        self.buttons()
            .into_iter()
            .find(|button| button.accessible_label().is_some_and(|there| there == label))
            .unwrap_or_else(|| panic!("no button {label:?}; there are {:?}", self.labels()))
    }

    /// Touches a button of this name in the page's language: where it is, as a finger does.
    fn touch(&self, zh: &str, en: &str) {
        let label = if self.language == Language::Zh { zh } else { en };
        let at = middle(&self.find(label));
        self.press(at);
        self.release(at);
    }

    fn press(&self, position: LogicalPosition) {
        let window = self.stage.window().window();
        window.dispatch_event(WindowEvent::PointerMoved { position });
        window.dispatch_event(WindowEvent::PointerPressed { position, button: PointerEventButton::Left });
    }

    fn release(&self, position: LogicalPosition) {
        let button = PointerEventButton::Left;
        self.stage.window().window().dispatch_event(WindowEvent::PointerReleased { position, button });
        slint::platform::update_timers_and_animations();
    }

    /// What was wished since the last time, but for the touches themselves.
    fn wishes(&self) -> Vec<Request> {
        self.wishes.try_iter().filter(|request| !matches!(request, Request::Touched | Request::At(_))).collect()
    }
}

fn middle(element: &ElementHandle) -> LogicalPosition {
    let (at, size) = (element.absolute_position(), element.size());
    LogicalPosition::new(at.x + size.width / 2.0, at.y + size.height / 2.0)
}
