//! Fetching the rosters of the communities this gate serves (SYNC 13). They come after the lists and change nothing about them:
//! a gate without a roster decides as before, and does not say who somebody is.

use tongguan_pass::{FileRef, Head, ListError, Roster, RosterIndex, Sha256Hash, limits};

use super::lists::{get_named, refused};
use super::{SyncError, Transport};
use crate::store::TrustStore;

/// SY 13.1: a gate that is told no community fetches all rosters of an index of at most so many.
const ALL_OF: usize = 8;

/// Brings the rosters here to those that the head names.
///
/// # Errors
/// [`SyncError`] of the first one that is not whole; the others are here all the same, and the next sync tries again.
pub(super) fn follow(transport: &dyn Transport, head: &Head, store: &mut TrustStore) -> Result<(), SyncError> {
    let known = store.roster_index()?;
    let Some(named) = head.rosters() else {
        if !store.rosters_version()?.is_empty() {
            store.keep_rosters(&[], &[])?;
        }
        return Ok(());
    };
    if named.check(&known).is_ok() {
        return Ok(());
    }
    let index_file = get_named(transport, named, "the index of rosters", limits::ROSTER_INDEX_BYTES)?;
    let index = RosterIndex::decode(&index_file).map_err(refused("the index of rosters"))?;
    let here = store.rosters()?;
    let (mut rosters, mut problem) = (Vec::new(), None);
    for (community, file) in wanted(&index, store.communities()) {
        let kept = here.iter().find(|r| Sha256Hash::of(r) == file.hash).cloned();
        match kept.map_or_else(|| fetch(transport, *community, file), Ok) {
            Ok(roster) => rosters.push(roster),
            Err(error) => {
                // An older roster is better than none.
                rosters.extend(here.iter().find(|r| is_of(r, *community)).cloned());
                problem = problem.or(Some(error));
            }
        }
    }
    // Without its index the next sync fetches what is missing.
    let index_file = if problem.is_none() { index_file.as_slice() } else { &[] };
    store.keep_rosters(index_file, &rosters)?;
    problem.map_or(Ok(()), Err)
}

fn wanted<'a>(index: &'a RosterIndex, communities: &'a [u32]) -> impl Iterator<Item = &'a (u32, FileRef)> {
    let all = communities.is_empty() && index.0.len() <= ALL_OF;
    index.0.iter().filter(move |(community, _)| all || communities.contains(community))
}

fn fetch(transport: &dyn Transport, community: u32, file: &FileRef) -> Result<Vec<u8>, SyncError> {
    let bytes = get_named(transport, file, "a roster", limits::ROSTER_BYTES)?;
    let roster = Roster::decode(&bytes).map_err(refused("a roster"))?;
    if roster.community == community { Ok(bytes) } else { Err(refused("a roster")(ListError::Field("community"))) }
}

fn is_of(roster: &[u8], community: u32) -> bool {
    Roster::decode(roster).is_ok_and(|roster| roster.community == community)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tongguan_pass::head::Revocations;
    use tongguan_pass::{Resident, RosterKey, SigningKey};

    use super::*;
    use crate::roster::StoredRosters;
    use crate::store::DeviceKey;
    use crate::store::testing::data;
    use crate::sync::Folder;

    fn put(folder: &Path, bytes: &[u8]) -> FileRef {
        let file = FileRef::to(1, bytes);
        std::fs::create_dir_all(folder.join("v1/files")).unwrap();
        std::fs::write(folder.join(format!("v1/files/{}", file.hash)), bytes).unwrap();
        file
    }

    fn head(index: Option<FileRef>) -> Head {
        let none = FileRef::to(1, b"");
        let checksum = Sha256Hash([0; 32]);
        let revocations =
            Revocations { version: 1, oldest_day: 0, count: 0, checksum, snapshot: none, deltas: Vec::new() };
        let files = Head::further(None, index);
        Head { epoch: 1, version: 1, issued_at: 1, expires_at: 2, root: none, keyset: none, revocations, files }
    }

    /// A roster of one resident, sealed to a gate.
    fn roster(community: u32, gate: &DeviceKey, name: &str) -> Vec<u8> {
        let (key, salt) = (RosterKey::from_random([7; 32]), [3; 16]);
        let resident = Resident { handle: 77, category: 1, name: name.into(), home: "3".into() };
        let entry = key.slot_of_handle(&salt, 77).seal(&resident).unwrap();
        let sealed = key.seal_to(&gate.public(), [5; 32]).unwrap();
        Roster::new(community, salt, vec![sealed], vec![entry]).unwrap().encode()
    }

    #[test]
    fn a_gate_has_the_rosters_of_its_communities_and_keeps_the_old_one_while_the_new_one_is_not_whole() {
        let (folder, registry) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let dir = data(&folder);
        let gate = DeviceKey::open(&dir).unwrap();
        let mut store = TrustStore::open(&dir).unwrap().serving(&[2]);
        let mut here = StoredRosters::open(&dir).unwrap();
        let transport = Folder(registry.path().to_owned());
        let publish = |rosters: &[(u32, &[u8])]| {
            let named = rosters.iter().map(|(community, bytes)| (*community, put(registry.path(), bytes)));
            head(Some(put(registry.path(), &RosterIndex(named.collect()).encode())))
        };
        let who = |here: &mut StoredRosters, community| here.current().by_handle(community, 77).map(|r| r.name);

        let (one, two) = (roster(1, &gate, "周*"), roster(2, &gate, "吴*"));
        follow(&transport, &publish(&[(1, &one), (2, &two)]), &mut store).unwrap();
        assert_eq!((who(&mut here, 2).as_deref(), who(&mut here, 1)), (Some("吴*"), None));
        assert_eq!(here.current().by_handle(2, 78), None);

        let newer = roster(2, &gate, "郑*");
        let published = publish(&[(2, &newer)]);
        let path = registry.path().join(format!("v1/files/{}", FileRef::to(1, &newer).hash));
        std::fs::write(&path, &newer[..50]).unwrap();
        follow(&transport, &published, &mut store).unwrap_err();
        assert_eq!(who(&mut here, 2).as_deref(), Some("吴*"));
        std::fs::write(&path, &newer).unwrap();
        follow(&transport, &published, &mut store).unwrap();
        assert_eq!(who(&mut here, 2).as_deref(), Some("郑*"));

        // Another community's under this one's name; then none at all.
        follow(&transport, &publish(&[(2, &one)]), &mut store).unwrap_err();
        assert_eq!(who(&mut here, 2).as_deref(), Some("郑*"));
        follow(&transport, &head(None), &mut store).unwrap();
        assert_eq!(who(&mut here, 2), None);
    }

    #[test]
    fn what_is_sealed_to_other_gates_says_nothing_here() {
        let folder = tempfile::tempdir().unwrap();
        let dir = data(&folder);
        let (key, salt) = (RosterKey::from_random([7; 32]), [3; 16]);
        let other = SigningKey::from_bytes(&[8; 32]).verifying_key();
        let roster = Roster::new(1, salt, vec![key.seal_to(&other, [5; 32]).unwrap()], vec![]).unwrap();
        TrustStore::open(&dir).unwrap().keep_rosters(&[1], &[roster.encode()]).unwrap();
        assert!(StoredRosters::open(&dir).unwrap().current().is_empty());
    }
}
