//! 8. Which route a request is for. The table is read from the API's own description, so every mode has the same.

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::middleware::Next;
use kernel::{Code, Problem};
use utoipa::openapi::OpenApi;

use super::{Edge, docs, problem_response, request_id};

/// Who may call without logging in: to get an account, a session or fresh tokens, and to check our signatures.
const OPEN: [(&str, &str); 4] = [
    ("POST", "/api/v1/users"),
    ("POST", "/api/v1/sessions"),
    ("POST", "/api/v1/tokens"),
    ("GET", "/.well-known/jwks.json"),
];
/// Where bodies are bank files.
const UPLOADS: [(&str, &str); 1] = [("POST", "/api/v1/imports")];

/// Every public route: its template and what may be done there.
pub struct RouteTable(Vec<Route>);

struct Route {
    template: String,
    methods: Vec<Method>,
    /// Served by the edge itself, to anybody.
    own: bool,
}

impl RouteTable {
    pub fn new(openapi: &OpenApi, docs: bool) -> Self {
        let described = openapi.paths.paths.iter().map(|(template, item)| {
            let operations = [
                (Method::GET, item.get.is_some()),
                (Method::HEAD, item.get.is_some()),
                (Method::POST, item.post.is_some()),
                (Method::PUT, item.put.is_some()),
                (Method::PATCH, item.patch.is_some()),
                (Method::DELETE, item.delete.is_some()),
            ];
            let methods =
                operations.into_iter().filter_map(|(method, there)| there.then_some(method)).collect();
            Route { template: template.clone(), methods, own: false }
        });
        let own = ["/health/live", "/health/ready"]
            .into_iter()
            .chain(docs.then_some(docs::PATHS).into_iter().flatten());
        let own = own.map(|template| Route {
            template: template.to_owned(),
            methods: vec![Method::GET, Method::HEAD],
            own: true,
        });
        Self(described.chain(own).collect())
    }

    /// The template of the route that owns `path`: `/api/v1/accounts/{id}`.
    pub fn template(&self, path: &str) -> Option<&str> {
        self.route(path).map(|route| route.template.as_str())
    }

    /// Whether `method` at `path` is open to those who are not logged in.
    pub(super) fn is_open(&self, method: &Method, path: &str) -> bool {
        let own = self.route(path).is_some_and(|route| route.own);
        own || is_open(as_get(method), path)
    }

    pub(super) fn takes_uploads(&self, method: &Method, path: &str) -> bool {
        UPLOADS.contains(&(method.as_str(), path))
    }

    /// The route with the most literal segments wins, as in a router.
    fn route(&self, path: &str) -> Option<&Route> {
        if is_ambiguous(path) {
            return None;
        }
        let matching = self.0.iter().filter(|route| matches(&route.template, path));
        matching.max_by_key(|route| route.template.split('/').filter(|part| !part.starts_with('{')).count())
    }
}

/// Whether anybody may do `method` at `path`.
pub(crate) fn is_open(method: &str, path: &str) -> bool {
    OPEN.contains(&(method, path))
}

fn as_get(method: &Method) -> &str {
    if method == Method::HEAD { "GET" } else { method.as_str() }
}

fn matches(template: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    for part in template.split('/') {
        match (part, segments.next()) {
            ("{*}", Some(_)) => return true,
            (part, Some(segment)) if part.starts_with('{') && !segment.is_empty() => {}
            (part, Some(segment)) if part == segment => {}
            _ => return false,
        }
    }
    segments.next().is_none()
}

/// Whether two readers of `path` could come to two resources: one takes `..`, `%2e%2e` or `\\` literally, another
/// resolves it (WHATWG URL §4.4; RFC 3986 §7.3). No route of ours needs such a path.
fn is_ambiguous(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    path.contains('\\')
        || ["%2f", "%5c"].iter().any(|slash| path.contains(slash))
        || path.split('/').any(|segment| [".", ".."].contains(&segment.replace("%2e", ".").as_str()))
}

/// Answers 404 and 405 before anybody is asked who they are.
pub(super) async fn find(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let edge = Edge::of(&req);
    let problem = |code| problem_response(&request_id::context(&req), Problem::new(code));
    let refusal = match edge.routes.route(req.path()) {
        None => Some(problem(Code::NotFound)),
        Some(route) if !route.methods.contains(req.method()) => {
            let mut response = problem(Code::MethodNotAllowed);
            let allowed: Vec<_> = route.methods.iter().map(Method::as_str).collect();
            let allowed = HeaderValue::from_str(&allowed.join(", ")).expect("methods are visible ASCII");
            response.headers_mut().insert(ALLOW, allowed);
            Some(response)
        }
        Some(_) => None,
    };
    match refusal {
        Some(response) => Ok(req.into_response(response)),
        None => next.call(as_get_request(req)).await.map(ServiceResponse::map_into_boxed_body),
    }
}

/// HEAD is GET without the body (RFC 9110 §9.3.2); the HTTP layer leaves the body out by itself.
fn as_get_request(mut req: ServiceRequest) -> ServiceRequest {
    if req.method() == Method::HEAD {
        req.head_mut().method = Method::GET;
    }
    req
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_matches_whole_segments() {
        assert!(matches("/api/v1/accounts/{id}", "/api/v1/accounts/7"));
        assert!(!matches("/api/v1/accounts/{id}", "/api/v1/accounts/"));
        assert!(!matches("/api/v1/accounts/{id}", "/api/v1/accounts/7/transactions"));
        assert!(matches("/docs/{*}", "/docs/index.html") && matches("/docs/{*}", "/docs/a/b"));
        assert!(!matches("/docs/{*}", "/docs"));
    }

    #[test]
    fn regression_a_path_with_a_second_reading_has_no_route() {
        for path in ["/a/..", "/a/./b", "/%2e%2E/b", "/a/.%2e/b", "/a/%2e", "/a\\b", "/a%2Fb", "/a/%5cb"] {
            assert!(is_ambiguous(path), "{path}");
        }
        for path in ["/a/...", "/a/b.c", "/.well-known/jwks.json", "/a/%20", "/a//b"] {
            assert!(!is_ambiguous(path), "{path}");
        }
    }
}
