//! The description of the API (OpenAPI 3.1): collected from the routes of all modules, wherever they run.

use actix_web::App;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, InfoBuilder, OpenApi, Ref, ResponseBuilder};
use utoipa_actix_web::AppExt;

use crate::{edge, modules};

const BEARER: &str = "bearer";

const DESCRIPTION: &str = "A household's money data, gathered into one exact, private ledger.\n\n\
    Every failure is a problem document (RFC 9457) with a stable `code` and the `request_id`. Every POST and PATCH \
    takes an `Idempotency-Key`. Lists are paged: ask again with `cursor` set to `next_cursor`. Amounts are strings.";

/// The same document in every mode.
pub fn document() -> OpenApi {
    let app = App::new().into_utoipa_app();
    let app = modules::described().into_iter().fold(app, |app, mount| app.configure(|config| mount(config)));
    let (_, mut document) = app.split_for_parts();
    document.info = InfoBuilder::new()
        .title("Tributary")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .build();
    let mut bearer = Http::new(HttpAuthScheme::Bearer);
    bearer.bearer_format = Some("JWT".to_owned());
    bearer.description = Some("The `access_token` that `POST /api/v1/sessions` answers with.".to_owned());
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
    for (path, item) in &mut document.paths.paths {
        operations(item).for_each(|(method, operation)| complete(method, path, operation));
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let PathItem { get, post, put, patch, delete, .. } = item;
    [("GET", get), ("POST", post), ("PUT", put), ("PATCH", patch), ("DELETE", delete)]
        .into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// What holds for all operations alike and so is said here: a name, the lock, and what a failure looks like.
fn complete(method: &str, path: &str, operation: &mut Operation) {
    // The functions that answer are called `list` in more than one module.
    let name =
        format!("{method}_{}", path.trim_start_matches("/api/v1").trim_start_matches('/')).to_lowercase();
    let words: Vec<_> =
        name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    operation.operation_id = Some(words.join("_"));
    operation.security =
        (!edge::is_open(method, path)).then(|| vec![SecurityRequirement::new(BEARER, Vec::<String>::new())]);
    operation.responses.responses.entry("default".to_owned()).or_insert_with(|| {
        let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response = ResponseBuilder::new().description("Any other problem");
        response.content("application/problem+json", problem).build().into()
    });
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn json() -> serde_json::Value {
        serde_json::to_value(document()).unwrap()
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = json();
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let pointer = reference.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer} is missing");
        }
    }

    #[test]
    fn operations_have_names_of_their_own() {
        let document = json();
        let mut seen = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let id = operation["operationId"]
                    .as_str()
                    .unwrap_or_else(|| panic!("{method} {path} has no name"));
                assert!(seen.insert(id.to_owned()), "{id} stands twice ({method} {path})");
            }
        }
        assert!(!seen.is_empty());
    }

    #[test]
    fn every_path_is_owned_by_a_module() {
        let registry =
            service_registry::Registry::builder().services(modules::ALL.iter().copied()).build().unwrap();
        for path in json()["paths"].as_object().unwrap().keys() {
            assert!(registry.owner_of_path(path).is_some(), "{path}");
        }
    }
}
