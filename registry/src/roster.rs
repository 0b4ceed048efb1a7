//! Making rosters (SY 13): which ones, with which key, slot by slot, and keeping what took long to make.

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::thread;

use tongguan_pass::{Document, ListError, Roster, RosterKey, Slot, VerifyingKey, limits};
use zeroize::Zeroizing;

use crate::data::DataError;
use crate::domain::audit::Actor;
use crate::domain::profile::Profile;
use crate::domain::roster::{self, KeptSlot, Member, What};
use crate::domain::vault::{DataKey, Field};
use crate::edge::random;
use crate::registry::{Error, Registry};
use crate::store::{KeptKey, KeptMember, NewRoster, RosterStock, StoreError};

/// Slots that a thread makes before they are kept: half a second's work that a stop may cost.
const SLOTS_AT_ONCE: usize = 32;
/// Bytes of an entry, and of a roster's beginning with a box (SY 13.2).
const ENTRY_BYTES: usize = 84;
const BEGIN_BYTES: usize = 30;
const BOX_BYTES: usize = 80;

/// Why a community's roster was not made. Those of the others are made all the same.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RosterError {
    /// More gates than a gate tries.
    #[error(
        "{0} gates are to read it, and a roster has room for {max}; enrol some of them without this community",
        max = limits::ROSTER_GATES
    )]
    Gates(usize),
    /// More entries than fit.
    #[error(
        "it would have {0} entries, {1} bytes, and a roster has at most {max}; divide the community",
        max = limits::ROSTER_BYTES
    )]
    Large(usize, usize),
    /// A gate would not take it.
    #[error("a gate would not accept it: it {0}")]
    SelfCheck(ListError),
    /// A device key that nothing can be sealed to, or a resident who does not fit.
    #[error("something in it cannot be sealed; this is a fault of the program")]
    Unsealed,
    /// A sealed field does not open.
    #[error("what the database keeps does not open with {0}; restore the keys folder that belongs to this registry.db")]
    OtherDataKey(std::path::PathBuf),
}

/// How a roster is made.
pub struct Effort<'a> {
    /// Slots made at the same time; each takes a core and 8 MiB.
    pub threads: NonZeroUsize,
    /// Told how many of how many slots of a community are made. Whether to go on is its answer; what is made is kept.
    pub go_on: &'a mut dyn FnMut(u32, usize, usize) -> bool,
}

impl std::fmt::Debug for Effort<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Effort").field("threads", &self.threads).finish_non_exhaustive()
    }
}

/// What became of a community's roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A new one was made.
    Made {
        /// Its version.
        version: u32,
        /// How many entries are in it.
        entries: usize,
        /// How many gates read it.
        gates: usize,
        /// Bytes of the file.
        bytes: usize,
        /// How many slots had to be made for it.
        slots: usize,
    },
    /// Nothing that it tells has changed.
    Same,
    /// It is no more, because no gate serves the community any more.
    Ended,
    /// No gate serves the community, and there is no roster.
    NoGate,
    /// It was told to stop; what was made by then is kept.
    Stopped,
}

/// A community, and what became of its roster.
pub type OfCommunity = (u32, Result<Outcome, Error>);

/// Every slot of a roster with whose it is, and how many of them had to be made.
struct Slots<'a> {
    slots: Vec<(&'a Member, Slot)>,
    made: usize,
}

/// A slot to be made: whose, what for, and from what.
struct Wanted<'a> {
    member: &'a Member,
    what: What,
    document: Option<Document>,
}

impl Registry {
    /// Makes the rosters whose content has changed, of one community or all. The next publish names them.
    ///
    /// # Errors
    /// [`Error`] if nothing can be made at all; what is wrong with one community is told beside it.
    pub fn make_rosters(
        &self,
        only: Option<u32>,
        actor: &Actor,
        effort: &mut Effort<'_>,
    ) -> Result<Vec<OfCommunity>, Error> {
        let all = self.store.communities()?.into_iter().map(|community| community.id);
        let wanted: Vec<u32> = all.filter(|id| only.is_none_or(|only| only == *id)).collect();
        if let (Some(only), true) = (only, wanted.is_empty()) {
            return Err(StoreError::UnknownCommunity(only).into());
        }
        let mut outcomes = Vec::new();
        for community in wanted {
            let changed = |done: &Result<_, Error>| matches!(done, Err(Error::Store(StoreError::RosterChanged)));
            let mut outcome = self.make_roster(community, actor, effort);
            if changed(&outcome) {
                // A gate came or went while it was made; the slots that were made are kept.
                outcome = self.make_roster(community, actor, effort);
            }
            let stopped = matches!(outcome, Ok(Outcome::Stopped));
            outcomes.push((community, outcome));
            if stopped {
                break;
            }
        }
        Ok(outcomes)
    }

    fn make_roster(&self, community: u32, actor: &Actor, effort: &mut Effort<'_>) -> Result<Outcome, Error> {
        let stock = self.store.roster_stock(community)?;
        if stock.gates.is_empty() {
            if stock.inputs.is_none() {
                return Ok(Outcome::NoGate);
            }
            self.store.end_roster(community, &self.by(actor.clone()))?;
            return Ok(Outcome::Ended);
        }
        within_limits(&stock)?;
        let (salt, key) = self.roster_key(community, stock.key.as_ref(), actor)?;
        let members = stock.members.into_iter().map(|kept| self.member(kept)).collect::<Result<Vec<_>, _>>()?;
        let inputs = roster::inputs(&salt, &stock.gates, &members);
        if stock.inputs == Some(inputs) {
            return Ok(Outcome::Same);
        }
        let Some(Slots { slots, made }) = self.slots(community, &salt, &key, &members, effort)? else {
            return Ok(Outcome::Stopped);
        };
        let entries = slots.iter().map(|(member, slot)| slot.seal(&member.resident()));
        let entries = entries.collect::<Option<Vec<_>>>().ok_or(RosterError::Unsealed)?;
        let boxes = stock.gates.iter().map(|gate| self.sealed_to(gate, &key)).collect::<Result<Vec<_>, _>>()?;
        let roster = Roster::new(community, salt, boxes, entries).map_err(RosterError::SelfCheck)?;
        let (bytes, entries, gates) = (roster.encode(), roster.len(), stock.gates.len());
        let new = NewRoster { community, salt, gates: &stock.gates, inputs, bytes: &bytes, entries };
        let version = self.store.keep_roster(&new, &self.by(actor.clone()))?;
        Ok(Outcome::Made { version, entries, gates, bytes: bytes.len(), slots: made })
    }

    fn member(&self, kept: KeptMember) -> Result<Member, Error> {
        let KeptMember { id, profile, category, handle, document, slots } = kept;
        let Profile { name, home, .. } = self.opened_profile(&id, &profile)?;
        Ok(Member { id, name, category, home, handle, document, slots })
    }

    /// SY 13.2: "Key and salt are drawn anew when a gate of the community is taken away."
    fn roster_key(
        &self,
        community: u32,
        kept: Option<&KeptKey>,
        actor: &Actor,
    ) -> Result<([u8; 16], RosterKey), Error> {
        let whose = community.to_be_bytes();
        let data_key = self.data_key()?;
        if let Some(kept) = kept
            && !kept.renew
        {
            let opened = data_key.open(Field::RosterKey, &whose, &kept.sealed);
            let key = opened.and_then(|key| key.as_slice().try_into().ok()).ok_or_else(|| self.other_data_key())?;
            return Ok((kept.salt, RosterKey::from_random(key)));
        }
        let (salt, key) = (self.draw()?, Zeroizing::new(self.draw::<32>()?));
        let sealed = data_key.seal(Field::RosterKey, &whose, self.draw()?, key.as_slice());
        let sealed = sealed.ok_or(RosterError::Unsealed)?;
        let before = kept.map(|kept| kept.salt);
        self.store.renew_roster_key(community, before, (&salt, &sealed), &self.by(actor.clone()))?;
        Ok((salt, RosterKey::from_random(*key)))
    }

    /// Every slot of the members. `None` if it was told to stop.
    fn slots<'a>(
        &self,
        community: u32,
        salt: &[u8; 16],
        key: &RosterKey,
        members: &'a [Member],
        effort: &mut Effort<'_>,
    ) -> Result<Option<Slots<'a>>, Error> {
        let data_key = self.data_key()?;
        let (mut slots, mut missing) = (Vec::new(), Vec::new());
        for (member, what) in members.iter().flat_map(|member| What::ALL.map(|what| (member, what))) {
            if member.made_for(salt, what).is_none() {
                continue;
            }
            let kept = member.kept(salt, what).and_then(|kept| open_slot(data_key, kept));
            match kept {
                Some(slot) => slots.push((member, slot)),
                None => missing.push((member, what)),
            }
        }
        let mut done = 0;
        for some in missing.chunks(SLOTS_AT_ONCE * effort.threads.get()) {
            if !(effort.go_on)(community, done, missing.len()) {
                return Ok(None);
            }
            let wanted = some.iter().map(|(member, what)| self.wanted(data_key, member, *what));
            let made = make_slots(key, salt, &wanted.collect::<Result<Vec<_>, _>>()?, effort.threads);
            let mut kept = Vec::new();
            for ((member, what), slot) in some.iter().zip(&made) {
                let made_for = member.made_for(salt, *what).ok_or(RosterError::Unsealed)?;
                let bytes = Zeroizing::new(slot.to_bytes());
                let sealed = data_key.seal(Field::Slot, &made_for, self.draw()?, bytes.as_slice());
                let sealed = sealed.ok_or(RosterError::Unsealed)?;
                kept.push((member.id.clone(), *what, KeptSlot { made_for, sealed }));
            }
            self.store.keep_slots(&kept)?;
            slots.extend(some.iter().map(|(member, _)| *member).zip(made));
            done += some.len();
        }
        Ok(Some(Slots { slots, made: missing.len() }))
    }

    fn wanted<'a>(&self, data_key: &DataKey, member: &'a Member, what: What) -> Result<Wanted<'a>, Error> {
        let stored = member.document.as_ref().filter(|_| what == What::Document);
        let open = |stored| data_key.open_document(member.id.as_str(), stored).ok_or_else(|| self.other_data_key());
        Ok(Wanted { member, what, document: stored.map(open).transpose()? })
    }

    fn sealed_to(&self, gate: &[u8; 32], key: &RosterKey) -> Result<Vec<u8>, Error> {
        let gate = VerifyingKey::from_bytes(gate).map_err(|_| RosterError::Unsealed)?;
        Ok(key.seal_to(&gate, self.draw()?).ok_or(RosterError::Unsealed)?)
    }

    pub(crate) fn draw<const N: usize>(&self) -> Result<[u8; N], Error> {
        random(self.entropy()).map_err(Error::Entropy)
    }

    pub(crate) fn other_data_key(&self) -> RosterError {
        RosterError::OtherDataKey(self.folder.data_key_file())
    }

    /// The key of what is sealed in the database. A folder of an earlier version gets one when it is first needed.
    pub(crate) fn data_key(&self) -> Result<&DataKey, Error> {
        if let Some(key) = self.data_key.get() {
            return Ok(key);
        }
        let specimen = self.store.specimen()?;
        let key = match (self.folder.read_data_key()?, &specimen) {
            (Some(key), _) => key,
            (None, Some(_)) => return Err(DataError::NoDataKey(self.folder.data_key_file()).into()),
            (None, None) => self.folder.make_data_key(&Zeroizing::new(self.draw()?))?,
        };
        let key = DataKey::from_bytes(key);
        if specimen.is_some_and(|specimen| !key.opens(&specimen)) {
            return Err(self.other_data_key().into());
        }
        Ok(self.data_key.get_or_init(|| key))
    }
}

/// Asked before the slots are made, which may take hours.
fn within_limits(stock: &RosterStock) -> Result<(), RosterError> {
    let gates = stock.gates.len();
    if gates > limits::ROSTER_GATES {
        return Err(RosterError::Gates(gates));
    }
    let of = |member: &KeptMember| usize::from(member.handle.is_some()) + usize::from(member.document.is_some());
    let entries: usize = stock.members.iter().map(of).sum();
    let bytes = BEGIN_BYTES + gates * BOX_BYTES + entries * ENTRY_BYTES;
    if bytes > limits::ROSTER_BYTES { Err(RosterError::Large(entries, bytes)) } else { Ok(()) }
}

/// One that does not open is made again.
fn open_slot(data_key: &DataKey, kept: &KeptSlot) -> Option<Slot> {
    let bytes = data_key.open(Field::Slot, &kept.made_for, &kept.sealed)?;
    bytes.as_slice().try_into().ok().map(Slot::from_bytes)
}

fn make_slots(key: &RosterKey, salt: &[u8; 16], wanted: &[Wanted<'_>], threads: NonZeroUsize) -> Vec<Slot> {
    let make = |wanted: &Wanted<'_>| match (wanted.what, &wanted.document, wanted.member.handle) {
        (What::Document, Some(document), _) => key.slot_of_document(salt, document),
        (_, _, handle) => key.slot_of_handle(salt, handle.unwrap_or(0)),
    };
    thread::scope(|scope| {
        let parts = wanted.chunks(wanted.len().div_ceil(threads.get()).max(1));
        let parts: Vec<_> = parts.map(|part| scope.spawn(move || part.iter().map(make).collect::<Vec<_>>())).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::person::PersonId;
    use crate::domain::vault::SealedDocument;

    #[test]
    fn what_would_not_fit_a_roster_is_refused_before_it_takes_hours() {
        let member = KeptMember {
            id: PersonId::from_random([1; 10]),
            profile: Vec::new(),
            category: 0,
            handle: Some(1),
            document: Some(SealedDocument { lookup: [1; 32], sealed: Vec::new() }),
            slots: [None, None],
        };
        let stock = |gates: usize, people: usize, one_more: bool| {
            let mut members = vec![member.clone(); people];
            members.extend(one_more.then(|| KeptMember { document: None, ..member.clone() }));
            RosterStock { key: None, inputs: None, gates: vec![[1; 32]; gates], members }
        };
        // 30 + 80 + 84 * 199,727 is 16,777,178; 16 MiB are 16,777,216.
        assert!(within_limits(&stock(1, 99_863, true)).is_ok());
        assert!(matches!(within_limits(&stock(1, 99_864, false)), Err(RosterError::Large(199_728, _))));
        assert!(matches!(within_limits(&stock(257, 1, false)), Err(RosterError::Gates(257))));
        // The sum is that of a real file.
        let boxes = vec![vec![0; BOX_BYTES]; 2];
        let file = Roster::new(1, [0; 16], boxes, vec![[0; ENTRY_BYTES]]).expect("a roster").encode();
        assert_eq!(file.len(), BEGIN_BYTES + 2 * BOX_BYTES + ENTRY_BYTES);
    }
}
