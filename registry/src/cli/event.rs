//! A stored event as it is listed.

use data_encoding::HEXLOWER;
use serde::Serialize;
use tongguan_pass::{Event, Kind};
use tongguan_registry::domain::time::{rfc3339, rfc3339_ms};
use tongguan_registry::store::StoredEvent;

/// One line of `events --json`. What an event of a later type says is not known here, so it is `null`.
#[derive(Serialize)]
pub(crate) struct Shown {
    number: u64,
    device: String,
    device_status: String,
    seq: u64,
    after_gap: bool,
    received_at: String,
    id: Option<String>,
    earliest: Option<String>,
    latest: Option<String>,
    clock: Option<&'static str>,
    lane: Option<String>,
    kind: Option<&'static str>,
    handle: Option<u32>,
    verdict: Option<&'static str>,
    reason: Option<String>,
    gate: Option<&'static str>,
    latency_us: Option<Latency>,
}

#[derive(Serialize)]
struct Latency {
    capture: u32,
    decode: u32,
    decide: u32,
    relay: u32,
}

impl Shown {
    pub(crate) fn of(stored: &StoredEvent) -> Self {
        // Records were checked when they came in; one of a later type stays unread.
        let event = Event::decode(&stored.record).ok().flatten();
        let e = event.as_ref();
        Self {
            number: stored.number,
            device: HEXLOWER.encode(&stored.device),
            device_status: stored.device_status.clone(),
            seq: stored.seq,
            after_gap: stored.after_gap,
            received_at: rfc3339(stored.received_at),
            id: e.map(|e| HEXLOWER.encode(&e.id)),
            earliest: e.and_then(|e| rfc3339_ms(e.earliest_ms)),
            latest: e.and_then(|e| rfc3339_ms(e.latest_ms)),
            clock: e.map(|e| e.clock.name()),
            lane: e.map(|e| e.lane.clone()),
            kind: e.and_then(|e| Kind::from_wire(e.kind)).map(Kind::name),
            handle: e.filter(|e| e.kind != 0).map(|e| e.handle),
            verdict: e.map(|e| e.outcome.name()),
            reason: e.map(|e| e.reason.clone()),
            gate: e.map(|e| e.gate.name()),
            latency_us: e.map(|e| {
                let [capture, decode, decide, relay] = e.latency_us;
                Latency { capture, decode, decide, relay }
            }),
        }
    }

    /// One row of the table for people.
    pub(crate) fn row(&self) -> String {
        let time = self.earliest.as_deref().unwrap_or("time unknown");
        let (verdict, reason) = (self.verdict.unwrap_or("?"), self.reason.as_deref().unwrap_or("of a later type"));
        let (lane, kind) = (self.lane.as_deref().unwrap_or("-"), self.kind.unwrap_or("-"));
        let device = self.device.get(..8).unwrap_or_default();
        format!("{:>6}  {time:<24}  {device}:{lane:<10}  {kind:<8}  {verdict:<8}{reason}", self.number)
    }
}
