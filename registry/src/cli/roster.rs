//! `roster`: what gates look people up in, made and listed.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use serde_json::{Value, json};
use tongguan_registry::Registry;
use tongguan_registry::domain::audit::Actor;
use tongguan_registry::domain::time::rfc3339;
use tongguan_registry::roster::{Effort, Outcome};

use super::args::Roster;
use super::output::{Failure, Output};

pub(crate) fn run(registry: &Registry, command: Roster, out: &Output) -> Result<(), Failure> {
    match command {
        Roster::Publish { community } => publish(registry, community, out),
        Roster::List => list(registry, out),
    }
}

fn publish(registry: &Registry, only: Option<u32>, out: &Output) -> Result<(), Failure> {
    let mut go_on = |community: u32, done: usize, of: usize| {
        if done > 0 {
            out.note(&format!("community {community}: {done} of {of} slots ..."));
        }
        true
    };
    let threads = available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let mut effort = Effort { threads, go_on: &mut go_on };
    let outcomes = registry.make_rosters(only, &Actor::Operator, &mut effort)?;
    let mut failed = 0;
    for (community, outcome) in &outcomes {
        match outcome {
            Ok(outcome) => show(*community, outcome, only, out)?,
            Err(error) => {
                failed += 1;
                let value = json!({ "community": community, "outcome": "failed", "error": error.to_string() });
                out.show(&value, || format!("community {community}: NOT MADE: {error}"))?;
            }
        }
    }
    // A head more costs every gate its bytes: none, if nothing has changed.
    let waiting = registry.store().standing(registry.now())?.rosters;
    let version = if waiting { Some(registry.publish(Actor::Operator)?.head.version) } else { None };
    let made = outcomes.iter().filter(|(_, outcome)| matches!(outcome, Ok(Outcome::Made { .. }))).count();
    let value = json!({ "made": made, "failed": failed, "version": version });
    out.show(&value, || match version {
        Some(version) => format!("rosters made: {made}; published in head {version}."),
        None if outcomes.iter().all(|(_, outcome)| matches!(outcome, Ok(Outcome::NoGate))) => {
            "No gate looks anybody up: `device enrol KEY --community N` says which one does, and where.".to_owned()
        }
        None => "Nothing has changed; nothing was published.".to_owned(),
    })?;
    if failed > 0 { Err(Failure::Refused(format!("rosters that were not made: {failed} (above)"))) } else { Ok(()) }
}

fn show(community: u32, outcome: &Outcome, only: Option<u32>, out: &Output) -> Result<(), Failure> {
    let with = |outcome: &str| json!({ "community": community, "outcome": outcome });
    match *outcome {
        Outcome::Made { version, entries, gates, bytes, slots } => {
            let value = json!({
                "community": community, "outcome": "made", "version": version, "entries": entries, "gates": gates,
                "bytes": bytes, "slots": slots,
            });
            out.show(&value, || {
                format!(
                    "community {community}: version {version}; entries {entries}, gates {gates}, bytes {bytes}, new slots {slots}"
                )
            })
        }
        Outcome::Same => out.show(&with("same"), || format!("community {community}: nothing has changed")),
        Outcome::Ended => {
            out.show(&with("ended"), || format!("community {community}: no gate serves it any more; it has no roster"))
        }
        Outcome::NoGate if only.is_some() => out.show(&with("no_gate"), || {
            format!("community {community}: no gate serves it; `device enrol KEY --community {community}`")
        }),
        Outcome::NoGate | Outcome::Stopped => Ok(()),
    }
}

fn list(registry: &Registry, out: &Output) -> Result<(), Failure> {
    for roster in registry.store().rosters()? {
        let (community, made_at) = (roster.community, rfc3339(roster.made_at));
        let value: Value = json!({
            "community": community, "version": roster.version, "entries": roster.entries, "gates": roster.gates,
            "bytes": roster.size, "made_at": made_at, "published": roster.published,
        });
        out.show(&value, || {
            let state = if roster.published { "" } else { "  waits for `publish`" };
            format!(
                "{community:>10}  version {:<6}  {:>7} entries  {:>3} gates  {:>9} bytes  {made_at}{state}",
                roster.version, roster.entries, roster.gates, roster.size
            )
        })?;
    }
    Ok(())
}
