//! The store on SQLite: one file, nothing to install.
//!
//! One connection writes, each transaction `BEGIN IMMEDIATE` and fsynced; others read beside it (WAL). Another process, such
//! as the command line beside a running server, waits for its turn up to the busy timeout.

mod events;
mod lists;
mod people;
mod policy;
mod proof;
mod residents;
mod rosters;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior, params};
use rusqlite_migration::{M, Migrations};
use tongguan_pass::{Policy, Sha256Hash};

use crate::domain::audit::Act;
use crate::domain::genesis::Genesis;
use crate::domain::handle::{DropReason, Holder};
use crate::domain::person::{Name, NewPerson, PersonChange, PersonId, TokenHash};
use crate::domain::publish::Edition;
use crate::domain::roster::{KeptSlot, What};
use crate::domain::vault::Specimen;
use crate::store::{
    Author, By, Community, Device, DeviceStatus, Draw, ImportedCommunities, KeptRecord, Lease, NewPolicy, NewRoster,
    Reader, Receipt, Redraft, RosterInfo, RosterStock, Run, Signed, Standing, Store, StoreError, StoredEvent,
    Successor, Trust, TrustHistory,
};

const MIGRATIONS: &[M<'static>] = &[
    M::up(include_str!("../../../migrations/001-registry.sql")),
    M::up(include_str!("../../../migrations/002-policy.sql")),
    M::up(include_str!("../../../migrations/003-receipts.sql")),
    M::up(include_str!("../../../migrations/004-conflicts.sql")),
    M::up(include_str!("../../../migrations/005-roster.sql")),
    M::up(include_str!("../../../migrations/006-residents.sql")),
];
const BUSY: Duration = Duration::from_secs(5);
/// Reading connections kept open for the next reader.
const IDLE_READERS: usize = 8;

/// See the module.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
}

impl SqliteStore {
    /// Opens the database at `path`, which must exist (it may be empty), and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Newer`] and whatever the engine says.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let mut connection = connect(path)?;
        migrate(&mut connection)?;
        Ok(Self { path: path.to_owned(), writer: Mutex::new(connection), readers: Mutex::new(Vec::new()) })
    }

    /// Runs `work` in a transaction of its own; an error rolls all of it back.
    fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        // A writer that panicked has rolled its transaction back, so its connection is still good.
        let mut connection = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&tx)?;
        tx.commit()?;
        Ok(done)
    }

    /// Runs `work` on one state of the database.
    fn read<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = idle.map_or_else(|| connect(&self.path), Ok)?;
        let tx = connection.transaction()?;
        let done = work(&tx)?;
        tx.finish()?;
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < IDLE_READERS {
            readers.push(connection);
        }
        Ok(done)
    }
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    // Never create: only `init` makes a registry, and a mistyped folder must not look like an empty one.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL: a code handed out must not be forgotten by a power cut, nor a version number given twice.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    if found < known {
        Migrations::from_slice(MIGRATIONS).to_latest(connection).map_err(|e| match e {
            rusqlite_migration::Error::RusqliteError { err, .. } => err.into(),
            other => StoreError::Engine(other.to_string()),
        })?;
    }
    Ok(())
}

fn audit(tx: &Transaction<'_>, by: &By, act: Act, subject: &str) -> Result<(), StoreError> {
    tx.prepare_cached("INSERT INTO audit (at, actor, act, subject) VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        by.at,
        by.actor.to_string(),
        act.name(),
        subject
    ])?;
    Ok(())
}

/// A number that fits SQLite's signed integer: everything stored here does, by its own bounds.
fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            // A database in WAL mode cannot even be read where its folder cannot be written.
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => Self::ReadOnly,
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::SystemIoFailure) => Self::Disk(error.to_string()),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error.to_string()),
            // Only the engine's own words: an error never carries a bound value.
            _ => Self::Engine(error.to_string()),
        }
    }
}

impl Store for SqliteStore {
    fn begin(&self, genesis: &Genesis, by: &By) -> Result<(), StoreError> {
        self.write(|tx| lists::begin(tx, genesis, by))
    }

    fn trust(&self) -> Result<Trust, StoreError> {
        self.read(lists::trust)
    }

    fn keyset(&self) -> Result<Sha256Hash, StoreError> {
        self.read(lists::keyset)
    }

    fn trust_history(&self) -> Result<TrustHistory, StoreError> {
        self.read(lists::trust_history)
    }

    fn succeed(&self, successor: &Successor, by: &By) -> Result<(), StoreError> {
        self.write(|tx| lists::succeed(tx, successor, by))
    }

    fn policy(&self) -> Result<Option<(u32, Policy)>, StoreError> {
        self.read(policy::current)
    }

    fn change_policy(&self, redraft: Redraft<'_>, act: Act, by: &By) -> Result<NewPolicy, StoreError> {
        self.write(|tx| policy::change(tx, redraft, act, by))
    }

    fn add_community(&self, id: u32, name: &Name, by: &By) -> Result<(), StoreError> {
        self.write(|tx| rosters::add_community(tx, id, name, by))
    }

    fn communities(&self) -> Result<Vec<Community>, StoreError> {
        self.read(rosters::communities)
    }

    fn import_communities(&self, communities: &[Community], by: &By) -> Result<ImportedCommunities, StoreError> {
        self.write(|tx| rosters::import_communities(tx, communities, by))
    }

    fn add_person(&self, person: &NewPerson, by: &By) -> Result<(), StoreError> {
        self.write(|tx| people::add(tx, person, by))
    }

    fn change_person(&self, person: &PersonId, change: &PersonChange, by: &By) -> Result<(), StoreError> {
        self.write(|tx| people::change(tx, person, change, by))
    }

    fn person_by_token(&self, token: &TokenHash) -> Result<Option<PersonId>, StoreError> {
        self.read(|tx| people::by_token(tx, token))
    }

    fn hold(&self, person: &PersonId, lease: Lease, draw: Draw<'_>, by: &By) -> Result<Holder, StoreError> {
        self.write(|tx| people::hold(tx, person, lease, draw, by))
    }

    fn drop_handle(&self, person: &PersonId, reason: DropReason, by: &By) -> Result<u32, StoreError> {
        self.write(|tx| people::drop_handle(tx, person, reason, by))
    }

    fn publish(&self, author: Author<'_>, by: &By) -> Result<Edition, StoreError> {
        self.write(|tx| lists::publish(tx, author, by))
    }

    fn standing(&self, now: u32) -> Result<Standing, StoreError> {
        self.read(|tx| lists::standing(tx, now))
    }

    fn head(&self) -> Result<Vec<u8>, StoreError> {
        self.read(lists::head)
    }

    fn file(&self, hash: &Sha256Hash) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|tx| lists::file(tx, hash))
    }

    fn edition(&self) -> Result<(Edition, Vec<Vec<u8>>), StoreError> {
        self.read(lists::edition)
    }

    fn accept(&self, batch: &Signed, by: &By) -> Result<Receipt, StoreError> {
        // A refused batch still leaves its audit row, so the refusal travels as a value through the commit.
        self.write(|tx| events::accept(tx, batch, by))?
    }

    fn events(&self, since: u64, device: Option<&[u8; 32]>, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        self.read(|tx| events::list(tx, since, device, limit))
    }

    fn run(&self, device: &[u8; 32]) -> Result<Option<Run>, StoreError> {
        self.read(|tx| proof::newest_run(tx, device))
    }

    fn set_device(
        &self,
        device: &[u8; 32],
        status: DeviceStatus,
        communities: &[u32],
        by: &By,
    ) -> Result<(), StoreError> {
        self.write(|tx| events::set_device(tx, device, status, communities, by))
    }

    fn devices(&self) -> Result<Vec<Device>, StoreError> {
        self.read(|tx| proof::devices(tx, None))
    }

    fn records(&self, device: &[u8; 32], after: u64, limit: u32) -> Result<Vec<KeptRecord>, StoreError> {
        self.read(|tx| proof::records(tx, device, after, limit))
    }

    fn history(&self, device: &[u8; 32], read: Reader<'_>) -> Result<(), StoreError> {
        self.read(|tx| proof::history(tx, device, read))
    }

    fn specimen(&self) -> Result<Option<Specimen>, StoreError> {
        self.read(rosters::specimen)
    }

    fn roster_stock(&self, community: u32) -> Result<RosterStock, StoreError> {
        self.read(|tx| rosters::stock(tx, community))
    }

    fn renew_roster_key(
        &self,
        community: u32,
        before: Option<[u8; 16]>,
        key: (&[u8; 16], &[u8]),
        by: &By,
    ) -> Result<(), StoreError> {
        self.write(|tx| rosters::renew_key(tx, community, before, key, by))
    }

    fn keep_slots(&self, slots: &[(PersonId, What, KeptSlot)]) -> Result<(), StoreError> {
        self.write(|tx| rosters::keep_slots(tx, slots))
    }

    fn keep_roster(&self, roster: &NewRoster<'_>, by: &By) -> Result<u32, StoreError> {
        self.write(|tx| rosters::keep_roster(tx, roster, by))
    }

    fn end_roster(&self, community: u32, by: &By) -> Result<(), StoreError> {
        self.write(|tx| rosters::end_roster(tx, community, by))
    }

    fn rosters(&self) -> Result<Vec<RosterInfo>, StoreError> {
        self.read(|tx| rosters::list(tx, lists::current_head(tx)?.as_ref()))
    }

    fn note_act(&self, act: Act, subject: &str, by: &By) -> Result<(), StoreError> {
        self.write(|tx| audit(tx, by, act, subject))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Residents as _, conformance};

    fn temporary() -> (tempfile::TempDir, SqliteStore) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("registry.db");
        std::fs::write(&path, b"").expect("an empty file");
        let store = SqliteStore::open(&path).expect("opens");
        (folder, store)
    }

    #[test]
    fn sqlite_keeps_what_every_store_must_keep() {
        conformance::run(temporary);
    }

    #[test]
    fn what_earlier_versions_kept_in_clear_is_sealed_once_and_gone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("registry.db");
        let mut old = Connection::open(&path).expect("a database");
        Migrations::from_slice(&MIGRATIONS[..5]).to_latest(&mut old).expect("an earlier schema");
        old.execute_batch(
            "INSERT INTO communities (id, name, created_at) VALUES (1, 'A', 0);
             INSERT INTO people (id, name, community, category, token_hash, created_at, home)
             VALUES ('aaaaaaaaaaaaaaaa', '王小明', 1, 1, zeroblob(32), 0, '3号楼')",
        )
        .expect("a person");
        drop(old);
        let store = SqliteStore::open(&path).expect("opens");
        let clear = store.unsealed(9).expect("read");
        assert_eq!(clear.iter().map(|p| (p.name.as_str(), p.home.as_str())).collect::<Vec<_>>(), [("王小明", "3号楼")]);
        let id = clear[0].id.clone();
        store.seal(&[(id.clone(), b"sealed".to_vec())]).expect("sealed");
        store.seal(&[(id.clone(), b"other".to_vec())]).expect("nothing to do");
        assert_eq!(store.resident(&id).expect("there").profile, b"sealed");
        assert!(store.unsealed(9).expect("read").is_empty());
        let rest: (String, String) = store
            .read(|tx| Ok(tx.query_row("SELECT name, home FROM people", [], |r| Ok((r.get(0)?, r.get(1)?)))?))
            .expect("read");
        assert_eq!(rest, (String::new(), String::new()));
    }

    #[test]
    fn a_mistyped_path_is_not_made_into_an_empty_registry() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("registry.db");
        assert!(matches!(SqliteStore::open(&path), Err(StoreError::ReadOnly)));
        assert!(!path.exists());
    }

    #[test]
    fn a_full_disk_is_called_full_and_nothing_is_half_done() {
        let (_folder, store) = temporary();
        conformance::begin(&store);
        {
            let writer = store.writer.lock().expect("not poisoned");
            let pages: i64 = writer.pragma_query_value(None, "page_count", |r| r.get(0)).expect("a count");
            writer.pragma_update(None, "max_page_count", pages).expect("set");
        }
        let mut refused = 0;
        for n in 0..200 {
            let before = rows(&store);
            match store.add_person(&conformance::person(n), &conformance::by(1)) {
                Ok(()) => assert_eq!(rows(&store), (before.0 + 1, before.1 + 1)),
                Err(StoreError::Full) => {
                    refused += 1;
                    assert_eq!(rows(&store), before);
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert!(refused > 0);
    }

    /// People and audit rows, which must go together.
    fn rows(store: &SqliteStore) -> (i64, i64) {
        store
            .read(|tx| {
                let count = |sql| tx.query_row(sql, [], |r| r.get(0));
                Ok((count("SELECT count(*) FROM people")?, count("SELECT count(*) FROM audit")?))
            })
            .expect("can be read")
    }

    #[test]
    fn the_schema_is_valid_and_strict() {
        assert!(Migrations::from_slice(MIGRATIONS).validate().is_ok());
        let (_folder, store) = temporary();
        let strict: bool = store
            .read(|tx| {
                let sql = "SELECT min(strict) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'";
                Ok(tx.query_row(sql, [], |r| r.get(0))?)
            })
            .expect("can be read");
        assert!(strict);
    }
}
