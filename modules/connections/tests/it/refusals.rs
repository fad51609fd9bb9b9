use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::http::Method;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde_json::json;

use crate::files::{long_ofx, ofx};
use crate::world::{Upload, Who, World, in_each_world, in_each_world_with, owner, upload, usual_settings};

async fn assert_nothing_is_left(world: &World, who: &Who) {
    let imports = world.get(who, "/api/v1/imports?with_total=true").await;
    assert_eq!(imports.body, json!({ "data": [], "next_cursor": null, "total": 0 }));
    assert_eq!(world.count("SELECT count(*) AS n FROM imports").await, 0);
    assert_eq!(world.count("SELECT count(*) AS n FROM upload_chunks").await, 0);
}

#[test]
fn a_pdf_is_refused_and_leaves_no_import() {
    in_each_world(async |world| {
        let who = owner();
        let mut pdf = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
        let small = world.upload(&who, upload(pdf.clone())).await;
        assert_eq!((small.status, small.code()), (422, "unsupported_format"));
        // Also one so large that its beginning is judged before its end has come.
        pdf.resize(1_500_000, b'x');
        let large = world.upload(&who, upload(pdf)).await;
        assert_eq!((large.status, large.code()), (422, "unsupported_format"));
        assert_nothing_is_left(world, &who).await;
    });
}

#[test]
fn what_is_no_statement_is_refused_by_name() {
    in_each_world(async |world| {
        let who = owner();
        let mut late_junk = b"Date,Amount\n".repeat(100_000);
        late_junk.extend([0; 64]);
        for (file, code) in [
            (Vec::new(), "empty_file"),
            (b" \n\n ".to_vec(), "empty_file"),
            (vec![0, 1, 2, 3, 0, 0, 7, 0, 0, 9], "binary_file"),
            (late_junk, "binary_file"),
            (b"Dear Sir or Madam".to_vec(), "unknown_format"),
        ] {
            let answer = world.upload(&who, upload(file)).await;
            assert_eq!((answer.status, answer.code()), (422, code));
            assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        }
        assert_nothing_is_left(world, &who).await;
    });
}

#[test]
fn a_file_over_the_limit_is_refused_and_leaves_nothing() {
    let settings = connections::ConnectionsSettings { upload_limit_bytes: 1_200_000, ..usual_settings() };
    in_each_world_with(settings, async |world| {
        let who = owner();
        let file = long_ofx(12_000);
        assert!(file.len() > 1_200_000);
        let answer = world.upload(&who, upload(file)).await;
        assert_eq!((answer.status, answer.code()), (413, "body_too_large"));
        assert_nothing_is_left(world, &who).await;
    });
}

#[test]
fn a_wrong_content_type_or_query_is_refused() {
    in_each_world(async |world| {
        let who = owner();
        let file = || upload(ofx(&[(3, "-4.50", "a", "Baker")]));
        let json = world.upload(&who, Upload { content_type: "application/json", ..file() }).await;
        assert_eq!((json.status, json.code()), (415, "unsupported_media_type"));
        for query in ["?colour=red", "?account_id=7", "?currency=EURO", "?file_name=a%00b"] {
            let answer = world.upload(&who, Upload { query, ..file() }).await;
            assert_eq!((answer.status, answer.code()), (422, "validation_failed"), "{query}");
        }
        let typed = Upload { content_type: "Text/CSV; charset=utf-8", ..file() };
        assert_eq!(world.upload(&who, typed).await.status, 202);
    });
}

#[test]
fn a_body_of_a_preview_is_read_strictly() {
    in_each_world(async |world| {
        let who = owner();
        let import = world.previewed(&who, upload(ofx(&[(3, "-4.50", "a", "Baker")]))).await;
        let path = format!("/api/v1/imports/{}/preview", import["id"].as_str().unwrap());
        let answer = world.ask(&who, Method::POST, &path, Some(json!({ "colour": "red" }))).await;
        assert_eq!((answer.status, answer.code()), (422, "validation_failed"));
        assert_eq!(answer.body["errors"][0]["code"], "unknown_field");
        let mapping = json!({ "delimiter": ",", "columns": { "date": 0, "amount": { "signed": 1 } } });
        let answer = world.ask(&who, Method::POST, &path, Some(json!({ "mapping": mapping }))).await;
        assert_eq!((answer.status, answer.code()), (422, "validation_failed"), "OFX has no columns");
    });
}

#[test]
fn formats_can_be_asked_for() {
    in_each_world(async |world| {
        let formats = world.get(&owner(), "/api/v1/imports/formats").await.body;
        let names: Vec<_> =
            formats["data"].as_array().unwrap().iter().map(|format| &format["format"]).collect();
        assert_eq!(names, ["ofx1", "ofx2", "camt", "csv", "mt940", "qif", "zip"]);
    });
}

#[test]
fn an_upload_that_breaks_off_leaves_nothing() {
    in_each_world(async |world| {
        let who = owner();
        let pieces = [Ok(Bytes::from(long_ofx(6_000))), Err(PayloadError::Incomplete(None))];
        let answer = world.upload_stream(&who, stream::iter(pieces)).await;
        assert_eq!((answer.status, answer.code()), (400, "malformed_request"));
        assert_nothing_is_left(world, &who).await;
    });
}

#[test]
fn an_abandoned_upload_is_seen_by_nobody_and_swept() {
    let settings = connections::ConnectionsSettings { upload_patience: Duration::ZERO, ..usual_settings() };
    in_each_world_with(settings, async |world| {
        let who = owner();
        let never_ends = stream::iter([Ok(Bytes::from(long_ofx(6_000)))]).chain(stream::pending());
        // Nobody sweeps until the restart, so what was stored can be seen.
        world.kill();
        let stored = async {
            while world.count("SELECT count(*) AS n FROM upload_chunks").await == 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            _ = world.upload_stream(&who, never_ends) => panic!("an upload without an end has ended"),
            () = stored => {}
        }
        assert_eq!(world.get(&who, "/api/v1/imports").await.body["data"], json!([]));
        world.restart();
        world.no_chunks().await;
        assert_nothing_is_left(world, &who).await;
    });
}
