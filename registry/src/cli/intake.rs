//! `import` and `events verify`: what came from gates, taken in and looked at.

use std::path::Path;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use tongguan_registry::Registry;
use tongguan_registry::import::{Imported, OfDevice};
use tongguan_registry::stick::Skipped;
use tongguan_registry::verify_events::{OfFolder, Verified};

use super::args::KeyBytes;
use super::output::{Failure, Output};
use super::run;

/// Batches between two words of progress.
const BATCHES_A_WORD: usize = 50;
/// Records between two words of progress.
const RECORDS_A_WORD: u64 = 100_000;

pub(crate) fn import(registry: &Registry, folder: &Path, out: &Output) -> Result<(), Failure> {
    run::warn_of_waiting(registry)?;
    let mut progress = |done: usize, of: usize| {
        if done > 0 && done < of && done.is_multiple_of(BATCHES_A_WORD) {
            out.note(&format!("{done} of {of} batches ..."));
        }
    };
    let done = registry.import_stick(folder, &mut progress).map_err(Failure::error)?;
    for of in &done.devices {
        out.show(&device_json(of), || device_words(of))?;
    }
    for left in &done.skipped {
        show_skipped(left, out)?;
    }
    let stored: usize = done.devices.iter().map(|d| d.stored).sum();
    let lists = done.lists.as_ref().map(|lists| lists.version);
    let value = json!({
        "devices": done.devices.len(), "stored": stored, "skipped": done.skipped.len(), "lists": lists,
        "unwritten": done.unwritten,
    });
    out.show(&value, || summary(&done, stored, folder))?;
    match done.unwritten {
        Some(why) => Err(Failure::Error(format!(
            "the events are in, but the stick could not be written: {why}. Bring the lists and receipts on another stick"
        ))),
        None if done.skipped.is_empty() => Ok(()),
        None => Err(Failure::Refused(format!("{} things on the stick were left alone (above)", done.skipped.len()))),
    }
}

fn device_json(of: &OfDevice) -> Value {
    json!({
        "device": HEXLOWER.encode(&of.device), "stored": of.stored, "duplicate": of.duplicate,
        "receipt": of.run.map(|run| json!({ "first_seq": run.first_seq, "next_seq": run.next_seq })), "removed": of.removed,
    })
}

fn device_words(of: &OfDevice) -> String {
    let receipt = match of.run {
        Some(run) if run.first_seq > 1 => {
            format!("receipt for {} to {}; EARLIER ONES ARE MISSING", run.first_seq, run.next_seq - 1)
        }
        Some(run) => format!("receipt for all up to {}", run.next_seq - 1),
        None => "no receipt".to_owned(),
    };
    format!(
        "{}: {} new events, {} known before; {receipt}; {} batches removed from the stick, which the receipt covers",
        short(&of.device),
        of.stored,
        of.duplicate,
        of.removed
    )
}

fn summary(done: &Imported, stored: usize, folder: &Path) -> String {
    let lists = match &done.lists {
        Some(lists) => format!("lists {} are on it", lists.version),
        None => "no lists are on it".to_owned(),
    };
    format!("{}: {stored} new events of {} gates are in; {lists}.", folder.display(), done.devices.len())
}

pub(crate) fn verify(
    registry: &Registry,
    device: Option<&KeyBytes>,
    from: Option<&Path>,
    out: &Output,
) -> Result<(), Failure> {
    let mut said = 0;
    let mut progress = |done: u64, of: u64| {
        if done / RECORDS_A_WORD > said && done < of {
            said = done / RECORDS_A_WORD;
            out.note(&format!("{done} of {of} records ..."));
        }
    };
    let mut all = registry.verify_events(device, &mut progress)?;
    if let Some(key) = device
        && all.is_empty()
    {
        return Err(Failure::Refused(format!("no device {} has handed in anything", HEXLOWER.encode(key))));
    }
    let folder = match from {
        Some(from) => Some(registry.verify_folder(from, device, &mut all).map_err(Failure::error)?),
        None => None,
    };
    for found in &all {
        out.show(&verified_json(found), || verified_words(found))?;
    }
    if let Some(of) = &folder {
        show_folder(of, out)?;
    }
    let faults: usize = all.iter().map(|v| v.faults).sum();
    let damaged = folder.map_or(0, |of| of.skipped.len());
    let records: u64 = all.iter().map(|v| v.records).sum();
    let sound = faults == 0 && damaged == 0;
    let value =
        json!({ "sound": sound, "devices": all.len(), "records": records, "faults": faults, "damaged": damaged });
    out.show(&value, || {
        let verdict = if sound { "all sound" } else { "NOT SOUND" };
        format!("{verdict}: {records} events of {} devices, {faults} faults, {damaged} damaged files", all.len())
    })?;
    if sound { Ok(()) } else { Err(Failure::Refused("the events are not sound (above)".to_owned())) }
}

fn verified_json(found: &Verified) -> Value {
    let findings: Vec<Value> = found
        .findings
        .iter()
        .map(|f| json!({ "fault": f.fault.name(), "from": f.from, "to": f.to, "advice": f.fault.advice() }))
        .collect();
    json!({
        "device": HEXLOWER.encode(&found.device.key), "status": found.device.status, "records": found.records,
        "unsigned": found.unsigned, "contradictions_refused": found.device.conflicts, "faults": found.faults,
        "findings": findings,
    })
}

fn verified_words(found: &Verified) -> String {
    let verdict = if found.is_sound() { "sound" } else { "NOT SOUND" };
    let mut lines = vec![format!("{}: {} events, {verdict}", short(&found.device.key), found.records)];
    lines.extend(found.findings.iter().map(|f| {
        let which = if f.from == f.to { format!("{}", f.from) } else { format!("{} to {}", f.from, f.to) };
        format!("  {:<12}  {which}: {}", f.fault.name(), f.fault.advice())
    }));
    let more = found.faults - found.findings.len();
    if more > 0 {
        lines.push(format!("  and {more} more faults"));
    }
    if found.unsigned > 0 {
        lines.push(format!("  {} events came before signatures were kept; their chain was checked", found.unsigned));
    }
    if found.device.conflicts > 0 {
        lines.push(format!(
            "  {} batches were refused because they contradicted earlier ones: was its card restored from a copy?",
            found.device.conflicts
        ));
    }
    lines.join("\n")
}

fn show_folder(of: &OfFolder, out: &Output) -> Result<(), Failure> {
    for left in &of.skipped {
        show_skipped(left, out)?;
    }
    let value = json!({ "folder": true, "batches": of.batches, "records": of.records, "new": of.new });
    out.show(&value, || {
        format!(
            "folder: {} good batches with {} events, {} of them not stored here yet",
            of.batches, of.records, of.new
        )
    })
}

fn show_skipped(left: &Skipped, out: &Output) -> Result<(), Failure> {
    let name = left.path.display().to_string();
    let shown: String = name.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    out.show(&json!({ "skipped": shown, "why": left.why }), || format!("left alone: {shown} {}", left.why))
}

fn short(device: &[u8; 32]) -> String {
    HEXLOWER.encode(device).chars().take(16).collect()
}
