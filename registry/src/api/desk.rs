//! Where requests meet the registry: its work blocks on a disk, so it is done beside the event loop, a bounded number at once.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::http::{HeaderMap, header};
use tokio::sync::{Notify, Semaphore};

use crate::api::ApiError;
use crate::domain::person::Token;
use crate::domain::proof::CodeLimits;
use crate::places::Places;
use crate::registry::{Error, Registry};
use crate::sms::Log;

/// Requests at work at once. Writers queue for one disk; more of them would only queue longer.
const AT_ONCE: usize = 64;
/// A request that finds no place in this time is told to come back.
const PATIENCE: Duration = Duration::from_secs(5);

/// What every handler is given.
pub(crate) type App = Arc<Desk>;

/// The network address of a connection's other end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// What pages depend on beside the registry.
pub struct Web {
    /// Whether browsers come over TLS, here or at a proxy.
    pub secure: bool,
    /// Proxies of ours between them and us, each of which appends to `X-Forwarded-For`.
    pub proxies: usize,
    /// How often messages may be asked for.
    pub limits: CodeLimits,
    /// The inbox of development.
    pub inbox: Option<Arc<Log>>,
    /// Told when a message is due.
    pub post: Notify,
    /// Where people live.
    pub(crate) places: RwLock<Arc<Places>>,
}

impl std::fmt::Debug for Web {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Web").field("secure", &self.secure).field("proxies", &self.proxies).finish_non_exhaustive()
    }
}

impl Web {
    /// For browsers that come over TLS or not, through so many proxies; with an inbox of development or without.
    pub fn new(secure: bool, proxies: usize, inbox: Option<Arc<Log>>) -> Self {
        let places = RwLock::new(Arc::new(Places::of(Vec::new())));
        Self { secure, proxies, inbox, limits: CodeLimits::default(), post: Notify::new(), places }
    }

    /// Where people live, as of the last look.
    pub(crate) fn places(&self) -> Arc<Places> {
        Arc::clone(&self.places.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks for communities anew.
    pub(crate) fn replace_places(&self, places: Places) {
        *self.places.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(places);
    }
}

/// See the module.
pub(crate) struct Desk {
    registry: Arc<Registry>,
    web: Arc<Web>,
    places: Arc<Semaphore>,
}

impl Desk {
    pub(crate) fn new(registry: Arc<Registry>, web: Arc<Web>) -> Self {
        Self { registry, web, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    pub(crate) fn web(&self) -> &Web {
        &self.web
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
