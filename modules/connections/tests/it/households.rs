use actix_web::http::Method;
use kernel::{Currency, ImportId, Role};
use ledger_api::{AccountKind, Ledger, NewAccount};
use serde_json::json;

use crate::files::ofx;
use crate::world::{Upload, in_each_world, member, owner, path_of, upload};

#[test]
fn an_import_of_another_household_does_not_exist() {
    in_each_world(async |world| {
        let (mine, theirs) = (owner(), owner());
        let import = world.previewed(&mine, upload(ofx(&[(3, "-4.50", "a", "Baker")]))).await;
        let path = |id: &str| format!("/api/v1/imports/{id}");
        let (there, nowhere) = (path(import["id"].as_str().unwrap()), path(&ImportId::new().to_string()));
        let calls = [
            (Method::GET, "", None),
            (Method::POST, "/preview", Some(json!({}))),
            (Method::POST, "/commit", None),
            (Method::DELETE, "", None),
        ];
        for (method, rest, body) in calls {
            let foreign = world.ask(&theirs, method.clone(), &format!("{there}{rest}"), body.clone()).await;
            let absent = world.ask(&theirs, method.clone(), &format!("{nowhere}{rest}"), body).await;
            assert_eq!((foreign.status, absent.status), (404, 404), "{method} {rest}");
            assert_eq!(foreign.body["code"], absent.body["code"]);
        }
        assert_eq!(world.get(&theirs, "/api/v1/imports").await.body["data"], json!([]));
        assert_eq!(world.get(&mine, &there).await.body, import);
    });
}

#[test]
fn an_account_of_another_household_cannot_be_chosen() {
    in_each_world(async |world| {
        let (mine, theirs) = (owner(), owner());
        let account = NewAccount {
            name: "Wallet".into(),
            kind: AccountKind::Cash,
            currency: Currency::parse("EUR").unwrap(),
            opening: None,
        };
        let account = world.ledger.create_account(&theirs.cx(), account).await.unwrap();
        let query = format!("?account_id={}", account.id);
        let file = || Upload { query: &query, ..upload(ofx(&[(3, "-4.50", "a", "Baker")])) };
        let refused = world.upload(&mine, file()).await;
        assert_eq!((refused.status, refused.code()), (404, "not_found"));
        assert_eq!(world.upload(&theirs, file()).await.status, 202);
    });
}

#[test]
fn viewers_look_but_change_nothing() {
    in_each_world(async |world| {
        let owner = owner();
        let viewer = member(owner.principal.space, Role::Viewer);
        let import = world.previewed(&owner, upload(ofx(&[(3, "-4.50", "a", "Baker")]))).await;
        let path = path_of(&import);
        assert_eq!(world.get(&viewer, &path).await.body, import);
        let profile = format!("/api/v1/mapping-profiles/{}", kernel::ProfileId::new());
        let columns = json!({ "date": 0, "amount": { "signed": 1 } });
        let body =
            json!({ "name": "x", "mapping": { "delimiter": ",", "has_header": false, "columns": columns } });
        let answers = [
            world.upload(&viewer, upload(ofx(&[(3, "-4.50", "a", "Baker")]))).await,
            world.ask(&viewer, Method::POST, &format!("{path}/preview"), Some(json!({}))).await,
            world.ask(&viewer, Method::POST, &format!("{path}/commit"), None).await,
            world.ask(&viewer, Method::DELETE, &path, None).await,
            world.ask(&viewer, Method::PUT, &profile, Some(body)).await,
            world.ask(&viewer, Method::DELETE, &profile, None).await,
        ];
        for answer in answers {
            assert_eq!((answer.status, answer.code()), (403, "forbidden"));
        }
        assert_eq!(world.get(&owner, &path).await.body, import);
    });
}

#[test]
fn nobody_sees_anything_without_logging_in() {
    in_each_world(async |world| {
        for path in ["/api/v1/imports", "/api/v1/mapping-profiles"] {
            let answer = world.ask_nobody(Method::GET, path).await;
            assert_eq!((answer.status, answer.code()), (401, "unauthenticated"));
        }
    });
}

#[test]
fn imports_come_in_pages_the_latest_first() {
    in_each_world(async |world| {
        let who = owner();
        let mut ids = Vec::new();
        for day in 1..=5 {
            let import = world.previewed(&who, upload(ofx(&[(day, "-4.50", "a", "Baker")]))).await;
            ids.insert(0, import["id"].clone());
        }
        let (mut listed, mut path) = (Vec::new(), "/api/v1/imports?limit=2&with_total=true".to_owned());
        loop {
            let page = world.get(&who, &path).await.body;
            assert_eq!(page["total"], 5);
            listed.extend(page["data"].as_array().unwrap().iter().map(|import| import["id"].clone()));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/api/v1/imports?limit=2&with_total=true&cursor={cursor}");
        }
        assert_eq!(listed, ids);
        let bad = world.get(&who, "/api/v1/imports?cursor=7a7a").await;
        assert_eq!((bad.status, bad.code()), (422, "validation_failed"));
    });
}
