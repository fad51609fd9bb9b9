use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode, header};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, Error, HttpMessage, test, web};
use identity_api::AccessTokens;
use platform::http::ApiError;
use serde_json::{Value, json};
use service_registry::{CallContext, IdempotencyKey};
use utoipa_actix_web::AppExt;

use crate::home::{Home, PASSWORD, in_each_home, within_a_second};

/// What the edge does for every request, as far as these routes need it.
async fn edge(
    access: web::Data<AccessTokens>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let mut cx = CallContext::root();
    if let Some(token) = header("authorization") {
        let caller = access.verify(token.strip_prefix("Bearer ").unwrap()).await;
        cx = cx.with_caller(caller.map_err(ApiError::from)?);
    }
    if let Some(key) = header("idempotency-key") {
        let route = format!("{} {}", request.method(), request.path());
        cx = cx.with_idempotency(IdempotencyKey { route, key, fingerprint: String::new() });
    }
    request.extensions_mut().insert(cx);
    Ok(next.call(request).await?.map_into_boxed_body())
}

struct Answer {
    status: StatusCode,
    headers: header::HeaderMap,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no header {name}")).to_str().unwrap()
    }
}

/// The routes of one home, as a client meets them.
async fn ask(home: &Home, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Answer {
    ask_with(home, method, path, token, body, &[]).await
}

async fn ask_with(
    home: &Home,
    method: Method,
    path: &str,
    token: Option<&str>,
    body: Option<Value>,
    headers: &[(&str, &str)],
) -> Answer {
    let routes = home.module.routes.clone();
    let (app, _) = App::new()
        .app_data(web::Data::new(home.access.clone()))
        .into_utoipa_app()
        .configure(|config| routes(config))
        .split_for_parts();
    let app = test::init_service(app.wrap(from_fn(edge))).await;
    let mut request =
        test::TestRequest::with_uri(path).method(method).insert_header((header::USER_AGENT, "browser"));
    for (name, value) in headers {
        request = request.insert_header((*name, *value));
    }
    if let Some(token) = token {
        request = request.insert_header((header::AUTHORIZATION, format!("Bearer {token}")));
    }
    if let Some(body) = body {
        request = request.set_json(body);
    }
    let response = match app.call(request.to_request()).await {
        Ok(response) => response.into_parts().1.map_into_boxed_body(),
        Err(error) => error.error_response(),
    };
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = actix_web::body::to_bytes(response.into_body()).await.unwrap();
    Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or_default() }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

async fn register(home: &Home, email: &str) -> Answer {
    let body = json!({ "email": email, "password": PASSWORD });
    ask(home, Method::POST, "/api/v1/users", None, Some(body)).await
}

async fn log_in(home: &Home, email: &str) -> Answer {
    let body = json!({ "email": email, "password": PASSWORD });
    ask(home, Method::POST, "/api/v1/sessions", None, Some(body)).await
}

#[actix_web::test]
async fn a_session_from_registration_to_log_out() {
    in_each_home(async |home| {
        let registered = register(home, "ada@example.org").await;
        assert_eq!(registered.status, StatusCode::CREATED);
        assert_eq!(registered.header("location"), "/api/v1/users/me");

        let session = log_in(home, "ada@example.org").await;
        assert_eq!(session.status, StatusCode::CREATED);
        assert_eq!(session.header("cache-control"), "no-store");
        let location = session.header("location").to_owned();
        let token = text(&session.body["access_token"]);
        assert_eq!(session.body["session"]["client"], "browser");

        let me = ask(home, Method::GET, "/api/v1/users/me", Some(token), None).await;
        assert_eq!(me.status, StatusCode::OK);
        assert_eq!(me.body["user"], registered.body["user"]);
        assert_eq!(me.body["space"], registered.body["space"]);

        let found = ask(home, Method::GET, &location, Some(token), None).await;
        assert_eq!(found.body, session.body["session"]);

        let body = json!({ "refresh_token": session.body["refresh_token"] });
        let refreshed = ask(home, Method::POST, "/api/v1/tokens", None, Some(body)).await;
        assert_eq!(refreshed.status, StatusCode::OK);
        assert_eq!(refreshed.header("cache-control"), "no-store");

        let out = ask(home, Method::DELETE, "/api/v1/sessions/current", Some(token), None).await;
        assert_eq!((out.status, out.body), (StatusCode::NO_CONTENT, Value::Null));
        within_a_second("the token is refused", async || {
            let me = ask(home, Method::GET, "/api/v1/users/me", Some(token), None).await;
            me.status == StatusCode::UNAUTHORIZED && me.body["code"] == "session_revoked"
        })
        .await;
    })
    .await;
}

#[actix_web::test]
async fn a_household_from_making_to_leaving() {
    in_each_home(async |home| {
        register(home, "ada@example.org").await;
        let bob = register(home, "bob@example.org").await;
        let bob = text(&bob.body["user"]["id"]).to_owned();
        let session = log_in(home, "ada@example.org").await;
        let token = Some(text(&session.body["access_token"]));

        let club = ask(home, Method::POST, "/api/v1/spaces", token, Some(json!({ "name": "Club" }))).await;
        assert_eq!(club.status, StatusCode::CREATED);
        let members = club.header("location").to_owned();
        assert_eq!(members, format!("/api/v1/spaces/{}/members", text(&club.body["id"])));

        let member = json!({ "email": "bob@example.org", "role": "viewer" });
        let added = ask(home, Method::POST, &members, token, Some(member)).await;
        assert_eq!(added.status, StatusCode::CREATED);
        let location = added.header("location").to_owned();
        assert_eq!(location, format!("{members}/{bob}"));

        let changed = ask(home, Method::PATCH, &location, token, Some(json!({ "role": "editor" }))).await;
        assert_eq!((changed.status, &changed.body["role"]), (StatusCode::OK, &json!("editor")));

        let path = format!("{members}?limit=1&with_total=true");
        let listed = ask(home, Method::GET, &path, token, None).await;
        assert_eq!((listed.body["data"].as_array().unwrap().len(), &listed.body["total"]), (1, &json!(2)));
        let path = format!("{members}?cursor={}", text(&listed.body["next_cursor"]));
        let rest = ask(home, Method::GET, &path, token, None).await;
        assert_eq!(rest.body["data"], json!([changed.body]));
        assert_eq!(rest.body["next_cursor"], Value::Null);

        let removed = ask(home, Method::DELETE, &location, token, None).await;
        assert_eq!(removed.status, StatusCode::NO_CONTENT);
        let again = ask(home, Method::DELETE, &location, token, None).await;
        assert_eq!((again.status, &again.body["code"]), (StatusCode::NOT_FOUND, &json!("not_found")));
        let spaces = ask(home, Method::GET, "/api/v1/spaces", token, None).await;
        assert_eq!(spaces.body["data"].as_array().unwrap().len(), 2);
    })
    .await;
}

#[actix_web::test]
async fn every_refusal_is_a_problem_document() {
    in_each_home(async |home| {
        register(home, "ada@example.org").await;
        let session = log_in(home, "ada@example.org").await;
        let token = Some(text(&session.body["access_token"]));
        let wrong = json!({ "email": "ada@example.org", "password": "not the password" });
        let cases = [
            (
                Method::POST,
                "/api/v1/users",
                None,
                Some(json!({ "email": "x", "password": "y" })),
                422,
                "validation_failed",
            ),
            (Method::POST, "/api/v1/users", None, Some(json!({ "mail": "x" })), 422, "validation_failed"),
            (Method::POST, "/api/v1/users", None, None, 415, "unsupported_media_type"),
            (Method::POST, "/api/v1/sessions", None, Some(wrong), 401, "invalid_credentials"),
            (
                Method::POST,
                "/api/v1/tokens",
                None,
                Some(json!({ "refresh_token": "x" })),
                401,
                "refresh_token_invalid",
            ),
            (Method::GET, "/api/v1/users/me", None, None, 401, "unauthenticated"),
            (Method::GET, "/api/v1/users/me", Some("forged"), None, 401, "token_invalid"),
            (Method::GET, "/api/v1/sessions/not-an-id", token, None, 404, "not_found"),
            (
                Method::DELETE,
                "/api/v1/sessions/01890a5d-ac96-774b-bcce-b302099a8057",
                token,
                None,
                404,
                "not_found",
            ),
            (Method::GET, "/api/v1/sessions?limit=0", token, None, 422, "validation_failed"),
            (Method::GET, "/api/v1/sessions?cursor=ff", token, None, 422, "validation_failed"),
            (Method::POST, "/api/v1/spaces", token, Some(json!({ "name": "" })), 422, "validation_failed"),
        ];
        for (method, path, token, body, status, code) in cases {
            let answer = ask(home, method.clone(), path, token, body).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.body["code"]),
                (status, &json!(code)),
                "{method} {path}"
            );
            assert_eq!(answer.header("content-type"), "application/problem+json", "{method} {path}");
        }
    })
    .await;
}

#[actix_web::test]
async fn a_repeat_with_the_same_key_says_that_it_is_one() {
    in_each_home(async |home| {
        let body = json!({ "email": "ada@example.org", "password": PASSWORD });
        let key = [("Idempotency-Key", "0123456789abcdef")];
        let first = ask_with(home, Method::POST, "/api/v1/users", None, Some(body.clone()), &key).await;
        let again = ask_with(home, Method::POST, "/api/v1/users", None, Some(body), &key).await;
        assert_eq!((again.status, &again.body), (first.status, &first.body));
        assert!(!first.headers.contains_key("idempotent-replayed"));
        assert_eq!(again.header("idempotent-replayed"), "true");
    })
    .await;
}

#[actix_web::test]
async fn the_keys_are_public_and_may_be_cached() {
    in_each_home(async |home| {
        let jwks = ask(home, Method::GET, "/.well-known/jwks.json", None, None).await;
        assert_eq!(jwks.header("cache-control"), "public, max-age=300");
        let key = &jwks.body["keys"][0];
        assert_eq!(
            (&key["kty"], &key["crv"], &key["use"]),
            (&json!("OKP"), &json!("Ed25519"), &json!("sig"))
        );
        assert!(key["d"].is_null(), "no private part");
    })
    .await;
}

#[actix_web::test]
async fn every_route_is_documented() {
    in_each_home(async |home| {
        let routes = home.module.routes.clone();
        let (_, api) = App::new().into_utoipa_app().configure(|config| routes(config)).split_for_parts();
        let api = serde_json::to_value(&api).unwrap();
        let paths = api["paths"].as_object().unwrap();
        let operations: Vec<_> = paths.values().flat_map(|path| path.as_object().unwrap().values()).collect();
        assert_eq!(operations.len(), 16);
        for operation in operations {
            let name = &operation["operationId"];
            assert!(!text(&operation["summary"]).is_empty() && !operation["tags"][0].is_null(), "{name}");
            assert!(!operation["responses"]["default"].is_null(), "{name}");
        }
        for name in
            ["NewUser", "Registered", "Login", "Tokens", "Session", "Space", "Member", "Jwks", "Problem"]
        {
            assert!(!api["components"]["schemas"][name].is_null(), "{name}");
        }
    })
    .await;
}
