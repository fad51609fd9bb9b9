//! The first law: the same request gives the same answer in every mode, on every database.

use std::cell::RefCell;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::harness::{
    Answer, Bank, Client, Database, Installation, Mode, PASSWORD, SAMPLES, Transcript, patiently, run,
    run_over_sockets, run_over_tls,
};

pub async fn the_same_script_gets_the_same_answers_in_every_mode() {
    let told: RefCell<Vec<(String, Transcript)>> = RefCell::default();
    for database in Database::ALL {
        for mode in Mode::ALL {
            run(mode, database, async |at: &mut Installation| {
                let transcript = script(at).await;
                told.borrow_mut().push((format!("{mode:?} on {database:?}"), transcript));
            })
            .await;
        }
    }
    run_over_tls(Mode::Microservices, Database::Sqlite, async |at: &mut Installation| {
        let transcript = script(at).await;
        told.borrow_mut().push(("Microservices over TLS".to_owned(), transcript));
    })
    .await;
    run_over_sockets(Mode::Microservices, Database::Sqlite, async |at: &mut Installation| {
        let transcript = script(at).await;
        told.borrow_mut().push(("Microservices over Unix sockets".to_owned(), transcript));
    })
    .await;
    let told = told.into_inner();
    let ((first_name, first), others) = told.split_first().expect("SQLite is always there");
    for (name, other) in others {
        first.assert_same(first_name, other, name);
    }
    assert!(others.len() >= 2);
}

/// Calls one installation and writes down what it says.
struct Script {
    client: Client,
    transcript: Transcript,
}

impl Script {
    async fn ask(&mut self, method: Method, path: &str, body: Value) -> Answer {
        let request = self.client.request(method.clone(), path);
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = self.client.send(request).await;
        self.transcript
            .note(&format!("{method} {}", path.split('/').take(4).collect::<Vec<_>>().join("/")), &answer);
        answer
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.ask(Method::GET, path, Value::Null).await
    }

    async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, body).await
    }

    async fn post_once(&mut self, path: &str, key: &str, body: Value) -> Answer {
        let answer = self.client.post_once(path, key, &body).await;
        self.transcript.note(path, &answer);
        answer
    }

    /// Uploads and commits, or whatever becomes of it; how often it was looked at meanwhile is not told.
    async fn import(&mut self, content: impl Into<reqwest::Body>, query: &str) {
        let answer = self.client.upload(content, query).await;
        self.transcript.note("upload", &answer);
        if answer.status != 202 {
            return;
        }
        let id = answer.json()["id"].as_str().expect("an import has an id").to_owned();
        self.rest(&id).await;
        self.ask(Method::POST, &format!("/api/v1/imports/{id}/commit"), Value::Null).await;
        self.rest(&id).await;
    }

    async fn rest(&mut self, id: &str) {
        let path = format!("/api/v1/imports/{id}");
        patiently("an import comes to rest", async || {
            let state = self.client.get(&path).await.expect(200)["state"].to_string();
            (!["\"reading\"", "\"committing\""].contains(&state.as_str())).then_some(())
        })
        .await;
        self.get(&path).await;
    }
}

async fn script(at: &mut Installation) -> Transcript {
    let mut script = Script { client: at.client(), transcript: Transcript::default() };
    log_in(&mut script).await;
    let account = open_an_account(&mut script).await;
    import_files(&mut script, &account).await;
    look_around(&mut script, &account).await;
    do_wrong(&mut script, &account).await;
    script.transcript
}

async fn log_in(script: &mut Script) {
    script.get("/.well-known/jwks.json").await;
    script.get("/api/v1/openapi.json").await;
    let user =
        json!({ "email": "Ada@example.org", "password": PASSWORD, "name": "Ada", "space_name": "Home" });
    script.post_once("/api/v1/users", "register-ada-0001", user.clone()).await;
    script.post_once("/api/v1/users", "register-ada-0001", user.clone()).await;
    script.post("/api/v1/users", user).await;
    script.post("/api/v1/sessions", json!({ "email": "ada@example.org", "password": "wrong" })).await;
    let tokens =
        script.post("/api/v1/sessions", json!({ "email": "ada@example.org", "password": PASSWORD })).await;
    let tokens = tokens.expect(201);
    let refresh = json!({ "refresh_token": tokens["refresh_token"] });
    let tokens = script.post("/api/v1/tokens", refresh).await.expect(200);
    script.client.token = tokens["access_token"].as_str().map(str::to_owned);
    script.get("/api/v1/users/me").await;
    script.get("/api/v1/sessions").await;
    script.get("/api/v1/spaces?with_total=true").await;
}

async fn open_an_account(script: &mut Script) -> String {
    let new = json!({ "name": "Purse", "kind": "cash", "currency": "EUR", "opening": "20.00" });
    let account = script.post_once("/api/v1/accounts", "open-the-purse-01", new.clone()).await.expect(201);
    script.post_once("/api/v1/accounts", "open-the-purse-01", new).await;
    script.post_once("/api/v1/accounts", "open-the-purse-01", json!({ "name": "Other" })).await;
    let id = account["id"].as_str().expect("an account has an id").to_owned();
    script.ask(Method::PATCH, &format!("/api/v1/accounts/{id}"), json!({ "name": "Wallet" })).await;
    id
}

async fn import_files(script: &mut Script, account: &str) {
    for sample in &SAMPLES {
        script.import(sample.content, &format!("file_name={}", sample.name)).await;
    }
    script.import(SAMPLES[0].content, "file_name=again.csv").await;
    let bad_row = Bank::account("1001").row(1, "10.00", "a").row(2, "ten", "b").balance("11.00");
    script.import(bad_row.write(), "").await;
    script.import("Date,Name,Amount\n01/02/2026,Bakery,-1.50\n", &format!("account_id={account}")).await;
    script.import("Name,Amount\nBakery,-1.50\n", "").await;
    script.import("%PDF-1.4\n", "").await;
    script.import("", "file_name=nothing.ofx").await;
    script.import(SAMPLES[2].content, &format!("account_id={account}")).await;
    script.get("/api/v1/imports?with_total=true").await;
    script.get("/api/v1/imports/formats").await;
    script.get("/api/v1/mapping-profiles").await;
}

async fn look_around(script: &mut Script, account: &str) {
    script.get("/api/v1/accounts?with_total=true").await;
    script.get(&format!("/api/v1/accounts/{account}")).await;
    script.get(&format!("/api/v1/accounts/{account}/transactions")).await;
    script.get("/api/v1/balance-snapshots?with_total=true").await;
    let page = script.get("/api/v1/transactions?limit=7&with_total=true&to=2026-03-31").await.expect(200);
    let cursor = page["next_cursor"].as_str().expect("there are more than seven");
    script.get(&format!("/api/v1/transactions?limit=7&to=2026-03-31&cursor={cursor}")).await;
    script.get("/api/v1/transactions?text=bakery&min_amount=-10&max_amount=0").await;
    let changes = "/api/v1/changes?limit=200";
    let client = script.client.clone();
    // Events get their place in the feed a moment after the change.
    let mut before = 0;
    patiently("the feed comes to rest", async || {
        let told = client.get(changes).await.expect(200)["data"].as_array().map_or(0, Vec::len);
        let at_rest = told == std::mem::replace(&mut before, told) && told > 0;
        sleep(Duration::from_millis(600)).await;
        at_rest.then_some(())
    })
    .await;
    script.get(changes).await;
}

async fn do_wrong(script: &mut Script, account: &str) {
    let nobody = "01890000-0000-7000-8000-000000000000";
    for path in ["accounts", "transactions", "imports", "sessions"] {
        script.get(&format!("/api/v1/{path}/{nobody}")).await;
        script.get(&format!("/api/v1/{path}/7")).await;
        script.get(&format!("/api/v1/{path}?limit=0")).await;
        script.ask(Method::PUT, &format!("/api/v1/{path}"), json!({})).await;
    }
    script.get("/api/v1/nothing").await;
    script.post("/api/v1/accounts", json!({ "name": "X", "kind": "cash", "currency": "XXQ" })).await;
    script.post("/api/v1/accounts", json!({ "colour": "red" })).await;
    script.ask(Method::PATCH, &format!("/api/v1/accounts/{account}"), json!({ "opening": "0.001" })).await;
    script.ask(Method::HEAD, "/api/v1/accounts", Value::Null).await;
    script.ask(Method::OPTIONS, "/api/v1/accounts", Value::Null).await;
    let late = script.client.request(Method::GET, "/api/v1/accounts").header("x-request-deadline-ms", "0");
    let late = script.client.send(late).await;
    script.transcript.note("no time", &late);
    let token = script.client.token.replace("eyJhbGciOiJub25lIn0.e30.".to_owned());
    script.get("/api/v1/accounts").await;
    script.client.token = token;
    script.ask(Method::DELETE, "/api/v1/sessions/current", Value::Null).await;
    // In every process, not only in the first that hears of it.
    sleep(Duration::from_secs(1)).await;
    script.get("/api/v1/accounts").await;
    script.client.token = None;
    script.get("/api/v1/accounts").await;
}
