//! Signed time (SY 7), for checkpoints that have no clock to trust.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER_PERMISSIVE;
use serde::Deserialize;

use crate::api::{ApiError, ApiErrorBody, App};

#[derive(Deserialize)]
pub(super) struct Asked {
    nonce: String,
}

/// The time, signed over the caller's nonce.
#[utoipa::path(get, path = "/v1/time", tag = "time",
    params(("nonce" = String, Query, description = "16 random bytes: 32 hex digits")),
    responses(
        (status = 200, description = "A signed time reply (docs/SYNC.md, section 7); never cached", content_type = "application/octet-stream", body = Vec<u8>),
        (status = 400, description = "Not a nonce", body = ApiErrorBody)))]
pub(super) async fn time(
    State(app): State<App>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, ApiError> {
    let nonce = asked.ok().and_then(|Query(a)| HEXLOWER_PERMISSIVE.decode(a.nonce.as_bytes()).ok());
    let nonce: [u8; 16] = nonce
        .and_then(|b| b.try_into().ok())
        .ok_or_else(|| ApiError::bad_request("ask with ?nonce= and 32 hex digits"))?;
    let reply = app.sign_time(nonce)?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, "no-store")], reply)
        .into_response())
}
