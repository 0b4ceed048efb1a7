//! What somebody types at the gate, sealed to the registry before it is written anywhere (SY 6.7): the gate cannot read it
//! again.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, TransactionBehavior, params};
use tongguan_pass::{Event, Keyset, Note, event, limits};

use super::StoreError;
use super::journal::{Entry, Journal, last, sql};
use crate::lang::Text;

/// Why a note was not written. Nothing of it was stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// The lists hold no key to seal to.
    #[error(
        "the lists here have no key for notes, so nothing was stored: run `tongguan-registry keys rotate` at the registry, then `tongguan sync` here"
    )]
    NoKey,
    /// There is nothing in it.
    #[error("the note is empty; nothing was stored")]
    Empty,
    /// It does not fit.
    #[error("the note has more than the {} bytes that fit; nothing was stored: make it shorter", limits::NOTE_TEXT)]
    TooLong,
    /// There is no such event here.
    #[error("there is no event {0} in this journal that a note could be about; `tongguan events` lists them")]
    NoEvent(String),
    /// Sealing needs randomness.
    #[error("the system gives no randomness, so nothing was stored: {0}")]
    Entropy(getrandom::Error),
    /// The journal cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl NoteError {
    /// What the guard reads.
    pub fn words(&self) -> Text {
        match self {
            Self::NoKey => Text::new(
                "名单中没有备注密钥，未保存，请先同步",
                "the lists have no key for notes, nothing was stored; sync first",
            ),
            Self::Empty => Text::new("备注为空，未保存", "the note is empty; nothing was stored"),
            Self::TooLong => {
                Text::new("备注太长，未保存，请缩短", "the note is too long, nothing was stored; shorten it")
            }
            Self::NoEvent(_) => Text::new("没有可备注的记录", "there is no event to write a note about"),
            Self::Entropy(_) => Text::new("系统无法加密，未保存", "the system cannot encrypt; nothing was stored"),
            Self::Store(error) => error.words(),
        }
    }
}

/// The record of a note about the event with the id `about`: `content` sealed to the registry's notes key.
///
/// # Errors
/// [`NoteError`], of the content or the key.
pub fn sealed_note(keys: &Keyset, about: [u8; 16], content: &[u8], at: Timestamp) -> Result<Vec<u8>, NoteError> {
    match content.len() {
        0 => return Err(NoteError::Empty),
        n if n > limits::NOTE_TEXT => return Err(NoteError::TooLong),
        _ => {}
    }
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(NoteError::Entropy)?;
    let key = keys.notes_key(at.as_second()).ok_or(NoteError::NoKey)?;
    Note::seal(about, key, content, seed).map(|note| note.encode()).ok_or(NoteError::NoKey)
}

impl Journal {
    /// Seals `content` to the registry's notes key and journals it as a note about the event with the id `about`.
    ///
    /// # Errors
    /// [`NoteError`]; nothing was stored then, sealed or not.
    pub fn note(&self, keys: &Keyset, about: [u8; 16], content: &[u8], at: Timestamp) -> Result<Entry, NoteError> {
        let record = sealed_note(keys, about, content, at)?;
        let written = self.with(|db| {
            let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let (before, previous) = last(&tx)?;
            let seq = before + 1;
            let chain = event::chain(&previous, seq, &record);
            tx.execute(
                "INSERT INTO event (seq, record, chain, at) VALUES (?1, ?2, ?3, ?4)",
                params![sql(seq), record, chain.0, at.as_millisecond()],
            )?;
            tx.commit()?;
            Ok(Entry { seq, record, chain, handed_in: false, at: Some(at) })
        })?;
        Ok(written)
    }

    /// The number and the id of an event: that of `seq`, or the newest.
    ///
    /// # Errors
    /// [`NoteError::NoEvent`] if there is none, or it is no event.
    pub fn event_id(&self, seq: Option<u64>) -> Result<(u64, [u8; 16]), NoteError> {
        let none = || NoteError::NoEvent(seq.map_or_else(|| "at all".to_owned(), |seq| seq.to_string()));
        let found: Option<(i64, Vec<u8>)> = self.with(|db| {
            let newest = "SELECT seq, record FROM event WHERE coalesce(seq = ?1, substr(record, 1, 1) = x'01')
                 ORDER BY seq DESC LIMIT 1";
            db.query_row(newest, [seq.map(sql)], |row| Ok((row.get(0)?, row.get(1)?))).optional()
        })?;
        let (seq, record) = found.ok_or_else(none)?;
        match Event::decode(&record) {
            Ok(Some(event)) => Ok((seq.unsigned_abs(), event.id)),
            _ => Err(none()),
        }
    }
}

#[cfg(test)]
mod tests {
    use tongguan_pass::{KeyId, Purpose, RegistryKey, SigningKey};

    use super::*;
    use crate::store::testing::{entry, journal};

    fn keys(purpose: Purpose) -> Keyset {
        let key = SigningKey::from_bytes(&[6; 32]).verifying_key();
        Keyset::new(1, 1, vec![RegistryKey { id: KeyId(6), purpose, not_before: 0, not_after: u32::MAX, key }]).unwrap()
    }

    #[test]
    fn a_note_is_in_the_chain_and_nowhere_in_clear() {
        let dir = tempfile::tempdir().unwrap();
        let journal = journal(&dir);
        journal.append(&entry(7)).unwrap();
        let (seq, about) = journal.event_id(None).unwrap();
        assert_eq!((seq, about), (1, [7; 16]));
        let at = Timestamp::from_second(9).unwrap();
        let written = journal.note(&keys(Purpose::Notes), about, b"door 3, ID 110101", at).unwrap();
        assert_eq!(written.seq, 2);
        let note = Note::decode(&written.record).unwrap().unwrap();
        assert_eq!(note.open(&SigningKey::from_bytes(&[6; 32])).unwrap(), b"door 3, ID 110101");
        // A note is no event, and the next note is about the event before it.
        assert!(matches!(journal.event_id(Some(2)), Err(NoteError::NoEvent(_))));
        assert_eq!(journal.event_id(None).unwrap().0, 1);
        drop(journal);
        for file in std::fs::read_dir(dir.path().join("d")).unwrap().flatten() {
            let bytes = std::fs::read(file.path()).unwrap();
            assert!(!bytes.windows(6).any(|w| w == b"110101"), "{}", file.path().display());
        }
    }

    #[test]
    fn without_a_key_for_notes_or_with_too_much_to_say_nothing_is_stored() {
        let dir = tempfile::tempdir().unwrap();
        let journal = journal(&dir);
        let at = Timestamp::from_second(9).unwrap();
        let note = |purpose, content: &[u8]| journal.note(&keys(purpose), [1; 16], content, at);
        assert!(matches!(note(Purpose::Receipt, b"x"), Err(NoteError::NoKey)));
        assert!(matches!(note(Purpose::Notes, b""), Err(NoteError::Empty)));
        assert!(matches!(note(Purpose::Notes, &[b'x'; limits::NOTE_TEXT + 1]), Err(NoteError::TooLong)));
        assert!(matches!(journal.event_id(None), Err(NoteError::NoEvent(_))));
        assert_eq!(journal.after(0, 10).unwrap(), []);
    }
}
