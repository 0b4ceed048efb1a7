//! Codes for the bearer of a person's token.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::{Deserialize, Serialize};
use tongguan_pass::Certificate;
use utoipa::ToSchema;

use crate::api::desk::bearer;
use crate::api::{ApiError, ApiErrorBody, App};
use crate::domain::audit::Actor;
use crate::domain::issue::{CERTIFICATE_HOURS, Document, Order};
use crate::domain::person::Token;
use crate::domain::time::rfc3339;
use crate::registry::{Error, Issued, Registry};
use crate::store::StoreError;

/// A live code.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LiveCode {
    /// The text of the QR code.
    #[schema(example = "TG1:CEAAC...")]
    code: String,
    /// RFC 3339.
    expires_at: String,
    /// The registry's time, RFC 3339: a phone counts down from the difference, whatever its own clock says.
    server_time: String,
}

/// A live code for the bearer.
#[utoipa::path(post, path = "/v1/codes/live", tag = "codes", security(("token" = [])),
    responses(
        (status = 200, description = "A live code, good for ten minutes; never cached", body = LiveCode),
        (status = 401, description = "No valid token", body = ApiErrorBody),
        (status = 503, description = "The store does not answer", body = ApiErrorBody)))]
pub(super) async fn live(State(app): State<App>, headers: HeaderMap) -> Result<Response, ApiError> {
    let token = bearer(&headers)?;
    let (issued, now) = app.ask(move |r| issue_to(r, &token, Order::Live)).await?;
    let Document::Code(code) = issued.document else { return Err(ApiError::internal("not a code")) };
    Ok(fresh(LiveCode { code, expires_at: rfc3339(issued.until), server_time: rfc3339(now) }))
}

/// What a phone asks with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CertificateRequest {
    /// The phone's Ed25519 public key: 64 hex digits.
    holder_key: String,
}

/// A certificate for carried codes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CertificateReply {
    /// 114 bytes in lower-case hex (docs/PASS-FORMAT.md, section 5).
    certificate: String,
    /// RFC 3339.
    valid_from: String,
    /// RFC 3339.
    expires_at: String,
    /// The registry's time, RFC 3339.
    server_time: String,
}

/// A day certificate for the bearer's phone, with which it makes codes without a network.
#[utoipa::path(post, path = "/v1/certificates", tag = "codes", security(("token" = [])),
    request_body = CertificateRequest,
    responses(
        (status = 200, description = "A certificate, good for 24 hours; never cached", body = CertificateReply),
        (status = 400, description = "Not a usable key", body = ApiErrorBody),
        (status = 401, description = "No valid token", body = ApiErrorBody),
        (status = 413, description = "The body is too long", body = ApiErrorBody),
        (status = 415, description = "The body is not JSON", body = ApiErrorBody),
        (status = 503, description = "The store does not answer", body = ApiErrorBody)))]
pub(super) async fn certificate(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Json<CertificateRequest>, JsonRejection>,
) -> Result<Response, ApiError> {
    let token = bearer(&headers)?;
    let order = CertificateRequest::order(body)?;
    let (issued, now) = app.ask(move |r| issue_to(r, &token, order)).await?;
    CertificateReply::answer(issued, now)
}

impl CertificateRequest {
    /// What is ordered with it.
    pub(crate) fn order(body: Result<Json<Self>, JsonRejection>) -> Result<Order, ApiError> {
        let Json(request) = body.map_err(|e| match e.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::too_large(super::BODY_BYTES),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => ApiError::unsupported_media_type("application/json"),
            _ => ApiError::bad_request("send {\"holder_key\": \"64 hex digits\"}"),
        })?;
        let key = HEXLOWER_PERMISSIVE.decode(request.holder_key.as_bytes()).ok().and_then(|b| b.try_into().ok());
        let holder = key.and_then(|key| Certificate::holder_key(&key).ok());
        let holder = holder.ok_or_else(|| ApiError::bad_request("holder_key is not a usable Ed25519 public key"))?;
        Ok(Order::Certificate { holder, hours: CERTIFICATE_HOURS })
    }
}

impl CertificateReply {
    /// The answer with what was issued at `now`.
    pub(crate) fn answer(issued: Issued, now: u32) -> Result<Response, ApiError> {
        let Document::Certificate(bytes) = issued.document else { return Err(ApiError::internal("not a certificate")) };
        Ok(fresh(Self {
            certificate: HEXLOWER.encode(bytes.as_slice()),
            valid_from: rfc3339(issued.from),
            expires_at: rfc3339(issued.until),
            server_time: rfc3339(now),
        }))
    }
}

/// Issues to whoever holds `token`, with the registry's time; [`StoreError::UnknownPerson`] if nobody does.
fn issue_to(registry: &Registry, token: &Token, order: Order) -> Result<(Issued, u32), Error> {
    let person = registry.person_by_token(token)?.ok_or(StoreError::UnknownPerson)?;
    let now = registry.now();
    let issued = registry.issue(&person, order, Some(now), Actor::Person(person.clone()))?;
    Ok((issued, now))
}

fn fresh(body: impl Serialize) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
