//! `intents`: what the gate is about to do, noted before it does it.
//!
//! The relay does not wait for the journal's fsync, so a program that is killed in between would have opened the gate with
//! nothing to show for it. A note in a file of fixed size takes microseconds, survives the program's death (not the
//! machine's: that takes an fsync), and finds room on a full disk. The next start writes what it finds into the journal.
//!
//! The file is [`SLOTS`] slots of [`SLOT`] bytes, all zero or: half of the SHA-256 of the rest 16 | length of the record 2 |
//! record | milliseconds 8 | 1 and code 16, seconds 8 and lane (length 1, bytes), or 0.

use std::fs::File;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::journal::{CodeChange, NewEntry};
use super::{DataDir, StoreError};
use crate::decide::{CodeId, Use};

/// As many events may wait for the journal and yet survive a kill.
const SLOTS: usize = 64;
/// More than a presentation's record, its code and its lane take.
const SLOT: usize = 512;
/// What stands in a slot before the record.
const CHECK: usize = 16;

/// The open file; none where nothing is about to be done, as in a program that only asks.
#[derive(Debug, Default)]
pub(super) struct Intents {
    file: Option<File>,
    /// Which record is in which slot.
    slots: Vec<Option<Vec<u8>>>,
}

impl Intents {
    /// Opens the file, and gives what the last program left in it.
    pub(super) fn open(dir: &DataDir) -> Result<(Self, Vec<NewEntry>), StoreError> {
        let path = dir.file("intents");
        let open = || {
            let file = File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path)?;
            let mut bytes = Vec::new();
            let size = SLOTS * SLOT;
            let there = usize::try_from(file.metadata()?.len()).unwrap_or(0).min(size);
            bytes.resize(there, 0);
            file.read_exact_at(&mut bytes, 0)?;
            if there < size {
                // Written, not only lengthened: the room must be there when the disk is full.
                file.write_all_at(&vec![0; size - there], there as u64)?;
                file.sync_all()?;
            }
            bytes.resize(size, 0);
            Ok((file, bytes))
        };
        let (file, bytes) = open().map_err(StoreError::io(&path))?;
        let found: Vec<Option<NewEntry>> = bytes.chunks(SLOT).map(decode).collect();
        let slots = found.iter().map(|new| new.as_ref().map(|new| new.record.clone())).collect();
        Ok((Self { file: Some(file), slots }, found.into_iter().flatten().collect()))
    }

    /// Notes `new`. A gate whose notes fail, or that has more to note than there is room, goes on without.
    pub(super) fn put(&mut self, new: &NewEntry) {
        let Some(file) = &self.file else { return };
        let Some(slot) = self.slots.iter().position(Option::is_none) else {
            tracing::warn!("too many events wait for the journal; this opening is not noted before it happens");
            return;
        };
        let Some(bytes) = encode(new) else { return };
        match file.write_all_at(&bytes, (slot * SLOT) as u64) {
            Ok(()) => self.slots[slot] = Some(new.record.clone()),
            Err(error) => tracing::warn!("an opening cannot be noted before it happens: {error}"),
        }
    }

    /// The journal has the event of `record`, whatever has become of it since it was noted.
    pub(super) fn clear(&mut self, record: &[u8]) {
        let same = |noted: &Vec<u8>| noted.get(..17) == record.get(..17);
        let Some(file) = &self.file else { return };
        for (slot, noted) in self.slots.iter_mut().enumerate().filter(|(_, noted)| noted.as_ref().is_some_and(same)) {
            match file.write_all_at(&[0; SLOT], (slot * SLOT) as u64) {
                Ok(()) => *noted = None,
                // The next start finds the event in the journal, and clears the slot.
                Err(error) => tracing::warn!("a noted opening cannot be cleared: {error}"),
            }
        }
    }
}

fn encode(new: &NewEntry) -> Option<Vec<u8>> {
    let mut bytes = vec![0; CHECK];
    bytes.extend(u16::try_from(new.record.len()).ok()?.to_be_bytes());
    bytes.extend(&new.record);
    bytes.extend(new.at.as_millisecond().to_be_bytes());
    match &new.code {
        Some(CodeChange::Used(code, used)) => {
            bytes.push(1);
            bytes.extend(code.0);
            bytes.extend(used.at.to_be_bytes());
            bytes.push(u8::try_from(used.lane.len()).ok()?);
            bytes.extend(used.lane.as_bytes());
        }
        _ => bytes.push(0),
    }
    if bytes.len() > SLOT {
        return None;
    }
    bytes.resize(SLOT, 0);
    let check = check(&bytes);
    bytes.splice(..CHECK, check);
    Some(bytes)
}

/// What a slot holds; nothing if it is empty, or torn.
fn decode(slot: &[u8]) -> Option<NewEntry> {
    if slot.len() != SLOT || slot.get(..CHECK)? != check(slot) {
        return None;
    }
    let mut rest = slot.get(CHECK..)?;
    let record = {
        let length = u16::from_be_bytes(take(&mut rest)?);
        bytes(&mut rest, usize::from(length))?.to_vec()
    };
    let at = Timestamp::from_millisecond(i64::from_be_bytes(take(&mut rest)?)).ok()?;
    let code = match take::<1>(&mut rest)? {
        [1] => {
            let code = CodeId(take(&mut rest)?);
            let at = i64::from_be_bytes(take(&mut rest)?);
            let [length] = take(&mut rest)?;
            let lane = std::str::from_utf8(bytes(&mut rest, usize::from(length))?).ok()?.to_owned();
            Some(CodeChange::Used(code, Use { at, lane }))
        }
        _ => None,
    };
    Some(NewEntry { record, at, code })
}

fn check(slot: &[u8]) -> [u8; CHECK] {
    let hash: [u8; 32] = Sha256::digest(slot.get(CHECK..).unwrap_or_default()).into();
    let mut half = [0; CHECK];
    half.copy_from_slice(&hash[..CHECK]);
    half
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    bytes(rest, N)?.try_into().ok()
}

fn bytes<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: u8) -> NewEntry {
        let record = [[1].as_slice(), &[id; 16], &[7; 90]].concat();
        let used = CodeChange::Used(CodeId([id; 16]), Use { at: 1_800_000_000, lane: "东门 1".into() });
        let code = id.is_multiple_of(2).then_some(used);
        NewEntry { record, at: Timestamp::from_millisecond(1_800_000_000_123).unwrap(), code }
    }

    #[test]
    fn what_was_noted_and_not_cleared_is_found_by_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let dir = DataDir(folder.path().to_owned());
        let (mut intents, left) = Intents::open(&dir).unwrap();
        assert_eq!(left, []);
        for id in 0..4 {
            intents.put(&entry(id));
        }
        // What the journal got is about the same event, and says more.
        intents.clear(&[&entry(1).record[..17], &[9; 50]].concat());
        intents.put(&entry(4));
        drop(intents);
        let (mut intents, left) = Intents::open(&dir).unwrap();
        assert_eq!(left, [entry(0), entry(4), entry(2), entry(3)]);
        left.iter().for_each(|new| intents.clear(&new.record));
        assert_eq!(Intents::open(&dir).unwrap().1, []);
    }

    #[test]
    fn a_torn_or_foreign_slot_is_nothing_and_more_than_fits_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let dir = DataDir(folder.path().to_owned());
        let (mut intents, _) = Intents::open(&dir).unwrap();
        for id in 0..=255 {
            intents.put(&entry(id));
        }
        let path = dir.file("intents");
        assert_eq!(std::fs::metadata(&path).unwrap().len(), (SLOTS * SLOT) as u64);
        assert_eq!(Intents::open(&dir).unwrap().1.len(), SLOTS);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[SLOT / 2] ^= 1;
        bytes[SLOT..2 * SLOT].fill(0xff);
        std::fs::write(&path, &bytes[..bytes.len() - SLOT + 100]).unwrap();
        assert_eq!(Intents::open(&dir).unwrap().1.len(), SLOTS - 3);
    }
}
