//! Listening: connections with deadlines of their own, and a stop that lets requests finish.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Extension;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::jobs;
use crate::registry::{Error, Registry};
use crate::sms::SmsSender;

use super::{Peer, Web};

/// How often it is looked whether a signing key is due.
const ROTATE_EVERY: Duration = Duration::from_secs(3600);
/// Connections at once. Beyond, the next ones wait in the kernel's queue.
const CONNECTIONS: usize = 4096;
/// A connection that sends no whole request header in this time is closed (slow senders, and idle keep-alive).
const HEADER_TIME: Duration = Duration::from_secs(30);
/// A connection older than this is closed, so that slow readers cannot hold every place.
const CONNECTION_TIME: Duration = Duration::from_secs(900);
/// Bytes of a request's header (endless data).
const HEADER_BYTES: usize = 32 * 1024;
/// How long requests may take to finish after the signal to stop.
const FAREWELL: Duration = Duration::from_secs(10);

/// Why the server did not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The registry is not fit to serve.
    #[error(transparent)]
    Registry(#[from] Error),
    /// The address cannot be had.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// The runtime or its signals.
    #[error("cannot start: {0}")]
    Start(#[from] io::Error),
}

/// How people are served.
pub struct People {
    /// What their pages depend on.
    pub web: Web,
    /// Who sends messages to their phones.
    pub sender: Arc<dyn SmsSender>,
}

impl std::fmt::Debug for People {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("People").field("web", &self.web).finish_non_exhaustive()
    }
}

/// Serves until SIGTERM or SIGINT; publishes at most once in `publish_every` seconds, and makes rosters every so often. `started` is told the address, and whether it wants to go on is its answer.
///
/// # Errors
/// [`ServeError`].
pub fn serve(
    registry: Registry,
    listen: SocketAddr,
    publish_every: u32,
    rosters_every: Option<Duration>,
    people: People,
    started: impl FnOnce(SocketAddr) -> bool,
) -> Result<(), ServeError> {
    registry.ready_to_serve()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(listen).await.map_err(|e| ServeError::Listen(listen, e))?;
        let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let registry = Arc::new(registry);
        let publisher = tokio::spawn(jobs::publish_regularly(Arc::clone(&registry), publish_every));
        let rotator = tokio::spawn(jobs::rotate_regularly(Arc::clone(&registry), ROTATE_EVERY));
        let web = Arc::new(people.web);
        let post = tokio::spawn(jobs::send_messages(Arc::clone(&registry), people.sender, Arc::clone(&web)));
        let places = tokio::spawn(jobs::look_for_places(Arc::clone(&registry), Arc::clone(&web)));
        let stopping = Arc::new(AtomicBool::new(false));
        let rosters = rosters_every.map(|every| {
            tokio::spawn(jobs::make_rosters_regularly(Arc::clone(&registry), every, Arc::clone(&stopping)))
        });
        if started(listener.local_addr()?) {
            let stop = async move {
                tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
            };
            accept_until(stop, listener, super::app(registry, web)).await;
        }
        // What is at work in a thread of its own is waited for.
        stopping.store(true, Ordering::Relaxed);
        publisher.abort();
        rotator.abort();
        post.abort();
        places.abort();
        rosters.iter().for_each(JoinHandle::abort);
        Ok(())
    })
}

async fn accept_until(stop: impl Future<Output = ()>, listener: TcpListener, app: axum::Router) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut stop = pin!(stop);
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, accept(&listener).await)
        };
        let (place, (stream, peer)) = tokio::select! {
            next = next => next,
            () = &mut stop => break,
        };
        let service = TowerToHyperService::new(app.clone().layer(Extension(Peer(peer.ip().to_canonical()))));
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIME).max_buf_size(HEADER_BYTES);
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            let _place = place;
            // Clients go away in the middle all the time; that is no news.
            let _ = tokio::time::timeout(CONNECTION_TIME, connection).await;
        });
    }
    drop(listener);
    tracing::info!("stopping; requests under way may finish");
    if tokio::time::timeout(FAREWELL, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
}

/// The next connection. Out of file descriptors is a state to sit out, not an end.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // With Nagle a file of 4 KB took 43 ms, without 3.
                let _ = stream.set_nodelay(true);
                return (stream, peer);
            }
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
