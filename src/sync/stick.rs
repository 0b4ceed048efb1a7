//! A USB stick as the network of a gate that has none: lists and receipts from it, signed batches onto it (SY 1.7).
//!
//! A stick may be pulled at any moment, so a file is written beside its place, synced and renamed; and it may come from
//! anywhere, so nothing on it is followed. Nothing is forgotten for being on a stick, only for being in a receipt.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use tongguan_pass::{Batch, limits};

use super::handin::{BATCH, HandIn};
use super::{Folder, Report, SyncError, sync};
use crate::clock::Clock;
use crate::lang::Text;
use crate::store::{DeviceKey, Journal, StoreError, TrustStore, free_space};

/// Batches written in one visit: some 90 MB, 400,000 events.
const BATCHES: usize = 2000;

/// Bytes left free on a stick: for receipts and the next lists (a list has at most 16 MiB). A stick that is full to the brim
/// could take no receipt, and so never become empty again.
const RESERVE: u64 = 20_000_000;

/// Why events could not be written onto a stick. They stay in the journal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StickError {
    /// The stick refuses.
    #[error("cannot write {path}: {source}{}", advice(source))]
    Io {
        /// What.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The journal refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl StickError {
    /// What the guard reads; the log has the rest.
    pub fn words(&self) -> Text {
        match self {
            Self::Io { source, .. } => match source.kind() {
                ErrorKind::StorageFull => Text::new("已满，记录没有写完", "it is full; not all events are on it"),
                ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
                    Text::new("只读，记录没有写入", "it is read-only; no events are on it")
                }
                _ => Text::new("读写出错，请重新插入", "it cannot be written; plug it in again"),
            },
            Self::Store(error) => error.words(),
        }
    }
}

fn advice(error: &std::io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull => " (the stick is full: take another, or free some space)",
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
            " (the stick is read-only: look at its switch, its owner and how it is mounted)"
        }
        ErrorKind::NotFound => " (was it pulled?)",
        _ => " (was it pulled, or is it damaged?)",
    }
}

/// What went over the stick beside the lists.
#[derive(Debug, Default)]
pub struct Exchanged {
    /// Events that a receipt on the stick has newly shown to be handed in.
    pub acknowledged: u64,
    /// Why a receipt on the stick was not believed.
    pub bad_receipt: Option<SyncError>,
    /// Events written onto it now.
    pub written: u64,
    /// Events that wait and are on it, now or from before.
    pub on_stick: u64,
    /// Why not all could be written.
    pub problem: Option<StickError>,
}

/// One visit of a stick.
#[derive(Debug)]
pub struct Visit {
    /// What came of its lists.
    pub lists: Result<Report, SyncError>,
    /// What went over it beside; `None` if it is another registry's, or holds no `v1/` at all.
    pub events: Option<Exchanged>,
}

/// Lists in, then receipts in, then events out.
pub fn visit(folder: &Path, store: &mut TrustStore, journal: &Journal, device: &DeviceKey, clock: &dyn Clock) -> Visit {
    // One program at a time at one stick: the gate that watches, and whoever types.
    let at_it = File::open(folder);
    if let Ok(at_it) = &at_it {
        at_it.lock().ok();
    }
    let mut lists = sync(&Folder(folder.to_owned()), store, journal, device, clock);
    // The network was faster, with other lists; the stick's may still be newer.
    if matches!(lists, Err(SyncError::Store(StoreError::Overtaken))) {
        lists = sync(&Folder(folder.to_owned()), store, journal, device, clock);
    }
    // Damaged or old lists are no reason to keep the events from travelling; another registry is.
    let stranger = matches!(lists, Err(SyncError::OtherRegistry | SyncError::Store(_)));
    if stranger || !is_real_folder(&folder.join("v1")) {
        return Visit { lists, events: None };
    }
    let trust = match store.load() {
        Ok(trust) => trust,
        Err(error) => return Visit { lists: lists.and(Err(error.into())), events: None },
    };
    let exchanged = Stick { folder, hand_in: HandIn { trust: &trust, journal, device, clock } }.exchange();
    if let (Ok(report), Ok(waiting)) = (&mut lists, journal.waiting_count()) {
        report.events_waiting = waiting;
    }
    Visit { lists, events: Some(exchanged) }
}

struct Stick<'a> {
    folder: &'a Path,
    hand_in: HandIn<'a>,
}

impl Stick<'_> {
    fn exchange(&self) -> Exchanged {
        let name = HEXLOWER.encode(self.hand_in.device.public().as_bytes());
        let mut done = Exchanged::default();
        match self.receipt(&name) {
            Ok(acknowledged) => done.acknowledged = acknowledged,
            Err(error) => done.bad_receipt = Some(error),
        }
        if let Err(error) = self.write_events(&name, &mut done) {
            done.problem = Some(error);
        }
        done
    }

    /// The receipt that the registry has left for this gate, if it has.
    fn receipt(&self, name: &str) -> Result<u64, SyncError> {
        let path = self.folder.join("v1/receipts").join(name);
        match read(&path, limits::RECEIPT_BYTES) {
            Some(bytes) => self.hand_in.found_on_stick(&bytes),
            None => Ok(0),
        }
    }

    fn write_events(&self, name: &str, done: &mut Exchanged) -> Result<(), StickError> {
        let events = self.folder.join("v1/events");
        let own = events.join(name);
        let mut last = 0;
        for _ in 0..BATCHES {
            let (previous, entries) = self.hand_in.journal.waiting_after(last, BATCH)?;
            let Some(first) = entries.first().map(|e| e.seq) else { break };
            let path = own.join(first.to_string());
            if let Some(until) = self.there_already(&path, first)? {
                done.on_stick += until + 1 - first;
                last = until;
                continue;
            }
            if done.written == 0 {
                make_folder(&events)?;
                make_folder(&own)?;
            }
            if free_space(&own).is_some_and(|free| free < RESERVE) {
                return Err(StickError::Io { path, source: ErrorKind::StorageFull.into() });
            }
            replace(&path, &self.hand_in.batch(previous, &entries))?;
            done.written += entries.len() as u64;
            done.on_stick += entries.len() as u64;
            last = entries.last().map_or(first, |e| e.seq);
        }
        if done.written > 0 {
            [&own, &events, &self.folder.join("v1")].into_iter().for_each(|folder| sync_folder(folder));
        }
        Ok(())
    }

    /// The last record of a batch that an earlier visit has written there; `None` if there is no good one of these events.
    fn there_already(&self, path: &Path, first: u64) -> Result<Option<u64>, StickError> {
        let batch = read(path, limits::BATCH_BYTES).and_then(|bytes| Batch::open(&bytes).ok());
        let Some(batch) = batch else { return Ok(None) };
        let ours = batch.device == self.hand_in.device.public() && batch.first_seq == first;
        let Some((last, _, chain)) = batch.chained().last() else { return Ok(None) };
        Ok((ours && self.hand_in.journal.chain_at(last)? == Some(chain)).then_some(last))
    }
}

/// Whether it is a folder, and no link to one.
pub(super) fn is_real_folder(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|m| m.is_dir())
}

/// A plain file of at most `limit` bytes; anything else is none.
fn read(path: &Path, limit: usize) -> Option<Vec<u8>> {
    let plain = path.symlink_metadata().is_ok_and(|m| m.is_file() && m.len() <= limit as u64);
    let mut bytes = Vec::new();
    let mut file = if plain { File::open(path).ok()?.take(limit as u64 + 1) } else { return None };
    file.read_to_end(&mut bytes).ok().filter(|n| *n <= limit).map(|_| bytes)
}

/// A folder of the stick. A link to somewhere else is not one: what is written to a stick stays there.
fn make_folder(path: &Path) -> Result<(), StickError> {
    match fs::create_dir(path) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists && is_real_folder(path) => Ok(()),
        Err(source) => Err(StickError::Io { path: path.to_owned(), source }),
        Ok(()) => Ok(()),
    }
}

/// Whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), StickError> {
    let part = path.with_extension("part");
    // What a pulled stick was left with.
    fs::remove_file(&part).ok();
    let written = File::create_new(&part)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&part, path));
    written.map_err(|source| {
        fs::remove_file(&part).ok();
        StickError::Io { path: path.to_owned(), source }
    })
}

/// Not every file system of a stick can do this; the files themselves are synced.
fn sync_folder(folder: &Path) {
    File::open(folder).and_then(|f| f.sync_all()).ok();
}

/// Whether something is mounted at `folder`: it is on another disk than the folder around it.
pub(super) fn is_mounted(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let disk = |path: &Path| fs::metadata(path).ok().map(|m| m.dev());
    let around = folder.parent().and_then(disk);
    around.is_some() && disk(folder).is_some_and(|dev| Some(dev) != around)
}
