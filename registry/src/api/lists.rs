//! The signed lists (SY 8): the head, always asked for anew, and its files, which never change.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use tongguan_pass::Sha256Hash;

use crate::api::{ApiError, ApiErrorBody, App};

const BINARY: &str = "application/octet-stream";

/// The current head.
#[utoipa::path(get, path = "/v1/head", tag = "lists",
    params(("If-None-Match" = Option<String>, Header, description = "The ETag of the head the caller has")),
    responses(
        (status = 200, description = "The signed head (docs/SYNC.md, section 4); ETag is its SHA-256", content_type = "application/octet-stream", body = Vec<u8>),
        (status = 304, description = "The caller's head is current"),
        (status = 404, description = "Nothing has been published", body = ApiErrorBody),
        (status = 503, description = "The store does not answer", body = ApiErrorBody)))]
pub(super) async fn head(State(app): State<App>, headers: HeaderMap) -> Result<Response, ApiError> {
    let bytes = app.ask(|r| Ok(r.store().head()?)).await?;
    let tag = format!("\"{}\"", Sha256Hash::of(&bytes));
    let etag = HeaderValue::try_from(tag.as_str()).map_err(|e| ApiError::internal(&e.to_string()))?;
    let caching = [(header::ETAG, etag), (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    if holds(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    Ok((caching, [(header::CONTENT_TYPE, BINARY)], bytes).into_response())
}

/// RFC 9110 13.1.2: a list of tags, compared weakly, or `*`.
fn holds(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .any(|list| list.split(',').map(str::trim).any(|t| t == "*" || t.strip_prefix("W/").unwrap_or(t) == tag))
}

/// A file that a head names.
#[utoipa::path(get, path = "/v1/files/{sha256}", tag = "lists",
    params(("sha256" = String, Path, description = "Its SHA-256: 64 lower-case hex digits"),
        ("Range" = Option<String>, Header, description = "`bytes=N-`: only what follows the first N bytes")),
    responses(
        (status = 206, description = "What follows the first N bytes", content_type = "application/octet-stream", body = Vec<u8>),
        (status = 200, description = "The file; it never changes", content_type = "application/octet-stream", body = Vec<u8>),
        (status = 400, description = "Not a hash", body = ApiErrorBody),
        (status = 404, description = "No head of the last day names it", body = ApiErrorBody),
        (status = 503, description = "The store does not answer", body = ApiErrorBody)))]
pub(super) async fn file(
    State(app): State<App>,
    Path(hash): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let hash = HEXLOWER.decode(hash.as_bytes()).ok().and_then(|b| b.try_into().ok()).map(Sha256Hash);
    let hash = hash.ok_or_else(|| ApiError::bad_request("a file is named by 64 lower-case hex digits"))?;
    let bytes = app.ask(move |r| Ok(r.store().file(&hash)?)).await?;
    let bytes = bytes.ok_or_else(|| ApiError::not_found("no head of the last day names this file"))?;
    let bytes = Bytes::from(bytes);
    let caching = [
        (header::CONTENT_TYPE, HeaderValue::from_static(BINARY)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
        (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
    ];
    match rest_from(&headers, bytes.len()) {
        None => Ok((caching, bytes).into_response()),
        Some(from) => {
            let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
            let rest = bytes.slice(from..);
            Ok((StatusCode::PARTIAL_CONTENT, caching, [(header::CONTENT_RANGE, range)], rest).into_response())
        }
    }
}

/// RFC 9110 14.2: where a download goes on. Any other range is answered with the whole, as a server may.
fn rest_from(headers: &HeaderMap, length: usize) -> Option<usize> {
    let range = headers.get(header::RANGE)?.to_str().ok()?;
    let from = range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()?;
    (from > 0 && from < length).then_some(from)
}
