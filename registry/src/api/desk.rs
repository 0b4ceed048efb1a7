//! Where requests meet the registry: its work blocks on a disk, so it is done beside the event loop, a bounded number at once.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use tokio::sync::Semaphore;

use crate::api::ApiError;
use crate::domain::person::Token;
use crate::registry::{Error, Registry};

/// Requests at work at once. Writers queue for one disk; more of them would only queue longer.
const AT_ONCE: usize = 64;
/// A request that finds no place in this time is told to come back.
const PATIENCE: Duration = Duration::from_secs(5);

/// What every handler is given.
pub(crate) type App = Arc<Desk>;

/// See the module.
pub(crate) struct Desk {
    registry: Arc<Registry>,
    places: Arc<Semaphore>,
}

impl Desk {
    pub(crate) fn new(registry: Arc<Registry>) -> Self {
        Self { registry, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Signed time, at once: it touches no disk, and time spent in a queue would be an error of the answer.
    pub(crate) fn sign_time(&self, nonce: [u8; 16]) -> Result<Vec<u8>, ApiError> {
        Ok(self.registry.time(nonce)?)
    }

    /// Does `work` with the registry.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Registry) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, ApiError> {
        let place = tokio::time::timeout(PATIENCE, Arc::clone(&self.places).acquire_owned()).await;
        let place = place.map_err(|_| ApiError::busy())?.map_err(|_| ApiError::busy())?;
        let registry = Arc::clone(&self.registry);
        let done = tokio::task::spawn_blocking(move || {
            // The place is free when the work is done, even if nobody waits for it any more.
            let _place = place;
            work(&registry)
        });
        match done.await {
            Ok(result) => Ok(result?),
            Err(error) => Err(ApiError::internal(&error.to_string())),
        }
    }
}

/// The bearer token of a request.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Token, ApiError> {
    let value = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).ok_or_else(ApiError::unauthorized)?;
    let (scheme, token) = value.split_once(' ').ok_or_else(ApiError::unauthorized)?;
    // RFC 9110 11.1: the scheme's case does not matter.
    let bearer = scheme.eq_ignore_ascii_case("bearer");
    bearer.then(|| Token::parse(token.trim())).flatten().ok_or_else(ApiError::unauthorized)
}
