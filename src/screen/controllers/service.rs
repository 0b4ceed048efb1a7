//! The service page: what a technician looks at and tries.
//!
//! It is open to whoever the lane says is a technician on duty, and the lane obeys nobody else.

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::rc::Rc;

use qrcode::{Color, QrCode};
use slint::{ComponentHandle as _, ModelRc, VecModel};

use super::bar::{rung, speak};
use super::both;
use super::desk::Desk;
use super::place::Place;
use crate::gate::Output;
use crate::lang::{Language, Text};
use crate::screen::preview::Frame;
use crate::screen::ui::{self, MainWindow, Page, ServiceView};
use crate::screen::{Guards, Inspection, Outline, Request, Service as Told, Wish};

/// White around a code, in modules.
const QUIET: usize = 4;

pub(super) struct Service {
    desk: Rc<Desk>,
    place: Rc<Place>,
    technician: Cell<bool>,
    interrupted: Cell<bool>,
    /// The sharpest that was seen since the camera's view was opened.
    best: Cell<f32>,
    told: RefCell<Told>,
    /// Answers that were read, or belong to another view.
    read: Cell<u32>,
}

impl Service {
    pub(super) fn set_up(window: &MainWindow, desk: &Rc<Desk>, place: &Rc<Place>) -> Rc<Self> {
        let service = Rc::new(Self {
            desk: Rc::clone(desk),
            place: Rc::clone(place),
            technician: Cell::default(),
            interrupted: Cell::default(),
            best: Cell::default(),
            told: RefCell::default(),
            read: Cell::default(),
        });
        let there = Rc::downgrade(&service);
        // Every wish of the page comes through here: a touch that was meant for another page is none.
        let when_touched = move |act: fn(&Rc<Self>, i32)| {
            let there = there.clone();
            move |what: i32| {
                if let Some(service) = there.upgrade()
                    && service.desk.counts()
                {
                    act(&service, what);
                }
            }
        };
        let page = window.global::<ui::Service>();
        let open = when_touched(|service, _| service.open());
        page.on_open(move || open(0));
        let there = Rc::downgrade(&service);
        page.on_go(move |view| {
            if let Some(service) = there.upgrade()
                && service.desk.counts()
            {
                service.go(view);
            }
        });
        let back = when_touched(|service, _| service.back());
        page.on_back(move || back(0));
        let open_gate = when_touched(|service, _| {
            service.wish(Wish::OpenGate);
            service.go(ServiceView::Outputs);
        });
        page.on_open_gate(move || open_gate(0));
        let try_out = when_touched(|service, which| {
            let output = usize::try_from(which).ok().and_then(|which| Output::ALL.get(which).copied());
            service.wish(output.map_or(Wish::Sound, Wish::TryOut));
        });
        page.on_try_out(try_out);
        let pack = when_touched(|service, _| service.wish(Wish::Pack));
        page.on_pack(move || pack(0));
        let language = when_touched(|service, english| service.speak(english != 0));
        page.on_speak(move |english| language(i32::from(english)));
        service
    }

    /// Whoever is on duty may be somebody else now.
    pub(super) fn look_who_is_there(self: &Rc<Self>, guards: &Guards) {
        self.technician.set(guards.on_duty.as_ref().is_some_and(|duty| duty.technician));
        if !self.technician.get() {
            self.interrupted.set(false);
            if self.place.page() == Page::Service {
                self.place.go(Page::Lane);
                self.desk.settle();
            }
        }
    }

    /// What the lane says.
    pub(super) fn learn(&self, told: Told) {
        if *self.told.borrow() == told {
            return;
        }
        let Some(window) = self.desk.window() else { return };
        let page = window.global::<ui::Service>();
        let state: Vec<ui::Status> =
            told.state.iter().map(|line| ui::Status { rung: rung(line.level), text: both(&line.text) }).collect();
        if !slint::Model::iter(&page.get_state()).eq(state.iter().cloned()) {
            page.set_state(ModelRc::new(VecModel::from(state)));
        }
        let [buzzer, pass, deny] = told.outputs;
        page.set_has_buzzer(buzzer);
        page.set_has_pass_lamp(pass);
        page.set_has_deny_lamp(deny);
        page.set_passage(both(&passage(&told)));
        let said = told.said.as_ref().filter(|_| told.answers != self.read.get());
        page.set_said(both(said.unwrap_or(&Text::default())));
        page.set_enrolment(both(&told.enrolment));
        if self.told.borrow().device != told.device {
            page.set_device(grouped(&told.device).as_str().into());
            page.set_code(picture(&told.device).unwrap_or_default());
        }
        *self.told.borrow_mut() = told;
        self.desk.mark();
    }

    /// A frame, and what the decoder made of it.
    pub(super) fn inspect(&self, inspection: &Inspection, frame: &Frame) {
        let Some(window) = self.desk.window() else { return };
        let page = window.global::<ui::Service>();
        if page.get_view() != ServiceView::Camera || self.place.page() != Page::Service {
            return;
        }
        let (width, height) = inspection.size;
        page.set_frame_width(width as f32);
        page.set_frame_height(height as f32);
        page.set_picture(frame.to_image());
        page.set_has_picture(true);
        page.set_codes(path(&inspection.codes).as_str().into());
        page.set_finders(path(&inspection.finders).as_str().into());
        self.best.set(self.best.get().max(inspection.focus));
        page.set_focus(if self.best.get() > 0.0 { inspection.focus / self.best.get() } else { 0.0 });
        let (now, best) = (inspection.focus.round(), self.best.get().round());
        page.set_focus_words(both(&Text::new(
            format!("清晰度 {now}（最高 {best}）"),
            format!("Focus {now} (best {best})"),
        )));
        let figures: Vec<ui::Both> = figures(inspection).iter().map(both).collect();
        page.set_figures(ModelRc::new(VecModel::from(figures)));
        self.desk.mark();
    }

    /// A verdict has come: its page is the lane's.
    pub(super) fn interrupt(&self) {
        if self.place.page() == Page::Service {
            self.interrupted.set(true);
        }
    }

    /// The verdict is gone.
    pub(super) fn resume(&self) {
        if self.interrupted.take() && self.technician.get() {
            self.place.go(Page::Service);
            self.desk.settle();
        }
    }

    fn open(self: &Rc<Self>) {
        if self.technician.get() {
            self.go(ServiceView::Menu);
            self.place.go(Page::Service);
        }
    }

    fn go(&self, view: ServiceView) {
        let Some(window) = self.desk.window() else { return };
        let page = window.global::<ui::Service>();
        self.read.set(self.told.borrow().answers);
        page.set_said(ui::Both::default());
        page.set_view(view);
        if view == ServiceView::Camera {
            self.best.set(0.0);
            page.set_has_picture(false);
            page.set_focus(0.0);
            page.set_focus_words(ui::Both::default());
            page.set_figures(ModelRc::default());
        }
        self.desk.settle();
        self.desk.mark();
    }

    fn back(&self) {
        let Some(window) = self.desk.window() else { return };
        match window.global::<ui::Service>().get_view() {
            ServiceView::Menu => {
                self.place.go(Page::Guard);
                self.desk.settle();
            }
            ServiceView::AskOpen => self.go(ServiceView::Outputs),
            _ => self.go(ServiceView::Menu),
        }
    }

    fn speak(&self, english: bool) {
        let Some(window) = self.desk.window() else { return };
        let language = if english { Language::En } else { Language::Zh };
        if let Err(error) = speak(&window.global::<ui::Bar>(), language) {
            tracing::warn!("{error:#}");
        }
        self.wish(Wish::Speak(language));
        self.desk.settle();
    }

    fn wish(&self, wish: Wish) {
        self.desk.wish(Request::Service(wish));
        self.desk.mark();
    }
}

fn passage(told: &Told) -> Text {
    let Some(inputs) = told.passage else {
        return Text::new("通行输入：未接", "Passage input: not configured");
    };
    let turns = inputs.turns;
    if inputs.active {
        Text::new(
            format!("通行输入：有信号（启动以来 {turns} 次）"),
            format!("Passage input: active ({turns} passages since the start)"),
        )
    } else {
        Text::new(
            format!("通行输入：无信号（启动以来 {turns} 次）"),
            format!("Passage input: at rest ({turns} passages since the start)"),
        )
    }
}

fn figures(inspection: &Inspection) -> Vec<Text> {
    let (width, height) = inspection.size;
    let (rate, decode) = (inspection.frames_per_second, inspection.decode.as_secs_f32() * 1000.0);
    let light = inspection.brightness.round();
    let seen = match (inspection.codes.first(), inspection.finders.first()) {
        (Some(code), _) => {
            let (version, size) = (code.modules.saturating_sub(17) / 4, module(code));
            Text::new(
                format!("已读出：版本 {version}，每模块 {size:.1} 像素"),
                format!("Read: version {version}, {size:.1} px a module"),
            )
        }
        (None, Some(finder)) => {
            let (count, size) = (inspection.finders.len(), module(finder));
            Text::new(
                format!("未读出：{count} 个定位图形，每模块 {size:.1} 像素"),
                format!("Not read: {count} finders, {size:.1} px a module"),
            )
        }
        (None, None) => Text::new("画面中没有码", "No code in view"),
    };
    vec![
        seen,
        Text::new(format!("亮度 {light}（0 至 255）"), format!("Light {light} (0 to 255)")),
        Text::new(format!("{width} × {height}，每秒 {rate:.1} 帧"), format!("{width} × {height}, {rate:.1} frames/s")),
        Text::new(format!("解码 {decode:.1} 毫秒"), format!("Decoding {decode:.1} ms")),
    ]
}

/// Side of a module, pixels.
fn module(outline: &Outline) -> f32 {
    let [a, b, ..] = outline.corners;
    (b[0] - a[0]).hypot(b[1] - a[1]) / outline.modules.max(1) as f32
}

/// The outlines as one path.
fn path(outlines: &[Outline]) -> String {
    outlines.iter().fold(String::new(), |mut path, outline| {
        for (step, [x, y]) in ["M", "L", "L", "L"].iter().zip(outline.corners) {
            // Writing to a String cannot fail.
            write!(path, "{step} {x:.1} {y:.1} ").ok();
        }
        path + "Z "
    })
}

/// The key as it is compared by eye: two groups a line.
fn grouped(device: &str) -> String {
    let groups: Vec<&str> = (0..device.len()).step_by(8).filter_map(|at| device.get(at..at + 8)).collect();
    groups.chunks(2).map(|two| two.join(" ")).collect::<Vec<_>>().join("\n")
}

/// A code of one pixel a module, with its quiet zone.
fn picture(text: &str) -> Option<slint::Image> {
    let code = QrCode::new(text).ok().filter(|_| !text.is_empty())?;
    let size = code.width() + 2 * QUIET;
    let side = u32::try_from(size).ok()?;
    let mut pixels = slint::SharedPixelBuffer::<slint::Rgb8Pixel>::new(side, side);
    let modules = pixels.make_mut_slice();
    modules.fill(slint::Rgb8Pixel { r: 255, g: 255, b: 255 });
    for (at, _) in code.to_colors().iter().enumerate().filter(|(_, color)| **color == Color::Dark) {
        let (x, y) = (at % code.width(), at / code.width());
        modules[(y + QUIET) * size + x + QUIET] = slint::Rgb8Pixel { r: 0, g: 0, b: 0 };
    }
    Some(slint::Image::from_rgb8(pixels))
}
