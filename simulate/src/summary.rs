//! What the runs exercised, and what they must have exercised for their silence to mean something.

use tongguan_simulate::network::Fault;
use tongguan_simulate::tally::Tally;

/// From so many runs on everything must have happened.
pub(crate) const ENOUGH: u64 = 500;

const MUST: &[&str] = &[
    "verdict: pass fresh",
    "verdict: deny expired",
    "verdict: deny not_yet_valid",
    "verdict: deny phone_clock_wrong",
    "verdict: deny revoked",
    "verdict: deny forged",
    "verdict: deny unknown_key",
    "verdict: deny wrong_place",
    "verdict: deny not_admitted",
    "verdict: deny outside_hours",
    "verdict: deny list_stale",
    "verdict: confirm guard_check",
    "let in: by a surge",
    "verdict: deny already_used",
    "verdict: deny specimen",
    "verdict: deny not_our_code",
    "verdict: deny damaged",
    "verdict: deny unknown_kind",
    "verdict: confirm unknown_key",
    "verdict: confirm list_stale",
    "verdict: confirm clock_uncertain",
    "let in: live",
    "let in: carried",
    "let in: printed",
    "relay broken: the use is given back",
    "clock: synced",
    "clock: holdover",
    "clock: system",
    "clock: floor",
    "ntp: comes",
    "ntp: goes",
    "ntp: forged",
    "wall clock: ten years ahead",
    "wall clock: ten years back",
    "wall clock: an hour, as summer time does",
    "wall clock: 1970, 2038, 2106 and beyond",
    "leap second: one more",
    "leap second: one less",
    "crystal: another pace",
    "boot: with a battery clock",
    "boot: with a battery clock at half its pace",
    "boot: without a battery clock",
    "boot: the battery clock was empty",
    "clock.json: damaged",
    "time: more than a week at once",
    "time: past 2038-01-19T03:14:07",
    "program: ended in order",
    "program: killed",
    "power cut in: presentation",
    "power cut in: sync",
    "power cut in: start of the program",
    "power cut in: end of the program",
    "power cut at: write wal",
    "power cut at: sync wal",
    "power cut at: write database",
    "power cut at: sync database",
    "power cut at: between two steps",
    "power cut, left: All",
    "power cut, left: Synced",
    "power cut, left: Some",
    "event in flight: kept",
    "event in flight: lost with the power",
    "lists: newer ones applied",
    "stick: newer lists",
    "stick: nothing newer",
    "registry: handle dropped",
    "registry: policy set",
    "registry: surge declared",
    "registry: surge ended",
    "registry: head published",
    "registry: head published when due",
    "registry: key made ahead",
    "registry: ended key dropped",
    "registry: key revoked, live",
    "registry: key revoked, certificate",
    "registry: key revoked, printed",
    "registry: key revoked, lists",
    "registry: key revoked, time",
    "registry: root replaced",
    "registry: restarted",
    "registry, power cut in: issuing",
    "registry, power cut in: revoking",
    "registry, power cut in: publishing",
    "registry, power cut in: revoking a key",
    "registry, power cut in: taking in events",
    "registry, power cut at: write wal",
    "registry, power cut at: sync wal",
];

/// What has not happened.
pub(crate) fn missing(tally: &Tally) -> Vec<&'static str> {
    let faults = Fault::ALL.iter().map(|fault| fault.name()).chain([Fault::None.name()]);
    MUST.iter().copied().chain(faults).filter(|what| tally.of(what) == 0).collect()
}

/// Everything that was counted.
pub(crate) fn table(tally: &Tally) -> String {
    let mut text = String::from("\n");
    for (what, count) in tally.all() {
        text.push_str(&format!("{count:>9}  {what}\n"));
    }
    text
}
