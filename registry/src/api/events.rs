//! Events from checkpoints (SY 6): sent at least once, stored exactly once.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use data_encoding::BASE64;
use serde::Serialize;
use tongguan_pass::limits;
use utoipa::ToSchema;

use crate::api::{ApiError, ApiErrorBody, App};

/// What became of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Receipt {
    /// Records stored now.
    stored: usize,
    /// Records stored before; they are fine.
    duplicate: usize,
    /// One more than the highest number stored of this device.
    next_seq: u64,
    /// The signed receipt (docs/SYNC.md, 6.6) in base64; `null` while the registry has no key to sign it.
    receipt: Option<String>,
}

/// Hand in a signed batch of events.
///
/// The device is named by the key that signed. One that is not known yet is recorded as pending with its events.
#[utoipa::path(post, path = "/v1/events", tag = "events",
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "A signed batch, at most 256 KiB (docs/SYNC.md, section 6)"),
    responses(
        (status = 200, description = "Every record of the batch is stored, each exactly once", body = Receipt),
        (status = 400, description = "Malformed; `error` names the failed check", body = ApiErrorBody),
        (status = 401, description = "Not signed by the device it names", body = ApiErrorBody),
        (status = 408, description = "Too slow", body = ApiErrorBody),
        (status = 409, description = "Contradicts what the device handed in before; nothing is stored", body = ApiErrorBody),
        (status = 413, description = "Longer than 256 KiB", body = ApiErrorBody),
        (status = 503, description = "The store does not answer, too many devices wait to be enrolled, or this one has handed in what it may until it is", body = ApiErrorBody)))]
pub(super) async fn hand_in(
    State(app): State<App>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Receipt>, ApiError> {
    let body = body.map_err(|e| match e.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::too_large(limits::BATCH_BYTES),
        _ => ApiError::bad_request("the body could not be read"),
    })?;
    let (done, receipt) = app
        .ask(move |r| {
            let (device, done) = r.accept(&body)?;
            // The events are stored; without a receipt the device keeps them too, and asks again.
            let receipt =
                r.receipt(device, &done.run).inspect_err(|error| tracing::error!(%error, "no receipt is given"));
            Ok((done, receipt.ok()))
        })
        .await?;
    let receipt = receipt.map(|bytes| BASE64.encode(&bytes));
    Ok(Json(Receipt { stored: done.stored, duplicate: done.duplicate, next_seq: done.next_seq, receipt }))
}
