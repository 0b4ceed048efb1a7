//! SQLite's way to the disk, watched: a layer over its default VFS, which every database that this process opens then uses.
//!
//! Files in a watched folder tell their [`Disk`] each step before they take it; all others go straight through. So the
//! product's own code is tried as it is, and nothing in it knows of this.
#![expect(unsafe_code, reason = "a VFS is a table of C functions")]

use std::collections::HashMap;
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, LazyLock, Mutex, Once, PoisonError};

use rusqlite::ffi::{
    SQLITE_IOCAP_POWERSAFE_OVERWRITE, SQLITE_IOERR, SQLITE_IOERR_DELETE, SQLITE_IOERR_FSYNC, SQLITE_IOERR_TRUNCATE,
    SQLITE_IOERR_WRITE, SQLITE_OK, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs, sqlite3_vfs_find,
    sqlite3_vfs_register,
};

use crate::disk::{Disk, Image, Op};

/// A folder whose databases are watched for as long as this lives.
#[derive(Debug)]
pub struct Watched {
    folder: PathBuf,
    disk: Arc<Disk>,
}

impl Watched {
    /// Watches `folder`, which must exist, and on which `image` is safe.
    ///
    /// # Errors
    /// If there is no such folder, or SQLite takes no VFS.
    pub fn new(folder: &Path, image: &Image) -> io::Result<Self> {
        install()?;
        let folder = folder.canonicalize()?;
        let disk = Arc::new(Disk::holding(image));
        FOLDERS.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.clone(), Arc::clone(&disk));
        Ok(Self { folder, disk })
    }

    /// Its disk.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        FOLDERS.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.folder);
    }
}

static FOLDERS: LazyLock<Mutex<HashMap<PathBuf, Arc<Disk>>>> = LazyLock::new(Mutex::default);

/// SQLite's own VFS.
static UNDER: AtomicPtr<sqlite3_vfs> = AtomicPtr::new(ptr::null_mut());

fn install() -> io::Result<()> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: a null name asks for the default VFS, which lives as long as the process. The copy differs from it in the
        // two functions that are watched, its name and the room for a file; the functions taken over are those of SQLite's
        // unix VFS, which ask nothing of the VFS they are given but pAppData, and that is the same. The copy is leaked.
        unsafe {
            let under = sqlite3_vfs_find(ptr::null());
            if under.is_null() {
                return;
            }
            let size = (*under).szOsFile + c_int::try_from(size_of::<File>()).unwrap_or(c_int::MAX / 2);
            let watched = sqlite3_vfs {
                // Version 2 ends before the functions that replace system calls.
                iVersion: 2,
                szOsFile: size,
                zName: c"tongguan-watched".as_ptr(),
                pNext: ptr::null_mut(),
                xOpen: Some(open),
                xDelete: Some(delete),
                ..*under
            };
            UNDER.store(under, Ordering::Release);
            if sqlite3_vfs_register(Box::leak(Box::new(watched)), 1) != SQLITE_OK {
                UNDER.store(ptr::null_mut(), Ordering::Release);
            }
        }
    });
    if UNDER.load(Ordering::Acquire).is_null() { Err(io::Error::other("SQLite takes no VFS")) } else { Ok(()) }
}

/// An open file as SQLite sees it. The real one follows it in memory.
#[repr(C)]
struct File {
    base: sqlite3_file,
    /// Null if nobody watches it.
    place: *mut Place,
}

struct Place {
    disk: Arc<Disk>,
    name: String,
}

/// The watched disk of a path, and the name there.
fn place(path: *const c_char) -> Option<Place> {
    if path.is_null() {
        return None;
    }
    // SAFETY: SQLite gives names that end with a zero.
    let path = Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(path) }.to_bytes()));
    let disk = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner).get(path.parent()?).cloned()?;
    Some(Place { disk, name: path.file_name()?.to_str()?.to_owned() })
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let place = place(name);
    // SAFETY: as above.
    let is_new = |name| !Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes())).exists();
    if let Some(place) = &place
        && is_new(name)
        && place.disk.step(Op::Create(place.name.clone())).is_err()
    {
        // SAFETY: SQLite gives room for a file, and does not close one without methods.
        unsafe { (*file).pMethods = ptr::null() };
        return SQLITE_IOERR;
    }
    let under = UNDER.load(Ordering::Acquire);
    // SAFETY: SQLite gives szOsFile bytes: room for ours and, after it, for the real file, aligned as a pointer is.
    unsafe {
        let ours = file.cast::<File>();
        (*ours).base.pMethods = ptr::null();
        let real = real(file);
        (*real).pMethods = ptr::null();
        let Some(open) = (*under).xOpen else { return SQLITE_IOERR };
        let answer = open(under, name, real, flags, out);
        if answer == SQLITE_OK {
            (*ours).place = place.map_or(ptr::null_mut(), |place| Box::into_raw(Box::new(place)));
            (*ours).base.pMethods = &raw const METHODS;
        }
        answer
    }
}

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    if let Some(place) = place(name)
        && place.disk.step(Op::Delete { file: place.name.clone(), sync: sync != 0 }).is_err()
    {
        return SQLITE_IOERR_DELETE;
    }
    let under = UNDER.load(Ordering::Acquire);
    // SAFETY: the real VFS is given what SQLite gave.
    unsafe { (*under).xDelete.map_or(SQLITE_IOERR, |delete| delete(under, name, sync)) }
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    // Version 2 ends before memory-mapped reads.
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// The real file.
///
/// # Safety
/// `file` is one that `open` was given.
unsafe fn real(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: see `open`.
    unsafe { file.cast::<u8>().add(size_of::<File>()).cast() }
}

/// Tells the disk of a step with the file; whether it may be taken.
///
/// # Safety
/// `file` is one that `open` has opened.
unsafe fn step(file: *mut sqlite3_file, op: impl FnOnce(String) -> Op) -> bool {
    // SAFETY: `place` is null or a box that `close` has not taken back yet.
    let place = unsafe { (*file.cast::<File>()).place.as_ref() };
    place.is_none_or(|place| place.disk.step(op(place.name.clone())).is_ok())
}

/// A method that goes straight through.
macro_rules! through {
    ($name:ident, $method:ident($($argument:ident: $type:ty),*)) => {
        unsafe extern "C" fn $name(file: *mut sqlite3_file, $($argument: $type),*) -> c_int {
            // SAFETY: the real file is given what SQLite gave; its methods are there, since it was opened.
            unsafe {
                let real = real(file);
                (*(*real).pMethods).$method.map_or(SQLITE_IOERR, |method| method(real, $($argument),*))
            }
        }
    };
}

through!(read, xRead(to: *mut c_void, amount: c_int, at: sqlite3_int64));
through!(real_write, xWrite(from: *const c_void, amount: c_int, at: sqlite3_int64));
through!(real_truncate, xTruncate(size: sqlite3_int64));
through!(real_sync, xSync(flags: c_int));
through!(real_close, xClose());
through!(file_size, xFileSize(size: *mut sqlite3_int64));
through!(lock, xLock(level: c_int));
through!(unlock, xUnlock(level: c_int));
through!(check_reserved_lock, xCheckReservedLock(out: *mut c_int));
through!(file_control, xFileControl(op: c_int, argument: *mut c_void));
through!(sector_size, xSectorSize());
through!(shm_map, xShmMap(page: c_int, size: c_int, extend: c_int, out: *mut *mut c_void));
through!(shm_lock, xShmLock(offset: c_int, n: c_int, flags: c_int));
through!(shm_unmap, xShmUnmap(delete: c_int));

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    // SAFETY: as in `through`.
    unsafe {
        let real = real(file);
        if let Some(barrier) = (*(*real).pMethods).xShmBarrier {
            barrier(real);
        }
    }
}

/// No promises but the one that SQLite makes of every disk: a write does not harm its neighbours.
unsafe extern "C" fn device_characteristics(_: *mut sqlite3_file) -> c_int {
    SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, amount: c_int, at: sqlite3_int64) -> c_int {
    // SAFETY: SQLite gives `amount` bytes; the file is open.
    unsafe {
        let bytes = || std::slice::from_raw_parts(from.cast::<u8>(), usize::try_from(amount).unwrap_or(0)).to_vec();
        if !step(file, |name| Op::Write { file: name, at: usize::try_from(at).unwrap_or(0), bytes: bytes() }) {
            return SQLITE_IOERR_WRITE;
        }
        real_write(file, from, amount, at)
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    // SAFETY: the file is open.
    unsafe {
        if !step(file, |name| Op::Truncate { file: name, to: usize::try_from(size).unwrap_or(0) }) {
            return SQLITE_IOERR_TRUNCATE;
        }
        real_truncate(file, size)
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: the file is open.
    unsafe {
        if !step(file, Op::Sync) {
            return SQLITE_IOERR_FSYNC;
        }
        // What is safe is for `Disk` to say: a watched folder is thrown away, and the machine's own disk need not be waited for.
        let watched = !(*file.cast::<File>()).place.is_null();
        if watched { SQLITE_OK } else { real_sync(file, flags) }
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: the file is open, and SQLite closes it once.
    unsafe {
        let place = std::mem::replace(&mut (*file.cast::<File>()).place, ptr::null_mut());
        if !place.is_null() {
            drop(Box::from_raw(place));
        }
        real_close(file)
    }
}
