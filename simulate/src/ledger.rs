//! What the observer writes down about one gate, and what must be true of its stores.

use std::collections::BTreeMap;

use tongguan_pass::{Event, FileRef, Sha256Hash, event};

use crate::city::City;
use crate::gate::Gate;
use crate::observer::Used;

/// A gate's past.
#[derive(Debug, Default)]
pub struct Ledger {
    /// The head that it must have.
    head: Vec<u8>,
    /// Its key.
    device: Option<[u8; 32]>,
    /// Events of which the journal has said that it has them, in order.
    events: Vec<[u8; 16]>,
    /// The one that was on its way when the power went.
    in_flight: Option<[u8; 16]>,
    /// The codes that were let in.
    used: BTreeMap<String, Used>,
}

/// Whether the gate may have other lists than it had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lists {
    /// Nothing was done that could change them.
    Same,
    /// It has synced, or was cut off while it did.
    MayBeNewer,
}

impl Ledger {
    /// The head that the gate is known to have.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// How many events it has journaled.
    pub fn events(&self) -> usize {
        self.events.len()
    }

    /// An event; `journaled` if the journal said that it has it.
    pub fn event(&mut self, id: [u8; 16], journaled: bool) {
        if journaled { self.events.push(id) } else { self.in_flight = Some(id) }
    }

    /// A code was let in.
    pub fn let_in(&mut self, text: &str, journaled: bool) {
        self.used.insert(text.to_owned(), if journaled { Used::Yes } else { Used::Perhaps });
    }

    /// Whether a code was.
    pub fn used(&self, text: &str) -> Used {
        self.used.get(text).copied().unwrap_or(Used::No)
    }

    /// Versions do not go back, and the lists are those of one head that was published.
    ///
    /// # Errors
    /// In words.
    pub fn check_lists(&mut self, gate: &Gate, city: &City, lists: Lists) -> Result<bool, String> {
        let Some(trust) = gate.trust() else { return Ok(false) };
        if trust.head_file == self.head {
            return Ok(false);
        }
        if lists == Lists::Same {
            return Err("its lists have changed by themselves".into());
        }
        let known = city.known(&trust.head_file).ok_or("it has a head that was never published")?;
        if let Some(old) = city.known(&self.head) {
            let (old, new) = (&old.head, &known.head);
            let of = |h: &tongguan_pass::Head| {
                let r = &h.revocations;
                [h.epoch, h.version, h.issued_at, h.root.version, h.keyset.version, r.version, u32::from(r.oldest_day)]
            };
            if of(new).iter().zip(of(old)).any(|(new, old)| *new < old) {
                return Err(format!("its lists went back: {:?} after {:?}", of(new), of(old)));
            }
        }
        let named = |file: &FileRef, bytes: &[u8]| file.hash == Sha256Hash::of(bytes);
        if !named(&known.head.keyset, &trust.keyset_file) || !named(&known.head.root, &trust.root_file) {
            return Err("its keyset or root is of another head".into());
        }
        if trust.keys.keys() != known.keys {
            return Err("its keys are not those of the head's keyset".into());
        }
        let revoked: std::collections::BTreeSet<u32> = trust.revocations.entries().iter().map(|e| e.handle).collect();
        if revoked != known.revoked || trust.revocations.checksum() != known.head.revocations.checksum {
            return Err(format!("{} handles are revoked here, and {} by the head", revoked.len(), known.revoked.len()));
        }
        self.head.clone_from(&trust.head_file);
        Ok(true)
    }

    /// After a start: every event of which the journal said that it has it is there, in order and chained, and at most the one
    /// in flight beside. What became of that one.
    ///
    /// # Errors
    /// In words.
    pub fn check_journal(&mut self, gate: &Gate) -> Result<Option<&'static str>, String> {
        let (Some(journal), Some(device)) = (gate.journal(), gate.device()) else { return Ok(None) };
        if *self.device.get_or_insert(device) != device {
            return Err("it has another device key".into());
        }
        let entries = journal.after(0, usize::MAX).map_err(|e| e.to_string())?;
        let mut chain = Sha256Hash([0; 32]);
        let mut came = None;
        for (entry, seq) in entries.iter().zip(1..) {
            chain = event::chain(&chain, seq, &entry.record);
            if entry.seq != seq || entry.chain != chain {
                return Err(format!("the journal's chain breaks at {seq}"));
            }
            let id = Event::decode(&entry.record).ok().flatten().map(|e| e.id);
            let index = usize::try_from(seq - 1).unwrap_or(usize::MAX);
            match self.events.get(index) {
                Some(known) if Some(*known) == id => {}
                None if id.is_some() && id == self.in_flight => {
                    self.events.extend(self.in_flight.take());
                    came = Some("event in flight: kept");
                }
                _ => return Err(format!("the journal has another event than was written at {seq}")),
            }
        }
        if entries.len() != self.events.len() {
            let (got, said) = (entries.len(), self.events.len());
            return Err(format!("the journal has {got} of the {said} events that it said it has"));
        }
        Ok(came.or_else(|| self.in_flight.take().map(|_| "event in flight: lost with the power")))
    }

    /// What the registry has of this gate is what its journal has, each once; at the `end`, all of it.
    ///
    /// # Errors
    /// In words.
    pub fn check_registry(&self, gate: &Gate, city: &City, end: bool) -> Result<(), String> {
        let (Some(journal), Some(device)) = (gate.journal(), self.device) else { return Ok(()) };
        let stored = city.registry().store().events(0, Some(&device), u32::MAX).map_err(|e| e.to_string())?;
        let entries = journal.after(0, usize::MAX).map_err(|e| e.to_string())?;
        let mut of_seq = BTreeMap::new();
        for event in &stored {
            if of_seq.insert(event.seq, &event.record).is_some() {
                return Err(format!("the registry has event {} twice", event.seq));
            }
            if end && event.after_gap {
                return Err(format!("the registry lacks the event before {}", event.seq));
            }
        }
        for entry in &entries {
            match of_seq.remove(&entry.seq) {
                Some(record) if *record == entry.record => {}
                Some(_) => return Err(format!("the registry has another event {}", entry.seq)),
                None if entry.handed_in || end => return Err(format!("the registry lacks event {}", entry.seq)),
                None => {}
            }
        }
        match of_seq.into_keys().next() {
            Some(seq) => Err(format!("the registry has event {seq}, which the gate does not")),
            None => Ok(()),
        }
    }
}
