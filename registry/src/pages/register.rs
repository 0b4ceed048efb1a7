//! Registering: the notice, the form, a look at everything, and the code is there.

use askama::Template;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Form, http::header};
use serde::{Deserialize, Serialize};

use super::fields::{self, Choice, Line, name_of, problem};
use super::{Cookies, Frame, Problem, Visitor, ask, challenge, form as read, headers, page, refusal, session_of, to};
use crate::api::{App, Web};
use crate::domain::mask;
use crate::domain::person::TokenHash;
use crate::domain::phone::Phone;
use crate::domain::proof::{Answer, Purpose};
use crate::domain::registration::{Field, NOTICE, Problems, Registration, Typed, document_name};
use crate::domain::session::Session;
use crate::lang::{Lang, Text};
use crate::places::{Found, PLACES_SHOWN};
use crate::registry::{Error, Registry};
use crate::residents::Asker;

/// What is kept in the session until the registration is done.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Draft {
    /// The notice that was agreed to.
    notice: u32,
    typed: Typed,
    /// Whether everything was to be right already, so that what is wrong is told.
    checked: bool,
    /// What the next page is to say, in Chinese and English.
    said: Option<Said>,
}

#[derive(Serialize, Deserialize)]
struct Said {
    well: bool,
    zh: String,
    en: String,
}

impl Said {
    fn new(well: bool, text: Text) -> Self {
        Self { well, zh: text.zh.into_owned(), en: text.en.into_owned() }
    }
}

impl Draft {
    fn of(registry: &Registry, session: &Session) -> Result<Self, Error> {
        let bytes = registry.typed_so_far(session)?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
    }

    fn keep(&self, registry: &Registry, session: &TokenHash) -> Result<(), Error> {
        // Strings and numbers only: nothing in it can fail to be written.
        registry.keep_typed(session, &serde_json::to_vec(self).unwrap_or_default())
    }
}

/// The session of somebody who has agreed, and what they typed.
fn begun(registry: &Registry, visitor: &Visitor) -> Result<Option<(Session, Draft)>, Error> {
    let Some(session) = session_of(registry, visitor)? else { return Ok(None) };
    let draft = Draft::of(registry, &session)?;
    Ok((draft.notice == NOTICE).then_some((session, draft)))
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage {
    frame: Frame,
    version: u32,
    missed: bool,
}

pub(super) async fn notice(visitor: Visitor) -> Response {
    let frame = Frame::of(&visitor, "/register");
    page(StatusCode::OK, &NoticePage { frame, version: NOTICE, missed: false })
}

#[derive(Deserialize)]
pub(super) struct Agreed {
    #[serde(default)]
    agree: String,
}

pub(super) async fn agree(
    State(app): State<App>,
    visitor: Visitor,
    body: Result<Form<Agreed>, FormRejection>,
) -> Result<Response, Problem> {
    if read(&visitor, body)?.agree != "on" {
        let frame = Frame::of(&visitor, "/register");
        return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &NoticePage { frame, version: NOTICE, missed: true }));
    }
    let (asked, device) = (visitor.clone(), visitor.device);
    let (token, device) = ask(&app, &visitor, move |registry| {
        let device = device.map_or_else(|| registry.draw(), Ok)?;
        // Somebody who has logged in registers nobody in that session: it is another person's.
        let session = session_of(registry, &asked)?.filter(|session| session.person.is_none());
        let (hash, token) = match session {
            Some(session) => (session.hash, None),
            None => {
                let token = registry.begin_session(None)?;
                (token.hash(), Some(token))
            }
        };
        let mut draft = match &token {
            Some(_) => Draft::default(),
            None => session_of(registry, &asked)?.map_or(Ok(Draft::default()), |s| Draft::of(registry, &s))?,
        };
        draft.notice = NOTICE;
        draft.keep(registry, &hash)?;
        Ok((token, device))
    })
    .await?;
    let cookies = Cookies::of(&app).device(device);
    let cookies = match &token {
        Some(token) => cookies.session(token),
        None => cookies,
    };
    Ok((cookies, to("/register/form")).into_response())
}

#[derive(Template)]
#[template(path = "register.html")]
struct FormPage<'a> {
    frame: Frame,
    said: Option<(bool, String)>,
    summary: Vec<(&'static str, String)>,
    name: Line<'a>,
    kinds: Vec<Choice>,
    kind_problem: Option<&'a Text>,
    number: Line<'a>,
    genders: Vec<Choice>,
    gender_problem: Option<&'a Text>,
    phone: Line<'a>,
    proven: bool,
    code_problem: Option<&'a Text>,
    search: &'a str,
    chosen: Option<Found>,
    results: Option<Vec<Found>>,
    community_problem: Option<&'a Text>,
    places: [Line<'a>; 4],
    dev: bool,
}

pub(super) async fn form(State(app): State<App>, visitor: Visitor) -> Result<Response, Problem> {
    let asked = visitor.clone();
    let begun = ask(&app, &visitor, move |registry| {
        let Some((session, mut draft)) = begun(registry, &asked)? else { return Ok(None) };
        let said = draft.said.take();
        if said.is_some() {
            draft.keep(registry, &session.hash)?;
        }
        let proven = match Phone::parse(&draft.typed.phone) {
            Ok(phone) => registry.is_proven(&session.hash, &phone)?,
            Err(_) => false,
        };
        Ok(Some((draft, said, proven)))
    })
    .await?;
    let Some((draft, said, proven)) = begun else { return Ok(to("/register")) };
    let frame = Frame::of(&visitor, "/register/form");
    let typed = &draft.typed;
    let problems = if draft.checked { problems(&draft, proven) } else { Problems::new() };
    let places = app.web().places();
    let chosen = typed.community.parse().ok().and_then(|id| places.get(id));
    let results = (!typed.search.is_empty() && chosen.is_none()).then(|| places.find(&typed.search, PLACES_SHOWN));
    let shown = FormPage {
        frame,
        said: said.map(|said| (said.well, frame.t(&said.zh, &said.en).to_owned())),
        summary: fields::summary(frame, &problems),
        name: fields::name(typed, &problems),
        kinds: fields::document_kinds(typed),
        kind_problem: problem(&problems, Field::DocumentKind),
        number: fields::document_number(typed, &problems),
        genders: fields::genders(typed),
        gender_problem: problem(&problems, Field::Gender),
        phone: fields::phone(&typed.phone, &problems),
        proven,
        code_problem: problem(&problems, Field::Code),
        search: &typed.search,
        chosen,
        results,
        community_problem: problem(&problems, Field::Community),
        places: fields::places(typed, &problems),
        dev: app.web().inbox.is_some(),
    };
    Ok(page(StatusCode::OK, &shown))
}

/// Everything that is wrong, the phone that is not proven among it.
fn problems(draft: &Draft, proven: bool) -> Problems {
    let mut problems = draft.typed.check().err().unwrap_or_default();
    if !proven {
        problems
            .push((Field::Code, Text::new("请获取并填写短信验证码。", "Ask for a code by message, and type it in.")));
    }
    problems
}

/// The form as it is sent.
#[derive(Deserialize)]
pub(super) struct Sent {
    #[serde(flatten)]
    typed: Typed,
    #[serde(default)]
    code: String,
    #[serde(default)]
    work: String,
    /// Which button: `code`, `search`, `other` (community) or `next`.
    #[serde(default)]
    act: String,
}

pub(super) async fn send(
    State(app): State<App>,
    visitor: Visitor,
    body: Result<Form<Sent>, FormRejection>,
) -> Result<Response, Problem> {
    let sent = read(&visitor, body)?;
    let asked = visitor.clone();
    let web = app.clone();
    let next = ask(&app, &visitor, move |registry| {
        let Some((session, draft)) = begun(registry, &asked)? else { return Ok("/register") };
        let mut typed = sent.typed.bounded();
        if matches!(sent.act.as_str(), "search" | "other") {
            typed.community.clear();
        }
        let mut draft = Draft { typed, said: None, ..draft };
        let next = match sent.act.as_str() {
            "code" => {
                draft.said = Some(ask_code(
                    registry,
                    web.web(),
                    &asked,
                    &session,
                    &draft.typed.phone,
                    Purpose::Register,
                    &sent.work,
                )?);
                "/register/form#code"
            }
            "search" | "other" => "/register/form#community",
            _ => {
                draft.checked = true;
                match check(registry, &session, &draft, &sent.code)? {
                    Ok(_) => "/register/confirm",
                    Err(said) => {
                        draft.said = said.map(|text| Said::new(false, text));
                        "/register/form#problems"
                    }
                }
            }
        };
        draft.keep(registry, &session.hash)?;
        Ok(next)
    })
    .await?;
    Ok(to(next))
}

/// Whether all is right. A code that was typed in is held against the one that was sent.
fn check(
    registry: &Registry,
    session: &Session,
    draft: &Draft,
    code: &str,
) -> Result<Result<Registration, Option<Text>>, Error> {
    let mut said = None;
    if let Ok(phone) = Phone::parse(&draft.typed.phone)
        && !registry.is_proven(&session.hash, &phone)?
    {
        let answer = match code.trim() {
            "" => None,
            code => Some(registry.answer_code(&session.hash, Purpose::Register, &phone, code)?),
        };
        match answer {
            Some(Answer::Proven) => {}
            Some(other) => said = other.problem(),
            None => return Ok(Err(None)),
        }
    }
    Ok(draft.typed.check().map_err(|_| said.clone()).and_then(|right| match said {
        None => Ok(right),
        said => Err(said),
    }))
}

/// Sends a code, and says what became of that.
fn ask_code(
    registry: &Registry,
    web: &Web,
    visitor: &Visitor,
    session: &Session,
    phone: &str,
    purpose: Purpose,
    work: &str,
) -> Result<Said, Error> {
    let phone = match Phone::parse(phone) {
        Ok(phone) => phone,
        Err(text) => return Ok(Said::new(false, text)),
    };
    let asker = Asker {
        session: session.hash,
        device: visitor.device.unwrap_or([0; 16]),
        address: visitor.address,
        work: challenge::solved(registry, work)?,
    };
    let asked = registry.ask_code(&asker, purpose, &phone, &web.limits, visitor.lang);
    web.post.notify_one();
    Ok(match asked {
        Ok(()) => Said::new(
            true,
            Text::of(
                format!("验证码已发送至 {}，10 分钟内有效。", phone.masked()),
                format!("A code was sent to {}. It is good for 10 minutes.", phone.masked()),
            ),
        ),
        Err(error) => Said::new(false, refusal(error, registry.now())?),
    })
}

/// Sends a code for a page other than this one; whether it went, and the sentence for it.
pub(super) fn send_code(
    registry: &Registry,
    web: &Web,
    visitor: &Visitor,
    session: &Session,
    phone: &str,
    work: &str,
) -> Result<(bool, Text), Error> {
    let said = ask_code(registry, web, visitor, session, phone, Purpose::Enter, work)?;
    Ok((said.well, Text::of(said.zh, said.en)))
}

/// A field as it is typed: kept, and what is wrong with it is told at once.
pub(super) async fn field(
    State(app): State<App>,
    visitor: Visitor,
    sent: HeaderMap,
    body: Result<Form<Sent>, FormRejection>,
) -> Result<Response, Problem> {
    let form = read(&visitor, body)?;
    let name = sent.get("HX-Trigger-Name").and_then(|name| name.to_str().ok()).unwrap_or_default().to_owned();
    let lang = visitor.lang;
    let asked = visitor.clone();
    let said = ask(&app, &visitor, move |registry| {
        let Some((session, draft)) = begun(registry, &asked)? else { return Ok(String::new()) };
        let draft = Draft { typed: form.typed.bounded(), ..draft };
        draft.keep(registry, &session.hash)?;
        let problems = draft.typed.check().err().unwrap_or_default();
        let mine = problems.iter().find(|(field, _)| name_of(*field) == name);
        Ok(mine.map(|(_, text)| lang.say(text).to_owned()).unwrap_or_default())
    })
    .await?;
    let plain = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    // Swapped in as HTML: the sentences are ours, and hold nothing that was typed.
    Ok((plain, said).into_response())
}

#[derive(Template)]
#[template(path = "results.html")]
struct Results {
    frame: Frame,
    results: Vec<Found>,
}

/// Communities as they are looked for.
pub(super) async fn search(
    State(app): State<App>,
    visitor: Visitor,
    body: Result<Form<Sent>, FormRejection>,
) -> Result<Response, Problem> {
    let typed = read(&visitor, body)?.typed.bounded();
    let results = app.web().places().find(&typed.search, PLACES_SHOWN);
    Ok(page(StatusCode::OK, &Results { frame: Frame::of(&visitor, "/register/form"), results }))
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct Confirm {
    frame: Frame,
    rows: Vec<(Text, String)>,
    said: Option<String>,
}

pub(super) async fn confirm(State(app): State<App>, visitor: Visitor) -> Result<Response, Problem> {
    let asked = visitor.clone();
    let ready = ask(&app, &visitor, move |registry| {
        let Some((session, mut draft)) = begun(registry, &asked)? else { return Ok(Err("/register")) };
        let Ok(Ok(registration)) = check(registry, &session, &draft, "") else { return Ok(Err("/register/form")) };
        let said = draft.said.take();
        if said.is_some() {
            draft.keep(registry, &session.hash)?;
        }
        Ok(Ok((registration, said)))
    })
    .await?;
    let (registration, said) = match ready {
        Ok(ready) => ready,
        Err(back) => return Ok(to(back)),
    };
    let frame = Frame::of(&visitor, "/register/confirm");
    let community = app.web().places().get(registration.community);
    let shown = Confirm {
        frame,
        rows: rows(frame.lang, &registration, community.map_or_else(String::new, |found| found.name)),
        said: said.map(|said| frame.t(&said.zh, &said.en).to_owned()),
    };
    Ok(page(StatusCode::OK, &shown))
}

/// Everything that was typed, to be looked over. The number in full: it is to be compared with the document.
fn rows(lang: Lang, registration: &Registration, community: String) -> Vec<(Text, String)> {
    let profile = &registration.profile;
    let plates: Vec<&str> = profile.plates.iter().map(|plate| plate.as_str()).collect();
    let or = |text: &str| if text.is_empty() { "—".to_owned() } else { text.to_owned() };
    vec![
        (Text::new("姓名", "Name"), profile.name.as_str().to_owned()),
        (Text::new("证件类型", "Document"), lang.say(&document_name(registration.document.kind())).to_owned()),
        (Text::new("证件号码", "Document number"), mask::spaced(registration.document.number())),
        (Text::new("性别", "Gender"), profile.gender.map_or_else(String::new, |g| lang.say(&g.text()).to_owned())),
        (Text::new("手机号", "Mobile phone"), registration.phone.as_str().to_owned()),
        (Text::new("小区 / 村", "Community or village"), community),
        (Text::new("楼栋 / 排", "Building or row"), or(profile.home.as_str())),
        (Text::new("单元", "Unit"), or(profile.unit.as_str())),
        (Text::new("门牌号", "Door"), or(profile.door.as_str())),
        (Text::new("车牌号", "Vehicle plates"), or(&plates.join("、"))),
    ]
}

pub(super) async fn submit(State(app): State<App>, visitor: Visitor) -> Result<Response, Problem> {
    let asked = visitor.clone();
    let done = ask(&app, &visitor, move |registry| {
        let Some((session, mut draft)) = begun(registry, &asked)? else {
            // Sent twice: the session in which it was typed is over.
            return Ok(Err("/code"));
        };
        let Ok(registration) = check(registry, &session, &draft, "")? else { return Ok(Err("/register/form")) };
        match registry.register(&session.hash, &registration) {
            Ok(token) => Ok(Ok(token)),
            Err(error) => {
                draft.said = Some(Said::new(false, refusal(error, registry.now())?));
                draft.keep(registry, &session.hash)?;
                Ok(Err("/register/confirm"))
            }
        }
    })
    .await?;
    Ok(match done {
        Ok(token) => (Cookies::of(&app).session(&token), to("/code")).into_response(),
        Err(back) => (headers(), to(back)).into_response(),
    })
}
