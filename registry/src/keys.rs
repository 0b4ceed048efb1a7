//! Changing the signing keys and the root: made, signed by the root, stored, published.
//!
//! The root keys are in the data folder (simple, and the default) or with people (safe). Here that is one way: whatever root
//! keys are in the folder sign at once; if they are not enough, the keyset waits as `keyset.draft` until enough people have
//! signed it ([`crate::ceremony`]) and it is imported. Nothing is published before.

use std::path::PathBuf;

use tongguan_pass::draft::Content;
use tongguan_pass::{Draft, KeyId, Keyset, ListError, Purpose, RegistryKey, Root, Sha256Hash, SigningKey};

use crate::config::{Config, ConfigError};
use crate::data::DataError;
use crate::domain::audit::{Act, Actor};
use crate::domain::publish::Edition;
use crate::domain::rotation::{self, KeyTerms, Plan, RotationError, State, Want};
use crate::registry::{Error, Registry, key_name, open_trust};
use crate::store::{Successor, Trust};

/// Why the keys were not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// No plan.
    #[error(transparent)]
    Rotation(#[from] RotationError),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No such key.
    #[error("the keyset has no key {0}; `keys list` shows the ones it has")]
    NoKey(u16),
    /// Not enough signatures.
    #[error(
        "the {what} has {got} of the {needed} signatures needed by keys of root {root}; {} more must sign it (`keys sign`), \
         and nothing was published", .needed - .got
    )]
    Missing {
        /// Root or keyset.
        what: &'static str,
        /// The version of the root that must sign.
        root: u32,
        /// Good signatures.
        got: usize,
        /// Signatures needed.
        needed: usize,
    },
    /// A signature that does not verify.
    #[error("the {0} {1}; it was damaged on the way or signed with a wrong key: start from a fresh copy")]
    Wrong(&'static str, ListError),
    /// A root that does not follow.
    #[error("this root does not follow the registry's root {0}; make it with `keys root-new --after root.pub`")]
    NotNext(u32),
    /// A keyset that this registry does not wait for.
    #[error(
        "this is not the keyset that waits for signatures here (keyset.draft in the data folder); it may be an older draft: \
         have that one signed"
    )]
    NotOurDraft,
    /// Root files without the keyset.
    #[error(
        "a new root must come with a keyset that its keys have signed: run `keys root-rotate --draft`, have keyset.draft signed \
         by the new keys, and import both"
    )]
    RootAlone,
    /// More than one root or keyset.
    #[error("import one root, one keyset and signed copies of them; {0} holds another one")]
    TooMany(PathBuf),
    /// The new keyset is not one.
    #[error("the new keyset {0}")]
    Keyset(ListError),
}

/// What became of a change.
#[derive(Debug)]
pub enum Change {
    /// There was nothing to do.
    Nothing,
    /// Done: gates get it with their next sync.
    Published {
        /// Keys that were made.
        made: Vec<RegistryKey>,
        /// Keys that are no longer in the keyset.
        gone: Vec<RegistryKey>,
        /// The version of the root.
        root: u32,
        /// The head that names the new keyset.
        edition: Box<Edition>,
    },
    /// The keyset waits for signatures.
    Waiting(Waiting),
}

/// A keyset that waits for signatures.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The draft.
    pub file: PathBuf,
    /// What it will be.
    pub keyset: Keyset,
    /// Good signatures it has.
    pub got: usize,
    /// Signatures it needs.
    pub needed: usize,
}

/// A key as it is listed.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The key.
    pub key: RegistryKey,
    /// `next`, `current`, `retiring`, `ended` or `revoked`.
    pub state: &'static str,
    /// When this state ends, Unix seconds; of a revoked key, when it was revoked.
    pub until: u32,
    /// Whether an operator should act.
    pub due: bool,
}

/// All keys, and how the root stands.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The registry's time.
    pub now: u32,
    /// The signing keys by id, and the revoked ones that would still be good.
    pub keys: Vec<Listed>,
    /// The root.
    pub root: Root,
    /// How many of its private keys are in the data folder.
    pub root_keys_here: usize,
    /// The keyset that waits for signatures.
    pub waiting: Option<Waiting>,
}

impl Registry {
    /// Every key and its state.
    ///
    /// # Errors
    /// [`Error`].
    pub fn list_keys(&self) -> Result<Listing, Error> {
        let (now, ahead) = (self.now(), self.key_terms()?.ahead);
        let (root, keyset) = open_trust(&self.store.trust()?)?;
        let all = keyset.keys();
        let mut keys: Vec<Listed> = all.iter().map(|k| listed(k, all, now, ahead)).collect();
        let revoked = rotation::revoked(&self.keysets()?).into_iter().filter(|(k, _)| k.not_after >= now);
        keys.extend(revoked.map(|(key, until)| Listed { key, state: "revoked", until, due: false }));
        keys.sort_by_key(|k| k.key.id);
        let waiting = self.waiting(&root, &keyset)?;
        let root_keys_here = self.root_keys_here(&root)?.len();
        Ok(Listing { now, keys, root, root_keys_here, waiting })
    }

    /// Makes the keys that are wanted and drops the ones that have ended. Twice does nothing new.
    ///
    /// # Errors
    /// [`Error`]; then nothing has changed.
    pub fn rotate(&self, want: Want, actor: Actor) -> Result<Change, Error> {
        self.change(&[], want, actor)
    }

    /// Takes keys out of the keyset at once, and replaces the ones that were signing.
    ///
    /// # Errors
    /// [`KeysError::NoKey`] among others; then nothing has changed.
    pub fn revoke_keys(&self, ids: &[KeyId], actor: Actor) -> Result<Change, Error> {
        self.change(ids, Want::Due, actor)
    }

    /// The keyset as it is, as a draft to be signed by the keys of a root that is being made elsewhere.
    ///
    /// # Errors
    /// [`Error`].
    pub fn draft_keyset(&self) -> Result<Waiting, Error> {
        let (root, keyset) = open_trust(&self.store.trust()?)?;
        if let Some(waiting) = self.waiting(&root, &keyset)? {
            return Ok(waiting);
        }
        let draft = self.draft(&keyset, keyset.keys().to_vec())?;
        self.folder.write_draft(&draft)?;
        self.waiting(&root, &keyset)?.ok_or_else(|| KeysError::NotOurDraft.into())
    }

    /// A new root of as many keys as the old one, signed by the old one's keys and its own, all of them in the data folder.
    ///
    /// # Errors
    /// [`KeysError::Missing`] if the root keys are elsewhere, among others.
    pub fn root_rotate(&self, actor: Actor) -> Result<Change, Error> {
        let trust = self.store.trust()?;
        let (root, keyset) = open_trust(&trust)?;
        let old = self.root_keys_here(&root)?;
        let needed = usize::from(root.threshold);
        if old.len() < needed {
            return Err(KeysError::Missing { what: "new root", root: root.version, got: old.len(), needed }.into());
        }
        let mut new = Vec::new();
        // A key that an attempt cut off has left behind keeps its name.
        let left_over = self.folder.highest_key(|kind| kind == "root")?;
        for id in next_root_ids(&root, left_over, root.keys.len())? {
            new.push((id, self.new_key()?));
        }
        let next = successor(&root, &trust.root, root.threshold, &new, self.now());
        let (mut file, mut draft) =
            (Draft::new(Content::Root(next)), self.draft(&keyset, self.pending_keys(&keyset)?)?);
        old.iter().chain(&new).for_each(|(id, key)| file.sign(*id, key));
        new.iter().for_each(|(id, key)| draft.sign(*id, key));
        for (id, key) in &new {
            self.folder.add_key(&root_key_name(*id), key)?;
        }
        self.adopt(&trust, Some(&file), &draft, actor)
    }

    /// Takes in what the holders of the root keys have signed: a keyset, or a new root with its keyset; copies signed apart
    /// are put together.
    ///
    /// # Errors
    /// [`KeysError::Missing`] with how many signatures are missing, among others. The signatures a keyset has got are kept.
    pub fn import(&self, files: Vec<(PathBuf, Draft)>, actor: Actor) -> Result<Change, Error> {
        let trust = self.store.trust()?;
        let (root, keyset) = open_trust(&trust)?;
        let (mut new_root, mut draft): (Option<Draft>, Option<Draft>) = (None, None);
        for (path, file) in files {
            let place = if matches!(file.content(), Content::Root(_)) { &mut new_root } else { &mut draft };
            match place {
                Some(known) => {
                    if !known.merge(&file) {
                        return Err(KeysError::TooMany(path).into());
                    }
                }
                None => *place = Some(file),
            }
        }
        let draft = draft.ok_or(KeysError::RootAlone)?;
        let mut ours = self.folder.read_draft()?.ok_or(KeysError::NotOurDraft)?;
        // An older draft with all its signatures could bring back a key that has been revoked since.
        if !ours.merge(&draft) || self.waiting(&root, &keyset)?.is_none() {
            return Err(KeysError::NotOurDraft.into());
        }
        let signed_by = match &new_root {
            Some(file) => check_root(file, &root, &trust)?,
            None => root,
        };
        let got = ours.signed_by(&signed_by).map_err(|e| KeysError::Wrong("keyset", e))?;
        self.folder.write_draft(&ours)?;
        enough("keyset", &signed_by, got)?;
        self.adopt(&trust, new_root.as_ref(), &ours, actor)
    }

    fn change(&self, remove: &[KeyId], want: Want, actor: Actor) -> Result<Change, Error> {
        let trust = self.store.trust()?;
        let (root, keyset) = open_trust(&trust)?;
        let mut keys = self.pending_keys(&keyset)?;
        let waiting = self.waiting(&root, &keyset)?;
        if let Some(id) = remove.iter().find(|id| keyset.by_id(**id).is_none() && !keys.iter().any(|k| k.id == **id)) {
            return Err(KeysError::NoKey(id.0).into());
        }
        let before = keys.len();
        keys.retain(|k| !remove.contains(&k.id));
        let removed = keys.len() < before;
        let plan =
            rotation::plan(&keys, self.highest_id()?, want, self.now(), self.key_terms()?).map_err(KeysError::from)?;
        let signers = self.root_keys_here(&root)?;
        let alone = signers.len() >= usize::from(root.threshold);
        // People are not called together only to take out a key that has ended, and what they are signing stays as it is.
        let can_wait = plan.make.is_empty() && (plan.drop.is_empty() || !alone || waiting.is_some());
        if !removed && can_wait {
            return Ok(waiting.map_or(Change::Nothing, Change::Waiting));
        }
        self.fill(&mut keys, &plan)?;
        let mut draft = self.draft(&keyset, keys)?;
        signers.iter().for_each(|(id, key)| draft.sign(*id, key));
        if alone {
            return self.adopt(&trust, None, &draft, actor);
        }
        self.folder.write_draft(&draft)?;
        self.waiting(&root, &keyset)?.map(Change::Waiting).ok_or_else(|| KeysError::NotOurDraft.into())
    }

    /// Makes the keys of the plan. Their private halves are on the disk before anybody can come to rely on them.
    fn fill(&self, keys: &mut Vec<RegistryKey>, plan: &Plan) -> Result<(), Error> {
        keys.retain(|k| !plan.drop.contains(&k.id));
        for v in &plan.make {
            let private = self.new_key()?;
            self.folder.add_key(&key_name(v.purpose, v.id.0), &private)?;
            let (not_before, not_after, key) = (v.not_before, v.not_after, private.verifying_key());
            keys.push(RegistryKey { id: v.id, purpose: v.purpose, not_before, not_after, key });
        }
        Ok(())
    }

    /// Stores and publishes what is signed. What a gate or this registry could not use is refused before.
    fn adopt(&self, trust: &Trust, new_root: Option<&Draft>, draft: &Draft, actor: Actor) -> Result<Change, Error> {
        let (old_root, old) = open_trust(trust)?;
        let root_file = new_root.map_or_else(|| trust.root.clone(), Draft::bytes);
        let root = match new_root {
            Some(_) => old_root.open_successor(&trust.root, &root_file).map_err(|e| KeysError::Wrong("root", e))?,
            None => old_root.clone(),
        };
        let file = draft.bytes();
        let keyset = Keyset::open(&file, &root).map_err(|e| KeysError::Wrong("keyset", e))?;
        let signers = self.signers_of(&keyset)?;
        let now = self.now();
        // A registry may be older than a purpose; `rotate` makes what it lacks.
        let had = |purpose: &Purpose| old.keys().iter().chain(keyset.keys()).any(|k| k.purpose == *purpose);
        for purpose in Purpose::ALL.into_iter().filter(had) {
            signers.find(purpose, now, now)?;
        }
        let made: Vec<_> = keyset.keys().iter().filter(|k| old.by_id(k.id).is_none()).cloned().collect();
        let gone: Vec<_> = old.keys().iter().filter(|k| keyset.by_id(k.id).is_none()).cloned().collect();
        let revoked = rotation::revoked(&[old, keyset.clone()]);
        let mut acts: Vec<_> = made.iter().map(|k| (Act::KeyMade, subject(k))).collect();
        acts.extend(gone.iter().map(|k| {
            let act = if revoked.iter().any(|(r, _)| r == k) { Act::KeyRevoked } else { Act::KeyEnded };
            (act, subject(k))
        }));
        if new_root.is_some() {
            acts.push((Act::RootRotated, format!("root:{}", root.version)));
        }
        let successor = Successor {
            replaces: Sha256Hash::of(&trust.keyset),
            root: new_root.map(|_| (root.version, root_file.clone())),
            keyset: (keyset.version, file),
            acts,
        };
        self.store.succeed(&successor, &self.by(actor.clone()))?;
        let edition = Box::new(self.publish(actor)?);
        self.tidy(&old_root, &root, &root_file, &gone)?;
        Ok(Change::Published { made, gone, root: root.version, edition })
    }

    /// Private keys that sign nothing any more are a danger and no use. Notes keys stay: without them the notes that were
    /// sealed to them could not be read any more.
    fn tidy(&self, old_root: &Root, root: &Root, root_file: &[u8], gone: &[RegistryKey]) -> Result<(), Error> {
        self.folder.remove_draft()?;
        let useless = gone.iter().filter(|k| k.purpose != Purpose::Notes);
        useless.for_each(|k| self.folder.remove_key(&key_name(k.purpose, k.id.0)));
        if old_root != root {
            self.folder.replace_root_file(root_file)?;
            let left = old_root.keys.iter().filter(|(_, key)| !root.keys.iter().any(|(_, k)| k == key));
            left.for_each(|(id, _)| self.folder.remove_key(&root_key_name(*id)));
        }
        Ok(())
    }

    /// The draft of the keyset after `keyset`.
    fn draft(&self, keyset: &Keyset, keys: Vec<RegistryKey>) -> Result<Draft, Error> {
        let version = keyset.version.saturating_add(1);
        let next = Keyset::new(version, self.now().max(keyset.issued_at), keys).map_err(KeysError::Keyset)?;
        Ok(Draft::new(Content::Keyset(next)))
    }

    /// The keyset that waits, if it is the one after `keyset`.
    fn waiting(&self, root: &Root, keyset: &Keyset) -> Result<Option<Waiting>, Error> {
        let Some(draft) = self.folder.read_draft()? else { return Ok(None) };
        let Content::Keyset(next) = draft.content() else { return Ok(None) };
        if Some(next.version) != keyset.version.checked_add(1) {
            return Ok(None);
        }
        let got = draft.signed_by(root).map_err(|e| KeysError::Wrong("keyset", e))?;
        let (file, needed) = (self.folder.draft_file(), usize::from(root.threshold));
        Ok(Some(Waiting { file, keyset: next.clone(), got, needed }))
    }

    /// The keys a change starts from: those of the keyset that waits, or else of the current one.
    fn pending_keys(&self, keyset: &Keyset) -> Result<Vec<RegistryKey>, Error> {
        let draft = self.folder.read_draft()?;
        let pending = draft.and_then(|d| match d.content() {
            Content::Keyset(next) if Some(next.version) == keyset.version.checked_add(1) => Some(next.keys().to_vec()),
            _ => None,
        });
        Ok(pending.unwrap_or_else(|| keyset.keys().to_vec()))
    }

    fn root_keys_here(&self, root: &Root) -> Result<Vec<(KeyId, SigningKey)>, Error> {
        let mut here = Vec::new();
        for (id, public) in &root.keys {
            match self.folder.read_key(&root_key_name(*id)) {
                Ok(key) if key.verifying_key() == *public => here.push((*id, key)),
                Ok(_) => return Err(DataError::OtherKey(self.folder.key_file(&root_key_name(*id))).into()),
                Err(DataError::NoKey(_)) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(here)
    }

    /// The highest id any key ever had, also one that was revoked or never got beyond a draft.
    fn highest_id(&self) -> Result<KeyId, Error> {
        let ever = self.keysets()?.iter().flat_map(|k| k.keys().to_vec()).map(|k| k.id.0).max().unwrap_or(0);
        Ok(KeyId(ever).max(self.folder.highest_key(|kind| kind != "root")?))
    }

    fn keysets(&self) -> Result<Vec<Keyset>, Error> {
        let read = |file: &Vec<u8>| match Draft::parse(file).map(|d| d.content().clone()) {
            Ok(Content::Keyset(keyset)) => Ok(keyset),
            Ok(Content::Root(_)) => Err(Error::Trust("keyset", ListError::FileType { expected: 2, got: 1 })),
            Err(e) => Err(Error::Trust("keyset", e)),
        };
        self.store.trust_history()?.keysets.iter().map(read).collect()
    }

    fn key_terms(&self) -> Result<KeyTerms, Error> {
        Ok(Config::of(self.folder.path()).map_err(KeysError::from)?.key_terms())
    }
}

/// A root after `root`, whose file is `root_file`.
pub(crate) fn successor(root: &Root, root_file: &[u8], threshold: u8, keys: &[(KeyId, SigningKey)], now: u32) -> Root {
    Root {
        version: root.version.saturating_add(1),
        issued_at: now.max(root.issued_at),
        previous: Some(Sha256Hash::of(root_file)),
        threshold,
        keys: keys.iter().map(|(id, key)| (*id, key.verifying_key())).collect(),
    }
}

/// SY 3.2: "A key id names the same key in both", so new keys have new ids, above those of `root` and `after`.
pub(crate) fn next_root_ids(root: &Root, after: KeyId, count: usize) -> Result<Vec<KeyId>, KeysError> {
    let highest = root.keys.last().map_or(after, |(id, _)| after.max(*id)).0;
    let ids: Vec<KeyId> = (highest..u16::MAX).map(|id| KeyId(id + 1)).take(count).collect();
    if ids.len() == count { Ok(ids) } else { Err(RotationError::Ids.into()) }
}

pub(crate) fn root_key_name(id: KeyId) -> String {
    format!("root-{}", id.0)
}

/// SY 3.2, told in the words of those who must sign.
fn check_root(file: &Draft, root: &Root, trust: &Trust) -> Result<Root, KeysError> {
    let Content::Root(next) = file.content() else { return Err(KeysError::NotNext(root.version)) };
    let follows =
        Some(next.version) == root.version.checked_add(1) && next.previous == Some(Sha256Hash::of(&trust.root));
    if !follows {
        return Err(KeysError::NotNext(root.version));
    }
    for signed_by in [root, next] {
        let got = file.signed_by(signed_by).map_err(|e| KeysError::Wrong("new root", e))?;
        enough("new root", signed_by, got)?;
    }
    Ok(next.clone())
}

fn enough(what: &'static str, root: &Root, got: usize) -> Result<(), KeysError> {
    let needed = usize::from(root.threshold);
    if got < needed { Err(KeysError::Missing { what, root: root.version, got, needed }) } else { Ok(()) }
}

fn subject(key: &RegistryKey) -> String {
    format!("key:{}:{}", key.purpose.name(), key.id.0)
}

fn listed(key: &RegistryKey, all: &[RegistryKey], now: u32, ahead: u32) -> Listed {
    let state = rotation::state(key, all, now);
    let has_next = all.iter().any(|k| k.purpose == key.purpose && k.not_before > now);
    let until = match state {
        State::Next => key.not_before,
        State::Current => rotation::heir(key, all).map_or_else(|| rotation::signs_until(key), |h| h.not_before),
        State::Retiring | State::Ended => rotation::ends(key, all),
    };
    let due = state == State::Current && !has_next && until.saturating_sub(now) <= ahead;
    Listed { key: key.clone(), state: state.name(), until, due }
}
