//! The development inbox: messages that `serve --dev` sent to nobody. Elsewhere there is no such page.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::{Frame, Visitor, page};
use crate::api::{ApiError, App};

#[derive(Template)]
#[template(path = "inbox.html")]
struct Inbox {
    frame: Frame,
    messages: Vec<(String, String)>,
}

pub(super) async fn inbox(State(app): State<App>, visitor: Visitor) -> Response {
    let Some(inbox) = &app.web().inbox else {
        return ApiError::not_found("no such address; see /openapi.json").into_response();
    };
    let messages = inbox.inbox();
    let messages = messages.iter().map(|m| (m.phone.as_str().to_owned(), m.content.text(m.lang).to_string())).collect();
    page(StatusCode::OK, &Inbox { frame: Frame::of(&visitor, "/dev/inbox"), messages })
}
