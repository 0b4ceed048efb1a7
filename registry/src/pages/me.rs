//! What is known of a person, for themselves: masked, to be changed here, with its history.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::fields::{self, Choice, Line, name_of, problem};
use super::{Frame, Problem, Visitor, ask, form as read, page, person_of, refusal, to};
use crate::api::App;
use crate::domain::mask;
use crate::domain::registration::{Field, Problems, Registration, Typed, document_name};
use crate::domain::time::beijing;
use crate::lang::{Lang, Text};
use crate::places::{Found, PLACES_SHOWN};
use crate::registry::Error;
use crate::residents::Resident;

#[derive(Template)]
#[template(path = "me.html")]
struct Me {
    frame: Frame,
    rows: Vec<(Text, String)>,
    frozen: bool,
}

pub(super) async fn me(State(app): State<App>, visitor: Visitor) -> Result<Response, Problem> {
    let asked = visitor.clone();
    let known = ask(&app, &visitor, move |registry| {
        person_of(registry, &asked)?.map(|person| registry.resident(&person)).transpose()
    })
    .await?;
    let Some(resident) = known else { return Ok(to("/enter")) };
    let frame = Frame::of(&visitor, "/me");
    let frozen = resident.status != crate::domain::profile::Status::Normal;
    Ok(page(StatusCode::OK, &Me { frame, rows: rows(frame.lang, &resident), frozen }))
}

/// Everything, masked: a person's own screen is seen by others.
fn rows(lang: Lang, resident: &Resident) -> Vec<(Text, String)> {
    let Resident { profile, document, community_name, status, since, .. } = resident;
    let or = |text: &str| if text.is_empty() { "—".to_owned() } else { text.to_owned() };
    let plates: Vec<String> = profile.plates.iter().map(mask::plate).collect();
    let (kind, number) = match document {
        Some(document) => (lang.say(&document_name(document.kind())).to_owned(), mask::document(document)),
        None => ("—".to_owned(), "—".to_owned()),
    };
    vec![
        (Text::new("状态", "Status"), lang.say(&status.text()).to_owned()),
        (Text::new("姓名", "Name"), mask::name(profile.name.as_str())),
        (Text::new("证件类型", "Document"), kind),
        (Text::new("证件号码", "Document number"), number),
        (Text::new("性别", "Gender"), profile.gender.map_or_else(|| "—".into(), |g| lang.say(&g.text()).to_owned())),
        (Text::new("手机号", "Mobile phone"), profile.phone.as_ref().map_or_else(|| "—".into(), |p| p.masked())),
        (Text::new("小区 / 村", "Community or village"), community_name.clone()),
        (Text::new("楼栋 / 排", "Building or row"), or(profile.home.as_str())),
        (Text::new("单元", "Unit"), or(profile.unit.as_str())),
        (Text::new("门牌号", "Door"), mask::tail(profile.door.as_str())),
        (Text::new("车牌号", "Vehicle plates"), or(&plates.join("、"))),
        (Text::new("登记时间", "Registered"), beijing(*since)),
    ]
}

#[derive(Template)]
#[template(path = "change.html")]
struct ChangePage<'a> {
    frame: Frame,
    said: Option<String>,
    summary: Vec<(&'static str, String)>,
    kinds: Vec<Choice>,
    number: Line<'a>,
    number_now: String,
    genders: Vec<Choice>,
    search: &'a str,
    chosen: Option<Found>,
    results: Option<Vec<Found>>,
    community_problem: Option<&'a Text>,
    places: [Line<'a>; 4],
    revision: u32,
}

fn change_page(
    app: &App,
    frame: Frame,
    resident: &Resident,
    typed: &Typed,
    problems: &Problems,
    said: Option<Text>,
) -> Response {
    let places = app.web().places();
    let chosen = typed.community.parse().ok().and_then(|id| places.get(id));
    let results = (!typed.search.is_empty() && chosen.is_none()).then(|| places.find(&typed.search, PLACES_SHOWN));
    let status = if problems.is_empty() && said.is_none() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let shown = ChangePage {
        frame,
        said: said.map(|text| frame.say(&text).to_owned()),
        summary: fields::summary(frame, problems),
        kinds: fields::document_kinds(typed),
        number: Line { need: false, ..fields::document_number(typed, problems) },
        number_now: resident.document.as_ref().map(mask::document).unwrap_or_default(),
        genders: fields::genders(typed),
        search: &typed.search,
        chosen,
        results,
        community_problem: problem(problems, Field::Community),
        places: fields::places(typed, problems),
        revision: resident.revision,
    };
    page(status, &shown)
}

/// What stands in the form first: all of it but the number, which is typed anew if it is to change.
fn filled(resident: &Resident) -> Typed {
    let Resident { profile, document, community, .. } = resident;
    let plates: Vec<&str> = profile.plates.iter().map(|plate| plate.as_str()).collect();
    Typed {
        document_kind: document.as_ref().map(|document| document.kind().name().to_owned()).unwrap_or_default(),
        gender: profile.gender.map(|gender| gender.name().to_owned()).unwrap_or_default(),
        community: community.to_string(),
        building: profile.home.as_str().to_owned(),
        unit: profile.unit.as_str().to_owned(),
        door: profile.door.as_str().to_owned(),
        plates: plates.join("，"),
        ..Typed::default()
    }
}

pub(super) async fn form(State(app): State<App>, visitor: Visitor) -> Result<Response, Problem> {
    let asked = visitor.clone();
    let known = ask(&app, &visitor, move |registry| {
        person_of(registry, &asked)?.map(|person| registry.resident(&person)).transpose()
    })
    .await?;
    let Some(resident) = known else { return Ok(to("/enter")) };
    let frame = Frame::of(&visitor, "/me/change");
    Ok(change_page(&app, frame, &resident, &filled(&resident), &Problems::new(), None))
}

#[derive(Deserialize)]
pub(super) struct Sent {
    #[serde(flatten)]
    typed: Typed,
    /// Which button: `search`, `other` (community) or `next`.
    #[serde(default)]
    act: String,
    /// What the form was made from.
    #[serde(default)]
    revision: String,
}

pub(super) async fn change(
    State(app): State<App>,
    visitor: Visitor,
    body: Result<Form<Sent>, FormRejection>,
) -> Result<Response, Problem> {
    let sent = read(&visitor, body)?;
    let (asked, frame) = (visitor.clone(), Frame::of(&visitor, "/me/change"));
    let answer = ask(&app, &visitor, move |registry| {
        let Some(person) = person_of(registry, &asked)? else { return Ok(None) };
        let resident = registry.resident(&person)?;
        let mut typed = sent.typed.bounded();
        if matches!(sent.act.as_str(), "search" | "other") {
            typed.community.clear();
            return Ok(Some((resident, typed, Problems::new(), None, false)));
        }
        let checked = whole(&resident, &typed);
        let (problems, said, done) = match checked {
            Err(problems) => (problems, None, false),
            Ok(registration) => {
                let before = Resident { revision: sent.revision.parse().unwrap_or(u32::MAX), ..resident.clone() };
                let entry = changed_fields(&resident, &registration);
                match registry.change_own(
                    &person,
                    &before,
                    &registration,
                    &serde_json::to_vec(&entry).unwrap_or_default(),
                ) {
                    Ok(()) => (Problems::new(), None, true),
                    Err(error) => (Problems::new(), Some(refusal(error, registry.now())?), false),
                }
            }
        };
        // What was changed elsewhere meanwhile is what the form is made from next.
        Ok::<_, Error>(Some((resident, typed, problems, said, done)))
    })
    .await?;
    Ok(match answer {
        None => to("/enter"),
        Some((_, _, _, _, true)) => to("/me"),
        Some((resident, typed, problems, said, false)) => change_page(&app, frame, &resident, &typed, &problems, said),
    })
}

/// Name and phone are as they were, and so is the document where no number was typed.
fn whole(resident: &Resident, typed: &Typed) -> Result<Registration, Problems> {
    let kept = resident
        .document
        .as_ref()
        .filter(|document| typed.document_number.trim().is_empty() && document.kind().name() == typed.document_kind);
    let typed = Typed {
        name: resident.profile.name.as_str().to_owned(),
        phone: resident.profile.phone.as_ref().map(|phone| phone.as_str().to_owned()).unwrap_or_default(),
        document_number: kept.map_or_else(|| typed.document_number.clone(), |document| document.number().to_owned()),
        ..typed.clone()
    };
    typed.check()
}

/// An entry of the history: which fields changed. What they were is nobody's business any more.
#[derive(Serialize, Deserialize)]
struct Entry {
    fields: Vec<String>,
}

fn changed_fields(before: &Resident, after: &Registration) -> Entry {
    let (old, new) = (&before.profile, &after.profile);
    let changed = [
        (Field::DocumentNumber, before.document.as_ref() != Some(&after.document)),
        (Field::Gender, old.gender != new.gender),
        (Field::Community, before.community != after.community),
        (Field::Building, old.home != new.home),
        (Field::Unit, old.unit != new.unit),
        (Field::Door, old.door != new.door),
        (Field::Plates, old.plates != new.plates),
    ];
    let fields = changed.into_iter().filter(|(_, changed)| *changed);
    Entry { fields: fields.map(|(field, _)| name_of(field).to_owned()).collect() }
}

#[derive(Template)]
#[template(path = "history.html")]
struct History {
    frame: Frame,
    entries: Vec<(String, String)>,
}

pub(super) async fn history(State(app): State<App>, visitor: Visitor) -> Result<Response, Problem> {
    let asked = visitor.clone();
    let known = ask(&app, &visitor, move |registry| {
        let Some(person) = person_of(registry, &asked)? else { return Ok(None) };
        Ok(Some((registry.history_of(&person)?, registry.resident(&person)?.since)))
    })
    .await?;
    let Some((kept, since)) = known else { return Ok(to("/enter")) };
    let frame = Frame::of(&visitor, "/me/history");
    let line = |bytes: &[u8]| {
        let fields = serde_json::from_slice::<Entry>(bytes).map(|entry| entry.fields).unwrap_or_default();
        let fields: Vec<&str> = fields.iter().filter_map(|name| label(frame, name)).collect();
        match fields.as_slice() {
            [] => frame.t("保存，无变化", "Saved, nothing changed").to_owned(),
            some => format!("{}{}", frame.t("修改：", "Changed: "), some.join(frame.t("、", ", "))),
        }
    };
    let mut entries: Vec<_> = kept.iter().map(|past| (beijing(past.at), line(&past.said))).collect();
    entries.push((beijing(since), frame.t("登记", "Registered").to_owned()));
    Ok(page(StatusCode::OK, &History { frame, entries }))
}

fn label(frame: Frame, field: &str) -> Option<&'static str> {
    let known = [
        ("document_number", "证件", "document"),
        ("gender", "性别", "gender"),
        ("community", "小区 / 村", "community or village"),
        ("building", "楼栋", "building"),
        ("unit", "单元", "unit"),
        ("door", "门牌号", "door"),
        ("plates", "车牌号", "vehicle plates"),
    ];
    known.into_iter().find(|(name, ..)| *name == field).map(|(_, zh, en)| frame.lang.t(zh, en))
}
