//! Writes events to the journal and prints them. An event that cannot be written now is kept and written later.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::Write;
use std::sync::Arc;

use serde_json::{Value, json};
use tongguan_pass::{Event, Kind};

use crate::store::{Entry, Journal, NewEntry};

/// The way of events into the journal.
pub(super) struct Recorder {
    journal: Arc<Journal>,
    out: Option<Box<dyn Write + Send>>,
    waiting: VecDeque<NewEntry>,
    problem: Option<String>,
}

impl Recorder {
    pub(super) fn new(journal: Arc<Journal>, out: Option<Box<dyn Write + Send>>) -> Self {
        Self { journal, out, waiting: VecDeque::new(), problem: None }
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
                    self.problem = None;
                    self.print(&entry);
                }
                Err(error) => {
                    if self.problem.is_none() {
                        tracing::error!("events cannot be journaled and wait in memory: {error}");
                    }
                    self.problem = Some(error.to_string());
                    return;
                }
            }
        }
    }

    /// Why events wait, if they do.
    pub(super) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// The last try.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        self.flush();
        match self.problem {
            None => Ok(()),
            Some(problem) => {
                anyhow::bail!("{} events could not be journaled and are lost: {problem}", self.waiting.len())
            }
        }
    }

    fn print(&mut self, entry: &Entry) {
        let Some(out) = &mut self.out else { return };
        if writeln!(out, "{}", event_json(entry)).and_then(|()| out.flush()).is_err() {
            tracing::warn!("nobody reads the events any more; they are only journaled from here on");
            self.out = None;
        }
    }
}

/// A journaled event as JSON (one line).
pub fn event_json(entry: &Entry) -> Value {
    let event = match Event::decode(&entry.record) {
        Ok(Some(event)) => event,
        // Written by a later version: what can be said without understanding it.
        _ => return json!({"seq": entry.seq, "type": entry.record.first(), "handed_in": entry.handed_in}),
    };
    let time = |ms: u64| {
        let at = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        at.map(|at| format!("{at:.3}"))
    };
    let at = if event.latest_ms == u64::MAX { event.earliest_ms } else { event.earliest_ms.midpoint(event.latest_ms) };
    let kind = Kind::from_wire(event.kind);
    let [capture, decode, decide, relay] = event.latency_us;
    json!({
        "id": hex(&event.id),
        "seq": entry.seq,
        "at": time(at),
        "lane": event.lane,
        "kind": kind.map(Kind::name),
        "handle": kind.and((event.handle != 0).then_some(event.handle)),
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut s, b| {
        // Writing to a String cannot fail.
        write!(s, "{b:02x}").ok();
        s
    })
}
