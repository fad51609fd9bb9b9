//! What a household says of its transactions, beside what the bank says.

use serde_json::{Value, json};

use crate::harness::{Answer, Bank, Household, Installation, patiently};

/// One movement of five euros at a bakery, and its path.
async fn with_one_transaction(at: &Installation) -> (Household, String) {
    let ada = Household::new(at, "ada").await;
    ada.import(bakery().write(), "").await;
    let listed = ada.client.get("/api/v1/transactions").await.expect(200);
    let path = format!("/api/v1/transactions/{}", listed["data"][0]["id"].as_str().unwrap());
    (ada, path)
}

fn bakery() -> Bank {
    Bank::account("1001").row(1, "-5.00", "Bakery")
}

async fn found(ada: &Household, text: &str) -> u64 {
    let path = format!("/api/v1/transactions?with_total=true&text={text}");
    ada.client.get(&path).await.expect(200)["total"].as_u64().unwrap()
}

pub async fn what_a_household_says_of_a_transaction_stands_beside_the_banks_word(at: &mut Installation) {
    let (ada, path) = with_one_transaction(at).await;
    let before = ada.client.get(&path).await.expect(200);
    let said = json!({ "name": "Corner bakery", "category": "Food", "note": "with Bob" });
    let patched = ada.client.patch(&path, &said).await.expect(200);
    assert_eq!(ada.client.get(&path).await.expect(200), patched);
    for (field, value) in said.as_object().unwrap() {
        assert_eq!(&patched[field], value);
    }
    assert_eq!((&patched["bank_name"], &patched["amount"]), (&json!("Shop Bakery"), &before["amount"]));
    assert_eq!((found(&ada, "corner").await, found(&ada, "bob").await, found(&ada, "shop").await), (1, 1, 1));

    let patched = ada.client.patch(&path, &json!({ "note": "alone" })).await.expect(200);
    assert_eq!((&patched["name"], &patched["note"]), (&json!("Corner bakery"), &json!("alone")));
    let nothing = json!({ "name": "", "category": "", "note": " " });
    assert_eq!(ada.client.patch(&path, &nothing).await.expect(200), before);

    let changes = patiently("each change is told", async || {
        let feed = ada.client.get("/api/v1/changes?limit=200").await.expect(200);
        let all = feed["data"].as_array().unwrap().clone().into_iter();
        let told: Vec<_> = all.filter(|change| change["type"] == "ledger.transaction.changed").collect();
        (told.len() == 3).then_some(told)
    })
    .await;
    assert_eq!(changes[1]["data"], json!({ "fields": ["note"] }));
    assert!(!Value::from(changes).to_string().contains("Corner"), "what people write is in no feed");
}

pub async fn what_a_household_says_is_not_overwritten_by_an_import(at: &mut Installation) {
    let (ada, path) = with_one_transaction(at).await;
    let said = json!({ "name": "Corner bakery", "category": "Food", "note": "with Bob" });
    let patched = ada.client.patch(&path, &said).await.expect(200);

    let again = ada.import(bakery().write(), "").await;
    assert_eq!(again["report"]["outcomes"]["duplicate"], 1);
    assert_eq!(ada.client.get(&path).await.expect(200), patched);

    let renamed = bakery().write().replace("Shop Bakery", "Shop Bakery Berlin");
    let import = ada.import(renamed, "").await;
    assert_eq!(import["report"]["outcomes"]["updated"], 1);
    let mut expected = patched.clone();
    expected["bank_name"] = json!("Shop Bakery Berlin");
    assert_eq!(ada.client.get(&path).await.expect(200), expected);
    assert_eq!(ada.transactions().await, 1);
}

pub async fn what_cannot_be_said_of_a_transaction_is_refused_and_changes_nothing(at: &mut Installation) {
    let (ada, path) = with_one_transaction(at).await;
    let before = ada.client.get(&path).await.expect(200);
    let faults = [
        (json!({ "amount": "1.00" }), "/amount"),
        (json!({ "name": "Mine", "colour": "red" }), "/colour"),
        (json!({ "name": 7 }), "/name"),
        (json!({ "name": "x".repeat(201) }), "/name"),
        (json!({ "name": "a\nb" }), "/name"),
        (json!({ "category": "x".repeat(101) }), "/category"),
        (json!({ "note": "x".repeat(2_001) }), "/note"),
        (json!({ "note": "a\u{0}b" }), "/note"),
    ];
    for (body, pointer) in faults {
        let problem = ada.client.patch(&path, &body).await.problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    for body in [json!([]), json!("Mine"), json!(null)] {
        ada.client.patch(&path, &body).await.problem(422, "validation_failed");
    }
    let patch = || ada.client.request(reqwest::Method::PATCH, &path);
    let send = async |kind: &str, body: &'static str| {
        ada.client.send(patch().header("content-type", kind).body(body)).await
    };
    send("application/json", "{\"name\": ").await.problem(400, "malformed_json");
    send("text/plain", "{}").await.problem(415, "unsupported_media_type");
    assert_eq!(ada.client.get(&path).await.expect(200), before);
}

pub async fn a_repeated_patch_has_one_effect_and_one_answer(at: &mut Installation) {
    let (ada, path) = with_one_transaction(at).await;
    let once = async |body: Value| {
        let request = ada.client.request(reqwest::Method::PATCH, &path).json(&body);
        ada.client.send(request.header("idempotency-key", "8e03978e-40d5-43dd-bc93")).await
    };
    let shown = |answer: &Answer| (answer.expect(200), answer.header("idempotent-replayed").to_owned());
    let (first, fresh) = shown(&once(json!({ "name": "First" })).await);
    ada.client.patch(&path, &json!({ "name": "Second" })).await.expect(200);
    assert_eq!((shown(&once(json!({ "name": "First" })).await), fresh), ((first, "true".into()), "".into()));
    once(json!({ "name": "Other" })).await.problem(422, "idempotency_key_reused");
    assert_eq!(ada.client.get(&path).await.expect(200)["name"], "Second");
}
