//! Each command: the act it asks the registry for, and how its result is shown.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use serde_json::json;
use tongguan_pass::VerifyingKey;
use tongguan_registry::api::Web;
use tongguan_registry::api::serve::People;
use tongguan_registry::bundle;
use tongguan_registry::config::Config;
use tongguan_registry::domain::audit::Actor;
use tongguan_registry::domain::issue::{Document, Order};
use tongguan_registry::domain::person::PersonId;
use tongguan_registry::domain::time::rfc3339;
use tongguan_registry::poster;
use tongguan_registry::registry::Issued;
use tongguan_registry::sms::config::SmsConfig;
use tongguan_registry::sms::{Log, SmsSender};
use tongguan_registry::store::{DeviceStatus, StoreError};
use tongguan_registry::{Error, Registry, api};

use super::args::{Args, Code, Command, Community, DeviceCommand, Events, KeyBytes, Policy};
use super::output::{Failure, Output};
use super::{event, intake, keys, people, places, policy, roster};

/// Events read from the store at a time.
const PAGE: u32 = 1000;

pub(crate) fn run(args: Args, out: &Output) -> Result<(), Failure> {
    if let Command::Keys(command) = &args.command
        && let Some(done) = keys::run_offline(command, out)
    {
        return done;
    }
    if let Command::Policy(Policy::Check { file }) = &args.command {
        return policy::check(file, out);
    }
    if let Command::Community(Community::Import { file, dry_run: true }) = &args.command {
        return places::report(&places::read(file, out)?, None, out);
    }
    if let Command::Poster { address } = &args.command {
        let svg = poster::svg(address).map_err(|wrong| Failure::misuse(wrong.to_string()))?;
        return out.show(&json!({ "svg": svg }), || svg.trim_end().to_owned());
    }
    let data = args.data.as_deref().ok_or_else(|| {
        Failure::misuse("say which registry with --data DIR, such as --data /var/lib/tongguan-registry")
    })?;
    if let Command::Init = args.command {
        return init(data, out);
    }
    let registry = Registry::open(data)?;
    match args.command {
        Command::Init | Command::Poster { .. } => Ok(()),
        Command::Serve { listen, publish_every, rosters_every, dev, secure, proxies } => {
            let started = |address: std::net::SocketAddr| {
                let sentence = || format!("Listening on http://{address} (residents: http://{address}/)");
                out.show(&json!({ "listening": address }), sentence).is_ok()
            };
            let rosters_every = (rosters_every > 0).then(|| Duration::from_secs(u64::from(rosters_every) * 3600));
            let Post { inbox, sender } = post(&registry, data)?;
            let web = Web::new(secure, proxies.into(), inbox.filter(|_| dev));
            let people = People { web, sender };
            api::serve::serve(registry, listen, publish_every, rosters_every, people, started).map_err(Failure::error)
        }
        Command::Person(command) => people::person(&registry, command, out),
        Command::Community(command) => people::community(&registry, command, out),
        Command::Roster(command) => roster::run(&registry, command, out),
        Command::Code(Code::Live { person, at }) => issue(&registry, &person, Order::Live, at, out),
        Command::Code(Code::Printed { person, days, building, entries, at }) => {
            issue(&registry, &person, Order::Printed { days, building, entries }, at, out)
        }
        Command::Certificate { person, holder_key, hours, at } => {
            issue(&registry, &person, Order::Certificate { holder: holder_key, hours }, at, out)
        }
        Command::Revoke { person, reason } => {
            let id = known(&person)?;
            let dropped = registry.revoke(&id, reason.into())?;
            let sentence = || match dropped {
                0 => format!("{id} has no handle; nothing to drop."),
                _ => format!("Dropped the handle of {id}. It enters the lists with the next publish."),
            };
            out.show(&json!({ "person": id.as_str(), "dropped": dropped }), sentence)
        }
        Command::Policy(command) => policy::run(&registry, command, out),
        Command::Device(DeviceCommand::List) => list_devices(&registry, out),
        Command::Device(DeviceCommand::Enrol { device, community }) => enrol(&registry, &device, &community, out),
        Command::Device(DeviceCommand::Retire { device }) => {
            registry.retire(&device)?;
            let key = HEXLOWER.encode(device.as_bytes());
            let value = json!({ "device": key, "status": DeviceStatus::Retired.name() });
            out.show(&value, || format!("{key} is retired."))
        }
        Command::Keys(command) => keys::run(&registry, command, out),
        Command::Publish { new_epoch } => publish(&registry, new_epoch, out),
        Command::Bundle { folder } => bundle_into(&registry, &folder, out),
        Command::Import { folder } => intake::import(&registry, &folder, out),
        Command::Events { command: Some(Events::Verify { device, from }), .. } => {
            intake::verify(&registry, device.as_ref(), from.as_deref(), out)
        }
        Command::Events { command: None, since, device, notes } => {
            list_events(&registry, since, device.as_ref(), notes, out)
        }
    }
}

/// Who sends messages, and the inbox of development if nobody does.
struct Post {
    inbox: Option<Arc<Log>>,
    sender: Arc<dyn SmsSender>,
}

fn post(registry: &Registry, data: &Path) -> Result<Post, Failure> {
    let config = Config::of(data).map_err(Failure::error)?;
    match config.sms() {
        Some(chosen) if !matches!(chosen, SmsConfig::Log {}) => {
            Ok(Post { inbox: None, sender: registry.message_sender(chosen).map_err(Failure::error)? })
        }
        chosen => {
            if chosen.is_none() {
                tracing::warn!("no [sms] in registry.toml: messages are shown here, and sent to nobody");
            }
            let log = Arc::new(Log::default());
            Ok(Post { inbox: Some(Arc::clone(&log)), sender: log })
        }
    }
}

fn init(data: &Path, out: &Output) -> Result<(), Failure> {
    let made = Registry::init(data)?;
    let root = std::path::absolute(&made.root).unwrap_or(made.root);
    let value = json!({ "root": root, "fingerprint": made.fingerprint.to_string(), "version": made.version });
    out.show(&value, || {
        format!(
            "The registry is set up; its first lists are published.\n\
             Root file, for every checkpoint:  {}\n\
             Its SHA-256 fingerprint:          {}\n\
             {} signs every change of the registry's keys. A city's registry keeps it off the network: see the root ceremony \
             in docs/OPERATIONS.md.",
            root.display(),
            made.fingerprint,
            data.join("keys").join("root-1.pem").display(),
        )
    })
}

fn issue(registry: &Registry, person: &str, order: Order, at: Option<u32>, out: &Output) -> Result<(), Failure> {
    let Issued { document, from, until } = registry.issue(&known(person)?, order, at, Actor::Operator)?;
    let (from, until) = (rfc3339(from), rfc3339(until));
    match document {
        Document::Code(code) => {
            out.show(&json!({ "code": code, "expires_at": until }), || code.clone())?;
            out.note(&format!("good until {until}"));
            Ok(())
        }
        Document::Certificate(bytes) => {
            let hex = HEXLOWER.encode(bytes.as_slice());
            let value = json!({ "certificate": hex, "valid_from": from, "expires_at": until });
            out.show(&value, || format!("{hex}\ngood from {from} until {until}"))
        }
    }
}

fn list_devices(registry: &Registry, out: &Output) -> Result<(), Failure> {
    for device in registry.store().devices()? {
        let key = HEXLOWER.encode(&device.key);
        let value = json!({
            "device": key, "status": device.status, "events": device.stored, "communities": device.communities,
        });
        out.show(&value, || {
            let looks_up = match device.communities.as_slice() {
                [] => String::new(),
                some => format!("  looks up {}", words(some)),
            };
            format!("{key}  {:<8}  {:>9} events{looks_up}", device.status, device.stored)
        })?;
    }
    Ok(())
}

fn enrol(registry: &Registry, device: &VerifyingKey, communities: &[u32], out: &Output) -> Result<(), Failure> {
    registry.enrol(device, communities)?;
    let key = HEXLOWER.encode(device.as_bytes());
    let value = json!({ "device": key, "status": DeviceStatus::Enrolled.name(), "communities": communities });
    out.show(&value, || match communities {
        [] => format!("{key} is enrolled. It looks nobody up."),
        some => format!("{key} is enrolled. The next roster of {} is for it: `roster publish`.", words(some)),
    })
}

fn words(communities: &[u32]) -> String {
    communities.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

fn publish(registry: &Registry, new_epoch: bool, out: &Output) -> Result<(), Failure> {
    let edition = if new_epoch { registry.publish_new_epoch()? } else { registry.publish(Actor::Operator)? };
    let head = &edition.head;
    let value = json!({
        "epoch": head.epoch,
        "version": head.version,
        "issued_at": rfc3339(head.issued_at),
        "expires_at": rfc3339(head.expires_at),
        "revocations": head.revocations.version,
        "revoked": head.revocations.count,
    });
    out.show(&value, || {
        format!(
            "Published version {}: {} revoked handles (list version {}), good until {}.",
            head.version,
            head.revocations.count,
            head.revocations.version,
            rfc3339(head.expires_at)
        )
    })
}

fn bundle_into(registry: &Registry, folder: &Path, out: &Output) -> Result<(), Failure> {
    let (edition, files) = registry.store().edition()?;
    warn_of_waiting(registry)?;
    let written = bundle::write(folder, &edition, &files, registry.now()).map_err(Failure::error)?;
    let value = json!({ "version": written.version, "files": written.files, "bytes": written.bytes });
    out.show(&value, || {
        format!(
            "Wrote version {}: the head and {} files, {} bytes, in {}.",
            written.version,
            written.files,
            written.bytes,
            folder.display()
        )
    })
}

/// Whoever carries a stick away should know what is not on it.
pub(crate) fn warn_of_waiting(registry: &Registry) -> Result<(), Failure> {
    let waiting = registry.store().standing(registry.now())?.waiting;
    if waiting > 0 {
        tracing::warn!(waiting, "revocations wait to be published and are not in these lists; publish first");
    }
    Ok(())
}

fn list_events(
    registry: &Registry,
    since: u64,
    device: Option<&KeyBytes>,
    notes: bool,
    out: &Output,
) -> Result<(), Failure> {
    if notes {
        // Before anything is shown: whoever reads notes is on record.
        registry.note_reading(since, device)?;
    }
    let mut since = since;
    loop {
        let page = registry.store().events(since, device, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        since = last.number;
        for stored in &page {
            let shown = event::Shown::of(stored, notes.then_some(registry));
            out.show(&shown, || shown.row())?;
        }
    }
}

/// A text that is no id is nobody's.
pub(crate) fn known(person: &str) -> Result<PersonId, Failure> {
    PersonId::parse(person).ok_or_else(|| Error::from(StoreError::UnknownPerson).into())
}
