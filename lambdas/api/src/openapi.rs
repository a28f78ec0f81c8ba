//! The description of the API, made from the routes. docs/openapi.json is this, checked in.

use std::collections::BTreeMap;

use http::StatusCode;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi as _};

use crate::code::Code;
use crate::problem::{Document, PROBLEM_JSON, Violation};

/// Declares the problems that a route may answer, besides those that every route may, as a type for its description.
macro_rules! problems {
    ($name:ident: $($code:ident),+) => {
        struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
                $crate::openapi::responses(&[$($crate::code::Code::$code),+])
            }
        }
    };
}
pub(crate) use problems;

/// The problems that every route may answer.
const EVERYWHERE: &[Code] = &[Code::Unauthenticated, Code::InternalError, Code::Unavailable];

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Vestibule",
        description = "Support chat whose attachments go through an inbox, are inspected, and only then are published.\n\n\
            Errors are RFC 9457 problem documents with a stable `code`. Fields and query parameters that the API does not know \
            are passed over; new fields may be added to answers. To anyone but its two people a room does not exist. A method \
            that a path does not have is answered with 405, `method-not-allowed`. The routes below `/u` are Uppy's: see \
            docs/UPLOADS.md.",
        license(name = "MIT OR Apache-2.0"),
    ),
    components(schemas(Code, Document, Violation)),
    security(("accessToken" = [])),
    modifiers(&AccessToken),
    tags(
        (name = "rooms", description = "One customer, one operator, one conversation."),
        (name = "messages", description = "What they say."),
        (name = "attachments", description = "What they attach, once it is examined."),
        (name = "uploads", description = "How it gets here."),
        (name = "live", description = "Being told of what changes."),
    ),
)]
struct Frame;

struct AccessToken;

impl Modify for AccessToken {
    fn modify(&self, description: &mut OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("An access token of the user pool, with the scope aws.cognito.signin.user.admin."))
            .build();
        let components = description.components.get_or_insert_default();
        components.add_security_scheme("accessToken", SecurityScheme::Http(scheme));
    }
}

/// The description without routes.
pub(crate) fn frame() -> OpenApi {
    Frame::openapi()
}

/// The description of all routes.
pub fn description() -> OpenApi {
    crate::routes::all().into_openapi()
}

/// The answers for `codes` and for what every route may answer, by status.
pub(crate) fn responses(codes: &[Code]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<StatusCode, Vec<Code>> = BTreeMap::new();
    for code in codes.iter().chain(EVERYWHERE) {
        by_status.entry(code.status()).or_default().push(*code);
    }
    by_status.into_iter().map(|(status, codes)| (status.as_str().to_owned(), RefOr::T(response(&codes)))).collect()
}

fn response(codes: &[Code]) -> Response {
    let sentences: Vec<String> = codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.sentence())).collect();
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    ResponseBuilder::new().description(sentences.join("\n\n")).content(PROBLEM_JSON, content).build()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    use serde_json::Value;

    use super::*;

    fn repository(path: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
    }

    fn generated() -> String {
        format!("{}\n", description().to_pretty_json().unwrap())
    }

    fn operations() -> Vec<(String, String, Value)> {
        let description: Value = serde_json::from_str(&generated()).unwrap();
        let paths = description["paths"].as_object().unwrap().clone();
        let methods = paths.into_iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().clone();
            methods.into_iter().map(move |(method, operation)| (path.clone(), method.to_uppercase(), operation))
        });
        methods.collect()
    }

    #[test]
    fn the_description_in_the_repository_is_that_of_the_routes() {
        let file = repository("docs/openapi.json");
        #[expect(clippy::disallowed_methods, reason = "how a person asks this test to write the file anew")]
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(&file, generated()).unwrap();
        }
        let written = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            written == generated(),
            "docs/openapi.json is not what the routes generate; write it anew with: \
             UPDATE_OPENAPI=1 cargo test -p vestibule-api openapi"
        );
    }

    /// The template routes methods, each for everything below /v1.
    #[test]
    fn the_gateway_lets_every_route_through_and_no_method_that_has_none() {
        let template = std::fs::read_to_string(repository("infra/template.yaml")).unwrap();
        let routed = template.lines().filter_map(|line| line.trim().strip_prefix("RouteKey: "));
        let routed: BTreeSet<_> = routed.filter_map(|key| key.strip_suffix(" /v1/{proxy+}")).collect();
        let operations = operations();
        assert!(operations.iter().all(|(path, ..)| path.starts_with("/v1/")));
        assert_eq!(operations.iter().map(|(_, method, _)| method.as_str()).collect::<BTreeSet<_>>(), routed);
    }

    #[test]
    fn every_problem_is_described_somewhere_under_its_status() {
        let mut described = BTreeSet::new();
        for (path, method, operation) in operations() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let Some(content) = response["content"].get(PROBLEM_JSON) else { continue };
                assert_eq!(content["schema"]["$ref"], "#/components/schemas/Problem", "{method} {path}");
                let text = response["description"].as_str().unwrap();
                let codes = Code::ALL.iter().filter(|code| text.contains(&format!("`{}`", code.as_str())));
                described.extend(codes.inspect(|code| assert_eq!(code.status().as_str(), status)));
            }
            for code in EVERYWHERE {
                assert!(operation["responses"].get(code.status().as_str()).is_some(), "{method} {path}");
            }
        }
        // The one that belongs to no route; the description's own text speaks of it.
        assert!(generated().contains(Code::MethodNotAllowed.as_str()));
        described.insert(&Code::MethodNotAllowed);
        described.extend(crate::routes::companion::CODES);
        assert_eq!(described, Code::ALL.iter().collect());
    }

    #[test]
    fn every_operation_has_its_own_id_and_parameters_for_its_path() {
        let operations = operations();
        let ids: BTreeSet<_> = operations.iter().map(|(.., operation)| operation["operationId"].to_string()).collect();
        assert_eq!(ids.len(), operations.len());
        for (path, method, operation) in operations {
            let inside =
                |part: &str| part.strip_prefix('{').and_then(|part| part.strip_suffix('}')).map(ToOwned::to_owned);
            let wanted: BTreeSet<_> = path.split('/').filter_map(inside).collect();
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let named = parameters.iter().filter(|parameter| parameter["in"] == "path");
            let named: BTreeSet<_> = named.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect();
            assert_eq!(named, wanted, "{method} {path}");
        }
    }
}
