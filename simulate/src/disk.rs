//! A disk that remembers what was written when, and so what a power cut may leave of it.
//!
//! A write is safe once its file was synced; until then any part of it may be on the disk or not, sector by sector. A name
//! (a new or a deleted file) is safe once the folder was synced, which SQLite does with the first sync of a new journal.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rand::{Rng, RngExt as _};

/// What a disk writes whole or not at all, but for the one that is being written when the power goes.
const SECTOR: usize = 512;

/// One step of a program's way to the disk.
#[derive(Debug, Clone)]
pub enum Op {
    /// A new file.
    Create(String),
    /// Bytes at a place.
    Write {
        /// The file.
        file: String,
        /// Where.
        at: usize,
        /// What.
        bytes: Vec<u8>,
    },
    /// A new length.
    Truncate {
        /// The file.
        file: String,
        /// Bytes.
        to: usize,
    },
    /// fsync.
    Sync(String),
    /// A file goes.
    Delete {
        /// The file.
        file: String,
        /// Whether the folder is synced after it.
        sync: bool,
    },
    /// Not the program's: by here it has been told that so many things are safe.
    Mark(usize),
}

impl Op {
    /// What it is, in a few words.
    pub fn name(&self) -> String {
        let of = |file: &str| match file.rsplit_once(".db") {
            Some((_, "")) => "database".to_owned(),
            Some((_, kind)) => kind.trim_start_matches('-').to_owned(),
            None => file.to_owned(),
        };
        match self {
            Self::Create(file) => format!("create {}", of(file)),
            Self::Write { file, .. } => format!("write {}", of(file)),
            Self::Truncate { file, .. } => format!("truncate {}", of(file)),
            Self::Sync(file) => format!("sync {}", of(file)),
            Self::Delete { file, .. } => format!("delete {}", of(file)),
            Self::Mark(_) => "mark".to_owned(),
        }
    }
}

/// What of the writes that were not synced is on the disk after a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// All of them.
    All,
    /// None of them.
    Synced,
    /// Some of them, sector by sector, one of them perhaps torn.
    Some,
}

/// The files of a folder after a power cut.
pub type Image = BTreeMap<String, Vec<u8>>;

/// Writes an image over whatever databases are in `folder`.
///
/// # Errors
/// What the file system says.
pub fn restore(folder: &Path, image: &Image) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        // A memory-mapped -shm holds nothing that counts, and the others are written anew.
        if path.file_name().is_some_and(|name| name.to_string_lossy().contains(".db")) {
            std::fs::remove_file(path)?;
        }
    }
    image.iter().try_for_each(|(name, bytes)| std::fs::write(folder.join(name), bytes))
}

/// What is on a disk, safe and not.
#[derive(Debug, Clone, Default)]
pub struct Model {
    files: Vec<Content>,
    names: BTreeMap<String, usize>,
    safe_names: BTreeMap<String, usize>,
}

#[derive(Debug, Clone, Default)]
struct Content {
    safe: Vec<u8>,
    unsafe_yet: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => write(content, *at, bytes),
            Self::Truncate(to) => content.resize(*to, 0),
        }
    }
}

fn write(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[at..end].copy_from_slice(bytes);
}

impl Model {
    /// A disk on which `image` is safe.
    pub fn holding(image: &Image) -> Self {
        let mut model = Self::default();
        for (name, bytes) in image {
            model.names.insert(name.clone(), model.files.len());
            model.files.push(Content { safe: bytes.clone(), unsafe_yet: Vec::new() });
        }
        model.safe_names = model.names.clone();
        model
    }

    /// Takes a step.
    pub fn apply(&mut self, op: &Op) {
        match op {
            Op::Create(file) => {
                self.names.insert(file.clone(), self.files.len());
                self.files.push(Content::default());
            }
            Op::Write { file, at, bytes } => self.change(file, Change::Write { at: *at, bytes: bytes.clone() }),
            Op::Truncate { file, to } => self.change(file, Change::Truncate(*to)),
            Op::Sync(file) => {
                let Some(&index) = self.names.get(file) else { return };
                let content = &mut self.files[index];
                for change in std::mem::take(&mut content.unsafe_yet) {
                    change.apply(&mut content.safe);
                }
                // SQLite syncs the folder with a new journal's first sync, and never for the database itself.
                if !file.ends_with(".db") && self.safe_names.get(file) != Some(&index) {
                    self.safe_names = self.names.clone();
                }
            }
            Op::Delete { file, sync } => {
                self.names.remove(file);
                if *sync {
                    self.safe_names = self.names.clone();
                }
            }
            Op::Mark(_) => {}
        }
    }

    fn change(&mut self, file: &str, change: Change) {
        if let Some(&index) = self.names.get(file) {
            self.files[index].unsafe_yet.push(change);
        }
    }

    /// What a power cut leaves. `dice` decides where [`Left::Some`] does not.
    pub fn after_power_cut(&self, left: Left, dice: &mut dyn Rng) -> Image {
        let names = match left {
            Left::All => self.names.clone(),
            Left::Synced => self.safe_names.clone(),
            Left::Some => self.some_names(dice),
        };
        // Most of it, or hardly any.
        let share = [0.05, 0.5, 0.95][dice.random_range(0..3)];
        let content = |index: usize, dice: &mut dyn Rng| {
            let Content { safe, unsafe_yet } = &self.files[index];
            let mut bytes = safe.clone();
            for change in unsafe_yet {
                match left {
                    Left::All => change.apply(&mut bytes),
                    Left::Synced => {}
                    Left::Some => partly(change, share, &mut bytes, dice),
                }
            }
            bytes
        };
        names.into_iter().map(|(name, index)| (name, content(index, dice))).collect()
    }

    fn some_names(&self, dice: &mut dyn Rng) -> BTreeMap<String, usize> {
        let all: BTreeSet<&String> = self.names.keys().chain(self.safe_names.keys()).collect();
        let pick = |name: &String, dice: &mut dyn Rng| {
            let from = if dice.random() { &self.names } else { &self.safe_names };
            from.get(name).map(|index| (name.clone(), *index))
        };
        all.into_iter().filter_map(|name| pick(name, dice)).collect()
    }
}

fn partly(change: &Change, share: f64, content: &mut Vec<u8>, dice: &mut dyn Rng) {
    let Change::Write { at, bytes } = change else {
        if dice.random_bool(share) {
            change.apply(content);
        }
        return;
    };
    let (mut at, mut rest) = (*at, bytes.as_slice());
    while !rest.is_empty() {
        let (sector, later) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
        match dice.random_bool(share) {
            // The one the power went in.
            true if dice.random_bool(0.02) => write(content, at, &sector[..dice.random_range(0..sector.len())]),
            true => write(content, at, sector),
            false => {}
        }
        at += sector.len();
        rest = later;
    }
}

/// Whether a disk does what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syncs {
    /// What was synced is safe.
    Honest,
    /// Nothing more is: what `PRAGMA synchronous = OFF` comes to.
    Ignored,
}

/// A folder on such a disk, as [`crate::vfs`] watches it.
#[derive(Debug)]
pub struct Disk(Mutex<State>);

#[derive(Debug)]
struct State {
    model: Model,
    log: Option<Vec<Op>>,
    cut_in: Option<usize>,
    cut_at: Option<String>,
    syncs: Syncs,
}

/// The power is off.
#[derive(Debug)]
pub struct PowerOff;

impl Disk {
    /// A disk on which `image` is safe.
    pub fn holding(image: &Image) -> Self {
        let model = Model::holding(image);
        Self(Mutex::new(State { model, log: None, cut_in: None, cut_at: None, syncs: Syncs::Honest }))
    }

    /// From here on it does what it says, or not.
    pub fn turn(&self, syncs: Syncs) {
        self.lock().syncs = syncs;
    }

    /// Cuts the power at the `n`th step from here, 0 being the next one.
    pub fn cut_in(&self, n: usize) {
        self.lock().cut_in = Some(n);
    }

    /// The step at which the power went, if it did.
    pub fn cut_at(&self) -> Option<String> {
        self.lock().cut_at.clone()
    }

    /// What the power cut leaves; from here on the power is on again and that is what is safe.
    pub fn power_cycle(&self, left: Left, dice: &mut dyn Rng) -> Image {
        let mut state = self.lock();
        let image = state.model.after_power_cut(left, dice);
        state.model = Model::holding(&image);
        (state.cut_in, state.cut_at) = (None, None);
        image
    }

    /// Writes down every step from here on.
    pub fn record(&self) {
        self.lock().log = Some(Vec::new());
    }

    /// The steps since.
    pub fn recorded(&self) -> Vec<Op> {
        self.lock().log.take().unwrap_or_default()
    }

    /// What is on it now.
    pub fn model(&self) -> Model {
        self.lock().model.clone()
    }

    /// The program has been told that `n` things are safe.
    pub fn mark(&self, n: usize) {
        if let Some(log) = &mut self.lock().log {
            log.push(Op::Mark(n));
        }
    }

    /// A program takes a step. What it was writing when the power went may be there in part.
    pub(crate) fn step(&self, op: Op) -> Result<(), PowerOff> {
        let mut state = self.lock();
        if state.cut_at.is_some() {
            return Err(PowerOff);
        }
        let now = state.cut_in == Some(0);
        if now {
            state.cut_at = Some(op.name());
        }
        state.cut_in = state.cut_in.map(|n| n.saturating_sub(1));
        let nothing_happens = matches!(op, Op::Sync(_)) && (now || state.syncs == Syncs::Ignored);
        if !nothing_happens {
            state.model.apply(&op);
        }
        if let Some(log) = &mut state.log
            && !nothing_happens
        {
            log.push(op);
        }
        if now { Err(PowerOff) } else { Ok(()) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
