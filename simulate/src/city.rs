//! The registry and its people, and what the observer writes down beside them: who was revoked when, and what each head that
//! was ever published says.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rand::{Rng, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tongguan_pass::code::CERTIFICATE_BYTES;
use tongguan_pass::policy::Surge;
use tongguan_pass::revocation::day_of;
use tongguan_pass::{
    Body, Draft, Head, KeyId, Keyset, Policy, Purpose, RegistryKey, SigningKey, Unverified, draft::Content,
};
use tongguan_registry::domain::audit::Actor;
use tongguan_registry::domain::genesis::COMMUNITY;
use tongguan_registry::domain::handle::DropReason;
use tongguan_registry::domain::issue::{Document, Order};
use tongguan_registry::domain::person::{Name, PersonId};
use tongguan_registry::domain::publish::Edition;
use tongguan_registry::domain::rotation::Want;
use tongguan_registry::edge::{Edge, Entropy};
use tongguan_registry::keys::Change;
use tongguan_registry::registry::Particulars;
use tongguan_registry::{Error, Registry};

use crate::disk::{Disk, Image, Left, restore};
use crate::vfs::Watched;
use crate::world::World;

/// What `serve --publish-every` is by default, seconds.
const PUBLISH_EVERY: u32 = 300;

/// Randomness that is the same each time.
struct Dice(Mutex<ChaCha8Rng>);

impl Entropy for Dice {
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
        Ok(())
    }
}

/// What the observer knows of one head.
#[derive(Debug, Clone)]
pub struct Known {
    /// The head.
    pub head: Head,
    /// The handles that are revoked by it.
    pub revoked: BTreeSet<u32>,
    /// The keys of its keyset.
    pub keys: Vec<RegistryKey>,
    /// The policy that it names.
    pub policy: Option<Policy>,
}

impl Known {
    /// The key of that id.
    pub fn key(&self, id: KeyId) -> Option<&RegistryKey> {
        self.keys.iter().find(|k| k.id == id)
    }
}

/// A person with their phone.
#[derive(Debug)]
pub struct Person {
    id: PersonId,
    /// The handle of the codes that were issued last, and until when the last of them is good.
    handle: Option<(u32, u32)>,
    /// The phone's key.
    pub phone: SigningKey,
    /// How far the phone's clock is ahead, seconds.
    pub ahead: i64,
    /// The certificate on the phone.
    pub certificate: Option<Box<[u8; CERTIFICATE_BYTES]>>,
}

/// See the module.
pub struct City {
    /// Where it is.
    pub world: World,
    /// The real registry; gone only while it restarts.
    registry: Option<Registry>,
    /// Its people.
    pub people: Vec<Person>,
    /// Handles dropped so far, each with the end of its last code.
    dropped: BTreeMap<u32, u32>,
    /// What each head says, by its bytes.
    known: BTreeMap<Vec<u8>, Known>,
    /// The heads in order.
    heads: Vec<Vec<u8>>,
    folder: PathBuf,
    edge: Edge,
    /// The registry's disk.
    watched: Watched,
}

impl City {
    /// Founds a registry in `folder`.
    ///
    /// # Errors
    /// What the registry says.
    pub fn found(folder: &Path, world: World, seed: u64, registry_toml: &str, people: usize) -> anyhow::Result<Self> {
        let entropy = Dice(Mutex::new(ChaCha8Rng::seed_from_u64(seed ^ 0x007a_6e61)));
        let edge = Edge { clock: Arc::new(world.clone()), entropy: Arc::new(entropy) };
        Registry::init_at(folder, edge.clone())?;
        std::fs::write(folder.join("registry.toml"), registry_toml)?;
        let image = Image::from([("registry.db".to_owned(), std::fs::read(folder.join("registry.db"))?)]);
        let watched = Watched::new(folder, &image)?;
        let registry = Some(Registry::open_at(folder, edge.clone())?);
        let mut city = Self {
            world,
            registry,
            people: Vec::new(),
            dropped: BTreeMap::new(),
            known: BTreeMap::new(),
            heads: Vec::new(),
            folder: folder.to_owned(),
            edge,
            watched,
        };
        let mut dice = ChaCha8Rng::seed_from_u64(seed ^ 0x7065_6f70);
        for n in 0..people {
            let name = Name::parse(&format!("Person {n}")).map_err(anyhow::Error::msg)?;
            let (id, _) = city.registry().add_person(Particulars::new(name, COMMUNITY, 1))?;
            let phone = SigningKey::from_bytes(&dice.random());
            city.people.push(Person { id, handle: None, phone, ahead: 0, certificate: None });
        }
        city.learn()?;
        Ok(city)
    }

    /// The real registry.
    #[expect(clippy::expect_used, reason = "it is back before anybody can ask")]
    pub fn registry(&self) -> &Registry {
        self.registry.as_ref().expect("the registry restarts")
    }

    /// Its disk.
    pub fn disk(&self) -> &Disk {
        self.watched.disk()
    }

    /// The registry's program ends and starts again.
    ///
    /// # Errors
    /// What the registry says.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.registry = None;
        self.registry = Some(Registry::open_at(&self.folder, self.edge.clone())?);
        Ok(())
    }

    /// The registry's power goes and comes back; `left` says what of its writes is on the disk.
    ///
    /// # Errors
    /// What the registry says.
    pub fn cut_off(&mut self, left: Left, dice: &mut dyn Rng) -> anyhow::Result<()> {
        if self.disk().cut_at().is_none() {
            self.disk().cut_in(0);
        }
        self.registry = None;
        restore(&self.folder, &self.disk().power_cycle(left, dice))?;
        self.restart()?;
        // What was published in the last moment was published.
        self.learn()
    }

    /// A live code of a person, as of `at` or now.
    ///
    /// # Errors
    /// What the registry says.
    pub fn live(&mut self, person: usize, at: Option<u32>) -> Result<String, Error> {
        self.issue(person, Order::Live, at).map(code)
    }

    /// A printed code of a person.
    ///
    /// # Errors
    /// What the registry says.
    pub fn printed(&mut self, person: usize, days: u16, at: Option<u32>) -> Result<String, Error> {
        self.issue(person, Order::Printed { days, building: 0, entries: 1 }, at).map(code)
    }

    /// A person's phone fetches a certificate.
    ///
    /// # Errors
    /// What the registry says.
    pub fn certify(&mut self, person: usize, hours: u8) -> Result<(), Error> {
        let holder = self.people[person].phone.verifying_key();
        if let Document::Certificate(bytes) = self.issue(person, Order::Certificate { holder, hours }, None)? {
            self.people[person].certificate = Some(bytes);
        }
        Ok(())
    }

    fn issue(&mut self, person: usize, order: Order, at: Option<u32>) -> Result<Document, Error> {
        let issued = self.registry().issue(&self.people[person].id, order, at, Actor::Operator)?;
        let handle = match &issued.document {
            Document::Code(text) => Unverified::parse(text).map_or(0, |code| code.claims().handle()),
            Document::Certificate(bytes) => u32::from_be_bytes([bytes[3], bytes[4], bytes[5], bytes[6]]),
        };
        let person = &mut self.people[person];
        let until = person.handle.filter(|(known, _)| *known == handle).map_or(0, |(_, until)| until);
        person.handle = Some((handle, until.max(issued.until)));
        Ok(issued.document)
    }

    /// Drops a person's handle; the lists have it from the next publish on.
    ///
    /// # Errors
    /// What the registry says.
    pub fn revoke(&mut self, person: usize) -> anyhow::Result<Option<u32>> {
        // One whose power went while it did so may have done it: then there is nothing to drop any more.
        let dropped = self.registry().revoke(&self.people[person].id, DropReason::Lost)?;
        let person = &mut self.people[person];
        anyhow::ensure!(dropped == 0 || person.handle.is_some(), "a handle was dropped that no code has");
        let Some((handle, until)) = person.handle.take() else { return Ok(None) };
        person.certificate = None;
        self.dropped.insert(handle, until);
        Ok(Some(handle))
    }

    /// Publishes a head.
    ///
    /// # Errors
    /// What the registry says.
    pub fn publish(&mut self) -> anyhow::Result<Head> {
        let edition = self.registry().publish(Actor::Operator)?;
        self.learn_edition(&edition)?;
        Ok(edition.head)
    }

    /// Puts rules in force.
    ///
    /// # Errors
    /// What the registry says.
    pub fn set_policy(&mut self, rules: &Policy) -> anyhow::Result<()> {
        let (_, edition) = self.registry().set_policy(rules, Actor::Operator)?;
        self.learn_edition(&edition)
    }

    /// Declares a surge, or ends them all.
    ///
    /// # Errors
    /// What the registry says, among it that it makes no sense.
    pub fn surge(&mut self, surge: Option<Surge>) -> anyhow::Result<()> {
        let registry = self.registry();
        let (_, edition) = match surge {
            Some(surge) => registry.declare_surge(surge, Actor::Operator)?,
            None => registry.end_surge(Actor::Operator)?,
        };
        self.learn_edition(&edition)
    }

    /// What a registry that serves does by itself; what it did.
    ///
    /// # Errors
    /// What the registry says.
    pub fn jobs(&mut self) -> anyhow::Result<Vec<&'static str>> {
        let mut did = Vec::new();
        if let Change::Published { edition, made, gone, .. } = self.registry().rotate(Want::Due, Actor::Registry)? {
            self.learn_edition(&edition)?;
            did.extend((!made.is_empty()).then_some("key made ahead"));
            did.extend((!gone.is_empty()).then_some("ended key dropped"));
        }
        if let Some(edition) = self.registry().publish_if_due(PUBLISH_EVERY)? {
            self.learn_edition(&edition)?;
            did.push("head published when due");
        }
        Ok(did)
    }

    /// Has the next key of a purpose made, to sign from `from`.
    ///
    /// # Errors
    /// What the registry says, among it that there is no room for one.
    pub fn rotate(&mut self, purpose: Purpose, from: u32) -> anyhow::Result<bool> {
        let change = self.registry().rotate(Want::Next { purpose, from: Some(from) }, Actor::Operator)?;
        self.learn_change(&change)
    }

    /// Takes a key out of the keyset.
    ///
    /// # Errors
    /// What the registry says.
    pub fn revoke_key(&mut self, id: KeyId) -> anyhow::Result<bool> {
        let change = self.registry().revoke_keys(&[id], Actor::Operator)?;
        self.learn_change(&change)
    }

    /// A new root.
    ///
    /// # Errors
    /// What the registry says.
    pub fn rotate_root(&mut self) -> anyhow::Result<bool> {
        let change = self.registry().root_rotate(Actor::Operator)?;
        self.learn_change(&change)
    }

    /// The registry's data folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What a head that was published says.
    pub fn known(&self, head: &[u8]) -> Option<&Known> {
        self.known.get(head)
    }

    /// The heads published so far, in order.
    pub fn heads(&self) -> &[Vec<u8>] {
        &self.heads
    }

    /// The current head.
    ///
    /// # Errors
    /// If there is none, which cannot be.
    pub fn current(&self) -> anyhow::Result<&Known> {
        self.heads.last().and_then(|head| self.known.get(head)).ok_or_else(|| anyhow::anyhow!("nothing was published"))
    }

    fn learn_change(&mut self, change: &Change) -> anyhow::Result<bool> {
        let Change::Published { edition, .. } = change else { return Ok(false) };
        self.learn_edition(edition)?;
        Ok(true)
    }

    fn learn(&mut self) -> anyhow::Result<()> {
        let (edition, _) = self.registry().store().edition()?;
        self.learn_edition(&edition)
    }

    /// What is in the lists follows from what was dropped before; the keys are those of the keyset file.
    fn learn_edition(&mut self, edition: &Edition) -> anyhow::Result<()> {
        if self.known.contains_key(&edition.bytes) {
            return Ok(());
        }
        let oldest_day = edition.head.revocations.oldest_day;
        let revoked = self.dropped.iter().filter(|(_, until)| day_of(**until) >= oldest_day).map(|(h, _)| *h).collect();
        let file = self.registry().store().file(&edition.head.keyset.hash)?;
        let file = file.ok_or_else(|| anyhow::anyhow!("the registry lacks the keyset that its head names"))?;
        let Content::Keyset(keyset) = Draft::parse(&file)?.content().clone() else { anyhow::bail!("no keyset") };
        let keyset: Keyset = keyset;
        let policy = match edition.head.policy() {
            None => None,
            Some(named) => {
                let file = self.registry().store().file(&named.hash)?;
                Some(Policy::decode(&file.ok_or_else(|| anyhow::anyhow!("the registry lacks the head's policy"))?)?)
            }
        };
        let known = Known { head: edition.head.clone(), revoked, keys: keyset.keys().to_vec(), policy };
        self.known.insert(edition.bytes.clone(), known);
        self.heads.push(edition.bytes.clone());
        Ok(())
    }
}

fn code(document: Document) -> String {
    match document {
        Document::Code(text) => text,
        Document::Certificate(_) => String::new(),
    }
}

/// The fields of a code, as far as it can be read.
pub fn body(text: &str) -> Option<Body> {
    Unverified::parse(text).ok().map(|code| *code.claims())
}
