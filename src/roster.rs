//! Who a handle or a document belongs to: the communities' rosters (SY 13), opened with this device's key.
//!
//! A question takes some hundredths of a second, on purpose; it is never asked on the way from a code to the relay. What is
//! asked and answered here is in no log.

use tongguan_pass::{Document, Resident, Roster, RosterKey};

use crate::store::{DataDir, DeviceKey, StoreError, TrustStore};

/// The rosters that this gate can open.
#[derive(Debug, Default)]
pub struct Rosters(Vec<(Roster, RosterKey)>);

impl Rosters {
    /// Opens rosters that are stored here. One that is sealed to other gates is of no use.
    pub fn unlock(files: &[Vec<u8>], device: &DeviceKey) -> Self {
        let rosters = files.iter().filter_map(|file| Roster::decode(file).ok());
        Self(rosters.filter_map(|roster| roster.unlock(device.signing()).map(|key| (roster, key))).collect())
    }

    /// Whether nobody can be looked up.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each community with the number of its entries.
    pub fn sizes(&self) -> impl Iterator<Item = (u32, usize)> {
        self.0.iter().map(|(roster, _)| (roster.community, roster.len()))
    }

    /// Whose handle it is.
    pub fn by_handle(&self, community: u32, handle: u32) -> Option<Resident> {
        let (roster, key) = self.0.iter().find(|(roster, _)| roster.community == community)?;
        roster.find(&key.slot_of_handle(&roster.salt, handle)).filter(|resident| resident.handle == handle)
    }

    /// Whose document it is, and of which community.
    pub fn by_document(&self, document: &Document) -> Option<(u32, Resident)> {
        self.0.iter().find_map(|(roster, key)| {
            let found = roster.find(&key.slot_of_document(&roster.salt, document))?;
            Some((roster.community, found))
        })
    }
}

/// The rosters as they are stored, opened anew when a sync has brought others.
#[derive(Debug)]
pub struct StoredRosters {
    store: TrustStore,
    device: DeviceKey,
    version: (Vec<u8>, String),
    rosters: Rosters,
}

impl StoredRosters {
    /// The rosters of a data folder.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn open(dir: &DataDir) -> Result<Self, StoreError> {
        let (store, device) = (TrustStore::open_to_read(dir)?, DeviceKey::open(dir)?);
        Ok(Self { store, device, version: Default::default(), rosters: Rosters::default() })
    }

    /// What is stored now; what was there before, if it cannot be read.
    pub fn current(&mut self) -> &Rosters {
        if let Err(error) = self.follow() {
            tracing::warn!("the rosters cannot be read: {error}");
        }
        &self.rosters
    }

    fn follow(&mut self) -> Result<(), StoreError> {
        let version = self.store.rosters_version()?;
        if version != self.version {
            // Every signature is checked again: a roster that somebody put on the card must open no gate.
            let trust = self.store.load()?;
            let files = trust.head.as_ref().map_or(Ok(Vec::new()), |head| self.store.rosters(head))?;
            self.rosters = Rosters::unlock(&files, &self.device);
            self.version = version;
        }
        Ok(())
    }
}
