//! The same request twice, since the first answer may have been lost (semantics of `Idempotency-Key`).

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::json;

use crate::harness::{Answer, Bank, Household, Installation, PASSWORD};

const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";

/// `again` has to be the very answer that `first` was, and to say so.
#[track_caller]
fn is_replay(first: &Answer, again: &Answer) {
    assert_eq!((first.status, &first.text), (again.status, &again.text));
    assert_eq!(first.header("location"), again.header("location"));
    assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), ("", "true"));
}

pub async fn a_repeated_post_has_one_effect_and_one_answer(at: &mut Installation) {
    let user = json!({ "email": "ada@example.org", "password": PASSWORD, "space_name": "ada" });
    let first = at.client().post_once("/api/v1/users", KEY, &user).await;
    first.expect(201);
    is_replay(&first, &at.client().post_once("/api/v1/users", KEY, &user).await);
    let ada = Household::log_in(&at.client(), "ada@example.org", None).await;

    let account = json!({ "name": "Giro", "kind": "checking", "currency": "EUR" });
    let first = ada.client.post_once("/api/v1/accounts", KEY, &account).await;
    first.expect(201);
    is_replay(&first, &ada.client.post_once("/api/v1/accounts", KEY, &account).await);
    // A key in quotes is the same key, and the same members in another order are the same body.
    let request = ada.client.request(reqwest::Method::POST, "/api/v1/accounts");
    let request =
        request.header("idempotency-key", format!("\"{KEY}\"")).header("content-type", "application/json");
    let reordered = request.body(r#"{ "currency":"EUR", "kind":"checking", "name":"Giro" }"#);
    is_replay(&first, &ada.client.send(reordered).await);
    let other = json!({ "name": "Other", "kind": "checking", "currency": "EUR" });
    let reused = ada.client.post_once("/api/v1/accounts", KEY, &other).await;
    reused.problem(422, "idempotency_key_reused");
    assert_eq!(ada.accounts().await.len(), 1);

    let eve = Household::new(at, "eve").await;
    let theirs = eve.client.post_once("/api/v1/accounts", KEY, &account).await;
    assert_ne!(theirs.expect(201)["id"], first.json()["id"], "somebody else's key is another key");
}

pub async fn a_repeated_upload_is_one_import(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let upload = async |file: String, query: &str| {
        let request = ada.client.upload_request(file, query).header("idempotency-key", KEY);
        ada.client.send(request).await
    };
    let file = Bank::account("1001").cents(10).write();
    let first = upload(file.clone(), "file_name=june.ofx").await;
    first.expect(202);
    is_replay(&first, &upload(file.clone(), "file_name=june.ofx").await);
    let other = Bank::account("1001").cents(11).write();
    upload(other, "file_name=june.ofx").await.problem(422, "idempotency_key_reused");
    upload(file, "file_name=july.ofx").await.problem(422, "idempotency_key_reused");

    let id = first.json()["id"].as_str().unwrap().to_owned();
    ada.rested(&id).await;
    let path = format!("/api/v1/imports/{id}/commit");
    let commit = async || {
        let request = ada.client.request(reqwest::Method::POST, &path).header("idempotency-key", KEY);
        ada.client.send(request).await
    };
    let first = commit().await;
    first.expect(202);
    is_replay(&first, &commit().await);
    ada.rested(&id).await;
    is_replay(&first, &commit().await);
    assert_eq!((ada.transactions().await, ada.accounts().await.len()), (10, 1));
    let imports = ada.client.get("/api/v1/imports?with_total=true").await.expect(200);
    assert_eq!(imports["total"], 1);
}

pub async fn a_refusal_that_stands_is_repeated_and_one_that_can_be_mended_is_not(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let account = json!({ "name": "Giro", "kind": "checking", "currency": "EUR" });
    let unknown = json!({ "name": "Giro", "kind": "piggy_bank", "currency": "EUR" });
    ada.client.post_once("/api/v1/accounts", KEY, &unknown).await.problem(422, "validation_failed");
    ada.client.post_once("/api/v1/accounts", KEY, &account).await.expect(201);

    // What each module holds: an account, an import, and the members of a household.
    let nobodys = uuid::Uuid::now_v7();
    let [account, import, members] = ["accounts/ID", "imports/ID/commit", "spaces/ID/members"]
        .map(|path| format!("/api/v1/{}", path.replace("ID", &nobodys.to_string())));
    let member = json!({ "email": "bob@example.org", "role": "viewer" });
    for (method, path, body) in [
        (reqwest::Method::PATCH, account, json!({ "name": "Mine" })),
        (reqwest::Method::POST, import, json!({})),
        (reqwest::Method::POST, members, member),
    ] {
        let ask = async || {
            let request = ada.client.request(method.clone(), &path).header("idempotency-key", KEY);
            let answer = ada.client.send(request.json(&body)).await;
            answer.problem(404, "not_found");
            answer.header("idempotent-replayed").to_owned()
        };
        assert_eq!((ask().await, ask().await), ("".into(), "true".into()), "{path}");
    }
}

pub async fn repeats_at_the_same_moment_have_one_effect(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let account = json!({ "name": "Giro", "kind": "checking", "currency": "EUR" });
    let answers = join_all((0..8).map(|_| ada.client.post_once("/api/v1/accounts", KEY, &account))).await;
    let mut ids = BTreeSet::new();
    for answer in answers {
        match answer.status {
            409 => drop(answer.problem(409, "idempotency_in_progress")),
            _ => drop(ids.insert(answer.expect(201)["id"].to_string())),
        }
    }
    assert_eq!((ids.len(), ada.accounts().await.len()), (1, 1), "{ids:?}");
}
