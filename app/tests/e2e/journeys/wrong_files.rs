//! Files that are not what they should be: each gets a clear answer, and changes nothing.

use serde_json::{Value, json};

use crate::harness::{Bank, Household, Installation};

/// Noise as of a program or a picture; the same every time.
fn noise() -> Vec<u8> {
    (0..4000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

async fn nothing_came_of_it(ada: &Household) {
    assert_eq!((ada.accounts().await.len(), ada.transactions().await), (0, 0));
}

pub async fn what_is_no_bank_file_is_refused_at_once(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let files: [(&str, Vec<u8>, &str); 6] = [
        ("empty", Vec::new(), "empty_file"),
        ("blank", b"\r\n \t\n".to_vec(), "empty_file"),
        ("a PDF", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj".to_vec(), "unsupported_format"),
        ("a PDF called OFX", b"%PDF-1.4 text, with, commas\n".to_vec(), "unsupported_format"),
        ("noise", noise(), "binary_file"),
        ("a letter", b"Dear customer\nplease find attached\nyour statement\n".to_vec(), "unknown_format"),
    ];
    for (what, content, code) in files {
        let answer = ada.client.upload(content, "file_name=statement.ofx").await;
        println!("{what}");
        answer.problem(422, code);
    }
    let imports = ada.client.get("/api/v1/imports?with_total=true").await.expect(200);
    assert_eq!(imports["total"], 0, "a refused file leaves no import");
    nothing_came_of_it(&ada).await;
}

pub async fn a_bank_file_that_cannot_be_read_says_why(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let whole = Bank::account("1").row(1, "-1.50", "a").row(2, "-2.50", "b").write();
    let files = [
        ("truncated", whole[..whole.len() - 60].to_owned(), "truncated_file"),
        ("unknown currency", Bank::account("1").currency("XXQ").row(1, "1", "a").write(), "unknown_currency"),
        ("no dates", "Name;Amount\nBakery;-1,50\nRent;-900,00\n".to_owned(), "no_date_column"),
        ("ambiguous", "Date,Name,Amount\n01/02/2026,Bakery,-1.50\n".to_owned(), "ambiguous_dates"),
        ("refused", REFUSED_BY_BANK.to_owned(), "statement_refused_by_bank"),
        ("whose?", "Date,Name,Amount\n2026-02-01,Bakery,-1.50\n".to_owned(), "needs_account"),
    ];
    for (what, content, code) in files {
        let import = ada.preview(content, "").await;
        assert_eq!(import["state"], "failed", "{what}: {import}");
        let problem = &import["problem"];
        assert_eq!((&problem["code"], &problem["status"]), (&json!(code), &json!(422)), "{what}: {import}");
        assert_eq!(import["report"], Value::Null);
        let id = import["id"].as_str().unwrap();
        ada.commit(id).await.problem(409, "import_state");
    }
    nothing_came_of_it(&ada).await;
}

const REFUSED_BY_BANK: &str = "<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>15500</CODE><SEVERITY>ERROR</SEVERITY>\
    <MESSAGE>Signon invalid</MESSAGE></STATUS></SONRS></SIGNONMSGSRSV1></OFX>";

pub async fn a_bad_row_among_good_ones_is_rejected_with_its_line_and_reason(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let statement = Bank::account("1001").row(1, "10.00", "a").row(2, "ten", "b").row(3, "5.00", "c");
    let import = ada.import(statement.write(), "").await;
    let outcomes = &import["report"]["outcomes"];
    assert_eq!(
        (&outcomes["read"], &outcomes["created"], &outcomes["rejected"]),
        (&json!(3), &json!(2), &json!(1))
    );
    let rejected = import["report"]["rejected"].as_array().unwrap();
    let [row] = rejected.as_slice() else { panic!("{rejected:?}") };
    assert_eq!((&row["line"], &row["code"]), (&json!(5), &json!("malformed_amount")), "{row}");
    assert!(row["reason"].as_str().is_some_and(|reason| !reason.is_empty()));
    assert_eq!(ada.balances().await[0].1, "15.00 EUR");
}

pub async fn content_decides_what_a_file_is_and_a_misleading_name_is_told(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let import = ada.import(Bank::account("1").row(1, "1.00", "a").write(), "file_name=export.csv").await;
    assert_eq!(import["format"], "ofx1");
    let notes = import["notes"].as_array().unwrap();
    assert!(notes.iter().any(|note| note["code"] == "misleading_extension"), "{notes:?}");
}

pub async fn a_wrongly_declared_encoding_is_seen_through(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let statement = Bank::account("1").row(1, "-3.20", "Caf\u{e9}").write();
    let declared = statement.replacen("DATA:OFXSGML\n", "DATA:OFXSGML\nENCODING:UTF-8\n", 1);
    let latin: Vec<u8> = declared.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect();
    let import = ada.import(latin, "").await;
    assert_eq!(import["encoding"], json!({ "name": "windows-1252", "decided_by": "declaration_wrong" }));
    let page = ada.client.get("/api/v1/transactions").await.expect(200);
    assert_eq!(page["data"][0]["name"], "Shop Caf\u{e9}");
}
