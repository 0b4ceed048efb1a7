//! The first page, and the choice of language.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::{Cookies, Frame, Problem, Visitor, ask, form, page, person_of, to};
use crate::api::App;
use crate::lang::Lang;

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    frame: Frame,
    known: bool,
    dev: bool,
}

pub(super) async fn home(State(app): State<App>, visitor: Visitor) -> Result<Response, Problem> {
    let asked = visitor.clone();
    let known = ask(&app, &visitor, move |registry| person_of(registry, &asked)).await?.is_some();
    Ok(page(StatusCode::OK, &Home { frame: Frame::of(&visitor, "/"), known, dev: app.web().inbox.is_some() }))
}

#[derive(Deserialize)]
pub(super) struct Back {
    back: String,
}

pub(super) async fn lang(
    State(app): State<App>,
    visitor: Visitor,
    Path(lang): Path<String>,
    body: Result<axum::Form<Back>, axum::extract::rejection::FormRejection>,
) -> Result<Response, Problem> {
    let back = form(&visitor, body)?.back;
    // Only to a page of ours: a path of plain characters, and no second slash that would begin a host.
    let plain = |b: u8| b.is_ascii_lowercase() || b == b'/';
    let ours = back.starts_with('/') && !back.contains("//") && back.bytes().all(plain);
    let lang = Lang::from_name(&lang).unwrap_or(visitor.lang);
    Ok((Cookies::of(&app).lang(lang), to(if ours { &back } else { "/" })).into_response())
}
