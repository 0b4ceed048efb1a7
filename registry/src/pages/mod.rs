//! Pages for residents: the live code on a phone. Works without script; with it, the code renews itself.

mod qr;

use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::api::{ApiError, ApiErrorBody, App, issue_to};
use crate::domain::issue::{Document, Order};
use crate::domain::person::Token;
use crate::domain::time::{beijing_time, rfc3339};

/// Nothing runs on these pages but our own file, and nobody can frame them.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

#[derive(Template)]
#[template(path = "ask.html")]
struct Ask {
    problem: Option<Problem>,
}

#[derive(Template)]
#[template(path = "code.html")]
struct Shown<'a> {
    picture: String,
    token: &'a str,
    expires_at: String,
    until: String,
    minutes: u32,
    seconds: u32,
}

/// What the page says went wrong, in both languages.
#[derive(Clone, Copy)]
struct Problem {
    zh: &'static str,
    en: &'static str,
}

const WRONG_TOKEN: Problem = Problem {
    zh: "口令不对，或已失效。请核对后重新输入。",
    en: "This token is wrong or no longer valid. Check it and enter it again.",
};
const UNAVAILABLE: Problem = Problem {
    zh: "系统暂时无法出码，请稍后再试。",
    en: "No code can be issued just now. Try again in a moment.",
};

/// The page that asks for a token.
#[utoipa::path(get, path = "/code", tag = "pages",
    responses((status = 200, description = "A form for the token; a token in the address's fragment is posted by script", content_type = "text/html", body = String)))]
pub(crate) async fn ask() -> Response {
    page(StatusCode::OK, &Ask { problem: None })
}

/// What the form sends.
#[derive(Deserialize, ToSchema)]
pub(crate) struct CodeForm {
    /// The token that `person add` gave.
    token: String,
}

/// The page with the person's live code.
#[utoipa::path(post, path = "/code", tag = "pages",
    request_body(content = CodeForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "A live code as a picture; never cached", content_type = "text/html", body = String),
        (status = 401, description = "The form again: the token is wrong", content_type = "text/html", body = String),
        (status = 503, description = "The form again: no code can be issued now", content_type = "text/html", body = String)))]
pub(crate) async fn show(State(app): State<App>, form: Result<Form<CodeForm>, FormRejection>) -> Response {
    let Some(token) = form.ok().and_then(|Form(f)| Token::parse(Zeroizing::new(f.token).trim())) else {
        return page(StatusCode::UNAUTHORIZED, &Ask { problem: Some(WRONG_TOKEN) });
    };
    let asked = token.clone();
    let issued = app.ask(move |r| issue_to(r, &asked, Order::Live)).await;
    let (issued, now) = match issued {
        Ok(issued) => issued,
        Err(e) if e.status == StatusCode::UNAUTHORIZED => {
            return page(StatusCode::UNAUTHORIZED, &Ask { problem: Some(WRONG_TOKEN) });
        }
        Err(_) => return page(StatusCode::SERVICE_UNAVAILABLE, &Ask { problem: Some(UNAVAILABLE) }),
    };
    let picture = match &issued.document {
        Document::Code(code) => qr::svg(code),
        Document::Certificate(_) => None,
    };
    let Some(picture) = picture else { return ApiError::internal("a live code did not fit a QR code").into_response() };
    let expires_at = rfc3339(issued.until);
    let seconds = issued.until.saturating_sub(now);
    let until = beijing_time(issued.until);
    let minutes = seconds / 60;
    page(StatusCode::OK, &Shown { picture, token: &token.reveal(), expires_at, until, minutes, seconds })
}

/// The pages' style and script.
#[utoipa::path(get, path = "/assets/{name}", tag = "pages",
    params(("name" = String, Path, description = "`code.css` or `code.js`")),
    responses(
        (status = 200, description = "The file", content((String = "text/css"), (String = "text/javascript"))),
        (status = 404, description = "No such file", body = ApiErrorBody)))]
pub(crate) async fn asset(Path(name): Path<String>) -> Response {
    let (kind, body) = match name.as_str() {
        "code.css" => ("text/css; charset=utf-8", include_str!("../../assets/code.css")),
        "code.js" => ("text/javascript; charset=utf-8", include_str!("../../assets/code.js")),
        _ => return ApiError::not_found("no such file").into_response(),
    };
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], body).into_response()
}

fn page(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => {
            let headers = [
                (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                (header::CACHE_CONTROL, "no-store"),
                (header::CONTENT_SECURITY_POLICY, POLICY),
                (header::X_FRAME_OPTIONS, "DENY"),
            ];
            (status, headers, html).into_response()
        }
        Err(error) => ApiError::internal(&error.to_string()).into_response(),
    }
}
