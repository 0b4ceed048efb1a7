//! How a registry begins: its root, its first keyset, its first community.

use tongguan_pass::{KeyId, Keyset, ListError, Purpose, RegistryKey, Root, SigningKey};

use crate::domain::rotation::{self, KeyTerms};
use crate::domain::time::DAY;

/// The id of the first root key.
pub const ROOT_KEY: KeyId = KeyId(1);
/// The first community's id.
pub const COMMUNITY: u32 = 1;
/// The first community's name.
pub const COMMUNITY_NAME: &str = "Sample community / 示例社区";

/// The signed files a registry begins with.
#[derive(Debug, Clone)]
pub struct Genesis {
    /// The root file.
    pub root: Vec<u8>,
    /// The keyset file.
    pub keyset: Vec<u8>,
}

/// Root version 1 (1 of 1) and keyset version 1 with a key for each purpose, ids from 1.
///
/// # Errors
/// [`ListError`] if the keys do not make a keyset, which only a broken source of randomness could cause.
pub fn begin(root: &SigningKey, keys: &[(Purpose, &SigningKey)], now: u32) -> Result<Genesis, ListError> {
    let signers = [(ROOT_KEY, root)];
    let file =
        Root { version: 1, issued_at: now, previous: None, threshold: 1, keys: vec![(ROOT_KEY, root.verifying_key())] }
            .sign(&signers);
    let keys = keys.iter().zip(1..).map(|((purpose, key), id)| RegistryKey {
        id: KeyId(id),
        purpose: *purpose,
        // A day back, for drills and for gates with slow clocks.
        not_before: now.saturating_sub(DAY),
        not_after: rotation::validity(*purpose, now, KeyTerms::default()).1,
        key: key.verifying_key(),
    });
    let keyset = Keyset::new(1, now, keys.collect())?.sign(&signers);
    Ok(Genesis { root: file, keyset })
}
