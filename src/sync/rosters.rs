//! Fetching the rosters of the communities this gate serves (SYNC 13). They come after the lists and change nothing about them:
//! a gate without a roster decides as before, and does not say who somebody is.

use tongguan_pass::{FileRef, Head, ListError, Roster, RosterIndex, limits};

use super::lists::{get_named, refused};
use super::{SyncError, Transport};
use crate::store::TrustStore;

/// SY 13.1: a gate that is told no community fetches all rosters of an index of at most so many.
const ALL_OF: usize = 8;

/// Brings the rosters here to those that the head names.
///
/// # Errors
/// [`SyncError`] of the first one that is not whole; the others are here all the same, and the next sync tries it again.
pub(super) fn follow(transport: &dyn Transport, head: &Head, store: &mut TrustStore) -> Result<(), SyncError> {
    let (known, here) = (store.roster_index()?, store.stored_rosters()?);
    let Some(named) = head.rosters() else {
        return if known.is_empty() && here.is_empty() { Ok(()) } else { Ok(store.keep_rosters(&[], &[])?) };
    };
    let index_file = match named.check(&known) {
        Ok(()) => known.clone(),
        Err(_) => get_named(transport, named, "the index of rosters", limits::ROSTER_INDEX_BYTES)?,
    };
    let index = RosterIndex::decode(&index_file).map_err(refused("the index of rosters"))?;
    let (mut rosters, mut problem) = (Vec::new(), None);
    for (community, file) in wanted(&index, store.communities()) {
        let kept = here.iter().find(|roster| file.check(roster).is_ok()).cloned();
        match kept.map_or_else(|| fetch(transport, *community, file), Ok) {
            Ok(roster) => rosters.push(roster),
            Err(error) => problem = problem.or(Some(error)),
        }
    }
    // Compared with what is there, so that what was damaged or added on the card, or is no longer served, goes.
    let same = here.len() == rosters.len() && rosters.iter().all(|roster| here.contains(roster));
    if known != index_file || !same {
        store.keep_rosters(&index_file, &rosters)?;
    }
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tongguan_pass::head::Revocations;
    use tongguan_pass::{Resident, RosterKey, Sha256Hash, SigningKey};

    use super::*;
    use crate::roster::Rosters;
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
    fn a_gate_has_the_rosters_of_its_communities_that_the_head_leads_to_and_no_others() {
        let (folder, registry) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let dir = data(&folder);
        let gate = DeviceKey::open(&dir).unwrap();
        let mut store = TrustStore::open(&dir).unwrap().serving(&[2]);
        let transport = Folder(registry.path().to_owned());
        let publish = |rosters: &[(u32, &[u8])]| {
            let named = rosters.iter().map(|(community, bytes)| (*community, put(registry.path(), bytes)));
            head(Some(put(registry.path(), &RosterIndex(named.collect()).encode())))
        };
        let who = |store: &TrustStore, head: &Head, community| {
            let rosters = Rosters::unlock(&store.rosters(head).unwrap(), &gate);
            rosters.by_handle(community, 77).map(|r| r.name)
        };

        let (one, two) = (roster(1, &gate, "周*"), roster(2, &gate, "吴*"));
        let first = publish(&[(1, &one), (2, &two)]);
        follow(&transport, &first, &mut store).unwrap();
        assert_eq!((who(&store, &first, 2).as_deref(), who(&store, &first, 1)), (Some("吴*"), None));

        // Another community is served from now on; what somebody put on the card is not believed, and goes.
        let mut store = store.serving(&[1, 2]);
        let forged = roster(3, &gate, "王*");
        store.keep_rosters(&store.roster_index().unwrap(), &[two.clone(), forged]).unwrap();
        assert_eq!(who(&store, &first, 3), None);
        follow(&transport, &first, &mut store).unwrap();
        assert_eq!(who(&store, &first, 1).as_deref(), Some("周*"));
        assert_eq!(store.stored_rosters().unwrap().len(), 2);

        let newer = roster(2, &gate, "郑*");
        let second = publish(&[(2, &newer)]);
        let path = registry.path().join(format!("v1/files/{}", FileRef::to(1, &newer).hash));
        std::fs::write(&path, &newer[..50]).unwrap();
        follow(&transport, &second, &mut store).unwrap_err();
        assert_eq!(who(&store, &second, 2), None, "not the old one: nobody vouches for it any more");
        std::fs::write(&path, &newer).unwrap();
        follow(&transport, &second, &mut store).unwrap();
        assert_eq!(who(&store, &second, 2).as_deref(), Some("郑*"));

        // Another community's under this one's name; then none at all.
        let mixed = publish(&[(2, &one)]);
        follow(&transport, &mixed, &mut store).unwrap_err();
        assert_eq!(who(&store, &mixed, 2), None);
        follow(&transport, &head(None), &mut store).unwrap();
        assert_eq!(store.stored_rosters().unwrap().len(), 0);
    }

    #[test]
    fn what_is_sealed_to_other_gates_says_nothing_here() {
        let folder = tempfile::tempdir().unwrap();
        let dir = data(&folder);
        let (key, salt) = (RosterKey::from_random([7; 32]), [3; 16]);
        let other = SigningKey::from_bytes(&[8; 32]).verifying_key();
        let roster = Roster::new(1, salt, vec![key.seal_to(&other, [5; 32]).unwrap()], vec![]).unwrap();
        let gate = DeviceKey::open(&dir).unwrap();
        assert!(Rosters::unlock(&[roster.encode()], &gate).is_empty());
    }
}
