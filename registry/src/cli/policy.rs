//! `policy`: what gates let in, asked for and shown.

use std::path::Path;

use serde_json::{Value, json};
use tongguan_pass::policy::{Edition as Rules, ListLimits, Surge};
use tongguan_pass::{Interval, Place, Policy};
use tongguan_registry::Registry;
use tongguan_registry::domain::audit::Actor;
use tongguan_registry::domain::policy::{community_words, differences, doubts, empty, from_words};
use tongguan_registry::domain::policy_file::{rule_words, write, write_edition};
use tongguan_registry::domain::publish::Edition;
use tongguan_registry::domain::time::{rfc3339, rfc3339_local};
use tongguan_registry::policy::read_file;
use tongguan_registry::store::NewPolicy;

use super::args;
use super::output::{Failure, Output};

pub(crate) fn run(registry: &Registry, command: args::Policy, out: &Output) -> Result<(), Failure> {
    match command {
        args::Policy::Check { file } => check(&file, out),
        args::Policy::Set { file } => {
            let rules = read(&file)?;
            let now = registry.now();
            let (changed, edition) = registry.set_policy(&rules, Actor::Operator)?;
            warn(&rules);
            show_set(&changed, &edition, now, out)
        }
        args::Policy::Show { at, community } => show(registry, at, community, out),
        args::Policy::Surge { end: true, .. } => {
            let running = registry.policy()?.map(|(_, policy)| policy).unwrap_or_default();
            let until = running.surges().iter().map(|s| s.until).max().unwrap_or(0);
            let (changed, edition) = registry.end_surge(Actor::Operator)?;
            out.show(&surge_json(&changed, &edition), || {
                format!(
                    "The surge is ended; published with policy {} in head {}. Gates that do not sync obey it until {}.",
                    changed.version,
                    edition.head.version,
                    rfc3339_local(until, changed.after.utc_offset())
                )
            })
        }
        args::Policy::Surge { minutes, from, until, end: false } => {
            let from = from.unwrap_or_else(|| registry.now());
            let until = until.ok_or_else(|| Failure::misuse("say until when: --until 2026-12-20T10:00:00+08:00"))?;
            let (changed, edition) = registry.declare_surge(Surge { from, until, minutes }, Actor::Operator)?;
            out.show(&surge_json(&changed, &edition), || {
                format!(
                    "Live codes are good for {minutes} minutes from {} until {}; published with policy {} in head {}.\n\
                     Gates obey it from their next sync on; bring a stick to those without a network.",
                    rfc3339_local(from, changed.after.utc_offset()),
                    rfc3339_local(until, changed.after.utc_offset()),
                    changed.version,
                    edition.head.version
                )
            })
        }
    }
}

/// `policy check`: reads the file and says what it would mean.
pub(crate) fn check(file: &Path, out: &Output) -> Result<(), Failure> {
    let policy = read(file)?;
    let doubts = doubts(&policy);
    let editions: Vec<Value> = policy.editions().iter().map(edition_json).collect();
    let bytes = policy.encode().len();
    let value = json!({ "editions": editions, "bytes": bytes, "warnings": doubts });
    out.show(&value, || {
        let mut lines: Vec<String> = policy.editions().iter().map(|e| edition_words(e, policy.utc_offset())).collect();
        lines.extend(doubts.iter().map(|doubt| format!("! {doubt}")));
        lines.push(format!("The file is good: {} policies, {bytes} bytes for gates.", policy.editions().len()));
        lines.join("\n")
    })
}

fn read(file: &Path) -> Result<Policy, Failure> {
    read_file(file).map_err(|wrong| Failure::Refused(wrong.to_string()))
}

fn warn(policy: &Policy) {
    for doubt in doubts(policy) {
        tracing::warn!("{doubt}");
    }
}

fn show_set(changed: &NewPolicy, edition: &Edition, now: u32, out: &Output) -> Result<(), Failure> {
    let differences = differences(&changed.before, &changed.after);
    let later = |e: &Rules| e.effective_from > now;
    let list: Vec<Value> = differences
        .iter()
        .map(|(what, e)| {
            let mut value = edition_json(e);
            value["what"] = what.name().into();
            value
        })
        .collect();
    let value = json!({ "policy": changed.version, "version": edition.head.version, "changes": list });
    out.show(&value, || {
        let mut lines: Vec<String> = differences
            .iter()
            .map(|(what, e)| {
                let when = if later(e) { "later" } else { "at once" };
                format!("[{}, {when}] {}", what.name(), edition_words(e, changed.after.utc_offset()))
            })
            .collect();
        if lines.is_empty() {
            lines.push("The rules are the same as before.".to_owned());
        }
        lines.push(format!(
            "Published policy {} in head {}. Gates obey it from their next sync on, and what begins later without a network.",
            changed.version, edition.head.version
        ));
        lines.join("\n")
    })
}

fn show(registry: &Registry, at: Option<u32>, community: Option<u32>, out: &Output) -> Result<(), Failure> {
    let (version, policy) = registry.policy()?.unwrap_or_else(|| (0, empty()));
    let editions: Vec<Rules> = match (at, community) {
        (None, None) => policy.editions().to_vec(),
        (None, Some(community)) => policy.editions().iter().filter(|e| e.community == community).cloned().collect(),
        (Some(at), community) => {
            let place = Place { communities: Vec::new(), otherwise: Rules::built_in() };
            vec![policy.edition(&place, community.unwrap_or(0), at.into()).clone()]
        }
    };
    let surges: Vec<Value> = policy.surges().iter().map(one_surge).collect();
    let list: Vec<Value> = editions.iter().map(edition_json).collect();
    let now = registry.now();
    let value = json!({ "policy": version, "utc_offset": policy.utc_offset(), "surges": surges, "editions": list });
    out.show(&value, || {
        let mut text = match version {
            0 => "# There is no policy: gates let in their own residents.\n".to_owned(),
            _ => format!("# Policy {version}.\n"),
        };
        for surge in policy.surges().iter().filter(|s| s.until >= now) {
            let in_force = policy.surge(Interval::exactly(now.into())) == Some(surge);
            let [from, until] = [surge.from, surge.until].map(|at| rfc3339_local(at, policy.utc_offset()));
            let state = if in_force { "in force" } else { "to come" };
            text += &format!(
                "# Surge, {state}: live codes are good for {} minutes from {from} until {until}.\n",
                surge.minutes
            );
        }
        if at.is_none() && community.is_none() {
            text += &write(&policy);
        } else {
            editions.iter().for_each(|edition| write_edition(&mut text, edition, policy.utc_offset()));
        }
        text.trim_end().to_owned()
    })
}

fn surge_json(changed: &NewPolicy, edition: &Edition) -> Value {
    let surges: Vec<Value> = changed.after.surges().iter().map(one_surge).collect();
    json!({ "policy": changed.version, "version": edition.head.version, "surges": surges })
}

fn one_surge(surge: &Surge) -> Value {
    json!({ "from": rfc3339(surge.from), "until": rfc3339(surge.until), "minutes": surge.minutes })
}

fn edition_json(edition: &Rules) -> Value {
    let rules: Vec<String> = edition.rules.iter().map(rule_words).collect();
    let hours = |hours| (hours != ListLimits::NEVER).then_some(hours);
    json!({
        "community": edition.community,
        "from": (edition.effective_from != 0).then(|| rfc3339(edition.effective_from)),
        "rules": rules,
        "lists_confirm_after_h": hours(edition.lists.confirm_after),
        "lists_deny_after_h": hours(edition.lists.deny_after),
    })
}

fn edition_words(edition: &Rules, utc_offset: i16) -> String {
    let from = from_words(edition.effective_from, utc_offset);
    let mut text = format!("{} from {from}:", community_words(edition.community));
    for rule in &edition.rules {
        text += &format!("\n    {}", rule_words(rule));
    }
    text + "\n    anybody else: deny"
}
