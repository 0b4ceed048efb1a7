//! Errors as programs read them: a stable code, and a sentence that names no person, token or key.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tongguan_pass::ListError;
use utoipa::ToSchema;

use crate::registry::Error;
use crate::store::StoreError;

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApiErrorBody {
    /// A stable code.
    #[schema(example = "unauthorized")]
    pub(crate) error: &'static str,
    /// A sentence for people.
    pub(crate) message: String,
}

/// An error on its way out.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "a valid token is needed: Authorization: Bearer TOKEN")
    }

    pub(crate) fn not_found(message: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "this address has other methods; see /openapi.json",
        )
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            format!("the body is longer than the {limit} bytes allowed"),
        )
    }

    pub(crate) fn unsupported_media_type(expected: &str) -> Self {
        let message = format!("the body must be of type {expected}");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message)
    }

    pub(crate) fn timeout() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "timeout", "the request took too long")
    }

    pub(crate) fn busy() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "too many requests at once; try again shortly")
    }

    /// What went wrong is for the log; the caller learns that it did.
    pub(crate) fn internal(detail: &str) -> Self {
        tracing::error!(detail, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the registry could not do this; its log says why")
    }

    fn unavailable(error: &StoreError) -> Self {
        tracing::error!(%error, "the store is unavailable");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "the registry's store is unavailable; try again later",
        )
    }

    /// For a health check, whatever goes wrong is the service being unwell.
    pub(crate) fn or_unwell(self) -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, ..self }
    }

    /// A batch that was not believed: wrongly signed is another matter than malformed.
    fn batch(error: &ListError) -> Self {
        match error {
            ListError::TooLong { .. } => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", batch_words(error)),
            ListError::Signature | ListError::UnknownKey => {
                Self::new(StatusCode::UNAUTHORIZED, error.name(), batch_words(error))
            }
            _ => Self::new(StatusCode::BAD_REQUEST, error.name(), batch_words(error)),
        }
    }

    fn store(error: &StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::UnknownPerson => Self::unauthorized(),
            StoreError::NothingPublished => Self::new(StatusCode::NOT_FOUND, "nothing_published", message),
            StoreError::ChainConflict { .. } => Self::new(StatusCode::CONFLICT, "chain_conflict", message),
            StoreError::TooManyPending => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_pending_devices", message)
            }
            StoreError::PendingFull => Self::new(StatusCode::SERVICE_UNAVAILABLE, "device_not_enrolled", message),
            StoreError::Batch(e) => Self::batch(e),
            StoreError::ReadOnly
            | StoreError::Full
            | StoreError::Busy
            | StoreError::Disk(_)
            | StoreError::Damaged(_) => Self::unavailable(error),
            _ => Self::internal(&message),
        }
    }
}

fn batch_words(error: &ListError) -> String {
    format!("the batch {error}")
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match &error {
            Error::Invalid(what) => Self::bad_request(*what),
            Error::Batch(e) => Self::batch(e),
            Error::Store(e) => Self::store(e),
            other => Self::internal(&other.to_string()),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Json(ApiErrorBody { error: self.code, message: self.message });
        let mut response = (self.status, [(header::CACHE_CONTROL, "no-store")], body).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 9110 15.5.2: a 401 says how to authenticate.
            response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        response
    }
}
