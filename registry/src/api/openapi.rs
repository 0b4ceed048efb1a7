//! The description of the API, written by its handlers.

use axum::Json;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use super::{codes, events, health, lists, time};

#[derive(OpenApi)]
#[openapi(
    info(title = "Tongguan registry", description = "Signed lists and time for checkpoints, events from them, codes for residents."),
    paths(
        lists::head, lists::file, time::time, events::hand_in, codes::live, codes::certificate, health::health, document
    ),
    modifiers(&Token, &AnyOtherError)
)]
struct Description;

struct Token;

impl Modify for Token {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("What `person add` gave.")).build();
        openapi.components.get_or_insert_default().add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// Whatever else goes wrong has the same form at every address.
struct AnyOtherError;

impl Modify for AnyOtherError {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("ApiErrorBody"))).build();
        let response =
            ResponseBuilder::new().description("Any other error").content("application/json", content).build();
        for item in openapi.paths.paths.values_mut() {
            for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
                operation.responses.responses.insert("default".to_owned(), RefOr::T(response.clone()));
            }
        }
    }
}

/// The description as a document.
pub fn description() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "operations",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
pub(super) async fn document() -> Response {
    Json(description()).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn every_address_is_described_and_no_other() {
        let described: BTreeSet<String> = super::description().paths.paths.into_keys().collect();
        let served: BTreeSet<String> = crate::api::routes().into_iter().map(|(path, _)| path.to_owned()).collect();
        assert_eq!(described, served);
    }
}
