//! The registry: its store, its keys, its clock and its randomness behind the acts people and programs ask for.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use tongguan_pass::{
    self as pass, Batch, Keyset, ListError, Note, Purpose, RegistryKey, Root, Sha256Hash, SigningKey, TimeReply,
    VerifyingKey,
};

use crate::data::{DataError, DataFolder};
use crate::domain::audit::{Act, Actor};
use crate::domain::genesis;
use crate::domain::handle::DropReason;
use crate::domain::issue::{Document, Order, Terms};
use crate::domain::person::{Home, Name, NewPerson, PersonChange, PersonId, Token};
use crate::domain::profile::Profile;
use crate::domain::publish::{self, Edition, PublishError, Start, Stock};
use crate::domain::signers::{KeyError, Signers};
use crate::domain::vault::{DataKey, SealedDocument};
use crate::edge::{Edge, Entropy, random};
use crate::founding::Founding;
use crate::keys::KeysError;
use crate::places::{Place, Places};
use crate::roster::RosterError;
use crate::sms::config::{SmsConfig, SmsConfigError};
use crate::sms::{self, SmsSender};
use crate::store::sqlite::SqliteStore;
use crate::store::{
    By, Community, DeviceStatus, ImportedCommunities, Lease, Receipt, Run, Signed, Standing, Store, StoreError, Trust,
};
use zeroize::Zeroizing;

/// Seconds after which a head is issued again although nothing changed, long before it expires.
const HEAD_REFRESH: u32 = 3600;

/// Why an act was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What was asked for makes no sense.
    #[error("{0}")]
    Invalid(&'static str),
    /// No key can sign it.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The data folder.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A root or keyset that does not verify.
    #[error("the registry's own {0} {1}; restore registry.db from a backup")]
    Trust(&'static str, ListError),
    /// Something about changing the keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// A batch that is malformed or not signed by its device.
    #[error("the batch {0}")]
    Batch(ListError),
    /// A roster that cannot be made.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// No randomness.
    #[error("the system gives no randomness: {0}")]
    Entropy(io::Error),
}

/// What `init` made.
#[derive(Debug)]
pub struct Initialised {
    /// Where the public root file is.
    pub root: PathBuf,
    /// Its SHA-256.
    pub fingerprint: Sha256Hash,
    /// The version of the first head.
    pub version: u32,
}

/// A document with its window, Unix seconds.
#[derive(Debug)]
pub struct Issued {
    /// What was signed.
    pub document: Document,
    /// From when it is good.
    pub from: u32,
    /// Until when it is good.
    pub until: u32,
}

/// Who a person is.
#[derive(Debug)]
pub struct Particulars {
    /// See [`Name`].
    pub name: Name,
    /// Where they live.
    pub community: u32,
    /// What policies distinguish people by.
    pub category: u8,
    /// See [`Home`].
    pub home: Home,
    /// Their document, if they show one.
    pub document: Option<pass::Document>,
}

impl Particulars {
    /// Somebody of whom no building and no document are known.
    pub fn new(name: Name, community: u32, category: u8) -> Self {
        Self { name, community, category, home: Home::default(), document: None }
    }
}

/// What is to change about a person; what is `None` stays.
#[derive(Debug, Default)]
pub struct Changes {
    /// A new name.
    pub name: Option<Name>,
    /// A new community.
    pub community: Option<u32>,
    /// A new category.
    pub category: Option<u8>,
    /// A new building.
    pub home: Option<Home>,
    /// Another document, or none.
    pub document: Option<Option<pass::Document>>,
}

/// The signing keys of one keyset.
struct Loaded {
    keyset: Sha256Hash,
    signers: Signers,
}

/// See the module.
pub struct Registry {
    pub(crate) folder: DataFolder,
    pub(crate) store: Arc<dyn Store>,
    signers: RwLock<Option<Arc<Loaded>>>,
    pub(crate) data_key: OnceLock<DataKey>,
    edge: Edge,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Registry {
    /// Sets up a registry in a folder that holds none, or completes one whose `init` was cut off.
    ///
    /// # Errors
    /// [`Error`]; the folder is then as it was, or waits for the next `init` to complete it.
    pub fn init(folder: &Path) -> Result<Initialised, Error> {
        Self::init_at(folder, Edge::system())
    }

    /// As [`Self::init`], with a clock and randomness of the caller's.
    ///
    /// # Errors
    /// As there.
    pub fn init_at(folder: &Path, edge: Edge) -> Result<Initialised, Error> {
        let folder = DataFolder::at(folder);
        let founding = Founding::begin(&folder)?;
        if !founding.is_built() {
            Self::build(&founding, edge.clone())?;
        }
        // Whoever built it: its keys are those that its keyset names, and its lists are published.
        let registry = Self::over(founding.keys().clone(), &founding.database(), edge)?;
        registry.signers()?;
        let root = registry.store.trust()?.root;
        let version = registry.store.edition()?.0.head.version;
        drop(registry);
        founding.done()?;
        Ok(Initialised { root: folder.root_file(), fingerprint: Sha256Hash::of(&root), version })
    }

    fn build(founding: &Founding, edge: Edge) -> Result<(), Error> {
        let new_key = || new_key(&*edge.entropy);
        let root = new_key()?;
        let keys = Purpose::ALL.map(|p| new_key().map(|k| (p, k))).into_iter().collect::<Result<Vec<_>, _>>()?;
        let public: Vec<_> = keys.iter().map(|(p, k)| (*p, k)).collect();
        let genesis = genesis::begin(&root, &public, edge.clock.now()).map_err(|e| Error::Trust("keyset", e))?;
        founding.write_key("root-1", &root)?;
        for ((purpose, key), id) in keys.iter().zip(1..) {
            founding.write_key(&key_name(*purpose, id), key)?;
        }
        founding.keys().make_data_key(&Zeroizing::new(random(&*edge.entropy).map_err(Error::Entropy)?))?;
        founding.write_root(&genesis.root)?;
        founding.make_database()?;
        let registry = Self::over(founding.keys().clone(), &founding.database(), edge)?;
        let by = registry.by(Actor::Operator);
        registry.store.begin(&genesis, &by)?;
        registry.publish(Actor::Operator).map(drop)
    }

    /// Opens the registry of a folder.
    ///
    /// # Errors
    /// [`Error`] saying what is missing and what to do.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        Self::open_at(folder, Edge::system())
    }

    /// As [`Self::open`], with a clock and randomness of the caller's.
    ///
    /// # Errors
    /// As there.
    pub fn open_at(folder: &Path, edge: Edge) -> Result<Self, Error> {
        let folder = DataFolder::at(folder);
        folder.expect_registry()?;
        let database = folder.database();
        let registry = Self::over(folder, &database, edge)?;
        registry.seal_what_is_clear()?;
        Ok(registry)
    }

    fn over(folder: DataFolder, database: &Path, edge: Edge) -> Result<Self, Error> {
        let store = Arc::new(SqliteStore::open(database)?);
        Ok(Self { folder, store, signers: RwLock::new(None), data_key: OnceLock::new(), edge })
    }

    /// What the registry keeps.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// The registry's time, Unix seconds.
    pub fn now(&self) -> u32 {
        self.edge.clock.now()
    }

    /// Loads the signing keys and checks them against the keyset, and that the public root file is there.
    ///
    /// # Errors
    /// [`Error`] naming the missing or wrong file.
    pub fn ready_to_serve(&self) -> Result<(), Error> {
        self.signers()?;
        let history = self.store.trust_history()?;
        let (root, earlier) = history.roots.split_last().ok_or(Error::Invalid("the registry has no root"))?;
        Ok(self.folder.keep_root_file(root, earlier)?)
    }

    /// Adds a community.
    ///
    /// # Errors
    /// [`StoreError::CommunityTaken`] among others.
    pub fn add_community(&self, id: u32, name: &Name) -> Result<(), Error> {
        Ok(self.store.add_community(id, name, &self.by(Actor::Operator))?)
    }

    /// Adds and changes communities as a file says.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn import_communities(&self, places: &[Place]) -> Result<ImportedCommunities, Error> {
        let kept = |place: &Place| {
            let Place { id, name, region, aliases } = place.clone();
            Community { id, name, region, aliases }
        };
        let all: Vec<_> = places.iter().map(kept).collect();
        Ok(self.store.import_communities(&all, &self.by(Actor::Operator))?)
    }

    /// The communities, searchable.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn places(&self) -> Result<Places, Error> {
        let place = |Community { id, name, region, aliases }| Place { id, name, region, aliases };
        Ok(Places::of(self.store.communities()?.into_iter().map(place).collect()))
    }

    /// Registers a person; their id and the token only they will know.
    ///
    /// # Errors
    /// [`StoreError::UnknownCommunity`], [`StoreError::DocumentTaken`] among others.
    pub fn add_person(&self, person: Particulars) -> Result<(PersonId, Token), Error> {
        let Particulars { name, community, category, home, document } = person;
        let (id, token) = (PersonId::from_random(self.draw()?), Token::from_random(self.draw()?));
        let document = document.map(|document| self.sealed(&id, &document)).transpose()?;
        let profile = self.sealed_profile(&id, &Profile::new(name, home))?;
        let person = NewPerson {
            id: id.clone(),
            community,
            category,
            profile,
            phone: None,
            document,
            token: token.hash(),
            notice: 0,
        };
        self.store.add_person(&person, &self.by(Actor::Operator))?;
        Ok((id, token))
    }

    /// Changes what is known of a person.
    ///
    /// # Errors
    /// [`StoreError::UnknownPerson`] and those of [`Self::add_person`].
    pub fn change_person(&self, id: &PersonId, changes: Changes) -> Result<(), Error> {
        let Changes { name, community, category, home, document } = changes;
        let seal = |document: pass::Document| self.sealed(id, &document);
        let document = document.map(|document| document.map(seal).transpose()).transpose()?;
        let resident = self.resident(id)?;
        let profile = Profile {
            name: name.unwrap_or(resident.profile.name),
            home: home.unwrap_or(resident.profile.home),
            ..resident.profile
        };
        let change = PersonChange {
            revision: Some(resident.revision),
            profile: Some(self.sealed_profile(id, &profile)?),
            community,
            category,
            document,
            entry: None,
        };
        Ok(self.store.change_person(id, &change, &self.by(Actor::Operator))?)
    }

    pub(crate) fn sealed(&self, id: &PersonId, document: &pass::Document) -> Result<SealedDocument, Error> {
        let sealed = self.data_key()?.seal_document(id.as_str(), document, self.draw()?);
        Ok(sealed.ok_or(RosterError::Unsealed)?)
    }

    /// Whose token it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn person_by_token(&self, token: &Token) -> Result<Option<PersonId>, Error> {
        Ok(self.store.person_by_token(&token.hash())?)
    }

    /// Issues what was ordered, as of `at` or now.
    ///
    /// # Errors
    /// [`Error`]; nothing is stored if no key could sign it.
    pub fn issue(&self, person: &PersonId, order: Order, at: Option<u32>, actor: Actor) -> Result<Issued, Error> {
        let loaded = self.signers()?;
        let signers = &loaded.signers;
        let at = at.unwrap_or_else(|| self.now());
        // PF 7.4: "A live code that exists has begun." A gate takes it for proof that its time has come.
        if matches!(order, Order::Live) && at > self.now() {
            return Err(Error::Invalid("a live code begins when it is issued; it cannot be issued for a time to come"));
        }
        let terms: Terms = order.terms(at).map_err(Error::Invalid)?;
        terms.check(signers)?;
        let lease = Lease { until: terms.until, act: terms.act() };
        let mut draw = || random(&*self.edge.entropy).map(u32::from_be_bytes);
        let holder = self.store.hold(person, lease, &mut draw, &self.by(actor))?;
        let document = terms.sign(&holder, signers)?;
        Ok(Issued { document, from: terms.from, until: terms.until })
    }

    /// Drops a person's handle; how many were dropped.
    ///
    /// # Errors
    /// [`StoreError::UnknownPerson`] among others.
    pub fn revoke(&self, person: &PersonId, reason: DropReason) -> Result<u32, Error> {
        Ok(self.store.drop_handle(person, reason, &self.by(Actor::Operator))?)
    }

    /// Publishes a new head with whatever waits.
    ///
    /// # Errors
    /// [`Error`]; the last head then stays current.
    pub fn publish(&self, actor: Actor) -> Result<Edition, Error> {
        // The keys may change between reading them and publishing. Then the head would be signed with a key that the keyset it
        // names may lack; the second time they are the new ones.
        let changed = |e: &Error| matches!(e, Error::Store(StoreError::Publish(PublishError::KeysChanged)));
        let publish = || self.publish_once(Start::Next, actor.clone());
        publish().or_else(|e| if changed(&e) { publish() } else { Err(e) })
    }

    /// Publishes the first head of a new epoch: gates follow it although they have seen later heads than this registry
    /// remembers, because it was restored from a backup.
    ///
    /// # Errors
    /// [`Error`]; the last head then stays current.
    pub fn publish_new_epoch(&self) -> Result<Edition, Error> {
        self.publish_once(Start::NewEpoch, Actor::Operator)
    }

    fn publish_once(&self, start: Start, actor: Actor) -> Result<Edition, Error> {
        let loaded = self.signers()?;
        let by = self.by(actor);
        let author = |stock: Stock| {
            if stock.keyset.hash != loaded.keyset {
                return Err(PublishError::KeysChanged);
            }
            publish::next(stock, start, by.at, &loaded.signers)
        };
        Ok(self.store.publish(&author, &by)?)
    }

    /// Publishes if revocations or rosters wait and the last head is `every` seconds old, or if the head is old.
    ///
    /// # Errors
    /// [`Error`].
    pub fn publish_if_due(&self, every: u32) -> Result<Option<Edition>, Error> {
        let now = self.now();
        let Standing { head, waiting, rosters } = self.store.standing(now)?;
        let older_than = |age: u32| head.is_none_or(|(_, issued_at)| now.saturating_sub(issued_at) >= age);
        let due = ((waiting > 0 || rosters) && older_than(every)) || older_than(HEAD_REFRESH);
        if due { self.publish(Actor::Registry).map(Some) } else { Ok(None) }
    }

    /// Takes a checkpoint in that looks up the people of these communities.
    ///
    /// # Errors
    /// [`StoreError::UnknownCommunity`] among others.
    pub fn enrol(&self, device: &VerifyingKey, communities: &[u32]) -> Result<(), Error> {
        let by = self.by(Actor::Operator);
        Ok(self.store.set_device(device.as_bytes(), DeviceStatus::Enrolled, communities, &by)?)
    }

    /// Lets a checkpoint go. The next rosters are not for it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn retire(&self, device: &VerifyingKey) -> Result<(), Error> {
        Ok(self.store.set_device(device.as_bytes(), DeviceStatus::Retired, &[], &self.by(Actor::Operator))?)
    }

    /// Takes in a signed batch, and says what is stored.
    ///
    /// # Errors
    /// [`Error::Batch`] if it is malformed or wrongly signed, and [`StoreError`].
    pub fn accept(&self, bytes: &[u8]) -> Result<(VerifyingKey, Receipt), Error> {
        let (batch, signature) = Batch::open_signed(bytes).map_err(Error::Batch)?;
        let by = self.by(Actor::Device(batch.device.to_bytes()));
        let device = batch.device;
        let receipt = self.store.accept(&Signed { batch, signature }, &by).map_err(|e| match e {
            StoreError::Batch(e) => Error::Batch(e),
            e => e.into(),
        })?;
        Ok((device, receipt))
    }

    /// The signed receipt for a run of a device's records (SY 6.6).
    ///
    /// # Errors
    /// [`KeyError`] among others: the events are stored all the same.
    pub fn receipt(&self, device: VerifyingKey, run: &Run) -> Result<Vec<u8>, Error> {
        let loaded = self.signers()?;
        let now = self.now();
        let (id, key) = loaded.signers.find(Purpose::Receipt, now, now)?;
        let Run { first_seq, next_seq, chain } = *run;
        Ok(pass::Receipt { device, first_seq, next_seq, chain }.sign(id, key))
    }

    /// Audits that an operator is about to read the notes among the events after `since`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn note_reading(&self, since: u64, device: Option<&[u8; 32]>) -> Result<(), Error> {
        let whose = device.map_or_else(|| "all".to_owned(), |key| data_encoding::HEXLOWER.encode(key));
        Ok(self.store.note_act(Act::NotesRead, &format!("notes:{whose}:after:{since}"), &self.by(Actor::Operator))?)
    }

    /// Opens a sealed note. `None` if none of this registry's keys opens it.
    pub fn open_note(&self, note: &Note) -> Option<Zeroizing<Vec<u8>>> {
        // Also one that has left the keyset: its private half is kept for this.
        let key = self.folder.read_key(&key_name(Purpose::Notes, note.key.0)).ok()?;
        note.open(&key).ok().map(Zeroizing::new)
    }

    /// Signed time for the asker's nonce.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn time(&self, nonce: [u8; 16]) -> Result<Vec<u8>, Error> {
        let loaded = self.signers()?;
        let now = self.now();
        let (id, key) = loaded.signers.find(Purpose::Time, now, now)?;
        Ok(TimeReply { nonce, at_ms: self.edge.clock.now_ms() }.sign(id, key))
    }

    /// Whoever sends messages according to the configuration.
    ///
    /// # Errors
    /// [`SmsConfigError`] naming the key or the file.
    pub fn message_sender(&self, config: &SmsConfig) -> Result<Arc<dyn SmsSender>, SmsConfigError> {
        sms::config::sender(config, self.folder.path(), &self.edge)
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &*self.edge.entropy
    }

    pub(crate) fn by(&self, actor: Actor) -> By {
        By { at: self.now(), actor }
    }

    /// Read when first needed, for registering a person must not need a private key, and again when the keyset has changed:
    /// a key that somebody at the command line has revoked must sign nothing more.
    fn signers(&self) -> Result<Arc<Loaded>, Error> {
        let keyset = self.store.keyset()?;
        let known = self.signers.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(loaded) = known
            && loaded.keyset == keyset
        {
            return Ok(loaded);
        }
        let trust = self.store.trust()?;
        let (_, keys) = open_trust(&trust)?;
        let signers = self.signers_of(&keys)?;
        let loaded = Arc::new(Loaded { keyset: Sha256Hash::of(&trust.keyset), signers });
        *self.signers.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&loaded));
        Ok(loaded)
    }

    pub(crate) fn signers_of(&self, keys: &Keyset) -> Result<Signers, DataError> {
        Signers::of(keys, |public| self.private_half(public))
    }

    pub(crate) fn new_key(&self) -> Result<SigningKey, Error> {
        new_key(&*self.edge.entropy)
    }

    fn private_half(&self, public: &RegistryKey) -> Result<SigningKey, DataError> {
        let name = key_name(public.purpose, public.id.0);
        let key = self.folder.read_key(&name)?;
        if key.verifying_key() == public.key { Ok(key) } else { Err(DataError::OtherKey(self.folder.key_file(&name))) }
    }
}

/// The registry's own root and keyset, believed from the root down.
pub(crate) fn open_trust(trust: &Trust) -> Result<(Root, Keyset), Error> {
    let root = Root::open_pinned(&trust.root).map_err(|e| Error::Trust("root", e))?;
    let keyset = Keyset::open(&trust.keyset, &root).map_err(|e| Error::Trust("keyset", e))?;
    Ok((root, keyset))
}

/// A new private key; its seed is wiped.
pub(crate) fn new_key(entropy: &dyn Entropy) -> Result<SigningKey, Error> {
    let seed = Zeroizing::new(random(entropy).map_err(Error::Entropy)?);
    Ok(SigningKey::from_bytes(&seed))
}

pub(crate) fn key_name(purpose: Purpose, id: u16) -> String {
    format!("{}-{id}", purpose.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::{Clock, SystemEntropy};

    struct At(u64);

    impl Clock for At {
        fn now_ms(&self) -> u64 {
            self.0
        }
    }

    #[test]
    fn a_live_code_is_issued_for_now_or_for_a_drill_of_the_past_and_never_for_a_time_to_come() {
        let folder = tempfile::tempdir().expect("a folder");
        let edge = Edge { clock: Arc::new(At(1_800_000_000_000)), entropy: Arc::new(SystemEntropy) };
        Registry::init_at(folder.path(), edge.clone()).expect("a registry");
        let registry = Registry::open_at(folder.path(), edge).expect("opens");
        let (person, _) =
            registry.add_person(Particulars::new(Name::parse("A").expect("a name"), 1, 1)).expect("is added");
        let issue = |order, at| registry.issue(&person, order, Some(at), Actor::Operator);
        for at in [1_799_990_000, 1_800_000_000] {
            assert_eq!(issue(Order::Live, at).expect("is issued").from, at);
        }
        assert!(matches!(issue(Order::Live, 1_800_000_001), Err(Error::Invalid(_))));
        let paper = Order::Printed { days: 1, building: 0, entries: 1 };
        assert!(issue(paper, 1_800_086_400).is_ok(), "paper for tomorrow's visitor");
    }
}
