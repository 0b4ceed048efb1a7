//! Opening a SQLite database so that a power cut, a damaged card or a later version cannot do harm.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use rusqlite_migration::{MigrationDefinitionError, Migrations};

use super::{StoreError, disk_full, no_rights, read_only};
use crate::lang::Text;

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

/// Opens `path` for a question: nothing is written, so its folder may be read-only. `schema` is the newest version.
pub(super) fn open_to_read(path: &Path, schema: usize) -> Result<Connection, StoreError> {
    let fail = |source| StoreError::Database { path: path.to_owned(), source };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let open = |path: &Path| -> rusqlite::Result<(Connection, usize)> {
        let db = Connection::open_with_flags(path, flags)?;
        db.busy_timeout(Duration::from_secs(5))?;
        let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        Ok((db, usize::try_from(version).unwrap_or(usize::MAX)))
    };
    let (db, version) = match open(path) {
        // A database in WAL mode wants a file beside it even to be read. Where none can be made nobody writes either, and
        // without a -wal file all is in the one that is there.
        Err(e) if is_unwritable(&e) && path.exists() && !beside(path, "-wal").exists() => open(&unchanging(path)),
        opened => opened,
    }
    .map_err(fail)?;
    match version {
        version if version > schema => Err(StoreError::Newer(path.to_owned())),
        version if version < schema => Err(StoreError::Content {
            path: path.to_owned(),
            problem: "was written by an earlier version: `tongguan sync` or `run` brings it up to date".into(),
        }),
        _ => Ok(db),
    }
}

/// A database of whatever version, only to look at.
pub(super) fn to_look_at(path: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(Duration::from_secs(5))?;
    Ok(db)
}

/// The path as a URI that tells SQLite that nobody writes the file.
fn unchanging(path: &Path) -> PathBuf {
    let path = path.display().to_string().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{path}?immutable=1").into()
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

/// Whether nothing can be written here: a read-only disk, or somebody else's folder.
pub(super) fn is_unwritable(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen))
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
        let extra = beside(path, suffix);
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

/// Whether there is no room left; the file beside a database in WAL mode has an error of its own for that.
fn is_full(error: &rusqlite::Error) -> bool {
    let beside = error.sqlite_error().is_some_and(|e| e.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE);
    beside || error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

/// What the guard reads of an error of SQLite's.
pub(super) fn words(error: &rusqlite::Error) -> Text {
    match error.sqlite_error_code() {
        _ if is_full(error) => disk_full(),
        Some(ErrorCode::ReadOnly) => read_only(),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => no_rights(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Text::new("另一个程序占用着数据", "another program is holding the data")
        }
        _ => Text::new(format!("数据库出错（{error}）"), format!("the database fails ({error})")),
    }
}

/// What to do about an error of SQLite's.
pub(super) fn advice(error: &rusqlite::Error) -> &'static str {
    match error.sqlite_error_code() {
        Some(ErrorCode::ReadOnly) => " (the folder is not writable; check its owner and whether the disk is read-only)",
        Some(ErrorCode::CannotOpen) => {
            " (check that the folder exists, is writable and belongs to the user who runs this)"
        }
        _ if is_full(error) => " (the disk is full; free some space)",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => " (another program is holding it)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use rusqlite_migration::M;

    use super::*;

    #[test]
    fn a_question_reads_what_was_written_and_writes_nothing_even_where_nothing_can_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("100%?#.db");
        let db = open(&path, &Migrations::new(vec![M::up("CREATE TABLE t (a)")]), true).unwrap();
        db.execute("INSERT INTO t VALUES (7)", []).unwrap();
        drop(db);
        let read = |db: &Connection| db.query_row("SELECT a FROM t", [], |row| row.get::<_, i64>(0)).unwrap();
        let db = open_to_read(&path, 1).unwrap();
        assert_eq!(read(&db), 7);
        assert!(is_unwritable(&db.execute("INSERT INTO t VALUES (8)", []).unwrap_err()));
        drop(db);
        // What a read-only disk leaves: the file alone.
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        assert_eq!(read(&Connection::open_with_flags(unchanging(&path), flags).unwrap()), 7);
        assert!(matches!(open_to_read(&path, 0), Err(StoreError::Newer(_))));
        assert!(open_to_read(&path, 2).unwrap_err().to_string().contains("earlier version"));
    }
}
