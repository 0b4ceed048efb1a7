//! Takes in what a stick brings from gates without a network, and leaves receipts and the newest lists on it.
//!
//! Events first, each batch as `POST v1/events` takes it; then the receipts; and only what a receipt that is on the stick
//! covers is removed from it. So whatever is cut off, an event is on the stick, in the registry, or in both.

use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use tongguan_pass::{Batch, VerifyingKey};

use crate::bundle::{self, BundleError, Bundled};
use crate::domain::audit::{Act, Actor};
use crate::registry::{Error, Registry};
use crate::stick::{self, Contents, Found, Skipped, StickError};
use crate::store::{Run, StoreError};

/// Why an import did not come to its end. What was taken in until then is in; it may be run again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The stick cannot be read.
    #[error(transparent)]
    Stick(#[from] StickError),
    /// The registry cannot store.
    #[error("{0}; what was taken in so far is in, and nothing was removed from the stick: run it again")]
    Registry(#[from] Error),
}

/// What became of one device's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfDevice {
    /// The device's key.
    pub device: [u8; 32],
    /// Records stored now.
    pub stored: usize,
    /// Records stored before.
    pub duplicate: usize,
    /// What its receipt says; `None` if it has none.
    pub run: Option<Run>,
    /// Batches removed from the stick, because the receipt covers them.
    pub removed: usize,
}

/// What an import did.
#[derive(Debug)]
pub struct Imported {
    /// By device.
    pub devices: Vec<OfDevice>,
    /// What was left alone, with the reason.
    pub skipped: Vec<Skipped>,
    /// The lists that were written.
    pub lists: Option<Bundled>,
    /// Why something could not be written onto the stick. The events are in all the same.
    pub unwritten: Option<String>,
}

/// Batches looked at, of how many.
pub type Progress<'a> = &'a mut dyn FnMut(usize, usize);

impl Registry {
    /// Imports from the stick in `folder`.
    ///
    /// # Errors
    /// [`ImportError`].
    pub fn import_stick(&self, folder: &Path, progress: Progress<'_>) -> Result<Imported, ImportError> {
        let Contents { found, devices, mut skipped } = stick::look(folder)?;
        let mut all: Vec<(OfDevice, Vec<Taken>)> = devices.iter().map(|d| (OfDevice::new(*d), Vec::new())).collect();
        for (done, file) in found.iter().enumerate() {
            progress(done, found.len());
            match self.take(file)? {
                Ok((taken, stored, duplicate)) => {
                    if let Some((of, files)) = all.iter_mut().find(|(of, _)| of.device == file.device) {
                        of.stored += stored;
                        of.duplicate += duplicate;
                        files.push(taken);
                    }
                }
                Err(why) => skipped.push(Skipped { path: file.path.clone(), why }),
            }
        }
        progress(found.len(), found.len());
        let mut unwritten = None;
        for (of, files) in &mut all {
            if of.stored > 0 {
                let by = self.by(Actor::Operator);
                let subject = format!("device:{}", HEXLOWER.encode(&of.device));
                self.store.note_act(Act::EventsImported, &subject, &by).map_err(Error::from)?;
            }
            if let Err(why) = self.acknowledge(folder, of, files)? {
                unwritten = Some(why);
            }
        }
        let (edition, files) = self.store.edition().map_err(Error::from)?;
        let lists =
            bundle::write(folder, &edition, &files, self.now()).map_err(|e| unwritten = Some(e.to_string())).ok();
        Ok(Imported { devices: all.into_iter().map(|(of, _)| of).collect(), skipped, lists, unwritten })
    }

    /// Takes in one batch. The inner error says why it is left where it is.
    fn take(&self, file: &Found) -> Result<Result<(Taken, usize, usize), String>, Error> {
        let read = stick::read(&file.path).and_then(|bytes| {
            let batch = Batch::open(&bytes).map_err(|e| format!("the batch {e}"))?;
            Ok((bytes, batch))
        });
        let (bytes, batch) = match read {
            Ok(read) => read,
            Err(why) => return Ok(Err(why)),
        };
        if *batch.device.as_bytes() != file.device {
            return Ok(Err("is in another device's folder".to_owned()));
        }
        let (first_seq, next_seq) = (batch.first_seq, batch.first_seq + batch.records.len() as u64);
        match self.accept(&bytes) {
            Ok((_, receipt)) => {
                let taken = Taken { path: file.path.clone(), first_seq, next_seq };
                Ok(Ok((taken, receipt.stored, receipt.duplicate)))
            }
            // What says something of this batch alone. Anything else is the registry's trouble, and ends the import.
            Err(refused @ Error::Batch(_)) => Ok(Err(refused.to_string())),
            Err(Error::Store(
                refused @ (StoreError::ChainConflict { .. } | StoreError::TooManyPending | StoreError::PendingFull),
            )) => Ok(Err(refused.to_string())),
            Err(broken) => Err(broken),
        }
    }

    /// Writes the device's receipt, and then removes what it covers. The inner error says what could not be written.
    fn acknowledge(&self, folder: &Path, of: &mut OfDevice, files: &[Taken]) -> Result<Result<(), String>, Error> {
        let Some(run) = self.store.run(&of.device)? else { return Ok(Ok(())) };
        // A device that has handed in something has a key that is one.
        let Ok(device) = VerifyingKey::from_bytes(&of.device) else { return Ok(Ok(())) };
        let receipt = match self.receipt(device, &run) {
            Ok(receipt) => receipt,
            Err(error) => {
                return Ok(Err(format!("no receipt can be signed: {error}; run `tongguan-registry keys rotate`")));
            }
        };
        let name = HEXLOWER.encode(&of.device);
        if let Err(error) = write_receipt(folder, &name, &receipt) {
            return Ok(Err(error.to_string()));
        }
        of.run = Some(run);
        let covered = files.iter().filter(|f| run.first_seq <= f.first_seq && f.next_seq <= run.next_seq);
        of.removed = covered.filter(|f| fs::remove_file(&f.path).is_ok()).count();
        bundle::sync_folder(&folder.join("v1/events").join(name));
        Ok(Ok(()))
    }
}

/// A batch that is in.
struct Taken {
    path: PathBuf,
    first_seq: u64,
    next_seq: u64,
}

impl OfDevice {
    fn new(device: [u8; 32]) -> Self {
        Self { device, stored: 0, duplicate: 0, run: None, removed: 0 }
    }
}

fn write_receipt(folder: &Path, name: &str, receipt: &[u8]) -> Result<(), BundleError> {
    let receipts = folder.join("v1/receipts");
    bundle::make_folder(&receipts)?;
    bundle::replace(&receipts.join(name), receipt)?;
    bundle::sync_folder(&receipts);
    Ok(())
}
