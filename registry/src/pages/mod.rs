//! Pages for residents. All of them work without script, in Chinese and in English; only carried codes need script.
//!
//! A form that was sent is answered with a redirect, and what was typed is kept in the session, sealed: so reloading sends nothing
//! twice, and nothing that was typed is lost.

mod assets;
mod challenge;
mod code;
mod dev;
mod enter;
mod fields;
mod home;
mod me;
mod register;
mod visitor;

use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get, post};

use crate::api::{ApiError, App};
use crate::domain::person::PersonId;
use crate::domain::session::Session;
use crate::lang::{Lang, Text};
use crate::registry::{Error, Registry};
use crate::store::StoreError;
use visitor::{Cookies, Visitor};

/// Nothing runs on these pages but our own files, and nobody can frame them.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                      manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Every page with its methods.
pub(crate) fn routes() -> Vec<(&'static str, MethodRouter<App>)> {
    vec![
        ("/", get(home::home)),
        ("/lang/{lang}", post(home::lang)),
        ("/register", get(register::notice).post(register::agree)),
        ("/register/form", get(register::form).post(register::send)),
        ("/register/field", post(register::field)),
        ("/register/search", post(register::search)),
        ("/register/confirm", get(register::confirm).post(register::submit)),
        ("/enter", get(enter::form).post(enter::send)),
        ("/enter/token", post(enter::token)),
        ("/leave", post(enter::leave)),
        ("/code", get(code::show)),
        ("/code/next", post(code::next)),
        ("/code/certificate", post(code::certificate)),
        ("/carry", get(code::carry)),
        ("/me", get(me::me)),
        ("/me/change", get(me::form).post(me::change)),
        ("/me/history", get(me::history)),
        ("/challenge", get(challenge::challenge)),
        ("/dev/inbox", get(dev::inbox)),
        ("/assets/{name}", get(assets::asset)),
        ("/sw.js", get(assets::service_worker)),
        ("/manifest.webmanifest", get(assets::manifest)),
    ]
}

/// What every page is given: the language, and where it stands, so that the other language leads back to it.
#[derive(Debug, Clone, Copy)]
struct Frame {
    lang: Lang,
    path: &'static str,
}

impl Frame {
    fn of(visitor: &Visitor, path: &'static str) -> Self {
        Self { lang: visitor.lang, path }
    }

    /// The one of the two sentences.
    fn t<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        self.lang.t(zh, en)
    }

    fn say<'a>(&self, text: &'a Text) -> &'a str {
        self.lang.say(text)
    }

    fn other(&self) -> Lang {
        match self.lang {
            Lang::Zh => Lang::En,
            Lang::En => Lang::Zh,
        }
    }
}

fn page(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, headers(), html).into_response(),
        Err(error) => ApiError::internal(&error.to_string()).into_response(),
    }
}

fn headers() -> [(HeaderName, &'static str); 4] {
    [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        // Personal data: neither a proxy nor the browser's disk keeps them.
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
    ]
}

fn to(path: &str) -> Response {
    Redirect::to(path).into_response()
}

#[derive(Template)]
#[template(path = "wrong.html")]
struct Wrong {
    frame: Frame,
    title: Text,
    what: Text,
}

/// A page that says what went wrong, and leads on.
#[derive(Debug)]
struct Problem {
    lang: Lang,
    error: ApiError,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (title, what) = match self.error.status {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::REQUEST_TIMEOUT => (
                Text::new("系统繁忙", "Busy"),
                Text::new(
                    "系统暂时繁忙，请稍等片刻再试。已填写的内容不会丢失。",
                    "The system is busy just now. Wait a moment and try again; nothing you typed is lost.",
                ),
            ),
            StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNSUPPORTED_MEDIA_TYPE => (
                Text::new("无法读取", "Not readable"),
                Text::new(
                    "表单内容无法读取，请返回重新填写。",
                    "The form could not be read. Go back and fill it in again.",
                ),
            ),
            _ => (
                Text::new("出错了", "Something went wrong"),
                Text::new(
                    "系统出错，工作人员可在日志中查到原因。请稍后再试。",
                    "Something went wrong here; the log says what. Try again later.",
                ),
            ),
        };
        let frame = Frame { lang: self.lang, path: "/" };
        page(self.error.status, &Wrong { frame, title, what })
    }
}

/// The registry, as pages ask it: an error is a page in the visitor's language.
async fn ask<T: Send + 'static>(
    app: &App,
    visitor: &Visitor,
    work: impl FnOnce(&Registry) -> Result<T, Error> + Send + 'static,
) -> Result<T, Problem> {
    let lang = visitor.lang;
    app.ask(work).await.map_err(|error| Problem { lang, error })
}

fn form<T>(visitor: &Visitor, form: Result<axum::Form<T>, FormRejection>) -> Result<T, Problem> {
    form.map(|axum::Form(form)| form)
        .map_err(|_| Problem { lang: visitor.lang, error: ApiError::bad_request("the form cannot be read") })
}

/// The visitor's session, if it is good.
fn session_of(registry: &Registry, visitor: &Visitor) -> Result<Option<Session>, Error> {
    visitor.token.as_ref().map_or(Ok(None), |token| registry.session(token))
}

/// Who has logged in.
fn person_of(registry: &Registry, visitor: &Visitor) -> Result<Option<PersonId>, Error> {
    Ok(session_of(registry, visitor)?.and_then(|session| session.person))
}

/// When something is possible again, for whoever asked too often.
fn again(again: u32, now: u32) -> Text {
    match again.saturating_sub(now) {
        seconds @ 0..=90 => Text::of(
            format!("请求太频繁，请 {seconds} 秒后再试。"),
            format!("Too many requests. Try again in {seconds} seconds."),
        ),
        seconds => {
            let at = crate::domain::time::beijing_time(again);
            let minutes = seconds.div_ceil(60);
            Text::of(
                format!("请求太频繁，请 {minutes} 分钟后（{at}）再试。"),
                format!("Too many requests. Try again in {minutes} minutes, at {at} Beijing time."),
            )
        }
    }
}

/// A refusal that is an answer to the visitor rather than a fault.
fn refusal(error: Error, now: u32) -> Result<Text, Error> {
    Ok(match error {
        Error::Store(StoreError::TooOften { again: at }) => again(at, now),
        Error::Store(StoreError::WorkSpent) => {
            Text::new("滑动验证已失效，请再滑动一次。", "The slide is no longer good. Slide once more.")
        }
        Error::Store(StoreError::DocumentTaken) => Text::new(
            "此证件已被登记。如非本人登记，请申诉。",
            "Somebody is registered with this document already. If it was not you, appeal.",
        ),
        Error::Store(StoreError::PhoneTaken) => Text::new(
            "此手机号已登记，请直接查询或出示通行码。",
            "This phone is registered already. Log in with it instead.",
        ),
        Error::Store(StoreError::UnknownCommunity(_)) => {
            Text::new("所选小区已不存在，请重新选择。", "The community you chose is gone. Choose another.")
        }
        Error::Store(StoreError::Frozen) => {
            Text::new("您的信息已冻结，暂时不能修改。", "Your data are frozen and cannot be changed now.")
        }
        Error::Store(StoreError::Outdated) => Text::new(
            "信息已在别处修改，请核对后重试。",
            "Your data were changed elsewhere meanwhile. Look at them and try again.",
        ),
        other => return Err(other),
    })
}
