//! Where people live, looked for as they write it.

use crate::lang::Text;
use crate::store::Community;

/// Results that a page shows.
pub const PLACES_SHOWN: usize = 8;

/// A community that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its number.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Where it lies.
    pub region: Option<Text>,
    /// Why it was found, where that is not plain.
    pub note: Option<Text>,
}

/// All communities.
#[derive(Debug, Default)]
pub struct Places {
    all: Vec<Community>,
}

impl Places {
    /// An index of these.
    pub fn of(all: Vec<Community>) -> Self {
        Self { all }
    }

    /// The community of that number.
    pub fn get(&self, id: u32) -> Option<Found> {
        self.all.iter().find(|community| community.id == id).map(found)
    }

    /// At most `limit` communities, the likeliest first.
    pub fn find(&self, query: &str, limit: usize) -> Vec<Found> {
        let query = query.trim();
        self.all.iter().filter(|community| community.name.contains(query)).take(limit).map(found).collect()
    }
}

fn found(community: &Community) -> Found {
    Found { id: community.id, name: community.name.clone(), region: None, note: None }
}
