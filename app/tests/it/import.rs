//! Files into the ledger by the command line, and the demonstration of it.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::server::{Server, monolith, monolith_with};

pub fn sample(name: &str) -> String {
    let samples = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../modules/connections/formats/samples");
    samples.join(name).display().to_string()
}

/// Runs the binary as somebody who is logged in with `token`; the server goes on in this process meanwhile.
async fn import(server: &Server, token: &str, args: &[&str]) -> (Option<i32>, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
    command.args(["import", "--json", "--server", &server.url("")]).args(args).env("TRIBUTARY_TOKEN", token);
    let output: Output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_default())
}

pub async fn balances(server: &Server, token: &str) -> Vec<String> {
    let accounts = server.get("/api/v1/accounts").bearer_auth(token).send().await.unwrap();
    let accounts: Value = accounts.json().await.unwrap();
    let booked = accounts["data"].as_array().unwrap().iter();
    booked.map(|account| account["booked"]["amount"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_imported_once_however_often_it_comes() {
    let server = monolith().await;
    let token = server.log_in().await;
    let card = sample("credit-card-2026.ofx");
    let (code, first) = import(&server, &token, &[&card]).await;
    assert_eq!((code, &first[0]["import"]["report"]["outcomes"]["created"]), (Some(0), &43.into()));
    let (code, again) = import(&server, &token, &[&card]).await;
    assert_eq!((code, &again[0]["import"]["report"]["outcomes"]["created"]), (Some(0), &0.into()));
    assert_eq!(balances(&server, &token).await, ["-834.64"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_reports_and_changes_nothing() {
    let server = monolith().await;
    let token = server.log_in().await;
    let (code, report) = import(&server, &token, &["--dry-run", &sample("credit-card-2026.ofx")]).await;
    assert_eq!((code, &report[0]["import"]["report"]["outcomes"]["created"]), (Some(0), &43.into()));
    assert!(balances(&server, &token).await.is_empty());
}

/// What the server has of the imports that were made, the latest first.
async fn imports(server: &Server, token: &str) -> Vec<Value> {
    let imports = server.get("/api/v1/imports").bearer_auth(token).send().await.unwrap();
    let imports: Value = imports.json().await.unwrap();
    imports["data"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_keeps_no_copy_of_what_cannot_be_imported_either() {
    let server = monolith().await;
    let token = server.log_in().await;
    let (code, report) = import(&server, &token, &["--dry-run", &sample("banks/amex-us.csv")]).await;
    assert_eq!((code, &report[0]["problem"]["code"]), (Some(1), &"needs_account".into()));
    let left = imports(&server, &token).await;
    assert_eq!((&left[0]["state"], &left[0]["file_kept_until"]), (&"cancelled".into(), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_through_a_pipe_or_as_standard_input_is_read_to_its_end() {
    let server = monolith().await;
    let token = server.log_in().await;
    for (input, outcome) in [("/dev/stdin", "created"), ("-", "duplicate")] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tributary"))
            .args(["import", "--json", input, "--server", &server.url("")])
            .env("TRIBUTARY_TOKEN", &token)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = tokio::task::spawn_blocking(move || {
            let mut file = std::fs::File::open(sample("credit-card-2026.ofx")).unwrap();
            std::io::copy(&mut file, &mut child.stdin.take().unwrap()).unwrap();
            child.wait_with_output().unwrap()
        });
        let report: Value = serde_json::from_slice(&output.await.unwrap().stdout).unwrap();
        assert_eq!(report[0]["import"]["report"]["outcomes"][outcome], 43, "{report}");
        assert_eq!(report[0]["import"]["file_name"], "stdin");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_told_from_a_file() {
    let server = monolith().await;
    let token = server.log_in().await;
    let folder = tempfile::tempdir().unwrap();
    let (code, report) = import(&server, &token, &[folder.path().to_str().unwrap()]).await;
    let error = report[0]["error"].as_str().unwrap();
    assert!(code == Some(1) && error.ends_with("is a folder; name its files, or --watch it"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_files_than_the_server_takes_at_once_are_all_imported() {
    let server =
        monolith_with(&[("edge.rate.default.quota", "10"), ("edge.rate.default.window_s", "1")]).await;
    let token = server.log_in().await;
    let files = vec![sample("credit-card-2026.ofx"); 8];
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let (code, report) = import(&server, &token, &files).await;
    let imported = report.as_array().unwrap().iter().filter(|file| file["import"]["state"] == "committed");
    assert_eq!((code, imported.count()), (Some(0), 8), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_in_the_middle_of_a_commit_leaves_nothing_of_it() {
    let server = monolith().await;
    let token = server.log_in().await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(
        file,
        "OFXHEADER:100\nDATA:OFXSGML\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>1\
         <ACCTID>1001<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST>\n"
    )
    .unwrap();
    for n in 0..5000 {
        writeln!(
            file,
            "<STMTTRN><TRNTYPE>POS<DTPOSTED>20260601<TRNAMT>-1.00<FITID>{n}<NAME>Shop {n}</STMTTRN>"
        )
        .unwrap();
    }
    write!(file, "</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>").unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_tributary"))
        .args(["import", "--server", &server.url("")])
        .arg(file.path())
        .env("TRIBUTARY_TOKEN", &token)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !imports(&server, &token).await.first().is_some_and(|import| import["state"] == "committing") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("given up; nothing of it is imported"), "{said}");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(imports(&server, &token).await[0]["state"], "undone");
    assert!(balances(&server, &token).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_file_does_not_keep_the_others_out() {
    let server = monolith().await;
    let token = server.log_in().await;
    let junk = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(junk.path(), b"%PDF-1.7\n\x00\x01").unwrap();
    let junk = junk.path().display().to_string();
    let (code, report) = import(&server, &token, &[&junk, &sample("savings-2026.csv")]).await;
    assert_eq!(code, Some(1));
    assert_eq!(report[0]["problem"]["status"], 422);
    assert_eq!(report[1]["import"]["state"], "committed");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_file_of_an_archive_is_told_by_itself() {
    let server = monolith().await;
    let token = server.log_in().await;
    let mut writer = zip::ZipWriter::new(tempfile::NamedTempFile::new().unwrap());
    for name in ["credit-card-2026.ofx", "savings-2026.csv"] {
        writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::copy(&mut std::fs::File::open(sample(name)).unwrap(), &mut writer).unwrap();
    }
    let archive = writer.finish().unwrap();
    let (code, report) = import(&server, &token, &[&archive.path().display().to_string()]).await;
    assert_eq!((code, &report[0]["import"]["state"]), (Some(0), &"unpacked".into()));
    let members = report[0]["members"].as_array().unwrap();
    let created = |at: usize| &members[at]["import"]["report"]["outcomes"]["created"];
    assert_eq!((members.len(), created(0), created(1)), (2, &43.into(), &26.into()));
    assert_eq!(members[1]["file"], "savings-2026.csv");
}

/// What each account is called and holds, by name.
async fn accounts(server: &Server, token: &str) -> Vec<String> {
    let accounts = server.get("/api/v1/accounts").bearer_auth(token).send().await.unwrap();
    let accounts: Value = accounts.json().await.unwrap();
    let shown = |account: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        format!("{} {}", text(&account["name"]), text(&account["booked"]["amount"]))
    };
    let mut shown: Vec<_> = accounts["data"].as_array().unwrap().iter().map(shown).collect();
    shown.sort();
    shown
}

#[tokio::test(flavor = "multi_thread")]
async fn each_currency_of_a_wallet_s_file_gets_an_account_of_its_own() {
    let server = monolith().await;
    let token = server.log_in().await;
    let (code, report) = import(&server, &token, &[&sample("banks/revolut.csv")]).await;
    assert_eq!((code, &report[0]["import"]["report"]["outcomes"]["rejected"]), (Some(0), &2.into()));
    assert_eq!(accounts(&server, &token).await, ["Revolut EUR 187.01", "Revolut GBP 71.55"]);
    let (_, again) = import(&server, &token, &[&sample("banks/revolut.csv")]).await;
    assert_eq!(again[0]["import"]["report"]["outcomes"]["created"], 0);
    // A chosen account takes the rows in its currency alone.
    let (_, one) = import(&server, &token, &["--account", "Revolut GBP", &sample("banks/revolut.csv")]).await;
    let outcomes = &one[0]["import"]["report"]["outcomes"];
    assert_eq!((&outcomes["duplicate"], &outcomes["rejected"]), (&2.into(), &9.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_states_no_currency_is_told_it() {
    let server = monolith().await;
    let token = server.log_in().await;
    let file = tempfile::Builder::new().suffix(".qif").tempfile().unwrap();
    std::fs::write(file.path(), "!Account\nNPurse\nTCash\n^\n!Type:Cash\nD1/15'26\nT-2.50\nPBus\n^\n")
        .unwrap();
    let file = file.path().display().to_string();
    let (code, untold) = import(&server, &token, &[&file]).await;
    assert_eq!((code, &untold[0]["problem"]["code"]), (Some(1), &"needs_currency".into()));
    let (code, told) = import(&server, &token, &["--currency", "chf", &file]).await;
    assert_eq!((code, &told[0]["import"]["currency"]), (Some(0), &"CHF".into()));
    assert_eq!(accounts(&server, &token).await, ["Purse -2.50"]);
    assert_eq!(import(&server, &token, &["--currency", "XXQ", &file]).await.0, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn dates_that_no_row_decides_are_read_in_the_order_that_is_told() {
    let server = monolith().await;
    let token = server.log_in().await;
    let file = tempfile::Builder::new().suffix(".qif").tempfile().unwrap();
    std::fs::write(file.path(), "!Account\nNPurse\nTCash\n^\n!Type:Cash\nD03/04/2026\nT-2.50\nPBus\n^\n")
        .unwrap();
    let file = file.path().display().to_string();
    let (code, untold) = import(&server, &token, &["--currency", "CHF", &file]).await;
    assert_eq!((code, &untold[0]["problem"]["code"]), (Some(1), &"ambiguous_dates".into()));
    let (code, told) = import(&server, &token, &["--currency", "CHF", "--dates", "day-first", &file]).await;
    assert_eq!((code, &told[0]["import"]["mapping"]["date_order"]), (Some(0), &"day_first".into()));
    assert_eq!(accounts(&server, &token).await, ["Purse -2.50"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_not_there_is_said_before_anything_is_sent() {
    let server = monolith().await;
    let token = server.log_in().await;
    let (code, _) = import(&server, &token, &["--account", "Nobody's", &sample("savings-2026.csv")]).await;
    assert_eq!(code, Some(1));
    assert!(balances(&server, &token).await.is_empty());
}

#[test]
fn the_demo_ends_with_exact_balances_and_a_second_import_changes_nothing() {
    let data_dir = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_tributary"))
        .args(["demo", "--once", "--public", "127.0.0.1:0", "--data-dir"])
        .arg(data_dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stderr));
    for balance in ["6853.68 EUR", "-834.64 USD", "8766.75 EUR"] {
        assert!(said.contains(balance), "{balance} is not in: {said}");
    }
    assert!(said.contains("199 rows read, 0 created, 0 updated, 199 known already"), "{said}");
}
