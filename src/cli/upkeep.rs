//! Commands that set up and maintain: init, sync.

use std::io::Read as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use tongguan::clock::Clock as _;
use tongguan::config::Config;
use tongguan::store::{DataDir, DeviceKey, Journal, TrustStore};
use tongguan::sync::{self, Exchanged, ListsOnly, SyncError, Visit};
use tongguan_pass::{Root, Sha256Hash, limits};

use super::{Answer, Place, clock, print_json, print_line, show};

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The data folder to set up [default: data_dir of the configuration]
    #[arg(long, value_name = "DIR", required_unless_present = "config")]
    data: Option<PathBuf>,
    /// A configuration that is there already: its registry holds, and none is written
    #[arg(long, value_name = "FILE", conflicts_with = "registry")]
    config: Option<PathBuf>,
    /// The registry's address (https://registry.example), or a folder with its files; '' if lists are only brought by hand
    #[arg(long, value_name = "URL|DIR", required_unless_present = "config")]
    registry: Option<String>,
    /// The registry's public root file; everything this checkpoint ever believes hangs from it
    #[arg(long, value_name = "FILE")]
    root: PathBuf,
    /// Answer as a JSON object
    #[arg(long)]
    json: bool,
}

impl InitArgs {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        let mut root = Vec::new();
        let file = std::fs::File::open(&self.root).with_context(|| format!("cannot read {}", self.root.display()))?;
        let read = file.take(limits::ROOT_BYTES as u64 + 1).read_to_end(&mut root);
        read.with_context(|| format!("cannot read {}", self.root.display()))?;
        Root::open_pinned(&root).with_context(|| {
            format!(
                "{} is not a registry's root file: give the root.pub that `tongguan-registry init` wrote",
                self.root.display()
            )
        })?;
        let given = self.config.as_deref().map(Config::read).transpose()?.unwrap_or_default();
        let registry = self.registry.unwrap_or(given.registry);
        if !registry.is_empty() {
            sync::check_source(&registry).map_err(anyhow::Error::msg)?;
        }
        let registry = if registry.contains("://") || registry.is_empty() {
            registry
        } else {
            // The checkpoint may be started from another folder.
            show(&std::path::absolute(&registry)?)
        };
        let data = self.data.unwrap_or(given.data_dir);
        let dir = DataDir::init(&data, &root)?;
        let device = DeviceKey::open(&dir)?;
        let config = dir.config_file();
        if self.config.is_none() && !config.exists() {
            let text = toml::to_string(&json!({"data_dir": std::path::absolute(&data)?, "registry": registry}))?;
            let text =
                format!("# Written by `tongguan init`. Every key is documented in tongguan.example.toml.\n{text}");
            std::fs::write(&config, text).with_context(|| format!("cannot write {}", config.display()))?;
        }
        let fingerprint = Sha256Hash::of(&root).to_string();
        let device: String = device.public().as_bytes().iter().map(|b| format!("{b:02x}")).collect();
        if self.json {
            print_json(&json!({"data": show(&data), "root": fingerprint, "device": device}))?;
        } else {
            print_line(&format!("set up {}", data.display()))?;
            print_line(&format!("  root fingerprint  {fingerprint}  (compare it with the registry's)"))?;
            print_line(&format!("  this device       {device}"))?;
            let place =
                self.config.map_or(format!("--data {}", show(&data)), |file| format!("--config {}", show(&file)));
            print_line(&format!("next: tongguan sync {place}"))?;
        }
        Ok(Answer::Yes)
    }
}

#[derive(Debug, Args)]
pub(super) struct SyncArgs {
    #[command(flatten)]
    place: Place,
    /// Fetch the lists from elsewhere: an address, or a folder such as a USB stick. Events are handed in to the configured
    /// registry alone; onto a stick they are written as signed batches, for `tongguan-registry import`
    #[arg(long, value_name = "DIR|URL")]
    from: Option<String>,
    /// Answer as a JSON object
    #[arg(long)]
    json: bool,
}

impl SyncArgs {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        let (config, dir) = self.place.open()?;
        let source = self.from.clone().unwrap_or_else(|| config.registry.clone());
        if source.is_empty() {
            anyhow::bail!("there is no registry in the configuration: give one with --from, or set registry = \"...\"");
        }
        if source.contains("://") {
            sync::check_source(&source).map_err(anyhow::Error::msg)?;
        }
        let home = source.trim_end_matches('/') == config.registry.trim_end_matches('/');
        let Visit { lists, events } = self.sync(&source, home, &config, &dir)?;
        let (failed, onto) = (lists.as_ref().err().map(ToString::to_string), events.as_ref());
        if self.json {
            let mut answer = match &lists {
                Err(problem) => json!({"done": false, "error": problem.to_string()}),
                Ok(report) => json!({
                    "done": report.upload_error.is_none() && events.as_ref().is_none_or(is_whole),
                    "version": report.version,
                    "changed": report.changed,
                    "revoked": report.revoked,
                    "expired": report.expired,
                    "events_sent": report.events_sent,
                    "events_waiting": report.events_waiting,
                    "error": report.upload_error.as_ref().map(ToString::to_string),
                    "roster_error": report.roster_error.as_ref().map(ToString::to_string),
                }),
            };
            answer["stick"] = onto.map_or(serde_json::Value::Null, stick_json);
            print_json(&answer)?;
        } else {
            if let Ok(report) = &lists {
                let news = if report.changed { "new lists" } else { "nothing new" };
                let warn = if report.expired { " (past their expiry: the source is old)" } else { "" };
                let why = if home || report.events_waiting == 0 { "" } else { " for the configured registry" };
                print_line(&format!(
                    "{news}: version {}, {} revoked{warn}; {} events handed in, {} waiting{why}",
                    report.version, report.revoked, report.events_sent, report.events_waiting
                ))?;
            }
            if let Some(e) = onto {
                print_line(&format!(
                    "stick: {} events written ({} of those that wait are on it), {} acknowledged by its receipt",
                    e.written, e.on_stick, e.acknowledged
                ))?;
            }
        }
        let kept = if onto.is_some_and(|e| e.written + e.acknowledged > 0) {
            "the lists are as they were"
        } else {
            "everything is as it was"
        };
        let report = match lists {
            Ok(report) => report,
            // What cannot be read or written is an error; what was fetched and refused is a check that failed.
            Err(SyncError::Store(e)) => return Err(e.into()),
            Err(problem @ (SyncError::Transport { .. } | SyncError::Missing { .. })) => {
                return Err(anyhow::Error::new(problem).context(format!("sync from {source} failed, {kept}")));
            }
            Err(_) => {
                tracing::error!("sync from {source} failed, {kept}: {}", failed.unwrap_or_default());
                return Ok(Answer::No);
            }
        };
        if let Some(problem) = &report.roster_error {
            tracing::error!(
                "the lists are in, but not every roster, so nobody of that community is looked up: {problem}"
            );
        }
        if let Some(problem) = report.upload_error {
            anyhow::bail!("the lists are in, but the events could not be handed in and are kept: {problem}");
        }
        if let Some(problem) = events.as_ref().and_then(|e| e.problem.as_ref()) {
            anyhow::bail!(
                "the lists are in, but not all events could be written onto the stick, and are kept: {problem}"
            );
        }
        if let Some(problem) = events.and_then(|e| e.bad_receipt) {
            tracing::error!("the lists are in, but the stick's receipt was not believed: {problem}");
            return Ok(Answer::No);
        }
        Ok(if report.roster_error.is_some() { Answer::No } else { Answer::Yes })
    }

    fn sync(&self, source: &str, home: bool, config: &Config, dir: &DataDir) -> anyhow::Result<Visit> {
        let mut store = TrustStore::open(dir)?.serving(&config.policy.communities);
        let journal = Journal::open(dir)?;
        let device = DeviceKey::open(dir)?;
        let clock = clock(config, dir);
        let visit = if source.contains("://") {
            let transport = sync::open(source, dir.partial_file());
            let transport = if home { transport } else { Box::new(ListsOnly(transport)) };
            let lists = sync::sync(transport.as_ref(), &mut store, &journal, &device, &clock);
            Visit { lists, events: None }
        } else {
            sync::visit(source.as_ref(), &mut store, &journal, &device, &clock)
        };
        clock.keep();
        Ok(visit)
    }
}

fn is_whole(events: &Exchanged) -> bool {
    events.problem.is_none() && events.bad_receipt.is_none()
}

fn stick_json(events: &Exchanged) -> serde_json::Value {
    let problem = events.problem.as_ref().map(ToString::to_string);
    json!({
        "written": events.written,
        "on_stick": events.on_stick,
        "acknowledged": events.acknowledged,
        "error": problem.or_else(|| events.bad_receipt.as_ref().map(ToString::to_string)),
    })
}
