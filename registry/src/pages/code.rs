//! The code on the phone: live from the registry, and carried where there is no network.

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::{Frame, Problem, Visitor, ask, page, person_of, to};
use crate::api::{ApiError, App, CertificateReply, CertificateRequest};
use crate::domain::audit::Actor;
use crate::domain::issue::{Document, Order};
use crate::domain::mask;
use crate::domain::person::PersonId;
use crate::domain::time::{beijing_time, rfc3339};
use crate::qr;
use crate::registry::{Error, Registry};

/// A live code with whose it is.
struct Live {
    code: String,
    until: u32,
    seconds: u32,
    whose: String,
}

fn live(registry: &Registry, person: &PersonId) -> Result<Live, Error> {
    let now = registry.now();
    let issued = registry.issue(person, Order::Live, Some(now), Actor::Person(person.clone()))?;
    let Document::Code(code) = issued.document else {
        return Err(Error::Invalid("a live code was ordered, and something else was issued"));
    };
    let whose = mask::name(registry.resident(person)?.profile.name.as_str());
    Ok(Live { code, until: issued.until, seconds: issued.until.saturating_sub(now), whose })
}

#[derive(Template)]
#[template(path = "code.html")]
struct Page {
    frame: Frame,
    picture: String,
    code: String,
    whose: String,
    seconds: u32,
    minutes: u32,
    expires_at: String,
    until: String,
}

/// The page with the code.
pub(super) async fn show(State(app): State<App>, visitor: Visitor) -> Result<Response, Problem> {
    let asked = visitor.clone();
    let made = ask(&app, &visitor, move |registry| {
        person_of(registry, &asked)?.map(|person| live(registry, &person)).transpose()
    })
    .await?;
    let Some(live) = made else { return Ok(to("/enter")) };
    let lang = visitor.lang;
    let fault = || Problem { lang, error: ApiError::internal("a live code did not fit a QR code") };
    let shown = Page {
        frame: Frame::of(&visitor, "/code"),
        picture: qr::svg(&live.code).ok_or_else(fault)?,
        code: live.code,
        whose: live.whose,
        seconds: live.seconds,
        minutes: live.seconds / 60,
        expires_at: rfc3339(live.until),
        until: beijing_time(live.until),
    };
    Ok(page(StatusCode::OK, &shown))
}

#[derive(Serialize)]
struct Next {
    code: String,
    seconds: u32,
    whose: String,
}

/// The next code, for script.
pub(super) async fn next(State(app): State<App>, visitor: Visitor) -> Result<Response, ApiError> {
    let made = app
        .ask(move |registry| person_of(registry, &visitor)?.map(|person| live(registry, &person)).transpose())
        .await?;
    let Live { code, seconds, whose, .. } = made.ok_or_else(ApiError::unauthorized)?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(Next { code, seconds, whose })).into_response())
}

/// A certificate for the key of this phone.
pub(super) async fn certificate(
    State(app): State<App>,
    visitor: Visitor,
    body: Result<Json<CertificateRequest>, JsonRejection>,
) -> Result<Response, ApiError> {
    let order = CertificateRequest::order(body)?;
    let issued = app
        .ask(move |registry| {
            let Some(person) = person_of(registry, &visitor)? else { return Ok(None) };
            let now = registry.now();
            let issued = registry.issue(&person, order, Some(now), Actor::Person(person.clone()))?;
            Ok(Some((issued, now)))
        })
        .await?;
    let (issued, now) = issued.ok_or_else(ApiError::unauthorized)?;
    CertificateReply::answer(issued, now)
}

#[derive(Template)]
#[template(path = "carry.html")]
struct Carry {
    frame: Frame,
}

/// The page without a network: the service worker keeps it, so there is nothing of anybody in it.
pub(super) async fn carry(visitor: Visitor) -> Response {
    page(StatusCode::OK, &Carry { frame: Frame::of(&visitor, "/carry") })
}
