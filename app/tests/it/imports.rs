//! Imports looked after by the command line.

use std::process::Command;

use serde_json::Value;

use crate::import::{balances, sample};
use crate::server::{EMAIL, PASSWORD, Server, monolith};

/// What the binary prints and its exit code, as somebody who is logged in with `token`.
async fn tributary(server: &Server, token: &str, args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
    command.args(args).env("TRIBUTARY_SERVER", server.url("")).env("TRIBUTARY_TOKEN", token);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

fn json(said: &str) -> Value {
    serde_json::from_str(said).unwrap_or_else(|error| panic!("{error} in {said}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_listed_shown_read_again_and_undone() {
    let server = monolith().await;
    let token = server.log_in().await;
    let say = async |args: &[&str]| tributary(&server, &token, args).await;
    assert_eq!(say(&["import", &sample("credit-card-2026.ofx")]).await.0, Some(0));

    let (code, listed) = say(&["imports", "list", "--json"]).await;
    let id = json(&listed)[0]["id"].as_str().unwrap().to_owned();
    assert_eq!((code, json(&listed).as_array().unwrap().len()), (Some(0), 1));
    let (_, table) = say(&["imports", "list", "--server", &server.url("")]).await;
    assert!(table.contains("credit-card-2026.ofx") && table.contains("committed"), "{table}");

    let (code, shown) = say(&["imports", "show", &id, "--json"]).await;
    assert_eq!((code, &json(&shown)["state"]), (Some(0), &"committed".into()));
    let (_, rows) = say(&["imports", "rows", &id, "--outcome", "created", "--json"]).await;
    assert_eq!(json(&rows).as_array().unwrap().len(), 43);
    let (_, none) = say(&["imports", "rows", &id, "--outcome", "rejected", "--json"]).await;
    assert_eq!(json(&none), Value::Array(Vec::new()));
    assert_eq!(say(&["imports", "rows", &id, "--outcome", "lost"]).await.0, Some(2));

    let (code, again) = say(&["imports", "reparse", &id, "--json"]).await;
    assert_eq!((code, &json(&again)["report"]["outcomes"]["duplicate"]), (Some(0), &43.into()));
    let again = json(&again)["id"].as_str().unwrap().to_owned();
    assert_eq!(say(&["imports", "cancel", &again]).await.0, Some(0));

    let listed = server.get("/api/v1/transactions?limit=1").bearer_auth(&token).send().await.unwrap();
    let listed: Value = listed.json().await.unwrap();
    let first = format!("/api/v1/transactions/{}", listed["data"][0]["id"].as_str().unwrap());
    let said = serde_json::json!({ "name": "Bakery", "note": "rolls" });
    assert_eq!(
        server.request("PATCH", &first).bearer_auth(&token).json(&said).send().await.unwrap().status(),
        200
    );
    let (code, undone) = say(&["imports", "undo", &id]).await;
    assert_eq!(code, Some(0), "{undone}");
    assert!(undone.contains("43 removed") && undone.contains("2 names, categories and notes"), "{undone}");
    assert!(balances(&server, &token).await.iter().all(|booked| booked == "0.00"));
    let (code, said) = say(&["imports", "commit", &id]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("import_state"), "{said}");
    assert_eq!(say(&["imports", "show", "nonsense"]).await.0, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_undone_file_by_file_and_answered_as_one_list() {
    let server = monolith().await;
    let token = server.log_in().await;
    let mut writer = zip::ZipWriter::new(tempfile::Builder::new().suffix(".zip").tempfile().unwrap());
    // One that cannot be imported has nothing to take back.
    for name in ["credit-card-2026.ofx", "banks/amex-us.csv", "savings-2026.csv"] {
        writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::copy(&mut std::fs::File::open(sample(name)).unwrap(), &mut writer).unwrap();
    }
    let archive = writer.finish().unwrap();
    let say = async |args: &[&str]| tributary(&server, &token, args).await;
    let (_, said) = say(&["import", "--json", archive.path().to_str().unwrap()]).await;
    let id = json(&said)[0]["import"]["id"].as_str().unwrap().to_owned();
    let (code, said) = say(&["imports", "undo", &id, "--json"]).await;
    let undone = json(&said);
    let removed: Vec<_> = undone.as_array().unwrap().iter().map(|file| &file["undone"]["removed"]).collect();
    assert_eq!((code, removed), (Some(0), vec![&Value::from(43), &Value::from(26)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_table_would_bring_is_shown_with_its_columns_and_both_balances() {
    let server = monolith().await;
    let token = server.log_in().await;
    let say = async |args: &[&str]| tributary(&server, &token, args).await;
    say(&["import", &sample("savings-2026.csv")]).await;
    let (code, said) = say(&["import", "--dry-run", &sample("savings-2026.csv")]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("columns: ") && said.contains("decimal comma"), "{said}");
    assert_eq!(said.matches("8766.75 EUR").count(), 2, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_file_leaves_open_is_asked_in_words_of_the_command_line() {
    let server = monolith().await;
    let token = server.log_in().await;
    let (code, said) = tributary(&server, &token, &["import", &sample("banks/amex-us.csv")]).await;
    assert!(code == Some(1) && said.contains("--account says which"), "{said}");
    let told = ["import", "--account", "Card", &sample("banks/amex-us.csv")];
    let (code, said) = tributary(&server, &token, &told).await;
    assert!(code == Some(1) && said.contains("there is no account yet"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_ends_the_session_that_it_began() {
    let server = monolith().await;
    let token = server.log_in().await;
    let output = tokio::task::spawn_blocking({
        let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
        command.args(["imports", "--server", &server.url(""), "list"]);
        command
            .env("TRIBUTARY_EMAIL", EMAIL)
            .env("TRIBUTARY_PASSWORD", PASSWORD)
            .env_remove("TRIBUTARY_TOKEN");
        move || command.output().unwrap()
    });
    assert_eq!(output.await.unwrap().status.code(), Some(0));
    let sessions = server.get("/api/v1/sessions").bearer_auth(&token).send().await.unwrap();
    let sessions: Value = sessions.json().await.unwrap();
    assert_eq!(sessions["data"].as_array().unwrap().len(), 1, "{sessions}");
}

/// A statement of June with this row and, of the fifth, one that is only expected.
fn statement(row: (u32, &str), expected: &str) -> tempfile::NamedTempFile {
    let (day, amount) = row;
    let file = tempfile::Builder::new().suffix(".ofx").tempfile().unwrap();
    let text = format!(
        "OFXHEADER:100\nDATA:OFXSGML\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>1\
         <ACCTID>1001<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST>\n<STMTTRN><TRNTYPE>POS\
         <DTPOSTED>202606{day:02}<TRNAMT>{amount}<FITID>{day}<NAME>Roma</STMTTRN></BANKTRANLIST>{expected}\
         </STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n"
    );
    std::fs::write(file.path(), text).unwrap();
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_pending_row_may_have_become_and_what_is_gone_is_told() {
    let server = monolith().await;
    let token = server.log_in().await;
    let import = async |file: tempfile::NamedTempFile| {
        let (code, said) = tributary(&server, &token, &["import", file.path().to_str().unwrap()]).await;
        assert_eq!(code, Some(0), "{said}");
        said
    };
    let pending = "<BANKTRANLISTP><DTASOF>20260605<STMTTRNP><TRNTYPE>HOLD<DTTRAN>20260605<TRNAMT>-20.00<NAME>Roma\
                   </STMTTRNP></BANKTRANLISTP>";
    import(statement((1, "-4.50"), pending)).await;
    let said = import(statement((7, "-23.00"), "")).await;
    assert!(said.contains("may be the pending") && said.contains("-20.00 EUR"), "{said}");
    let late = statement((28, "-1.00"), "");
    let whole = std::fs::read_to_string(late.path()).unwrap();
    let early =
        "<BANKTRANLIST><STMTTRN><TRNTYPE>POS<DTPOSTED>20260601<TRNAMT>-4.50<FITID>1<NAME>Roma</STMTTRN>";
    std::fs::write(late.path(), whole.replace("<BANKTRANLIST>", early)).unwrap();
    let said = import(late).await;
    assert!(said.contains("without them: 1"), "{said}");
}
