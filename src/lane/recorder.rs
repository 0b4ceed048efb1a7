//! Writes events to the journal and prints them. An event that cannot be written now is kept and written later.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::Write;
use std::sync::Arc;

use serde_json::{Value, json};
use tongguan_pass::{Event, Passage, Ruling, Sha256Hash, event};

use super::printer::Printer;
use crate::lang::Text;
use crate::store::{Entry, Journal, NewEntry, StoreError};

/// The way of events into the journal.
pub(super) struct Recorder {
    journal: Arc<Journal>,
    printer: Option<Printer>,
    waiting: VecDeque<NewEntry>,
    problem: Option<StoreError>,
}

impl Recorder {
    pub(super) fn new(journal: Arc<Journal>, printer: Option<Printer>) -> Self {
        Self { journal, printer, waiting: VecDeque::new(), problem: None }
    }

    /// Journals an event, after those that still wait.
    pub(super) fn record(&mut self, entry: NewEntry) {
        self.waiting.push_back(entry);
        self.flush();
    }

    /// Tries to journal what waits.
    pub(super) fn flush(&mut self) {
        while let Some(next) = self.waiting.front() {
            match self.journal.append(next) {
                Ok(entry) => {
                    self.waiting.pop_front();
                    if self.problem.take().is_some() {
                        tracing::info!("events can be journaled again");
                    }
                    if let Some(printer) = &mut self.printer {
                        printer.print(event_json(&entry).to_string());
                    }
                }
                Err(error) => {
                    if self.problem.is_none() {
                        tracing::error!("events cannot be journaled and wait in memory: {error}");
                    }
                    self.problem = Some(error);
                    return;
                }
            }
        }
    }

    /// The records that wait.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &[u8]> {
        self.waiting.iter().map(|entry| entry.record.as_slice())
    }

    /// What waits is gone.
    pub(super) fn forget_waiting(&mut self) {
        self.waiting.clear();
    }

    /// Why events wait, if they do.
    pub(super) fn problem(&self) -> Option<Text> {
        self.problem.as_ref().map(StoreError::words)
    }

    /// The last try. What cannot be journaled even now is printed, on standard error too.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        self.flush();
        let left = self.spill(&mut std::io::stderr());
        if let Some(printer) = self.printer.take() {
            printer.finish();
        }
        match self.problem.take() {
            Some(problem) if left > 0 => {
                anyhow::bail!("{left} events could not be journaled and were printed instead: {problem}")
            }
            _ => Ok(()),
        }
    }

    /// Hands what waits to the printer and to `last_resort`. The one place that waits for its reader, be it for ever: the
    /// gate is closed by now, and nothing else has these events.
    fn spill(&mut self, last_resort: &mut impl Write) -> usize {
        let left: Vec<String> = self.waiting.drain(..).map(|entry| unwritten_json(&entry).to_string()).collect();
        if left.is_empty() {
            return 0;
        }
        for line in &left {
            if let Some(printer) = &mut self.printer {
                printer.print(line.clone());
            }
        }
        // In one piece and past the log: its lines may be dropped, and would come between.
        let (count, lines) = (left.len(), left.join("\n"));
        let all = format!(
            "ERROR {count} events could not be journaled; keep these {count} lines, nothing else has them:\n{lines}\n"
        );
        if let Err(error) = last_resort.write_all(all.as_bytes()).and_then(|()| last_resort.flush()) {
            tracing::error!("{count} events could not be journaled and are lost: {error}");
        }
        count
    }
}

/// Also when the judging thread dies.
impl Drop for Recorder {
    fn drop(&mut self) {
        self.spill(&mut std::io::stderr());
    }
}

/// An event without a number: the journal gives them.
fn unwritten_json(new: &NewEntry) -> Value {
    let chain = Sha256Hash([0; 32]);
    let entry = Entry { seq: 0, record: new.record.clone(), chain, handed_in: false, at: Some(new.at) };
    let mut json = event_json(&entry);
    json["seq"] = Value::Null;
    json
}

/// A journaled event as JSON (one line).
pub fn event_json(entry: &Entry) -> Value {
    let Ok(Some(event)) = Event::decode(&entry.record) else { return about_an_event(entry) };
    let shown = |at: jiff::Timestamp| format!("{at:.3}");
    let time = |ms: u64| i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).map(shown);
    // Of an entry that an earlier version wrote only the interval is known.
    let middle =
        || if event.latest_ms == u64::MAX { event.earliest_ms } else { event.earliest_ms.midpoint(event.latest_ms) };
    let [capture, decode, decide, relay] = event.latency_us;
    json!({
        "id": hex(&event.id),
        "seq": entry.seq,
        "at": entry.at.map_or_else(|| time(middle()), |at| Some(shown(at))),
        "lane": event.lane,
        "kind": event::kind_name(event.kind),
        "handle": (event.handle != 0).then_some(event.handle),
        "verdict": event.outcome.name(),
        "reason": event.reason,
        "gate": event.gate.name(),
        "latency_us": {
            "capture": capture,
            "decode": decode,
            "decide": decide,
            // 0 where `gate` is closed: the relay was not called.
            "relay": relay,
        },
        "clock": {
            "source": event.clock.name(),
            "earliest": time(event.earliest_ms),
            "latest": time(event.latest_ms),
        },
    })
}

/// A record that is about an event.
fn about_an_event(entry: &Entry) -> Value {
    let at = entry.at.map(|at| format!("{at:.3}"));
    if let Ok(Some(Passage { id, of, passed })) = Passage::decode(&entry.record) {
        return json!({"seq": entry.seq, "at": at, "about": hex(&id), "of": of, "passed": passed});
    }
    if let Ok(Some(ruling)) = Ruling::decode(&entry.record) {
        return json!({
            "seq": entry.seq,
            "at": at,
            "about": hex(&ruling.id),
            "guard": ruling.guard,
            "answer": ruling.answer.name(),
            "reason": ruling.reason,
            "gate": ruling.gate.name(),
        });
    }
    // Written by a later version: what can be said without understanding it.
    json!({"seq": entry.seq, "type": entry.record.first(), "handed_in": entry.handed_in})
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut s, b| {
        // Writing to a String cannot fail.
        write!(s, "{b:02x}").ok();
        s
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tongguan_pass::{ClockSource, OutcomeCode, Root, SigningKey};

    use super::*;
    use crate::store::DataDir;

    #[derive(Clone, Default)]
    struct Printed(Arc<Mutex<Vec<u8>>>);

    impl Write for Printed {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn entry(id: u8) -> NewEntry {
        let event = Event {
            id: [id; 16],
            earliest_ms: 1,
            latest_ms: 2,
            clock: ClockSource::Synced,
            lane: "1".into(),
            kind: 0,
            handle: 0,
            outcome: OutcomeCode::Deny,
            reason: "damaged".into(),
            gate: tongguan_pass::GateOutcome::Closed,
            latency_us: [0; 4],
        };
        NewEntry { record: event.encode(), at: jiff::Timestamp::UNIX_EPOCH, code: None }
    }

    fn journal(dir: &tempfile::TempDir) -> Arc<Journal> {
        let key = SigningKey::from_bytes(&[1; 32]);
        let keys = vec![(tongguan_pass::KeyId(1), key.verifying_key())];
        let root = Root { version: 1, issued_at: 1, previous: None, threshold: 1, keys };
        let data = DataDir::init(&dir.path().join("d"), &root.sign(&[(tongguan_pass::KeyId(1), &key)])).unwrap();
        Arc::new(Journal::open(&data).unwrap())
    }

    #[test]
    fn what_a_full_disk_keeps_from_the_journal_to_the_end_is_printed_and_not_lost() {
        let dir = tempfile::tempdir().unwrap();
        let (journal, printed) = (journal(&dir), Printed::default());
        let printer = Printer::start(Box::new(printed.clone()), false).unwrap();
        let mut recorder = Recorder::new(Arc::clone(&journal), Some(printer));
        journal.limit_pages(Some(1)).unwrap();
        let mut last = 0;
        while recorder.waiting.len() < 3 {
            last += 1;
            recorder.record(entry(last));
        }
        let mut stderr = Vec::new();
        assert_eq!(recorder.spill(&mut stderr), 3);
        let stderr = String::from_utf8(stderr).unwrap();
        let lines: Vec<&str> = stderr.lines().collect();
        assert!(lines[0].contains("3 events could not be journaled"), "{}", lines[0]);
        let events: Vec<Value> = lines[1..].iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let ids: Vec<String> = (last - 2..=last).map(|id| hex(&[id; 16])).collect();
        assert_eq!(events.iter().map(|e| e["id"].as_str().unwrap()).collect::<Vec<_>>(), ids);
        assert!(events.iter().all(|e| e["seq"].is_null() && e["reason"] == "damaged"), "{events:?}");
        assert_eq!(recorder.spill(&mut Vec::new()), 0);
        recorder.finish().unwrap();
        let printed = String::from_utf8(printed.0.lock().unwrap().clone()).unwrap();
        assert!(printed.ends_with(&format!("{}\n", lines[1..].join("\n"))), "{printed}");
    }

    #[test]
    fn events_that_cannot_be_written_wait_in_order_and_none_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        let (journal, printed) = (journal(&dir), Printed::default());
        let printer = Printer::start(Box::new(printed.clone()), false).unwrap();
        let mut recorder = Recorder::new(Arc::clone(&journal), Some(printer));
        recorder.record(entry(1));

        // The disk is full: SQLite may not take another page.
        journal.limit_pages(Some(1)).unwrap();
        let mut last = 1;
        while recorder.problem().is_none() {
            last += 1;
            recorder.record(entry(last));
        }
        recorder.record(entry(last + 1));
        assert!(recorder.problem().unwrap().en.contains("the disk is full"), "{:?}", recorder.problem());
        let before = journal.after(0, 1000).unwrap().len();
        assert_eq!(before, usize::from(last) - 1);

        journal.limit_pages(None).unwrap();
        recorder.flush();
        assert_eq!(recorder.problem(), None);
        let ids: Vec<u8> = journal.after(0, 1000).unwrap().iter().map(|e| e.record[1]).collect();
        assert_eq!(ids, (1..=last + 1).collect::<Vec<u8>>());
        recorder.finish().unwrap();
        assert_eq!(printed.0.lock().unwrap().iter().filter(|b| **b == b'\n').count(), ids.len());
    }
}
