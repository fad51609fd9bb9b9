//! The ledger out of the command line, and in again.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use sea_orm::{ConnectionTrait, Database};
use serde_json::Value;

use crate::server::{Server, monolith};

/// Runs the binary as somebody who is logged in with `token`; the server goes on in this process meanwhile.
async fn run(server: &Server, token: &str, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
    command.args(args).args(["--server", &server.url("")]).env("TRIBUTARY_TOKEN", token);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A server with the sample statements of two accounts in its ledger.
async fn with_samples() -> (Server, String) {
    let server = monolith().await;
    let token = server.log_in().await;
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../modules/connections/formats/samples");
    let samples =
        ["credit-card-2026.ofx", "checking-2026-q1.ofx"].map(|name| samples.join(name).display().to_string());
    let output = run(&server, &token, &["import", &samples[0], &samples[1]]).await;
    assert_eq!(code(&output), Some(0), "{}", said(&output));
    (server, token)
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_exported_is_nothing_new_when_it_is_imported() {
    let (server, token) = with_samples().await;
    let dir = tempfile::tempdir().unwrap();
    for format in ["ofx", "qif", "csv"] {
        let file = dir.path().join(format!("all.{format}")).display().to_string();
        let output = run(&server, &token, &["export", "--out", &file]).await;
        assert_eq!(code(&output), Some(0), "{}", said(&output));
        let output = run(&server, &token, &["import", "--json", &file]).await;
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let outcomes = &report[0]["import"]["report"]["outcomes"];
        let count = |outcome: &str| outcomes[outcome].as_u64().unwrap();
        let new = ["created", "updated", "rejected"].map(count);
        // Rows that share an id of the bank have none in the file, and are known by what else they tell.
        assert_eq!(
            (new, count("read"), count("duplicate") + count("matched")),
            ([0, 0, 0], 121, 121),
            "{report:#}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_there_is_written_over_only_by_force() {
    let (server, token) = with_samples().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.csv");
    fs::write(&path, "mine").unwrap();
    let file = path.display().to_string();
    let output = run(&server, &token, &["export", "--out", &file]).await;
    assert_eq!((code(&output), said(&output).contains("--force")), (Some(1), true), "{}", said(&output));
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    let output = run(&server, &token, &["export", "--out", &file, "--force"]).await;
    assert_eq!(code(&output), Some(0), "{}", said(&output));
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 122);
    assert_eq!(names(dir.path()), ["ledger.csv"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_output_takes_what_was_asked_for() {
    let (server, token) = with_samples().await;
    let asked = ["export", "--format", "csv", "--out", "-", "--account", "Credit card ••••4417"];
    let output = run(&server, &token, &asked).await;
    assert_eq!(code(&output), Some(0), "{}", said(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 44);
    let output = run(&server, &token, &[&asked[..], &["--from", "2026-02-30"]].concat()).await;
    assert_eq!((code(&output), said(&output).contains("?from")), (Some(1), true), "{}", said(&output));
    let output = run(&server, &token, &["export", "--out", "a.csv", "--account", "Nobody's"]).await;
    assert_eq!((code(&output), Path::new("a.csv").exists()), (Some(1), false), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_written_is_named_as_it_was_asked_for() {
    let (server, token) = with_samples().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("nowhere/ledger.csv").display().to_string();
    let output = run(&server, &token, &["export", "--out", &file]).await;
    let said = said(&output);
    assert!(code(&output) == Some(1) && said.contains(&file) && !said.contains(".part"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_breaks_off_leaves_no_file() {
    let (server, token) = with_samples().await;
    // One of the last rows turns into something that no version of ours has written.
    let file = server.data_file("ledger.sqlite3");
    let database = Database::connect(format!("sqlite://{}", file.display())).await.unwrap();
    let last = "SELECT id FROM transactions ORDER BY account_id DESC, posted_on DESC LIMIT 1";
    database
        .execute_unprepared(&format!("UPDATE transactions SET kind = 'nonsense' WHERE id = ({last})"))
        .await
        .unwrap();
    database.close().await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    for format in ["csv", "ofx", "qif", "json", "hledger", "beancount"] {
        let file = dir.path().join(format!("a.{format}")).display().to_string();
        let output = run(&server, &token, &["export", "--out", &file]).await;
        assert_eq!(
            (code(&output), said(&output).contains("broke off"), said(&output).contains(&file)),
            (Some(1), true, true),
            "{}",
            said(&output)
        );
    }
    assert_eq!(names(dir.path()), Vec::<String>::new());
}
