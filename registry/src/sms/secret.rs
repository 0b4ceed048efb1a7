//! Files with a secret for somebody else's service, one a line.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use crate::data::explain;

/// Bytes of such a file. The longest key has about a hundred.
const BYTES: u64 = 4096;

/// Reads the `N` secrets of a file that its owner alone may read.
///
/// # Errors
/// What is wrong with the file, and what to do; never what is in it.
pub(super) fn read<const N: usize>(path: &Path) -> Result<[Zeroizing<String>; N], String> {
    let shown = path.display();
    let failed = |error: std::io::Error| format!("cannot read {shown}: {}", explain(&error));
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(format!("{shown} is not a file"));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(format!("others can read {shown}, which holds a secret: chmod 600 it, and change the secret"));
    }
    // Of this size from the start: a buffer that grows leaves pieces of it behind.
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(BYTES).unwrap_or(0)));
    file.take(BYTES).read_to_string(&mut text).map_err(|_| format!("{shown} is not a file of text"))?;
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let printable = lines.iter().all(|line| line.bytes().all(|b| b.is_ascii_graphic()));
    let wrong =
        || format!("{shown} should have {N} line(s), each a secret of letters, digits and signs without spaces");
    let secrets: [&str; N] = lines.try_into().map_err(|_| wrong())?;
    if printable { Ok(secrets.map(|line| Zeroizing::new(line.to_owned()))) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};

    #[test]
    fn a_secret_is_read_from_a_file_of_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        let read_of = |bytes: &[u8], mode| {
            fs::write(&path, bytes).expect("written");
            fs::set_permissions(&path, Permissions::from_mode(mode)).expect("set");
            read::<2>(&path).map(|secrets| secrets.map(|secret| secret.to_string()))
        };
        let both = Ok(["one".to_owned(), "t=w/o+".to_owned()]);
        assert_eq!(read_of(b"one\nt=w/o+\n", 0o600), both);
        assert_eq!(read_of(b"one\r\n\r\n t=w/o+ \r\n", 0o400), both);
        for (bytes, mode, said) in [
            (b"one\ntwo".as_slice(), 0o640, "chmod 600"),
            (b"one\ntwo", 0o604, "chmod 600"),
            (b"one", 0o600, "2 line(s)"),
            (b"one\ntwo\nthree", 0o600, "2 line(s)"),
            (b"one\ntw o", 0o600, "without spaces"),
            ("one\n钥匙".as_bytes(), 0o600, "without spaces"),
            (b"\xff\n\xfe", 0o600, "text"),
            (&[b'1'; 5000], 0o600, "2 line(s)"),
        ] {
            let error = read_of(bytes, mode).expect_err(said);
            assert!(error.contains(said) && !error.contains("one\n") && !error.contains("two"), "{error}");
        }
        assert!(read::<1>(&folder.path().join("none")).expect_err("missing").contains("cannot read"));
        assert!(read::<1>(folder.path()).expect_err("a folder").contains("not a file"));
    }
}
