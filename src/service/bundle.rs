//! The support bundle: one .tar.gz that says how a gate is, for whoever is asked for help far away.
//!
//! Nothing is copied into it from the data folder. Each file is made here, from what is known to be about the machine: so
//! there is no event, no handle, no name, no code, no PIN and no key in it, whatever is stored beside. The log is not
//! kept by this program, and it names guards; it is not in it either.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::{Findings, colour};
use crate::clock::Reading;
use crate::config::Config;
use crate::decide::Level;
use crate::lang::{Language, Text};
use crate::store::DataDir;

/// Bundles that stay in a folder; older ones make room.
const MOST: usize = 5;
/// What was said of a gate that is remembered.
const MOST_SAID: usize = 200;

const README: &str = "\
What this is: the state of a Tongguan checkpoint, made by `tongguan support` or on its service page.

config.toml   the configuration, the registry's address without user, password and query
doctor.txt    what `tongguan doctor` says (doctor.zh.txt: in Chinese)
figures.json  the same as figures, with the computer's
history.txt   what the screen said of the gate since the program started, the newest last
versions.txt  this program, the system, the computer

What is not in it: events, codes, handles, names, documents, PINs and their hashes, private keys, rosters, and the log, in
which guards are named (journalctl -u tongguan).
";

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SupportError {
    /// It cannot be written.
    #[error("cannot write {0}: {1}")]
    Write(PathBuf, io::Error),
    /// It cannot be packed.
    #[error("cannot pack the support bundle: {0}")]
    Pack(String),
}

impl SupportError {
    /// What the technician reads.
    pub fn words(&self) -> Text {
        match self {
            Self::Write(path, error) => {
                let at = path.display();
                match error.kind() {
                    io::ErrorKind::StorageFull => {
                        Text::new(format!("空间已满，未写入：{at}"), format!("No room is left: {at} was not written"))
                    }
                    io::ErrorKind::ReadOnlyFilesystem => {
                        Text::new(format!("只读，不能写入：{at}"), format!("Read-only: {at} was not written"))
                    }
                    _ => Text::new(format!("无法写入：{at}"), format!("{at} cannot be written")),
                }
            }
            Self::Pack(_) => Text::new("无法打包", "The bundle cannot be packed"),
        }
    }
}

/// What the screen said of the gate, the newest last.
#[derive(Debug, Clone, Default)]
pub struct History(VecDeque<(String, Level, Text)>);

impl History {
    /// Something was said.
    pub fn add(&mut self, at: &str, level: Level, text: Text) {
        if self.0.len() >= MOST_SAID {
            self.0.pop_front();
        }
        self.0.push_back((at.to_owned(), level, text));
    }

    fn report(&self) -> String {
        let line = |(at, level, text): &(String, Level, Text)| format!("{at} [{}] {}\n", colour(*level).en, text.en);
        self.0.iter().map(line).collect()
    }
}

/// A packed bundle.
#[derive(Debug)]
pub struct Bundle {
    name: String,
    packed: Vec<u8>,
}

impl Bundle {
    /// Packs what is known.
    ///
    /// # Errors
    /// [`SupportError::Pack`].
    pub fn of(config: &Config, found: &Findings, history: &History, now: &Reading) -> Result<Self, SupportError> {
        let config = Config { registry: without_credentials(&config.registry), ..config.clone() };
        let config = toml::to_string_pretty(&config).map_err(|e| SupportError::Pack(e.to_string()))?;
        let machine = &found.machine;
        let versions = json!({
            "tongguan": env!("CARGO_PKG_VERSION"),
            "architecture": std::env::consts::ARCH,
            "system": machine.system,
            "kernel": machine.kernel,
            "model": machine.model,
        });
        let pretty = |value| serde_json::to_string_pretty(value).map_err(|e| SupportError::Pack(e.to_string()));
        let files = [
            ("README.txt", README.to_owned()),
            ("config.toml", config),
            ("doctor.txt", found.report(Language::En)),
            ("doctor.zh.txt", found.report(Language::Zh)),
            ("figures.json", pretty(&found.as_json())?),
            ("history.txt", history.report()),
            ("versions.txt", pretty(&versions)?),
        ];
        let at = now.best_guess();
        let name = format!("tongguan-{}-{}", &found.device[..8], at.strftime("%Y%m%d-%H%M%S"));
        let seconds = u64::try_from(at.as_second()).unwrap_or(0);
        let packed = pack(&name, seconds, &files).map_err(|e| SupportError::Pack(e.to_string()))?;
        Ok(Self { name, packed })
    }

    /// Its size.
    pub fn bytes(&self) -> usize {
        self.packed.len()
    }

    /// Writes it as a file of that name.
    ///
    /// # Errors
    /// [`SupportError::Write`]; then what was there is as it was.
    pub fn write(&self, file: &Path) -> Result<(), SupportError> {
        let mut beside = file.as_os_str().to_owned();
        beside.push(".part");
        let write = || {
            fs::remove_file(&beside).or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) })?;
            let mut out = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
            out.write_all(&self.packed)?;
            out.sync_all()?;
            fs::rename(&beside, file)
        };
        write().map_err(|e| SupportError::Write(file.to_owned(), e))
    }

    /// Writes it where it is looked for: onto the stick, if there is one, else into the data folder. Says where.
    ///
    /// # Errors
    /// [`SupportError::Write`].
    pub fn keep(&self, config: &Config, dir: &DataDir) -> Result<PathBuf, SupportError> {
        let stick = &config.sync.stick;
        let base = if is_stick(stick) { stick } else { dir.path() };
        let folder = base.join("support");
        // A link to somewhere else is not followed: what is meant for the stick stays there.
        let real =
            fs::symlink_metadata(&folder).map(|m| m.is_dir()).or_else(|_| fs::create_dir(&folder).map(|()| true));
        match real {
            Ok(true) => {}
            Ok(false) => return Err(SupportError::Write(folder, io::ErrorKind::NotADirectory.into())),
            Err(error) => return Err(SupportError::Write(folder, error)),
        }
        let file = folder.join(format!("{}.tar.gz", self.name));
        self.write(&file)?;
        forget_older(&folder);
        Ok(file)
    }
}

/// Whether something is mounted there, or it is a stick that gates sync with.
fn is_stick(path: &Path) -> bool {
    if path.as_os_str().is_empty() {
        return false;
    }
    let device = |path: &Path| fs::metadata(path).map(|m| m.dev()).ok();
    let mounted = path.parent().is_some_and(|parent| device(path).is_some() && device(path) != device(parent));
    mounted || fs::symlink_metadata(path.join("v1")).is_ok_and(|m| m.is_dir())
}

fn forget_older(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let ours = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("tongguan-") && name.ends_with(".tar.gz")
    };
    let mut bundles: Vec<(Option<std::time::SystemTime>, PathBuf)> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(ours)
        .map(|path| (fs::metadata(&path).and_then(|m| m.modified()).ok(), path))
        .collect();
    bundles.sort();
    let over = bundles.len().saturating_sub(MOST);
    for (_, path) in &bundles[..over] {
        fs::remove_file(path).ok();
    }
}

fn pack(name: &str, seconds: u64, files: &[(&str, String)]) -> io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for (file, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(seconds);
        tar.append_data(&mut header, format!("{name}/{file}"), text.as_bytes())?;
    }
    tar.into_inner()?.finish()
}

/// An address without what may be a secret in it. A folder stays as it is.
fn without_credentials(registry: &str) -> String {
    let Some((scheme, rest)) = registry.split_once("://") else { return registry.to_owned() };
    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    // A password with such a sign in it: where it ends nobody can tell.
    if rest.contains('@') {
        return format!("{scheme}://(not shown)");
    }
    let host = authority.rsplit('@').next().unwrap_or_default();
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_without_what_may_be_a_secret_in_it() {
        for (address, kept) in [
            ("https://registry.example", "https://registry.example"),
            ("https://user:pass@registry.example:8700/city?token=1#x", "https://registry.example:8700/city"),
            ("https://user:p@ss@registry.example", "https://registry.example"),
            ("https://user:pa/ss@registry.example", "https://(not shown)"),
            ("https://user:pa?ss@registry.example", "https://(not shown)"),
            ("https://registry.example?key=a@b", "https://(not shown)"),
            ("https://registry.example?key=1", "https://registry.example"),
            ("/srv/lists", "/srv/lists"),
            ("", ""),
        ] {
            assert_eq!(without_credentials(address), kept, "{address}");
        }
    }

    #[test]
    fn what_was_said_is_remembered_the_newest_last_and_bounded() {
        let mut history = History::default();
        for n in 0..=MOST_SAID {
            history.add("09:12", Level::Amber, Text::new("", format!("line {n}")));
        }
        let report = history.report();
        assert_eq!((report.lines().count(), report.lines().next()), (MOST_SAID, Some("09:12 [amber] line 1")));
    }
}
