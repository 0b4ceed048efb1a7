//! Styles, scripts and what makes the pages installable. Made by `make setup` (scripts/web.sh), and part of the program.

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::api::ApiError;

const FILES: [(&str, &str, &[u8]); 6] = [
    ("style.css", "text/css; charset=utf-8", include_bytes!("../../web/dist/style.css")),
    ("app.js", SCRIPT, include_bytes!("../../web/dist/app.js")),
    ("code.js", SCRIPT, include_bytes!("../../web/dist/code.js")),
    ("sw.js", SCRIPT, include_bytes!("../../web/dist/sw.js")),
    ("licenses.txt", "text/plain; charset=utf-8", include_bytes!("../../web/dist/licenses.txt")),
    ("icon.svg", "image/svg+xml", include_bytes!("../../web/dist/icon.svg")),
];
const SCRIPT: &str = "text/javascript; charset=utf-8";
/// All files have the tag of the build: a browser asks, and is told that it has the newest.
const TAG: &str = concat!("\"", env!("TONGGUAN_WEB_HASH"), "\"");

pub(super) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    file(&name, &headers)
}

/// A service worker serves what is below its own address.
pub(super) async fn service_worker(headers: HeaderMap) -> Response {
    file("sw.js", &headers)
}

fn file(name: &str, headers: &HeaderMap) -> Response {
    let Some((_, kind, bytes)) = FILES.iter().find(|(known, ..)| *known == name) else {
        return ApiError::not_found("no such file").into_response();
    };
    let about = [(header::ETAG, TAG), (header::CACHE_CONTROL, "public, max-age=300, must-revalidate")];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == TAG.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, about).into_response();
    }
    (about, [(header::CONTENT_TYPE, *kind)], *bytes).into_response()
}

pub(super) async fn manifest() -> Response {
    let kind = [(header::CONTENT_TYPE, "application/manifest+json"), (header::CACHE_CONTROL, "public, max-age=300")];
    (kind, include_str!("../../web/manifest.webmanifest")).into_response()
}
