//! `trust.db`: what the registry signed. It can be fetched again, but it never goes back.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use rusqlite_migration::{M, Migrations};
use tongguan_pass::{Head, Keyset, ListError, Policy, Revocation, RevocationSet, Root, RosterIndex, Sha256Hash};

use super::{DataDir, StoreError, database};

const MIGRATIONS: &[M<'_>] = &[M::up(
    "CREATE TABLE file (name TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
     CREATE TABLE revocation (
         handle INTEGER PRIMARY KEY, reason INTEGER NOT NULL, expiry_day INTEGER NOT NULL) STRICT;",
)];

const ROSTER_INDEX: &str = "roster-index";

/// Everything believed, checked when it was read; shared by reference with whoever decides.
#[derive(Debug, Clone)]
pub struct Trust {
    /// The root as a file.
    pub root_file: Vec<u8>,
    /// The root.
    pub root: Root,
    /// The keyset as a file; empty before the first sync.
    pub keyset_file: Vec<u8>,
    /// The registry's keys; none before the first sync.
    pub keys: Keyset,
    /// The head as a file; empty before the first sync.
    pub head_file: Vec<u8>,
    /// The head; `None` before the first sync.
    pub head: Option<Head>,
    /// The revoked handles.
    pub revocations: RevocationSet,
    /// The policy as a file; empty if the head names none.
    pub policy_file: Vec<u8>,
    /// The policy; one with nothing in it if the head names none.
    pub policy: Policy,
}

impl Trust {
    /// When the lists were signed: that moment has passed.
    pub fn issued_at(&self) -> Option<Timestamp> {
        self.head.as_ref().and_then(|head| Timestamp::from_second(i64::from(head.issued_at)).ok())
    }
}

/// What one sync changes.
#[derive(Debug)]
pub struct Update {
    /// The head file it was computed from.
    pub replaces: Vec<u8>,
    /// What is believed from now on.
    pub trust: Trust,
    /// How the stored set becomes the new one.
    pub change: Change,
}

/// A change of the stored set of revocations.
#[derive(Debug)]
pub enum Change {
    /// Add these, drop what expired before the day.
    Add(Vec<Revocation>, u16),
    /// Start over with the new set.
    Replace,
}

/// The open database.
#[derive(Debug)]
pub struct TrustStore {
    db: Connection,
    dir: DataDir,
    communities: Vec<u32>,
}

impl TrustStore {
    pub(super) fn create(dir: &DataDir, root_file: &[u8]) -> Result<(), StoreError> {
        let root_path = dir.root_file();
        Root::open_pinned(root_file).map_err(|e| StoreError::Content {
            path: root_path,
            problem: format!("cannot be made: the root file {e}"),
        })?;
        let mut store = Self::over(Self::database(dir)?, dir);
        store.write(|tx| put(tx, "root", root_file))
    }

    /// Opens the database. A damaged one is set aside and started anew from the root given at `init`: the next sync fills it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(dir: &DataDir) -> Result<Self, StoreError> {
        match Self::database(dir) {
            Ok(db) => {
                let store = Self::over(db, dir);
                // Sound as a database, and every signature and the set's checksum hold.
                let unusable = |e: &StoreError| matches!(e, StoreError::Content { .. } | StoreError::NotInitialised(_));
                if database::is_sound(&store.db).map_err(|e| store.fail(e))?
                    && !store.load().is_err_and(|e| unusable(&e))
                {
                    return Ok(store);
                }
            }
            Err(e) if database::is_damage(&e) => {}
            Err(e) => return Err(e),
        }
        let aside = database::quarantine(&dir.file("trust.db"))?;
        tracing::error!(aside = %aside.display(), "trust.db was damaged and set aside; this checkpoint must sync before it can judge");
        let root = dir.root_file();
        Self::create(dir, &std::fs::read(&root).map_err(StoreError::io(&root))?)?;
        Ok(Self::over(Self::database(dir)?, dir))
    }

    /// Opens the database for a question: nothing is set aside, whatever it holds. Only a gate that runs or syncs mends it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open_to_read(dir: &DataDir) -> Result<Self, StoreError> {
        let db = match Self::database(dir) {
            Err(StoreError::Database { source, .. }) if database::is_unwritable(&source) => {
                database::open_to_read(&dir.file("trust.db"), MIGRATIONS.len())?
            }
            Err(e) if database::is_damage(&e) => {
                let problem = "is damaged: `tongguan run` or `sync` sets it aside and begins anew".into();
                return Err(StoreError::Content { path: dir.file("trust.db"), problem });
            }
            opened => opened?,
        };
        Ok(Self::over(db, dir))
    }

    fn over(db: Connection, dir: &DataDir) -> Self {
        Self { db, dir: dir.clone(), communities: Vec::new() }
    }

    /// Says whose rosters a sync brings (SY 13.1).
    pub fn serving(mut self, communities: &[u32]) -> Self {
        self.communities = communities.to_vec();
        self
    }

    /// Whose rosters a sync brings; empty if that was not said.
    pub fn communities(&self) -> &[u32] {
        &self.communities
    }

    fn database(dir: &DataDir) -> Result<Connection, StoreError> {
        database::open(&dir.file("trust.db"), &Migrations::from_slice(MIGRATIONS), true)
    }

    /// What is believed now. Every signature is checked again: a file changed on the card is not believed.
    ///
    /// # Errors
    /// [`StoreError::Content`] if what is stored does not hold.
    pub fn load(&self) -> Result<Arc<Trust>, StoreError> {
        // One view of the whole: another program may write in between.
        let _view = self.db.unchecked_transaction().map_err(|e| self.fail(e))?;
        let content = |e: ListError| self.content(&e);
        let root_file = self.file("root")?.ok_or_else(|| StoreError::NotInitialised(self.dir.path().to_owned()))?;
        // Pinned at `init` or followed from there by `sync`; only its own consistency is left to check.
        let root = Root::open_pinned(&root_file).map_err(content)?;
        let keyset_file = self.file("keyset")?.unwrap_or_default();
        let head_file = self.file("head")?.unwrap_or_default();
        let policy_file = self.file("policy")?.unwrap_or_default();
        let (keys, head, revocations, policy) = if head_file.is_empty() {
            (Keyset::new(0, 0, Vec::new()).map_err(content)?, None, RevocationSet::default(), Policy::default())
        } else {
            let keys = Keyset::open(&keyset_file, &root).map_err(content)?;
            let head = Head::open(&head_file, &keys).map_err(content)?;
            // Each for itself may be genuine and yet not belong together.
            head.keyset.check(&keyset_file).map_err(content)?;
            head.root.check(&root_file).map_err(content)?;
            let revocations = self.revocations()?;
            if revocations.checksum() != head.revocations.checksum {
                return Err(self.content(&ListError::Checksum));
            }
            let policy = open_policy(&head, &policy_file).map_err(content)?;
            (keys, Some(head), revocations, policy)
        };
        Ok(Arc::new(Trust { root_file, root, keyset_file, keys, head_file, head, revocations, policy_file, policy }))
    }

    /// Writes what a sync brought, whole or not at all (SY 8.5).
    ///
    /// # Errors
    /// [`StoreError`]; then nothing has changed. [`StoreError::Overtaken`] if another program synced meanwhile.
    pub fn apply(&mut self, update: &Update) -> Result<(), StoreError> {
        let mut overtaken = false;
        self.write(|tx| {
            // Two programs may sync at once; the slower one must not put older lists over newer ones.
            overtaken = file(tx, "head")?.unwrap_or_default() != update.replaces;
            if overtaken {
                return Ok(());
            }
            put(tx, "root", &update.trust.root_file)?;
            put(tx, "keyset", &update.trust.keyset_file)?;
            put(tx, "head", &update.trust.head_file)?;
            put(tx, "policy", &update.trust.policy_file)?;
            match &update.change {
                Change::Add(added, oldest_day) => {
                    tx.execute("DELETE FROM revocation WHERE expiry_day < ?1", [oldest_day])?;
                    insert(tx, added.iter().filter(|e| e.expiry_day >= *oldest_day))
                }
                Change::Replace => {
                    tx.execute("DELETE FROM revocation", [])?;
                    insert(tx, update.trust.revocations.entries())
                }
            }
        })?;
        if overtaken { Err(StoreError::Overtaken) } else { Ok(()) }
    }

    /// The head file as it is stored now: another program may have changed it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn head_file(&self) -> Result<Vec<u8>, StoreError> {
        Ok(self.file("head")?.unwrap_or_default())
    }

    /// The index of the rosters here as a file; empty if there is none. It is replaced together with them.
    ///
    /// # Errors
    /// [`StoreError`]; so too below.
    pub fn roster_index(&self) -> Result<Vec<u8>, StoreError> {
        Ok(self.file(ROSTER_INDEX)?.unwrap_or_default())
    }

    /// The rosters here to which a signed head leads: what else lies in the database is not believed.
    pub fn rosters(&self, head: &Head) -> Result<Vec<Vec<u8>>, StoreError> {
        let index = self.roster_index()?;
        let Some(Ok(())) = head.rosters().map(|named| named.check(&index)) else { return Ok(Vec::new()) };
        let index = RosterIndex::decode(&index).map_err(|e| self.content(&e))?;
        let named = |roster: &Vec<u8>| index.0.iter().any(|(_, file)| file.check(roster).is_ok());
        Ok(self.stored_rosters()?.into_iter().filter(named).collect())
    }

    /// The rosters here as files, sealed as they came, whoever put them there.
    pub fn stored_rosters(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let read = || -> rusqlite::Result<Vec<Vec<u8>>> {
            let mut all = self.db.prepare("SELECT bytes FROM file WHERE name LIKE 'roster/%' ORDER BY name")?;
            all.query_map([], |row| row.get(0))?.collect()
        };
        read().map_err(|e| self.fail(e))
    }

    /// Changes with the rosters here, and with the head that leads to them.
    pub fn rosters_version(&self) -> Result<(Vec<u8>, String), StoreError> {
        let read = || -> rusqlite::Result<String> {
            let names = "SELECT coalesce(group_concat(name), '') FROM (SELECT name FROM file WHERE name LIKE 'roster/%' ORDER BY name)";
            self.db.query_row(names, [], |row| row.get(0))
        };
        Ok((self.head_file()?, read().map_err(|e| self.fail(e))?))
    }

    /// Replaces index and rosters. Rosters that are the same are not written again.
    pub fn keep_rosters(&mut self, index: &[u8], rosters: &[Vec<u8>]) -> Result<(), StoreError> {
        self.write(|tx| {
            let mut known = tx.prepare("SELECT name, bytes FROM file WHERE name LIKE 'roster/%'")?;
            let known = known.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let known: Vec<(String, Vec<u8>)> = known.collect::<Result<_, _>>()?;
            for (gone, _) in known.iter().filter(|(_, bytes)| !rosters.contains(bytes)) {
                tx.execute("DELETE FROM file WHERE name = ?1", [gone])?;
            }
            for bytes in rosters.iter().filter(|bytes| !known.iter().any(|(_, known)| known == *bytes)) {
                put(tx, &format!("roster/{}", Sha256Hash::of(bytes)), bytes)?;
            }
            put(tx, ROSTER_INDEX, index)
        })
    }

    fn revocations(&self) -> Result<RevocationSet, StoreError> {
        let read = || -> rusqlite::Result<Vec<Revocation>> {
            let mut all = self.db.prepare("SELECT handle, reason, expiry_day FROM revocation ORDER BY handle")?;
            let rows = all.query_map([], |row| {
                Ok(Revocation { handle: row.get(0)?, reason: row.get(1)?, expiry_day: row.get(2)? })
            })?;
            rows.collect()
        };
        RevocationSet::new(read().map_err(|e| self.fail(e))?).map_err(|e| self.content(&e))
    }

    fn file(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        file(&self.db, name).map_err(|e| self.fail(e))
    }

    fn write(&mut self, act: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> Result<(), StoreError> {
        let path = self.dir.file("trust.db");
        let run = || {
            let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            act(&tx)?;
            tx.commit()
        };
        run().map_err(|source| StoreError::Database { path, source })
    }

    fn fail(&self, source: rusqlite::Error) -> StoreError {
        StoreError::Database { path: self.dir.file("trust.db"), source }
    }

    fn content(&self, error: &ListError) -> StoreError {
        StoreError::Content { path: self.dir.file("trust.db"), problem: format!("holds a file that {error}") }
    }
}

/// SY 4.4, 12: the policy the head names; without one, a policy with nothing in it.
fn open_policy(head: &Head, file: &[u8]) -> Result<Policy, ListError> {
    let Some(named) = head.policy() else { return Ok(Policy::default()) };
    named.check(file)?;
    Policy::decode(file)
}

fn file(db: &Connection, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    db.query_row("SELECT bytes FROM file WHERE name = ?1", [name], |row| row.get(0)).optional()
}

fn put(tx: &Connection, name: &str, bytes: &[u8]) -> rusqlite::Result<()> {
    tx.execute("INSERT OR REPLACE INTO file (name, bytes) VALUES (?1, ?2)", params![name, bytes]).map(drop)
}

fn insert<'a>(tx: &Connection, entries: impl IntoIterator<Item = &'a Revocation>) -> rusqlite::Result<()> {
    let mut row = tx.prepare("INSERT INTO revocation (handle, reason, expiry_day) VALUES (?1, ?2, ?3)")?;
    entries.into_iter().try_for_each(|e| row.execute(params![e.handle, e.reason, e.expiry_day]).map(drop))
}
