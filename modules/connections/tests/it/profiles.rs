use actix_web::http::Method;
use kernel::ProfileId;
use serde_json::{Value, json};

use crate::tables::wallet;
use crate::world::{Upload, Who, World, in_each_world, outcomes, owner, path_of, upload};

const TABLE: &str = "Date,Name,Amount\n01/02/2026,Baker,-4.50\n03/04/2026,Bus,-2.00\n";

async fn save(world: &World, who: &Who, id: ProfileId, body: &Value) -> Value {
    let answer =
        world.ask(who, Method::PUT, &format!("/api/v1/mapping-profiles/{id}"), Some(body.clone())).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

/// A profile for `TABLE`, made as a person would make it: from what a failed import suggests.
async fn profile(world: &World, who: &Who) -> Value {
    let account = wallet(world, who, "EUR").await;
    let query = format!("?account_id={account}");
    let import = world.failed(who, Upload { query: &query, ..upload(TABLE) }).await;
    let mut mapping = import["mapping"].clone();
    mapping["date_order"] = json!("day_first");
    json!({ "name": "My bank | daily", "mapping": mapping, "account_id": account })
}

#[test]
fn a_table_with_a_known_header_is_read_with_its_profile() {
    in_each_world(async |world| {
        let who = owner();
        let (id, body) = (ProfileId::new(), profile(world, &who).await);
        save(world, &who, id, &body).await;
        let import = world.previewed(&who, upload(TABLE)).await;
        assert_eq!(outcomes(&import), [2, 0, 0, 0, 0]);
        assert_eq!(import["profile_id"], json!(id));
        assert_eq!(import["notes"][0]["code"], "profile_used");
        assert_eq!(import["report"]["accounts"][0]["account_id"], body["account_id"]);
        // Another household has no such profile.
        let theirs = world.failed(&owner(), upload(TABLE)).await;
        assert_eq!(theirs["problem"]["code"], "ambiguous_dates");
    });
}

#[test]
fn amounts_without_any_sign_are_not_noted_where_the_household_has_a_profile_for_them() {
    in_each_world(async |world| {
        let who = owner();
        let query = format!("?account_id={}", wallet(world, &who, "EUR").await);
        let table = format!("Date,Name,Amount\n{}", "2026-01-13,Baker,4.50\n".repeat(5));
        let guessed = world.previewed(&who, Upload { query: &query, ..upload(table.clone()) }).await;
        assert_eq!(guessed["notes"][0]["code"], "unsigned_amounts");
        save(world, &who, ProfileId::new(), &json!({ "name": "Mine", "mapping": guessed["mapping"] })).await;
        let import = world.previewed(&who, Upload { query: &query, ..upload(table) }).await;
        let notes: Vec<_> = import["notes"].as_array().unwrap().iter().map(|note| &note["code"]).collect();
        assert_eq!(notes, ["profile_used"]);
    });
}

#[test]
fn a_profile_can_be_chosen_for_an_upload_and_for_a_preview() {
    in_each_world(async |world| {
        let who = owner();
        let (id, mut body) = (ProfileId::new(), profile(world, &who).await);
        body["mapping"].as_object_mut().unwrap().remove("header_fingerprint");
        save(world, &who, id, &body).await;
        let query = format!("?profile_id={id}");
        let import = world.previewed(&who, Upload { query: &query, ..upload(TABLE) }).await;
        assert_eq!(import["profile_id"], json!(id));

        let failed = world.failed(&who, upload(TABLE)).await;
        let path = path_of(&failed);
        let request = Some(json!({ "profile_id": id }));
        assert_eq!(world.ask(&who, Method::POST, &format!("{path}/preview"), request).await.status, 202);
        assert_eq!(world.until(&who, &path, "previewed").await["profile_id"], json!(id));

        let query = format!("?profile_id={}", ProfileId::new());
        let absent = world.upload(&who, Upload { query: &query, ..upload(TABLE) }).await;
        assert_eq!((absent.status, absent.code()), (404, "not_found"));
    });
}

#[test]
fn profiles_are_saved_replaced_listed_and_deleted() {
    in_each_world(async |world| {
        let (who, id) = (owner(), ProfileId::new());
        let mut body = profile(world, &who).await;
        let saved = save(world, &who, id, &body).await;
        assert_eq!((&saved["name"], &saved["mapping"]), (&body["name"], &body["mapping"]));
        body["name"] = json!("Another name");
        save(world, &who, id, &body).await;
        for name in ["A|b", "A", "Z"] {
            body["name"] = json!(name);
            save(world, &who, ProfileId::new(), &body).await;
        }
        let (mut names, mut path) =
            (Vec::new(), "/api/v1/mapping-profiles?limit=1&with_total=true".to_owned());
        loop {
            let page = world.get(&who, &path).await.body;
            assert_eq!(page["total"], 4);
            names.extend(page["data"].as_array().unwrap().iter().map(|profile| profile["name"].clone()));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/api/v1/mapping-profiles?limit=1&with_total=true&cursor={cursor}");
        }
        names.sort_by_key(|name| name.as_str().unwrap().to_owned());
        assert_eq!(names, ["A", "Another name", "A|b", "Z"]);

        let path = format!("/api/v1/mapping-profiles/{id}");
        assert_eq!(world.ask(&owner(), Method::DELETE, &path, None).await.status, 404, "somebody else's");
        assert_eq!(world.ask(&who, Method::DELETE, &path, None).await.status, 204);
        assert_eq!(world.ask(&who, Method::DELETE, &path, None).await.status, 404);
    });
}

#[test]
fn a_profile_is_checked_strictly() {
    in_each_world(async |world| {
        let who = owner();
        let columns = json!({ "date": 0, "amount": { "signed": 1 } });
        let mapping = json!({ "delimiter": ",", "has_header": false, "columns": columns });
        let with = |field: &str, value: Value| {
            let mut mapping = mapping.clone();
            mapping[field] = value;
            json!({ "name": "x", "mapping": mapping })
        };
        let path = format!("/api/v1/mapping-profiles/{}", ProfileId::new());
        for body in [
            json!({ "name": "x" }),
            json!({ "name": " ", "mapping": mapping }),
            json!({ "name": "x", "mapping": mapping, "colour": "red" }),
            with("colour", json!("red")),
            with("delimiter", json!("a")),
            with("delimiter", json!(",;")),
            with("quote", json!("x")),
            with("date_order", json!("sideways")),
            with("currency", json!("EURO")),
            with("columns", json!({ "date": "Date", "amount": { "signed": 1 } })),
            with("columns", json!({ "date": 0, "amount": { "signed": 1 }, "mood": 2 })),
        ] {
            let answer = world.ask(&who, Method::PUT, &path, Some(body.clone())).await;
            assert_eq!((answer.status, answer.code()), (422, "validation_failed"), "{body}");
        }
        assert_eq!(world.get(&who, "/api/v1/mapping-profiles").await.body["data"], json!([]));
    });
}

const CHASE: &str = "Transaction Date,Post Date,Description,Category,Type,Amount,Memo\n\
                     04/02/2026,05/03/2026,CORNER BOOKS,Shopping,Sale,-31.18,\n";

#[test]
fn a_table_of_a_known_bank_is_read_without_a_mapping_and_the_import_names_the_layout() {
    in_each_world(async |world| {
        let who = owner();
        let account = wallet(world, &who, "USD").await;
        let query = format!("?account_id={account}");
        // Nothing in the file says which number is the day, nor the currency.
        let import = world.committed(&who, Upload { query: &query, ..upload(CHASE) }).await;
        assert_eq!(outcomes(&import), [1, 0, 0, 0, 0]);
        assert_eq!(import["notes"][0]["code"], "built_in_profile_used");
        assert_eq!(
            import["notes"][0]["detail"],
            "read with the built-in mapping profile \"Chase credit card\""
        );
        assert_eq!(
            (&import["mapping"]["date_order"], &import["profile_id"]),
            (&json!("month_first"), &Value::Null)
        );
        assert_eq!(world.accounts(&who).await[0].booked.to_string(), "-31.18 USD");
    });
}

#[test]
fn a_household_s_own_profile_wins_over_a_built_in_one() {
    in_each_world(async |world| {
        let who = owner();
        let account = wallet(world, &who, "USD").await;
        let query = format!("?account_id={account}");
        let import = world.previewed(&who, Upload { query: &query, ..upload(CHASE) }).await;
        let mut mapping = import["mapping"].clone();
        mapping["invert_sign"] = json!(true);
        let id = ProfileId::new();
        let body = json!({ "name": "Mine", "mapping": mapping, "account_id": account });
        save(world, &who, id, &body).await;
        let import = world.committed(&who, upload(CHASE)).await;
        assert_eq!(
            (&import["profile_id"], &import["notes"][0]["code"]),
            (&json!(id), &json!("profile_used"))
        );
        assert_eq!(world.accounts(&who).await[0].booked.to_string(), "31.18 USD");
    });
}

#[test]
fn rows_that_the_bank_has_not_booked_yet_wait_beside_the_booked_ones() {
    in_each_world(async |world| {
        let who = owner();
        let account = wallet(world, &who, "USD").await;
        let query = format!("?account_id={account}");
        let table = "\"DATE\",\"DESCRIPTION\",\"AMOUNT\",\"CHECK #\",\"STATUS\"\n\
                     \"08/25/2026\",\"FUEL STOP\",\"-45.00\",,\"Pending\"\n\
                     \"08/24/2026\",\"CAFE\",\"-11.89\",,\"Posted\"\n";
        let import = world.committed(&who, Upload { query: &query, ..upload(table) }).await;
        assert_eq!(outcomes(&import), [2, 0, 0, 0, 0]);
        let account = &world.accounts(&who).await[0];
        assert_eq!(account.booked.to_string(), "-11.89 USD");
        assert_eq!(account.pending.to_string(), "-45.00 USD");
    });
}

#[test]
fn built_in_profiles_are_listed_with_the_formats() {
    in_each_world(async |world| {
        let formats = world.get(&owner(), "/api/v1/imports/formats").await.body;
        let tables =
            formats["data"].as_array().unwrap().iter().find(|format| format["format"] == "csv").unwrap();
        let profiles = tables["profiles"].as_array().unwrap();
        assert_eq!(profiles.len(), connections_formats::csv::profiles().len());
        let chase = profiles.iter().find(|profile| profile["id"] == "chase-card").unwrap();
        assert_eq!((&chase["name"], &chase["proof"]), (&json!("Chase credit card"), &json!("rows")));
    });
}
