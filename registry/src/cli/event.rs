//! A stored event as it is listed.

use data_encoding::HEXLOWER;
use serde::Serialize;
use tongguan_pass::{Event, Note, Passage, Ruling, event};
use tongguan_registry::Registry;
use tongguan_registry::domain::time::{rfc3339, rfc3339_ms};
use tongguan_registry::store::StoredEvent;

/// One line of `events --json`: what the gate prints of the event, in the same words, and what the registry adds. What an event of a later type says is not known here, so it is `null`.
#[derive(Serialize)]
pub(crate) struct Shown {
    number: u64,
    device: String,
    device_status: String,
    seq: u64,
    after_gap: bool,
    received_at: String,
    id: Option<String>,
    at: Option<String>,
    lane: Option<String>,
    kind: Option<&'static str>,
    handle: Option<u32>,
    verdict: Option<&'static str>,
    reason: Option<String>,
    gate: Option<&'static str>,
    latency_us: Option<Latency>,
    clock: Option<Clock>,
    /// Of a note: the id of the event it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    /// Of a note that was asked for: its text, or `null` if no key here opens it.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    passage: Option<Through>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ruling: Option<Ruled>,
}

/// What a guard decided about an event.
#[derive(Serialize)]
struct Ruled {
    about: String,
    guard: String,
    answer: &'static str,
    reason: String,
    gate: &'static str,
}

/// How many went through after the gate had opened for an event.
#[derive(Serialize)]
struct Through {
    about: String,
    of: u8,
    passed: u8,
}

/// The time certainly lies from `earliest` to `latest`.
#[derive(Serialize)]
struct Clock {
    source: &'static str,
    earliest: Option<String>,
    latest: Option<String>,
}

#[derive(Serialize)]
struct Latency {
    capture: u32,
    decode: u32,
    decide: u32,
    relay: u32,
}

impl Shown {
    /// `opener` opens notes, if they are to be read.
    pub(crate) fn of(stored: &StoredEvent, opener: Option<&Registry>) -> Self {
        // Records were checked when they came in; one of a later type stays unread.
        let event = Event::decode(&stored.record).ok().flatten();
        let e = event.as_ref();
        let note = Note::decode(&stored.record).ok().flatten();
        let text = |note: &Note, registry: &Registry| {
            registry.open_note(note).map(|text| String::from_utf8_lossy(&text).into_owned())
        };
        Self {
            number: stored.number,
            device: HEXLOWER.encode(&stored.device),
            device_status: stored.device_status.clone(),
            seq: stored.seq,
            after_gap: stored.after_gap,
            received_at: rfc3339(stored.received_at),
            id: e.map(|e| HEXLOWER.encode(&e.id)),
            at: e.and_then(|e| rfc3339_ms(at(e, stored.received_at))),
            lane: e.map(|e| e.lane.clone()),
            kind: e.and_then(|e| event::kind_name(e.kind)),
            handle: e.filter(|e| e.handle != 0).map(|e| e.handle),
            verdict: e.map(|e| e.outcome.name()),
            reason: e.map(|e| e.reason.clone()),
            gate: e.map(|e| e.gate.name()),
            latency_us: e.map(|e| {
                let [capture, decode, decide, relay] = e.latency_us;
                Latency { capture, decode, decide, relay }
            }),
            clock: e.map(|e| Clock {
                source: e.clock.name(),
                earliest: rfc3339_ms(e.earliest_ms),
                latest: rfc3339_ms(e.latest_ms),
            }),
            about: note.as_ref().map(|n| HEXLOWER.encode(&n.about)),
            note: note.as_ref().zip(opener).map(|(note, registry)| text(note, registry)),
            passage: Passage::decode(&stored.record).ok().flatten().map(|p| Through {
                about: HEXLOWER.encode(&p.id),
                of: p.of,
                passed: p.passed,
            }),
            ruling: Ruling::decode(&stored.record).ok().flatten().map(|r| Ruled {
                about: HEXLOWER.encode(&r.id),
                guard: r.guard,
                answer: r.answer.name(),
                reason: r.reason,
                gate: r.gate.name(),
            }),
        }
    }

    /// One row of the table for people.
    pub(crate) fn row(&self) -> String {
        if let Some(Through { about, of, passed }) = &self.passage {
            let (device, about) = (self.device.get(..8).unwrap_or_default(), about.get(..8).unwrap_or_default());
            return format!(
                "{:>6}  {:<24}  {device}  {passed} of {of} went through after {about}",
                self.number, self.received_at
            );
        }
        if let Some(Ruled { about, guard, answer, reason, .. }) = &self.ruling {
            let (device, about) = (self.device.get(..8).unwrap_or_default(), about.get(..8).unwrap_or_default());
            let (number, at) = (self.number, &self.received_at);
            return format!("{number:>6}  {at:<24}  {device}  guard {guard:?}  {answer} {reason} after {about}");
        }
        if let Some(about) = &self.about {
            let said = match &self.note {
                None => "sealed; read it with --notes".to_owned(),
                Some(None) => {
                    "cannot be opened: its key is not in the keys folder; restore that from a backup".to_owned()
                }
                // A terminal obeys control characters.
                Some(Some(text)) => text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
            };
            return format!("{:>6}  note about {about}: {said}", self.number);
        }
        let time = self.at.as_deref().unwrap_or("time unknown");
        let (verdict, reason) = (self.verdict.unwrap_or("?"), self.reason.as_deref().unwrap_or("of a later type"));
        let (lane, kind) = (self.lane.as_deref().unwrap_or("-"), self.kind.unwrap_or("-"));
        let device = self.device.get(..8).unwrap_or_default();
        format!("{:>6}  {time:<24}  {device}:{lane:<10}  {kind:<8}  {verdict:<8}{reason}", self.number)
    }
}

/// The best single guess in milliseconds. A gate that has just synced knows the interval's lower end better than its upper
/// one, so the middle may lie in the future; what has arrived has happened.
fn at(event: &Event, received_at: u32) -> u64 {
    if event.latest_ms == u64::MAX {
        return event.earliest_ms;
    }
    let middle = event.earliest_ms.midpoint(event.latest_ms);
    middle.min(u64::from(received_at) * 1000).max(event.earliest_ms)
}

#[cfg(test)]
mod tests {
    use tongguan_pass::{ClockSource, GateOutcome, OutcomeCode};

    use super::*;

    #[test]
    fn the_time_shown_lies_in_the_interval_and_not_after_the_events_arrival() {
        let shown = |earliest_ms, latest_ms, received_at| {
            let event = Event {
                id: [1; 16],
                earliest_ms,
                latest_ms,
                clock: ClockSource::System,
                lane: "1".into(),
                kind: 0,
                handle: 0,
                outcome: OutcomeCode::Deny,
                reason: "damaged".into(),
                gate: GateOutcome::Closed,
                latency_us: [0; 4],
            };
            at(&event, received_at)
        };
        assert_eq!(shown(40_000, 160_000, 500), 100_000);
        assert_eq!(shown(99_000, 160_000, 101), 101_000);
        assert_eq!(shown(99_000, 160_000, 90), 99_000, "a gate whose clock is ahead");
        assert_eq!(shown(99_000, u64::MAX, 500), 99_000);
    }
}
