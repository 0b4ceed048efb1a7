//! The trust ladder in plain words: what the guard should know about the gate itself.

use crate::decide::{KnownTime, Ladder, Lists};
use crate::gate::Stands;
use crate::lang::Text;
use crate::screen::{Fault, Level, StatusLine};
use crate::sync::SyncState;

/// What the lines are made from.
pub(super) struct State<'a> {
    pub(super) ladder: Ladder,
    pub(super) surge: Option<&'a Text>,
    pub(super) sync: &'a SyncState,
    pub(super) camera: Option<&'a Text>,
    pub(super) reader: Option<&'a Text>,
    pub(super) gate: Option<&'a Text>,
    pub(super) stands: Stands,
    /// Who holds the gate open.
    pub(super) held_by: Option<&'a str>,
    pub(super) signals: Option<&'a Text>,
    pub(super) journal: Option<&'a Text>,
    /// What is wrong with the list of guards.
    pub(super) guards: Option<&'a Text>,
}

/// The lines, the worst first.
pub(super) fn lines(state: &State<'_>) -> Vec<StatusLine> {
    let Ladder { lists, clock, keys } = state.ladder;
    let mut lines = vec![
        StatusLine { level: lists.level(), text: lists.words() },
        StatusLine { level: clock.level(), text: clock.words() },
    ];
    // Not a fault, but whoever looks at a code of half an hour ago should know.
    lines.extend(state.surge.map(|text| StatusLine { level: Level::Amber, text: text.clone() }));
    lines.extend(keys.words().map(|text| StatusLine { level: keys.level(), text }));
    let mut problem = |level, zh: &str, en: &str, what: Option<&Text>| {
        if let Some(what) = what {
            lines.push(StatusLine {
                level,
                text: Text::new(format!("{zh}：{}", what.zh), format!("{en}: {}", what.en)),
            });
        }
    };
    problem(Level::Red, "摄像头", "Camera", state.camera);
    problem(Level::Red, "扫码器", "Reader", state.reader);
    problem(Level::Red, "闸机", "Gate", state.gate);
    problem(Level::Red, "记录暂存内存", "Events wait in memory", state.journal);
    problem(Level::Red, "保安", "Guards", state.guards);
    problem(Level::Amber, "声光提示", "Signals", state.signals);
    problem(Level::Amber, "同步", "Sync", state.sync.words().as_ref());
    lines.extend(standing_open(state.stands, state.held_by));
    let notices = [&state.sync.stick, &state.sync.storage].into_iter().flatten();
    lines.extend(notices.map(|(level, text)| StatusLine { level: *level, text: text.clone() }));
    lines.sort_by_key(|line| std::cmp::Reverse(line.level));
    lines
}

/// What is to be known of the gate beside faults.
fn standing_open(stands: Stands, held_by: Option<&str>) -> impl Iterator<Item = StatusLine> {
    let line = |is: bool, level, text: Text| is.then_some(StatusLine { level, text });
    let by = held_by.unwrap_or_default();
    let held = match by {
        "" => Text::new("闸机常开", "The gate is held open"),
        _ => Text::new(format!("闸机常开（{by}）"), format!("The gate is held open ({by})")),
    };
    let ajar = Text::new("门没有关上", "The door stands open");
    let tailgated = Text::new("有人未经放行通过", "Somebody went through without being let in");
    [
        line(stands.held, Level::Amber, held),
        line(stands.ajar, Level::Amber, ajar),
        line(stands.tailgated, Level::Red, tailgated),
    ]
    .into_iter()
    .flatten()
}

/// What keeps the gate from working, the worst first; a page of its own tells it.
pub(super) fn fault(state: &State<'_>) -> Option<Fault> {
    let fault = |title: Text, guard: Text, what: &Text| Some(Fault { title, guard, technician: what.clone() });
    if state.stands.fire {
        let title = Text::new("火警：闸机常开", "Fire: the gate is open");
        let guard = Text::new("请让所有人通过，不必查验", "Let everybody through, without any check");
        let what = Text::new("消防触点有信号（gate.fire_line）", "The fire contact says so (gate.fire_line)");
        return fault(title, guard, &what);
    }
    if let Some(what) = state.gate {
        let title = Text::new("闸机故障", "The gate does not work");
        return fault(title, Text::new("请人工开闸，并通知技术人员", "Open by hand, and call the technician"), what);
    }
    if let Some(what) = state.camera {
        let title = Text::new("摄像头故障", "The camera does not work");
        let guard = Text::new("请人工查验，并通知技术人员", "Check people yourself, and call the technician");
        return fault(title, guard, what);
    }
    if let Some(what) = state.journal {
        let title = Text::new("无法写入记录", "Events cannot be written");
        let guard =
            Text::new("可以继续查验；不要断电，并通知技术人员", "Go on; do not cut the power, and call the technician");
        return fault(title, guard, what);
    }
    let lists = state.ladder.lists;
    if lists == Lists::Never {
        let title = Text::new("尚未同步", "Never synced");
        let guard = Text::new(
            "还不能识别任何码：请联网，或插入同步盘",
            "No code can be judged yet: connect a network or plug in a stick",
        );
        return fault(title, guard, &lists.words());
    }
    if state.ladder.clock == KnownTime::NotAtAll {
        let title = Text::new("时间不可信", "The time is not known");
        let guard = Text::new("每个码都须人工核对：请联网对时", "Every code needs your look: connect a network");
        return fault(title, guard, &state.ladder.clock.words());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::Keys;
    use crate::gate::GateError;
    use crate::store::StoreError;
    use crate::sync::{SyncError, TransportError};

    fn state(sync: &SyncState, clock: KnownTime) -> State<'_> {
        let ladder = Ladder { lists: Lists::Never, clock, keys: Keys::None };
        State {
            ladder,
            surge: None,
            sync,
            camera: None,
            reader: None,
            gate: None,
            stands: Stands::default(),
            held_by: None,
            signals: None,
            journal: None,
            guards: None,
        }
    }

    #[test]
    fn the_worst_stands_first_and_all_is_said() {
        let sync = SyncState { problem: Some(Text::new("连不上", "no route")), ..SyncState::default() };
        let mut state = state(&sync, KnownTime::Well);
        let stuck = Text::new("卡住", "stuck");
        state.gate = Some(&stuck);
        let lines = lines(&state);
        assert_eq!(
            lines.iter().map(|l| l.level).collect::<Vec<_>>(),
            [Level::Red, Level::Red, Level::Amber, Level::Green]
        );
        assert!(lines.iter().any(|l| l.text.en == "Gate: stuck"));
        assert!(lines.iter().any(|l| l.text.zh == "同步：连不上"));
    }

    #[test]
    fn a_problem_is_said_in_the_language_of_whoever_reads_it() {
        let full = || rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL), None);
        let full = StoreError::Database { path: "journal.db".into(), source: full() };
        let refused = TransportError::Unreachable("io: Connection refused".into());
        let said = [
            full.words(),
            SyncError::Transport { what: "v1/head".into(), source: refused }.words(),
            SyncError::NoReceipt.words(),
            GateError::TimerDied.words(),
            GateError::Driver { driver: "rppal", problem: "no /dev/gpiomem".into() }.words(),
        ];
        let sync = SyncState { problem: Some(said[1].clone()), ..SyncState::default() };
        let mut state = state(&sync, KnownTime::Well);
        (state.journal, state.gate) = (Some(&said[0]), Some(&said[4]));
        let lines = lines(&state);
        for text in lines.iter().map(|l| &l.text).chain(&said) {
            assert!(text.en.is_ascii(), "{text:?}");
            let han = |c: &char| ('\u{4e00}'..='\u{9fff}').contains(c);
            assert!(text.zh.chars().filter(han).count() > text.zh.chars().count() / 2, "{text:?}");
        }
        assert!(lines.iter().any(|l| l.text.zh == "记录暂存内存：磁盘已满，请腾出空间"), "{lines:?}");
        assert!(lines.iter().any(|l| l.text.en.starts_with("Sync: the registry cannot be reached;")), "{lines:?}");
    }

    #[test]
    fn a_fire_goes_before_every_fault_and_an_open_gate_is_never_silent() {
        let sync = SyncState::default();
        let mut state = state(&sync, KnownTime::NotAtAll);
        let stuck = Text::new("卡住", "stuck");
        state.gate = Some(&stuck);
        state.stands = Stands { fire: true, held: true, ajar: true, tailgated: true };
        state.held_by = Some("王");
        assert_eq!(fault(&state).unwrap().title.en, "Fire: the gate is open");
        let said: Vec<String> = lines(&state).into_iter().map(|l| l.text.en).collect();
        for line in ["The gate is held open (王)", "The door stands open", "Somebody went through without being let in"]
        {
            assert!(said.iter().any(|s| s == line), "{said:?}");
        }
    }

    #[test]
    fn a_surge_is_said_for_whoever_wonders_at_an_old_code() {
        let sync = SyncState::default();
        let surge = Text::new("登记处繁忙", "The registry is overloaded");
        let lines = lines(&State { surge: Some(&surge), ..state(&sync, KnownTime::Well) });
        assert!(lines.iter().any(|l| l.level == Level::Amber && l.text == surge), "{lines:?}");
    }

    #[test]
    fn what_is_to_be_known_of_stick_and_disk_stands_beside_the_ladder() {
        let stick = (Level::Amber, Text::new("可以拔出", "you can pull it"));
        let storage = (Level::Amber, Text::new("剩余 5 MB", "5 MB left"));
        let sync = SyncState { stick: Some(stick), storage: Some(storage), ..SyncState::default() };
        let said: Vec<String> = lines(&state(&sync, KnownTime::Well)).into_iter().map(|l| l.text.en).collect();
        assert!(said.contains(&"you can pull it".into()) && said.contains(&"5 MB left".into()), "{said:?}");
    }

    #[test]
    fn a_clock_without_an_upper_bound_is_red() {
        let sync = SyncState::default();
        let lines = lines(&state(&sync, KnownTime::NotAtAll));
        assert!(lines.iter().any(|l| l.level == Level::Red && l.text.en.starts_with("Clock unknown")));
    }
}
