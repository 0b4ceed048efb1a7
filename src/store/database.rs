//! Opening a SQLite database so that a power cut, a damaged card or a later version cannot do harm.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use rusqlite_migration::{MigrationDefinitionError, Migrations};

use super::StoreError;

/// Opens `path`, creating it if `create`, and brings it to the newest schema.
pub(super) fn open(path: &Path, migrations: &Migrations<'_>, create: bool) -> Result<Connection, StoreError> {
    let fail = |source| StoreError::Database { path: path.to_owned(), source };
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let mut db = Connection::open_with_flags(path, flags).map_err(fail)?;
    db.busy_timeout(Duration::from_secs(5)).map_err(fail)?;
    // FULL: NORMAL may lose the last commits on a power cut, and with them a journal row or a list's version.
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
        .map_err(fail)?;
    migrations.to_latest(&mut db).map_err(|e| match e {
        rusqlite_migration::Error::MigrationDefinition(MigrationDefinitionError::DatabaseTooFarAhead) => {
            StoreError::Newer(path.to_owned())
        }
        rusqlite_migration::Error::RusqliteError { err, .. } => fail(err),
        other => StoreError::Content { path: path.to_owned(), problem: other.to_string() },
    })?;
    Ok(db)
}

/// Whether SQLite finds the database in order. A busy or unreadable one is an error, not damage.
pub(super) fn is_sound(db: &Connection) -> rusqlite::Result<bool> {
    match db.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0)) {
        Ok(answer) => Ok(answer == "ok"),
        Err(e) if is_corrupt(&e) => Ok(false),
        Err(e) => Err(e),
    }
}

/// Whether the file itself is damaged, as opposed to locked, full or newer.
pub(super) fn is_damage(error: &StoreError) -> bool {
    matches!(error, StoreError::Database { source, .. } if is_corrupt(source))
}

fn is_corrupt(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Sets a damaged database aside, whole, for whoever wants to look into it.
#[expect(clippy::disallowed_methods, reason = "only a name for the file, even if the clock is wrong")]
pub(super) fn quarantine(path: &Path) -> Result<PathBuf, StoreError> {
    let stamp = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let aside = |p: &Path| PathBuf::from(format!("{}.damaged-{stamp}", p.display()));
    for suffix in ["-wal", "-shm"] {
        let extra = PathBuf::from(format!("{}{suffix}", path.display()));
        if extra.exists() {
            std::fs::rename(&extra, aside(&extra)).map_err(StoreError::io(&extra))?;
        }
    }
    let to = aside(path);
    if path.exists() {
        std::fs::rename(path, &to).map_err(StoreError::io(path))?;
    }
    Ok(to)
}

/// What to do about an error of SQLite's.
pub(super) fn advice(error: &rusqlite::Error) -> &'static str {
    match error.sqlite_error_code() {
        Some(ErrorCode::ReadOnly) => " (the folder is not writable: check its owner and whether the disk is read-only)",
        Some(ErrorCode::CannotOpen) => " (check that the folder exists and belongs to the user who runs this)",
        Some(ErrorCode::DiskFull) => " (the disk is full: free some space)",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => " (another program is holding it)",
        _ => "",
    }
}
