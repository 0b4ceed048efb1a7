//! Is it well: for a load balancer, and for whoever watches.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::{ApiError, ApiErrorBody, App};

/// The registry answers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// Always `ok`; an error has another status.
    #[schema(example = "ok")]
    status: &'static str,
    /// The current head's version; null before the first publish.
    version: Option<u32>,
    /// Seconds since the head was issued. It is issued anew at least every hour.
    head_age_s: Option<u32>,
    /// Dropped handles that the next publish will take in.
    waiting: u32,
}

/// Whether the database answers, and how old the head is.
#[utoipa::path(get, path = "/healthz", tag = "operations",
    responses(
        (status = 200, description = "The database answers", body = Health),
        (status = 503, description = "The database does not answer", body = ApiErrorBody)))]
pub(super) async fn health(State(app): State<App>) -> Result<Response, ApiError> {
    let (standing, now) = app.ask(|r| Ok((r.store().standing(r.now())?, r.now()))).await.map_err(|e| e.or_unwell())?;
    let (version, issued_at) = standing.head.unzip();
    let head_age_s = issued_at.map(|at| now.saturating_sub(at));
    let body = Health { status: "ok", version, head_age_s, waiting: standing.waiting };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}
