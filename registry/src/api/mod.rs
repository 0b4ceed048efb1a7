//! The registry over HTTP: signed lists and time for checkpoints, events from them, codes for residents.
//!
//! Nothing secret is ever in an address, an error or a log: tokens come in a header or a form, and errors carry a stable code.

mod codes;
mod desk;
mod error;
mod events;
mod health;
mod lists;
pub mod openapi;
pub mod serve;
mod time;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::set_header::SetResponseHeaderLayer;

pub(crate) use codes::{CertificateReply, CertificateRequest};
pub use desk::Web;
pub(crate) use desk::{App, Desk, Peer};
pub(crate) use error::{ApiError, ApiErrorBody};

use crate::pages;
use crate::registry::Registry;

/// Bytes of a request body, but for event batches: a form or a key, and no more (endless data).
const BODY_BYTES: usize = 16 * 1024;
/// A request that takes longer is given up, so that slow senders cannot hold every connection.
const REQUEST_TIME: Duration = Duration::from_secs(30);

/// Every address with its methods. `openapi.json` describes exactly these; a test holds the two together.
fn routes() -> Vec<(&'static str, MethodRouter<App>)> {
    vec![
        ("/v1/head", get(lists::head)),
        ("/v1/files/{sha256}", get(lists::file)),
        ("/v1/time", get(time::time)),
        ("/v1/events", post(events::hand_in).layer(DefaultBodyLimit::max(tongguan_pass::limits::BATCH_BYTES))),
        ("/v1/codes/live", post(codes::live)),
        ("/v1/certificates", post(codes::certificate)),
        ("/healthz", get(health::health)),
        ("/openapi.json", get(openapi::document)),
    ]
}

/// The whole application.
pub fn app(registry: Arc<Registry>, web: Arc<Web>) -> Router {
    let mut router = Router::new();
    for (path, methods) in routes() {
        router = router.route(path, methods);
    }
    let mut people = Router::new();
    for (path, methods) in pages::routes() {
        people = people.route(path, methods);
    }
    // Only to people's pages do browsers bring cookies. Programs have no origin.
    router = router.merge(people.layer(CsrfLayer::new()).layer(CompressionLayer::new()));
    router
        .fallback(|| async { ApiError::not_found("no such address; see /openapi.json") })
        .method_not_allowed_fallback(|| async { ApiError::method_not_allowed() })
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(from_fn(in_time))
        .layer(CatchPanicLayer::custom(|_| ApiError::internal("a request handler panicked").into_response()))
        .layer(header_if_absent(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header_if_absent(header::REFERRER_POLICY, "no-referrer"))
        .with_state(Arc::new(Desk::new(registry, web)))
}

async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_TIME, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::timeout().into_response(),
    }
}

fn header_if_absent(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}
