//! Whether the stored events are what the gates signed: every chain computed anew, every batch put together again and held
//! against its device's signature, and gaps named.
//!
//! The chain finds what was edited, removed or put in between; the signatures find it also where somebody with access to the
//! database has computed the chain anew, which only the device's private key could hide.

use std::path::Path;

use tongguan_pass::event::chain;
use tongguan_pass::{Batch, Sha256Hash, VerifyingKey};

use crate::registry::{Error, Registry};
use crate::stick::{self, Skipped, StickError};
use crate::store::{Device, History, KeptBatch, KeptRecord, StoreError};

/// Records or batches read at a time.
const PAGE: u32 = 1000;
/// Faults named of one device; the rest is counted.
const NAMED: usize = 100;

/// What is wrong with some records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// They were not handed in yet.
    Missing,
    /// They were here and are gone.
    Removed,
    /// The chain does not lead to what is stored: edited, or put in.
    Edited,
    /// They are not what the device signed.
    NotSigned,
    /// A batch of the folder says something else.
    Contradicted,
}

impl Fault {
    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Removed => "removed",
            Self::Edited => "edited",
            Self::NotSigned => "not_signed",
            Self::Contradicted => "contradicted",
        }
    }

    /// What it means, and what to do.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Missing => "not handed in yet: sync that gate, or bring its stick",
            Self::Removed => {
                "were stored and are gone from registry.db: find out who wrote to it, restore a backup, and let the gate hand them in again if it still has them"
            }
            Self::Edited => {
                "were changed or put in after they were stored: find out who wrote to registry.db, and compare with a backup or with the gate (`tongguan events`)"
            }
            Self::NotSigned => {
                "are not covered by a signature of the device: they were changed, put in or cut off in registry.db; compare with a backup or with the gate"
            }
            Self::Contradicted => {
                "the device signed something else in the folder: was its card restored from a copy, or does somebody have its key?"
            }
        }
    }
}

/// A fault with the numbers it concerns, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub fault: Fault,
    /// The first record.
    pub from: u64,
    /// The last record.
    pub to: u64,
}

/// What was found of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The device.
    pub device: Device,
    /// Records read.
    pub records: u64,
    /// Of them from before signatures were kept: only their chain says anything.
    pub unsigned: u64,
    /// The first faults.
    pub findings: Vec<Finding>,
    /// Faults in all.
    pub faults: usize,
}

/// What was found of the batches in a folder.
#[derive(Debug, Default)]
pub struct OfFolder {
    /// Good batches, and how many of their records are stored here.
    pub batches: usize,
    /// Records in them.
    pub records: u64,
    /// Records that are not stored here yet.
    pub new: u64,
    /// What is no good batch.
    pub skipped: Vec<Skipped>,
}

/// Records checked so far, of about how many.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

impl Registry {
    /// Verifies all that is stored of `only`, or of every device.
    ///
    /// # Errors
    /// [`Error`] if it cannot be read.
    pub fn verify_events(&self, only: Option<&[u8; 32]>, progress: Progress<'_>) -> Result<Vec<Verified>, Error> {
        let devices: Vec<Device> =
            self.store.devices()?.into_iter().filter(|d| only.is_none_or(|key| d.key == *key)).collect();
        // Not the highest numbers: a device names those itself.
        let total = devices.iter().fold(0, |sum: u64, d| sum.saturating_add(d.stored));
        let mut done = 0;
        let mut all = Vec::with_capacity(devices.len());
        for device in devices {
            // All of one device as of one moment: what it hands in meanwhile accuses nobody.
            self.store.history(&device.key, &mut |device, history| {
                let found = Verified::new(device);
                let mut check = Check { history, found, done, total, progress: &mut *progress };
                check.chain()?;
                check.signatures()?;
                done = check.done;
                all.push(check.found);
                Ok(())
            })?;
        }
        progress(total, total);
        Ok(all)
    }

    /// Verifies the batches that a folder holds, and holds them against what is stored. Faults are added to `stored`.
    ///
    /// # Errors
    /// [`StickError`] or [`Error`].
    pub fn verify_folder(
        &self,
        folder: &Path,
        only: Option<&[u8; 32]>,
        stored: &mut [Verified],
    ) -> Result<OfFolder, FolderError> {
        let mut contents = stick::look(folder)?;
        let mut of = OfFolder { skipped: std::mem::take(&mut contents.skipped), ..OfFolder::default() };
        for file in contents.found.iter().filter(|f| only.is_none_or(|key| f.device == *key)) {
            let opened = stick::read(&file.path).and_then(|b| Batch::open(&b).map_err(|e| format!("the batch {e}")));
            let batch = match opened {
                Ok(batch) if *batch.device.as_bytes() == file.device => batch,
                Ok(_) => {
                    of.skipped.push(Skipped { path: file.path.clone(), why: "is in another device's folder".into() });
                    continue;
                }
                Err(why) => {
                    of.skipped.push(Skipped { path: file.path.clone(), why });
                    continue;
                }
            };
            of.batches += 1;
            of.records += batch.records.len() as u64;
            let limit = u32::try_from(batch.records.len()).unwrap_or(u32::MAX);
            let here = self.store.records(&file.device, batch.first_seq - 1, limit).map_err(Error::from)?;
            for (seq, _, chain) in batch.chained() {
                match here.iter().find(|r| r.seq == seq) {
                    None => of.new += 1,
                    Some(known) if known.chain != chain => {
                        if let Some(v) = stored.iter_mut().find(|v| v.device.key == file.device) {
                            v.add(Fault::Contradicted, seq, seq);
                        }
                    }
                    Some(_) => {}
                }
            }
        }
        Ok(of)
    }
}

/// Why a folder could not be verified.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The folder.
    #[error(transparent)]
    Stick(#[from] StickError),
    /// The registry.
    #[error(transparent)]
    Registry(#[from] Error),
}

impl Verified {
    fn new(device: Device) -> Self {
        Self { device, records: 0, unsigned: 0, findings: Vec::new(), faults: 0 }
    }

    /// Whether all is as it was signed, and nothing is missing.
    pub fn is_sound(&self) -> bool {
        self.faults == 0
    }

    fn add(&mut self, fault: Fault, from: u64, to: u64) {
        // One entry for records that follow each other.
        if let Some(last) = self.findings.last_mut()
            && last.fault == fault
            && last.to.checked_add(1) == Some(from)
        {
            last.to = to;
            return;
        }
        self.faults += 1;
        if self.findings.len() < NAMED {
            self.findings.push(Finding { fault, from, to });
        }
    }
}

/// The check of one device.
struct Check<'a> {
    history: &'a dyn History,
    found: Verified,
    done: u64,
    total: u64,
    progress: Progress<'a>,
}

impl Check<'_> {
    /// SY 6.2, over everything that is stored.
    fn chain(&mut self) -> Result<(), StoreError> {
        let (mut last, mut value) = (0, Sha256Hash([0; 32]));
        loop {
            let page = self.history.records(last, PAGE)?;
            if page.is_empty() {
                break;
            }
            for KeptRecord { seq, record, chain: stored, after_gap } in page {
                let gap = seq > last + 1;
                if gap {
                    // A gap that was not there when the record came was made afterwards.
                    self.found.add(if after_gap { Fault::Missing } else { Fault::Removed }, last + 1, seq - 1);
                } else if after_gap || chain(&value, seq, &record) != stored {
                    self.found.add(Fault::Edited, seq, seq);
                }
                // From the stored value on, so that one edit is one fault.
                (last, value) = (seq, stored);
                self.found.records += 1;
                self.step();
            }
        }
        Ok(())
    }

    /// SY 6.1, of every batch that was handed in: with the stored records it must be what the device signed.
    fn signatures(&mut self) -> Result<(), StoreError> {
        let device = self.found.device.clone();
        let covered_before = device.unsigned_to;
        self.found.unsigned = self.count(0, covered_before)?;
        let Ok(key) = VerifyingKey::from_bytes(&device.key) else {
            self.found.add(Fault::NotSigned, 1, device.highest);
            return Ok(());
        };
        // Up to which number all that is stored is covered.
        let mut covered = covered_before;
        let mut after = (0, 0);
        loop {
            let page = self.history.batches(after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = (last.first_seq, last.count);
            for kept in page {
                let end = kept.first_seq + u64::from(kept.count) - 1;
                // The newest records leave no gap when they go, but their signature stays.
                if end > device.highest {
                    self.found.add(Fault::Removed, kept.first_seq.max(device.highest + 1), end);
                }
                if !self.is_signed(&key, &kept)? {
                    continue;
                }
                self.uncovered(covered, kept.first_seq.saturating_sub(1))?;
                covered = covered.max(end);
            }
        }
        self.uncovered(covered, u64::MAX)
    }

    fn is_signed(&self, device: &VerifyingKey, kept: &KeptBatch) -> Result<bool, StoreError> {
        let records = self.history.records(kept.first_seq - 1, u32::from(kept.count))?;
        let whole = records.len() == usize::from(kept.count)
            && records.iter().zip(kept.first_seq..).all(|(record, seq)| record.seq == seq);
        let records = records.into_iter().map(|r| r.record).collect();
        let batch = Batch { device: *device, first_seq: kept.first_seq, previous: kept.previous, records };
        Ok(whole && batch.is_signed(&kept.signature))
    }

    /// The stored records after `from` up to `to`: no signature speaks for them.
    fn uncovered(&mut self, from: u64, to: u64) -> Result<(), StoreError> {
        let mut last = from;
        while last < to {
            let page = self.history.records(last, PAGE)?;
            let Some(end) = page.last() else { break };
            last = end.seq;
            for record in page.iter().take_while(|r| r.seq <= to) {
                self.found.add(Fault::NotSigned, record.seq, record.seq);
            }
        }
        Ok(())
    }

    fn count(&self, from: u64, to: u64) -> Result<u64, StoreError> {
        let (mut last, mut count) = (from, 0);
        while last < to {
            let page = self.history.records(last, PAGE)?;
            let Some(end) = page.last() else { break };
            last = end.seq;
            count += page.iter().filter(|r| r.seq <= to).count() as u64;
        }
        Ok(count)
    }

    fn step(&mut self) {
        self.done += 1;
        if self.done.is_multiple_of(u64::from(PAGE)) {
            (self.progress)(self.done, self.total);
        }
    }
}

#[cfg(test)]
#[path = "verify_events_tests.rs"]
mod tests;
