//! Whose files these are. What root would leave behind in the folder of another user, that user's gate could not write.

use std::ffi::CString;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::Context as _;
use nix::unistd::{Gid, Uid, User, geteuid, initgroups, setgid, setgroups, setuid};

/// Goes on as the owner of `folder`, with their groups, if it is root that asks and the folder is somebody else's.
///
/// # Errors
/// If root may not do so here.
pub(super) fn become_owner(folder: &Path) -> anyhow::Result<()> {
    let Ok(metadata) = folder.metadata() else { return Ok(()) };
    let (uid, gid) = (Uid::from_raw(metadata.uid()), Gid::from_raw(metadata.gid()));
    if !geteuid().is_root() || uid.is_root() {
        return Ok(());
    }
    let switch = || -> nix::Result<()> {
        match User::from_uid(uid)? {
            Some(user) => {
                let name = CString::new(user.name).unwrap_or_default();
                initgroups(&name, user.gid)?;
                setgid(user.gid)?;
            }
            // A number without a name, as in a container.
            None => {
                setgroups(&[gid])?;
                setgid(gid)?;
            }
        }
        setuid(uid)
    };
    switch().with_context(|| {
        format!("cannot go on as the owner of {} (user {uid}); run it as that user", folder.display())
    })?;
    tracing::info!("going on as user {uid}, whose folder {} is", folder.display());
    Ok(())
}
