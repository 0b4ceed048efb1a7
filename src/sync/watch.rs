//! A stick that is plugged in is synced with, once, without anybody typing anything; the screen says when it may be pulled.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::stick::{is_mounted, is_real_folder};
use super::{Exchanged, SyncError, SyncState, Visit, visit};
use crate::clock::Clock;
use crate::decide::Level;
use crate::lang::Text;
use crate::store::{DeviceKey, Journal, TrustStore};

/// How often the stick is looked for.
const LOOK: Duration = Duration::from_secs(1);

/// The watching thread's belongings. A thread of its own: a network that answers slowly is not to keep a guard waiting.
pub struct StickWatch {
    /// Where a stick appears.
    pub folder: PathBuf,
    /// The lists.
    pub store: TrustStore,
    /// The events.
    pub journal: Arc<Journal>,
    /// The device's key.
    pub device: DeviceKey,
    /// The clock whose floor the lists raise.
    pub clock: Arc<dyn Clock>,
    /// What the screen reads.
    pub state: Arc<Mutex<SyncState>>,
}

impl StickWatch {
    /// Watches until the other end of `stop` is dropped.
    pub fn run(mut self, stop: &Receiver<()>) {
        let (mut synced, mut blank) = (false, false);
        loop {
            let there = is_real_folder(&self.folder.join("v1"));
            let is_blank = !there && is_mounted(&self.folder);
            if is_blank != blank {
                blank = is_blank;
                let what = "此 U 盘没有名单：请先用 tongguan-registry bundle 写入";
                let said = "USB stick not prepared: write it with `tongguan-registry bundle` first. You can pull it";
                self.say(is_blank.then(|| (Level::Amber, Text::new(format!("{what}。可以拔出"), said))));
            }
            match (there, synced) {
                (true, false) => {
                    tracing::info!(stick = %self.folder.display(), "a stick is plugged in");
                    self.say(Some((
                        Level::Amber,
                        Text::new("U 盘同步中，请勿拔出…", "USB stick: syncing, do not pull it yet"),
                    )));
                    let visit = visit(&self.folder, &mut self.store, &self.journal, &self.device, self.clock.as_ref());
                    log(&visit);
                    self.say(Some(told(&visit)));
                }
                (false, true) => {
                    tracing::info!("the stick is gone");
                    self.say(None);
                }
                _ => {}
            }
            synced = there;
            match stop.recv_timeout(LOOK) {
                Err(RecvTimeoutError::Timeout) => {}
                _ => return,
            }
        }
    }

    fn say(&self, notice: Option<(Level, Text)>) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).stick = notice;
    }
}

/// What the guard reads until the stick is pulled. Not green: that would be hidden behind other lines, and it asks for a hand.
fn told(visit: &Visit) -> (Level, Text) {
    let lists = match &visit.lists {
        Ok(report) if report.changed => Ok(Text::new("新名单", "new lists")),
        Ok(_) => Ok(Text::new("名单已是最新", "no newer lists")),
        // A stick from last week, at a gate that has been online since.
        Err(SyncError::Rollback { .. }) => Ok(Text::new("本机名单更新", "the lists here are newer")),
        Err(error) => Err(error.words()),
    };
    let events = visit.events.as_ref();
    let count = events.map_or(0, |e| e.written).to_string();
    let events = match events
        .and_then(|e| e.problem.as_ref().map(|p| p.words()).or(e.bad_receipt.as_ref().map(|r| r.words())))
    {
        Some(problem) => Err(problem),
        None => Ok(Text::new("{n} 条记录", "{n} events").with("n", &Text::new(count.as_str(), count.as_str()))),
    };
    match (lists, events) {
        (Ok(lists), Ok(events)) => (
            Level::Amber,
            Text::new(
                "U 盘同步完成，可以拔出（{lists} / {events}）",
                "USB stick synced, you can pull it ({lists} / {events})",
            )
            .with("lists", &lists)
            .with("events", &events),
        ),
        (Err(problem), _) | (_, Err(problem)) => (
            Level::Red,
            Text::new("U 盘：{problem}。可以拔出", "USB stick: {problem}. You can pull it").with("problem", &problem),
        ),
    }
}

fn log(visit: &Visit) {
    match &visit.lists {
        Ok(report) => tracing::info!(version = report.version, changed = report.changed, "lists from the stick"),
        Err(problem) => tracing::warn!("the stick's lists were not taken: {problem}"),
    }
    match &visit.events {
        None => tracing::warn!("no events were written onto the stick"),
        Some(Exchanged { acknowledged, bad_receipt, written, on_stick, problem }) => {
            tracing::info!(acknowledged, written, on_stick, "events over the stick");
            if let Some(problem) = bad_receipt {
                tracing::warn!("the receipt on the stick was not believed: {problem}");
            }
            if let Some(problem) = problem {
                tracing::warn!("not all events could be written onto the stick, and are kept: {problem}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::{Report, StickError};

    fn report(changed: bool) -> Result<Report, SyncError> {
        Ok(Report {
            version: 7,
            changed,
            revoked: 0,
            expired: false,
            events_sent: 0,
            events_waiting: 0,
            upload_error: None,
            roster_error: None,
        })
    }

    #[test]
    fn the_guard_is_told_in_both_languages_when_the_stick_may_be_pulled_and_what_went_wrong() {
        let events = |written| Some(Exchanged { written, ..Exchanged::default() });
        let (level, said) = told(&Visit { lists: report(true), events: events(12) });
        assert_eq!(level, Level::Amber);
        assert_eq!(said.zh, "U 盘同步完成，可以拔出（新名单 / 12 条记录）");
        assert_eq!(said.en, "USB stick synced, you can pull it (new lists / 12 events)");
        let (_, said) = told(&Visit { lists: Err(SyncError::Rollback { got: 1, known: 2 }), events: events(0) });
        assert_eq!(said.zh, "U 盘同步完成，可以拔出（本机名单更新 / 0 条记录）");
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let full = StickError::Io { path: "v1/events".into(), source: full };
        let problem = Some(Exchanged { written: 3, problem: Some(full), ..Exchanged::default() });
        let (level, said) = told(&Visit { lists: report(true), events: problem });
        assert_eq!(level, Level::Red);
        assert_eq!(said.zh, "U 盘：已满，记录没有写完。可以拔出");
        let (level, said) = told(&Visit { lists: Err(SyncError::OtherRegistry), events: None });
        assert_eq!(level, Level::Red);
        assert!(said.en.contains("another registry") && said.zh.contains("另一个登记处"), "{said:?}");
    }
}
