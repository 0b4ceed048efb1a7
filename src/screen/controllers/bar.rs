//! The frame around every page: lane, time, language and the trust ladder.

use std::rc::Rc;

use anyhow::Context as _;
use slint::{ComponentHandle as _, ModelRc, VecModel};

use super::both;
use super::desk::Desk;
use crate::lang::{Language, Text};
use crate::screen::ui::{self, MainWindow};
use crate::screen::{Level, Options, StatusLine};

pub(super) struct Bar {
    desk: Rc<Desk>,
}

impl Bar {
    pub(super) fn set_up(window: &MainWindow, options: &Options, desk: &Rc<Desk>) -> anyhow::Result<Self> {
        let bar = window.global::<ui::Bar>();
        bar.set_lane_name(options.lane_name.as_str().into());
        speak(&bar, options.language)?;
        let there = Rc::downgrade(desk);
        bar.on_switch_language(move || {
            let Some(desk) = there.upgrade() else { return };
            let Some(window) = desk.window() else { return };
            let bar = window.global::<ui::Bar>();
            let other = if bar.get_english() { Language::Zh } else { Language::En };
            if let Err(error) = speak(&bar, other) {
                tracing::warn!("{error:#}");
            }
            desk.mark();
        });
        Ok(Self { desk: Rc::clone(desk) })
    }

    /// The lane's time, which may be known better than the wall clock's; dashes while it is not.
    pub(super) fn tell_time(&self, time: Option<&str>) {
        if let Some(window) = self.desk.window() {
            window.global::<ui::Bar>().set_time(time.unwrap_or("--:--").into());
        }
    }

    /// The worst first, each level in the order it came.
    pub(super) fn show(&self, lines: &[StatusLine]) {
        let Some(window) = self.desk.window() else { return };
        let mut worst_first: Vec<&StatusLine> = lines.iter().collect();
        worst_first.sort_by_key(|line| std::cmp::Reverse(line.level));
        let shown: Vec<ui::Status> =
            worst_first.iter().map(|line| ui::Status { rung: rung(line.level), text: both(&line.text) }).collect();

        let bar = window.global::<ui::Bar>();
        if !slint::Model::iter(&bar.get_status()).eq(shown.iter().cloned()) {
            let alerts = lines.iter().filter(|line| line.level != Level::Green).count();
            let all =
                |pick: fn(&Text) -> &str| worst_first.iter().map(|l| pick(&l.text)).collect::<Vec<_>>().join("   ·   ");
            bar.set_summary(both(&Text::new(all(|t| &t.zh), all(|t| &t.en))));
            let alerts = i32::try_from(alerts).unwrap_or(i32::MAX);
            if bar.get_alerts() != alerts {
                bar.set_alerts(alerts);
                // The page above made room for them.
                self.desk.settle();
            }
            bar.set_status(ModelRc::new(VecModel::from(shown)));
            self.desk.mark();
        }
    }
}

pub(super) fn rung(level: Level) -> ui::Rung {
    match level {
        Level::Green => ui::Rung::Green,
        Level::Amber => ui::Rung::Amber,
        Level::Red => ui::Rung::Red,
    }
}

/// The language of everything that the pages say themselves.
pub(super) fn speak(bar: &ui::Bar<'_>, language: Language) -> anyhow::Result<()> {
    slint::select_bundled_translation(match language {
        Language::Zh => "zh_CN",
        Language::En => "en",
    })
    .context("the screen's translations are missing from this build")?;
    bar.set_english(language == Language::En);
    Ok(())
}
