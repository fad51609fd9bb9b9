use std::io::{Cursor, Write};

use actix_web::http::Method;
use connections::ConnectionsSettings;
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::files::{NUMBER, ofx};
use crate::world::{
    Who, World, in_each_world, in_each_world_with, outcomes, owner, path_of, upload, usual_settings,
};

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        let method =
            if content.len() < 100 { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        writer.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn january() -> String {
    ofx(&[(3, "-4.50", "a", "Baker"), (4, "-1.00", "b", "Bus"), (9, "-2.00", "c", "Cinema")])
}

fn rest_of_january() -> String {
    ofx(&[(9, "-2.00", "c", "Cinema"), (30, "-8.00", "d", "Dentist")])
}

/// The paths of the imports that an archive became.
fn members(archive: &Value) -> Vec<String> {
    let ids = archive["members"].as_array().unwrap();
    ids.iter().map(|id| format!("/api/v1/imports/{}", id.as_str().unwrap())).collect()
}

async fn unpacked(world: &World, who: &Who, archive: Vec<u8>) -> Value {
    let path = world.begin(who, upload(archive)).await;
    world.until(who, &path, "unpacked").await
}

#[test]
fn each_file_of_an_archive_is_an_import_of_its_own_and_overlaps_create_no_doubles() {
    in_each_world(async |world| {
        let who = owner();
        let (one, two) = (january(), rest_of_january());
        let files: [(&str, &[u8]); 3] =
            [("2026/", b""), ("2026/january.ofx", one.as_bytes()), ("../../etc/rest.ofx", two.as_bytes())];
        let archive = unpacked(world, &who, zip(&files)).await;
        assert_eq!((&archive["format"], &archive["encoding"]), (&json!("zip"), &Value::Null));
        assert_eq!(archive["notes"], json!([]));
        let mut counted = Vec::new();
        for path in members(&archive) {
            let import = world.until(&who, &path, "previewed").await;
            assert_eq!(import["archive_id"], archive["id"]);
            counted.push((import["file_name"].clone(), outcomes(&world.commit(&who, &path).await)));
        }
        assert_eq!(
            counted,
            [(json!("january.ofx"), [3, 0, 0, 0, 0]), (json!("rest.ofx"), [1, 0, 0, 1, 0])],
            "a name leads nowhere, and a row in both is one movement"
        );
        assert_eq!(world.transactions(&who).await.len(), 4);
        assert!(world.events(&who).await.contains(&"import.unpacked".into()));
        assert!(!world.is_stored(NUMBER).await);
        let path = format!("/api/v1/imports/{}/commit", archive["id"].as_str().unwrap());
        let commit = world.ask(&who, Method::POST, &path, None);
        assert_eq!(commit.await.code(), "import_state");
    });
}

#[test]
fn what_is_no_bank_file_is_left_out_and_noted() {
    in_each_world(async |world| {
        let who = owner();
        let statement = january();
        let large = [b"%PDF-1.7 ".as_slice(), &vec![b'x'; 700_000]].concat();
        let files: [(&str, &[u8]); 5] = [
            ("terms.pdf", &large),
            ("january.ofx", statement.as_bytes()),
            ("read.me", b"Dear customer"),
            ("__MACOSX/._january.ofx", b"\0\x05\x16\x07"),
            (".DS_Store", b"\0\0\0\x01Bud1"),
        ];
        let archive = unpacked(world, &who, zip(&files)).await;
        let notes: Vec<_> = archive["notes"].as_array().unwrap().iter().map(|note| &note["detail"]).collect();
        let expected = [
            "\"terms.pdf\" was left out: pdf files are not supported",
            "\"read.me\" was left out: the file is not a known statement format",
        ];
        assert_eq!(notes, expected);
        assert_eq!(members(&archive).len(), 1);
        world.until(&who, &members(&archive)[0], "previewed").await;
        assert_eq!(world.count("SELECT count(*) AS n FROM imports").await, 2);
        assert_eq!(world.count("SELECT count(*) AS n FROM upload_chunks").await, 1, "the statement's");
    });
}

#[test]
fn archives_that_will_not_do_fail_as_a_whole_and_say_why() {
    let settings =
        ConnectionsSettings { archive_files: 3, upload_limit_bytes: 6_000_000, ..usual_settings() };
    in_each_world_with(settings, async |world| {
        let who = owner();
        let statement = january();
        let good = ("january.ofx", statement.as_bytes());
        let zeros = vec![b'0'; 3_000_000];
        let inner = zip(&[good]);
        let many = ["a", "b", "c", "d"].map(|name| (name, statement.as_bytes()));
        let mut wrong_sum = zip(&[("short.csv", b"Date,Amount\n2026-01-03,1.00\n")]);
        let at = wrong_sum.windows(4).position(|window| window == b"1.00").unwrap();
        wrong_sum[at] = b'7';
        for (archive, code, detail) in [
            (encrypted(zip(&[good])), "encrypted_archive", "\"january.ofx\" is encrypted"),
            (
                zip(&[good, ("in/ner.zip", &inner)]),
                "nested_archive",
                "\"ner.zip\" is an archive itself; send it alone",
            ),
            (
                zip(&[good, ("x.gz", b"\x1f\x8b\x08\0\0")]),
                "nested_archive",
                "\"x.gz\" is an archive itself; send it alone",
            ),
            (zip(&many), "archive_too_large", "more than 3 files"),
            (zip(&[("bomb", &zeros)]), "archive_too_large", "its files are more than 100 times its own size"),
            (
                zip(&[("1", &zeros), ("2", &zeros), good]),
                "archive_too_large",
                "its files have more than 6000000 bytes together",
            ),
            (zip(&[good])[..100].to_vec(), "malformed_file", "it is damaged"),
            (wrong_sum, "malformed_file", "\"short.csv\" is damaged"),
            (
                zip(&[("read.me", b"Dear customer")]),
                "unknown_format",
                "\"read.me\" was left out: the file is not a known statement format",
            ),
            (zip(&[("folder/", b"")]), "empty_file", "there is no file in the archive"),
        ] {
            let import = world.failed(&who, upload(archive)).await;
            let problem = &import["problem"];
            assert_eq!((&problem["code"], &problem["detail"]), (&json!(code), &json!(detail)));
            let path = path_of(&import);
            let answer = world.ask(&who, Method::DELETE, &path, None);
            assert_eq!(answer.await.status, 204);
        }
        world.nothing_waits().await;
        assert_eq!(world.count("SELECT count(*) AS n FROM imports WHERE archive_id IS NOT NULL").await, 0);
        assert_eq!(world.count("SELECT count(*) AS n FROM upload_chunks").await, 0);
    });
}

/// The same archive with the bit set that says that a file is encrypted: APPNOTE.TXT 4.4.4, bit 0.
fn encrypted(mut archive: Vec<u8>) -> Vec<u8> {
    for (header, flags) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
        let at = archive.windows(4).position(|window| window == header).unwrap();
        archive[at + flags] |= 1;
    }
    archive
}

#[test]
fn a_run_killed_while_it_unpacks_doubles_and_loses_no_file() {
    in_each_world(async |world| {
        let who = owner();
        let statement = january();
        let names: Vec<_> = (0..40).map(|number| format!("{number}.ofx")).collect();
        let files: Vec<_> = names.iter().map(|name| (name.as_str(), statement.as_bytes())).collect();
        let path = world.begin(&who, upload(zip(&files))).await;
        while world.count("SELECT count(*) AS n FROM imports").await < 5 {
            tokio::task::yield_now().await;
        }
        world.kill();
        world.restart();
        let archive = world.until(&who, &path, "unpacked").await;
        assert_eq!(members(&archive).len(), 40);
        assert_eq!(world.count("SELECT count(*) AS n FROM imports").await, 41);
        for path in members(&archive) {
            world.until(&who, &path, "previewed").await;
        }
    });
}

#[test]
fn what_is_chosen_for_an_archive_holds_for_each_of_its_files() {
    in_each_world(async |world| {
        let who = owner();
        let other = world.committed(&who, upload(january())).await;
        let account = other["report"]["accounts"][0]["account_id"].as_str().unwrap().to_owned();
        let files: [(&str, &[u8]); 2] = [
            ("a.csv", b"Date,Description,Amount\n2026-02-13,Baker,-4.50\n"),
            ("b.csv", b"Date,Description,Amount\n2026-02-14,Butcher,-5.50\n"),
        ];
        let query = format!("?account_id={account}");
        let file = crate::world::Upload { query: &query, ..upload(zip(&files)) };
        let path = world.begin(&who, file).await;
        let archive = world.until(&who, &path, "unpacked").await;
        for path in members(&archive) {
            let import = world.until(&who, &path, "previewed").await;
            assert_eq!(import["account_id"], json!(account));
        }
    });
}
