//! What the guard and the resident see and touch: ready, a verdict, a fault; who is on duty, and the last outcomes.
//!
//! The screen shows, and says what was touched. Nothing here decides anything, and nothing here can delay a lane: a worker
//! leaves the newest thing in a one-slot mailbox and goes on; the screen's own thread (the main one) takes it from there. The
//! pages are in `ui/`, one adapter for each part of them, and one controller here for each adapter.

mod backend;
mod controllers;
mod mailbox;
mod picture;
mod preview;
mod request;
mod ui;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use crossbeam_channel::{Receiver, Sender};
use slint::ComponentHandle as _;

pub use backend::Backend;
use controllers::Controllers;
use mailbox::{Face, Mailbox};
use picture::Stage;

pub use request::{Page, Request, Visit, Wish, reasons};

pub use crate::config::Theme;
pub use crate::decide::Level;
use crate::guards::Counts;
use crate::lang::{Language, Text};
use crate::watchdog::Hearts;

/// Which of the three a verdict is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Let in.
    Pass,
    /// The guard looks and decides.
    Confirm,
    /// Turned away.
    Deny,
}

/// One verdict as the guard and the resident see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Colour, shape and word.
    pub outcome: Outcome,
    /// What was found, in a few words.
    pub title: Text,
    /// The sentence for the guard.
    pub guard: Text,
    /// The sentence for the resident: what to do next.
    pub resident: Text,
    /// What kind of code it is, of which category, whose and for how many people, as far as that is known.
    pub what: Option<Text>,
    /// Whose it is, for the guard alone: a masked name and where they live.
    pub who: Option<Text>,
    /// The stable reason code, in small print.
    pub reason: String,
    /// Whether the gate was opened for it.
    pub gate_open: bool,
    /// What the guard can do about it.
    pub offer: Offer,
    /// Names this verdict in a [`Request`], so that no touch is taken for an answer to the next one.
    pub token: u64,
}

/// What the guard can do about a verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Offer {
    /// Nothing.
    #[default]
    Nothing,
    /// Let in, or turn away.
    Decide,
    /// Let in against the gate's answer.
    Override,
    /// Log in first.
    LogIn,
}

/// One outcome of this lane, for the list of the last ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// The time of day, or dashes while it is not known.
    pub at: String,
    /// Which.
    pub outcome: Outcome,
    /// What was found.
    pub title: Text,
    /// Whose it was, for a short while.
    pub who: Option<Text>,
    /// What the guard then said to it.
    pub ruling: Option<Text>,
}

/// Who may log in, and who is on duty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guards {
    /// Who may log in; nobody if this gate has no guards' list.
    pub names: Vec<String>,
    /// Who is on duty.
    pub on_duty: Option<OnDuty>,
    /// The shift that has just ended, until somebody else begins one.
    pub handed_over: Option<OnDuty>,
    /// Why the last log-in failed, or that it is being looked at.
    pub said: Option<Text>,
    /// Whether some of them log in with their own code, too.
    pub codes: bool,
    /// Whether the gate is held open.
    pub held: bool,
}

/// What the lane says to the guard who enters somebody without a code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visiting {
    /// Whom they come with, and whether that is somebody who may come in.
    pub companion: Option<(Text, bool)>,
    /// Why nobody was looked up.
    pub said: Option<Text>,
}

/// The service page, as far as the lane knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Service {
    /// How the gate is, the worst first.
    pub state: Vec<StatusLine>,
    /// Whether there is a buzzer, a lamp for a pass, a lamp for a deny.
    pub outputs: [bool; 3],
    /// What the turnstile's input says; `None` without one.
    pub passage: Option<Inputs>,
    /// The device's key, 64 hex digits; empty while it is not known.
    pub device: String,
    /// Whether the registry has taken it in.
    pub enrolment: Text,
    /// What came of the last wish.
    pub said: Option<Text>,
    /// How often something was said: the same sentence again is another answer.
    pub answers: u32,
}

/// The turnstile's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inputs {
    /// Whether it says at this moment that somebody goes through.
    pub active: bool,
    /// How often it said so since the start.
    pub turns: u64,
}

/// What the decoder made of a frame.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inspection {
    /// Width and height of the frame.
    pub size: (usize, usize),
    /// The codes that were read.
    pub codes: Vec<Outline>,
    /// Finders of codes that were not.
    pub finders: Vec<Outline>,
    /// How sharp the code is, or the middle of the frame: the variance of its Laplacian.
    pub focus: f32,
    /// The mean light there, grey levels.
    pub brightness: f32,
    /// Frames looked at in a second.
    pub frames_per_second: f32,
    /// How long it was looked at.
    pub decode: Duration,
}

/// Where something is in a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outline {
    /// Its corners in pixels.
    pub corners: [[f32; 2]; 4],
    /// Modules on a side.
    pub modules: usize,
}

/// A shift as the guards see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnDuty {
    /// Which shift it is since the start: two may be alike otherwise.
    pub number: u64,
    /// Who.
    pub name: String,
    /// Whether they look after the device too.
    pub technician: bool,
    /// For how long.
    pub since: Text,
    /// What was decided meanwhile.
    pub counts: Counts,
}

/// Something without which this gate does not work, on a page of its own until it is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is the matter, in a few words.
    pub title: Text,
    /// What the guard does.
    pub guard: Text,
    /// What the technician looks at.
    pub technician: Text,
}

/// Where in a frame a code is, in shares of its width and height.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "they say it")]
pub struct Aim {
    pub left: f32,
    pub top: f32,
    pub right: f32,
    pub bottom: f32,
}

/// One line of the trust ladder in plain words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusLine {
    /// Its shape, colour and word; what is not green is never hidden.
    pub level: Level,
    /// What is the matter, such as "Lists 4 h old, offline since 09:12".
    pub text: Text,
}

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the screen is.
    pub backend: Backend,
    /// The language to begin with.
    pub language: Language,
    /// Its colours.
    pub theme: Theme,
    /// The lane's name, as the people at the gate call it.
    pub lane_name: String,
    /// Whether a guard stands there; else nobody is asked to touch anything.
    pub attended: bool,
    /// How long a verdict stands before the screen is ready again; zero keeps it until the next one.
    pub verdict_for: Duration,
    /// Width and height of a window or a picture; a bare screen has its own.
    pub size: (u32, u32),
}

impl Default for Options {
    fn default() -> Self {
        Self {
            backend: Backend::None,
            language: Language::default(),
            theme: Theme::Night,
            lane_name: String::new(),
            attended: true,
            verdict_for: Duration::from_secs(4),
            size: (800, 480),
        }
    }
}

/// A worker's handle to the screen. Every call leaves the newest thing in its slot and returns: what the screen has not
/// yet taken is replaced, never queued, and a screen that is gone is not an error.
#[derive(Debug, Clone)]
pub struct Screen {
    mailbox: Arc<Mailbox>,
}

impl Screen {
    /// Shows a verdict at once, in place of whatever is there.
    pub fn verdict(&self, shown: Shown) {
        self.mailbox.post(|mail| {
            mail.face = Some(Face::Verdict(shown));
            mail.forget_who = false;
        });
    }

    /// The time is up for which the verdict that stands there, if one does, may say who it is.
    pub fn forget_who(&self) {
        self.mailbox.post(|mail| mail.forget_who = true);
    }

    /// Back to ready before the verdict's time is up.
    pub fn idle(&self) {
        self.mailbox.post(|mail| mail.face = Some(Face::Ready));
    }

    /// A frame of the live preview: `height` rows of `width` grey bytes, and where in it a code is. Made small here, at most
    /// twelve times a second; frames between are dropped before they cost anything.
    pub fn preview(&self, width: u32, height: u32, luma: &[u8], aim: Option<Aim>) {
        if let Some(frame) = self.mailbox.preview_due().then(|| preview::shrink(width, height, luma)).flatten() {
            self.mailbox.post(|mail| mail.frame = Some((frame, aim)));
        }
    }

    /// What keeps a code in view from being read, if something does.
    pub fn coach(&self, hint: Option<Text>) {
        self.mailbox.post(|mail| mail.hint = Some(hint));
    }

    /// The time of day; `None` while it is not known.
    pub fn time(&self, time: Option<String>) {
        self.mailbox.post(|mail| mail.time = Some(time));
    }

    /// Who may log in, and who is on duty.
    pub fn guards(&self, guards: Guards) {
        self.mailbox.post(|mail| mail.guards = Some(guards));
    }

    /// Who it is that the verdict of that token is about, if it still stands there.
    pub fn who(&self, token: u64, who: Text) {
        self.mailbox.post(|mail| mail.who = Some((token, who)));
    }

    /// What the guard is told who enters somebody without a code.
    pub fn visiting(&self, visiting: Visiting) {
        self.mailbox.post(|mail| mail.visiting = Some(visiting));
    }

    /// The service page.
    pub fn service(&self, service: Service) {
        self.mailbox.post(|mail| mail.service = Some(service));
    }

    /// A frame of the size that the inspection says, and what the decoder made of it.
    pub fn inspect(&self, inspection: Inspection, luma: &[u8]) {
        if let Some(frame) = preview::enlarge(inspection.size, luma) {
            self.mailbox.post(|mail| mail.inspection = Some((inspection, frame)));
        }
    }

    /// The last outcomes of this lane, the newest first.
    pub fn past(&self, past: Vec<Past>) {
        self.mailbox.post(|mail| mail.past = Some(past));
    }

    /// What keeps this gate from working, if something does.
    pub fn fault(&self, fault: Option<Fault>) {
        self.mailbox.post(|mail| mail.fault = Some(fault));
    }

    /// Replaces the trust ladder.
    pub fn status(&self, lines: Vec<StatusLine>) {
        self.mailbox.post(|mail| mail.status = Some(lines));
    }

    /// Asks the screen's own thread for a turn.
    pub fn ping(&self, hearts: &Arc<Hearts>) {
        self.mailbox.post(|mail| mail.ping = Some(Arc::clone(hearts)));
    }

    /// Ends [`run`].
    pub fn quit(&self) {
        self.mailbox.post(|mail| mail.quit = true);
    }
}

/// Runs the screen on the calling (main) thread until its window is closed or [`Screen::quit`].
///
/// `start` gets the handle once the screen is up, and what people touch there, and starts the workers; what it returns comes
/// back at the end. If it fails, the screen closes and its error is returned.
pub fn run<T>(
    options: Options,
    start: impl FnOnce(Screen, Receiver<Request>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let (wishes, requests) = crossbeam_channel::unbounded();
    match &options.backend {
        Backend::None => {
            let mailbox = Arc::new(Mailbox::with_bell());
            let started = start(Screen { mailbox: Arc::clone(&mailbox) }, requests)?;
            mailbox.wait_for_quit();
            Ok(started)
        }
        Backend::Picture(path) => draw_into(path.clone(), &options, wishes, |screen| start(screen, requests)),
        Backend::Window | Backend::LinuxKms => {
            let window = options.backend.open(options.size)?;
            let mailbox = Arc::new(Mailbox::with_event_loop(window.as_weak()));
            let _controllers = Controllers::set_up(&window, &options, &mailbox, wishes)?;
            let started = start(Screen { mailbox }, requests)?;
            slint::run_event_loop().context("the screen's event loop stopped")?;
            Ok(started)
        }
    }
}

/// The loop of [`Backend::Picture`]: no window system, so mail, timers and redraws are served here.
fn draw_into<T>(
    path: PathBuf,
    options: &Options,
    wishes: Sender<Request>,
    start: impl FnOnce(Screen) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let stage = Stage::new(options.size)?;
    let mailbox = Arc::new(Mailbox::with_bell());
    let controllers = Controllers::set_up(stage.window(), options, &mailbox, wishes)?;
    picture::write(&path, &stage.render())?;
    controllers.take_changed();

    let started = start(Screen { mailbox: Arc::clone(&mailbox) })?;
    loop {
        mailbox.wait(slint::platform::duration_until_next_timer_update());
        slint::platform::update_timers_and_animations();
        let quit = controllers.deliver(mailbox.take());
        // A picture that cannot be written must not close the gate.
        if controllers.take_changed()
            && let Err(error) = picture::write(&path, &stage.render())
        {
            tracing::warn!("{error:#}");
        }
        if quit {
            return Ok(started);
        }
    }
}
