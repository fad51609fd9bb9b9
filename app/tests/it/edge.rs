//! What every request meets on the public listener.

use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::server::{header, is, monolith, problem, server};

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_path_is_a_404_problem() {
    let server = server(&[]).await;
    assert_eq!(problem(server.get("/api/v1/nothing").send().await.unwrap()).await, is(404, "not_found"));
    assert_eq!(problem(server.get("/").send().await.unwrap()).await, is(404, "not_found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn regression_a_path_that_climbs_is_not_found_in_any_mode() {
    for server in [server(&[]).await, monolith().await] {
        let token = server.log_in().await;
        for path in [
            r"/api/v1/accounts/..\..\..\metrics",
            "/api/v1/accounts/../transactions",
            "/api/v1/accounts/%2e%2e/transactions",
            // Of a module that is elsewhere in a hybrid.
            r"/api/v1/imports/..\..\..\metrics",
            "/api/v1/imports/..",
            "/api/v1/imports/%2E%2e",
            "/api/v1/imports/..%2f..%2fmetrics",
        ] {
            assert_eq!(server.get_untidied(path, &token).await, 404, "{path}");
        }
        assert_eq!(server.get_untidied("/api/v1/accounts", &token).await, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_method_is_a_405_problem_that_names_the_right_ones() {
    let server = server(&[]).await;
    let answer = server.request("PUT", "/api/v1/accounts").send().await.unwrap();
    assert_eq!(header(&answer, "allow").as_deref(), Some("GET, HEAD, POST"));
    assert_eq!(problem(answer).await, is(405, "method_not_allowed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_cannot_be_read_are_problems_that_say_why() {
    let server = server(&[]).await;
    let send = |kind: &'static str, body: String| {
        let request = server.post("/api/v1/users").header("content-type", kind).body(body);
        async { problem(request.send().await.unwrap()).await }
    };
    assert_eq!(send("text/plain", "hello".into()).await, is(415, "unsupported_media_type"));
    assert_eq!(send("application/json", "{".into()).await, is(400, "malformed_json"));
    assert_eq!(send("application/json", r#"{"nickname":1}"#.into()).await, is(422, "validation_failed"));
    assert_eq!(send("application/json", " ".repeat(300_000)).await, is(413, "body_too_large"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_unknown_length_is_cut_off_at_the_limit() {
    let server = server(&[]).await;
    let chunks = (0..40).map(|_| Ok::<_, std::io::Error>(vec![b' '; 10_000]));
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    let request = server.post("/api/v1/users").header("content-type", "application/json").body(body);
    assert_eq!(problem(request.send().await.unwrap()).await, is(413, "body_too_large"));
}

#[tokio::test(flavor = "multi_thread")]
async fn compressed_bodies_are_not_unpacked() {
    let server = server(&[]).await;
    let request = server.post("/api/v1/users").header("content-encoding", "gzip").body("x");
    assert_eq!(problem(request.send().await.unwrap()).await, is(415, "unsupported_media_type"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_is_kept_only_if_it_is_a_uuid() {
    let server = server(&[]).await;
    let ours = "0190163d-8694-739b-aea5-966c26f8ad91";
    let id = async |id: &str| {
        header(&server.get("/health/live").header("x-request-id", id).send().await.unwrap(), "x-request-id")
            .unwrap()
    };
    assert_eq!(id(ours).await, ours);
    assert_ne!(id("admin; level=info").await, "admin; level=info");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_listed_origins_may_read_answers() {
    let server = server(&[("edge.cors_origins", "https://money.example")]).await;
    let allowed = async |origin: &str| {
        let answer = server.get("/health/live").header("origin", origin).send().await.unwrap();
        header(&answer, "access-control-allow-origin")
    };
    assert_eq!(allowed("https://money.example").await.as_deref(), Some("https://money.example"));
    assert_eq!(allowed("https://evil.example").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_is_answered_before_anybody_has_to_log_in() {
    let server = server(&[("edge.cors_origins", "https://money.example")]).await;
    let preflight = async |origin: &str| {
        let request = server.request("OPTIONS", "/api/v1/accounts").header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        request
            .header("access-control-request-headers", "authorization,idempotency-key")
            .send()
            .await
            .unwrap()
    };
    let answer = preflight("https://money.example").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(header(&answer, "access-control-allow-credentials"), None);
    assert_eq!(preflight("https://evil.example").await.status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_logins_are_refused_with_the_time_to_wait() {
    let server = server(&[("edge.rate.login.quota", "2"), ("edge.rate.login.window_s", "60")]).await;
    let wrong = json!({ "email": "nobody@example.org", "password": "a wrong password" });
    let log_in = async || server.post("/api/v1/sessions").json(&wrong).send().await.unwrap();
    let first = log_in().await;
    assert_eq!(header(&first, "ratelimit-policy").as_deref(), Some("\"login\";q=2;w=60"));
    assert_eq!(header(&first, "ratelimit").as_deref(), Some("\"login\";r=1;t=30"));
    assert_eq!(problem(first).await, is(401, "invalid_credentials"));
    log_in().await;
    let third = log_in().await;
    let wait: u64 = header(&third, "retry-after").unwrap().parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    assert_eq!(third.status(), 429);
    let body: Value = third.json().await.unwrap();
    assert_eq!(body["violated-policies"], json!(["login"]));
    assert_eq!(body["type"], "https://iana.org/assignments/http-problem-types#quota-exceeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn authenticated_answers_say_what_is_left_of_the_quota() {
    let server = server(&[("edge.rate.default.quota", "60")]).await;
    let token = server.log_in().await;
    let answer = server.get("/api/v1/accounts").bearer_auth(&token).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(header(&answer, "ratelimit").as_deref(), Some("\"default\";r=59;t=1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_or_forged_token_is_challenged() {
    let server = server(&[]).await;
    let without = server.get("/api/v1/accounts").send().await.unwrap();
    assert_eq!(header(&without, "www-authenticate").as_deref(), Some("Bearer realm=\"tributary\""));
    assert_eq!(problem(without).await, is(401, "unauthenticated"));
    let forged = server.get("/api/v1/accounts").bearer_auth("e30.e30.e30").send().await.unwrap();
    assert!(header(&forged, "www-authenticate").unwrap().contains("invalid_token"));
    assert_eq!(problem(forged).await, is(401, "token_invalid"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_without_time_is_told_so_and_nothing_is_done() {
    let server = server(&[]).await;
    let token = server.log_in().await;
    let get = async |ms: &str| {
        let request = server.get("/api/v1/accounts").bearer_auth(&token);
        request.header("x-request-deadline-ms", ms).send().await.unwrap()
    };
    assert_eq!(problem(get("0").await).await, is(504, "deadline_exceeded"));
    assert_eq!(get("999999999").await.status(), 200, "no caller gets more time than there is");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_is_away_is_503_and_the_others_go_on() {
    let server = server(&[]).await;
    let token = server.log_in().await;
    let away = server.get("/api/v1/imports").bearer_auth(&token).send().await.unwrap();
    assert_eq!(header(&away, "retry-after").as_deref(), Some("1"));
    assert_eq!(problem(away).await, is(503, "upstream_unavailable"));
    assert_eq!(server.get("/api/v1/users/me").bearer_auth(&token).send().await.unwrap().status(), 200);
    assert_eq!(server.get("/health/ready").send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn regression_a_repeat_says_that_it_is_one_and_what_time_is_left() {
    let module = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", module.local_addr().unwrap());
    let server = server(&[("services.connections.url", url.as_str())]).await;
    let token = server.log_in().await;
    let asked = tokio::spawn(server.get("/api/v1/imports").bearer_auth(&token).send());
    let mut attempts = Vec::new();
    while attempts.len() < 3 {
        let (mut connection, _) = module.accept().await.unwrap();
        let mut head = vec![0; 16_384];
        let read = connection.read(&mut head).await.unwrap();
        let head = String::from_utf8(head[..read].to_vec()).unwrap().to_lowercase();
        let says = |name: &str| -> Option<u64> {
            head.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
        };
        // Probes come here, too. Nobody is answered, so that each attempt is followed by the next.
        if head.starts_with("get /api/v1/imports ") {
            attempts.push((says("x-retry-attempt:").unwrap_or(0), says("x-request-deadline-ms:").unwrap()));
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    assert_eq!(attempts.iter().map(|(attempt, _)| *attempt).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(attempts.windows(2).all(|pair| pair[1].1 + 20 <= pair[0].1), "{attempts:?}");
    assert_eq!(problem(asked.await.unwrap().unwrap()).await, is(503, "upstream_unavailable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn head_is_get_without_the_body() {
    let server = server(&[]).await;
    let answer = server.request("HEAD", "/api/v1/openapi.json").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(header(&answer, "content-length").unwrap().parse::<u64>().unwrap() > 1000);
    assert!(answer.bytes().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_is_a_page_without_foreign_parts() {
    let server = server(&[]).await;
    let page = server.get("/docs/").send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(header(&page, "content-security-policy").unwrap().contains("script-src 'self'"));
    let page = page.text().await.unwrap();
    assert!(
        page.contains("swagger-ui") && !page.contains("src=\"http") && !page.contains("href=\"http"),
        "{page}"
    );
    let described: Value = server.get("/api/v1/openapi.json").send().await.unwrap().json().await.unwrap();
    assert_eq!(described["openapi"], "3.1.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn documentation_that_is_turned_off_is_not_there() {
    let server = server(&[("edge.docs", "false")]).await;
    for path in ["/docs", "/docs/", "/docs/index.html", "/api/v1/openapi.json"] {
        assert_eq!(problem(server.get(path).send().await.unwrap()).await, is(404, "not_found"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_must_be_well_formed() {
    let server = server(&[]).await;
    let token = server.log_in().await;
    let account = json!({ "name": "Cash", "kind": "cash", "currency": "EUR" });
    let post = server.post("/api/v1/accounts").bearer_auth(&token).json(&account);
    let answer = post.header("idempotency-key", "short").send().await.unwrap();
    assert_eq!(problem(answer).await, is(400, "idempotency_key_invalid"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_can_be_demanded() {
    let server = server(&[("edge.idempotency", "required")]).await;
    let token = server.log_in().await;
    let account = json!({ "name": "Cash", "kind": "cash", "currency": "EUR" });
    let answer = server.post("/api/v1/accounts").bearer_auth(&token).json(&account).send().await.unwrap();
    assert_eq!(problem(answer).await, is(400, "idempotency_key_missing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_gives_the_same_answer_and_another_body_is_refused() {
    let server = server(&[]).await;
    let token = server.log_in().await;
    let post = async |body: &'static str| {
        let request =
            server.post("/api/v1/accounts").bearer_auth(&token).header("content-type", "application/json");
        request.header("idempotency-key", "\"8e03978e-40d5-43dd-bc93\"").body(body).send().await.unwrap()
    };
    let first = post(r#"{"name":"Cash","kind":"cash","currency":"EUR"}"#).await;
    assert_eq!((first.status().as_u16(), header(&first, "idempotent-replayed")), (201, None));
    let again = post(r#"{ "kind": "cash", "currency": "EUR", "name": "Cash" }"#).await;
    assert_eq!(header(&again, "idempotent-replayed").as_deref(), Some("true"));
    assert_eq!(first.text().await.unwrap(), again.text().await.unwrap());
    let other = post(r#"{"name":"Till","kind":"cash","currency":"EUR"}"#).await;
    assert_eq!(problem(other).await, is(422, "idempotency_key_reused"));
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_the_routes_without_a_lock_in_the_description_are_open() {
    let server = server(&[("edge.rate.login.quota", "100"), ("edge.rate.refresh.quota", "100")]).await;
    let described: Value = server.get("/api/v1/openapi.json").send().await.unwrap().json().await.unwrap();
    for (path, item) in described["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let locked = operation["security"].as_array().is_some_and(|locks| !locks.is_empty());
            let path = path.replace(['{', '}'], "");
            let answer = server.request(&method.to_uppercase(), &path).send().await.unwrap();
            let body: Value = answer.json().await.unwrap_or_default();
            assert_eq!(body["code"] == "unauthenticated", locked, "{method} {path}: {body}");
        }
    }
}
