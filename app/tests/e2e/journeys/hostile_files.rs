//! Files that were made to hurt: each gets a clear answer soon, costs little memory, and nobody else notices.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use serde_json::Value;

use crate::harness::{Bank, Household, Installation, zip};

/// A small file is answered within a second where the machine has nothing else to do; tests are never that lucky.
const SOON: Duration = Duration::from_secs(5);
/// What a process may have in memory.
const MOST_MEMORY_KIB: u64 = 200 * 1024;
const MEGABYTE: usize = 1_000_000;
/// Uploads on their way at the same time.
const AT_ONCE: usize = 8;

const CAMT: &str = "<?xml version=\"1.0\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt>\
    <Stmt><Acct><Id><IBAN>DE1</IBAN></Id><Ccy>EUR</Ccy></Acct><Ntry><Amt Ccy=\"EUR\">1</Amt><CdtDbtInd>CRDT</CdtDbtInd>\
    <BookgDt><Dt>2026-06-01</Dt></BookgDt></Ntry></Stmt></BkToCstmrStmt></Document>";
const MT940: &str =
    ":20:X\n:25:1/2\n:60F:C260601EUR0,00\n:61:260602C1,00NTRFNONREF\n:86:Shop\n:62F:C260602EUR1,00\n-\n";
const QIF: &str = "!Account\nNHome\n^\n!Type:Bank\nD6/13/2026\nT1.00\nPShop x\n^\n";
const TABLE: &str = "Date,Name,Amount,Currency,Account\n2026-06-01,\"Shop x\",1.00,EUR,DE1\n";

/// `&lol9;` would be a billion times `lol`.
fn billion_laughs() -> String {
    let entity = |n: u32| format!("<!ENTITY lol{n} \"{}\">", format!("&lol{};", n - 1).repeat(10));
    let entities: String = (1..10).map(entity).collect();
    let laughing = format!("<!DOCTYPE x [<!ENTITY lol0 \"lol\">{entities}]>\n<Document");
    CAMT.replace("<Document", &laughing).replace("DE1", "&lol9;")
}

fn ofx() -> String {
    Bank::account("1").row(1, "1.00", "a").write()
}

fn utf16(text: &str, broken: u16) -> Vec<u8> {
    let units = text.encode_utf16().map(|unit| if unit == u16::from(b'~') { broken } else { unit });
    [0xfeff].into_iter().chain(units).flat_map(u16::to_le_bytes).collect()
}

/// What became of a file: the code of its problem, or the state in which its import came to rest.
async fn answer(ada: &Household, file: Vec<u8>) -> String {
    let answer = ada.client.upload(file, "currency=EUR").await;
    let told = answer.json();
    let Some(id) = told["id"].as_str().filter(|_| answer.status == 202) else {
        assert_eq!(answer.status, 422, "{told}");
        return word(&told["code"]);
    };
    let import = ada.rested(id).await;
    word(if import["state"] == "failed" { &import["problem"]["code"] } else { &import["state"] })
}

fn word(value: &Value) -> String {
    value.as_str().expect("a word").to_owned()
}

/// The processes have had no more memory than they may, and serve.
async fn all_is_well(at: &mut Installation, ada: &Household) {
    let peaks: Vec<_> = at.processes().iter().filter_map(|process| process.peak_memory_kib()).collect();
    println!("peak memory in KiB: {peaks:?}");
    assert!(peaks.iter().all(|peak| *peak < MOST_MEMORY_KIB), "{peaks:?}");
    ada.import(Bank::account("9").row(1, "1.00", "z").write(), "").await;
}

pub async fn a_file_that_was_made_to_hurt_is_answered_soon_and_all_goes_on(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let in_ofx = |bad: &str| ofx().replacen("<STMTTRN>", &format!("{bad}<STMTTRN>"), 1);
    let zeros = vec![0; 8 * MEGABYTE];
    let files: [(&str, Vec<u8>, &str); 11] = [
        ("billion laughs", billion_laughs().into(), "malformed_file"),
        ("deep XML", CAMT.replace("<Ntry>", &"<a>".repeat(MEGABYTE)).into(), "malformed_file"),
        // Elements of vendors that nothing closes, as SGML has them: the row among them is read.
        ("deep SGML", in_ofx(&"<A>".repeat(MEGABYTE)).into(), "previewed"),
        ("zip bomb", zip(&[("january.ofx", &zeros)]), "archive_too_large"),
        ("a zip in a zip", zip(&[("a.zip", &zip(&[("b.ofx", ofx().as_bytes())]))]), "nested_archive"),
        ("NUL bytes", in_ofx("\0\0\0\0").into(), "binary_file"),
        ("a half of a character", utf16(&ofx().replace("Shop", "~Shop"), 0xd800), "previewed"),
        ("a half of a character in UTF-8", [MT940.as_bytes(), b"\xed\xa0\x80"].concat(), "previewed"),
        ("a quote that never ends", format!("{TABLE}\"{}", "a,\n".repeat(MEGABYTE)).into(), "no_date_column"),
        ("no line ends", format!("{QIF}P{}", "x".repeat(MEGABYTE)).into(), "truncated_file"),
        ("a million columns", ",".repeat(MEGABYTE).into(), "no_date_column"),
    ];
    for (what, file, expected) in files {
        let begin = Instant::now();
        let told = answer(&ada, file).await;
        let took = begin.elapsed();
        println!("{what}: {told} after {took:.2?}");
        assert_eq!(told, expected, "{what}");
        assert!(took < SOON, "{what} took {took:?}");
    }
    all_is_well(at, &ada).await;
}

/// Each reader's own tests take every truncation; here some of each go all the way.
pub async fn a_truncated_file_of_each_format_is_answered(at: &mut Installation) {
    const ANSWERS: [&str; 9] = [
        "previewed",
        "truncated_file",
        "empty_file",
        "unknown_format",
        "unsupported_format",
        "no_date_column",
        "no_amount_column",
        "needs_account",
        "malformed_file",
    ];
    let ada = Household::new(at, "ada").await;
    let whole = [ofx(), CAMT.to_owned(), MT940.to_owned(), QIF.to_owned(), TABLE.to_owned()];
    let cut = |file: String| (0..file.len()).step_by(5).map(move |end| file.as_bytes()[..end].to_vec());
    let answers = stream::iter(whole.into_iter().flat_map(cut)).map(async |file: Vec<u8>| {
        let told = answer(&ada, file.clone()).await;
        assert!(ANSWERS.contains(&told.as_str()), "{told}: {:?}", String::from_utf8_lossy(&file));
        told
    });
    let answers: Vec<_> = answers.buffer_unordered(AT_ONCE).collect().await;
    assert!(answers.iter().any(|told| told == "truncated_file") && answers.len() > 100);
    all_is_well(at, &ada).await;
}

/// A hundred megabytes in one line, of which the process may keep little.
pub async fn a_line_of_a_hundred_megabytes_costs_its_row_and_little_memory(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let (before, behind) = (":20:X\n:25:1/2\n:60F:C260601EUR0,00\n:61:260602C1,00NTRFNONREF\n:86:", MT940);
    let piece = bytes::Bytes::from(vec![b'x'; MEGABYTE]);
    let line = stream::repeat_with(move || piece.clone()).take(100);
    let head = stream::iter([bytes::Bytes::from_static(before.as_bytes())]);
    let tail = stream::iter([bytes::Bytes::from(format!("\n{behind}"))]);
    let body = head.chain(line).chain(tail).map(Ok::<_, std::io::Error>);
    let begin = Instant::now();
    let import = ada.preview(reqwest::Body::wrap_stream(body), "").await;
    println!("{} after {:.1?}", import["state"], begin.elapsed());
    let outcomes = &import["report"]["outcomes"];
    assert_eq!((&outcomes["created"], &outcomes["rejected"]), (&1.into(), &1.into()), "{import}");
    all_is_well(at, &ada).await;
}
