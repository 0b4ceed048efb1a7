//! Logging in: a phone and the code that was sent to it; or the token that an operator gave. And logging out.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::fields::{self, Line};
use super::{Cookies, Frame, Problem, Visitor, Wrong, ask, form as read, page, register, session_of, to};
use crate::api::App;
use crate::domain::person::Token;
use crate::domain::phone::Phone;
use crate::domain::proof::Purpose;
use crate::domain::registration::{Field, Problems};
use crate::lang::Text;

#[derive(Template)]
#[template(path = "enter.html")]
struct Enter<'a> {
    frame: Frame,
    phone: Line<'a>,
    code_problem: Option<&'a Text>,
    said: Option<(bool, String)>,
    unknown: bool,
    dev: bool,
}

/// What becomes of the form.
#[derive(Default)]
struct Outcome {
    /// What is wrong with which field.
    problems: Problems,
    /// What became of the code that was asked for.
    said: Option<(bool, Text)>,
    /// The phone is proven, and nobody is registered with it.
    unknown: bool,
    /// A session that begins.
    begun: Option<Token>,
    /// It is somebody's.
    entered: bool,
    device: Option<[u8; 16]>,
}

pub(super) async fn form(State(app): State<App>, visitor: Visitor) -> Response {
    answer(&app, &visitor, "", &Outcome::default())
}

#[derive(Deserialize)]
pub(super) struct Sent {
    #[serde(default)]
    phone: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    work: String,
    /// Which button: `code` or `next`.
    #[serde(default)]
    act: String,
}

pub(super) async fn send(
    State(app): State<App>,
    visitor: Visitor,
    body: Result<Form<Sent>, FormRejection>,
) -> Result<Response, Problem> {
    let sent = read(&visitor, body)?;
    let typed: String = sent.phone.chars().take(40).collect();
    let (mut asked, web) = (visitor.clone(), app.clone());
    let outcome = ask(&app, &visitor, move |registry| {
        let mut outcome = Outcome::default();
        let phone = match Phone::parse(&sent.phone) {
            Ok(phone) => phone,
            Err(text) => {
                outcome.problems.push((Field::Phone, text));
                return Ok(outcome);
            }
        };
        if asked.device.is_none() {
            outcome.device = Some(registry.draw()?);
            asked.device = outcome.device;
        }
        // Whoever has logged in as somebody and comes here is a new visitor: a shared phone.
        let session = match session_of(registry, &asked)?.filter(|session| session.person.is_none()) {
            Some(session) => session,
            None => {
                let token = registry.begin_session(None)?;
                asked.token = Some(token.clone());
                outcome.begun = Some(token);
                match session_of(registry, &asked)? {
                    Some(session) => session,
                    None => return Ok(outcome),
                }
            }
        };
        if sent.act == "code" {
            outcome.said = Some(register::send_code(registry, web.web(), &asked, &session, &sent.phone, &sent.work)?);
            return Ok(outcome);
        }
        if !registry.is_proven(&session.hash, &phone)? {
            let answer = registry.answer_code(&session.hash, Purpose::Enter, &phone, &sent.code)?;
            if let Some(text) = answer.problem() {
                outcome.problems.push((Field::Code, text));
                return Ok(outcome);
            }
        }
        match registry.enter(&session.hash, &phone)? {
            Some(token) => {
                outcome.begun = Some(token);
                outcome.entered = true;
            }
            None => outcome.unknown = true,
        }
        Ok(outcome)
    })
    .await?;
    let mut cookies = Cookies::of(&app);
    if let Some(device) = outcome.device {
        cookies = cookies.device(device);
    }
    if let Some(token) = &outcome.begun {
        cookies = cookies.session(token);
    }
    if outcome.entered {
        return Ok((cookies, to("/code")).into_response());
    }
    Ok((cookies, answer(&app, &visitor, &typed, &outcome)).into_response())
}

fn answer(app: &App, visitor: &Visitor, typed: &str, outcome: &Outcome) -> Response {
    let frame = Frame::of(visitor, "/enter");
    let shown = Enter {
        frame,
        phone: fields::phone(typed, &outcome.problems),
        code_problem: fields::problem(&outcome.problems, Field::Code),
        said: outcome.said.as_ref().map(|(well, text)| (*well, frame.say(text).to_owned())),
        unknown: outcome.unknown,
        dev: app.web().inbox.is_some(),
    };
    let status = if outcome.problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    page(status, &shown)
}

#[derive(Deserialize)]
pub(super) struct TokenForm {
    token: String,
}

/// By the token that an operator gave to somebody without a phone number of their own.
pub(super) async fn token(
    State(app): State<App>,
    visitor: Visitor,
    body: Result<Form<TokenForm>, FormRejection>,
) -> Result<Response, Problem> {
    let token = Token::parse(Zeroizing::new(read(&visitor, body)?.token).trim());
    let begun = ask(&app, &visitor, move |registry| {
        let person = token.map(|token| registry.person_by_token(&token)).transpose()?.flatten();
        person.map(|person| registry.begin_session(Some(&person))).transpose()
    })
    .await?;
    Ok(match begun {
        Some(session) => (Cookies::of(&app).session(&session), to("/code")).into_response(),
        None => {
            let (title, what) = (
                Text::new("口令不对", "Wrong token"),
                Text::new(
                    "口令不对，或已失效。请核对后重新输入。",
                    "This token is wrong or no longer valid. Check it and enter it again.",
                ),
            );
            page(StatusCode::UNAUTHORIZED, &Wrong { frame: Frame::of(&visitor, "/enter"), title, what })
        }
    })
}

pub(super) async fn leave(State(app): State<App>, visitor: Visitor) -> Result<Response, Problem> {
    let asked = visitor.clone();
    ask(&app, &visitor, move |registry| match &asked.token {
        Some(token) => Ok(registry.store().end_session(&token.hash())?),
        None => Ok(()),
    })
    .await?;
    Ok((Cookies::of(&app).no_session(), to("/")).into_response())
}
