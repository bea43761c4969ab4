//! What all operations of the API have in common, for its description.

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, Ref, ResponseBuilder};

/// How the guards before all operations refuse a request.
const REFUSED: [(&str, &str); 7] = [
    ("400", "The request is wrong"),
    ("401", "It has no token, or one that is not known"),
    ("403", "The token does not have the role, or a page of another site asks"),
    ("408", "The body did not arrive in time"),
    ("413", "The body is too long"),
    ("421", "The server does not have this name"),
    ("429", "The token was used too often"),
];

/// Adds the token that every request needs, and the ways in which any is refused.
pub(super) fn complete(api: &mut OpenApi) {
    let token = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    api.components.get_or_insert_default().add_security_scheme("token", token);
    api.security = Some(vec![SecurityRequirement::new("token", [""; 0])]);
    for (path, item) in &mut api.paths.paths {
        for operation in operations(item) {
            for (status, why) in REFUSED {
                let response = ResponseBuilder::new().description(why);
                // OpenAI's clients read another form, which their part of the API describes.
                let response = match path.starts_with("/api/") {
                    true => {
                        let refusal = Content::new(Some(Ref::from_schema_name("Refusal")));
                        response.content("application/json", refusal)
                    }
                    false => response,
                };
                let responses = &mut operation.responses.responses;
                responses.entry(status.into()).or_insert_with(|| response.build().into());
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [get, put, post, delete, patch].into_iter().flatten()
}
