//! Where services are placed: what may be set, who may change it, and what is told of it.

use reqwest::{Method, Response};
use serde_json::{Value, json};
use service_registry::{Fallback, Side};
use service_registry_http::ServiceSigner;
use tributary::config::{Overrides, Settings};
use tributary::modules;

use crate::server::{Server, header, is, monolith, problem, server};

const ELSEWHERE: &str = "http://127.0.0.1:9";

fn load(flags: &[(&str, &str)]) -> Result<Settings, String> {
    let mut overrides = Overrides::default();
    flags.iter().for_each(|(key, value)| overrides.set(key, Some(value)));
    Settings::load_with_env(&overrides, []).map_err(|faults| faults.to_string())
}

#[test]
fn a_module_that_runs_here_may_be_placed_elsewhere_too() {
    let settings = load(&[
        ("database.url", "postgres://localhost/money"),
        ("services.ledger.url", ELSEWHERE),
        ("services.ledger.placement", "split"),
        ("services.ledger.share", "2.5"),
        ("services.ledger.fallback", "local"),
        ("services.ledger.guard_p99_ms", "250"),
        ("services.ledger.shadow", "true"),
    ]);
    let placement = settings.unwrap().placement(modules::descriptor("ledger").unwrap());
    assert_eq!((placement.side, placement.fallback, placement.shadow), (Side::Split, Fallback::Local, true));
    assert_eq!((f64::from(placement.share), placement.urls), (2.5, vec![ELSEWHERE.to_owned()]));
    assert_eq!(placement.guard.unwrap().p99_ms, Some(250));
}

#[test]
fn what_is_not_said_is_local_here_and_remote_elsewhere() {
    let side = |name| load(&[("mode", "hybrid")]).unwrap().placement(modules::descriptor(name).unwrap()).side;
    assert_eq!((side("ledger"), side("connections")), (Side::Local, Side::Remote));
}

#[test]
fn every_word_that_could_not_apply_is_a_fault() {
    let ledger = |words: &[(&str, &str)], faulty: &[&str]| {
        let words: Vec<_> =
            words.iter().map(|(key, value)| (format!("services.ledger.{key}"), *value)).collect();
        let flags: Vec<_> = words.iter().map(|(key, value)| (key.as_str(), *value)).collect();
        let postgres = [("database.url", "postgres://localhost/money")];
        let faults = load(&[&postgres[..], &flags].concat()).unwrap_err();
        for key in faulty {
            assert!(faults.contains(&format!("\n  services.ledger.{key}: ")), "{key} in {faults}");
        }
        assert!(faults.contains(&format!(" {} fault", faulty.len())), "{faults}");
    };
    let url = ("url", ELSEWHERE);
    ledger(
        &[url, ("placement", "both"), ("fallback", "yes"), ("share", "0.25")],
        &["placement", "fallback", "share"],
    );
    ledger(&[("placement", "split"), ("share", "5")], &["url"]);
    ledger(&[url, ("share", "5")], &["share"]);
    ledger(&[url, ("placement", "remote"), ("share", "101")], &["share"]);
    ledger(&[url, ("fallback", "local"), ("guard_p99_ms", "9")], &["fallback", "guard_p99_ms"]);
    ledger(&[url, ("placement", "remote"), ("guard_error_percent", "101")], &["guard_error_percent"]);
    ledger(&[("url", "http://127.0.0.1:7100"), ("placement", "remote")], &["url"]);
}

#[test]
fn two_sides_need_one_database() {
    let faults =
        load(&[("services.ledger.url", ELSEWHERE), ("services.ledger.placement", "remote")]).unwrap_err();
    assert!(
        faults.contains("services.ledger.placement: ledger runs here too, on an SQLite file"),
        "{faults}"
    );
    assert!(faults.contains("PostgreSQL"), "{faults}");
}

#[test]
fn what_needs_the_module_here_is_refused_where_it_is_not() {
    let words = [("placement", "split"), ("fallback", "local"), ("shadow", "true"), ("guard_p99_ms", "9")];
    let words = words.map(|(key, value)| (format!("services.connections.{key}"), value));
    let flags: Vec<_> =
        words.iter().map(|(key, value)| (key.as_str(), *value)).chain([("mode", "hybrid")]).collect();
    let faults = load(&flags).unwrap_err();
    assert!(words.iter().all(|(key, _)| faults.contains(&format!("\n  {key}: "))), "{faults}");
}

/// A token of `who` for `audience`, by the key that was made for them.
fn token(server: &Server, who: &str, audience: &str) -> String {
    let key = std::fs::read_to_string(server.data_file(&format!("keys/{who}.key"))).unwrap();
    ServiceSigner::from_pem(who, &key).unwrap().token(audience).unwrap().to_string()
}

async fn ask(server: &Server, method: Method, path: &str, body: &str) -> Response {
    let request = server.private(method, path).bearer_auth(token(server, "operator", "placement"));
    let request = if body.is_empty() { request } else { request.header("content-type", "application/json") };
    request.body(body.to_owned()).send().await.unwrap()
}

async fn get(server: &Server, path: &str) -> Value {
    ask(server, Method::GET, path, "").await.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_an_operator_sees_or_moves_anything() {
    let server = server(&[]).await;
    let user = server.log_in().await;
    let tokens = [
        user,
        token(&server, "gateway", "placement"),
        token(&server, "operator", "ledger"),
        "nonsense".to_owned(),
    ];
    for token in tokens {
        for (method, path) in
            [(Method::GET, "/placement"), (Method::PUT, "/placement/ledger"), (Method::GET, "/placement/x")]
        {
            let refused = server.private(method, path).bearer_auth(&token).send().await.unwrap();
            assert_eq!(problem(refused).await, is(403, "forbidden"), "{path}");
        }
    }
    let nobody = server.private(Method::GET, "/placement").send().await.unwrap();
    assert_eq!(problem(nobody).await, is(403, "forbidden"));
    let outside = server.get("/placement").bearer_auth(token(&server, "operator", "placement"));
    assert_eq!(problem(outside.send().await.unwrap()).await, is(404, "not_found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_may_not_call_services() {
    let server = server(&[]).await;
    let token = token(&server, "operator", "ledger");
    let call = server.private(Method::POST, "/rpc/ledger/v1/account").bearer_auth(token).body("[]");
    assert_eq!(call.send().await.unwrap().status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_elsewhere_is_moved_and_the_change_is_told() {
    let server = server(&[]).await;
    let wanted = json!({ "side": "remote", "urls": [ELSEWHERE] }).to_string();
    let moved = ask(&server, Method::PUT, "/placement/connections", &wanted).await;
    assert_eq!(moved.status(), 200);
    let moved: Value = moved.json().await.unwrap();
    assert_eq!((&moved["who"], &moved["service"]), (&json!("operator"), &json!("connections")));
    assert_eq!(moved["before"]["urls"], json!(["http://127.0.0.1:1"]));
    assert_eq!(moved["after"]["urls"], json!([ELSEWHERE]));

    let shown = get(&server, "/placement/connections").await;
    assert_eq!(shown["placement"], moved["after"]);
    assert_eq!(shown["configured"], moved["before"]);
    assert_eq!(shown["changes"], json!([moved]));
    let all = get(&server, "/placement").await;
    let names: Vec<_> = all["services"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["identity", "ledger", "connections"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_placement_that_cannot_apply_is_refused_with_every_reason_and_changes_nothing() {
    let server = monolith().await;
    let wanted = json!({ "side": "split", "share": 5, "urls": [ELSEWHERE] }).to_string();
    let refused: Value = ask(&server, Method::PUT, "/placement/ledger", &wanted).await.json().await.unwrap();
    assert_eq!((&refused["status"], &refused["code"]), (&json!(422), &json!("validation_failed")));
    assert_eq!(refused["errors"][0]["pointer"], "/side");
    assert!(refused["errors"][0]["detail"].as_str().unwrap().contains("PostgreSQL"), "{refused}");
    let wanted = json!({ "side": "local", "fallback": "local", "share": 7 }).to_string();
    let refused: Value = ask(&server, Method::PUT, "/placement/ledger", &wanted).await.json().await.unwrap();
    assert_eq!(refused["errors"].as_array().unwrap().len(), 2, "{refused}");
    let shown = get(&server, "/placement/ledger").await;
    assert_eq!((&shown["placement"]["side"], &shown["changes"]), (&json!("local"), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_placement_is_refused() {
    let server = server(&[]).await;
    let put = async |body| problem(ask(&server, Method::PUT, "/placement/ledger", body).await).await;
    assert_eq!(put("{").await, is(400, "malformed_json"));
    for body in [r#"{"shares":5}"#, r#"{"side":"galaxy"}"#, r#"{"share":101}"#, r#"{"guard":{"p99":1}}"#] {
        assert_eq!(put(body).await, is(422, "validation_failed"), "{body}");
    }
    let unknown = ask(&server, Method::PUT, "/placement/ledgre", "{}").await;
    assert_eq!(problem(unknown).await, is(404, "not_found"));
    assert_eq!(problem(ask(&server, Method::GET, "/placement/ledgre", "").await).await, is(404, "not_found"));
    assert_eq!(problem(ask(&server, Method::GET, "/placement/a/b", "").await).await, is(404, "not_found"));
    let deleted = ask(&server, Method::DELETE, "/placement/ledger", "").await;
    assert_eq!(header(&deleted, "allow").as_deref(), Some("GET, PUT"));
    assert_eq!(problem(deleted).await, is(405, "method_not_allowed"));
}
