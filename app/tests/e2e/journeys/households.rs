//! What one household, or one member of it, may not see or do.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Bank, Household, Installation};

/// The answer without what differs from request to request: the ids asked for and the request's own.
fn masked(answer: &Answer, id: &str) -> String {
    let request = answer.header("x-request-id");
    format!("{} {}", answer.status, answer.text.replace(id, "ID").replace(request, "REQUEST"))
}

pub async fn two_households_cannot_see_each_other(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let eve = Household::new(at, "eve").await;
    let import = ada.import(Bank::account("1001").row(1, "12.00", "a").write(), "").await;
    let account = ada.accounts().await[0]["id"].as_str().unwrap().to_owned();
    let transactions = ada.client.get("/api/v1/transactions").await.expect(200);
    let transaction = transactions["data"][0]["id"].as_str().unwrap();
    let import = import["id"].as_str().unwrap();

    let targets: [(Method, &str, &str, Value); 13] = [
        (Method::GET, "/api/v1/accounts/ID", &account, Value::Null),
        (Method::PATCH, "/api/v1/accounts/ID", &account, json!({ "name": "Mine" })),
        (Method::GET, "/api/v1/accounts/ID/transactions", &account, Value::Null),
        (Method::GET, "/api/v1/accounts/ID/balance-snapshots", &account, Value::Null),
        (Method::GET, "/api/v1/transactions/ID", transaction, Value::Null),
        (Method::PATCH, "/api/v1/transactions/ID", transaction, json!({ "name": "Mine" })),
        (Method::GET, "/api/v1/imports/ID", import, Value::Null),
        (Method::POST, "/api/v1/imports/ID/commit", import, Value::Null),
        (Method::POST, "/api/v1/imports/ID/preview", import, json!({})),
        (Method::DELETE, "/api/v1/imports/ID", import, Value::Null),
        (Method::GET, "/api/v1/sessions/ID", &ada.session, Value::Null),
        (Method::GET, "/api/v1/spaces/ID/members", &ada.space, Value::Null),
        (Method::POST, "/api/v1/imports?account_id=ID", &account, Value::Null),
    ];
    for (method, path, id, body) in targets {
        let ask = async |id: &str| {
            let request = eve.client.request(method.clone(), &path.replace("ID", id));
            let request = match (path.contains("account_id"), &body) {
                (true, _) => request.header("content-type", "text/csv").body("Date,Amount\n2026-01-01,1\n"),
                (_, Value::Null) => request,
                (_, body) => request.json(body),
            };
            eve.client.send(request).await
        };
        let theirs = ask(id).await;
        theirs.problem(404, "not_found");
        let nobodys = Uuid::now_v7().to_string();
        let nothing = ask(&nobodys).await;
        assert_eq!(masked(&theirs, id), masked(&nothing, &nobodys), "{method} {path} tells that it is there");
    }
    for list in ["accounts", "transactions", "imports", "changes", "balance-snapshots", "mapping-profiles"] {
        assert_eq!(eve.client.get(&format!("/api/v1/{list}")).await.expect(200)["data"], json!([]), "{list}");
    }
    // The same file is another account's in another household.
    eve.import(Bank::account("1001").row(1, "12.00", "a").write(), "").await;
    assert_ne!(eve.accounts().await[0]["id"], account.as_str());
    assert_eq!((ada.transactions().await, eve.transactions().await), (1, 1));
}

pub async fn a_viewer_sees_everything_and_changes_nothing(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let bob = Household::new(at, "bob").await;
    let members = format!("/api/v1/spaces/{}/members", ada.space);
    ada.client.post(&members, &json!({ "email": bob.email, "role": "viewer" })).await.expect(201);
    ada.import(Bank::account("1001").row(1, "12.00", "a").write(), "").await;
    let waiting = ada.preview(Bank::account("1001").row(2, "3.00", "b").write(), "").await;
    let import = waiting["id"].as_str().unwrap();

    let viewer = Household::log_in(&at.client(), &bob.email, Some(&ada.space)).await;
    assert_eq!(viewer.balances().await, ada.balances().await);
    viewer.client.get(&format!("/api/v1/imports/{import}")).await.expect(200);
    let account = ada.accounts().await[0]["id"].as_str().unwrap().to_owned();
    let account = format!("/api/v1/accounts/{account}");
    let transactions = viewer.client.get("/api/v1/transactions").await.expect(200);
    let transaction = format!("/api/v1/transactions/{}", transactions["data"][0]["id"].as_str().unwrap());
    let new = json!({ "name": "Mine", "kind": "cash", "currency": "EUR" });
    let mapping =
        json!({ "delimiter": ",", "columns": { "date": "Date", "amount": { "signed": "Amount" } } });
    let profile = format!("/api/v1/mapping-profiles/{}", Uuid::now_v7());
    let refused = [
        viewer.client.post("/api/v1/accounts", &new).await,
        viewer.client.patch(&account, &json!({ "closed": true })).await,
        viewer.client.patch(&transaction, &json!({ "note": "mine" })).await,
        viewer.client.upload(Bank::account("1001").row(3, "1.00", "c").write(), "").await,
        viewer.client.post(&format!("/api/v1/imports/{import}/preview"), &json!({})).await,
        viewer.commit(import).await,
        viewer.client.delete(&format!("/api/v1/imports/{import}")).await,
        viewer.client.put(&profile, &json!({ "name": "Bank", "mapping": mapping })).await,
        viewer.client.post(&members, &json!({ "email": "ada@example.org", "role": "owner" })).await,
        viewer.client.patch(&format!("{members}/{}", bob.user), &json!({ "role": "owner" })).await,
        viewer.client.delete(&format!("{members}/{}", ada.user)).await,
    ];
    for answer in refused {
        answer.problem(403, "forbidden");
    }
    assert_eq!((ada.transactions().await, ada.accounts().await.len()), (1, 1));
    ada.client.put(&profile, &json!({ "name": "Bank", "mapping": mapping })).await.expect(200);
}

pub async fn a_member_who_is_removed_loses_the_household_at_once(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let bob = Household::new(at, "bob").await;
    let members = format!("/api/v1/spaces/{}/members", ada.space);
    ada.client.post(&members, &json!({ "email": bob.email, "role": "editor" })).await.expect(201);
    let editor = Household::log_in(&at.client(), &bob.email, Some(&ada.space)).await;
    editor.open_account("Shared", "EUR").await;
    ada.client.delete(&format!("{members}/{}", bob.user)).await.expect(204);
    crate::harness::patiently("the editor's session ends", async || {
        (editor.client.get("/api/v1/accounts").await.status == 401).then_some(())
    })
    .await;
    editor.client.get("/api/v1/accounts").await.problem(401, "session_revoked");
    let again = json!({ "email": bob.email, "password": crate::harness::PASSWORD, "space_id": ada.space });
    let again = at.client().post("/api/v1/sessions", &again).await;
    assert!((400..500).contains(&again.status), "{}", again.text);
    assert_eq!(bob.accounts().await, Vec::<Value>::new(), "their own household stays theirs");
}
