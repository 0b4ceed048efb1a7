//! The frame around every page: lane, wall clock, language and the trust ladder.

use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use slint::{ComponentHandle as _, ModelRc, Timer, TimerMode, VecModel, Weak};

use super::{Changed, both};
use crate::lang::{Language, Text};
use crate::screen::ui::{self, MainWindow};
use crate::screen::{Level, Options, StatusLine};

pub(super) struct Bar {
    window: Weak<MainWindow>,
    changed: Rc<Changed>,
    _ticking: Timer,
}

impl Bar {
    pub(super) fn set_up(window: &MainWindow, options: &Options, changed: &Rc<Changed>) -> anyhow::Result<Self> {
        let bar = window.global::<ui::Bar>();
        bar.set_lane_name(options.lane_name.as_str().into());
        speak(&bar, options.language)?;
        let there = window.as_weak();
        bar.on_switch_language(move || {
            let Some(window) = there.upgrade() else { return };
            let bar = window.global::<ui::Bar>();
            let other = if bar.get_english() { Language::Zh } else { Language::En };
            if let Err(error) = speak(&bar, other) {
                tracing::warn!("{error:#}");
            }
        });

        bar.set_time(time_of_day().into());
        let ticking = Timer::default();
        let there = window.as_weak();
        ticking.start(TimerMode::Repeated, Duration::from_secs(1), move || {
            if let Some(window) = there.upgrade() {
                // The same text again redraws nothing.
                window.global::<ui::Bar>().set_time(time_of_day().into());
            }
        });
        Ok(Self { window: window.as_weak(), changed: Rc::clone(changed), _ticking: ticking })
    }

    /// The worst first, each level in the order it came.
    pub(super) fn show(&self, lines: &[StatusLine]) {
        let Some(window) = self.window.upgrade() else { return };
        let mut worst_first: Vec<&StatusLine> = lines.iter().collect();
        worst_first.sort_by_key(|line| std::cmp::Reverse(line.level));
        let shown: Vec<ui::Status> = worst_first
            .iter()
            .map(|line| ui::Status {
                rung: match line.level {
                    Level::Green => ui::Rung::Green,
                    Level::Amber => ui::Rung::Amber,
                    Level::Red => ui::Rung::Red,
                },
                text: both(&line.text),
            })
            .collect();

        let bar = window.global::<ui::Bar>();
        if !slint::Model::iter(&bar.get_status()).eq(shown.iter().cloned()) {
            let alerts = lines.iter().filter(|line| line.level != Level::Green).count();
            let all =
                |pick: fn(&Text) -> &str| worst_first.iter().map(|l| pick(&l.text)).collect::<Vec<_>>().join("   ·   ");
            bar.set_summary(both(&Text::new(all(|t| &t.zh), all(|t| &t.en))));
            bar.set_alerts(i32::try_from(alerts).unwrap_or(i32::MAX));
            bar.set_status(ModelRc::new(VecModel::from(shown)));
            self.changed.mark();
        }
    }
}

fn speak(bar: &ui::Bar<'_>, language: Language) -> anyhow::Result<()> {
    slint::select_bundled_translation(match language {
        Language::Zh => "zh_CN",
        Language::En => "en",
    })
    .context("the screen's translations are missing from this build")?;
    bar.set_english(language == Language::En);
    Ok(())
}

/// The wall clock in the place's own time.
#[expect(clippy::disallowed_methods, reason = "shown to people, and nothing is decided by it")]
fn time_of_day() -> String {
    jiff::ZonedDateTime::now().strftime("%H:%M").to_string()
}
